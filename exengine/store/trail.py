"""The audit trail as one table: signals, decisions, the queue, offsets, orders, answers, fills and lines, by time.

Nothing of it is written twice: each row is read from the table that it belongs to, and put into words here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    Text,
    and_,
    cast,
    literal,
    null,
    or_,
    select,
    type_coerce,
    union_all,
)

from exengine.domain.cause import of_offset, signal_of
from exengine.domain.journal import Category, Severity, Topic
from exengine.domain.money import plain
from exengine.engine.past import TrailKind, TrailRow
from exengine.store import schema
from exengine.store.streaming import streamed

_K = TrailKind
_TOLD = 6
"""How many columns the rows of every table bring besides, for their words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What of the trail is wanted: between two moments (the end not within), or of one cause."""

    since_ms: int | None = None
    until_ms: int | None = None
    cause: str | None = None


def trail(connection: Connection, span: Span) -> Iterator[TrailRow]:
    """The rows of the trail, oldest first; at one moment in the order in which one thing leads to the other."""
    parts = [part for table in _TABLES for part in table(span)]
    whole = union_all(*parts).subquery()
    wanted = select(whole).order_by(whole.c.at_ms, whole.c.rank, whole.c.number)
    for row in streamed(connection, wanted):
        yield _row(row)


# what is read -------------------------------------------------------------------------------------------------------


def _part(
    kind: TrailKind,
    rank: int,
    at_ms: ColumnElement[Any],
    span: Span,
    of_cause: ColumnElement[bool],
    told: tuple[Any, ...],
    **columns: Any,
) -> Select[Any]:
    """One table's rows in the columns that all share."""
    given = {"severity": literal("info"), "symbol": literal(""), "timeframe": literal(""), "group_id": literal(""),
             "client_id": literal(""), "signal_id": cast(null(), BigInteger), **columns}  # fmt: skip
    words = [*told, *[null()] * (_TOLD - len(told))]
    wanted = select(
        at_ms.label("at_ms"),
        literal(rank, Integer).label("rank"),
        cast(given["number"], BigInteger).label("number"),
        literal(kind.value, Text).label("kind"),
        cast(given["signal_id"], BigInteger).label("signal_id"),
        *(_text(given[name]).label(name) for name in _SHARED),
        *(_text(word).label(f"told{place}") for place, word in enumerate(words)),
    )
    if span.since_ms is not None:
        wanted = wanted.where(at_ms >= span.since_ms)
    if span.until_ms is not None:
        wanted = wanted.where(at_ms < span.until_ms)
    if span.cause is not None:
        wanted = wanted.where(of_cause)
    return wanted.where(at_ms.is_not(None))


_SHARED = ("severity", "category", "symbol", "timeframe", "group_id", "client_id", "cause")


def _text(value: Any) -> ColumnElement[str]:
    return cast(type_coerce(value, Text) if isinstance(value, ColumnElement) and _is_text(value) else value, Text)


def _is_text(value: ColumnElement[Any]) -> bool:
    """Whether it is kept as text, whatever it means: a decimal or a choice then comes as it is kept."""
    impl = getattr(value.type, "impl", value.type)
    return isinstance(impl, Text)


def _signals(span: Span) -> list[Select[Any]]:
    of = schema.signals.c
    is_of = of.id == (signal_of(span.cause or "") or 0)
    shared: dict[str, Any] = {
        "number": of.id, "signal_id": of.id, "category": literal(Category.WEBHOOK.value), "timeframe": of.timeframe,
        "symbol": of.symbol, "cause": literal("signal-").concat(cast(of.id, Text)),
    }  # fmt: skip
    came = (of.source_address, of.replay_of)
    became = (of.outcome, of.reason)
    return [
        _part(_K.SIGNAL, 0, of.received_at_ms, span, is_of, came, **shared),
        _part(_K.DECISION, 1, of.decided_at_ms, span, is_of, became, group_id=of.group_id, **shared),
    ]


def _queue(span: Span) -> list[Select[Any]]:
    of = schema.queue_events.c
    is_of = or_(of.cause == span.cause, of.signal_id == (signal_of(span.cause or "") or 0))
    shared: dict[str, Any] = {"number": of.seq, "signal_id": of.signal_id, "cause": of.cause}
    told = (of.event, of.reason, of.key, of.side, of.price, of.forced)
    return [_part(_K.QUEUE, 2, of.at_ms, span, is_of, told, category=literal(Category.WEBHOOK.value), **shared)]


def _offsets(span: Span) -> list[Select[Any]]:
    of = schema.offsets.c
    cause = literal(of_offset(0)[:-1]).concat(cast(of.at_ms, Text))
    shared: dict[str, Any] = {"number": of.seq, "group_id": of.loser, "cause": cause}
    told = (of.required, of.winner, of.qty, of.realised)
    return [_part(_K.RISK, 3, of.at_ms, span, cause == span.cause, told, category=literal("risk"), **shared)]


