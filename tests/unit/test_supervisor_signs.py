"""Of each background task it is known when it last did anything, without its help."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from exengine.engine.supervisor import Supervisor
from tests.simulation.loop import SimulatedLoop


def played(play: Callable[[], Awaitable[None]]) -> None:
    """On a loop whose time only passes while everybody waits."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        runner.run(_awaited(play))


async def _awaited(play: Callable[[], Awaitable[None]]) -> None:
    await play()


def test_each_step_of_a_task_is_a_sign_of_life() -> None:
    async def play() -> None:
        watched = Supervisor()

        async def beats() -> None:
            while True:  # noqa: ASYNC110  # as the timers of the program do
                await asyncio.sleep(10)

        watched.start("timer", beats)
        assert watched.silent_s("timer") is None
        await asyncio.sleep(4)
        assert watched.silent_s("timer") == pytest.approx(4)
        await asyncio.sleep(7)
        assert watched.silent_s("timer") == pytest.approx(1)
        await watched.stop_all()

    played(play)


def test_a_task_that_hangs_is_silent_while_the_others_are_not() -> None:
    async def play() -> None:
        watched = Supervisor()

        async def hangs() -> None:
            await asyncio.sleep(1)
            await asyncio.Event().wait()

        async def beats() -> None:
            while True:  # noqa: ASYNC110
                await asyncio.sleep(1)

        watched.start("hangs", hangs)
        watched.start("beats", beats)
        await asyncio.sleep(60.5)
        assert watched.silent_s("hangs") == pytest.approx(59.5)
        assert watched.silent_s("beats") == pytest.approx(0.5)
        await watched.stop_all()

    played(play)


def test_a_task_that_nobody_has_begun_has_given_no_sign() -> None:
    async def play() -> None:
        assert Supervisor().silent_s("nothing") is None

    played(play)


def test_a_task_is_cancelled_ends_and_fails_as_if_nobody_watched() -> None:
    async def play() -> None:
        seen: list[Any] = []

        async def shielded() -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await asyncio.sleep(5)  # tidying up takes its time
                seen.append("tidied")
                raise

        async def catches() -> None:
            try:
                async with asyncio.timeout(3):
                    await asyncio.gather(asyncio.sleep(1), asyncio.Event().wait())
            except TimeoutError:
                seen.append("timed out")

        async def fails() -> None:
            await asyncio.sleep(1)
            raise OSError("gone")

        watched = Supervisor(lambda name, error: seen.append((name, str(error))))
        for name, work in (("shielded", shielded), ("catches", catches), ("fails", fails)):
            watched.start(name, work)
        await asyncio.sleep(4)
        assert seen[0] == ("fails", "gone")
        assert "timed out" in seen
        assert watched.running == ["shielded", "fails"]
        await watched.stop("shielded")
        assert seen[-1] == "tidied"
        await watched.stop_all()
        assert watched.running == []

    played(play)
