"""Stories of `sizing`, `take_profit` and `execution`: how much, when it is sold again, and at what price at worst."""

from typing import Any

from exengine.domain.order import Role
from exengine.settings.pages import Config
from tests.helpers.setting_cases.case import TWO, Case, legs
from tests.helpers.setting_cases.plays import answer, money, orders, resting, world
from tests.helpers.world import World


def ended(made: World) -> str:
    """How the only group stands: its status, why it closed, and that it is held for the trader."""
    group = made.group()
    reason = f" {group.reason.value}" if group.reason else ""
    return f"{group.status.value}{reason}{', held' if group.frozen else ''}"


# sizing ---------------------------------------------------------------------------------------------------------------


def capitals(config: Config) -> list[str]:
    """Two pyramids of alerts that bring 0.01 BTC each: one bought at 50,000, one when the price is 60,000."""
    made = world(config, "50000")
    sized = {"tv__order_size": "0.01", "execution_intent": {"type": "signal", "position_size_type": "base"}}
    for price in ("50000", "60000"):
        made.price("BTC/USDT", price)
        made.alert(price, **sized)
    return [money(pyramid.capital) for pyramid in made.group().pyramids]


FAR = {"grid.legs": legs(("0", "100", "50"))}
TEN = {**FAR, "sizing.amount": "10"}

SIZING = [
    Case(path="sizing.amount", value="250", story=capitals, given={**FAR, "sizing.amount": "100"},
         plain=["100", "100"], changed=["250", "250"]),
    # 10 % of 10,000; then of 9,000 and 0.02 BTC at 60,000
    Case(path="sizing.mode", value="percent_equity", story=capitals, given=TEN,
         plain=["10", "10"], changed=["1000", "1020"]),
    Case(path="sizing.mode", value="percent_free", story=capitals, given=TEN,
         plain=["10", "10"], changed=["1000", "900"]),
    Case(path="sizing.mode", value="signal", story=capitals, given=TEN, plain=["10", "10"], changed=["500", "600"]),
]  # fmt: skip


# take profit ----------------------------------------------------------------------------------------------------------


def two_pyramids(config: Config) -> tuple[list[str], str]:
    """Legs at 50,000 and 49,000 filled, and the first one of a second pyramid at 48,000; then the price is 51,000."""
    made = world(config, "50000")
    made.alert("50000")
    made.price("BTC/USDT", "49000")
    made.price("BTC/USDT", "48000")
    made.alert("48000")
    targets = resting(made)
    made.price("BTC/USDT", "51000")
    return targets, ended(made)


def one_target(config: Config) -> list[str]:
    made = world(config, "50000")
    made.alert("50000")
    return orders(made, Role.TP)


def up_and_back(config: Config) -> tuple[list[str], str]:
    """What rests at 50,000, and how the group stands after 55,000 and back."""
    made = world(config, "50000")
    made.alert("50000")
    before = orders(made, Role.TP)
    made.price("BTC/USDT", "55000")
    made.price("BTC/USDT", "54900")
    return before, f"{ended(made)}, {' '.join(order.type.value for order in made.role(Role.TP))}".rstrip(", ")


def with_a_leg_left(config: Config) -> str:
    """The first leg has been sold, the second was never reached."""
    made = world(config, "50000")
    made.alert("50000")
    made.price("BTC/USDT", "55000")
    return f"{ended(made)}, {sum(order.is_working for order in made.role(Role.ENTRY))} open"


def after_a_fall(config: Config) -> str:
    made = world(config, "50000")
    made.alert("50000")
    made.price("BTC/USDT", "48500")
    return ended(made)


AT_3 = {"grid.legs": TWO, "take_profit.percent": "3"}
OWN = ["55000 × 0.01", "53900 × 0.0102", "52800 × 0.01041"]
"""10 % over 50,000, 49,000 and 48,000; 500 / 48,000 = 0.0104166…"""

TAKE_PROFIT = [
    # 0.01 at 50,000 and 0.0102 at 49,000 average 49,495.0495: 3 % more is 50,979.90099, up to the tick.
    # The leg at 48,000: 49,440. Of all: 1,499.48 / 0.03061 = 48,986.6056; 3 % more is 50,456.2038…
    Case(path="take_profit.mode", value="pyramid", story=two_pyramids, given=AT_3,
         plain=(OWN, "partially_filled"), changed=(["50979.91 × 0.0202", "49440 × 0.01041"], "closed tp")),
    Case(path="take_profit.mode", value="aggregate", story=two_pyramids, given=AT_3,
         plain=(OWN, "partially_filled"), changed=(["50456.21 × 0.03061"], "closed tp")),
    Case(path="take_profit.mode", value="hybrid", story=two_pyramids, given=AT_3,
         plain=(OWN, "partially_filled"), changed=(OWN, "closed tp")),
    Case(path="take_profit.percent", value="2", story=one_target, given={"take_profit.mode": "aggregate"},
         plain=["50500 × 0.02"], changed=["51000 × 0.02"]),
    Case(path="take_profit.order", value="market", story=up_and_back,
         plain=(["55000 × 0.02"], "closed tp, limit"), changed=([], "closed tp, market")),
    Case(path="take_profit.close_when_flat", value=False, story=with_a_leg_left, given={"grid.legs": TWO},
         plain="closed tp, 0 open", changed="partially_filled, 1 open"),
    Case(path="take_profit.stop_loss_percent", value="3", story=after_a_fall,
         plain="active", changed="closed stop_loss"),
    # Nothing rests, and 54,900 is less than 1 % below the best.
    Case(path="take_profit.trailing_percent", value="1", story=up_and_back,
         given={"take_profit.mode": "aggregate", "take_profit.percent": "10"},
         plain=(["55000 × 0.02"], "closed tp, limit"), changed=([], "active")),
]  # fmt: skip


# execution ------------------------------------------------------------------------------------------------------------


def left_by_alert(config: Config) -> tuple[list[str], str]:
    """The worst prices that the close may get, one a try, and how the group stands then."""
    made = world(config, "50000")
    made.alert("50000")
    told = answer(made.alert("50000", "sell", execution_intent={"type": "exit"}))
    assert told == "exited"
    return [money(order.bound) for order in made.role(Role.CLOSE)], ended(made)


SLIPS: dict[str, Any] = {"sim.slippage_percent": "2"}
TRIED = ["49500"] * 4

EXECUTION = [
    Case(path="execution.max_slippage_percent", value="0.5", story=left_by_alert,
         plain=(["49500"], "closed exit"), changed=(["49750"], "closed exit")),
    Case(path="execution.slippage_action", value="hold", story=left_by_alert, given=SLIPS,
         plain=([*TRIED, "-"], "closed exit"), changed=(TRIED, "closing exit, held")),
]  # fmt: skip

CASES = [*SIZING, *TAKE_PROFIT, *EXECUTION]
