"""A life as plain data: its settings, its exchanges, and everything that will happen in it, each at its time."""

import json
import random
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from exengine.domain.settings import (
    BelowMinimum,
    QueueRule,
    SlippageAction,
    TakeProfitMode,
    TimerStart,
    WhenShort,
)
from tests.simulation.configuration import LADDERS
from tests.simulation.markets import SPOT, SWAP

D = Decimal
Args = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Act:
    """Something that happens. `args` are plain values, so that an act can be printed and read back."""

    at_ms: int
    kind: str
    args: Args = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.at_ms / 1000:8.3f}s {self.kind} {json.dumps(self.args, sort_keys=True)}"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One life. The same plan always gives the same life."""

    seed: int
    choices: Args
    acts: tuple[Act, ...]


def _choices(rng: random.Random) -> Args:
    some = rng.choice
    rules = [rule.value for rule in QueueRule]
    rng.shuffle(rules)
    fee_coin = rng.random() < 0.2
    return {
        "accounts": some([["spot"], ["spot"], ["swap"], ["spot", "swap"]]),
        "spot": rng.sample(sorted(SPOT), 2),
        "swap": sorted(SWAP),
        "leverage": some(["1", "3"]),
        "fee": some(["0", "0.001", "0.001"]),
        "fee_coin": fee_coin,
        "fee_digits": 8 if fee_coin else some([None, 8]),
        "ids": some(["open", "ever"]),
        "post_only_answer": some(["refused", "expires"]),
        "acknowledges_only": rng.random() < 0.5,
        "cancel_acknowledges_only": rng.random() < 0.5,
        "late_trades_s": some([0, 0, 1.5]),
        "hidden_s": some([0, 0, 0.5, 2.4]),
        "trades_by_themselves": rng.random() < 0.5,
        "batch_ms": some([0, 0, 2]),
        "slow_disk": rng.random() < 0.25,
        "shuffles": rng.random() < 0.2,
        "ladder": rng.randrange(len(LADDERS)),
        "max_pyramids": some([1, 2, 3]),
        "gap_reference": some(["pyramid", "group"]),
        "entry_order": some(["limit", "limit", "market"]),
        "abandon": some([None, None, "3"]),
        "replace_last": rng.random() < 0.3,
        "post_only": rng.random() < 0.15,
        "sizing": some(["fixed", "fixed", "percent_equity", "percent_free", "signal"]),
        "amount": some(["1577.77", "400", "60"]),
        "tp_mode": some([mode.value for mode in TakeProfitMode]),
        "tp_percent": some(["1", "1", "20"]),
        "tp_order": some(["limit", "limit", "market"]),
        "close_when_flat": rng.random() < 0.6,
        "stop": some([None, None, "6"]),
        "trailing": some([None, None, None, "1"]),
        "slippage": some(["1", "0.2"]),
        "slippage_action": some([action.value for action in SlippageAction]),
        "slots": some([1, 2, 4]),
        "bypass": rng.random() < 0.7,
        "queue_limit": some([1, 3, 10]),
        "queue_replace": rng.random() < 0.7,
        "priority": rules,
        "risk": rng.random() < 0.7,
        "full_pyramids": rng.random() < 0.3,
        "risk_wait": some(["0", "0", "1"]),
        "timer_start": some([start.value for start in TimerStart]),
        "partial_close": rng.random() < 0.7,
        "when_short": some([short.value for short in WhenShort]),
        "below_minimum": some([below.value for below in BelowMinimum]),
        "beyond": some(["keep", "keep", "cancel"]),
        "pyramid_gap": some(["0", "0", "0.7"]),
        "multipliers": some([[], [], ["1", "0.5", "2"]]),
        "per_symbol": some([None, None, None, 1]),
        "exposure": some([None, None, None, "3000"]),
        "queue_age": some(["0", "0", "0.5"]),
        "on_fill": rng.random() < 0.8,
        "winners": some([3, 3, 1]),
        "reset_timer": rng.random() < 0.3,
        "daily_loss": some([None, None, None, None, "20"]),
        "drawdown": some([None, None, None, None, "0.5"]),
    }


MOVES = ("-8", "-4", "-3", "-2", "-1", "-0.5", "-0.2", "0.2", "0.5", "1", "2", "3", "4", "8")
ROUTE_FAULTS = {
    "place": (
        "defect",
        "lost_request",
        "lost_answer",
        "late_request",
        "retryable",
        "garbage_done",
        "garbage_not_done",
        "slow",
    ),
    "taking": ("refuse", "refuse_rules", "late_refusal"),
    "cancel": ("defect", "lost_request", "lost_answer", "retryable", "not_found", "ignored", "slow", "garbage_done"),
    "find": ("defect", "lost_answer", "retryable", "slow"),
    "report": ("defect", "lost_answer", "retryable", "slow"),
    "rules": ("defect", "lost_answer", "retryable"),
    "any": ("retryable", "banned", "slow", "lost_answer"),
}
POSITIONS = (
    ("flat", "0", "long", "1"),
    ("long", "1", "long", "2"),
    ("long", "2", "long", "1.5"),
    ("long", "2", "long", "2"),
    ("long", "1", "flat", "0"),
    ("long", "1", "short", "1"),
    ("short", "1", "long", "1"),
)
"""What a strategy had and has now."""
DEATHS = ("before commit", "at commit", "after commit", "before send", "after send", "answer")


