"""What becomes of an order that is on its way when nobody waits for it any more, or the account is closed."""

import asyncio
from collections.abc import AsyncIterator
from typing import Literal

import pytest

from exengine.domain.errors import UnknownOutcome
from tests.contract.bench import PATIENCE_S, Bench, bench


@pytest.fixture(params=("binance", "bybit"))
async def there(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """One that sends orders one by one, and one that takes several in a request."""
    async with bench(request.param) as made:
        yield made


class Gate(asyncio.Event):
    """Holds a request up at the exchange, and tells when one has come to it."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()

    async def wait(self) -> Literal[True]:
        self.reached.set()
        return await super().wait()


async def on_its_way(there: Bench, gate: Gate) -> asyncio.Task[object]:
    """An order whose request the exchange has, and has not done yet."""
    there.faults.delay(there.place_kind, gate)
    placing: asyncio.Task[object] = asyncio.create_task(there.exchange.place(there.order()))
    async with asyncio.timeout(PATIENCE_S):
        await gate.reached.wait()
    return placing


async def test_an_order_is_sent_to_its_end_when_its_caller_has_gone(there: Bench):
    gate, arrived = Gate(), asyncio.Event()
    there.venue.listeners.append(lambda _: arrived.set())
    placing = await on_its_way(there, gate)
    placing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await placing
    gate.set()
    async with asyncio.timeout(PATIENCE_S):
        await arrived.wait()
    assert len(there.venue.open_orders()) == 1


async def test_an_order_under_way_when_the_account_closes_is_in_doubt_and_not_refused(there: Bench):
    placing = await on_its_way(there, Gate())
    await there.exchange.close()
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(UnknownOutcome):
            await placing
