"""Work that comes to its end: in its time whatever goes wrong with it, or whole whoever is cancelled meanwhile."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")

STAGE_S = 12.0
"""How long any stage may take at most; the next one begins then all the same."""


async def stage(name: str, work: Awaitable[None]) -> None:
    """Ends one thing; what comes in the way is logged and not raised."""
    try:
        async with asyncio.timeout(STAGE_S):
            await work
    except TimeoutError:
        log.error("stopping the %s took longer than %s s", name, STAGE_S)
    except Exception as error:  # the lock and the store must be let go of, whatever it was
        log.error("stopping the %s failed", name, exc_info=error)


async def whole(work: Awaitable[T]) -> T:
    """Waits for what cannot be broken off half-way, also when cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
