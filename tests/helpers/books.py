"""Holds a store's books against each other: whatever happened to the program, these never disagree (SPEC §10)."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from sqlalchemy import Connection, Row, select

from exengine.domain import pnl
from exengine.domain.group import Group, GroupStatus
from exengine.domain.instrument import MarketType
from exengine.domain.money import ZERO, arithmetic
from exengine.domain.order import Order, OrderSide, Role
from exengine.store import codec, reader, schema
from exengine.store.address import Place
from exengine.store.places import read_store

Key = tuple[str, str]

LAST_DIGITS = Decimal("1e-24")
"""A quotient is carried at 50 digits: sums of its parts may differ in the last ones. Quantities and balances never."""


@dataclass(kw_only=True)
class Books:
    """Everything that a store has of what was traded."""

    groups: dict[str, Group] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    fills: list[Row] = field(default_factory=list)
    moved: dict[Key, Decimal] = field(default_factory=dict)
    outcomes: dict[int, str | None] = field(default_factory=dict)

    def fills_of(self, group_id: str) -> list[Row]:
        return [fill for fill in self.fills if fill.group_id == group_id]

    def balance(self, account: str, currency: str, start: str | Decimal = ZERO) -> Decimal:
        with arithmetic():
            return Decimal(start) + self.moved.get((account, currency), ZERO)


def read_books(place: Place) -> Books:
    """Reads the store in one snapshot, also while an engine writes to it."""
    return read_store(place, _read)


def _read(connection: Connection) -> Books:
    groups = [codec.from_text(Group, text) for text in connection.scalars(select(schema.groups.c.document))]
    orders = [reader.order_of(row) for row in connection.execute(select(schema.orders)).mappings()]
    return Books(
        groups={group.id: group for group in groups},
        orders={order.client_id: order for order in orders},
        fills=list(connection.execute(select(schema.fills).order_by(schema.fills.c.seq))),
        moved={(row.account, row.currency): row.moved for row in connection.execute(select(schema.balances))},
        outcomes={
            row.id: row.outcome and row.outcome.value
            for row in connection.execute(select(schema.signals.c.id, schema.signals.c.outcome))
        },
    )


def faults_in(books: Books, *, answered: Iterable[int] = (), slots: int | None = None) -> list[str]:
    """What disagrees; empty where the books are right.

    `answered` are the ids of signals that were answered with 202, `slots` how many groups may be open at once.
    """
    with arithmetic():
        return [
            *_signal_faults(books, answered),
            *_order_faults(books),
            *(fault for group in books.groups.values() for fault in _group_faults(books, group)),
            *_balance_faults(books),
            *_slot_faults(books, slots),
        ]


def check_books(place: Place, *, answered: Iterable[int] = (), slots: int | None = None) -> Books:
    """The books of a store that must be right."""
    if isinstance(place, Path):
        with closing(sqlite3.connect(f"file:{place}?mode=ro", uri=True)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    books = read_books(place)
    faults = faults_in(books, answered=answered, slots=slots)
    assert not faults, "\n".join(faults[:20])
    return books


def _signal_faults(books: Books, answered: Iterable[int]) -> list[str]:
    faults = [f"signal {one} was answered and is not in the store" for one in answered if one not in books.outcomes]
    return faults + [f"signal {one} has no outcome" for one, outcome in books.outcomes.items() if outcome is None]


def _order_faults(books: Books) -> list[str]:
    faults = []
    seen = Counter((fill.account, fill.trade_id) for fill in books.fills)
    faults += [f"trade {trade} is there {count} times" for trade, count in seen.items() if count > 1]
    qty: dict[str, Decimal] = defaultdict(Decimal)
    value: dict[str, Decimal] = defaultdict(Decimal)
    for fill in books.fills:
        qty[fill.client_id] += fill.qty
        value[fill.client_id] += fill.qty * fill.price
    for order in books.orders.values():
        if (order.filled_qty, order.filled_value) != (qty[order.client_id], value[order.client_id]):
            faults.append(f"order {order.client_id} has {order.filled_qty}, its fills {qty[order.client_id]}")
        if order.filled_qty > order.qty:
            faults.append(f"order {order.client_id} filled {order.filled_qty} of {order.qty}")
        if order.group_id not in books.groups:
            faults.append(f"order {order.client_id} has no group")
    return faults


def _group_faults(books: Books, group: Group) -> list[str]:
    faults = []
    entered: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    realised, closed, fees = ZERO, ZERO, ZERO
    for fill in books.fills_of(group.id):
        order = books.orders[fill.client_id]
        realised += fill.realised
        fees += fill.fee_quote
        if order.role is Role.ENTRY:
            entered[order.pyramid or 0, order.leg or 0] += fill.qty
        else:
            closed += fill.qty
    for ref, leg in group.legs():
        if leg.entered_qty != entered[ref]:
            faults.append(f"{group.id}: leg {ref} has {leg.entered_qty}, its fills {entered[ref]}")
        if leg.net_qty < 0:
            faults.append(f"{group.id}: leg {ref} holds {leg.net_qty}")
    if sum((leg.closed_qty for _, leg in group.legs()), ZERO) != closed:
        faults.append(f"{group.id}: its legs have closed another quantity than its fills, {closed}")
    if abs(pnl.realised(group) - realised) > LAST_DIGITS:
        faults.append(f"{group.id}: realised {pnl.realised(group)}, its fills {realised}")
    if abs(pnl.fees(group) - fees) > LAST_DIGITS:
        faults.append(f"{group.id}: fees {pnl.fees(group)}, its fills {fees}")
    working = [one for one in books.orders.values() if one.group_id == group.id and one.is_working]
    if group.status is GroupStatus.CLOSED and working:
        faults.append(f"{group.id} is closed and has {len(working)} working orders")
    targets = Counter(ref for one in working if one.role is Role.TP and not one.cancel_requested for ref in one.covers)
    faults += [f"{group.id}: leg {ref} has {count} targets" for ref, count in targets.items() if count > 1]
    return faults


def _balance_faults(books: Books) -> list[str]:
    moved: dict[Key, Decimal] = defaultdict(Decimal)
    for fill in books.fills:
        order, group = books.orders[fill.client_id], books.groups[fill.group_id]
        sign = 1 if order.side is OrderSide.BUY else -1
        if group.market_type is MarketType.SPOT:
            moved[fill.account, group.base] += sign * fill.qty
            moved[fill.account, group.quote] -= sign * fill.qty * fill.price
            moved[fill.account, fill.fee_currency] -= fill.fee
    spot = {group.key.account for group in books.groups.values() if group.market_type is MarketType.SPOT}
    keys = {key for key in (*moved, *books.moved) if key[0] in spot}
    return [
        f"balance {key} has moved by {books.moved.get(key, ZERO)}, its fills by {moved[key]}"
        for key in sorted(keys)
        if books.moved.get(key, ZERO) != moved[key]
    ]


def _slot_faults(books: Books, slots: int | None) -> list[str]:
    if slots is None:
        return []
    moments = []
    for group in books.groups.values():
        if group.forced:
            continue
        moments.append((group.opened_at_ms, 1))
        if group.closed_at_ms is not None:
            moments.append((group.closed_at_ms, 0))
    taken, most = 0, 0
    for _, opens in sorted(moments):  # at one moment a slot is freed before it is taken
        taken += 1 if opens else -1
        most = max(most, taken)
    return [f"{most} groups were open at once, {slots} may be"] if most > slots else []
