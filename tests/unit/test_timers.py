"""What the engine does by the clock, as often as the settings say."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from exengine.domain.settings import PAPER, PrecisionSettings, Settings
from exengine.domain.state import State
from exengine.engine.engine import Engine
from exengine.engine.timers import rules_timer
from tests.simulation.loop import SimulatedLoop


@dataclass
class Asked:
    """What of the engine the timer uses."""

    accounts: list[str] = field(default_factory=list)

    def reload_rules(self, account: str) -> None:
        self.accounts.append(account)


@pytest.mark.parametrize(("refresh_seconds", "times"), [(3600, 2), (600, 12)])
def test_market_rules_of_live_accounts_are_loaded_anew_as_often_as_precision_refresh_seconds_says(
    refresh_seconds: int, times: int
):
    live = replace(PAPER, name="live", paper_slippage_percent=None)
    off = replace(live, name="off", enabled=False)
    settings = Settings(accounts=(PAPER, live, off), precision=PrecisionSettings(refresh_seconds=refresh_seconds))
    asked = Asked()

    async def two_hours() -> None:
        state = State(instance="test", settings=settings)
        timer = asyncio.create_task(rules_timer(cast(Engine, cast(Any, asked)), state))
        await asyncio.sleep(7201)
        timer.cancel()
        await asyncio.gather(timer, return_exceptions=True)

    loop = SimulatedLoop()
    try:
        loop.run_until_complete(two_hours())
    finally:
        loop.close()
    assert asked.accounts == ["live"] * times
