"""Looks for newer versions where the trader has asked for that, once a day, and only while nothing is being traded."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from exengine import __version__
from exengine.bootstrap.notices import NoteTaker
from exengine.domain.errors import UserError
from exengine.domain.journal import Category, Severity
from exengine.domain.state import State
from exengine.notify.releases import Release, announced, is_newer
from exengine.settings.program_pages import AppPage

FIRST_S = 120.0
"""After a start there is something better to do."""

EVERY_S = 24 * 3600.0
BUSY_S = 600.0
"""How soon it is tried again where a group was open."""

log = logging.getLogger(__name__)


async def update_timer(
    page: AppPage,
    state: State,
    note: NoteTaker,
    *,
    version: str = __version__,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Tells in the log of a version that is newer, once, with its notes; until cancelled. Nothing is ever installed.

    What cannot be had or is not to be believed is told once as well, and trading is not touched by it.
    """
    told: set[str] = set()
    await pause(FIRST_S)
    while True:
        if state.groups:
            await pause(BUSY_S)
            continue
        try:
            release = await announced(page.update_list, page.update_key)
            if is_newer(release.version, version) and release.version not in told:
                told.add(release.version)
                _tell(release, version, note)
        except UserError as error:
            log.warning("%s", error)
            if error.happened not in told:
                told.add(error.happened)
                note(Severity.WARNING, Category.SYSTEM, error.happened, f"{error.safe} {error.remedy}".strip())
        await pause(EVERY_S)


def _tell(release: Release, version: str, note: NoteTaker) -> None:
    text = f"ExEngine {release.version} is there; this is {version}."
    where = f" It is at {release.page}." if release.page else ""
    advice = f"Nothing is installed by itself.{where} Make a backup first: exengine backup FILE."
    note(Severity.INFO, Category.SYSTEM, f"{text} What is new: {release.notes}" if release.notes else text, advice)
