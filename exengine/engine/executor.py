"""Carries commands out: each order's traffic in its own turn, all orders at once, every answer back as an event."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import TypeVar, assert_never

from exengine.domain.commands import CancelOrder, Command, PlaceOrder, ResolveOrder
from exengine.domain.errors import Refused, Retryable, UnknownOutcome
from exengine.domain.events import Event, OrderCancelled, OrderLost, OrderRejected, OrderSent
from exengine.domain.order import Order
from exengine.engine.ports import Exchange

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

BACK_OFF_S = (0.5, 1, 2, 5, 10, 30)
"""Pauses between tries of what an exchange would not take for the moment."""


class Executor:
    """Sends what was decided and stored.

    Commands for one order are carried out one after the other, so that a cancel never overtakes its order.
    """

    def __init__(self, exchanges: Iterable[Exchange], deliver: Callable[[Event], Awaitable[None]]) -> None:
        self._exchanges = {exchange.account: exchange for exchange in exchanges}
        self._deliver = deliver
        self._turns: dict[str, asyncio.Task[None]] = {}
        self.on_turn_done: Callable[[], None] = lambda: None
        """Called when an order's traffic has come to an end."""

    @property
    def in_flight(self) -> int:
        """How many orders have traffic under way."""
        return len(self._turns)

    def carry_out(self, commands: Iterable[Command]) -> None:
        """Starts everything at once; answers come through `deliver`."""
        for command in commands:
            client_id = command.order.client_id
            before = self._turns.get(client_id)
            task = asyncio.create_task(self._turn(command, before), name=f"order {client_id}")
            self._turns[client_id] = task
            task.add_done_callback(partial(self._done, client_id))

    def _done(self, client_id: str, task: asyncio.Task[None]) -> None:
        if self._turns.get(client_id) is task:
            del self._turns[client_id]
        if not task.cancelled() and task.exception() is not None:
            log.critical("carrying out a command for order %s failed", client_id, exc_info=task.exception())
        self.on_turn_done()

    async def _turn(self, command: Command, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        exchange = self._exchanges.get(command.order.account)
        if exchange is None:
            return
        match command:
            case PlaceOrder():
                await self._place(exchange, command.order)
            case CancelOrder():
                await self._cancel(exchange, command.order)
            case ResolveOrder():
                await self._resolve(exchange, command.order)
            case _:
                assert_never(command)

    async def _place(self, exchange: Exchange, order: Order) -> None:
        sent = asyncio.ensure_future(self._deliver(OrderSent(client_id=order.client_id)))
        try:
            answers = await self._asking(lambda: exchange.place(order))
        except UnknownOutcome:
            answers = [OrderLost(client_id=order.client_id)]
        except Refused as error:
            answers = [OrderRejected(client_id=order.client_id, code=error.code, text=error.text)]
        await sent
        await self._tell(answers)

    async def _cancel(self, exchange: Exchange, order: Order) -> None:
        try:
            answers = await self._asking(lambda: exchange.cancel(order))
        except (UnknownOutcome, Refused):
            # "Not found" and silence are not "cancelled" (FAULTS 16, 17): ask what became of it.
            answers = await self._found(exchange, order)
        await self._tell(answers)

    async def _found(self, exchange: Exchange, order: Order) -> list[Event]:
        """What became of an order that is to be cancelled; one that surely never arrived is as good as cancelled."""
        found = await self._find(exchange, order)
        return [OrderCancelled(client_id=order.client_id)] if found is None else found

    async def _resolve(self, exchange: Exchange, order: Order) -> None:
        """Asks by client order id; sends the order once more, under the same id, only where it surely never arrived."""
        if order.cancel_requested:
            await self._tell(await self._found(exchange, order))
            return
        answers = await self._find(exchange, order)
        if answers is None:
            await self._place(exchange, order)
        else:
            await self._tell(answers)

    async def _find(self, exchange: Exchange, order: Order) -> list[Event] | None:
        """Asks for an order until the exchange has answered; None where it surely never had it."""
        while True:
            try:
                return await self._asking(lambda: exchange.find(order))
            except UnknownOutcome:
                await asyncio.sleep(BACK_OFF_S[1])

    async def _asking(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Asks until the exchange takes the question; nothing was done at each `Retryable`."""
        tries = 0
        while True:
            try:
                return await ask()
            except Retryable as error:
                pause = BACK_OFF_S[min(tries, len(BACK_OFF_S) - 1)]
                if error.after_ms is not None:
                    pause = error.after_ms / 1000
                tries += 1
                await asyncio.sleep(pause)

    async def _tell(self, answers: list[Event]) -> None:
        if answers:
            await asyncio.gather(*(self._deliver(answer) for answer in answers))

    async def stop(self, timeout_s: float) -> None:
        """Waits for what is under way, at most `timeout_s`; what is left is resolved by the next start."""
        tasks = list(self._turns.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=timeout_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
