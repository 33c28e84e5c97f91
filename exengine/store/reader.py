"""Reads over an open connection what a start, the window and the dashboard need; every function is one snapshot."""

from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, func, select

from exengine.domain.group import Group, GroupKey, GroupStatus
from exengine.domain.instrument import Instrument
from exengine.domain.money import ZERO, arithmetic
from exengine.domain.order import LegRef, Order
from exengine.domain.reception import SignalRecord
from exengine.domain.signal import Signal
from exengine.domain.state import Control, Ledger, OffsetPlan, Seen, Waiting
from exengine.engine.changes import Loaded, Trace
from exengine.engine.panel_rows import OffsetRow
from exengine.engine.row_builder import signal_row
from exengine.engine.rows import LogRow, SignalRow
from exengine.store import codec, schema

_LINES_AT_MOST = 10
"""Winners of one offset, as `risk.max_winners` allows them or more."""

_DAY_MS = 24 * 3600 * 1000


def load(connection: Connection) -> Loaded:
    """What a start finds."""
    meta = {row.key: row.value for row in connection.execute(select(schema.meta))}
    clock = meta.get("market_clock_ms")
    return Loaded(
        instance=meta["instance"],
        groups=_open_groups(connection),
        orders=_open_orders(connection),
        numbers=_numbers(connection),
        waiting=_waiting(connection),
        pending=_pending(connection),
        seen=_seen(connection),
        next_signal_id=_next_id(connection, schema.signals.c.id),
        next_log_id=_next_id(connection, schema.notes.c.id),
        control=codec.from_text(Control, meta["control"]) if "control" in meta else Control(),
        ledger=codec.from_text(Ledger, meta["ledger"]) if "ledger" in meta else Ledger(),
        plan=codec.from_text(OffsetPlan, meta["plan"]) if "plan" in meta else None,
        moved={(row.account, row.currency): row.moved for row in connection.execute(select(schema.balances))},
        instruments=instruments(connection),
        market_clock_ms=None if clock is None else int(clock),
    )


def instruments(connection: Connection) -> dict[str, tuple[Instrument, ...]]:
    """The rules cache of every account."""
    columns = schema.instruments.c
    found: dict[str, list[Instrument]] = {}
    rows = connection.execute(select(columns.account, columns.document).order_by(columns.account, columns.position))
    for account, document in rows:
        found.setdefault(account, []).append(codec.from_text(Instrument, document))
    return {account: tuple(rules) for account, rules in found.items()}


def closed_groups(connection: Connection) -> int:
    """How many groups have closed."""
    closed = schema.groups.c.status == GroupStatus.CLOSED
    return connection.scalar(select(func.count()).select_from(schema.groups).where(closed)) or 0


def realised(connection: Connection, *, since_ms: int | None = None) -> dict[str, Decimal]:
    """Realised PnL by quote currency, of the fills at or after `since_ms`. Summed here: SQL would sum floats."""
    fills, groups = schema.fills.c, schema.groups.c
    wanted = (
        select(groups.quote, fills.realised)
        .join_from(schema.fills, schema.groups, fills.group_id == groups.id)
        .where(fills.realised != ZERO)
    )
    if since_ms is not None:
        wanted = wanted.where(fills.at_ms >= since_ms)
    found: dict[str, Decimal] = {}
    with arithmetic():
        for quote, amount in connection.execute(wanted):
            found[quote] = found.get(quote, ZERO) + amount
    return found


def last_signals(connection: Connection, count: int) -> tuple[SignalRow, ...]:
    """The last `count` signals, oldest first, as the window shows them."""
    rows = connection.execute(select(schema.signals).order_by(schema.signals.c.id.desc()).limit(count)).all()
    return tuple(
        signal_row(
            _record(row, _signal(row)),
            Trace(sent_at_ms=row.sent_at_ms, acknowledged_at_ms=row.acknowledged_at_ms, filled_at_ms=row.filled_at_ms),
        )
        for row in reversed(rows)
    )


def signal_body(connection: Connection, signal_id: int) -> str | None:
    """A stored signal's text; None where there is no such signal."""
    columns = schema.signals.c
    return connection.scalar(select(columns.body).where(columns.id == signal_id))


def bodies(connection: Connection, since_ms: int | None, until_ms: int | None) -> tuple[tuple[int, str], ...]:
    """When they came and the text of the signals that were proven to be the trader's, oldest first.

    What the trader had replayed is left out: its original is among them.
    """
    columns = schema.signals.c
    wanted = select(columns.received_at_ms, columns.body).where(columns.body != "", columns.replay_of.is_(None))
    if since_ms is not None:
        wanted = wanted.where(columns.received_at_ms >= since_ms)
    if until_ms is not None:
        wanted = wanted.where(columns.received_at_ms < until_ms)
    return tuple((row.received_at_ms, row.body) for row in connection.execute(wanted.order_by(columns.id)))


def signals_there(connection: Connection) -> tuple[int, int | None, int | None]:
    """How many of those there are, and when the first and the last of them came."""
    columns = schema.signals.c
    at = columns.received_at_ms
    wanted = select(func.count(), func.min(at), func.max(at)).where(columns.body != "", columns.replay_of.is_(None))
    count, first_ms, last_ms = connection.execute(wanted).one()
    return count, first_ms, last_ms


