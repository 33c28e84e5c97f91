"""An event loop whose time stands still while anything can run, and jumps to the next timer when nothing can."""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from functools import partial
from typing import Any

RESOLUTION_S = 1e-9
"""Timers that lie no farther apart are of one moment, as the clock of a real loop has it."""


class Stuck(Exception):
    """Nothing can run and no timer is set: whoever waits, waits for ever."""


class _Call:
    """Something to be called, soon or at its time. All that asyncio asks of a handle."""

    __slots__ = ("args", "callback", "context", "is_off")

    def __init__(self, callback: Callable[..., Any], args: tuple[Any, ...], context: Context | None) -> None:
        self.callback = callback
        self.args = args
        self.context = copy_context() if context is None else context
        self.is_off = False

    def cancel(self) -> None:
        self.is_off = True

    def cancelled(self) -> bool:
        return self.is_off


class SimulatedLoop(asyncio.BaseEventLoop):
    """Deterministic: no threads, no sockets, no real time; callbacks run in the order in which they were asked for.

    Timers of one moment run in the order in which they were set. It is also several times quicker than the loop that
    it stands for: lives are played by the hundred thousand.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.on_error: Callable[[BaseException], None] = lambda error: None
        """Told of what a callback raises that nobody waits for."""
        self._calls: deque[_Call] = deque()
        self._timers: list[tuple[float, int, _Call]] = []
        self._set_timers = 0
        self.create_future = partial(asyncio.Future, loop=self)  # type: ignore[method-assign]

    get_debug = staticmethod(bool)  # type: ignore[assignment]  # asked at each future: never

    def time(self) -> float:
        return self.now_s

    def call_soon(self, callback: Any, *args: Any, context: Context | None = None) -> Any:
        call = _Call(callback, args, context)
        self._calls.append(call)
        return call

    def call_later(self, delay: float, callback: Any, *args: Any, context: Context | None = None) -> Any:
        return self.call_at(self.now_s + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Any, *args: Any, context: Context | None = None) -> Any:
        call = _Call(callback, args, context)
        self._set_timers += 1
        heapq.heappush(self._timers, (when, self._set_timers, call))
        return call

    def stop(self) -> None:
        self._is_to_stop = True

    def run_forever(self) -> None:
        """Runs until `stop`. Raises Stuck where nothing ever can run any more."""
        self._is_to_stop = False
        before = asyncio._get_running_loop()
        asyncio._set_running_loop(self)
        try:
            while not self._is_to_stop:
                self._run_what_is_due()
        finally:
            asyncio._set_running_loop(before)

    def _run_what_is_due(self) -> None:
        calls, timers = self._calls, self._timers
        if not calls:
            while timers and timers[0][2].is_off:
                heapq.heappop(timers)
            if not timers:
                raise Stuck
            self.now_s = max(self.now_s, timers[0][0])
        now_s = self.now_s
        while timers and timers[0][0] < now_s + RESOLUTION_S:
            calls.append(heapq.heappop(timers)[2])
        for _ in range(len(calls)):
            call = calls.popleft()
            if not call.is_off:
                try:
                    call.context.run(call.callback, *call.args)
                except Exception as error:  # noqa: BLE001  # as asyncio: told, and all else goes on
                    self.on_error(error)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """What asyncio itself complains of, as of a task whose error nobody has looked at."""
        error = context.get("exception")
        self.on_error(error if isinstance(error, BaseException) else RuntimeError(str(context.get("message"))))


OWNER: ContextVar[object | None] = ContextVar("owner", default=None)
"""Whose a task is: inherited by every task that it makes."""


def keep_by_owner(loop: asyncio.AbstractEventLoop, kept: Callable[[object | None, asyncio.Task[Any]], None]) -> None:
    """Tells `kept` of every task that is made, and whose it is."""

    def make(loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=loop, **options)
        kept(OWNER.get(), task)
        return task

    loop.set_task_factory(make)
