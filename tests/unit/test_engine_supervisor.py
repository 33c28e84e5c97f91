"""Background tasks come back with growing pauses, are told of once, and end together."""

import asyncio

from exengine.engine.changes import EngineStopped
from exengine.engine.supervisor import BACK_OFF_S, Supervisor
from tests.helpers.engine import until


async def test_a_task_that_fails_is_run_again_and_its_first_failure_told():
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    told: list[tuple[str, str]] = []
    watched = Supervisor(lambda name, error: told.append((name, str(error))), pause=pause)
    runs = 0

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs < 5:
            raise OSError(f"run {runs}")
        await asyncio.Event().wait()

    watched.start("market", work)
    await until(lambda: runs == 5)
    assert pauses == list(BACK_OFF_S[:4])
    assert told == [("market", "run 1")]
    assert watched.running == ["market"]
    await watched.stop_all()
    assert watched.running == []


async def test_tasks_end_in_the_reverse_order_of_their_start():
    ended: list[str] = []
    watched = Supervisor()

    async def work(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    watched.start("first", lambda: work("first"))
    watched.start("second", lambda: work("second"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await watched.stop_all()
    assert ended == ["second", "first"]


async def test_a_task_that_comes_to_its_end_is_not_run_again():
    runs = 0

    async def work() -> None:
        nonlocal runs
        runs += 1

    watched = Supervisor()
    watched.start("once", work)
    await until(lambda: not watched.running)
    assert runs == 1


async def test_a_task_whose_engine_has_ended_ends_with_it():
    ended = EngineStopped("ExEngine was stopped.")
    told: list[str] = []
    supervisor = Supervisor(lambda name, error: told.append(name))

    async def streams() -> None:
        raise ended

    supervisor.start("streams", streams)
    await until(lambda: not supervisor.running)
    assert not told
    assert not supervisor.restarts


async def test_a_task_that_swallows_a_cancel_is_told_again(monkeypatch):
    monkeypatch.setattr("exengine.engine.supervisor.CANCEL_AGAIN_S", 0.01)
    supervisor, begun, swallowed = Supervisor(), asyncio.Event(), []

    async def stubborn() -> None:
        while True:
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if swallowed:
                    raise
                swallowed.append(True)

    supervisor.start("stubborn", stubborn)
    await begun.wait()
    async with asyncio.timeout(5):
        await supervisor.stop("stubborn")
    assert swallowed
    assert supervisor.running == []
