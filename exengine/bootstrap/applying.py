"""Apply and restart: a new configuration takes effect with the window, the port and every live group intact (SPEC §9).

A saga in five steps:

1. Everything is checked and made ready that can fail: keys, market, port. What is wrong is refused, and nothing has
   changed.
2. The file is written, whole; what was before is kept beside it until the end. From here on a kill comes back with the
   new configuration, and where that cannot be started with, with the one before.
3. Accounts that are other ones from now on are held: their orders wait, and what is under way gets its time. Everything
   else goes on: alerts are stored, decided and answered, resting orders rest.
4. The engine takes the settings as one event (`exengine.domain.applying` says what holds for whom), then gets the
   exchanges, the market, the timers, the log and the listener that belong to them, and asks what became of orders that
   nobody has heard of.
5. What was before is let go of. Where step 3 or 4 fails, it is put back by itself, and said.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from exengine.bootstrap.listening import warn_of_exposure
from exengine.bootstrap.live import mode_of
from exengine.bootstrap.readiness import Ready, refusals, refused
from exengine.bootstrap.stages import whole
from exengine.domain.errors import UserError
from exengine.domain.events import GroupDue, QueueDue, RiskDue, SettingsApplied
from exengine.domain.journal import Category, Severity
from exengine.domain.settings import Settings
from exengine.engine.changes import StoreFailed
from exengine.engine.ports import Exchange
from exengine.engine.switching import switch
from exengine.exchange.paper import PaperFloor
from exengine.settings import unconfirmed
from exengine.settings.consequences import at_next_start, consequences
from exengine.settings.file import ONE_WRITER, checked, save
from exengine.settings.local_timezone import local_timezone
from exengine.settings.notification_urls import keep_urls
from exengine.settings.pages import Config
from exengine.settings.plain import trading_settings

if TYPE_CHECKING:
    from exengine.bootstrap.program import Program

log = logging.getLogger(__name__)

HOLD_S = 5.0
"""How long a tick of the market, and orders under way at an account that is connected anew, get to come to an end."""

MOST_SAID = 12
"""Changes that the audit trail names one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A configuration that is in effect."""

    at_next_start: tuple[str, ...] = ()
    """Paths of settings that the next start of the program takes up, and nothing before: where the store is."""


class Applier:
    """Applies configurations to a running program, one at a time."""

    def __init__(self, program: "Program") -> None:
        self._program = program
        self._one = asyncio.Lock()
        self._has_ended = False

    @property
    def is_busy(self) -> bool:
        """Whether a configuration is being applied."""
        return self._one.locked()

    async def stop(self) -> None:
        """Waits for what is being applied; nothing is applied any more."""
        async with self._one:
            self._has_ended = True

    async def apply(self, new: Config, *, anew: frozenset[str] = frozenset()) -> Applied:
        """Has `new` take effect; accounts `anew` are connected again though nothing of them differs: other keys.

        Raises ConfigError, with what is wrong by place, where it cannot be applied: then nothing has changed. Raises
        UserError where it failed on its way: then the configuration before is in effect again.
        """
        async with self._one:
            if self._has_ended:
                raise UserError(
                    "ExEngine is being stopped.", safe="Nothing was changed.", remedy="Apply after the start."
                )
            old = self._program.config
            new = await asyncio.to_thread(_validated, new)
            settings = trading_settings(new, local_timezone=local_timezone())
            refused(refusals(new, settings, self._program.state))
            new = await asyncio.to_thread(keep_urls, new, self._program.stores)
            ready = await Ready.made(self._program, new, settings, anew)
            try:
                await whole(asyncio.to_thread(_write, self._program.config_file, old, new))
                await self._switched(old, new, settings, ready)
            except BaseException as error:
                await ready.let_go()
                await self._back(old, error)
                raise
            await asyncio.to_thread(unconfirmed.confirm, self._program.config_file)
            self._program.file_watch.is_over()
        self._program.tell()
        return Applied(at_next_start=at_next_start(old, new))

    # step 3 and 4 ----------------------------------------------------------------------------------------------------

    async def _switched(self, old: Config, new: Config, settings: Settings, ready: Ready) -> None:
        program = self._program
        said = consequences(old, new, program.state, program.clock.now_ms())
        again = [f"Account {name} is connected again." for name in sorted(ready.ends & ready.keys.keys())]
        text = _text([one.text for one in said] + again)
        event = SettingsApplied(settings=settings, text=text, anew=ready.begins)

        async def connected() -> list[Exchange]:
            program.config, program.settings = new, settings
            return await self._exchanged(ready)

        async with _between_ticks(program.accounts.floor):
            await _taken(switch(program.engine, event, ready.touched, connected, hold_s=HOLD_S), new, program)
        program.accounts.look_after(program.engine, program.state, ready.begins)
        await self._joined(old, new, ready)

    async def _exchanged(self, ready: Ready) -> list[Exchange]:
        """The exchanges and the market that belong to the new settings; nothing is being asked of the old ones."""
        program, accounts = self._program, self._program.accounts
        await accounts.end(ready.ends)
        if ready.moves_market:
            await accounts.put_market(ready.take_market())
        accounts.build(program.state, program.config, ready.keys, ready.begins)
        await accounts.connect(program.engine, ready.begins)
        if ready.moves_market:
            accounts.play(program.engine, program.state, program.config)
        return accounts.exchanges

    async def _joined(self, old: Config, new: Config, ready: Ready) -> None:
        """All that is not trading: what is done by the clock, shown, logged and listened to."""
        program = self._program
        await program.begin_timers()
        program.views.show_mode(mode_of(program.settings))
        if old.notifications != new.notifications:
            await program.send_notices()
        if old.logging != new.logging:
            try:
                program.begin_log()
            except OSError as error:
                log.error("the log goes on as before: %s", error)
        program.listener = await ready.listening(program.listener)
        if old.listener != new.listener:
            warn_of_exposure(new)
            await program.look_from_outside()
        for group in list(program.state.groups.values()):
            if group.key.account in ready.touched:
                program.engine.post(GroupDue(group_id=group.id))
        program.engine.post(QueueDue())
        program.engine.post(RiskDue())

    # back ------------------------------------------------------------------------------------------------------------

    async def _back(self, old: Config, error: BaseException) -> None:
        """Puts the configuration before back: the file, and the engine where it had taken the new one."""
        program = self._program
        await asyncio.to_thread(unconfirmed.put_back, program.config_file)
        if program.config is old:
            return
        log.error("applying failed, the configuration before is put back", exc_info=error)
        settings = trading_settings(old, local_timezone=local_timezone())
        ready = await Ready.made(program, old, settings, frozenset(), everything=True)
        await self._switched(program.config, old, settings, ready)
        program.tell()
        why = program.scrubbed(f"{type(error).__name__}: {error}")
        text = "A new configuration could not be applied; the one before is in effect again."
        program.engine.note(Severity.ERROR, Category.SYSTEM, text, f"{why}. See the log.")
        if isinstance(error, Exception):
            raise UserError(
                f"The new configuration could not be applied ({why}).",
                safe="The one before is in effect again; open positions and resting orders are as they were.",
                remedy="Look into the log, and apply once more.",
            ) from error


def _validated(config: Config) -> Config:
    """As the file will have it: what was put together in memory may not have been checked. Raises ConfigError."""
    return checked(config.model_dump(mode="json"))


def _write(file: Path, running: Config, new: Config) -> None:
    with ONE_WRITER:
        unconfirmed.begin(file, running)
        save(file, new)


def _text(said: list[str]) -> str:
    more = f" And {len(said) - MOST_SAID} more." if len(said) > MOST_SAID else ""
    return " ".join(["A new configuration is in effect.", *said[:MOST_SAID]]) + more


@asynccontextmanager
async def _between_ticks(floor: PaperFloor | None) -> AsyncIterator[None]:
    """No tick of the paper market is half-way, and none begins."""
    if floor is None:
        yield
        return
    try:
        async with asyncio.timeout(HOLD_S):
            await floor.between_ticks.acquire()
    except TimeoutError:
        raise UserError(
            "The engine is not done with a price: does the store take transactions?",
            safe="The configuration before stays in effect.",
            remedy="Make room on the disk, then apply again.",
        ) from None
    try:
        yield
    finally:
        floor.between_ticks.release()


async def _taken(switched: Awaitable[bool], new: Config, program: "Program") -> None:
    """Raises UserError where the engine did not take the new settings: nothing has changed."""
    try:
        taken = await switched
    except StoreFailed as error:
        raise UserError(
            f"The store could not take it: {error}.",
            safe="The configuration before stays in effect.",
            remedy="Make room on the disk, then apply again.",
        ) from error
    if not taken:
        # Somebody has opened a group there since it was looked at.
        settings = trading_settings(new, local_timezone=local_timezone())
        refused(refusals(new, settings, program.state))
        raise UserError("The engine did not take the new settings.", safe="The configuration before stays in effect.")
