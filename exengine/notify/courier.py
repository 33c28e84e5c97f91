"""A thread that writes to one place: however long that takes, nobody waits for it."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from exengine.engine.rows import LogRow
from exengine.notify.delivery import Deliver, NotDelivered
from exengine.notify.message import Label, message_of
from exengine.notify.outbox import Outbox, Pace

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sink:
    """A place that notices go to."""

    url: str = field(repr=False)
    """An apprise URL with its secrets."""
    events: frozenset[str]
    """What it wants to be told: severities, categories and topics by their values."""


Told = Callable[[str | None], None]
"""Why a place does not take anything, once; None when it does again."""


class Courier:
    """Sends what is put into it, one message at a time. A daemon: it never keeps the program from ending."""

    def __init__(self, sink: Sink, deliver: Deliver, label: Label, told: Told, pace: Pace | None = None) -> None:
        """`told` is called from the thread."""
        self.sink = sink
        self._deliver = deliver
        self._label = label
        self._told = told
        self._outbox = Outbox(pace=pace or Pace())
        self._change = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="notices", daemon=True)
        self._thread.start()

    def put(self, row: LogRow) -> None:
        """Takes a line over, at once."""
        with self._change:
            if not self._closing:
                self._outbox.put(row, time.monotonic())
                self._change.notify()

    def close(self) -> None:
        """Sends what waits, without gathering more and without trying again, and ends. Returns at once."""
        with self._change:
            self._closing = True
            self._change.notify()

    def ended(self, within_s: float) -> bool:
        """Waits for the end; whether it has come."""
        self._thread.join(within_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (taken := self._next()) is not None:
            rows, dropped = taken
            try:
                self._deliver(self.sink.url, message_of(rows, self._label, dropped=dropped))
            except NotDelivered as error:
                self._failed(rows, dropped, str(error))
            except Exception as error:  # noqa: BLE001  # a defect of ours must not silence the place for good
                log.error("a notice could not be made: %s", type(error).__name__)
                self._failed(rows, dropped, f"a defect in ExEngine ({type(error).__name__})")
            else:
                with self._change:
                    is_back = self._outbox.delivered(time.monotonic())
                if is_back:
                    self._told(None)

    def _failed(self, rows: list[LogRow], dropped: int, why: str) -> None:
        with self._change:
            is_first = self._outbox.failed(rows, dropped, time.monotonic())
        if is_first:
            self._told(why)

    def _next(self) -> tuple[list[LogRow], int] | None:
        """Waits until a message may go; None at the end."""
        with self._change:
            while True:
                due_s = self._outbox.due_s()
                if self._closing:
                    return self._outbox.take() if due_s is not None and not self._outbox.failures else None
                left_s = None if due_s is None else due_s - time.monotonic()
                if left_s is not None and left_s <= 0:
                    return self._outbox.take()
                self._change.wait(left_s)
