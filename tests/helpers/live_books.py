"""Holds the books of a program against those of the exchange that it traded on: once all is quiet they are one."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from exengine.domain.group import Group, GroupStatus
from exengine.domain.instrument import MarketType, OrderSide
from exengine.domain.money import ZERO, arithmetic
from exengine.domain.order import LegRef, Order, Role
from exengine.store import schema
from exengine.store.address import Place
from exengine.store.places import read_store
from tests.exchange_server.venue import Venue, VenueEvent, VenueOrder
from tests.helpers.books import Books

ENDS = frozenset({"canceled", "expired", "rejected"})
DUPLICATE = "duplicate"


@dataclass(kw_only=True)
class Alerts:
    """Every alert that was sent, by the number in its `strategy_info.trade_id`, and how each was first answered."""

    sent: dict[int, dict[str, Any]] = field(default_factory=dict)
    accepted: dict[int, int] = field(default_factory=dict)
    """The signal's id as 202 told it."""
    duplicates: dict[int, int] = field(default_factory=dict)
    """The id that 200 told, of alerts whose first answer never came."""
    unanswered: list[int] = field(default_factory=list)
    """To be sent again."""

    def answered(self, number: int, status: int, answer: Any) -> None:
        """Takes an answer in. Raises AssertionError where it is none that may come."""
        if status == 202:
            assert number not in self.accepted, f"alert {number} was taken twice: {self.accepted[number]} and {answer}"
            self.accepted[number] = answer["signal_id"]
        elif status == 200:
            first = self.accepted.get(number, self.duplicates.get(number, answer["signal_id"]))
            assert answer["signal_id"] == first, f"alert {number} is signal {first}, and is said to be {answer}"
            self.duplicates.setdefault(number, first)
        elif status == 503:
            self.unanswered.append(number)
        else:
            raise AssertionError(f"alert {number} was answered {status} {answer}")


def signal_differences(place: Place, alerts: Alerts) -> list[str]:
    """No alert is lost and none counts twice: each answered one is in the store once, under the id that was told."""
    table = schema.signals.c
    with_id = select(table.id, table.body, table.outcome)
    rows = read_store(place, lambda connection: connection.execute(with_id).all())
    kept: dict[int, list[int]] = defaultdict(list)
    found = []
    for row in rows:
        number = int(json.loads(row.body)["strategy_info"]["trade_id"])
        if row.outcome is None:
            found.append(f"signal {row.id} has no outcome")
        elif row.outcome.value != DUPLICATE:
            kept[number].append(row.id)
    found += [f"alert {number} is in the store as {ids}" for number, ids in kept.items() if len(ids) > 1]
    for number, id in [*alerts.accepted.items(), *alerts.duplicates.items()]:
        if kept.get(number) != [id]:
            found.append(f"alert {number} was answered as signal {id} and is in the store as {kept.get(number)}")
    return found + [f"alert {number} was never sent and is in the store" for number in kept.keys() - alerts.sent.keys()]


def exchange_differences(venue: Venue, books: Books) -> list[str]:
    """Where orders and trades of the two disagree: orders by client id, trades by all that there is of them."""
    ids = Counter(order.client_id or "" for order in venue.orders.values())
    found = [f"{client_id} was sent {count} times" for client_id, count in ids.items() if count > 1]
    there = {order.client_id or "": order for order in venue.orders.values()}
    found += [f"{one} is on the exchange and not in the books" for one in there if one not in books.orders]
    for client_id, order in books.orders.items():
        found += _order_differs(there.get(client_id), order)
    traded = Counter(
        (one.order.client_id, one.price, one.qty, one.fee, one.fee_currency if one.fee else "") for one in venue.trades
    )
    booked = Counter(
        (one.client_id, one.price, one.qty, one.fee, one.fee_currency if one.fee else "") for one in books.fills
    )
    found += [f"trade {one} is {count} times not in the books" for one, count in (traded - booked).items()]
    return found + [f"fill {one} is {count} times too often in the books" for one, count in (booked - traded).items()]


def _order_differs(there: VenueOrder | None, order: Order) -> list[str]:
    if there is None:
        if order.is_working or order.filled_qty:
            return [f"{order.client_id} is {order.status.value} in the books and never was on the exchange"]
        return []
    if (there.filled, there.is_open) != (order.filled_qty, order.is_working):
        books = f"{order.status.value}, {order.filled_qty} in the books"
        return [f"{order.client_id}: {there.status}, {there.filled} there; {books}"]
    return []


