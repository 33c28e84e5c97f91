"""What the engine does by the clock, as often as the settings say."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from exengine.domain.settings import PAPER, PrecisionSettings, RiskSettings, Settings
from exengine.domain.state import State
from exengine.engine.engine import Engine
from exengine.engine.timers import risk_timer, rules_timer
from tests.simulation.loop import SimulatedLoop


@dataclass
class Asked:
    """What of the engine the timer uses."""

    accounts: list[str] = field(default_factory=list)

    def reload_rules(self, account: str) -> None:
        self.accounts.append(account)


@dataclass
class Looked:
    """What of the engine the risk timer uses."""

    said: list[tuple[float, int]] = field(default_factory=list)
    posted: list[float] = field(default_factory=list)

    def now_ms(self) -> int:
        return int(asyncio.get_running_loop().time() * 1000)

    def expect_risk_look(self, at_ms: int) -> None:
        self.said.append((asyncio.get_running_loop().time(), at_ms))

    def post(self, event: object) -> None:
        self.posted.append(asyncio.get_running_loop().time())


def test_each_look_of_the_risk_engine_is_told_before_it_comes():
    looked = Looked()
    state = State(instance="test", settings=Settings(risk=RiskSettings(evaluate_seconds=10)))

    async def a_while() -> None:
        timer = asyncio.create_task(risk_timer(cast(Engine, cast(Any, looked)), state))
        await asyncio.sleep(25)
        timer.cancel()
        await asyncio.gather(timer, return_exceptions=True)

    loop = SimulatedLoop()
    try:
        loop.run_until_complete(a_while())
    finally:
        loop.close()
    assert len(looked.posted) == 2
    assert [at_ms / 1000 for _, at_ms in looked.said][:2] == pytest.approx(looked.posted)
    assert all(at_ms / 1000 == pytest.approx(when + 10) for when, at_ms in looked.said)


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
