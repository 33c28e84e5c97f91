"""Stories of the page `risk`: which loser is paid off, when, by whom and how much of it (SPEC §8)."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from exengine.domain.events import Event, RiskDue
from exengine.domain.order import Order
from exengine.engine.timers import risk_timer
from exengine.settings.pages import Config
from tests.helpers.setting_cases.case import Case, Story, legs
from tests.helpers.setting_cases.plays import T0, money, played, simulated, ticking, world
from tests.helpers.world import BTC, ETH, World

SOL, *OTHERS = (
    replace(ETH, symbol=f"{base}/USDT", id=f"{base}USDT", base=base, step_size=Decimal("0.1"))
    for base in ("SOL", "AAA", "BBB", "CCC")
)
COINS = (BTC, ETH, SOL, *OTHERS)
MINUTE_S = 60


def market(config: Config) -> World:
    return world(config, None, instruments=COINS)


def entry(made: World, base: str, price: str, quote: str) -> None:
    """Bought for `quote` USDT at once."""
    made.price(f"{base}/USDT", price)
    sized = {"tv__order_size": quote, "execution_intent": {"type": "signal", "position_size_type": "quote"}}
    made.alert(price, tv__symbol=f"{base}USDT", **sized)


def loser_and_winner(made: World) -> None:
    """BTC is 100 USD behind, which are 10 %; ETH 200 ahead."""
    entry(made, "BTC", "50000", "1000")
    entry(made, "ETH", "2000", "2000")
    made.price("BTC/USDT", "45000")
    made.price("ETH/USDT", "2200")


def look(made: World, after_s: int = 2 * MINUTE_S) -> None:
    made.now_ms += after_s * 1000
    made.tell(RiskDue())


def losers(made: World) -> list[str]:
    return [plan.loser_id.split("|")[1] for step in made.steps for plan in step.plans]


def winners(made: World) -> list[str]:
    """What the first plan takes of whom."""
    plan = next(plan for step in made.steps for plan in step.plans)
    return [f"{line.group_id.split('|')[1]} {money(line.qty)}" for line in plan.lines]


def looked(*, after_s: int = 2 * MINUTE_S) -> Story:
    def story(config: Config) -> list[str]:
        made = market(config)
        loser_and_winner(made)
        look(made, after_s)
        return losers(made)

    return story


class SlowBook:
    """Holds back what the exchange says of one order."""

    def __init__(self, made: World, leg: int) -> None:
        self._place, self._leg = made.book.place, leg
        self.late: list[Event] = []
        made.book.place = self.place  # type: ignore[method-assign]

    def place(self, order: Order, now_ms: int) -> Iterable[Event]:
        told = self._place(order, now_ms)
        if order.leg != self._leg:
            return told
        self.late = told
        return []


def seconds_until_paid(config: Config) -> list[int]:
    """After the alert: its second leg is on the exchange 20 s later, and fills 40 s later; a look each 10 s."""
    made = market(config)
    entry(made, "ETH", "2000", "2000")
    made.price("ETH/USDT", "2200")
    book = SlowBook(made, leg=1)
    entry(made, "BTC", "50000", "1000")
    began = made.now_ms
    paid = []
    for second in range(10, 130, 10):
        made.now_ms = began + second * 1000
        if second == 20:
            for event in book.late:
                made.tell(event)
        if second == 40:
            made.price("BTC/USDT", "45000", after_ms=0)
        made.tell(RiskDue())
        if losers(made) and not paid:
            paid.append(second)
    return paid


def a_further_entry_after_70_s(config: Config) -> list[str]:
    """One pyramid is all there may be: the entry is ignored."""
    made = market(config)
    loser_and_winner(made)
    made.now_ms += 70_000
    made.alert("45000", tv__order_size="100")
    look(made, 10)
    return losers(made)


def four_winners(config: Config) -> list[str]:
    made = market(config)
    entry(made, "BTC", "50000", "2500")
    for base, price in (("AAA", "120"), ("BBB", "110"), ("CCC", "130"), ("SOL", "105")):
        entry(made, base, "100", "300")
        made.price(f"{base}/USDT", price)
    made.price("BTC/USDT", "45000")
    look(made)
    return winners(made)


def what_is_taken(config: Config) -> list[str]:
    made = market(config)
    loser_and_winner(made)
    look(made)
    return winners(made)


def a_little_is_enough(config: Config) -> list[str]:
    """10 USD of loss; a piece of SOL is worth 150 and has won 50: a fifth of one, 30 USD, is enough."""
    made = market(config)
    entry(made, "BTC", "50000", "100")
    entry(made, "SOL", "100", "1000")
    made.price("BTC/USDT", "45000")
    made.price("SOL/USDT", "150")
    look(made)
    return winners(made)


def too_little_profit(config: Config) -> str:
    """40 of 100 USD: what is left of the loser's 0.02."""
    made = market(config)
    entry(made, "BTC", "50000", "1000")
    entry(made, "ETH", "2000", "400")
    made.price("BTC/USDT", "45000")
    made.price("ETH/USDT", "2200")
    look(made)
    return money(made.groups["paper|BTC/USDT|15m#1"].net_qty)


