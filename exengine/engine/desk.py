"""The trader's hands: what the window may ask of the engine, each as one event on its queue."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

from exengine.domain.alert_text import TEST_SOURCE, AlertTemplate, alert_body
from exengine.domain.errors import UserError
from exengine.domain.events import (
    AdoptAsked,
    BlockSet,
    EntriesCancelAsked,
    EntryAgainAsked,
    Event,
    GroupCloseAsked,
    Panicked,
    PartCloseAsked,
    Paused,
    QueueAction,
    QueueAsked,
    Resumed,
    RiskRunAsked,
    SkipAsked,
    StopSet,
)
from exengine.domain.group import GroupKey
from exengine.domain.instrument import Side
from exengine.domain.order import LegRef
from exengine.domain.reception import Verdict, arrival_of
from exengine.domain.routing import tv_exchange_of, tv_symbol
from exengine.domain.settings import AccountSettings, Settings
from exengine.domain.signal_body import BodyError, parse_body
from exengine.domain.step import Step
from exengine.engine.changes import StoreFailed
from exengine.engine.engine import Engine
from exengine.engine.intake import StoreUnavailable
from exengine.engine.past import Past, TrailRow
from exengine.engine.ports import Clock

Result = TypeVar("Result")


class Desk:
    """Raises UserError where the store could not take what was asked, or it is not allowed: then nothing has changed.

    Everything that the window asks of the engine goes through `_stored`, and is held back there.
    """

    def __init__(self, engine: Engine, clock: Clock, past: Past, *, require: Callable[[], None] = lambda: None) -> None:
        """`require` raises UserError where nothing may be done in the window at the moment."""
        self._engine = engine
        self._clock = clock
        self._past = past
        self._require = require

    async def pause(self) -> None:
        await self._ask(Paused())

    async def resume(self) -> None:
        await self._ask(Resumed())

    async def panic(self, entries_only: bool) -> None:
        await self._ask(Panicked(entries_only=entries_only))

    async def close_group(self, group_id: str) -> None:
        await self._ask(GroupCloseAsked(group_id=group_id))

    async def adopt(self, group_id: str) -> None:
        """Takes the exchange's view over for a group whose coins are gone."""
        await self._ask(AdoptAsked(group_id=group_id))

    async def close_part(self, group_id: str, qty: Decimal) -> str:
        """Closes part of a group at market, in contracts on swap; what is done, in words."""
        return _done(await self._ask(PartCloseAsked(group_id=group_id, qty=qty)))

    async def set_stop(self, group_id: str, price: Decimal | None) -> str:
        """Gives a group a stop, or takes away the one it was given; what was done, in words."""
        return _done(await self._ask(StopSet(group_id=group_id, price=price)))

    async def place_again(self, group_id: str, legs: tuple[LegRef, ...]) -> str:
        """Places entries again that the exchange refused; what was done, in words."""
        return _done(await self._ask(EntryAgainAsked(group_id=group_id, legs=legs)))

    async def cancel_entries(self, group_id: str) -> None:
        await self._ask(EntriesCancelAsked(group_id=group_id))

    async def queue(self, action: QueueAction, key: GroupKey, side: Side) -> str:
        """Promotes, removes or forces a waiting entry; what became of it, in words."""
        step = await self._ask(QueueAsked(key=key, action=action, side=side))
        return _said(step) or "It no longer waited."

    async def run_risk(self) -> str:
        """Has the risk engine look now, whatever its timer says; what it does, in words."""
        step = await self._ask(RiskRunAsked())
        return _said(step)

    async def skip_once(self, key: GroupKey) -> None:
        """The next look in which the group would be paid off passes over it."""
        await self._ask(SkipAsked(key=key))

    async def set_blocked(self, key: GroupKey, blocked: bool) -> None:
        """Keeps the risk engine away from a group, or lets it come near again."""
        await self._ask(BlockSet(key=key, blocked=blocked))

    async def send_test_alert(
        self,
        symbol: str,
        timeframe: str,
        side: Side,
        *,
        account: str = "",
        kind: AlertTemplate = AlertTemplate.ENTRY,
        price: Decimal | None = None,
    ) -> Verdict:
        """A pretend TradingView alert, stored and acted on like any other; never one that spends real money.

        Without an account it is the first that trades none; without a price the symbol's last one.
        """
        state = self._engine.state
        target = _test_account(state.settings, account)
        exchange = tv_exchange_of(state.settings, target)
        if not exchange:
            raise UserError(
                f"No name of an exchange leads to {target.name}.",
                safe="Nothing was sent.",
                remedy="Add a route to it in the settings.",
            )
        last = price or state.last(target.name, symbol)
        if last is None:
            raise UserError(f"{symbol} has no price yet.", remedy="Try again in a few seconds, or give a price.")
        now_ms = self._clock.now_ms()
        stamp = datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds")
        body = alert_body(
            kind,
            exchange=exchange,
            symbol=tv_symbol(symbol),
            timeframe=timeframe,
            price=last,
            side=side,
            timestamp=stamp,
        )
        read = parse_body(json.dumps(body | {"source": TEST_SOURCE}))
        arrival = arrival_of(read, received_at_ms=now_ms, source_address="this window")
        return await self._stored(lambda: self._engine.take(arrival))

    async def replay_signal(self, signal_id: int) -> Verdict:
        """Takes a stored signal again, as a new one with its own id: stored first, then acted on like any other.

        It is neither a resend nor too old. REFUSED where `logging.webhook_replay` is off; that is written down too.
        """
        body = await self._read(lambda: self._past.signal_body(signal_id))
        if not body:
            gone = "is no longer kept" if body is not None else "is not in the store"
            raise UserError(f"The text of signal {signal_id} {gone}.", safe="Nothing was traded.")
        try:
            read = parse_body(body)
        except BodyError as error:
            raise UserError(
                f"The text of signal {signal_id} is no alert: {error}.", safe="Nothing was traded."
            ) from error
        now_ms = self._clock.now_ms()
        arrival = arrival_of(read, received_at_ms=now_ms, source_address="this window", replay_of=signal_id)
        return await self._stored(lambda: self._engine.take(arrival))

    async def trail(self, cause: str) -> tuple[TrailRow, ...]:
        """Everything that goes back to one cause, oldest first, from the store."""
        return await self._read(lambda: self._past.trail(cause))

    async def _read(self, work: Callable[[], Awaitable[Result]]) -> Result:
        try:
            return await work()
        except StoreFailed as error:
            raise UserError(f"The store could not be read: {error}.", remedy="Try again in a moment.") from error

    async def _ask(self, event: Event) -> Step:
        return await self._stored(lambda: self._engine.submit(event))

    async def _stored(self, work: Callable[[], Awaitable[Result]]) -> Result:
        self._require()
        try:
            return await work()
        except (StoreFailed, StoreUnavailable) as error:
            raise UserError(
                f"The store could not take it: {error}.",
                safe="Nothing was changed.",
                remedy="Make room on the disk, then try again.",
            ) from error


def _test_account(settings: Settings, name: str) -> AccountSettings:
    harmless = [
        account for account in settings.accounts if account.enabled and not (account.is_live and not account.testnet)
    ]
    for account in harmless:
        if not name or account.name == name:
            return account
    raise UserError(
        f"A test alert on {name or 'these accounts'} would place real orders.",
        safe="Nothing was sent.",
        remedy="Send it to a paper account, or to one on an exchange’s testnet.",
    )


def _done(step: Step) -> str:
    """What a step did to the group that it was about. Raises UserError where it refused to."""
    if step.groups:
        return _said(step)
    if step.notes:
        raise UserError(step.notes[-1].text, safe=step.notes[-1].advice)
    return "There was nothing to change."


def _said(step: Step) -> str:
    """What a step has told, the last of it."""
    return step.notes[-1].text if step.notes else ""
