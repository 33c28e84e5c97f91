"""What differs between the six exchanges, as data (EXCHANGES; ccxt 4.5.90)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any

from exengine.domain.instrument import MarketType


class Lookup(Enum):
    """How an order is asked for by its client order id."""

    ORDER = "order"
    """One question."""
    LISTS = "lists"
    """The open orders, then those that are over, filtered by the id."""


class TradesBy(Enum):
    """How the trades of one order are asked for."""

    MY_TRADES = "my_trades"
    """All trades of the symbol, with the exchange's order id as a parameter."""
    ORDER_TRADES = "order_trades"


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Where an answer about a key says what it may do: a yes at `path`, or `word` among the words there."""

    path: str
    word: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionQuery:
    """How an exchange is asked what a key may do."""

    method: str
    """ccxt's own name of the endpoint."""
    trade: Mapping[MarketType, tuple[Grant, ...]]
    withdraw: tuple[Grant, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One exchange: how ccxt is set up for it, and how its answers are to be read."""

    name: str
    """As the trader knows it."""
    classes: Mapping[MarketType, str]
    """ccxt.pro's class for each market type."""
    options: Mapping[MarketType, Mapping[str, Any]]
    has_sandbox: bool
    lookup: Lookup = Lookup.ORDER
    id_param: str = "clientOrderId"
    """ccxt's parameter for our client order id."""
    id_prefix: str = ""
    """What ccxt puts before it on the wire, and the exchange sends back with it."""
    takes_our_id_as_theirs: bool = False
    """Whether a question by the exchange's own order id takes ours, with its prefix, in that place."""
    id_keys: tuple[str, ...] = ()
    """Where our client order id stands in the exchange's own trades and orders, where ccxt does not tell it."""
    stream_fee_sign: int = 1
    """-1 where ccxt hands the stream's fees on as the exchange signs them: below zero = paid."""
    open_orders_by_symbol: bool = False
    """Whether open orders can be asked for one symbol at a time only."""
    acknowledges_only: bool = True
    """Whether the answer to a new order is an id and nothing else."""
    trades_by: TradesBy = TradesBy.ORDER_TRADES
    trades_order_param: str = "orderId"
    batch: int = 1
    """How many new orders go in one request; 1 = one by one, all at once."""
    late_ms: int = 10_000
    """How long after its sending a request may still be taken."""
    burst: float = 20.0
    """How many units of ccxt's own weights may go at once."""
    permissions: PermissionQuery | None = None
    """None: it does not tell."""
    fee_coin: str = ""
    """The exchange's own coin, in which the trader may have chosen to pay fees."""
    swap_total_includes_unrealised: bool = False
    duplicate: frozenset[str] = frozenset()
    duplicate_words: tuple[str, ...] = ()
    unknown: frozenset[str] = frozenset()
    clock: frozenset[str] = frozenset()
    not_found: frozenset[str] = frozenset()
    insufficient: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()
    rules_words: tuple[str, ...] = ()
    halted: frozenset[str] = frozenset()
    halted_words: tuple[str, ...] = ()
    unchanged: frozenset[str] = frozenset()
    """Codes of "it is so already", for margin mode, position mode and leverage."""
    unchanged_words: tuple[str, ...] = ("No need to change", "not modified", "no change")
    leverage_by_mode: bool = False
    """Whether leverage is set for each margin mode by itself."""
    leverage_with_margin_mode: bool = False
    """Whether the question for the margin mode has to bear the leverage too."""

    def margin_mode_params(self, leverage: Decimal) -> dict[str, Any]:
        """What setting the margin mode has to bear besides."""
        return {"leverage": str(int(leverage))} if self.leverage_with_margin_mode else {}

    def leverage_params(self, margin_mode: str) -> dict[str, Any]:
        """What setting the leverage has to bear besides."""
        return {"marginMode": margin_mode, "mgnMode": margin_mode} if self.leverage_by_mode else {}


_SPOT, _SWAP = MarketType.SPOT, MarketType.SWAP
_BY_TYPE: Mapping[MarketType, Mapping[str, Any]] = MappingProxyType(
    {
        _SPOT: {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}},
        _SWAP: {"defaultType": "swap", "fetchMarkets": {"types": ["swap"]}},
    }
)
_LINEAR: Mapping[MarketType, Mapping[str, Any]] = MappingProxyType(
    {
        _SPOT: {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}},
        _SWAP: {"defaultType": "swap", "defaultSubType": "linear", "fetchMarkets": {"types": ["linear"]}},
    }
)


def _trade(spot: Grant, swap: Grant) -> Mapping[MarketType, tuple[Grant, ...]]:
    return MappingProxyType({_SPOT: (spot,), _SWAP: (swap,)})


def _both(name: str) -> Mapping[MarketType, str]:
    return MappingProxyType({_SPOT: name, _SWAP: name})


BINANCE = Profile(
    name="Binance",
    fee_coin="BNB",
    classes=_both("binance"),
    options=_LINEAR,
    has_sandbox=True,
    id_keys=("C", "origClientOrderId", "c", "clientOrderId"),
    acknowledges_only=False,
    trades_by=TradesBy.MY_TRADES,
    swap_total_includes_unrealised=True,
    duplicate_words=("Duplicate order sent",),
    unknown=_codes("-1006 -1007"),
    clock=_codes("-1021"),
    not_found=_codes("-2011 -2013"),
    rules=_codes("-1111 -4003 -4004 -4005 -4014 -4164"),
    rules_words=("Filter failure: PRICE_FILTER", "Filter failure: LOT_SIZE", "Filter failure: MARKET_LOT_SIZE",
                 "Filter failure: MIN_NOTIONAL", "Filter failure: NOTIONAL"),
    halted=_codes("-4108 -4140"),
    halted_words=("Market is closed",),
    unchanged=_codes("-4046 -4059"),
    permissions=PermissionQuery(
        method="sapiGetAccountApiRestrictions",
        trade=_trade(Grant(path="enableSpotAndMarginTrading"), Grant(path="enableFutures")),
        withdraw=(Grant(path="enableWithdrawals"),),
    ),
)  # fmt: skip

