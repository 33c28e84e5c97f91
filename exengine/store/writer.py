"""Writes one unit of work over an open transaction: what was there of the same key is replaced, lists are added."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, func, insert, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert, Update

from exengine.domain.group import Group, GroupKey
from exengine.domain.instrument import Instrument, Side
from exengine.domain.journal import Note
from exengine.domain.order import LegRef, Order
from exengine.domain.reception import Outcome, SignalRecord
from exengine.domain.signal import Signal
from exengine.domain.state import AppliedFill, Control, Ledger, OffsetPlan, QueueEvent, Waiting
from exengine.engine.changes import Changes, Trace
from exengine.store import codec, schema
from exengine.store.prepared import write_rows
from exengine.store.result_rows import equity_row, result_rows

Row = dict[str, Any]


def write(connection: Connection, changes: Changes) -> None:
    """Writes all of `changes`. Whatever it raises, the caller's transaction has to be taken back."""
    _upsert(connection, schema.groups, ("id",), map(_group_row, changes.groups.values()))
    _upsert(connection, schema.orders, ("client_id",), map(_order_row, changes.orders.values()))
    _add_once(connection, schema.fills, map(_fill_row, changes.fills))
    _write_signals(connection, changes)
    _write_traces(connection, changes.traces)
    _upsert(connection, schema.results, ("group_id",), result_rows(connection, changes.groups.values()))
    _write_queue(connection, changes.waiting)
    _add(connection, schema.queue_events, map(_queue_event_row, changes.queue_events))
    _upsert(connection, schema.notes, ("id",), (_note_row(number, note) for number, note in changes.notes))
    _upsert(
        connection,
        schema.balances,
        ("account", "currency"),
        ({"account": key[0], "currency": key[1], "moved": amount} for key, amount in changes.moved.items()),
    )
    for account, instruments in changes.instruments.items():
        _write_instruments(connection, account, instruments)
    if changes.control is not None:
        put_meta(connection, "control", codec.to_text(Control, changes.control))
    if changes.ledger is not None:
        put_meta(connection, "ledger", codec.to_text(Ledger, changes.ledger))
    if changes.plan_changed:
        _write_plan(connection, changes.plan)
    _add(connection, schema.offsets, (row for plan in changes.offsets for row in _offset_rows(plan)))
    _add(connection, schema.equity, map(equity_row, changes.equity))
    if changes.market_clock_ms is not None:
        put_meta(connection, "market_clock_ms", str(changes.market_clock_ms))


def put_meta(connection: Connection, key: str, value: str) -> None:
    """Writes a single value."""
    _upsert(connection, schema.meta, ("key",), [{"key": key, "value": value}])


# statements ---------------------------------------------------------------------------------------------------------


