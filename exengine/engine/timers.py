"""What the engine does by the clock."""

import asyncio

from exengine.domain.events import QueueDue, RiskDue
from exengine.domain.state import State
from exengine.engine.engine import Engine


async def queue_timer(engine: Engine, state: State) -> None:
    """Looks at the waiting queue every `queue.evaluate_seconds`, until cancelled (SPEC §7)."""
    while True:
        await asyncio.sleep(state.settings.queue.evaluate_seconds)
        engine.post(QueueDue())


async def rules_timer(engine: Engine, state: State) -> None:
    """Loads the market rules of every live account anew each `precision.refresh_seconds`, until cancelled (SPEC §6)."""
    while True:
        await asyncio.sleep(state.settings.precision.refresh_seconds)
        for account in state.settings.accounts:
            if account.enabled and account.is_live:
                engine.reload_rules(account.name)


async def risk_timer(engine: Engine, state: State) -> None:
    """Looks for losers to pay off every `risk.evaluate_seconds`, until cancelled (SPEC §8)."""
    while True:
        seconds = state.settings.risk.evaluate_seconds
        engine.expect_risk_look(engine.now_ms() + seconds * 1000)
        await asyncio.sleep(seconds)
        engine.post(RiskDue())
