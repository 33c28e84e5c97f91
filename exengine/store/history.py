"""The store's history as tables, in the columns of the replay files (SPEC §12)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Select, select

from exengine.domain import pnl
from exengine.domain.group import Group
from exengine.domain.instrument import Instrument
from exengine.domain.money import ZERO
from exengine.store import codec, reader, schema
from exengine.store.equity import equity_rows

Cell = str | int | bool | Decimal | None
Symbol = tuple[str, str]
"""(account, unified symbol)"""

COLUMNS = {
    "trades": (
        "group", "account", "symbol", "timeframe", "side", "status", "reason", "pyramids", "opened_at", "closed_at",
        "avg_entry", "qty_open", "realised_pnl", "unrealised_pnl", "fees", "dust",
    ),
    "orders": (
        "client_id", "group", "pyramid", "leg", "role", "side", "type", "price", "qty", "status", "filled", "average",
        "created_at", "closed_at",
    ),
    "fills": ("at", "client_id", "price", "qty", "fee", "fee_currency", "liquidity"),
    "signals": ("at", "outcome", "reason", "group", "signal_id"),
    "risk": ("at", "loser", "required", "winner", "take", "qty", "realised"),
    "queue": ("at", "key", "side", "event", "reason", "queued_at", "replacement_count", "price", "forced"),
    "equity": ("at", "realised", "total"),
    "logs": ("at", "severity", "category", "symbol", "timeframe", "group", "text", "advice", "signal_id"),
}  # fmt: skip
"""What can be exported, and its columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the store does not keep and a table may still want."""

    start_equity: Decimal | None = None
    """The accounts' capital at their start, in dollars."""
    last: Mapping[Symbol, Decimal] = field(default_factory=dict)
    """The last prices."""


def rows(connection: Connection, what: str, known: Known) -> Iterator[tuple[Cell, ...]]:
    """The rows of a table of `COLUMNS`, oldest first. Iterate within `money.arithmetic` and one transaction."""
    match what:
        case "trades":
            return _trades(connection, known.last)
        case "orders":
            return _orders(connection)
        case "fills":
            return _fills(connection)
        case "signals":
            return _signals(connection)
        case "risk":
            return _offsets(connection)
        case "queue":
            return _queue(connection)
        case "equity":
            return equity_rows(connection, known.start_equity)
        case "logs":
            return _logs(connection)
        case _:
            raise ValueError(f"no table {what!r}")


def _each(connection: Connection, statement: Select[Any]) -> Iterator[Any]:
    """Row by row, so that a long history does not have to fit into memory."""
    return iter(connection.execute(statement.execution_options(yield_per=500)))


def _trades(connection: Connection, last: Mapping[Symbol, Decimal]) -> Iterator[tuple[Cell, ...]]:
    rules = {
        (account, instrument.symbol): instrument
        for account, listed in reader.instruments(connection).items()
        for instrument in listed
    }
    columns = schema.groups.c
    for row in _each(connection, select(columns.document).order_by(columns.seq)):
        group = codec.from_text(Group, row.document)
        symbol = (group.key.account, group.key.symbol)
        yield trade_row(group, rules.get(symbol), last.get(symbol))


def trade_row(group: Group, instrument: Instrument | None, last: Decimal | None) -> tuple[Cell, ...]:
    """A group's row of groups.csv. Call it within `money.arithmetic`."""
    held = group.net_qty
    dust = _dust(group, instrument)
    if not held:
        unrealised: Decimal | None = ZERO
    else:
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


def _orders(connection: Connection) -> Iterator[tuple[Cell, ...]]:
    for row in _each(connection, select(schema.orders).order_by(schema.orders.c.seq)):
        yield (
            row.client_id,
            row.group_id,
            row.pyramid,
            row.leg,
            row.role.value,
            row.side.value,
            row.type.value,
            row.price,
            row.qty,
            row.status.value,
            row.filled_qty,
            row.filled_value / row.filled_qty if row.filled_qty else None,
            row.created_at_ms,
            row.closed_at_ms,
        )


def _fills(connection: Connection) -> Iterator[tuple[Cell, ...]]:
    columns = schema.fills.c
    for row in _each(connection, select(schema.fills).order_by(columns.at_ms, columns.seq)):
        yield row.at_ms, row.client_id, row.price, row.qty, row.fee, row.fee_currency, row.liquidity.value


def _signals(connection: Connection) -> Iterator[tuple[Cell, ...]]:
    columns = schema.signals.c
    wanted = select(columns.received_at_ms, columns.outcome, columns.reason, columns.group_id, columns.id)
    for row in _each(connection, wanted.order_by(columns.id)):
        yield row.received_at_ms, row.outcome.value if row.outcome else None, row.reason, row.group_id, row.id


def _queue(connection: Connection) -> Iterator[tuple[Cell, ...]]:
    for row in _each(connection, select(schema.queue_events).order_by(schema.queue_events.c.seq)):
        yield (
            row.at_ms,
            row.key,
            row.side.value,
            row.event,
            row.reason,
            row.queued_at_ms,
            row.replacement_count,
            row.price,
            row.forced,
        )


def _offsets(connection: Connection) -> Iterator[tuple[Cell, ...]]:
    for row in _each(connection, select(schema.offsets).order_by(schema.offsets.c.seq)):
        yield (row.at_ms, row.loser, row.required, row.winner, row.take, row.qty, row.realised)


def _logs(connection: Connection) -> Iterator[tuple[Cell, ...]]:
    for row in _each(connection, select(schema.notes).order_by(schema.notes.c.id)):
        yield (
            row.at_ms,
            row.severity.value,
            row.category.value,
            row.symbol,
            row.timeframe,
            row.group_id,
            row.text,
            row.advice,
            row.signal_id,
        )
