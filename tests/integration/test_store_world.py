"""What a whole engine decides, committed step by step to a real database, is what the next start finds."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from exengine.domain.group import GroupStatus
from exengine.domain.settings import PAPER, AccountSettings, PoolSettings, Settings
from exengine.domain.state import State
from exengine.engine.changes import Changes, restored
from exengine.store.address import Place
from exengine.store.database import DatabaseStore
from exengine.store.places import open_store
from tests.helpers.world import BTC, ETH, World


async def keep(store: DatabaseStore, world: World, *, together: bool = False) -> None:
    """Commits what the world has decided so far: each step for itself, or all of it at once."""
    changes = Changes(instruments={world.account.name: world.instruments})
    number = 1
    for step in world.steps:
        changes.add(step)
        for note in step.notes:
            changes.notes.append((number, note))
            number += 1
        if not together:
            await store.commit(changes)
            changes = Changes()
    await store.commit(changes)


async def found(store: DatabaseStore, world: World) -> State:
    """A state as a start makes it from the store."""
    loaded = await store.load()
    state = State(instance=world.state.instance, settings=world.state.settings)
    state.start = dict(world.state.start)
    pending = tuple(replace(one, signal=world.signals[one.id].signal) for one in loaded.pending)
    restored(state, replace(loaded, pending=pending))
    return state


def a_grid_half_filled(world: World) -> None:
    world.price("BTC/USDT", "50000")
    world.alert("50000")
    world.price("BTC/USDT", "49400")


def a_target_reached(world: World) -> None:
    a_grid_half_filled(world)
    world.price("BTC/USDT", "52000")


def a_second_group_after_the_first_has_closed(world: World) -> None:
    a_target_reached(world)
    world.alert("52000")
    world.price("BTC/USDT", "51700")


def entries_in_the_queue(world: World) -> None:
    a_grid_half_filled(world)
    world.price("ETH/USDT", "2000")
    world.alert("2000", tv__symbol="ETHUSDT")
    world.alert("1990", tv__symbol="ETHUSDT")
    world.alert("49000", action="sell", tv__timeframe="60")


def an_exit_and_a_resend(world: World) -> None:
    a_grid_half_filled(world)
    world.alert("49500", action="sell", after_ms=2000)
    world.alert("49500", action="sell", after_ms=0)
    world.alert("nonsense")


SCENES: tuple[Callable[[World], None], ...] = (
    a_grid_half_filled,
    a_target_reached,
    a_second_group_after_the_first_has_closed,
    entries_in_the_queue,
    an_exit_and_a_resend,
)


@pytest.mark.parametrize("together", [False, True], ids=["step by step", "in one transaction"])
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
async def test_a_restart_finds_the_state_that_was_left(
    place: Place, scene: Callable[[World], None], together: bool
) -> None:
    paper = AccountSettings(name="paper", exchange="paper", balances=PAPER.balances)
    world = World(Settings(accounts=(paper,), pool=PoolSettings(max_open_groups=1)), fees=None)
    scene(world)
    store = await asyncio.to_thread(open_store, place)
    await keep(store, world, together=together)
    await store.close()

    again = await asyncio.to_thread(open_store, place)
    state = await found(again, world)
    await again.close()

    before = world.state
    assert repr(list(state.groups.values())) == repr(list(before.groups.values()))
    assert repr(list(state.orders.values())) == repr(list(before.orders.values()))
    assert state.orders_of == before.orders_of
    assert state.entries_of == before.entries_of
    assert state.working_of == before.working_of
    assert state.live == before.live
    assert state.by_symbol == {symbol: there for symbol, there in before.by_symbol.items() if there}
    assert state.numbers == before.numbers
    assert state.waiting == before.waiting
    assert state.pending == before.pending
    assert state.seen == before.seen
    assert repr(sorted(state.moved.items())) == repr(sorted(before.moved.items()))
    assert {key: amount for key, amount in state.reserved.items() if amount} == {
        key: amount for key, amount in before.reserved.items() if amount
    }
    assert state.control == before.control
    assert state.instruments == before.instruments
    assert state.next_signal_id == before.next_signal_id


async def test_realised_profit_is_the_sum_over_all_fills_to_the_last_digit(place: Place) -> None:
    world = World(fees=None)
    a_target_reached(world)
    store = await asyncio.to_thread(open_store, place)
    await keep(store, world)

    whole = world.realised()
    assert whole > 0
    assert await store.realised() == {"USDT": whole}
    assert await store.realised(world.now_ms + 1) == {}
    assert await store.realised(0) == {"USDT": whole}
    assert await store.closed_groups() == 1
    assert world.group().status is GroupStatus.CLOSED
    await store.close()


async def test_the_window_finds_the_last_signals_and_lines_oldest_first(place: Place) -> None:
    world = World(instruments=(BTC, ETH))
    a_second_group_after_the_first_has_closed(world)
    store = await asyncio.to_thread(open_store, place)
    await keep(store, world)

    signals = await store.last_signals(1)
    assert [(row.id, row.meaning, row.outcome, row.symbol) for row in signals] == [(2, "entry", "opened", "BTC/USDT")]
    assert [row.id for row in await store.last_signals(10)] == [1, 2]
    lines = await store.last_log(2)
    assert [row.text for row in lines] == [note.text for note in world.notes[-2:]]
    assert lines[0].id < lines[1].id
    await store.close()
