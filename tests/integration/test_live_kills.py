"""Killed at any moment while alerts and fills flow from an exchange: no alert, fill or order is lost or doubled.

The exchange lives on while the program dies and starts again; in the end its books and the program's are one.
EXENGINE_TEST_KILLS says how often it is killed.
"""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from exengine.domain.group import GroupStatus
from exengine.domain.money import ZERO
from exengine.domain.order import Role
from exengine.store.address import Place
from tests.exchange_server.venue import VenueEvent, VenueOrder
from tests.helpers.books import Books, check_books
from tests.helpers.live_program import LiveRun, live_run
from tests.helpers.postgres import PASSWORD
from tests.helpers.program import entry

D = Decimal
KILLS = int(os.environ.get("EXENGINE_TEST_KILLS", "3"))
LIFE_S = 8.0
"""How long a life lasts at most; most end with something that happens at the exchange."""

TIMEFRAMES = ("5", "15", "60", "240")


@pytest.mark.timeout(120 + 20 * KILLS)
async def test_books_are_equal_however_often_the_program_is_killed(place: Place, tmp_path: Path):
    chance = random.Random(f"{time.time_ns()}")
    sections = {} if isinstance(place, Path) else {"app": {"database_url": str(place)}}
    sections |= {"sizing": {"amount": "300"}, "risk": {"enabled": False}}
    accepted: list[int] = []
    async with live_run(tmp_path, env={"EXENGINE_DATABASE_PASSWORD": PASSWORD}, **sections) as run:
        for _ in range(KILLS):
            death = _Death(run, after=chance.randint(1, 20))
            run.venue.listeners.append(death)
            end = time.monotonic() + chance.uniform(0.5, LIFE_S)
            while not death.came and time.monotonic() < end:
                await _something(run, chance, accepted)
            run.venue.listeners.remove(death)
            await run.stop(number=signal.SIGKILL)
            for _ in range(chance.randint(0, 3)):
                _move(run, chance)  # the market does not wait for the next start
            await run.start()
        store = tmp_path / "data" / "exengine.sqlite3" if isinstance(place, Path) else place
        books = await _quiet(run, store, accepted)
        _equal(run, books)
        assert await run.stop() == 0
        print(
            f"{len(accepted)} alerts, {len(books.orders)} orders, {len(books.fills)} fills, {len(books.groups)} groups"
        )


class _Death:
    """Kills the program in the very moment of an event at the exchange: an answer is then not even on its way."""

    def __init__(self, run: LiveRun, *, after: int) -> None:
        self._run = run
        self._left = after
        self.came = False

    def __call__(self, event: VenueEvent) -> None:
        self._left -= event.kind != "balance"
        if self._left <= 0 and not self.came and self._run.process is not None:
            self.came = True
            self._run.process.process.kill()


async def _something(run: LiveRun, chance: random.Random, accepted: list[int]) -> None:
    """An alert, or the market moving."""
    if chance.random() < 0.1:
        price = run.venue.last["BTCUSDT"]
        kind = {"execution_intent__type": "exit"} if chance.random() < 0.15 else {}
        try:
            status, answer = await run.post(entry(price, tv__timeframe=chance.choice(TIMEFRAMES), **kind))
        except OSError:
            return
        if status == 202:
            accepted.append(answer["signal_id"])
    else:
        _move(run, chance)
        await asyncio.sleep(0.02)


def _move(run: LiveRun, chance: random.Random) -> None:
    last = run.venue.last["BTCUSDT"]
    price = (last * (1 + D(chance.randint(-90, 90)) / 10000)).quantize(D("0.01"))
    run.venue.tick("BTCUSDT", min(max(price, D(40000)), D(55000)), chance.choice([None, D("0.0005"), D("0.002")]))


async def _quiet(run: LiveRun, place: Place, accepted: list[int]) -> Books:
    """The books once everything that happened has reached them."""
    deadline = time.monotonic() + 60
    while True:
        await asyncio.sleep(1)
        books = await asyncio.to_thread(check_books_or_none, place, accepted)
        if books is not None and not _differences(run, books):
            return books
        if time.monotonic() > deadline:
            output = run.process.output if run.process else ""
            books = check_books(place, answered=accepted)
            raise AssertionError("\n".join([*_differences(run, books), output[-3000:]]))


def check_books_or_none(place: Place, accepted: list[int]) -> Books | None:
    try:
        return check_books(place, answered=accepted)
    except AssertionError:
        return None


def _differences(run: LiveRun, books: Books) -> list[str]:
    there = {order.client_id or "": order for order in run.venue.orders.values()}
    found = [
        f"{client_id} is on the exchange and not in the books" for client_id in there if client_id not in books.orders
    ]
    for client_id, order in books.orders.items():
        found += _order_differs(there.get(client_id), client_id, order.filled_qty, is_working=order.is_working)
    told = {row.trade_id for row in books.fills}
    found += [f"trade {trade.id} is not in the books" for trade in run.venue.trades if trade.id not in told]
    return found


def _order_differs(order: VenueOrder | None, client_id: str, filled: Decimal, *, is_working: bool) -> list[str]:
    if order is None:
        return [f"{client_id} is working in the books and never was on the exchange"] if is_working or filled else []
    if (order.filled, order.is_open) != (filled, is_working):
        return [f"{client_id}: {order.status}, {order.filled} there, {filled} in the books"]
    return []


def _equal(run: LiveRun, books: Books) -> None:
    ids = Counter(order.client_id for order in run.venue.orders.values())
    assert max(ids.values(), default=1) == 1
    assert len(books.fills) == len(run.venue.trades)
    assert books.moved.get(("main", "USDT"), ZERO) == run.venue.total["USDT"] - 10000
    assert books.moved.get(("main", "BTC"), ZERO) == run.venue.total["BTC"]
    held = sum((group.net_qty for group in books.groups.values()), ZERO)
    assert held == run.venue.total["BTC"]
    live = {group.id for group in books.groups.values() if group.status is not GroupStatus.CLOSED}
    owners = {books.orders[order.client_id or ""].group_id for order in run.venue.open_orders()}
    assert owners <= live
    assert not [one for one in books.orders.values() if one.role is not Role.ENTRY and one.filled_qty > one.qty]
