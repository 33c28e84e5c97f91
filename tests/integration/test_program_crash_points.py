"""The program dies after each of its transactions in turn, starts again, and ends where it would have ended anyway."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from exengine.bootstrap import program as bootstrap
from exengine.bootstrap.applying import Applier
from exengine.domain.events import EntriesCancelAsked
from exengine.domain.order import Role
from exengine.engine.changes import Changes
from exengine.settings import unconfirmed
from exengine.settings.file import checked
from exengine.store.address import Place, PostgresAddress
from exengine.store.database import DatabaseStore
from tests.helpers.books import Books, check_books
from tests.helpers.engine import arrival
from tests.helpers.postgres import PASSWORD
from tests.helpers.program import InProcess, entry, program, write_config


class Mortal:
    """Lets a number of transactions onto the disk; from then on nothing is written any more, as after a kill."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left: int | None = None
        self.died = asyncio.Event()
        commit = DatabaseStore.commit

        async def until_death(store: DatabaseStore, changes: Changes) -> None:
            if self.left == 0:
                self.died.set()
                await asyncio.Event().wait()
            await commit(store, changes)
            if self.left is not None:
                self.left -= 1

        monkeypatch.setattr(DatabaseStore, "commit", until_death)

        async def nobody_waits(applier: Applier) -> None: ...

        monkeypatch.setattr(Applier, "stop", nobody_waits)
        monkeypatch.setattr(unconfirmed, "put_back", lambda path: False)  # the dead put nothing back

    def live_for(self, transactions: int | None) -> None:
        self.left, self.died = transactions, asyncio.Event()


Act = Callable[[InProcess], Awaitable[Any]]


def tick(price: str) -> Act:
    return lambda running: running.market.tick(price)


def alert(kind: str, number: int) -> Act:
    """The same text each time that it is sent, as a sender does who had no answer."""

    async def act(running: InProcess) -> None:
        body = entry("50000", at_ms=running.program.clock.now_ms() // 1000 * 1000, execution_intent={"type": kind})
        body["timestamp"], body["strategy_info"] = None, {"trade_id": f"{kind} {number}"}
        await running.program.engine.take(arrival(body, running.program.clock.now_ms()))
        await running.program.engine.settled()

    return act


async def cancel_entries(running: InProcess) -> None:
    for group_id in list(running.program.state.groups):
        await running.program.engine.submit(EntriesCancelAsked(group_id=group_id))
    await running.program.engine.settled()


def apply(**pages: Any) -> Act:
    """A new configuration; the file is that or the one before, whenever the program dies of it."""

    async def act(running: InProcess) -> None:
        before = running.program.config.model_dump(mode="json")
        await running.program.apply(checked(before | pages))
        await running.program.engine.settled()

    return act


LEGS = [{"gap_percent": 0, "weight_percent": 100, "tp_percent": 3}]

LIFE: tuple[Act, ...] = (
    tick("50100"),
    alert("signal", 1),
    tick("49750"),
    apply(grid={"legs": LEGS}, pool={"max_open_groups": 3}),
    tick("50010"),
    alert("signal", 2),
    tick("49400"),
    cancel_entries,
    apply(accounts=[{"name": "paper", "exchange": "paper", "taker_fee_percent": "0.3"}]),
    tick("49900"),
    alert("exit", 1),
    tick("49800"),
)
"""Two pyramids, targets, the trader's hand, new settings on the way, and an exit for the rest."""


def written_config(folder: Path, place: Place | None) -> Place:
    """A configuration for a store in a database, or in the folder's own file; where the store is."""
    if isinstance(place, PostgresAddress):
        write_config(folder, sizing={"amount": "1000"}, app={"database_url": str(place)})
        return place
    write_config(folder, sizing={"amount": "1000"})
    return folder / "data" / "exengine.sqlite3"


async def lived(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    mortal: Mortal,
    dies_after: int | None,
    database: PostgresAddress | None = None,
) -> tuple[Books, int]:
    """A program that dies after so many transactions and is started again: its books, and how many lives it had."""
    mortal.live_for(dies_after)
    place = written_config(folder, database)
    to_do, lives = list(LIFE), 0
    while to_do:
        lives += 1
        async with program(folder, monkeypatch) as running:
            while to_do:
                acting = asyncio.ensure_future(to_do[0](running))
                dying = asyncio.ensure_future(mortal.died.wait())
                await asyncio.wait((acting, dying), return_when=asyncio.FIRST_COMPLETED)
                dying.cancel()
                if mortal.died.is_set():
                    acting.cancel()
                    await asyncio.wait([acting], timeout=0.05)  # what waits for the disk waits for ever
                    break
                await acting
                to_do.pop(0)
        mortal.live_for(None)
    return check_books(place, slots=10), lives


async def test_dying_after_any_of_its_transactions_changes_nothing_of_what_is_traded(tmp_path, monkeypatch):
    monkeypatch.setattr(bootstrap, "STOP_S", 0.01)  # a kill waits for nobody
    mortal = Mortal(monkeypatch)
    whole, _ = await lived(tmp_path / "whole", monkeypatch, mortal, None)
    (group,) = whole.groups.values()
    assert (group.status.value, len(group.pyramids)) == ("closed", 2)
    # The first two are the start's own: a start that dies is tried by the killed process.
    for dies_after in count(3):
        books, lives = await lived(tmp_path / str(dies_after), monkeypatch, mortal, dies_after)
        assert traded(books) == traded(whole), f"died after {dies_after} transactions"
        if lives == 1:
            break  # it died of its own stop: every transaction before has been tried
    assert dies_after > 20


async def test_dying_with_the_store_in_postgres_changes_nothing_of_what_is_traded(tmp_path, monkeypatch, postgres):
    monkeypatch.setattr(bootstrap, "STOP_S", 0.01)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    mortal = Mortal(monkeypatch)
    whole, _ = await lived(tmp_path / "whole", monkeypatch, mortal, None, postgres.database())
    assert len(whole.fills) > 5
    for dies_after in (3, 7, 12, 18):
        database = postgres.database()
        books, lives = await lived(tmp_path / str(dies_after), monkeypatch, mortal, dies_after, database)
        assert lives == 2
        assert traded(books) == traded(whole), f"died after {dies_after} transactions"


def traded(books: Books) -> dict[str, Any]:
    """What was bought and sold, whatever it was called and in how many orders it left."""
    bought, sold = Decimal(0), Decimal(0)
    for fill in books.fills:
        if books.orders[fill.client_id].role is Role.ENTRY:
            bought += fill.qty
        else:
            sold += fill.qty
    return {
        "groups": [(group.id, group.status.value, len(group.pyramids)) for group in books.groups.values()],
        "entries": sorted((o.pyramid, o.leg, o.qty) for o in books.orders.values() if o.role is Role.ENTRY),
        "bought": bought,
        "sold": sold,
        "outcomes": sorted(str(outcome) for outcome in books.outcomes.values() if outcome != "duplicate"),
    }