def double_orders(books: Books, venue: Venue) -> list[str]:
    """Entry legs that have more than one order on the exchange."""
    legs: Counter[tuple[str, LegRef]] = Counter()
    for there in list(venue.orders.values()):
        order = books.orders.get(there.client_id or "")
        if order is not None and order.role is Role.ENTRY:  # one that came since they were read is in the next look's
            legs[order.group_id, (order.pyramid or 0, order.leg or 0)] += 1
    return [f"{group}: leg {ref} has {count} orders" for (group, ref), count in legs.items() if count > 1]


def history_faults(books: Books, events: Iterable[VenueEvent]) -> list[str]:
    """What was ever wrong on the exchange in the order in which it happened there, also where it came right later.

    No leg had two targets at once, and no group sold more than its own fills had brought.
    """
    found: list[str] = []
    targets: dict[tuple[str, LegRef], str] = {}
    held: dict[str, Decimal] = defaultdict(Decimal)
    for event in events:
        if event.order is None:
            continue
        order = books.orders[event.order.client_id or ""]
        for ref in order.covers if order.role is Role.TP and event.order.tif != "IOC" else ():
            found += _target_event(targets, (order.group_id, ref), event, order)
        if event.trade is not None:
            found += _holding_event(held, books.groups[order.group_id], event, order)
    return found


def _target_event(
    targets: dict[tuple[str, LegRef], str], leg: tuple[str, LegRef], event: VenueEvent, order: Order
) -> Iterator[str]:
    assert event.order is not None
    if event.kind == "new":
        if leg in targets:
            yield f"leg {leg} has the targets {targets[leg]} and {order.client_id} at once"
        targets[leg] = order.client_id
    if not event.order.is_open:
        targets.pop(leg, None)


def _holding_event(held: dict[str, Decimal], group: Group, event: VenueEvent, order: Order) -> Iterator[str]:
    assert event.trade is not None
    trade = event.trade
    with arithmetic():
        held[group.id] += trade.qty if order.role is Role.ENTRY else -trade.qty
        if trade.fee_currency == group.base and order.role is Role.ENTRY:
            held[group.id] -= trade.fee
        if held[group.id] < 0:
            yield f"{group.id} closed {-held[group.id]} more than it held, by {order.client_id}"


def money_differences(venue: Venue, books: Books, start: Decimal) -> list[str]:
    """The account holds what the books say that fills and fees have made of it, to the last digit."""
    found = []
    swap = any(group.market_type is MarketType.SWAP for group in books.groups.values())
    with arithmetic():
        coins = {coin: total for coin, total in venue.total.items() if coin != "USDT" or not swap}
        for coin, total in coins.items():
            began = start if coin == "USDT" else ZERO
            moved = books.moved.get(("main", coin), ZERO)
            if total - began != moved:
                found.append(f"{coin}: the account has {total}, the books {began + moved}")
        held: dict[str, Decimal] = defaultdict(Decimal)
        for group in books.groups.values():
            held[group.base] += group.net_qty * group.side.sign
        has = _positions(venue) if swap else {coin: total for coin, total in venue.total.items() if coin != "USDT"}
        found += [
            f"{coin}: the account has {has.get(coin, ZERO)}, all groups {held[coin]}"
            for coin in sorted(held.keys() | has.keys())
            if held[coin] != has.get(coin, ZERO)
        ]
        if swap:
            found += _swap_wallet(venue, books, start)
    return found


def _positions(venue: Venue) -> dict[str, Decimal]:
    return {venue.markets[id].base: position.contracts for id, position in venue.positions.items()}


def _swap_wallet(venue: Venue, books: Books, start: Decimal) -> list[str]:
    """Cash by the fills: all that was sold less all that was bought less fees is the wallet and what positions cost."""
    cash = ZERO
    for fill in books.fills:
        order, group = books.orders[fill.client_id], books.groups[fill.group_id]
        sign = 1 if order.side is OrderSide.SELL else -1
        cash += sign * fill.price * fill.qty * group.contract_size - fill.fee
    tied = sum(
        position.contracts * position.entry_price * venue.markets[id].contract_size
        for id, position in venue.positions.items()
    )
    wallet = venue.total["USDT"] - start
    # A position's average is a quotient: its last digits are lost on the exchange.
    if abs(wallet - tied - cash) > Decimal("1e-9"):
        return [f"USDT: the wallet has moved by {wallet}, {tied} is in positions, and the fills say {cash}"]
    return []


def orphans(venue: Venue, books: Books) -> list[str]:
    """Orders that rest for a group that is closed."""
    live = {group.id for group in books.groups.values() if group.status is not GroupStatus.CLOSED}
    owners = {one.client_id or "": books.orders[one.client_id or ""].group_id for one in venue.open_orders()}
    return [
        f"{client_id} rests for {group}, which is closed" for client_id, group in owners.items() if group not in live
    ]
