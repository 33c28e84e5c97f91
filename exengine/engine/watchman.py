"""Looks after one account at a real exchange: is it there, and does it have what the books have (SPEC §9, §10)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from exengine.domain.commands import CancelOrder, OrderCommand, ResolveOrder
from exengine.domain.errors import AuthFailed, KnownError, Refused, Retryable
from exengine.domain.events import (
    AccountFound,
    AccountLost,
    BalancesReported,
    HoldingsShort,
)
from exengine.domain.journal import Category, Severity
from exengine.domain.state import State
from exengine.engine.engine import Engine
from exengine.engine.ports import AccountReport, Exchange
from exengine.engine.reconciliation import compared, shortfalls

log = logging.getLogger(__name__)

REPORT_S = 10.0
"""How often the books are compared while own orders come by stream."""

BLIND_S = 2.0
"""How often while they do not: polling alone has to be enough (§10)."""

WHOLE_S = 600.0
"""How often all symbols are looked at for strays, not only those in use."""

FIND_OUT_S = 30.0
"""How long a look waits for what became of single orders; they are asked on all the same."""

CLOCK_S = 1.0
"""How often it is looked whether time has gone by that nobody here has seen."""

UNSEEN_S = 10.0
"""So much of it is no late timer any more: the machine slept, or somebody has set its clock (FAULTS 33)."""

MISSED_TWICE = 2
LOST_AFTER = 3
"""After so many failed questions in a row the account's entries are held."""

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0


@dataclass(slots=True, kw_only=True)
class _Seen:
    """What the watchman remembers between two looks."""

    whole_at_s: float | None = None
    """When all symbols were last looked at."""
    short: frozenset[str] = frozenset()
    """What was missing at the last look: only what is missing twice in a row is told."""
    failures: int = 0
    missed: int = 0
    """How many looks in a row found what the stream had not told."""
    weighed: bool = False
    """Whether the account's balances are known: without them no entry can be told to be carried."""
    found: bool = False
    gaps: int = 0
    """How often time was missing: what was asked before it says nothing any more."""
    stopped: bool = False
    """Whether the account's key is not taken: nothing is looked at any more."""


