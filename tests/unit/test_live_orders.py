"""Orders that are sent together: the first goes ahead, and none waits for another's answer."""

import asyncio
from decimal import Decimal
from typing import Any

from exengine.domain.errors import UnknownOutcome
from exengine.domain.events import OrderAccepted
from exengine.domain.instrument import OrderSide
from exengine.domain.order import Order, OrderType, Role
from exengine.exchange.live.orders import OrderDesk
from exengine.exchange.live.profiles import BINANCE
from exengine.exchange.live.tracker import Tracker


class SlowExchange:
    """Signs when it is asked, writes in the loop's next pass as aiohttp does, and answers when it is told to."""

    profile = BINANCE

    def __init__(self) -> None:
        self.log: list[str] = []
        self.answers = asyncio.Event()
        self.all_written = asyncio.Event()

    async def ask(self, question: str, **request: Any) -> dict[str, Any]:
        client_id = request["params"]["clientOrderId"]
        self.log.append(f"sign {client_id}")
        asyncio.get_running_loop().call_soon(self._write, client_id)
        await self.answers.wait()
        if client_id == "x3":
            raise UnknownOutcome("cut")
        return {"info": {}, "id": f"their {client_id}", "clientOrderId": client_id, "status": "open", "filled": "0"}

    def _write(self, client_id: str) -> None:
        self.log.append(f"write {client_id}")
        if sum(line.startswith("write") for line in self.log) == 5:
            self.all_written.set()


def ladder() -> list[Order]:
    return [
        Order(
            client_id=f"x{leg}",
            group_id="g#1",
            account="a",
            symbol="BTC/USDT",
            role=Role.ENTRY,
            side=OrderSide.BUY,
            type=OrderType.LIMIT,
            price=Decimal(50000 - leg),
            qty=Decimal("0.001"),
            created_at_ms=1,
        )
        for leg in range(1, 6)
    ]


async def test_the_first_order_is_written_before_the_second_is_signed_and_no_answer_is_waited_for():
    exchange = SlowExchange()
    desk = OrderDesk(exchange, Tracker(), None, lambda events: None, now_s=lambda: 0.0)  # type: ignore[arg-type]
    placing = [asyncio.create_task(desk.place([order])) for order in ladder()]
    await exchange.all_written.wait()
    assert exchange.log[:3] == ["sign x1", "write x1", "sign x2"]
    assert not any(each.done() for each in placing)

    exchange.answers.set()
    answers = [answer for (answer,) in await asyncio.gather(*placing)]
    assert [type(answer) for answer in answers] == [list, list, UnknownOutcome, list, list]
    assert answers[4] == [OrderAccepted(client_id="x5", exchange_order_id="their x5")]


async def test_an_order_that_is_given_up_while_it_waits_for_the_first_holds_up_none():
    exchange = SlowExchange()
    exchange.answers.set()
    desk = OrderDesk(exchange, Tracker(), None, lambda events: None, now_s=lambda: 0.0)  # type: ignore[arg-type]
    placing = [asyncio.create_task(desk.place([order])) for order in ladder()]
    await asyncio.sleep(0)
    placing[1].cancel()
    done = await asyncio.gather(*placing, return_exceptions=True)
    assert isinstance(done[1], asyncio.CancelledError)
    assert "sign x2" not in exchange.log
    assert exchange.log[-1] == "write x5"
