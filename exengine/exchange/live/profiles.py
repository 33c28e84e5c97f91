"""What differs between the six exchanges, as data (EXCHANGES; ccxt 4.5.90)."""

from collections.abc import Mapping
from dataclasses import dataclass
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


class ResetIn(Enum):
    """What an exchange's header says of when its rate limit is open again."""

    MILLISECONDS = "ms"
    EPOCH_MS = "epoch_ms"
    EPOCH_S = "epoch_s"


class MarginModeBy(Enum):
    """What a margin mode is set for."""

    SYMBOL = "symbol"
    ACCOUNT = "account"
    ORDER = "order"


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
    fee_currency_keys: tuple[str, ...] = ()
    """Where a trade's own fee coin stands, where ccxt guesses it."""
    liquidity_key: str = ""
    """Where a trade says whether it made liquidity, where ccxt does not read it."""
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
    auth: frozenset[str] = frozenset()
    """Codes of a key that is not taken, whatever ccxt takes them for."""
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
    margin_mode_by: MarginModeBy = MarginModeBy.SYMBOL
    reset_header: str = ""
    """In small letters; beside Retry-After, which all are asked for."""
    reset_in: ResetIn = ResetIn.MILLISECONDS
    bans: tuple[tuple[int, float], ...] = ((418, 120.0),)
    """HTTP statuses that mean a ban, and for how many seconds where the exchange does not say."""

    def ban_s(self, status: int | None) -> float | None:
        """For how long an HTTP status bans us; None where it does not."""
        return next((seconds for banned, seconds in self.bans if banned == status), None)


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


# Every account there is a unified one by now; ccxt would ask for that before each first order.
_UNIFIED: Mapping[MarketType, Mapping[str, Any]] = MappingProxyType(
    {kind: {**options, "enableUnifiedMargin": False, "enableUnifiedAccount": True} for kind, options in _LINEAR.items()}
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
    duplicate=_codes("-4116"),
    duplicate_words=("Duplicate order sent",),
    unknown=_codes("-1006 -1007"),
    auth=_codes("-2014 -2015 -1022"),
    clock=_codes("-1021"),
    not_found=_codes("-2011 -2013"),
    insufficient=_codes("-2018 -2019 -2022"),
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
    options=_UNIFIED,
    has_sandbox=True,
    lookup=Lookup.LISTS,
    id_param="orderLinkId",
    id_keys=("orderLinkId",),
    trades_by=TradesBy.ORDER_TRADES,
    batch=10,
    late_ms=5_000,
    duplicate=_codes("170141 110072 12141"),
    unknown=_codes("170007 10016 10000 170146 170147"),
    auth=_codes("10003 10004 10005 10010 33004"),
    reset_header="x-bapi-limit-reset-timestamp",
    reset_in=ResetIn.EPOCH_MS,
    clock=_codes("10002"),
    not_found=_codes("170213 110001 110008 110010 170139 170142"),
    insufficient=_codes("170131 110004 110007 110012 110017 110045"),
    rules=_codes("170130 170132 170133 170134 170135 170136 170137 170140 110003 110020 110094"),
    rules_words=("Qty invalid", "price invalid", "minimum limit allowed", "maximum limit allowed"),
    halted=_codes("170121 170151 170157 110063 110066 10029"),
    bans=((403, 600.0),),
    margin_mode_by=MarginModeBy.ACCOUNT,
    fee_currency_keys=("feeCurrency", "feeCoin"),
    unchanged=_codes("110025 110026 110043"),
    permissions=PermissionQuery(
        method="privateGetV5UserQueryApi",
        trade=_trade(
            Grant(path="result.permissions.Spot", word="SpotTrade"),
            Grant(path="result.permissions.ContractTrade", word="Order"),
        ),
        withdraw=(Grant(path="result.permissions.Wallet", word="Withdraw"),),
    ),
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
    unknown=_codes("50004 50026 51054 51149"),
    auth=_codes("50101 50105 50110 50111 50113 50120"),
    clock=_codes("50102 60006"),
    not_found=_codes("51400 51401 51402 51603"),
    insufficient=_codes("51008 51119 51127 51131 51169 51736"),
    rules=_codes("51020 51121 51005 51006 51137 51138"),
    rules_words=("Parameter px", "Parameter sz"),
    halted=_codes("51001 51021 51022 51027 51028 51029 51030 51087"),
    swap_total_includes_unrealised=True,
    margin_mode_by=MarginModeBy.ORDER,
    permissions=PermissionQuery(
        method="privateGetAccountConfig",
        trade=_trade(Grant(path="data.0.perm", word="trade"), Grant(path="data.0.perm", word="trade")),
        withdraw=(Grant(path="data.0.perm", word="withdraw"),),
    ),
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
    auth=_codes("400001 400003 400004 400005 400006 400007 411100"),
    reset_header="gw-ratelimit-reset",
    clock=_codes("400002"),
    unknown=_codes("500000 408000 230005"),
    insufficient=_codes("200004"),
    rules=_codes("600100 600101 900003"),
    rules_words=("below the minimum", "above the maximum requirement", "increment invalid"),
    halted=_codes("200001 900001 400600"),
    permissions=PermissionQuery(
        method="privateGetUserApiKey",
        trade=_trade(Grant(path="data.permission", word="Spot"), Grant(path="data.permission", word="Futures")),
        withdraw=(Grant(path="data.permission", word="Withdraw"), Grant(path="data.permission", word="Withdrawal")),
    ),
)

