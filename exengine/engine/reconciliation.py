"""Compares the books with what an exchange says that an account has: reports in, findings out (SPEC §10)."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from exengine.domain.accounts import held
from exengine.domain.events import Event, OrderAccepted
from exengine.domain.instrument import Instrument, MarketType
from exengine.domain.money import ZERO
from exengine.domain.order import Order, own_prefix
from exengine.domain.state import State
from exengine.engine.ports import AccountReport, OpenOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What follows from one report."""

    events: tuple[Event, ...]
    """What it tells of orders that are as the books have them."""
    ask: tuple[Order, ...]
    """Orders of which it tells less or other than the books: each is asked for by its client order id."""
    cancel: tuple[Order, ...]
    """Orders that rest though their cancel was asked for and taken: it is asked for again (FAULTS 17)."""
    strays: tuple[OpenOrder, ...]
    """Open orders with this store's own mark that the books do not have, or have as closed."""


def compared(
    state: State,
    account: str,
    report: AccountReport,
    known: Collection[str],
    has_traffic: Callable[[str], bool],
) -> Findings:
    """What differs in an account's orders. Orders about which something is being asked right now are left alone.

    So are those that the books did not have when the exchange was asked: `known` are the client order ids that they
    had. Times do not tell that, for a clock may be set back. An order that is not among the open ones has filled, was
    cancelled, or never arrived: only the exchange knows.
    """
    resting = {one.client_id: one for one in report.open_orders if one.client_id is not None}
    events: list[Event] = []
    ask: list[Order] = []
    cancel: list[Order] = []
    for order in state.orders.values():
        if order.account != account or has_traffic(order.client_id) or order.client_id not in known:
            continue
        there = resting.get(order.client_id)
        if there is None:
            if order.is_working:
                ask.append(order)
        elif there.filled_qty > order.filled_qty:
            ask.append(order)
        elif order.is_working and order.cancel_requested:
            cancel.append(order)
        elif order.is_working:
            events.append(OrderAccepted(client_id=order.client_id, exchange_order_id=there.exchange_order_id))
    prefix = own_prefix(state.instance)
    strays = [
        one
        for client_id, one in resting.items()
        if client_id.startswith(prefix) and not has_traffic(client_id) and _is_over(state, client_id)
    ]
    return Findings(events=tuple(events), ask=tuple(ask), cancel=tuple(cancel), strays=tuple(strays))


def _is_over(state: State, client_id: str) -> bool:
    order = state.orders.get(client_id)
    return order is None or not order.is_working


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """An account has less of something than its groups bought."""

    currency: str
    """A coin; on swap the unified symbol."""
    there: Decimal


def shortfalls(state: State, account: str, report: AccountReport) -> tuple[Shortfall, ...]:
    """What the account has less of than its groups, by more than a step; on swap also a position turned round.

    It means something only while nothing is under way.
    """
    found = []
    for currency, ours in held(state, account).items():
        there = _there(report, currency)
        least = _step(state, account, currency)
        if (ours > 0 and ours - there >= least) or (ours < 0 and there - ours >= least):
            found.append(Shortfall(currency=currency, there=there))
    return tuple(found)


def _there(report: AccountReport, currency: str) -> Decimal:
    known: Mapping[str, Decimal] = report.positions if "/" in currency else report.totals
    return known.get(currency, ZERO)


def _step(state: State, account: str, currency: str) -> Decimal:
    """The smallest step by which what is meant is traded on the account: less than that is rounding, no sale."""
    steps = [
        instrument.step_size
        for (name, symbol), instrument in state.instruments.items()
        if name == account and currency == _what(instrument, symbol)
    ]
    return min(steps, default=ZERO)


def _what(instrument: Instrument, symbol: str) -> str:
    return symbol if instrument.type is MarketType.SWAP else instrument.base
