"""The trader's own brakes: after too large a loss in a day, or too deep a fall, no new risk is taken (SPEC §9)."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from exengine.domain import pnl
from exengine.domain.capital import DOLLARS, usd_value
from exengine.domain.control import pause
from exengine.domain.group import Group
from exengine.domain.journal import Topic
from exengine.domain.money import HUNDRED, ZERO, plain
from exengine.domain.state import Ledger, State
from exengine.domain.step import Step


@lru_cache(maxsize=4)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def day_of(at_ms: int, timezone: str) -> str:
    """The trader's day, as 2026-11-23."""
    return datetime.fromtimestamp(at_ms / 1000, _zone(timezone)).date().isoformat()


def rolled(ledger: Ledger, at_ms: int, timezone: str) -> Ledger:
    """The ledger on the day of `at_ms`: a new day begins at nothing."""
    today = day_of(at_ms, timezone)
    return ledger if ledger.day == today else replace(ledger, day=today, realised_today=ZERO)


def count(step: Step, group: Group, realised: Decimal) -> None:
    """Books what a closing fill has realised, and pauses where a limit is reached; only the trader resumes."""
    dollars = realised * usd_value(step.state, group)
    ledger = rolled(step.state.ledger, step.now_ms, step.state.settings.timezone)
    ledger = replace(
        ledger,
        realised_today=ledger.realised_today + dollars,
        realised_total=ledger.realised_total + dollars,
    )
    step.set_ledger(ledger)
    safety = step.state.settings.safety
    if safety.max_daily_loss is not None and -ledger.realised_today >= safety.max_daily_loss:
        lost = plain(-ledger.realised_today.quantize(Decimal("0.01")))
        why = f"today’s realised loss of {lost} USD has reached its limit (Settings, Safety: Max daily loss)"
        pause(step, why, Topic.LIMIT_REACHED)
    if safety.max_drawdown_percent is not None:
        _check_drawdown(step, ledger, safety.max_drawdown_percent)


def _check_drawdown(step: Step, ledger: Ledger, limit_percent: Decimal) -> None:
    start = start_equity(step.state)
    total = start + ledger.realised_total + unrealised(step.state)
    peak = max(total, start if ledger.peak_equity is None else ledger.peak_equity)
    if peak != ledger.peak_equity:
        step.set_ledger(replace(ledger, peak_equity=peak))
    if peak > 0 and (peak - total) / peak * HUNDRED >= limit_percent:
        fall = plain(((peak - total) / peak * HUNDRED).quantize(Decimal("0.01")))
        pause(
            step,
            f"equity is {fall} % below its peak, as far as it may fall (Settings, Safety: Max drawdown)",
            Topic.LIMIT_REACHED,
        )


def start_equity(state: State) -> Decimal:
    """The capital of all enabled accounts at their start, in USD."""
    names = {account.name for account in state.settings.accounts if account.enabled}
    start = [amount for (name, currency), amount in state.start.items() if name in names and currency in DOLLARS]
    return sum(start, ZERO)


def unrealised(state: State) -> Decimal:
    """What all groups are ahead or behind at the last prices, in USD."""
    total = ZERO
    for group in state.groups.values():
        last = state.last(group.key.account, group.key.symbol)
        if last is not None:
            total += pnl.unrealised(group, last) * usd_value(state, group)
    return total