MEXC = Profile(
    name="MEXC",
    fee_coin="MX",
    liquidity_key="isMaker",
    permissions=PermissionQuery(
        method="spotPrivateGetAccount",
        trade=_trade(Grant(path="canTrade"), Grant(path="canTrade")),
        withdraw=(Grant(path="canWithdraw"),),
    ),
    classes=_both("mexc"),
    options=_BY_TYPE,
    has_sandbox=False,
    id_keys=("clientOrderId", "newClientOrderId", "clientId"),
    open_orders_by_symbol=True,
    batch=20,
    late_ms=10_000,
    auth=_codes("700001 700002 700006 700007 10072"),
    clock=_codes("700003"),
    not_found=_codes("-2011 -2013"),
    insufficient=_codes("30004 30005 10101"),
    rules=_codes("30002 30003 30029"),
    rules_words=("scale is invalid",),
    halted=_codes("30016 30000 10007 30014 -1121"),
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
    auth=_codes("INVALID_KEY INVALID_SIGNATURE IP_FORBIDDEN READ_ONLY FORBIDDEN"),
    reset_header="x-gate-ratelimit-reset-timestamp",
    reset_in=ResetIn.EPOCH_S,
    clock=_codes("REQUEST_EXPIRED"),
    unknown=_codes("INTERNAL SERVER_ERROR TOO_BUSY"),
    not_found=_codes("ORDER_NOT_FOUND CLIENT_ID_NOT_FOUND ORDER_CLOSED ORDER_CANCELLED"),
    insufficient=_codes("BALANCE_NOT_ENOUGH"),
    duplicate=_codes("REPEATED_CREATION"),
    permissions=PermissionQuery(
        method="privateAccountGetMainKeys",
        trade=_trade(Grant(path="0.perms", word="spot"), Grant(path="0.perms", word="futures")),
        withdraw=(Grant(path="0.perms", word="withdraw"),),
    ),
    rules=_codes("INVALID_PRECISION AMOUNT_TOO_LITTLE AMOUNT_TOO_MUCH"),
    rules_words=("Your order size", "too small", "precision"),
    halted=_codes("INVALID_CURRENCY_PAIR TRADE_RESTRICTED"),
)

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {"binance": BINANCE, "bybit": BYBIT, "okx": OKX, "kucoin": KUCOIN, "mexc": MEXC, "gate": GATE}
)
"""By the name in the configuration."""
