"""The store's history as tables, in the columns of the replay files (SPEC §12)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from sqlalchemy import Connection, select

from exengine.domain.group import Group
from exengine.domain.settings import PyramidPlan
from exengine.engine import tables
from exengine.engine.tables import Cell as Cell
from exengine.engine.tables import Row
from exengine.store import codec, reader, schema
from exengine.store.equity import equity_rows
from exengine.store.streaming import streamed
from exengine.store.trail import Span, trail

Symbol = tuple[str, str]
"""(account, unified symbol)"""

COLUMNS = {
    "trades": tables.TRADES,
    "orders": tables.ORDERS,
    "fills": tables.FILLS,
    "signals": (*tables.SIGNALS, "signal_id"),
    "risk": tables.RISK,
    "queue": tables.QUEUE,
    "equity": tables.EQUITY,
    "logs": (
        "at",
        "severity",
        "category",
        "symbol",
        "timeframe",
        "group",
        "text",
        "advice",
        "signal_id",
        "kind",
        "cause",
        "client_id",
    ),
}
"""What can be exported, and its columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the store does not keep and a table may still want, and of which time its rows are to be."""

    start_equity: Decimal | None = None
    """The accounts' capital at their start, in dollars."""
    last: Mapping[Symbol, Decimal] = field(default_factory=dict)
    """The last prices."""
    since_ms: int | None = None
    """Rows at this time and later; None = from the first on."""
    until_ms: int | None = None
    """Rows before this time; None = to the last."""


_TIMES = {"trades": tables.TRADES.index("opened_at"), "orders": tables.ORDERS.index("created_at")}
"""Where a table's rows have their time, if it is not the first column."""


def rows(connection: Connection, what: str, known: Known) -> Iterator[Row]:
    """The rows of a table of `COLUMNS`, oldest first, of the time that is wanted: a trade's is when it was opened.

    Iterate within `money.arithmetic` and one transaction.
    """
    place = _TIMES.get(what, 0)
    since, until = known.since_ms or 0, known.until_ms
    for row in _whole(connection, what, known):
        at_ms = row[place]
        if not isinstance(at_ms, int) or (at_ms >= since and (until is None or at_ms < until)):
            yield row


def _whole(connection: Connection, what: str, known: Known) -> Iterator[Row]:
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
            return _logs(connection, known)
        case _:
            raise ValueError(f"no table {what!r}")


@dataclass(frozen=True, kw_only=True)
class _Traded(Group):
    """A stored group without its plans: half of its document, and nothing of them is in a trade's row."""

    plans: tuple[PyramidPlan, ...] = field(init=False, default=())


def _trades(connection: Connection, last: Mapping[Symbol, Decimal]) -> Iterator[Row]:
    rules = {
        (account, instrument.symbol): instrument
        for account, listed in reader.instruments(connection).items()
        for instrument in listed
    }
    columns = schema.groups.c
    for row in streamed(connection, select(columns.document).order_by(columns.seq)):
        group = codec.from_text(_Traded, row.document)
        symbol = (group.key.account, group.key.symbol)
        yield tables.trade_row(group, rules.get(symbol), last.get(symbol))


def _orders(connection: Connection) -> Iterator[Row]:
    for row in streamed(connection, select(schema.orders).order_by(schema.orders.c.seq)):
        yield tables.order_row(reader.order_of(row._mapping))


def _fills(connection: Connection) -> Iterator[Row]:
    columns = schema.fills.c
    for row in streamed(connection, select(schema.fills).order_by(columns.at_ms, columns.seq)):
        yield row.at_ms, row.client_id, row.price, row.qty, row.fee, row.fee_currency, row.liquidity.value


def _signals(connection: Connection) -> Iterator[Row]:
    columns = schema.signals.c
    wanted = select(columns.received_at_ms, columns.outcome, columns.reason, columns.group_id, columns.id)
    for row in streamed(connection, wanted.order_by(columns.id)):
        yield row.received_at_ms, row.outcome.value if row.outcome else None, row.reason, row.group_id, row.id


def _queue(connection: Connection) -> Iterator[Row]:
    for row in streamed(connection, select(schema.queue_events).order_by(schema.queue_events.c.seq)):
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


def _offsets(connection: Connection) -> Iterator[Row]:
    for row in streamed(connection, select(schema.offsets).order_by(schema.offsets.c.seq)):
        yield (row.at_ms, row.loser, row.required, row.winner, row.take, row.qty, row.realised)


def _logs(connection: Connection, known: Known) -> Iterator[Row]:
    for row in trail(connection, Span(since_ms=known.since_ms, until_ms=known.until_ms)):
        yield (
            row.at_ms,
            row.severity.value,
            row.category.value,
            row.symbol,
            row.timeframe,
            row.group,
            row.text,
            row.advice,
            row.signal_id,
            row.kind.value,
            row.cause,
            row.client_id,
        )
