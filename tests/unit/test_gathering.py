"""In a burst, alerts are stored together: the first waits a moment for those of senders that were just answered."""

import asyncio
from collections import deque

import pytest

from exengine.domain.events import Event, QueueDue, SignalArrived
from exengine.domain.reception import Arrival
from exengine.engine import gathering
from exengine.engine.gathering import ENOUGH, FEW, Gathering
from exengine.engine.item import Item

ALERT = SignalArrived(arrival=Arrival(received_at_ms=1, source_address="", body="{}"))
MANY = FEW + 4


class Queue:
    """One that somebody waits on, and the time that no waiting can use up."""

    def __init__(self) -> None:
        self.items: deque[Item] = deque()
        self.gathering = Gathering()

    def put(self, event: Event = ALERT, count: int = 1) -> None:
        self.items.extend(Item(event=event) for _ in range(count))

    async def is_waited_on(self) -> bool:
        """Whether the wait outlasts some looks at the queue."""
        waiting = asyncio.create_task(self.gathering.wait(self.items))
        for _ in range(20):
            await asyncio.sleep(0)
        try:
            return not waiting.done()
        finally:
            waiting.cancel()


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Queue:
    monkeypatch.setattr(gathering, "AT_MOST_S", 3600)
    monkeypatch.setattr(gathering, "LOOK_AGAIN_S", 0)
    return Queue()


async def test_an_alert_waits_for_those_who_were_answered_and_those_who_waited_then(queue):
    queue.gathering.answered(MANY // 2, waiting=MANY // 2)
    queue.put(count=MANY - 1)
    assert await queue.is_waited_on()
    queue.put()
    assert not await queue.is_waited_on()


async def test_an_alert_alone_waits_for_nobody(queue):
    queue.put()
    assert not await queue.is_waited_on()


@pytest.mark.parametrize("answered", [1, FEW])
async def test_after_a_few_nobody_is_waited_for(queue, answered):
    queue.gathering.answered(answered, waiting=0)
    queue.put()
    assert not await queue.is_waited_on()


async def test_after_a_transaction_without_alerts_nobody_is_waited_for(queue):
    queue.gathering.answered(MANY, waiting=0)
    queue.gathering.answered(0, waiting=MANY)
    queue.put()
    assert not await queue.is_waited_on()


async def test_anything_else_in_the_queue_waits_for_nobody(queue):
    queue.gathering.answered(MANY, waiting=0)
    queue.put()
    queue.put(QueueDue())
    assert not await queue.is_waited_on()


async def test_an_empty_queue_waits_for_nobody(queue):
    queue.gathering.answered(MANY, waiting=0)
    assert not await queue.is_waited_on()


async def test_of_very_many_senders_enough_are_waited_for(queue):
    queue.gathering.answered(ENOUGH, waiting=ENOUGH)
    queue.put(count=ENOUGH)
    assert not await queue.is_waited_on()


async def test_it_ends_after_its_time_whoever_is_missing(queue, monkeypatch):
    monkeypatch.setattr(gathering, "AT_MOST_S", 0)
    queue.gathering.answered(MANY, waiting=0)
    queue.put()
    assert not await queue.is_waited_on()
