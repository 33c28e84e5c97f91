"""Notices as the configuration in effect has them: where they go, what accounts are called, a summary of each day."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, time
from decimal import Decimal
from typing import Protocol
from zoneinfo import ZoneInfo

from exengine.bootstrap import live, status
from exengine.domain.errors import UserError
from exengine.domain.journal import Category, Severity, Topic
from exengine.domain.money import plain
from exengine.domain.safety import day_of
from exengine.domain.settings import Settings
from exengine.domain.state import State
from exengine.engine.changes import StoreFailed
from exengine.notify.courier import Sink
from exengine.notify.notifier import Notifier
from exengine.settings.known_secrets import KnownSecrets
from exengine.settings.notification_urls import kept_url
from exengine.settings.program_pages import NotificationPage
from exengine.settings.secrets import SecretStore
from exengine.store.database import DatabaseStore

CHECK_S = 20.0
"""How soon the end of the trader's day is noticed."""


class NoteTaker(Protocol):
    """The engine's `note`."""

    def __call__(
        self, severity: Severity, category: Category, text: str, advice: str = "", *, topic: Topic | None = None
    ) -> object: ...


class Notices:
    """Lives as long as the program; `use` is called again with each configuration that takes effect."""

    def __init__(self, settings: Callable[[], Settings], note: Callable[[], NoteTaker]) -> None:
        """`note` gives what writes a line at that moment."""
        self._settings = settings
        self._note = note
        self.notifier = Notifier(self._label, self._told)

    async def use(self, pages: Sequence[NotificationPage], stores: Sequence[SecretStore], known: KnownSecrets) -> None:
        """Sends to these places from now on; one whose address is not among the secrets is told and left out."""
        found = await asyncio.to_thread(lambda: [_sink(page, stores) for page in pages])
        sinks = [one for one in found if isinstance(one, Sink)]
        known.add(*(sink.url for sink in sinks))
        self.notifier.set_sinks(sinks)
        for error in found:
            if isinstance(error, UserError):
                text, advice = error.happened, f"{error.safe} {error.remedy}"
                self._note()(Severity.ERROR, Category.SYSTEM, text, advice, topic=Topic.NOTICES_FAIL)

    async def test(self, page: NotificationPage, stores: Sequence[SecretStore]) -> str:
        """Sends a test notice to one place, in effect or not; what became of it. Raises UserError."""
        return await self.notifier.test(await asyncio.to_thread(kept_url, page, stores))

    def _label(self, account: str) -> str:
        settings = self._settings()
        found = settings.account(account)
        if found is None:
            return live.mode_of(settings).value.upper()
        return f"{status.mode_of(found).value.upper()} {account}"

    def _told(self, place: str, why: str | None) -> None:
        if why is None:
            self._note()(Severity.INFO, Category.SYSTEM, f"Notices to {place} arrive again.", topic=Topic.NOTICES_FAIL)
            return
        self._note()(
            Severity.ERROR,
            Category.SYSTEM,
            f"Notices to {place} do not arrive: {why}.",
            "Trading is not touched by it. They are kept and tried again; see Settings, Notifications.",
            topic=Topic.NOTICES_FAIL,
        )


def _sink(page: NotificationPage, stores: Sequence[SecretStore]) -> Sink | UserError:
    try:
        return Sink(url=kept_url(page, stores), events=frozenset(event.value for event in page.events))
    except UserError as error:
        return error


async def summary_timer(
    store: DatabaseStore,
    state: State,
    now_ms: Callable[[], int],
    note: NoteTaker,
    *,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Leaves a line about each of the trader's days when it is over, until cancelled."""
    day = day_of(now_ms(), state.settings.timezone)
    while True:
        await pause(CHECK_S)
        today = day_of(now_ms(), state.settings.timezone)
        if today > day:
            try:
                text = await summary(store, state, day, today)
            except StoreFailed:
                continue  # it is told by others; the summary comes when the store answers
            note(Severity.INFO, Category.SYSTEM, text, topic=Topic.DAILY_SUMMARY)
        day = today


async def summary(store: DatabaseStore, state: State, day: str, until: str) -> str:
    """What the days from `day` to before `until` have brought, in words. Raises StoreFailed."""
    zone = ZoneInfo(state.settings.timezone)
    since_ms, until_ms = (_begin_ms(one, zone) for one in (day, until))
    realised, later = await store.realised(since_ms), await store.realised(until_ms)
    sums = {quote: amount - later.get(quote, Decimal(0)) for quote, amount in realised.items()}
    money = ", ".join(f"{plain(round(amount, 2))} {quote}" for quote, amount in sorted(sums.items()) if amount)
    found = await store.performance.day(since_ms)
    signals = sum(found.signals.values())
    parts = [
        f"{money or 'nothing'} realised after fees",
        f"{signals} signals",
        f"{found.errors} errors",
        f"{len(state.groups)} groups open and {len(state.waiting)} entries waiting",
    ]
    return f"{day}: {', '.join(parts)}."


def _begin_ms(day: str, zone: ZoneInfo) -> int:
    return int(datetime.combine(datetime.fromisoformat(day), time(), zone).timestamp() * 1000)
