"""Whatever value the domain can hold comes out of the store as it went in: digit for digit, field by field."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, fields, is_dataclass, replace
from decimal import Decimal
from enum import Enum
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import pytest
import sqlalchemy
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from pydantic_core import PydanticSerializationError

from exengine.domain.group import Group, GroupKey, GroupStatus
from exengine.domain.instrument import Instrument, Side
from exengine.domain.journal import Note
from exengine.domain.order import Fill, Order
from exengine.domain.reception import Outcome, SignalRecord
from exengine.domain.signal import Signal
from exengine.domain.state import AppliedFill, Control, Ledger, OffsetPlan, QueueEvent, Seen, Waiting
from exengine.engine.changes import Changes, Loaded, Trace
from exengine.store import SqliteStore, codec
from exengine.store.address import Place, PostgresAddress
from exengine.store.places import open_store, read_store
from tests.helpers.postgres import Server
from tests.property.examples import examples

T = TypeVar("T")

DECIMALS = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False),
    st.sampled_from([Decimal("1E+3"), Decimal("-0E-8"), Decimal("12345678.123456789012345678"), Decimal("0.00")]),
)


WORDS = st.text(max_size=12)
NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
"""What Postgres takes as a key or a name; the domain has no others."""


@cache
def values(kind: Any, words: st.SearchStrategy[str] = WORDS) -> st.SearchStrategy[Any]:
    """Any value of a type that the domain uses."""
    if kind is Decimal:
        return DECIMALS
    if kind is int:
        return st.integers(0, 2**53)
    if kind is str:
        return words
    if kind in (bool, NoneType):
        return st.from_type(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(kind)
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return st.builds(kind, **{one.name: values(hints[one.name], words) for one in fields(kind)})
    arguments = get_args(kind)
    if get_origin(kind) is UnionType:
        return st.one_of([values(one, words) for one in arguments])
    assert get_origin(kind) is tuple, kind
    if arguments[-1] is ...:
        return st.lists(values(arguments[0], words), max_size=2).map(tuple)
    return st.tuples(*(values(one, words) for one in arguments))


@pytest.mark.parametrize("kind", [Group, Order, Signal, Waiting, Instrument, Control], ids=lambda kind: kind.__name__)
@examples(100, unchecked=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_a_document_reads_back_as_the_very_same_value(kind: type[Any], data: st.DataObject) -> None:
    value = data.draw(values(kind))
    text = codec.to_text(kind, value)
    again = codec.from_text(kind, text)
    assert again == value
    assert repr(again) == repr(value)
    assert codec.to_text(kind, again) == text


@given(amount=st.floats(allow_nan=False))
@examples(100)
def test_a_float_is_never_written_as_money(amount: float) -> None:
    wrong: Any = amount
    group = replace(_group("a|B/C|1m#1"), stop_price=wrong)
    with pytest.raises(PydanticSerializationError):
        codec.to_text(Group, group)


@given(text=st.text(st.characters(categories=None), max_size=8))
@examples(200)
def test_a_text_that_cannot_be_encoded_is_kept_as_well_as_it_can_be(text: str) -> None:
    group = codec.from_text(Group, codec.to_text(Group, replace(_group("a|B/C|1m#1"), errors=(text,))))
    try:
        text.encode()
    except UnicodeEncodeError:
        assert "�" in group.errors[0]
    else:
        assert group.errors == (text,)


def _group(group_id: str) -> Group:
    account, symbol, timeframe = group_id.partition("#")[0].split("|")
    return codec.from_text(
        Group,
        f'{{"id":"{group_id}","key":{{"account":"{account}","symbol":"{symbol}","timeframe":"{timeframe}"}},'
        '"side":"long","base":"B","quote":"C","market_type":"spot","opened_at_ms":1,"plans":[]}',
    )


# whole units of work ----------------------------------------------------------------------------------------------

KEYS = [GroupKey("paper", "BTC/USDT", "15m"), GroupKey("paper", "BTC/USDT", "1h"), GroupKey("two", "ETH/USDT", "15m")]
SIDES = list(Side)


@dataclass
class Model:
    """What a store must hold after some commits, kept the plain way."""

    groups: dict[str, Group] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    fills: dict[tuple[str, str, str], AppliedFill] = field(default_factory=dict)
    signals: dict[int, SignalRecord] = field(default_factory=dict)
    counting: set[int] = field(default_factory=set)
    traces: dict[int, Trace] = field(default_factory=dict)
    waiting: dict[tuple[GroupKey, Side], Waiting] = field(default_factory=dict)
    queue_events: list[QueueEvent] = field(default_factory=list)
    notes: dict[int, Note] = field(default_factory=dict)
    moved: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    instruments: dict[str, tuple[Instrument, ...]] = field(default_factory=dict)
    control: Control = field(default_factory=Control)
    ledger: Ledger = field(default_factory=Ledger)
    plan: OffsetPlan | None = None
    offsets: list[OffsetPlan] = field(default_factory=list)
    market_clock_ms: int | None = None

    def take(self, changes: Changes) -> None:
        self.groups.update(changes.groups)
        self.orders.update(changes.orders)
        for applied in changes.fills:
            self.fills.setdefault((applied.order.account, applied.fill.trade_id, applied.fill.client_id), applied)
        for record in changes.signals.values():
            told = record.outcome in (Outcome.INVALID, Outcome.DUPLICATE) or record.replay_of is not None
            if record.id not in self.signals and record.signal and record.account is not None and not told:
                self.counting.add(record.id)
        self.signals.update(changes.signals)
        self.traces.update(changes.traces)
        for place, one in changes.waiting.items():
            self.waiting.pop(place, None)
            if one is not None:
                self.waiting[place] = one
        self.queue_events.extend(changes.queue_events)
        self.notes.update(dict(changes.notes))
        self.moved.update(changes.moved)
        self.instruments.update(changes.instruments)
        self.control = changes.control or self.control
        self.ledger = changes.ledger or self.ledger
        self.plan = changes.plan if changes.plan_changed else self.plan
        self.offsets.extend(changes.offsets)
        self.market_clock_ms = self.market_clock_ms if changes.market_clock_ms is None else changes.market_clock_ms

    def seen(self) -> dict[str, Seen]:
        if not self.signals:
            return {}
        last = self.signals[max(self.signals)].received_at_ms
        found = {}
        for number in sorted(self.counting):
            record = self.signals[number]
            if record.signal and record.received_at_ms > last - 24 * 3600 * 1000:
                found[record.signal.digest] = Seen(
                    at_ms=record.received_at_ms, signal_id=number, stamped=record.signal.timestamp_ms is not None
                )
        return found


@st.composite
def units(draw: st.DrawFn, model: Model, words: st.SearchStrategy[str]) -> Changes:
    """A unit of work that may follow what the model has."""
    changes = Changes()
    for key in draw(st.lists(st.sampled_from(KEYS), max_size=2, unique=True)):
        group_id = f"{key}#{draw(st.integers(1, 12))}"
        changes.groups[group_id] = replace(draw(values(Group, words)), id=group_id, key=key)
    there = {**model.groups, **changes.groups}
    for client_id in draw(st.lists(st.sampled_from("abcdef"), max_size=3, unique=True)) if there else ():
        before = model.orders.get(client_id)
        group = there[before.group_id] if before else draw(st.sampled_from(sorted(there.values(), key=lambda g: g.id)))
        changes.orders[client_id] = replace(
            draw(values(Order, words)), client_id=client_id, group_id=group.id, account=group.key.account
        )
    orders = {**model.orders, **changes.orders}
    for client_id in draw(st.lists(st.sampled_from(sorted(orders)), max_size=3)) if orders else ():
        fill = replace(draw(values(Fill, words)), client_id=client_id, trade_id=draw(st.sampled_from("123")))
        changes.fills.append(
            AppliedFill(fill=fill, order=orders[client_id], fee_quote=draw(DECIMALS), realised=draw(DECIMALS))
        )
    _signals(draw, model, changes, words)
    for key, side in draw(st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(SIDES)), max_size=2, unique=True)):
        one = draw(st.none() | values(Waiting, words))
        changes.waiting[key, side] = replace(one, key=key, side=side) if one else None
    changes.queue_events = draw(st.lists(values(QueueEvent, words), max_size=2))
    first = max(model.notes, default=0) + 1
    changes.notes = list(enumerate(draw(st.lists(values(Note, words), max_size=2)), start=first))
    changes.moved = draw(st.dictionaries(st.tuples(values(str, words), values(str, words)), DECIMALS, max_size=2))
    changes.instruments = draw(
        st.dictionaries(st.sampled_from(["paper", "two"]), values(tuple[Instrument, ...], words))
    )
    changes.control = draw(st.none() | values(Control, words))
    changes.ledger = draw(st.none() | values(Ledger, words))
    changes.plan_changed = draw(st.booleans())
    changes.plan = draw(st.none() | values(OffsetPlan, words)) if changes.plan_changed else None
    changes.offsets = draw(st.lists(values(OffsetPlan, words), max_size=1))
    changes.market_clock_ms = draw(st.none() | values(int, words))
    return changes


def _signals(draw: st.DrawFn, model: Model, changes: Changes, words: st.SearchStrategy[str]) -> None:
    """New signals, and new outcomes of old ones; what came in never changes."""
    for number in draw(st.lists(st.integers(1, 6), max_size=2, unique=True)):
        record = replace(draw(values(SignalRecord, words)), id=number)
        before = model.signals.get(number)
        if before:
            record = replace(
                record,
                received_at_ms=before.received_at_ms,
                source_address=before.source_address,
                body=before.body,
                signal=before.signal,
                replay_of=before.replay_of,
            )
        changes.signals[number] = record
        if number not in model.traces and draw(st.booleans()):
            changes.traces[number] = draw(values(Trace, words))


NewPlace = Callable[[], AbstractContextManager[Place]]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def new_place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> NewPlace:
    """Makes places for stores, each with an empty one in it: migrations are tested elsewhere."""
    if request.param == "postgres":
        server: Server = request.getfixturevalue("postgres")

        @contextmanager
        def database() -> Iterator[Place]:
            made = server.database()
            yield made
            server.drop(made)

        return database

    empty = tmp_path_factory.mktemp("empty") / "store.sqlite3"
    asyncio.run(SqliteStore.open(empty).close())

    @contextmanager
    def file() -> Iterator[Place]:
        yield Path(shutil.copyfile(empty, empty.with_name("copy.sqlite3")))

    return file


@pytest.mark.timeout(600)  # each example is a database of its own on the server
@examples(20, unchecked=HealthCheck)
@given(data=st.data())
def test_after_any_units_of_work_a_start_finds_exactly_what_they_wrote(
    new_place: NewPlace, data: st.DataObject
) -> None:
    with new_place() as place:
        words = NAMES if isinstance(place, PostgresAddress) else WORDS
        model = Model()
        commits = []
        for _ in range(data.draw(st.integers(1, 3))):
            changes = data.draw(units(model, words))
            model.take(changes)
            commits.append(changes)
        _compare(asyncio.run(_committed_and_loaded(place, commits, model)), model)
        _compare_rows(place, model)


async def _committed_and_loaded(place: Place, commits: list[Changes], model: Model) -> Loaded:
    store = await asyncio.to_thread(open_store, place)
    for changes in commits:
        await store.commit(changes)
    await store.close()
    again = await asyncio.to_thread(open_store, place)
    loaded = await again.load()
    assert [row.id for row in await again.last_signals(100)] == sorted(model.signals)
    assert [row.text for row in await again.last_log(100)] == [_kept(n.text) for n in model.notes.values()]
    await again.close()
    return loaded


def _compare_rows(place: Place, model: Model) -> None:
    """What no start loads."""

    def kept(statement: str) -> list[tuple[Any, ...]]:
        return read_store(
            place, lambda connection: [tuple(row) for row in connection.execute(sqlalchemy.text(statement))]
        )

    fills = kept("SELECT account, trade_id, client_id, price, qty, fee, fee_quote, realised FROM fills")
    assert sorted(fills) == sorted(
        (*key, *map(str, (one.fill.price, one.fill.qty, one.fill.fee, one.fee_quote, one.realised)))
        for key, one in model.fills.items()
    )
    assert kept("SELECT loser, required, winner, take, qty, realised FROM offsets ORDER BY seq") == [
        (plan.loser_id, str(plan.required), one.group_id, *map(str, (one.take, one.qty, one.realised)))
        for plan in model.offsets
        for one in plan.lines
    ]


def _compare(loaded: Loaded, model: Model) -> None:
    still_open = {one.id: one for one in model.groups.values() if one.status is not GroupStatus.CLOSED}
    assert repr(loaded.groups) == repr(tuple(still_open.values()))
    assert repr([_without_words(one) for one in loaded.orders]) == repr(
        [_without_words(one) for one in model.orders.values() if one.group_id in still_open]
    )
    numbers: dict[GroupKey, int] = {}
    for group in model.groups.values():
        numbers[group.key] = max(numbers.get(group.key, 0), int(group.id.rpartition("#")[2]))
    assert loaded.numbers == numbers
    assert {(one.key, one.side): one for one in loaded.waiting} == model.waiting
    assert {one.id for one in loaded.pending} == {one.id for one in model.signals.values() if one.outcome is None}
    for one in loaded.pending:
        assert replace(one, body="", source_address="", reason="") == replace(
            model.signals[one.id], body="", source_address="", reason="", signal=None
        )
    assert loaded.seen == model.seen()
    assert loaded.next_signal_id == max(model.signals, default=0) + 1
    assert loaded.next_log_id == max(model.notes, default=0) + 1
    assert repr(sorted(loaded.moved.items())) == repr(sorted(model.moved.items()))
    assert loaded.instruments == {account: rules for account, rules in model.instruments.items() if rules}
    assert loaded.control == model.control
    assert repr(loaded.ledger) == repr(model.ledger)
    assert repr(loaded.plan) == repr(model.plan)
    assert loaded.market_clock_ms == model.market_clock_ms


def _kept(text: str) -> str:
    """Free text loses its NULs, which not every database takes."""
    return text.replace("\0", "�")


def _without_words(order: Order) -> Order:
    return replace(order, error=None if order.error is None else _kept(order.error))
