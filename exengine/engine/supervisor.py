"""Keeps the program's background tasks alive: named, restarted with back-off, and ended together."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Generator
from typing import Any

from exengine.engine.changes import EngineStopped

log = logging.getLogger(__name__)

BACK_OFF_S = (0.5, 1, 2, 5, 10, 30)
CANCEL_AGAIN_S = 10.0
"""How long a task may tidy up before it is told again."""
STEADY_S = 60.0
"""How long a task must have run for its back-off to begin anew."""


class Supervisor:
    """Starts tasks and starts them again when they fail."""

    def __init__(
        self,
        on_failure: Callable[[str, BaseException], None] | None = None,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._pause = pause
        self._on_failure = on_failure or (lambda name, error: None)
        self.restarts: dict[str, int] = {}
        self._alive_at: dict[str, float] = {}

    def start(self, name: str, make: Callable[[], Awaitable[None]]) -> None:
        """Runs `make()` until it ends by itself or the supervisor stops; where it fails, it is run again.

        The first failure of a row is told; all of them are logged.
        """
        self._tasks[name] = asyncio.create_task(self._keep(name, make), name=name)

    async def _keep(self, name: str, make: Callable[[], Awaitable[None]]) -> None:
        loop, failures = asyncio.get_running_loop(), 0
        while True:
            began = loop.time()
            try:
                await _Watched(make(), self._note_alive(name))
                return
            except EngineStopped:  # the program ends, and nobody takes what this task brings
                return
            except Exception as error:  # whatever it was: the task must come back
                if loop.time() - began > STEADY_S:
                    failures = 0
                pause = BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)]
                failures += 1
                self.restarts[name] = self.restarts.get(name, 0) + 1
                log.error("task %s failed and is started again in %s s", name, pause, exc_info=error)
                if failures == 1:
                    self._on_failure(name, error)
                await self._pause(pause)

    def _note_alive(self, name: str) -> Callable[[], None]:
        """What a task calls each time that it goes on: very often, so that little is looked up."""
        alive_at, time = self._alive_at, asyncio.get_running_loop().time

        def note() -> None:
            alive_at[name] = time()

        return note

    def silent_s(self, name: str) -> float | None:
        """How long ago a task last did anything at all; None where it never was begun.

        One that waits is silent too: how long it may be is known to whoever knows what it waits for.
        """
        at_s = self._alive_at.get(name)
        return None if at_s is None else asyncio.get_running_loop().time() - at_s

    @property
    def running(self) -> list[str]:
        return [name for name, task in self._tasks.items() if not task.done()]

    async def stop(self, name: str) -> None:
        """Ends one task. One that swallows the cancel, as `wait_for` may at the end of its wait, is told again."""
        task = self._tasks.pop(name, None)
        while task is not None and not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=CANCEL_AGAIN_S)

    async def stop_all(self) -> None:
        """Ends every task, the latest first."""
        for name in reversed(list(self._tasks)):
            await self.stop(name)


class _Watched:
    """Awaits what a task does, and tells each time that the loop lets it go on."""

    def __init__(self, work: Awaitable[None], alive: Callable[[], None]) -> None:
        self._work = work
        self._alive = alive

    def __await__(self) -> Generator[Any, Any, None]:
        steps: Any = self._work.__await__()
        thrown: BaseException | None = None
        while True:
            self._alive()
            try:
                waits_for = next(steps) if thrown is None else steps.throw(thrown)
            except StopIteration:
                return
            thrown = None
            try:
                yield waits_for
            except GeneratorExit:
                steps.close()
                raise
            except BaseException as error:  # noqa: BLE001  # a cancellation is for the work itself
                thrown = error
