"""A life as plain data: its settings, its exchanges, and everything that will happen in it, each at its time."""

import json
import random
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from exengine.domain.instrument import MarketType
from exengine.domain.settings import (
    AccountSettings,
    EntryOrder,
    ExecutionSettings,
    GapReference,
    GridSettings,
    LegSpec,
    PoolSettings,
    QueueRule,
    QueueSettings,
    RiskSettings,
    Settings,
    SizingMode,
    SizingSettings,
    SlippageAction,
    TakeProfitMode,
    TakeProfitSettings,
    TargetOrder,
    TimerStart,
    WhenShort,
)
from tests.exchange_server.venue import VenueMarket

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


def _market(name: str, tick: str, step: str, **more: Any) -> VenueMarket:
    own: dict[str, Any] = {"min_qty": D(step), "min_notional": D(5)} | more
    return VenueMarket(id=f"{name}USDT", base=name, quote="USDT", tick=D(tick), step=D(step), **own)


SPOT = {
    "BTC": (_market("BTC", "0.01", "0.00001"), D(50000)),
    "ETH": (_market("ETH", "0.01", "0.0001"), D(2000)),
    "XRP": (_market("XRP", "0.0001", "1"), D("0.5")),
    "SOL": (_market("SOL", "0.01", "0.01", max_qty=D(3)), D(150)),
}
FEE_COIN = (_market("BNB", "0.01", "0.001"), D(600))
SWAP = {
    "BTC": (_market("BTC", "0.1", "0.001", type="swap"), D(50000)),
    "ETH": (_market("ETH", "0.05", "1", type="swap", contract_size=D("0.01")), D(2000)),
}

LADDERS = (
    (("0", "25", "1"), ("-0.5", "25", "0.5"), ("-1", "25", "2"), ("-2", "25", "1.5")),
    (("0", "50", "0.5"), ("-1", "50", "1")),
    (("0", "100", "2"),),
    (("-1", "40", "1"), ("0", "60", "5")),
    (("0", "100", "30"),),
)


def settings_of(choices: Args) -> Settings:
    """The trader's configuration of a life."""
    c = choices
    accounts = tuple(
        AccountSettings(
            name=name,
            exchange={"spot": "binance", "swap": "bybit"}[name],
            market_type=MarketType(name),
            leverage=D(c["leverage"]) if name == "swap" else D(1),
        )
        for name in c["accounts"]
    )
    legs = tuple(LegSpec(gap_percent=D(g), weight_percent=D(w), tp_percent=D(t)) for g, w, t in LADDERS[c["ladder"]])
    sizing = SizingMode(c["sizing"])
    return Settings(
        accounts=accounts,
        grid=GridSettings(
            max_pyramids=c["max_pyramids"],
            legs=legs,
            gap_reference=GapReference(c["gap_reference"]),
            entry_order=EntryOrder(c["entry_order"]),
            abandon_percent=None if c["abandon"] is None else D(c["abandon"]),
            replace_last_pyramid=c["replace_last"],
            post_only=c["post_only"],
        ),
        sizing=SizingSettings(mode=sizing, amount=D(c["amount"]) if sizing is SizingMode.FIXED else D(15)),
        take_profit=TakeProfitSettings(
            mode=TakeProfitMode(c["tp_mode"]),
            percent=D(c["tp_percent"]),
            order=TargetOrder(c["tp_order"]),
            close_when_flat=c["close_when_flat"],
            stop_loss_percent=None if c["stop"] is None else D(c["stop"]),
            trailing_percent=None if c["trailing"] is None else D(c["trailing"]),
        ),
        execution=ExecutionSettings(
            max_slippage_percent=D(c["slippage"]), slippage_action=SlippageAction(c["slippage_action"])
        ),
        pool=PoolSettings(max_open_groups=c["slots"], pyramids_bypass=c["bypass"]),
        queue=QueueSettings(
            limit=c["queue_limit"],
            replace=c["queue_replace"],
            priority=tuple(QueueRule(rule) for rule in c["priority"]),
        ),
        risk=RiskSettings(
            enabled=c["risk"],
            loss_threshold_percent=D(-3),
            require_full_pyramids=c["full_pyramids"],
            post_full_wait_minutes=D(c["risk_wait"]),
            timer_start=TimerStart(c["timer_start"]),
            partial_close_enabled=c["partial_close"],
            when_short=WhenShort(c["when_short"]),
        ),
    )


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
        "ladder": rng.randrange(len(LADDERS)),
        "max_pyramids": some([1, 2, 3]),
        "gap_reference": some(["pyramid", "group"]),
        "entry_order": some(["limit", "limit", "market"]),
        "abandon": some([None, None, "3"]),
        "replace_last": rng.random() < 0.3,
        "post_only": rng.random() < 0.15,
        "sizing": some(["fixed", "fixed", "percent_equity", "percent_free"]),
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
    }


MOVES = ("-8", "-4", "-3", "-2", "-1", "-0.5", "-0.2", "0.2", "0.5", "1", "2", "3", "4", "8")
ROUTE_FAULTS = {
    "place": ("lost_request", "lost_answer", "late_request", "retryable", "garbage_done", "garbage_not_done", "slow"),
    "taking": ("refuse", "refuse_rules", "late_refusal"),
    "cancel": ("lost_request", "lost_answer", "retryable", "not_found", "ignored", "slow", "garbage_done"),
    "find": ("lost_answer", "retryable", "slow"),
    "report": ("lost_answer", "retryable", "slow"),
    "rules": ("lost_answer", "retryable"),
    "any": ("retryable", "banned", "slow", "lost_answer"),
}
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
        self._add("price", **self._where(), percent=self._rng.choice(MOVES), part=self._rng.choice((None, None, 0.4)))

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
        what = self._rng.choice(("fail", "full", "locked", "slow"))
        self._add("store", what=what, times=self._rng.choice((1, 2, 5)), seconds=self._rng.choice((1, 15)))

    def _clock(self) -> None:
        self._add("clock", ms=self._rng.choice((-3_600_000, -90_000, -2_000, 5_000, 400_000, 7_200_000)))

    def _death(self) -> None:
        down_s = self._rng.choice((0.05, 1, 20))
        self._add("death", point=self._rng.choice(DEATHS), nth=self._rng.randint(1, 12), down_s=down_s)

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
