"""Nothing that the domain has is forgotten by the tables: a new field needs its column before it can be lost."""

from dataclasses import fields
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Dialect
from sqlalchemy.dialects import postgresql, sqlite

from exengine.domain.journal import Note
from exengine.domain.order import Fill, Order
from exengine.domain.reception import Outcome, SignalRecord
from exengine.domain.state import AppliedFill, OffsetPlan, QueueEvent
from exengine.engine.changes import Changes, Trace
from exengine.store import schema, writer
from exengine.store.columns import Choice, Money, Words, encodable

DIALECT: Dialect = sqlite.dialect()  # type: ignore[no-untyped-call]
POSTGRES: Dialect = postgresql.dialect()

RENAMED = {"group": "group_id"}


def names(kind: Any, *without: str) -> set[str]:
    return {RENAMED.get(one.name, one.name) for one in fields(kind)} - set(without)


@pytest.mark.parametrize(
    ("kept", "table"),
    [
        (names(Order), schema.orders),
        (names(Fill) | names(AppliedFill, "fill", "order"), schema.fills),
        (names(SignalRecord, "signal") | names(Trace), schema.signals),
        (names(QueueEvent), schema.queue_events),
        (names(Note), schema.notes),
        (
            names(OffsetPlan, "lines", "loser_id", "loser_begun", "on_request")
            | {"loser", "winner", "take", "qty", "realised"},
            schema.offsets,
        ),
    ],
    ids=["orders", "fills", "signals", "queue_events", "notes", "offsets"],
)
def test_every_field_has_its_column(kept: set[str], table: Any) -> None:
    assert kept <= set(table.columns.keys())


def test_every_part_of_a_unit_of_work_is_written() -> None:
    written = {
        "groups", "orders", "fills", "signals", "traces", "waiting", "queue_events", "notes", "moved", "instruments",
        "control", "ledger", "plan", "plan_changed", "offsets", "equity", "market_clock_ms", "stored_before",
    }  # fmt: skip
    assert {one.name for one in fields(Changes)} == written


@pytest.mark.parametrize("text", ["12345678.123456789012345678", "0.00", "-0E-8", "1E+3", "1E-400"])
def test_money_keeps_every_digit_and_its_exponent(text: str) -> None:
    column = Money()
    stored = column.process_bind_param(Decimal(text), DIALECT)
    assert repr(column.process_result_value(stored, DIALECT)) == repr(Decimal(text))


@pytest.mark.parametrize("wrong", [1.5, 1, "1.5", True, Decimal("NaN"), Decimal("Infinity")])
def test_what_is_no_finite_decimal_is_never_money(wrong: Any) -> None:
    with pytest.raises(TypeError):
        Money().process_bind_param(wrong, DIALECT)


def test_an_enum_column_takes_its_own_members_only() -> None:
    column = Choice(Outcome)
    wrong: Any = "opened"
    assert column.process_bind_param(Outcome.OPENED, DIALECT) == "opened"
    assert column.process_result_value("opened", DIALECT) is Outcome.OPENED
    with pytest.raises(TypeError):
        column.process_bind_param(wrong, DIALECT)


def test_half_a_surrogate_pair_becomes_the_replacement_sign() -> None:
    assert Words().process_bind_param("a\ud800b\0", DIALECT) == "a�b�"
    assert encodable("ü€😀") == "ü€😀"


def test_the_statements_also_exist_in_the_words_of_postgres() -> None:
    statement = writer._upsert_statement(schema.orders, ("client_id",), None, "postgresql")
    assert "ON CONFLICT (client_id) DO UPDATE SET" in str(statement.compile(dialect=POSTGRES))
