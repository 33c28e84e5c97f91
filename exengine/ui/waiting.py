"""Work that may take longer than the eye waits for: after 300 ms a line under the dock's title, and Cancel."""

from collections.abc import Callable, Coroutine
from typing import Any

from PySide6.QtCore import QObject

from exengine.ui.dock import Dock
from exengine.ui.loop import spawn
from exengine.ui.one_shot import one_shot
from exengine.ui.performance_pieces import BusyLine
from exengine.ui.pieces import button
from exengine.ui.theme import Look

SLOW_MS = 300


class Waiting(QObject):
    """One piece of work at a time; what is cancelled tells nobody anything any more."""

    def __init__(self, dock: Dock, look: Look, what: str) -> None:
        """`what` is what Cancel stops, in words. `line` goes under the title, Cancel into it."""
        super().__init__(dock)
        self.line = BusyLine(look)
        self.stop = button(look, "Cancel", small=True)
        self.stop.setToolTip(f"Stop {what}")
        self.stop.clicked.connect(self.cancel)
        self.stop.hide()
        dock.heading.add_tool(self.stop)
        self._number = 0
        self._task: Any = None
        self._slow = one_shot(self, self._show, after_ms=SLOW_MS)
        dock.destroyed.connect(self._slow.stop)

    @property
    def is_busy(self) -> bool:
        return self._task is not None

    def begin(
        self,
        work: Coroutine[Any, Any, Any],
        name: str,
        done: Callable[[Any], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        """Starts it; what was under way before is cancelled."""
        self.cancel()
        self._number += 1
        number = self._number

        async def carry_out() -> None:
            result = await work
            if number == self._number:
                self._end()
                done(result)

        def on_error(error: BaseException) -> None:
            if number == self._number:
                self._end()
                failed(error)

        self._slow.start()
        self._task = spawn(carry_out(), name=name, on_error=on_error)

    def cancel(self) -> None:
        self._number += 1
        if self._task is not None:
            self._task.cancel()
        self._end()

    def _end(self) -> None:
        self._task = None
        self._slow.stop()
        self.line.show_share(None)
        self.stop.hide()

    def _show(self) -> None:
        self.line.show_share(1.0)
        self.stop.show()