class _Author:
    """Writes a life."""

    def __init__(self, rng: random.Random, choices: Args) -> None:
        self._rng = rng
        self._c = choices
        self.acts: list[Act] = []
        self.length_ms = rng.choice((60_000, 120_000, 240_000))

    def write(self) -> tuple[Act, ...]:
        rng = self._rng
        calm = rng.random() < 0.1
        if all(self._c[name] == value for name, value in OFFSETS.items()):
            for _ in range(rng.randint(1, 3)):
                self._parting()
        for _ in range(rng.randint(8, 26)):
            self._price()
        for _ in range(rng.randint(2, 9)):
            self._alert()
        for _ in range(rng.randint(0, 4)):
            self._trader()
        if not calm:
            for write, most in (
                (self._fault, 8), (self._stream, 3), (self._feed, 1), (self._away, 1), (self._hand, 2),
                (self._market, 1), (self._store, 2), (self._clock, 1), (self._death, 2),
            ):  # fmt: skip
                for _ in range(max(0, rng.randint(-1, most))):
                    write()
        for _ in range(max(0, rng.randint(-1, 3))):
            self._apply()
        for write, share in ((self._stop, 0.2), (self._window, 0.3), (self._sleep, 0.1)):
            if rng.random() < share:
                write()
        return tuple(sorted(self.acts, key=lambda act: act.at_ms))

    def _add(self, kind: str, **args: Any) -> None:
        # Much happens at once: that is where things go wrong.
        at_ms = self._rng.randrange(self.length_ms)
        if self.acts and self._rng.random() < 0.4:
            at_ms = min(self.length_ms, self._rng.choice(self.acts).at_ms + self._rng.choice((0, 1, 5, 20, 100, 700)))
        self.acts.append(Act(at_ms=at_ms, kind=kind, args=args))

    def _where(self) -> Args:
        account = self._rng.choice(self._c["accounts"])
        return {"account": account, "market": self._rng.randrange(2)}

    def _timeframe(self, account: str) -> str:
        # Opposite groups of one perpetual would stand in each other's way: one-way mode has one position for both.
        return "15" if account == "swap" else self._rng.choice(("15", "15", "60"))

    def _price(self) -> None:
        self._add("price", **self._where(), percent=self._rng.choice(MOVES), part=self._rng.choice((None, 0.4)))

    def _parting(self) -> None:
        """Both symbols are entered; then one rises and the other falls."""
        rng, at_ms = self._rng, self._rng.randrange(1000, self.length_ms)
        account = rng.choice(self._c["accounts"])
        up = rng.randrange(2)
        for market in (0, 1):
            where: Args = {"account": account, "market": market}
            entry = {"timeframe": "15", "intent": "signal", "action": "buy", "percent": "0", "copies": 1}
            self.acts.append(Act(at_ms=at_ms + market, kind="alert", args=where | entry))
            for step in range(2):
                percent = rng.choice(("1", "1.9")) if market == up else rng.choice(("-2", "-3"))
                move = {"percent": percent, "part": None}
                self.acts.append(Act(at_ms=at_ms + 2000 + 50 * step, kind="price", args=where | move))

    def _alert(self) -> None:
        rng, where = self._rng, self._where()
        args: Args = {
            "timeframe": self._timeframe(where["account"]),
            "intent": rng.choice(("signal",) * 7 + ("exit", "reduce", "reverse")),
            "action": rng.choice(("buy", "buy", "buy", "short")) if where["account"] == "swap" else "buy",
            "percent": rng.choice(("-1", "0", "0", "0.5")),
            "copies": rng.choice((1, 1, 1, 2, 4)),
        }
        if rng.random() < 0.15:
            args["stop"] = "5"
        if rng.random() < 0.15:
            args["aim"] = "3"
        if args["intent"] == "reduce":
            args["size"] = rng.choice(("0.001", "0.01", "3", "200"))
        elif self._c["sizing"] == "signal" and rng.random() < 0.9:
            args["size"], args["unit"] = rng.choice((("400", "quote"), ("1577", "quote"), ("3", "base")))
        elif rng.random() < 0.2:
            args["positions"] = rng.choice(POSITIONS)
        for name, value, share in (
            ("unstamped", True, 0.1), ("strict", True, 0.05), ("slippage", "0.05", 0.1), ("action", "sell", 0.07),
        ):  # fmt: skip
            if rng.random() < share:
                args[name] = value
        self._add("alert", **where, **args)

    def _trader(self) -> None:
        where = self._where()
        what = self._rng.choice(
            ("pause", "resume", "resume", "panic", "panic entries", "run risk", "run risk", "close", "close", "cancel",
             "block", "unblock", "skip", "promote", "remove", "force", "force", "adopt")
        )  # fmt: skip
        self._add("trader", **where, what=what, timeframe=self._timeframe(where["account"]))

    def _fault(self) -> None:
        route = self._rng.choice([*sorted(ROUTE_FAULTS), "place", "place", "cancel", "find"])
        account = self._rng.choice(self._c["accounts"])
        what = self._rng.choice(ROUTE_FAULTS[route])
        self._add("fault", account=account, route=route, what=what, times=self._rng.choice((1, 1, 2, 5)))

    def _stream(self) -> None:
        what = self._rng.choice(("cut", "mute", "double", "late", "shuffle", "die"))
        account = self._rng.choice(self._c["accounts"])
        self._add("stream", account=account, what=what, seconds=self._rng.choice((2, 10, 60)))

    def _feed(self) -> None:
        self._add("feed", account=self._rng.choice(self._c["accounts"]), seconds=self._rng.choice((5, 70, 100)))

    def _away(self) -> None:
        what = self._rng.choice(("maintenance", "maintenance", "key"))
        self._add("away", account=self._rng.choice(self._c["accounts"]), what=what, seconds=self._rng.choice((5, 40)))

    def _hand(self) -> None:
        what = self._rng.choice(("cancel", "cancel", "sell", "order", "deposit", "withdraw"))
        self._add("hand", **self._where(), what=what, share=self._rng.choice(("0.3", "1")))

    def _market(self) -> None:
        what = self._rng.choice(("halt", "rules", "thin", "thin"))
        self._add("market", **self._where(), what=what, seconds=self._rng.choice((5, 60)))

    def _store(self) -> None:
        what = self._rng.choice(("fail", "full", "locked", "broken"))
        times, seconds = self._rng.choice((1, 2, 5)), self._rng.choice((1, 15))
        self._add("store", what=what, times=times, seconds=seconds, after=self._rng.choice((0, 0, 1, 3, 8)))

    def _clock(self) -> None:
        self._add("clock", ms=self._rng.choice((-3_600_000, -90_000, -2_000, 5_000, 400_000, 7_200_000)))

    def _death(self) -> None:
        rng = self._rng
        then = {rng.choice(DEATHS): rng.randint(1, 6)} if rng.random() < 0.3 else {}
        down_s = rng.choice((0.05, 1, 20))
        self._add("death", point=rng.choice(DEATHS), nth=rng.randint(1, 12), down_s=down_s, then=then)

    def _stop(self) -> None:
        self._add("stop", down_s=self._rng.choice((0.05, 1, 20)))

    def _sleep(self) -> None:
        stands = self._rng.random() < 0.7
        seconds = self._rng.choice((15, 600, 28_800) if stands else (15, 60))
        self._add("sleep", stands=stands, seconds=seconds, percent=self._rng.choice(("-2", "0", "2")))

    def _window(self) -> None:
        for anew in (True, False, False):
            self._add("window", anew=anew)

    def _apply(self) -> None:
        """A few settings get other values; now and then accounts are connected anew for it."""
        others, rng = _choices(self._rng), self._rng
        names = rng.sample(_CHANGED, rng.randint(1, 4))
        anew = rng.choice(([], self._c["accounts"], [rng.choice(self._c["accounts"])]))
        self._add("apply", choices={name: others[name] for name in names}, anew=anew)