def after_a_fill(config: Config) -> list[str]:
    """Two minutes later something else is bought, and no timer rings."""
    made = market(config)
    loser_and_winner(made)
    made.now_ms += 120_000
    entry(made, "SOL", "200", "100")
    made.look_at_losers()
    return losers(made)


def second_of_the_offset(config: Config) -> list[int]:
    """In a replay, of a coin that was bought and its perpetual that was sold: the loss is there from second 1 on."""
    sized = {"execution_intent": {"type": "signal", "position_size_type": "quote"}}
    said = [
        (0, {"tv__order_size": "1000"} | sized),
        (0, {"tv__order_size": "3000", "tv__action": "short", "tv__symbol": "BTCUSDT.P"} | sized),
    ]
    record = played(config, [(0, "50000"), (1, "45000"), (30, "45000")], said)
    return [(plan.at_ms - T0) // 1000 for plan in record.offsets]


def looks_of_the_timer(config: Config) -> list[tuple[float, Any]]:
    return simulated(ticking(risk_timer, config, 25))


FAR = legs(("0", "100", "90"))
READY: dict[str, Any] = {
    "grid.legs": FAR,
    "grid.max_pyramids": 1,
    "sizing.mode": "signal",
    "risk.post_full_wait_minutes": "1",
}
"""One pyramid is all, and its minute of waiting is over at the look."""
LONG_WAIT = {**READY, "risk.post_full_wait_minutes": "600"}
USUAL_WAIT = {name: value for name, value in READY.items() if name != "risk.post_full_wait_minutes"}
TWO_LEGS = {**READY, "grid.legs": legs(("0", "50", "90"), ("-1", "50", "90"))}
SPOT_AND_SWAP = {
    **READY,
    "risk.post_full_wait_minutes": "0",
    "accounts": [
        {"name": name, "exchange": "paper", "market_type": name, "maker_fee_percent": "0", "taker_fee_percent": "0"}
        for name in ("spot", "swap")
    ],
}  # fmt: skip

PAID, NOT_PAID = ["BTC/USDT"], []

CASES = [
    Case(path="risk.enabled", value=False, story=looked(), given=READY, plain=PAID, changed=NOT_PAID),
    Case(path="risk.loss_threshold_percent", value="-10.01", story=looked(), given=READY, plain=PAID, changed=NOT_PAID),
    Case(path="risk.require_full_pyramids", value=False, story=looked(), given={**READY, "grid.max_pyramids": 2},
         plain=NOT_PAID, changed=PAID),
    Case(path="risk.enable_post_full_wait", value=False, story=looked(after_s=0), given=LONG_WAIT,
         plain=NOT_PAID, changed=PAID),
    Case(path="risk.post_full_wait_minutes", value="1", story=looked(), given=USUAL_WAIT, plain=NOT_PAID, changed=PAID),
    Case(path="risk.timer_start", value="after_all_dca_submitted", story=seconds_until_paid, given=TWO_LEGS,
         plain=[60], changed=[80]),
    Case(path="risk.timer_start", value="after_all_dca_filled", story=seconds_until_paid, given=TWO_LEGS,
         plain=[60], changed=[100]),
    Case(path="risk.reset_timer_on_replacement", value=True, story=a_further_entry_after_70_s, given=READY,
         plain=PAID, changed=NOT_PAID),
    Case(path="risk.use_trade_age_filter", value=True, story=looked(), given=READY, plain=PAID, changed=NOT_PAID),
    Case(path="risk.age_threshold_minutes", value="1", story=looked(),
         given={**READY, "risk.use_trade_age_filter": True}, plain=NOT_PAID, changed=PAID),
    # 250 USD are needed; they have 90, 60, 30 and 15.
    Case(path="risk.max_winners", value=1, story=four_winners, given=READY,
         plain=["CCC/USDT 3", "AAA/USDT 3", "BBB/USDT 3"], changed=["CCC/USDT 3"]),
    # 100 of the 200 that one ETH has won.
    Case(path="risk.partial_close_enabled", value=False, story=what_is_taken, given=READY,
         plain=["ETH/USDT 0.5"], changed=["ETH/USDT 1"]),
    Case(path="risk.when_short", value="skip", story=too_little_profit, given=READY, plain="0.012", changed="0.02"),
    Case(path="risk.min_close_notional", value="40", story=a_little_is_enough, given=READY,
         plain=["SOL/USDT 0.2"], changed=["SOL/USDT 0.3"]),
    Case(path="risk.evaluate_on_fill", value=False, story=after_a_fill, given=READY, plain=PAID, changed=NOT_PAID),
    Case(path="risk.evaluate_seconds", value=4, story=second_of_the_offset, given=SPOT_AND_SWAP,
         plain=[10], changed=[4]),
    Case(path="risk.evaluate_seconds", value=4, story=looks_of_the_timer,
         plain=[(10.0, RiskDue()), (20.0, RiskDue())],
         changed=[(float(second), RiskDue()) for second in (4, 8, 12, 16, 20, 24)]),
]  # fmt: skip
