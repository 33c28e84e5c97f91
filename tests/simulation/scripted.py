"""Lives that a test writes itself: what happens when, and what is looked at while it goes on."""

import logging
from collections.abc import Callable
from typing import Any

from exengine.domain.order import Order, Role
from tests.simulation.acts import ACTS
from tests.simulation.disk import Disk
from tests.simulation.life import Life, play
from tests.simulation.line import Line
from tests.simulation.plan import Act, Args, Plan

logging.getLogger("asyncio").setLevel(logging.ERROR)

PLAIN: Args = {
    "accounts": ["spot"], "spot": ["BTC", "ETH"], "swap": ["BTC", "ETH"], "leverage": "1", "fee": "0.001",
    "fee_coin": False, "fee_digits": None, "ids": "open", "post_only_answer": "refused", "acknowledges_only": False,
    "cancel_acknowledges_only": False, "late_trades_s": 0, "hidden_s": 0, "trades_by_themselves": True, "batch_ms": 0,
    "ladder": 1, "max_pyramids": 2, "gap_reference": "pyramid", "entry_order": "limit", "abandon": None,
    "replace_last": False, "post_only": False, "sizing": "fixed", "amount": "1000", "tp_mode": "leg", "tp_percent": "1",
    "tp_order": "limit", "close_when_flat": True, "stop": None, "trailing": None, "slippage": "1",
    "slippage_action": "force", "slots": 4, "bypass": True, "queue_limit": 10, "queue_replace": True,
    "priority": ["fifo"], "risk": False, "full_pyramids": False, "risk_wait": "0", "timer_start": "after_5_pyramids",
    "partial_close": True, "when_short": "partial", "below_minimum": "skip_leg", "beyond": "keep", "pyramid_gap": "0",
    "multipliers": [], "per_symbol": None, "exposure": None, "queue_age": "0", "on_fill": True, "winners": 3,
    "reset_timer": False, "daily_loss": None, "drawdown": None, "slow_disk": False, "shuffles": False,
}  # fmt: skip
"""One spot account, two legs of half the capital each at 0 and -1 %, their targets 0.5 and 1 % above."""


class Look:
    """What a test sees at a moment of a life."""

    def __init__(self, life: Life) -> None:
        self.life = life

    @property
    def disk(self) -> Disk:
        return self.life.disk

    @property
    def line(self) -> Line:
        return next(iter(self.life.lines.values()))

    def orders(self, role: Role | None = None) -> list[Order]:
        return [one for one in self.disk.orders.values() if role in (None, one.role)]

    def resting(self, role: Role) -> list[Order]:
        return [one for one in self.orders(role) if one.is_working]

    def asked(self, route: str, about: str | None = None) -> list[float]:
        """When such requests were sent."""
        return [at_s for at_s, what, whom in self.line.asked if what == route and about in (None, whom)]

    def said(self, text: str) -> bool:
        """Whether the audit trail has a line with this in it."""
        return any(text in note.text for note in self.disk.notes.values())

    @property
    def group(self) -> Any:
        """The first group, as it is now."""
        return next(iter(self.disk.groups.values()))


def at(at_s: float, kind: str, /, **args: Any) -> Act:
    """An act on the first market of the spot account, unless it says else."""
    common = {"account": "spot", "market": 0}
    return Act(at_ms=round(at_s * 1000), kind=kind, args=common | args)


def alert(seconds: float, intent: str = "signal", **args: Any) -> Act:
    """At -0.2 % an entry rests until the price comes down to it."""
    own = {"timeframe": "15", "intent": intent, "action": "buy", "percent": "-0.2", "copies": 1}
    return at(seconds, "alert", **own | args)


def price(seconds: float, to: str, **args: Any) -> Act:
    return at(seconds, "price", to=to, **args)


def fault(seconds: float, route: str, what: str, times: int = 1) -> Act:
    return at(seconds, "fault", route=route, what=what, times=times)


def look(seconds: float, at_it: Callable[[Look], None]) -> Act:
    return at(seconds, "look", at_it=at_it)


def nothing_until(seconds: float) -> Act:
    """Time passes; without it a life ends with its last act."""
    return look(seconds, lambda seen: None)


def _look(life: Life, args: Args) -> None:
    args["at_it"](Look(life))


ACTS.setdefault("look", _look)


def lived(*acts: Act, **choices: Any) -> Look:
    """Plays what a test has written, to an end in which everything is closed; all that must hold was looked at."""
    ordered = tuple(sorted(acts, key=lambda act: act.at_ms))
    life = play(Plan(seed=1, choices=PLAIN | choices, acts=ordered))
    assert not life.ended.violations, "\n".join(life.ended.violations)
    return Look(life)
