"""Carries commands out: each order's traffic in its own turn, all orders at once, every answer back as an event."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable
from functools import partial
from typing import Any, TypeVar, assert_never

from exengine.domain.commands import CancelOrder, Command, OrderCommand, PlaceOrder, ReloadRules, ResolveOrder
from exengine.domain.errors import AuthFailed, Refused, Retryable, UnknownOutcome
from exengine.domain.events import (
    Event,
    InstrumentsLoaded,
    OrderCancelled,
    OrderLost,
    OrderRejected,
    OrderSent,
)
from exengine.domain.order import Order, OrderStatus
from exengine.engine.ports import Exchange, Sink

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

BACK_OFF_S = (0.5, 1, 2, 5, 10, 30)
"""Pauses between tries of what an exchange would not take for the moment."""

AUTH_FAILED = "auth_failed"
NO_ACCOUNT = "no_account"


_MAYBE_NEVER_THERE = (OrderStatus.CREATED, OrderStatus.SENT, OrderStatus.UNKNOWN)


class _Withdrawn(Exception):
    """The order was withdrawn before the exchange had taken it."""


class Executor:
    """Sends what was decided and stored.

    Commands for one order are carried out one after the other, so that a cancel never overtakes its order. An account
    whose key is not taken is stopped: its orders are refused, nothing is asked of it again in this run.
    """

    def __init__(
        self,
        exchanges: Iterable[Exchange],
        deliver: Sink,
        *,
        on_account_stopped: Callable[[str, str], None] = lambda account, why: None,
        on_defect: Callable[[str, Exception], None] = lambda what, error: None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`deliver` queues an event when it is called, and its result can be waited for."""
        self._exchanges = {exchange.account: exchange for exchange in exchanges}
        self._deliver = deliver
        self._on_account_stopped = on_account_stopped
        self._on_defect = on_defect
        self._pause = pause
        self._turns: dict[str, asyncio.Task[None]] = {}
        self._turn_of: dict[str, str] = {}
        """Whose exchange each of them is about."""
        self._withdrawn: set[str] = set()
        self._losses: dict[str, int] = {}
        """How often in a row the answer to an order was lost."""
        self._stopped: dict[str, str] = {}
        """Accounts that nothing is asked of any more, and why."""
        self._rules_again: set[str] = set()
        """Accounts whose rules were wanted while they were being loaded: the answer may be older than the refusal."""
        self._under_way: dict[asyncio.Task[Any], str] = {}
        """What is being asked of an exchange right now, and of whose."""
        self._held: set[str] = set()
        """Accounts at which nothing begins for now: their exchange is being replaced."""
        self._free = asyncio.Event()
        self._closed = False
        self.on_turn_done: Callable[[], None] = lambda: None
        """Called when an order's traffic has come to an end."""

    @property
    def in_step(self) -> bool:
        """Whether no traffic is under way at an exchange whose market waits for it."""
        return not any(self._waits(account) for account in self._turn_of.values())

    def _waits(self, account: str) -> bool:
        exchange = self._exchanges.get(account)
        return exchange is None or exchange.in_step

    async def quiet(self, client_ids: Iterable[str], timeout_s: float) -> bool:
        """Waits until nothing about these orders is being asked any more; whether that came in time."""
        turns = [self._turns[client_id] for client_id in client_ids if client_id in self._turns]
        if not turns:
            return True
        _, late = await asyncio.wait(turns, timeout=timeout_s)
        return not late

    def has_traffic(self, client_id: str) -> bool:
        """Whether something about an order is being asked right now."""
        return client_id in self._turns

    def carry_out(self, commands: Iterable[Command]) -> None:
        """Starts everything at once; answers come through `deliver`. After `stop` it is left to the next start."""
        for command in commands:
            if self._closed:
                log.info("left to the next start: %s", command)
            elif isinstance(command, ReloadRules):
                self._reload(command.account)
            else:
                client_id = command.order.client_id
                if isinstance(command, CancelOrder):
                    self._withdrawn.add(client_id)
                self._begin(client_id, command.order.account, self._turn(command, self._turns.get(client_id)))

    def _begin(self, what: str, account: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name=f"order {what}")
        self._turns[what], self._turn_of[what] = task, account
        task.add_done_callback(partial(self._done, what))

    def _done(self, what: str, task: asyncio.Task[None]) -> None:
        if self._turns.get(what) is task:
            del self._turns[what], self._turn_of[what]
            self._withdrawn.discard(what)
        if not task.cancelled() and task.exception() is not None:
            log.critical("carrying out a command for %s failed", what, exc_info=task.exception())
        self.on_turn_done()

    # the market rules ------------------------------------------------------------------------------------------------

    def _reload(self, account: str) -> None:
        """Asks for an account's market rules, at most once more however many orders want them meanwhile."""
        what = f"rules of {account}"
        under_way = self._turns.get(what)
        if under_way is not None and not under_way.done():
            self._rules_again.add(account)
        elif account in self._exchanges:
            self._begin(what, account, self._rules(self._exchanges[account]))

    async def _rules(self, exchange: Exchange) -> None:
        tries = 0
        while exchange.account not in self._stopped:
            try:
                rules = await self._asking(exchange.rules)
            except AuthFailed as error:
                self.stop_account(exchange.account, error)
            except Exception as error:  # noqa: BLE001  # orders wait for them: asked until they come
                if tries == 0:
                    self._on_defect(f"loading the market rules of {exchange.account}", error)
                await self._pause(_back_off_s(tries))
                tries += 1
            else:
                await self._deliver(InstrumentsLoaded(account=exchange.account, instruments=rules))
                if exchange.account not in self._rules_again:
                    return
                self._rules_again.discard(exchange.account)

    # one order's turns -----------------------------------------------------------------------------------------------

    async def _turn(self, command: OrderCommand, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        order = command.order
        while order.account in self._held:
            await self._free.wait()
        exchange = self._exchanges.get(order.account)
        if exchange is None:
            await self._unreachable(command, NO_ACCOUNT, f"the account {order.account} is not set up or not enabled")
        elif order.account in self._stopped:
            await self._unreachable(command, AUTH_FAILED, self._stopped[order.account])
        else:
            task = asyncio.current_task()
            assert task is not None
            self._under_way[task] = order.account
            try:
                await self._carry_out(exchange, command)
            except AuthFailed as error:
                await self._stopped_at(command, error)
            finally:
                self._under_way.pop(task, None)

    async def _carry_out(self, exchange: Exchange, command: OrderCommand) -> None:
        match command:
            case PlaceOrder():
                await self._place(exchange, command.order)
            case CancelOrder():
                await self._cancel(exchange, command.order)
            case ResolveOrder():
                await self._resolve(exchange, command.order)
            case _:
                assert_never(command)

    async def _stopped_at(self, command: OrderCommand, error: AuthFailed) -> None:
        account = command.order.account
        self.stop_account(account, error)
        await self._unreachable(command, AUTH_FAILED, self._stopped[account])

    def stop_account(self, account: str, error: AuthFailed) -> None:
        """The key is not taken: nothing more is asked of this account, and the trader is told once (FAULTS 42)."""
        if account not in self._stopped:
            self._stopped[account] = f"the exchange does not take the key of {account}: {error}"
            log.error("account %s is stopped: %s", account, error)
            self._on_account_stopped(account, self._stopped[account])

    async def _unreachable(self, command: OrderCommand, code: str, text: str) -> None:
        """An order that was never sent is refused. Of any other the exchange knows more: it stays as it is."""
        if isinstance(command, PlaceOrder):
            await self._tell([OrderRejected(client_id=command.order.client_id, code=code, text=text)])
        else:
            log.error("%s %s is left to the next start: %s", type(command).__name__, command.order.client_id, text)

    # one order -------------------------------------------------------------------------------------------------------

    async def _place(self, exchange: Exchange, order: Order) -> None:
        # Queued before anything that the exchange may answer, and not waited for: the order itself is on disk.
        self._deliver(OrderSent(client_id=order.client_id))
        try:
            answers = await self._asking(lambda: exchange.place(order), withdrawn=order.client_id)
        except _Withdrawn:
            answers = [OrderCancelled(client_id=order.client_id)]
        except UnknownOutcome:
            answers = self._lost(order)
        except Refused as error:
            answers = [OrderRejected(client_id=order.client_id, code=error.code, text=error.text)]
        except AuthFailed:
            raise
        except Exception as error:  # noqa: BLE001  # an adapter's defect says nothing of the order: it is asked for
            self._on_defect(f"placing order {order.client_id}", error)
            answers = self._lost(order)
        else:
            self._losses.pop(order.client_id, None)
        await self._tell(answers)

    def _lost(self, order: Order) -> list[Event]:
        self._losses[order.client_id] = self._losses.get(order.client_id, 0) + 1
        return [OrderLost(client_id=order.client_id)]

    async def _cancel(self, exchange: Exchange, order: Order) -> None:
        try:
            answers = await self._asking(lambda: exchange.cancel(order))
        except (UnknownOutcome, Refused):
            # "Not found" and silence are not "cancelled" (FAULTS 16, 17): ask what became of it.
            answers = await self._found(exchange, order)
        except AuthFailed:
            raise
        except Exception as error:  # noqa: BLE001  # an adapter's defect
            self._on_defect(f"cancelling order {order.client_id}", error)
            answers = await self._found(exchange, order)
        await self._tell(answers)

    async def _found(self, exchange: Exchange, order: Order) -> list[Event]:
        """What became of an order that is to be cancelled; one that surely never arrived is as good as cancelled."""
        found = await self._find(exchange, order)
        return [OrderCancelled(client_id=order.client_id)] if found is None else found

    async def _resolve(self, exchange: Exchange, order: Order) -> None:
        """Asks by client order id; sends the order once more, under the same id, only where it surely never arrived."""
        losses = self._losses.get(order.client_id, 0)
        if losses:
            await self._pause(_back_off_s(losses - 1))
        if order.cancel_requested:
            await self._tell(await self._found(exchange, order))
            return
        answers = await self._find(exchange, order)
        if answers is None and order.status not in _MAYBE_NEVER_THERE:
            # The exchange had it and does not any more: some forget what was cancelled before it filled.
            await self._tell([OrderCancelled(client_id=order.client_id)])
        elif answers is None:
            try:
                await self._place(exchange, order)
            except AuthFailed as error:
                # Never sent after all, so that it is refused and not left in the dark.
                await self._stopped_at(PlaceOrder(order=order), error)
        else:
            self._losses.pop(order.client_id, None)
            await self._tell(answers)

    async def _find(self, exchange: Exchange, order: Order) -> list[Event] | None:
        """Asks for an order until the exchange has answered; None where it surely never had it."""
        tries = 0
        while True:
            try:
                return await self._asking(lambda: exchange.find(order))
            except UnknownOutcome:
                log.info("no answer to what became of order %s", order.client_id)
            except (AuthFailed, Refused):
                raise
            except Exception as error:  # noqa: BLE001  # an adapter's defect: the order stays in doubt
                if tries == 0:
                    self._on_defect(f"asking for order {order.client_id}", error)
            await self._pause(_back_off_s(tries))
            tries += 1

    async def _asking(self, ask: Callable[[], Awaitable[Answer]], *, withdrawn: str | None = None) -> Answer:
        """Asks until the exchange takes the question; nothing was done at each `Retryable`.

        Raises _Withdrawn before the next try where the order `withdrawn` is no longer wanted.
        """
        tries = 0
        while True:
            if withdrawn in self._withdrawn:
                raise _Withdrawn
            try:
                return await ask()
            except Retryable as error:
                pause = _back_off_s(tries) if error.after_ms is None else error.after_ms / 1000
                log.info("asked again in %s s: %s", pause, error)
            await self._pause(pause)
            tries += 1

    async def _tell(self, answers: Iterable[Event]) -> None:
        """Brings what the exchange answered; the order's traffic is over when that is stored.

        It is no longer being asked: were the wait broken off, the order would be asked for by what the store had
        before, and one that was just refused be sent once more.
        """
        told = [self._deliver(answer) for answer in answers]
        task = asyncio.current_task()
        assert task is not None
        self._under_way.pop(task, None)
        for one in told:
            await one

    # other exchanges -------------------------------------------------------------------------------------------------

    async def hold(self, accounts: Collection[str], timeout_s: float) -> None:
        """Begins nothing more at these accounts until `go_on`, and waits for what is under way, at most `timeout_s`.

        What has no answer by then is broken off: it is asked for once they go on, as after a start.
        """
        self._held.update(accounts)
        self._free.clear()
        loading = {name: task for name in accounts if (task := self._turns.get(f"rules of {name}")) is not None}
        for task in loading.values():
            task.cancel()
        await asyncio.gather(*loading.values(), return_exceptions=True)
        self._rules_again.update(loading)  # orders may wait for them, and who goes on may be the exchange before
        tasks = [task for task, account in self._under_way.items() if account in self._held]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=timeout_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def trade_on(self, exchanges: Iterable[Exchange]) -> None:
        """From now on these are all accounts; one that is new or connected anew may be asked again whatever it said."""
        before, self._exchanges = self._exchanges, {exchange.account: exchange for exchange in exchanges}
        for account, exchange in self._exchanges.items():
            if before.get(account) is not exchange:
                self._stopped.pop(account, None)

    def go_on(self) -> None:
        """Carries out what was held."""
        self._held.clear()
        self._free.set()
        wanted, self._rules_again = self._rules_again, set()
        for account in sorted(wanted):
            self._reload(account)

    async def stop(self, timeout_s: float) -> None:
        """Begins nothing new and waits for what is under way, at most `timeout_s`; the next start resolves the rest."""
        self._closed = True
        tasks = list(self._turns.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=timeout_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


def _back_off_s(tries: int) -> float:
    return BACK_OFF_S[min(tries, len(BACK_OFF_S) - 1)]