def _orders(span: Span) -> list[Select[Any]]:
    of = schema.orders.c
    is_of = of.cause == span.cause
    shared: dict[str, Any] = {
        "number": of.seq, "signal_id": of.signal_id, "cause": of.cause, "client_id": of.client_id,
        "group_id": of.group_id, "symbol": of.symbol, "category": literal(Category.ORDER.value),
    }  # fmt: skip
    made = (literal("made"), of.role, of.side, of.type, of.qty, of.price)
    sent = (literal("sent"), of.role)
    has = (literal("has"), of.role, of.exchange_order_id)
    ended = (literal("ended"), of.role, of.status, of.error)
    return [
        _part(_K.ORDER, 4, of.created_at_ms, span, is_of, made, **shared),
        _part(_K.ORDER, 5, of.sent_at_ms, span, is_of, sent, **shared),
        _part(_K.ANSWER, 6, of.acknowledged_at_ms, span, is_of, has, **shared),
        _part(_K.ANSWER, 8, of.closed_at_ms, span, is_of, ended, **shared),
    ]


def _fills(span: Span) -> list[Select[Any]]:
    fills, orders = schema.fills.c, schema.orders.c
    shared: dict[str, Any] = {
        "number": fills.seq, "signal_id": orders.signal_id, "cause": orders.cause, "client_id": fills.client_id,
        "group_id": fills.group_id, "symbol": orders.symbol, "category": literal(Category.ORDER.value),
    }  # fmt: skip
    told = (orders.role, orders.side, fills.qty, fills.price, fills.realised, fills.trade_id)
    found = _part(_K.FILL, 7, fills.at_ms, span, orders.cause == span.cause, told, **shared)
    return [found.join_from(schema.orders, schema.fills, fills.client_id == orders.client_id)]


def _lines(span: Span) -> list[Select[Any]]:
    of = schema.notes.c
    signal_id = signal_of(span.cause or "")
    is_of = of.cause == span.cause
    if signal_id is not None:
        # How the group that it opened came to its end is told too, whatever ended it.
        group = select(schema.signals.c.group_id).where(
            schema.signals.c.id == signal_id, schema.signals.c.group_id != ""
        )
        is_of = or_(is_of, and_(of.group_id.in_(group), of.topic == Topic.GROUP_CLOSED))
    shared: dict[str, Any] = {
        "number": of.id, "severity": of.severity, "category": of.category, "symbol": of.symbol,
        "timeframe": of.timeframe, "group_id": of.group_id, "signal_id": of.signal_id, "cause": of.cause,
    }  # fmt: skip
    return [_part(_K.LINE, 9, of.at_ms, span, is_of, (of.text, of.advice), **shared)]


_TABLES: tuple[Callable[[Span], list[Select[Any]]], ...] = (_signals, _queue, _offsets, _orders, _fills, _lines)


# in words -----------------------------------------------------------------------------------------------------------


def _row(row: Row[Any]) -> TrailRow:
    kind = TrailKind(row.kind)
    told = tuple(getattr(row, f"told{place}") or "" for place in range(_TOLD))
    is_refused = kind is _K.ANSWER and told[2] == "rejected"
    return TrailRow(
        at_ms=row.at_ms,
        kind=kind,
        severity=Severity.ERROR if is_refused else Severity(row.severity),
        category=Category(row.category),
        text=_WORDS[kind](*told),
        advice=told[1] if kind is _K.LINE else "",
        symbol=row.symbol or "",
        timeframe=row.timeframe or "",
        group=row.group_id or "",
        signal_id=row.signal_id,
        cause=row.cause,
        client_id=row.client_id,
    )


def _came(address: str, replay_of: str, *_: str) -> str:
    return f"Signal {replay_of} taken again by the trader." if replay_of else f"Signal received from {address}."


def _became(outcome: str, reason: str, *_: str) -> str:
    return f"Decided: {_spaced(outcome)}{f', {_spaced(reason)}' if reason else ''}."


def _queued(event: str, reason: str, key: str, side: str, price: str, forced: str) -> str:
    by_force = " by force" if forced in ("1", "true") else ""
    return f"Queue: {side} {key} at {_number(price)} {event}{by_force}{f', {_spaced(reason)}' if reason else ''}."


def _paid(required: str, winner: str, qty: str, realised: str, *_: str) -> str:
    return f"Offset of {_number(required)} USD: {_number(qty)} of {winner} brought {_number(realised)} USD."


def _order(what: str, role: str, side: str, kind: str, qty: str, price: str) -> str:
    if what == "sent":
        return f"{_spaced(role)} order sent.".capitalize()
    where = f"at {_number(price)}" if price else "at market"
    return f"{role} order made: {side} {_number(qty)} {where} ({kind}).".capitalize()


def _answer(what: str, role: str, said: str, error: str, *_: str) -> str:
    if what == "has":
        return f"The exchange has answered the {role} order{f': it is {said} there' if said else ''}."
    return f"The {role} order has ended: {_spaced(said)}{f', {error}' if error else ''}."


def _filled(role: str, side: str, qty: str, price: str, realised: str, trade_id: str) -> str:
    brought = f", brought {_number(realised)}" if role != "entry" else ""
    return f"Fill of the {role} order: {side} {_number(qty)} at {_number(price)}{brought} (trade {trade_id})."


def _number(text: str) -> str:
    return plain(Decimal(text))


def _spaced(word: str) -> str:
    return word.replace("_", " ")


_WORDS: dict[TrailKind, Callable[..., str]] = {
    _K.SIGNAL: _came,
    _K.DECISION: _became,
    _K.QUEUE: _queued,
    _K.RISK: _paid,
    _K.ORDER: _order,
    _K.ANSWER: _answer,
    _K.FILL: _filled,
    _K.LINE: lambda text, *_: text,
}
