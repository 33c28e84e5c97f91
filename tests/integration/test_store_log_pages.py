"""The audit trail in pages, from the store."""

import asyncio

import pytest

from exengine.domain.journal import Category, Note, Severity
from exengine.engine.changes import Changes
from exengine.engine.log_pages import LogWanted
from exengine.engine.rows import LogRow
from exengine.store.address import Place
from exengine.store.database import DatabaseStore
from exengine.store.places import open_store

AT = 1_767_225_600_000


def note(number: int) -> Note:
    return Note(
        at_ms=AT + number * 1000,
        severity=Severity.ERROR if number % 10 == 0 else Severity.INFO,
        category=Category.RISK if number % 2 else Category.ORDER,
        text=f"Line {number}: 100 % of it_all",
        symbol="BTC/USDT" if number % 3 else "ETH/USDT",
        timeframe="15m",
        group=f"paper|BTC/USDT|15m#{number % 4}",
    )


async def filled(place: Place) -> DatabaseStore:
    store = await asyncio.to_thread(open_store, place)
    await store.commit(Changes(notes=[(number, note(number)) for number in range(1, 101)]))
    return store


async def test_pages_go_back_to_the_first_line_each_oldest_first(place: Place) -> None:
    store = await filled(place)
    newest = await store.log_pages.before(None, LogWanted(), 60)
    assert [row.id for row in newest] == list(range(41, 101))
    older = await store.log_pages.before(newest[0].id, LogWanted(), 60)
    assert [row.id for row in older] == list(range(1, 41))
    assert await store.log_pages.before(1, LogWanted(), 60) == ()
    await store.close()


@pytest.mark.parametrize(
    "wanted",
    [
        LogWanted(severities=frozenset({Severity.ERROR})),
        LogWanted(categories=frozenset({Category.RISK}), severities=frozenset({Severity.INFO})),
        LogWanted(words=("eth/usdt",)),
        LogWanted(words=("line 7",)),
        LogWanted(words=("100 %", "it_all")),
        LogWanted(words=("100 _",)),
        LogWanted(group="paper|BTC/USDT|15m#2"),
        LogWanted(since_ms=AT + 20_000, until_ms=AT + 30_000),
    ],
)
async def test_the_store_lets_through_what_the_window_lets_through(place: Place, wanted: LogWanted) -> None:
    store = await filled(place)
    everything = await store.log_pages.before(None, LogWanted(), 1_000)
    expected: list[LogRow] = [row for row in everything if wanted.matches(row)]
    assert list(await store.log_pages.before(None, wanted, 1_000)) == expected
    assert (expected == []) is (wanted == LogWanted(words=("100 _",)))
    await store.close()
