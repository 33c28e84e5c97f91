"""Other settings, and other exchanges where they ask for that, while alerts and prices go on (SPEC §9)."""

from collections.abc import Awaitable, Callable, Collection, Iterable

from exengine.domain.events import SettingsApplied
from exengine.engine.engine import Engine
from exengine.engine.ports import Exchange


async def switch(
    engine: Engine,
    event: SettingsApplied,
    accounts: Collection[str],
    connected: Callable[[], Awaitable[Iterable[Exchange]]],
    *,
    hold_s: float,
) -> bool:
    """Has the engine trade by the event's settings, with the exchanges that `connected` then gives.

    Nothing is asked of `accounts` meanwhile; what is under way there gets `hold_s` and is asked for afterwards. False
    where groups are in the way: nothing has changed. Raises StoreFailed where the store took nothing: likewise.
    """
    try:
        await engine.hold(accounts, hold_s)
        await engine.submit(event)
        if engine.state.settings is not event.settings:
            return False
        engine.trade_on(await connected())
        return True
    finally:
        await engine.go_on(accounts)
