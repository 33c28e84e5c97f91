"""The store fails at each of the program's transactions in turn, for a while: nothing is lost, nothing comes twice."""

from itertools import count
from pathlib import Path

import pytest

from exengine.bootstrap import program as bootstrap
from exengine.domain.errors import UserError
from exengine.engine import engine
from exengine.engine.changes import Changes, StoreFailed
from exengine.engine.intake import StoreUnavailable
from exengine.exchange.paper import PaperExchange
from exengine.store.address import Place
from exengine.store.database import DatabaseStore
from tests.helpers.books import Books, check_books
from tests.helpers.postgres import PASSWORD
from tests.helpers.program import InProcess, program
from tests.helpers.store_faults import DISK_FULL, Faults, faults
from tests.integration.test_program_crash_points import LIFE, Act, traded, written_config

FAILS = 2
"""How many tries of a transaction fail before there is room again."""


class Sick:
    """Lets one transaction fail, whichever is told, as often as `FAILS` says; by a fault of the disk."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, faulty: Faults) -> None:
        self._healthy_left: int | None = None
        self._fails_left = 0
        self.is_sick = False
        self.fell_sick = False
        commit = DatabaseStore.commit

        async def at_times(store: DatabaseStore, changes: Changes) -> None:
            if self._healthy_left == 0 and self._fails_left:
                self._fails_left -= 1
                self.is_sick = self.fell_sick = True
                faulty.at(1, DISK_FULL)
            try:
                await commit(store, changes)
            finally:
                faulty.end()
            self.is_sick = False
            if self._healthy_left:
                self._healthy_left -= 1

        monkeypatch.setattr(DatabaseStore, "commit", at_times)

    def after(self, transactions: int | None) -> None:
        self._healthy_left, self._fails_left = transactions, FAILS
        self.is_sick = self.fell_sick = False


async def carried_out(act: Act, running: InProcess) -> None:
    """As a sender does it: what was answered with 503 comes again."""
    while True:
        try:
            await act(running)
        except (StoreUnavailable, StoreFailed, UserError):
            assert running.program.engine.health() in ("error", "running")
            await running.program.engine.settled()
        else:
            return


async def lived(folder: Path, place: Place, monkeypatch: pytest.MonkeyPatch) -> Books:
    async with program(folder, monkeypatch) as running:
        for act in LIFE:
            await carried_out(act, running)
    return check_books(place, slots=10)


@pytest.mark.parametrize(("place", "step"), [("sqlite", 1), ("postgres", 5)], indirect=["place"])
async def test_a_full_disk_at_any_transaction_changes_nothing_of_what_is_traded(
    place: Place, step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(engine, "STORE_BACK_OFF_S", 0.01)
    monkeypatch.setattr(bootstrap, "STOP_S", 1)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    sent_while_sick: list[str] = []
    with faults() as faulty:
        sick = Sick(monkeypatch, faulty)
        place_order = PaperExchange.place

        async def noted(exchange, order):
            if sick.is_sick:
                sent_while_sick.append(order.client_id)
            return await place_order(exchange, order)

        monkeypatch.setattr(PaperExchange, "place", noted)
        sick.after(None)
        whole = await lived(tmp_path / "whole", written_config(tmp_path / "whole", place), monkeypatch)
        # The first is the start's own: a store that takes nothing is no start.
        for after in count(2, step):
            folder = tmp_path / str(after)
            there = place if isinstance(place, Path) else request.getfixturevalue("postgres").database()
            there = written_config(folder, there)
            sick.after(after)
            books = await lived(folder, there, monkeypatch)
            if not sick.fell_sick:
                break
            assert traded(books) == traded(whole), f"the disk was full after {after} transactions"
    assert after > 15
    assert sent_while_sick == []
