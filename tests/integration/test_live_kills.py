"""Killed at any moment while alerts and fills flow from an exchange: no alert, fill or order is lost or doubled.

The exchange lives on while the program dies and starts again; in the end its books and the program's are one.
EXENGINE_TEST_KILLS says how often it is killed on each exchange and store, EXENGINE_TEST_SEED repeats a run's chances.
"""

import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from exengine.domain.group import GroupStatus
from exengine.store.address import Place
from tests.helpers import live_books
from tests.helpers.books import Books, faults_in, read_books
from tests.helpers.live_program import LiveRun, live_run
from tests.helpers.nursery import Nursery
from tests.helpers.postgres import PASSWORD
from tests.helpers.storm import CAPITAL, SCENES, Storm, until_none

MANY = int(os.environ.get("EXENGINE_TEST_KILLS", "0"))
KILLS = MANY or 3
LIFE_S = 14.0
"""How long a life lasts at most; most end with something that happens at the exchange."""
PATIENCE_S = 90.0

FEW = [("sqlite", "binance spot"), ("postgres", "bybit spot"), ("sqlite", "binance swap")]
ALL = [(store, scene) for store in ("sqlite", "postgres") for scene in SCENES]


@pytest.fixture
def nursery() -> Iterator[Nursery | None]:
    """For many kills only: a few begin as any program does."""
    made = Nursery() if MANY and sys.platform == "linux" else None
    yield made
    if made is not None:
        made.end()


@pytest.mark.timeout(300 + 30 * KILLS)
@pytest.mark.parametrize(("place", "scene"), ALL if MANY else FEW, indirect=["place"])
async def test_books_are_equal_however_often_the_program_is_killed(
    place: Place, scene: str, nursery: Nursery | None, tmp_path: Path
):
    seed = os.environ.get("EXENGINE_TEST_SEED", str(time.time_ns()))
    print(f"EXENGINE_TEST_SEED={seed}")
    there = SCENES[scene]
    sections = there.sections
    if not isinstance(place, Path):
        sections["app"] = {"database_url": str(place)}
    env = {"EXENGINE_DATABASE_PASSWORD": PASSWORD}
    async with live_run(
        tmp_path, there.exchange, venue=there.venue(), account=there.account, env=env, nursery=nursery, **sections
    ) as run:
        store = tmp_path / "data" / "exengine.sqlite3" if isinstance(place, Path) else place
        storm = Storm(run=run, scene=there, chance=random.Random(seed))
        while storm.kills.total() < KILLS:
            await storm.life(LIFE_S)
            if storm.kills.total() % 10 == 0:
                print(f"{scene}: {said(storm)}", flush=True)
        await equal(run, storm, store)
        await storm.leave()
        books = await equal(run, storm, store, flat=True)
        assert await run.stop(within_s=60) == 0
        print(f"{scene}: {said(storm)}; {outcomes(storm, books)}", flush=True)


async def equal(run: LiveRun, storm: Storm, store: Place, *, flat: bool = False) -> Books:
    """The books once everything that happened has reached them. Raises AssertionError where they never agree."""

    def look() -> list[str]:
        return differences(run, storm, store, flat=flat)

    found = await until_none(look, within_s=PATIENCE_S)
    output = run.process.output if run.process else ""
    assert not found, "\n".join([*found[:30], output[-3000:]])
    books = read_books(store)
    assert not live_books.history_faults(books, storm.events)
    assert "Traceback" not in output
    assert "a defect" not in output
    return books


def differences(run: LiveRun, storm: Storm, store: Place, *, flat: bool) -> list[str]:
    books, scene = read_books(store), storm.scene
    slots = scene.sections["pool"]["max_open_groups"]
    found = faults_in(books, answered=storm.alerts.accepted.values(), slots=slots)
    found += live_books.signal_differences(store, storm.alerts)
    found += live_books.exchange_differences(run.venue, books)
    if not found:
        found += live_books.double_orders(books, run.venue)
        found += live_books.orphans(run.venue, books)
        found += live_books.money_differences(run.venue, books, CAPITAL)
    found += [f"{one.id} is frozen: {one.frozen}" for one in books.groups.values() if one.frozen]
    if flat:
        found += [f"{one.id} is open" for one in books.groups.values() if one.status is not GroupStatus.CLOSED]
        found += [f"{one.client_id} is open on the exchange" for one in run.venue.open_orders()]
    return found


def said(storm: Storm) -> str:
    """How far it is, in figures."""
    alerts, venue = storm.alerts, storm.run.venue
    told = len(alerts.accepted) + len(alerts.duplicates.keys() - alerts.accepted.keys())
    return (
        f"{storm.kills.total()} kills, {len(alerts.sent)} alerts sent, {told} answered, {len(venue.orders)} orders, "
        f"{len(venue.trades)} fills"
    )


def outcomes(storm: Storm, books: Books) -> str:
    """What became of it all."""
    kept = Counter(outcome for outcome in books.outcomes.values())
    reasons = Counter(group.reason.value for group in books.groups.values() if group.reason)
    roles = Counter(order.role.value for order in books.orders.values() if order.filled_qty)
    return f"kills {dict(storm.kills)}, signals {dict(kept)}, groups {dict(reasons)}, filled orders {dict(roles)}"