def last_log(connection: Connection, count: int) -> tuple[LogRow, ...]:
    """The last `count` lines of the audit trail, oldest first."""
    rows = connection.execute(select(schema.notes).order_by(schema.notes.c.id.desc()).limit(count)).all()
    return tuple(log_row_of(row) for row in reversed(rows))


def log_row_of(row: Any) -> LogRow:
    """A row of the audit trail's table as the window shows it."""
    return LogRow(
        id=row.id,
        at_ms=row.at_ms,
        severity=row.severity,
        category=row.category,
        text=row.text,
        symbol=row.symbol,
        timeframe=row.timeframe,
        group=row.group_id,
        advice=row.advice,
        signal_id=row.signal_id,
        cause=row.cause,
        topic=row.topic,
    )


def last_offsets(connection: Connection, count: int) -> tuple[OffsetRow, ...]:
    """The last `count` offsets of the risk engine, oldest first."""
    columns = schema.offsets.c
    latest = select(columns.seq).order_by(columns.seq.desc()).limit(count * _LINES_AT_MOST).subquery()
    rows = connection.execute(select(schema.offsets).where(columns.seq.in_(select(latest.c.seq))).order_by(columns.seq))
    found: dict[tuple[int, str], OffsetRow] = {}
    with arithmetic():
        for row in rows:
            key = (row.at_ms, row.loser)
            before = found.pop(key, None)
            found[key] = OffsetRow(
                id=row.seq,
                at_ms=row.at_ms,
                loser=row.loser,
                required=row.required,
                winners=(*(before.winners if before else ()), row.winner),
                realised=(before.realised if before else ZERO) + row.realised,
            )
    return tuple(found.values())[-count:]


def order_of(row: RowMapping) -> Order:
    """The order that a row of `orders` keeps."""
    values: dict[str, Any] = {name: row[name] for name in row if name != "seq"}
    values["covers"] = codec.from_text(tuple[LegRef, ...], row["covers"])
    values["takes"] = codec.from_text(tuple[Decimal, ...], row["takes"])
    values["trade_ids"] = codec.from_text(tuple[str, ...], row["trade_ids"])
    return Order(**values)


def _open_groups(connection: Connection) -> tuple[Group, ...]:
    columns = schema.groups.c
    documents = connection.scalars(select(columns.document).where(schema.is_open).order_by(columns.seq))
    return tuple(codec.from_text(Group, document) for document in documents)


def _open_orders(connection: Connection) -> tuple[Order, ...]:
    orders, still_open = schema.orders.c, select(schema.groups.c.id).where(schema.is_open)
    wanted = select(schema.orders).where(orders.group_id.in_(still_open)).order_by(orders.seq)
    return tuple(order_of(row) for row in connection.execute(wanted).mappings())


def _numbers(connection: Connection) -> dict[GroupKey, int]:
    columns = schema.groups.c
    key = (columns.account, columns.symbol, columns.timeframe)
    rows = connection.execute(select(*key, func.max(columns.number)).group_by(*key))
    return {GroupKey(account, symbol, timeframe): number for account, symbol, timeframe, number in rows}


def _waiting(connection: Connection) -> tuple[Waiting, ...]:
    columns = schema.queue.c
    documents = connection.scalars(select(columns.document).order_by(columns.queued_at_ms, columns.signal_id))
    return tuple(codec.from_text(Waiting, document) for document in documents)


def _pending(connection: Connection) -> tuple[SignalRecord, ...]:
    columns = schema.signals.c
    rows = connection.execute(select(schema.signals).where(columns.outcome.is_(None)).order_by(columns.id))
    return tuple(_record(row, None) for row in rows)


def _seen(connection: Connection) -> dict[str, Seen]:
    """The valid signals of the 24 hours before the last one, by digest; of several that were each traded, the last.

    A resend is never among them, so a digest's row is the one that began its window.
    """
    columns = schema.signals.c
    last = connection.scalar(select(columns.received_at_ms).order_by(columns.id.desc()).limit(1))
    if last is None:
        return {}
    rows = connection.execute(
        select(columns.digest, columns.received_at_ms, columns.id, columns.stamped).where(
            columns.received_at_ms > last - _DAY_MS, columns.counts
        )
    )
    # Put in order here: asked for in that order, SQLite would look through all signals that ever were.
    in_order = sorted(rows, key=lambda row: row.id)
    return {row.digest: Seen(at_ms=row.received_at_ms, signal_id=row.id, stamped=row.stamped) for row in in_order}


def _next_id(connection: Connection, column: Any) -> int:
    return (connection.scalar(select(func.max(column))) or 0) + 1


def _signal(row: Row[Any]) -> Signal | None:
    return None if row.document is None else codec.from_text(Signal, row.document)


def _record(row: Row[Any], signal: Signal | None) -> SignalRecord:
    return SignalRecord(
        id=row.id,
        received_at_ms=row.received_at_ms,
        source_address=row.source_address,
        body=row.body,
        signal=signal,
        account=row.account,
        symbol=row.symbol,
        outcome=row.outcome,
        reason=row.reason,
        group=row.group_id,
        stored_at_ms=row.stored_at_ms,
        decided_at_ms=row.decided_at_ms,
        replay_of=row.replay_of,
    )