BYBIT = Profile(
    name="Bybit",
    classes=_both("bybit"),
    options=_LINEAR,
    has_sandbox=True,
    lookup=Lookup.LISTS,
    id_param="orderLinkId",
    id_keys=("orderLinkId",),
    trades_by=TradesBy.ORDER_TRADES,
    batch=10,
    late_ms=5_000,
    duplicate=_codes("170141 110072 12141"),
    unknown=_codes("170007 10016"),
    clock=_codes("10002"),
    not_found=_codes("170213 110001"),
    insufficient=_codes("170131 110004 110007 110012"),
    rules=_codes("170130 170132 170133 170134 170135 170136 170137 170140 110003 110020 110094"),
    halted=_codes("170121 170157 110066 10029"),
    unchanged=_codes("110025 110026 110043"),
    permissions=PermissionQuery(
        method="privateGetV5UserQueryApi",
        trade=_trade(
            Grant(path="result.permissions.Spot", word="SpotTrade"),
            Grant(path="result.permissions.ContractTrade", word="Order"),
        ),
        withdraw=(Grant(path="result.permissions.Wallet", word="Withdraw"),),
    ),
    leverage_with_margin_mode=True,
)

OKX = Profile(
    name="OKX",
    classes=_both("okx"),
    options=_BY_TYPE,
    has_sandbox=True,
    id_keys=("clOrdId",),
    stream_fee_sign=-1,
    batch=20,
    late_ms=30_000,
    duplicate=_codes("51016"),
    unknown=_codes("50004"),
    clock=_codes("50102 60006"),
    not_found=_codes("51400 51401 51603"),
    insufficient=_codes("51008 51119 51127 51131"),
    rules=_codes("51020 51121 51000 51005 51006"),
    halted=_codes("51001 51021 51022 51027"),
    permissions=PermissionQuery(
        method="privateGetAccountConfig",
        trade=_trade(Grant(path="data.0.perm", word="trade"), Grant(path="data.0.perm", word="trade")),
        withdraw=(Grant(path="data.0.perm", word="withdraw"),),
    ),
    leverage_by_mode=True,
    leverage_with_margin_mode=True,
)

KUCOIN = Profile(
    name="KuCoin",
    fee_coin="KCS",
    classes=MappingProxyType({_SPOT: "kucoin", _SWAP: "kucoinfutures"}),
    options=_BY_TYPE,
    has_sandbox=False,
    id_param="clientOid",
    id_keys=("clientOid",),
    open_orders_by_symbol=True,
    batch=1,  # ccxt 4.5.90 loses the answer to a batch on this exchange
    late_ms=5_000,
    duplicate=_codes("126044"),
    duplicate_words=("clientOidDuplicated",),
    clock=_codes("400002"),
    insufficient=_codes("200004"),
    rules=_codes("600100 600101 900003"),
    rules_words=("below the minimum requirement", "above the maximum requirement", "increment invalid"),
    halted=_codes("200001 900001"),
    permissions=PermissionQuery(
        method="privateGetUserApiKey",
        trade=_trade(Grant(path="data.permission", word="Spot"), Grant(path="data.permission", word="Futures")),
        withdraw=(Grant(path="data.permission", word="Withdraw"),),
    ),
)

MEXC = Profile(
    name="MEXC",
    fee_coin="MX",
    classes=_both("mexc"),
    options=_BY_TYPE,
    has_sandbox=False,
    id_keys=("clientOrderId", "newClientOrderId", "clientId"),
    open_orders_by_symbol=True,
    batch=20,
    late_ms=10_000,
    clock=_codes("700003"),
    not_found=_codes("-2011 -2013"),
    insufficient=_codes("30004 30005 10101"),
    duplicate=_codes("730003"),
    rules=_codes("30002 30003 30029"),
    rules_words=("scale is invalid",),
    halted=_codes("30016 -1121"),
)

GATE = Profile(
    name="Gate",
    fee_coin="GT",
    classes=_both("gate"),
    options=_BY_TYPE,
    has_sandbox=True,
    id_prefix="t-",
    takes_our_id_as_theirs=True,
    id_keys=("text",),
    acknowledges_only=False,
    trades_by=TradesBy.MY_TRADES,
    trades_order_param="order_id",
    batch=10,
    late_ms=60_000,
    clock=_codes("REQUEST_EXPIRED"),
    not_found=_codes("ORDER_NOT_FOUND ORDER_CLOSED ORDER_CANCELLED"),
    insufficient=_codes("BALANCE_NOT_ENOUGH"),
    duplicate=_codes("REPEATED_CREATION"),
    rules=_codes("INVALID_PRECISION AMOUNT_TOO_LITTLE AMOUNT_TOO_MUCH"),
    rules_words=("too small", "precision"),
    halted=_codes("INVALID_CURRENCY_PAIR TRADE_RESTRICTED"),
)

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {"binance": BINANCE, "bybit": BYBIT, "okx": OKX, "kucoin": KUCOIN, "mexc": MEXC, "gate": GATE}
)
"""By the name in the configuration."""