def _insert(table: Table, dialect: str) -> Any:
    """The dialect's own INSERT, which knows ON CONFLICT: the only thing here that differs between databases."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def _upsert_statement(table: Table, key: tuple[str, ...], changing: tuple[str, ...] | None, dialect: str) -> Insert:
    statement = _insert(table, dialect)
    names = changing or tuple(c.name for c in table.columns if c.name not in (*key, "seq"))
    return statement.on_conflict_do_update(index_elements=key, set_={name: statement.excluded[name] for name in names})


def _upsert(
    connection: Connection,
    table: Table,
    key: tuple[str, ...],
    rows: Iterable[Row],
    changing: tuple[str, ...] | None = None,
) -> None:
    """Inserts rows; of those that are there already, `changing` is replaced, or everything but the key."""
    many = list(rows)
    if many:
        of = ("upsert", table.name, changing)
        write_rows(connection, of, lambda dialect: _upsert_statement(table, key, changing, dialect), many)


def _add(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    many = list(rows)
    if many:
        write_rows(connection, ("add", table.name), lambda _: insert(table), many)


def _add_once(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    """Inserts rows; those that a unique key knows already stay as they are."""
    many = list(rows)
    if many:
        of = ("once", table.name)
        write_rows(connection, of, lambda dialect: _insert(table, dialect).on_conflict_do_nothing(), many)


def _trace_statement() -> Update:
    """A trace never overwrites an earlier time: after a restart the engine no longer knows the first."""
    columns = schema.signals.c
    return (
        update(schema.signals)
        .where(columns.id == bindparam("of"))
        .values(
            sent_at_ms=func.coalesce(columns.sent_at_ms, bindparam("sent")),
            acknowledged_at_ms=func.coalesce(columns.acknowledged_at_ms, bindparam("acknowledged")),
            filled_at_ms=func.coalesce(columns.filled_at_ms, bindparam("filled")),
        )
    )


def _write_traces(connection: Connection, traces: dict[int, Trace]) -> None:
    rows = [
        {
            "of": signal_id,
            "sent": trace.sent_at_ms,
            "acknowledged": trace.acknowledged_at_ms,
            "filled": trace.filled_at_ms,
        }
        for signal_id, trace in traces.items()
    ]
    if rows:
        write_rows(connection, ("traces",), lambda _: _trace_statement(), rows)


def _write_queue(connection: Connection, waiting: dict[tuple[GroupKey, Side], Waiting | None]) -> None:
    key = ("account", "symbol", "timeframe", "side")
    gone = [_queue_key(*place) for place, one in waiting.items() if one is None]
    if gone:
        columns = schema.queue.c
        connection.execute(
            delete(schema.queue).where(*(columns[name] == bindparam(f"of_{name}") for name in key)), gone
        )
    _upsert(connection, schema.queue, key, (_waiting_row(one) for one in waiting.values() if one is not None))


def _write_instruments(connection: Connection, account: str, instruments: tuple[Instrument, ...]) -> None:
    connection.execute(delete(schema.instruments).where(schema.instruments.c.account == account))
    _add(
        connection,
        schema.instruments,
        (
            {
                "account": account,
                "position": position,
                "symbol": instrument.symbol,
                "document": codec.to_text(Instrument, instrument),
            }
            for position, instrument in enumerate(instruments)
        ),
    )


# rows ---------------------------------------------------------------------------------------------------------------


def _group_row(group: Group) -> Row:
    return {
        "id": group.id,
        "account": group.key.account,
        "symbol": group.key.symbol,
        "timeframe": group.key.timeframe,
        "number": int(group.id.rpartition("#")[2]),
        "side": group.side,
        "quote": group.quote,
        "status": group.status,
        "reason": group.reason,
        "opened_at_ms": group.opened_at_ms,
        "first_fill_at_ms": group.first_fill_at_ms,
        "closed_at_ms": group.closed_at_ms,
        "document": codec.to_text(Group, group),
    }


_ORDER_COLUMNS = tuple(
    column.name for column in schema.orders.columns if column.name not in ("seq", "covers", "takes", "trade_ids")
)


_COVERS, _TAKES, _TRADE_IDS = tuple[LegRef, ...], tuple[Decimal, ...], tuple[str, ...]


def _order_row(order: Order) -> Row:
    row = {name: getattr(order, name) for name in _ORDER_COLUMNS}
    row["covers"] = codec.to_text(_COVERS, order.covers) if order.covers else "[]"
    row["takes"] = codec.to_text(_TAKES, order.takes) if order.takes else "[]"
    row["trade_ids"] = codec.to_text(_TRADE_IDS, order.trade_ids) if order.trade_ids else "[]"
    return row


def _fill_row(applied: AppliedFill) -> Row:
    fill = applied.fill
    return {
        "account": applied.order.account,
        "trade_id": fill.trade_id,
        "client_id": fill.client_id,
        "group_id": applied.order.group_id,
        "at_ms": fill.at_ms,
        "price": fill.price,
        "qty": fill.qty,
        "fee": fill.fee,
        "fee_currency": fill.fee_currency,
        "liquidity": fill.liquidity,
        "fee_quote": applied.fee_quote,
        "realised": applied.realised,
    }


_SIGNAL_CHANGES = ("account", "symbol", "outcome", "reason", "group_id", "stored_at_ms", "decided_at_ms")
"""What may change of a signal once it is stored; what came in stays as it came."""


def _write_signals(connection: Connection, changes: Changes) -> None:
    before = changes.stored_before
    new = (_signal_row(record) for number, record in changes.signals.items() if number not in before)
    _upsert(connection, schema.signals, ("id",), new, _SIGNAL_CHANGES)
    decided = [_decided_row(record) for number, record in changes.signals.items() if number in before]
    if decided:
        write_rows(connection, ("decided",), lambda _: _decided_statement(), decided)


def _decided_statement() -> Update:
    columns = schema.signals.c
    changed = {name: bindparam(f"new_{name}", type_=columns[name].type) for name in _SIGNAL_CHANGES}
    return update(schema.signals).where(columns.id == bindparam("of")).values(changed)


def _decided_row(record: SignalRecord) -> Row:
    return {
        "of": record.id,
        "new_account": record.account,
        "new_symbol": record.symbol,
        "new_outcome": record.outcome,
        "new_reason": record.reason,
        "new_group_id": record.group,
        "new_stored_at_ms": record.stored_at_ms,
        "new_decided_at_ms": record.decided_at_ms,
    }


def _signal_row(record: SignalRecord) -> Row:
    signal = record.signal
    return {
        "id": record.id,
        "received_at_ms": record.received_at_ms,
        "source_address": record.source_address,
        "body": record.body,
        "digest": signal.digest if signal else None,
        "stamped": signal is not None and signal.timestamp_ms is not None,
        "counts": _counts(record),
        "account": record.account,
        "symbol": record.symbol,
        "timeframe": signal.timeframe if signal else None,
        "document": codec.to_text(Signal, signal) if signal else None,
        "outcome": record.outcome,
        "reason": record.reason,
        "group_id": record.group,
        "stored_at_ms": record.stored_at_ms,
        "decided_at_ms": record.decided_at_ms,
        "replay_of": record.replay_of,
    }


def _counts(record: SignalRecord) -> bool:
    """Whether it was a valid one at the door, and no resend: later ones of its digest are resends of it (§2.3)."""
    routed = record.signal is not None and record.account is not None and record.replay_of is None
    return routed and record.outcome not in (Outcome.INVALID, Outcome.DUPLICATE)


def _queue_key(key: GroupKey, side: Side) -> Row:
    return {"of_account": key.account, "of_symbol": key.symbol, "of_timeframe": key.timeframe, "of_side": side}


def _waiting_row(waiting: Waiting) -> Row:
    return {
        "account": waiting.key.account,
        "symbol": waiting.key.symbol,
        "timeframe": waiting.key.timeframe,
        "side": waiting.side,
        "signal_id": waiting.signal_id,
        "queued_at_ms": waiting.queued_at_ms,
        "replacement_count": waiting.replacement_count,
        "reason": waiting.reason,
        "document": codec.to_text(Waiting, waiting),
    }


def _queue_event_row(event: QueueEvent) -> Row:
    return {name: getattr(event, name) for name in _QUEUE_EVENT_COLUMNS}


_QUEUE_EVENT_COLUMNS = tuple(column.name for column in schema.queue_events.columns if column.name != "seq")


def _write_plan(connection: Connection, plan: OffsetPlan | None) -> None:
    if plan is None:
        connection.execute(delete(schema.meta).where(schema.meta.c.key == "plan"))
    else:
        put_meta(connection, "plan", codec.to_text(OffsetPlan, plan))


def _offset_rows(plan: OffsetPlan) -> Iterable[Row]:
    for line in plan.lines:
        yield {
            "at_ms": plan.at_ms,
            "loser": plan.loser_id,
            "required": plan.required,
            "winner": line.group_id,
            "take": line.take,
            "qty": line.qty,
            "realised": line.realised,
        }


def _note_row(number: int, note: Note) -> Row:
    return {
        "id": number,
        "at_ms": note.at_ms,
        "severity": note.severity,
        "category": note.category,
        "symbol": note.symbol,
        "timeframe": note.timeframe,
        "group_id": note.group,
        "text": note.text,
        "advice": note.advice,
        "signal_id": note.signal_id,
        "cause": note.cause,
        "topic": note.topic,
    }
