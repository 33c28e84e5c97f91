"""An event loop whose time stands still while anything can run, and jumps to the next timer when nothing can."""

import asyncio
import heapq
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any


class Stuck(Exception):
    """Nothing can run and no timer is set: whoever waits, waits for ever."""


class SimulatedLoop(asyncio.BaseEventLoop):
    """Deterministic: no threads, no sockets, no real time; callbacks run in the order in which they were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 0.0
        self._selector = _Jump(self)

    def time(self) -> float:
        return self._now_s

    def jump(self, timeout_s: float | None) -> None:
        if timeout_s is None:
            raise Stuck
        if timeout_s > 0:
            # To the very moment of the timer, so that what was added up along the way is not rounded.
            self._now_s = max(self._now_s, self._scheduled[0]._when) if self._scheduled else self._now_s + timeout_s

    def _process_events(self, event_list: list[Any]) -> None: ...

    def _write_to_self(self) -> None: ...

    def forget_timers(self) -> None:
        """Drops every timer: what was still on its way never arrives."""
        for handle in self._scheduled:
            handle.cancel()
            handle._scheduled = False
        self._scheduled.clear()
        heapq.heapify(self._scheduled)


class _Jump:
    """What stands in the selector's place."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self._loop = loop

    def select(self, timeout_s: float | None) -> list[Any]:
        self._loop.jump(timeout_s)
        return []

    def close(self) -> None: ...


OWNER: ContextVar[object | None] = ContextVar("owner", default=None)
"""Whose a task is: inherited by every task that it makes."""


def keep_by_owner(loop: asyncio.AbstractEventLoop, kept: Callable[[object | None, asyncio.Task[Any]], None]) -> None:
    """Tells `kept` of every task that is made, and whose it is."""

    def make(loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=loop, **options)
        kept(OWNER.get(), task)
        return task

    loop.set_task_factory(make)
