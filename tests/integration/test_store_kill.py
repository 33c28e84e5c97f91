"""A process that is killed in mid-commit leaves a store with every commit that it was told of, each of them whole."""

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from exengine.domain.journal import Category, Note, Severity
from exengine.engine.changes import Changes
from exengine.store.address import Place, PostgresAddress, place_of
from exengine.store.places import open_store
from tests.helpers.postgres import PASSWORD
from tests.helpers.world import World

ROUNDS = 4


async def commit_until_killed(place: Place, first: int) -> None:
    """Commits group after group, each with its order, fill and line, and prints the number of each that is stored."""
    world = World(fees=None)
    world.price("BTC/USDT", "50000")
    world.alert("50000")
    group, applied = world.group(), world.fills[0]
    store = await asyncio.to_thread(open_store, place)
    number = first
    while True:
        group_id, client_id = f"{group.key}#{number}", f"order{number}"
        order = replace(applied.order, client_id=client_id, group_id=group_id)
        fill = replace(applied.fill, client_id=client_id, trade_id=str(number))
        line = Note(at_ms=number, severity=Severity.INFO, category=Category.ORDER, text="x" * 3000, group=group_id)
        await store.commit(
            Changes(
                groups={group_id: replace(group, id=group_id)},
                orders={client_id: order},
                fills=[replace(applied, fill=fill, order=order, realised=Decimal(1))],
                notes=[(number, line)],
                moved={("paper", "USDT"): Decimal(number)},
                market_clock_ms=number,
            )
        )
        print(number, flush=True)
        number += 1


def killed_after(place: Place, first: int, commits: int) -> int:
    """The last commit that a process was told of which was killed in the middle of its work."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.test_store_kill", str(place), str(first)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"EXENGINE_DATABASE_PASSWORD": PASSWORD},
    )
    assert process.stdout is not None
    told = first - 1
    with process.stdout as lines:
        for line in lines:
            told = int(line)
            if told == first + commits:
                process.kill()
    assert process.wait() in (-signal.SIGKILL, 1)
    return told


async def test_every_commit_that_was_told_of_is_there_after_a_kill_and_none_in_part(place: Place) -> None:
    chance = random.Random(20261123)
    stored = 0
    for _ in range(ROUNDS):
        told = await asyncio.to_thread(killed_after, place, stored + 1, chance.randint(1, 120))
        store = await asyncio.to_thread(open_store, place)
        loaded = await store.load()
        profit = (await store.realised()).get("USDT", Decimal(0))
        await store.close()

        stored = len(loaded.groups)
        # One more may have reached the disk before its process could say so.
        assert told <= stored <= told + 1
        assert [int(one.id.rpartition("#")[2]) for one in loaded.groups] == list(range(1, stored + 1))
        assert [one.group_id for one in loaded.orders] == [one.id for one in loaded.groups]
        assert profit == stored
        assert loaded.next_log_id == stored + 1
        assert loaded.moved == {("paper", "USDT"): Decimal(stored)}
        assert loaded.market_clock_ms == stored
        if isinstance(place, PostgresAddress):
            continue
        with closing(sqlite3.connect(place)) as file:
            assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert file.execute("PRAGMA foreign_key_check").fetchall() == []


if __name__ == "__main__":
    named = sys.argv[1]
    url, file = (named, Path()) if "://" in named else ("", Path(named))
    asyncio.run(commit_until_killed(place_of(url, file), int(sys.argv[2])))
