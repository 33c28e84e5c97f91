"""What an account has: balances, positions and open orders, and the market rules, in plain exact values."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any

from exengine.domain.errors import Retryable
from exengine.domain.instrument import Instrument, MarketType
from exengine.domain.money import ZERO, arithmetic
from exengine.engine.ports import AccountReport, OpenOrder
from exengine.exchange import market_rules
from exengine.exchange.live.client import CcxtClient
from exengine.exchange.live.said import order_said
from exengine.exchange.market_rules import number

SETTLED_IN = ("USDT", "USDC")
"""Perpetuals are traded where they are margined in one of these."""

SINGLE = 5
"""Up to so many symbols are asked one by one: all at once weighs far more on most exchanges."""


async def rules(client: CcxtClient, market_type: MarketType) -> tuple[Instrument, ...]:
    """The market rules of everything of this type, asked anew."""
    markets = await client.ask("load_markets", True)
    wanted = {symbol: market for symbol, market in markets.items() if _is_wanted(market, market_type)}
    found = market_rules.instruments(wanted)
    if not found:
        raise Retryable(f"{client.profile.name} lists no markets")
    return found


def _is_wanted(market: Any, market_type: MarketType) -> bool:
    if market_type is MarketType.SPOT:
        return bool(market.get("spot"))
    return bool(market.get("swap")) and market.get("settle") in SETTLED_IN


async def report(
    client: CcxtClient,
    market_type: MarketType,
    symbols: Collection[str] | None,
    asked_at_ms: int,
    *,
    known: Collection[str] = (),
) -> AccountReport:
    """Balances first, then orders: what fills in between shows in the orders; the balances are not believed then."""
    if not client.ccxt.markets:
        await client.ask("load_markets")
    balance = await client.ask("fetch_balance")
    totals = {
        str(currency): total
        for currency, said in (balance.get("total") or {}).items()
        if (total := number(said)) is not None
    }
    positions: dict[str, Decimal] = {}
    if market_type is MarketType.SWAP:
        for position in await client.ask("fetch_positions"):
            _add(positions, totals, position, with_unrealised=client.profile.swap_total_includes_unrealised)
    rows = []
    for symbol in _asked_about(client, symbols, known):
        rows += await client.ask("fetch_open_orders", symbol)
    try:
        open_orders = tuple(_open_order(client, row) for row in rows)
    except ValueError as error:
        raise Retryable(str(error)) from error
    return AccountReport(
        asked_at_ms=asked_at_ms,
        open_orders=open_orders,
        totals=totals,
        positions=positions,
    )


def _asked_about(client: CcxtClient, symbols: Collection[str] | None, known: Collection[str]) -> Sequence[str | None]:
    """Whose open orders are asked for; None = everything at once. `known` are the symbols of orders of ours."""
    if client.profile.open_orders_by_symbol:
        return sorted({*known, *(symbols or ())})
    return [None] if symbols is None or len(symbols) > SINGLE else sorted(symbols)


def _add(positions: dict[str, Decimal], totals: dict[str, Decimal], position: Any, *, with_unrealised: bool) -> None:
    """Counts one position. A wallet is what was paid in and realised: a gain that is not is taken off the total."""
    contracts = number(position.get("contracts"))
    if not contracts:
        return
    with arithmetic():
        sign = -1 if position.get("side") == "short" else 1
        positions[position["symbol"]] = positions.get(position["symbol"], ZERO) + sign * abs(contracts)
        settle = str(position["symbol"]).partition(":")[2]
        if with_unrealised and settle in totals:
            totals[settle] -= number(position.get("unrealizedPnl")) or ZERO


def _open_order(client: CcxtClient, row: Any) -> OpenOrder:
    said = order_said(client.profile, row)
    return OpenOrder(
        symbol=said.symbol,
        client_id=said.client_id,
        exchange_order_id=said.exchange_order_id or "",
        filled_qty=said.filled_qty or ZERO,
    )
