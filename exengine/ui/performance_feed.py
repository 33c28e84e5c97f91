"""Reads the history a page at a time and has its figures worked out in a thread: the loop stays free for trading."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from importlib import import_module
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Signal

from exengine.analytics.calendar import Calendar
from exengine.analytics.equity import Equity, Now
from exengine.analytics.history import EquityPage, History, ResultPage
from exengine.analytics.report import Report, Wanted, report
from exengine.analytics.trades import Trades
from exengine.engine.log_pages import LogPages
from exengine.ui.loop import spawn
from exengine.ui.one_shot import one_shot

PAGE = 2_000
SLOW_MS = 300
TELL_S = 0.1
"""How often the progress is told at most."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the dock's figures come from."""

    history: History
    timezone: str
    """The trader's, by its IANA name."""
    log: LogPages | None = None
    """Where the Log dock reads further back; without one it shows what it was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the reading has come, in rows."""

    done: int
    of: int


def _load_plots() -> None:
    """A tenth of a second of reading modules, the first time: not in the loop's thread."""
    import_module("pyqtgraph")


class PerformanceFeed(QObject):
    """Keeps what was read: afterwards only what is new is read. Works only when it is asked to."""

    ready = Signal(object)
    """A Report."""
    slow = Signal(object)
    """A Progress, since it takes longer than the eye waits for; None when that is over."""
    failed = Signal(object)
    """The exception."""
    stopped = Signal()
    """The trader has stopped the reading."""

    def __init__(
        self,
        source: Source,
        now: Callable[[], Now],
        rate: Callable[[str, str], Decimal | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.calendar = Calendar(source.timezone)
        self.wanted = Wanted()
        self._history, self._now, self._rate = source.history, now, rate
        self._trades, self._equity = Trades(), Equity()
        self._results_seq = self._marks_seq = 0
        self._progress = Progress(done=0, of=0)
        self._task: asyncio.Task[None] | None = None
        self._again = False
        self._job: asyncio.Future[Any] | None = None
        self._timer = one_shot(self, self._tell_slow, after_ms=SLOW_MS)
        self._is_slow = False
        self._told_at = 0.0

    def set_timezone(self, name: str) -> bool:
        """From the next report on the trader's days are those of this zone; whether it is another one."""
        before, self.calendar = self.calendar.zone, Calendar(name)
        return self.calendar.zone != before

    @property
    def is_working(self) -> bool:
        return self._task is not None

    def ask(self, wanted: Wanted | None = None) -> None:
        """Reads what is new and works the figures out; what is asked meanwhile is done right after."""
        self.wanted = wanted or self.wanted
        if self._task is not None:
            self._again = True
            return
        self._timer.start()
        self._task = spawn(self._work(), name="performance", on_error=self._on_failed)
        self._task.add_done_callback(self._on_done)

    def cancel(self) -> None:
        """Stops the reading; what was read stays, and the next time goes on from there."""
        if self._task is not None:
            self._again = False
            self._task.cancel()

    async def settled(self) -> None:
        """Waits until nothing is being read or worked out, however that ends."""
        while self._task is not None:
            await asyncio.wait([self._task])
            await asyncio.sleep(0)  # what follows from its end comes right after it

    # the work ----------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        while True:
            self._again = False
            if self._job is not None:
                await asyncio.wait([self._job])
            await self._aside(_load_plots)
            await self._read()
            now = self._now()
            day = await self._history.day(self.calendar.day(now.at_ms))
            wanted = self.wanted
            found: Report = await self._aside(
                partial(report, self._trades, self._equity, day, wanted, now, self.calendar)
            )
            if not self._again:
                self._end_slow()
                self.ready.emit(found)
                return

    async def _read(self) -> None:
        size = await self._history.size()
        self._progress = Progress(done=self._results_seq + self._marks_seq, of=size.results + size.marks)
        is_end = False
        while not is_end:
            page = await self._history.results_after(self._results_seq, PAGE)
            await self._aside(partial(self._take_results, page))
            is_end = page.is_end
            self._count()
        is_end = False
        while not is_end:
            marks = await self._history.equity_after(self._marks_seq, PAGE)
            await self._aside(partial(self._take_marks, marks))
            is_end = marks.is_end
            self._count()

    def _take_results(self, page: ResultPage) -> None:
        self._trades.add(page.rows, self._rate)
        self._results_seq = page.last

    def _take_marks(self, page: EquityPage) -> None:
        self._equity.add(page.rows)
        self._marks_seq = page.last

    async def _aside(self, work: Callable[[], T]) -> T:
        """In a thread, to its end also where the task is cancelled: the columns must not be left half filled."""
        job = asyncio.get_running_loop().run_in_executor(None, work)
        self._job = job
        return await asyncio.shield(job)

    def _count(self) -> None:
        done = self._results_seq + self._marks_seq
        self._progress = Progress(done=done, of=max(self._progress.of, done))
        if self._is_slow and time.monotonic() - self._told_at >= TELL_S:
            self._told_at = time.monotonic()
            self.slow.emit(self._progress)

    # what is told ------------------------------------------------------------------------------------------------

    def _tell_slow(self) -> None:
        if self._task is not None:
            self._is_slow = True
            self.slow.emit(self._progress)

    def _end_slow(self) -> None:
        self._timer.stop()
        if self._is_slow:
            self._is_slow = False
            self.slow.emit(None)

    def _on_failed(self, error: BaseException) -> None:
        self._end_slow()
        self.failed.emit(error)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._task = None
        self._end_slow()
        if task.cancelled():
            self.stopped.emit()
        elif self._again and task.exception() is None:
            self._again = False
            self.ask()
