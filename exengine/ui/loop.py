"""asyncio on Qt's event loop with exact timers, so that the engine and the window share one thread fairly.

Stock qasync gives each callback a coarse timer of its own: sleeps end early, cancelled timers stay until they expire,
and a task that opens a nested event loop loses every wake-up of the other tasks meanwhile. Here all callbacks go
through one first-in-first-out queue, all timers through one heap and one precise QTimer.
"""

import asyncio
import heapq
import itertools
import logging
import math
import sys
import time
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar

import qasync
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QApplication

from exengine.ui.garbage import collected_here
from exengine.ui.one_shot import one_shot

T = TypeVar("T")

BUDGET_S = 0.008
"""How long callbacks may run before Qt's own events (input, paint, sockets) have their turn."""

LONGEST_WAIT_S = 86_400.0
"""A QTimer's milliseconds overflow after 24.8 days: longer waits are armed in pieces."""

logger = logging.getLogger(__name__)


class _Waker(QObject):
    """Brings other threads' wake-ups into the loop's thread."""

    woken = Signal()


class Loop(qasync.QEventLoop):
    """The event loop of the desktop program. Callbacks are never run inside one another.

    While a callback runs, a nested Qt loop (a dialog's `exec()`, a native menu) goes on painting and taking input, but
    no other callback runs until that one returns; then all that came meanwhile runs in order. Nothing is lost.
    """

    def __init__(self, app: QApplication) -> None:
        self._queue: deque[asyncio.Handle] = deque()
        self._heap: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._order = itertools.count()
        self._cancelled_in_heap = 0
        self._armed_at = math.inf
        self._inside = False
        self._wake_sent = False
        self._fatal: BaseException | None = None
        self._clock = one_shot(None, self._on_clock, precise=True)
        self._waker = _Waker()
        self._waker.woken.connect(self._on_woken, Qt.ConnectionType.QueuedConnection)
        super().__init__(app)

    # Scheduling

    def time(self) -> float:
        """The loop's clock. Unlike `time.monotonic` it does not step by 15.6 ms on Windows."""
        return time.perf_counter()

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> asyncio.Handle:
        """Runs `callback` in the next pass, after all that was asked for before it."""
        self._check_closed()
        if self._debug:
            self._check_thread()
            self._check_callback(callback, "call_soon")
        handle = asyncio.Handle(callback, args, self, context)
        self._queue.append(handle)
        self._arm()
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """`call_soon` from any thread; it wakes the loop."""
        self._check_closed()
        if self._debug:
            self._check_callback(callback, "call_soon_threadsafe")
        handle = asyncio.Handle(callback, args, self, context)
        self._queue.append(handle)
        if not self._wake_sent:
            self._wake_sent = True
            self._waker.woken.emit()
        return handle

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Runs `callback` once, `delay` seconds from now and never earlier."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Runs `callback` once the loop's clock has reached `when`. Equal moments keep their order."""
        self._check_closed()
        if self._debug:
            self._check_thread()
            self._check_callback(callback, "call_at")
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._heap, (when, next(self._order), handle))
        handle._scheduled = True  # type: ignore[attr-defined]  # asyncio's own mark: it waits in a heap
        self._arm()
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """TimerHandle.cancel() tells us here, before it marks itself. Once half the heap is cancelled it is rebuilt."""
        if not handle._scheduled:  # type: ignore[attr-defined]
            return
        self._cancelled_in_heap += 1
        if self._cancelled_in_heap * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2] is not handle and not entry[2].cancelled()]
            heapq.heapify(self._heap)
            self._cancelled_in_heap = 0

    def _add_callback(self, handle: asyncio.Handle, delay: float = 0) -> asyncio.Handle:
        """asyncio's way to queue a handle that it made itself (signal handlers, readers)."""
        self._queue.append(handle)
        self._arm()
        return handle

    # Passes

    def _arm(self) -> None:
        """Sets the QTimer for the next thing to do. Inside a pass there is no need: the pass ends with it."""
        if self._inside:
            return
        if self._queue:
            at = 0.0
        elif self._heap:
            at = self._heap[0][0]
        else:
            return
        if at < self._armed_at:
            self._armed_at = at
            wait_s = min(max(at - self.time(), 0.0), LONGEST_WAIT_S) if at else 0.0
            self._clock.start(math.ceil(wait_s * 1000))

    def _on_woken(self) -> None:
        self._wake_sent = False
        self._arm()

    def _on_clock(self) -> None:
        """One pass: what is due, in order, for as long as the budget lasts."""
        self._armed_at = math.inf
        if self._inside or not self.is_running():
            return
        self._inside = True
        try:
            self._queue_due()
            self._run_queue(self.time() + BUDGET_S)
        except BaseException as error:  # noqa: BLE001  # only SystemExit and KeyboardInterrupt pass through a handle
            # Raised here it would end in Qt's slot machinery; run_forever raises it where it can be caught.
            self._fatal = error
            self.stop()
        finally:
            self._inside = False
        self._arm()

    def _queue_due(self) -> None:
        now = self.time()
        heap = self._heap
        while heap and heap[0][0] <= now:
            handle = heapq.heappop(heap)[2]
            handle._scheduled = False  # type: ignore[attr-defined]
            if handle.cancelled():
                self._cancelled_in_heap -= 1
            else:
                self._queue.append(handle)

    def _run_queue(self, until: float) -> None:
        queue = self._queue
        while queue and self.is_running():
            handle = queue.popleft()
            if handle.cancelled():
                continue
            if self._debug:
                self._run_watched(handle)
            else:
                handle._run()
            if self.time() >= until:
                return

    def _run_watched(self, handle: asyncio.Handle) -> None:
        """In debug mode a callback that holds up the window is named in the log."""
        began = self.time()
        handle._run()
        took_s = self.time() - began
        if took_s >= self.slow_callback_duration:
            logger.warning("%s took %.3f s", handle, took_s)

    # Running

    def run_forever(self) -> None:
        """Runs Qt and asyncio together until `stop()`."""
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(firstiter=self._asyncgen_firstiter_hook, finalizer=self._asyncgen_finalizer_hook)
        self._armed_at = math.inf
        self._arm()
        try:
            super().run_forever()
        finally:
            sys.set_asyncgen_hooks(*hooks)
        if self._fatal is not None:
            error, self._fatal = self._fatal, None
            raise error

    def close(self) -> None:
        if not self.is_running() and not self.is_closed():
            self._clock.stop()
            self._queue.clear()
            self._heap.clear()
        super().close()

    # asyncio's own thread pool rather than qasync's, so that shutdown_default_executor() waits for it.
    run_in_executor = asyncio.BaseEventLoop.run_in_executor
    set_default_executor = asyncio.BaseEventLoop.set_default_executor

    # asyncio's own error reporting: one handler, seen by get_exception_handler() too.
    set_exception_handler = asyncio.BaseEventLoop.set_exception_handler
    default_exception_handler = asyncio.BaseEventLoop.default_exception_handler
    call_exception_handler = asyncio.BaseEventLoop.call_exception_handler


def run(app: QApplication, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Runs the coroutine that `main` makes, with the window alive, until it ends; cancels what is left; its result."""
    with collected_here(), asyncio.Runner(loop_factory=lambda: Loop(app)) as runner:
        return runner.run(main())


_spawned: set[asyncio.Task[Any]] = set()
"""asyncio keeps only weak references to tasks: one that nobody holds may vanish while it waits."""


def spawn(
    coroutine: Coroutine[Any, Any, Any], *, name: str, on_error: Callable[[BaseException], None] | None = None
) -> asyncio.Task[Any]:
    """Starts what a click asked for, keeps it until it ends, and reports its error: to `on_error`, else the loop."""
    loop = asyncio.get_running_loop()
    task = loop.create_task(coroutine, name=name)
    _spawned.add(task)

    def ended(task: asyncio.Task[Any]) -> None:
        _spawned.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        if on_error is not None:
            on_error(error)
        else:
            loop.call_exception_handler({"message": f"task {name!r} failed", "exception": error, "task": task})

    task.add_done_callback(ended)
    return task
