"""The tables of SPEC §12: their columns, their rows from the domain's values, and how a cell is written."""

import csv
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import TextIO

from exengine.domain import pnl
from exengine.domain.group import Group
from exengine.domain.instrument import Instrument
from exengine.domain.money import ZERO, plain
from exengine.domain.order import Fill, Order
from exengine.domain.reception import SignalRecord
from exengine.domain.state import OffsetPlan, QueueEvent

Cell = str | int | bool | Decimal | None
Row = tuple[Cell, ...]

TRADES = ("group", "account", "symbol", "timeframe", "side", "status", "reason", "pyramids", "opened_at", "closed_at",
          "avg_entry", "qty_open", "realised_pnl", "unrealised_pnl", "fees", "dust")  # fmt: skip
ORDERS = ("client_id", "group", "pyramid", "leg", "role", "side", "type", "price", "qty", "status", "filled",
          "average", "created_at", "closed_at")  # fmt: skip
FILLS = ("at", "client_id", "price", "qty", "fee", "fee_currency", "liquidity")
SIGNALS = ("at", "outcome", "reason", "group")
RISK = ("at", "loser", "required", "winner", "take", "qty", "realised")
QUEUE = ("at", "key", "side", "event", "reason", "queued_at", "replacement_count", "price", "forced")
EQUITY = ("at", "realised", "total")


def trade_row(group: Group, instrument: Instrument | None, last: Decimal | None) -> Row:
    """A group's row of groups.csv; without a last price what is held cannot be valued. Within `money.arithmetic`."""
    held, dust = group.net_qty, _dust(group, instrument)
    unrealised: Decimal | None = ZERO
    if held:
        unrealised = None if last is None else pnl.unrealised(group, last)
    return (
        group.id,
        group.key.account,
        group.key.symbol,
        group.key.timeframe,
        group.side.value,
        group.status.value,
        group.reason.value if group.reason else None,
        len(group.pyramids),
        group.opened_at_ms,
        group.closed_at_ms,
        pnl.group_avg_entry(group),
        held - dust,
        pnl.realised(group),
        unrealised,
        pnl.fees(group),
        dust,
    )


def _dust(group: Group, instrument: Instrument | None) -> Decimal:
    """What no sale by the step can take: of an open group what is over the step, of a closed one all that is left."""
    held = group.net_qty
    if not group.is_open:
        return held
    return ZERO if instrument is None else max(held - instrument.qty_floor(held), ZERO)


def order_row(order: Order) -> Row:
    return (
        order.client_id,
        order.group_id,
        order.pyramid,
        order.leg,
        order.role.value,
        order.side.value,
        order.type.value,
        order.price,
        order.qty,
        order.status.value,
        order.filled_qty,
        order.average_price,
        order.created_at_ms,
        order.closed_at_ms,
    )


def fill_row(fill: Fill) -> Row:
    return (fill.at_ms, fill.client_id, fill.price, fill.qty, fill.fee, fill.fee_currency, fill.liquidity.value)


def signal_row(record: SignalRecord) -> Row:
    outcome = record.outcome.value if record.outcome else None
    return (record.received_at_ms, outcome, record.reason, record.group)


def queue_row(event: QueueEvent) -> Row:
    return (
        event.at_ms,
        event.key,
        event.side.value,
        event.event,
        event.reason,
        event.queued_at_ms,
        event.replacement_count,
        event.price,
        event.forced,
    )


def offset_rows(plan: OffsetPlan) -> Iterator[Row]:
    for line in plan.lines:
        yield (plan.at_ms, plan.loser_id, plan.required, line.group_id, line.take, line.qty, line.realised)


def text_of(cell: Cell) -> str:
    """A cell as a file has it: decimals plainly, nothing for None."""
    if isinstance(cell, Decimal):
        return plain(cell)
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return str(cell)


def write_csv(file: TextIO, columns: tuple[str, ...], rows: Iterable[Row]) -> int:
    """Writes a table with its header; how many rows. Call it within `money.arithmetic`."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    count = 0
    for row in rows:
        writer.writerow(map(text_of, row))
        count += 1
    return count