class Watchman:
    """Compares one account with its exchange, soon after a start and then for ever."""

    def __init__(
        self,
        engine: Engine,
        state: State,
        exchange: Exchange,
        *,
        now_s: Callable[[], float],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        sees_orders: Callable[[], bool] = lambda: True,
    ) -> None:
        """`now_s` only ever goes forward; `sees_orders` tells whether own orders come by stream at the moment."""
        self._engine = engine
        self._state = state
        self._exchange = exchange
        self._account = exchange.account
        self._now_s = now_s
        self._pause = pause
        self._sees_orders = sees_orders
        self._seen = _Seen()
        self._nudged = asyncio.Event()

    async def run(self) -> None:
        """Rules first, then the comparison, again and again until cancelled, or until the key is not taken."""
        self._engine.reload_rules(self._account)
        while True:
            try:
                await self.look()
            except AuthFailed as error:
                self._seen.stopped = True
                self._engine.stop_account(self._account, error)
                return
            await self._rest(self._until_next_s())

    async def watch_the_clock(self) -> None:
        """Holds the account's entries from the moment that time was missing until the books were compared anew.

        Until cancelled. A machine that sleeps may stop the clock that only goes forward, or let it go on: either way
        the other one, or the pause that took too long, tells.
        """
        while not self._seen.stopped:
            began_s, began_ms = self._now_s(), self._engine.now_ms()
            await self._pause(CLOCK_S)
            passed_s, told_s = self._now_s() - began_s, (self._engine.now_ms() - began_ms) / 1000
            if (passed_s > UNSEEN_S or abs(told_s - passed_s) > UNSEEN_S) and not self._seen.stopped:
                await self._lost_time(max(passed_s, told_s, key=abs) - CLOCK_S)

    async def _lost_time(self, seconds: float) -> None:
        self._seen.gaps += 1
        self._seen.found = False
        log.warning("%s: %.0f s have passed unseen", self._account, seconds)
        self._nudged.set()
        why = f"the machine slept or its clock was set ({seconds:+.0f} s), and its orders have not been compared since"
        await self._engine.deliver(AccountLost(account=self._account, why=why))

    def streams_changed(self, seen: bool) -> None:
        """Own orders come by stream again, or do not any more: what was missed meanwhile is looked for at once."""
        log.info("%s: own orders %s by stream", self._account, "come" if seen else "do not come")
        self._nudged.set()

    async def _rest(self, seconds: float) -> None:
        """Waits for the next look's time, or until somebody wants it earlier."""
        pause = asyncio.ensure_future(self._pause(seconds))
        nudge = asyncio.ensure_future(self._nudged.wait())
        try:
            await asyncio.wait({pause, nudge}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            pause.cancel()
            nudge.cancel()
        self._nudged.clear()

    def _until_next_s(self) -> float:
        if self._seen.failures:
            return float(min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** (self._seen.failures - 1)))
        return REPORT_S if self._sees_orders() and self._seen.found else BLIND_S

    async def look(self) -> None:
        """Asks once and acts on the answer. Raises AuthFailed."""
        whole = self._seen.whole_at_s is None or self._now_s() - self._seen.whole_at_s >= WHOLE_S
        symbols = None if whole else self._symbols()
        await self._engine.whole()
        before, known, gaps = self._books(), self._orders(), self._seen.gaps
        try:
            report = await self._exchange.report(symbols)
        except AuthFailed:
            raise
        except (KnownError, Refused) as error:
            await self._failed(error)
            return
        if report is None or gaps != self._seen.gaps:
            return
        self._seen.failures = 0
        if whole:
            self._seen.whole_at_s = self._now_s()
        await self._engine.whole()
        agrees = await self._compare(report, known)
        self._judge_streams(missed=not agrees)
        await self._engine.whole()
        if agrees and (before, known) == (self._books(), self._orders()) and not self._has_traffic():
            await self._weigh(report)
        if agrees is not None and self._seen.weighed and not self._seen.found and gaps == self._seen.gaps:
            self._seen.found = True
            await self._engine.deliver(AccountFound(account=self._account))

    def _judge_streams(self, *, missed: bool) -> None:
        """Twice in a row something was found that the stream should have told: it is there and says nothing."""
        self._seen.missed = self._seen.missed + 1 if missed and self._sees_orders() else 0
        if self._seen.missed >= MISSED_TWICE:
            log.warning("%s: own orders should have come by stream and did not", self._account)
            self._seen.missed = 0
            self._exchange.doubt_streams()

    async def _failed(self, error: KnownError | Refused) -> None:
        self._seen.failures += 1
        log.warning("%s does not say what it has: %s", self._account, error)
        if self._seen.failures >= LOST_AFTER or not self._seen.found:
            self._seen.found = False
            await self._engine.deliver(AccountLost(account=self._account, why=_said(error)))

    async def _compare(self, report: AccountReport, known: frozenset[str]) -> bool | None:
        """Acts on what differs in the orders; whether nothing does, None while something is still being asked.

        `known` are the orders that the books had when the exchange was asked.
        """
        found = compared(self._state, self._account, report, known, self._engine.has_traffic)
        for event in found.events:
            await self._engine.deliver(event)
        commands: list[OrderCommand] = [
            *(ResolveOrder(order=order) for order in found.ask),
            *(CancelOrder(order=order) for order in found.cancel),
        ]
        if not await self._engine.ask_again(commands, FIND_OUT_S):
            return None
        for stray in found.strays:
            self._engine.note(
                Severity.WARNING,
                Category.ORDER,
                f"An order of ExEngine’s was on {self._account} that its books do not have: {stray.symbol} "
                f"{stray.client_id}.",
                "It is cancelled. Compare the account’s balance with the positions shown.",
            )
            try:
                await self._exchange.cancel_stray(stray)
            except AuthFailed:
                raise
            except (KnownError, Refused) as error:
                log.warning("a stray order stays until the next look: %s", error)
        return not commands and not found.strays

    async def _weigh(self, report: AccountReport) -> None:
        """Takes the balances over, and tells of coins that were missing twice in a row."""
        short = shortfalls(self._state, self._account, report)
        self._seen.weighed = True
        await self._engine.deliver(
            BalancesReported(account=self._account, totals=report.totals, positions=report.positions)
        )
        for one in short:
            if one.currency in self._seen.short:
                await self._engine.deliver(HoldingsShort(account=self._account, currency=one.currency, there=one.there))
        self._seen.short = frozenset(one.currency for one in short)

    def _symbols(self) -> set[str]:
        return {group.key.symbol for group in self._state.groups.values() if group.key.account == self._account}

    def _books(self) -> tuple[object, ...]:
        """What must not have changed between question and answer, for balances to mean something."""
        mine = self._account
        return tuple((key, amount) for key, amount in self._state.moved.items() if key[0] == mine)

    def _orders(self) -> frozenset[str]:
        """The account's orders that the books have."""
        return frozenset(one.client_id for one in self._state.orders.values() if one.account == self._account)

    def _has_traffic(self) -> bool:
        """Whether something is being asked about an order: what the exchange says of balances is ahead of the books."""
        return any(self._engine.has_traffic(client_id) for client_id in self._orders())


def _said(error: Exception) -> str:
    if isinstance(error, Retryable):
        return f"the exchange does not answer ({error})"
    return f"the exchange refuses to say what it has ({error})"