_CHANGED = (
    "slots", "slots", "queue_limit", "queue_replace", "bypass", "priority", "risk", "full_pyramids", "risk_wait",
    "timer_start", "partial_close", "when_short", "ladder", "max_pyramids", "gap_reference", "entry_order", "abandon",
    "replace_last", "sizing", "amount", "tp_mode", "tp_order", "close_when_flat", "stop", "slippage", "slippage_action",
    "below_minimum", "beyond", "pyramid_gap", "multipliers", "per_symbol", "exposure", "queue_age", "on_fill",
    "winners", "daily_loss", "drawdown", "trailing",
)  # fmt: skip

OFFSETS: Args = {
    "ladder": 4, "amount": "1577.77", "sizing": "fixed", "entry_order": "market", "tp_percent": "20",
    "tp_mode": "hybrid", "risk": True, "full_pyramids": False, "risk_wait": "0", "slots": 4, "stop": None,
    "trailing": None, "post_only": False, "timer_start": "after_5_pyramids", "abandon": None, "slippage": "1",
}  # fmt: skip
"""What makes it likely that winners pay for losers."""


def plan_of(seed: int) -> Plan:
    """The life of a seed."""
    rng = random.Random(seed)
    choices = _choices(rng)
    if rng.random() < 0.3:
        choices |= OFFSETS
    return Plan(seed=seed, choices=choices, acts=_Author(rng, choices).write())
