"""Passes lines of the log on to the places that want them; the engine's side of all that is one quick call."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import TypeVar

from exengine.domain.errors import UserError
from exengine.domain.journal import Severity
from exengine.engine.notices import is_wanted
from exengine.engine.rows import LogRow
from exengine.notify.courier import Courier, Sink
from exengine.notify.delivery import Deliver, NotDelivered, deliver, service_of
from exengine.notify.message import PROGRAM, Label, Message
from exengine.notify.outbox import Pace

log = logging.getLogger(__name__)

T = TypeVar("T")

STOP_S = 3.0
"""How long a stop waits for the last messages."""

TEST_S = 30.0
"""How long a test waits for its service."""

Told = Callable[[str, str | None], None]
"""(place in words, why nothing arrives there; None = it does again)."""


class Notifier:
    """Lives as long as the program, whatever becomes of the engine meanwhile. All of it is called on the loop."""

    def __init__(self, label: Label, told: Told, *, deliver: Deliver = deliver, pace: Pace | None = None) -> None:
        """`told` is called on the loop when a place begins or ends to fail."""
        self._label = label
        self._told = told
        self._deliver = deliver
        self._pace = pace
        self._couriers: list[Courier] = []

    def set_sinks(self, sinks: Iterable[Sink]) -> None:
        """From now on these are the places; one that stays keeps what it has not sent yet."""
        wanted = list(sinks)
        kept = [one for one in self._couriers if one.sink in wanted]
        for courier in self._couriers:
            if courier not in kept:
                courier.close()
        known = [one.sink for one in kept]
        self._couriers = kept + [self._courier(sink) for sink in wanted if sink not in known]

    def _courier(self, sink: Sink) -> Courier:
        loop = asyncio.get_running_loop()

        def told(why: str | None) -> None:
            place = _place(sink.url)
            try:
                loop.call_soon_threadsafe(self._told, place, why)
            except RuntimeError:  # the loop has ended: there is nobody left to tell
                log.warning("notices to %s: %s", place, why or "arrive again")

        return Courier(sink, self._deliver, self._label, told, self._pace)

    def hear(self, row: LogRow) -> None:
        """A line was written: it goes to whoever wants it, some time."""
        for courier in self._couriers:
            if is_wanted(row, courier.sink.events):
                courier.put(row)

    async def test(self, url: str) -> str:
        """Sends a test notice to an address with its secrets; what became of it. Raises UserError."""
        text = "This is a test. Notices of ExEngine arrive here."
        message = Message(title=f"{PROGRAM} {self._label('')}: test notice", body=text, severity=Severity.INFO)
        try:
            async with asyncio.timeout(TEST_S):
                return await _apart(lambda: self._tested(url, message))
        except TimeoutError:
            why = f"no answer within {TEST_S:g} seconds"
        except NotDelivered as error:
            why = str(error)
        raise UserError(
            f"The test notice did not arrive: {why}.",
            safe="Trading is not touched by it.",
            remedy="Compare the address with the service’s own page, and that this machine reaches it.",
        )

    def _tested(self, url: str, message: Message) -> str:
        name = service_of(url)
        self._deliver(url, message)
        return f"Sent to {name}."

    async def stop(self) -> None:
        """Sends what waits, as far as that is quick; a place that does not answer is not waited for."""
        couriers, self._couriers = self._couriers, []
        for courier in couriers:
            courier.close()
        if couriers:
            await _apart(lambda: [courier.ended(STOP_S / len(couriers)) for courier in couriers])


def _place(url: str) -> str:
    try:
        return service_of(url)
    except NotDelivered:
        return "an address that no service has"


async def _apart(work: Callable[[], T]) -> T:
    """`work` in a thread that nobody waits for at the end of the program, unlike the loop's own."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(settled: Callable[[], None]) -> None:
        if not done.done():
            settled()

    def run() -> None:
        try:
            result = work()
        except Exception as error:  # noqa: BLE001  # it is raised where it is waited for
            outcome = partial(done.set_exception, error)
        else:
            outcome = partial(done.set_result, result)
        with suppress(RuntimeError):  # the loop has ended: nobody waits any more
            loop.call_soon_threadsafe(settle, outcome)

    threading.Thread(target=run, name="notices", daemon=True).start()
    return await done
