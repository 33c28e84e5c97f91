"""One thing after the other is ended, each in its time, whatever goes wrong with the ones before."""

import asyncio
import logging
from collections.abc import Awaitable

log = logging.getLogger(__name__)

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
