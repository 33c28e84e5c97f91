"""Stories of the page `grid`: what each value makes of a ladder (SPEC §3)."""

from typing import Any

from exengine.domain.order import OrderStatus, Role
from exengine.settings.pages import Config
from tests.helpers.setting_cases.case import PAPER, TWO, Case, Story, legs
from tests.helpers.setting_cases.plays import answer, money, orders, world
from tests.helpers.world import BTC_PERPETUAL, World


def first_ladder(config: Config) -> list[str]:
    made = world(config)
    made.alert("50000")
    return orders(made)


def first_target(config: Config) -> list[str]:
    made = world(config, "50000")
    made.alert("50000")
    return orders(made, Role.TP)


def two_ladders(config: Config) -> list[str]:
    made = world(config)
    made.alert("50000")
    made.alert("49000")
    return orders(made)


def pyramids_and_the_last_answer(config: Config) -> tuple[int, str]:
    made = world(config)
    told = [answer(made.alert("50000")) for _ in range(6)]
    return len(made.group().pyramids), told[-1]


def a_small_second_leg(config: Config) -> tuple[str, list[str]]:
    """100 of capital, of which the second leg has 2, and the exchange wants 5."""
    made = world(config)
    return answer(made.alert("50000")), orders(made)


def half_filled(config: Config) -> World:
    """A leg of 0.02 at 50,000 of which a quarter fills at each tick: it is passed while it is still open."""
    made = world(config, "50100", part="0.005")
    made.alert("50000")
    made.price("BTC/USDT", "50000")
    return made


def entries_open_below(price: str) -> Story:
    def story(config: Config) -> int:
        made = half_filled(config)
        made.price("BTC/USDT", price)
        return sum(order.is_working for order in made.role(Role.ENTRY))

    return story


def left_behind(config: Config) -> str:
    made = world(config)
    made.alert("50000")
    made.price("BTC/USDT", "51000")
    group = made.group()
    return f"{group.status.value} {group.reason.value if group.reason else ''}".strip()


def a_near_pyramid(config: Config) -> list[str]:
    made = world(config)
    return [answer(made.alert(price)) for price in ("50000", "49600")]


def a_further_entry(config: Config) -> tuple[str, list[str]]:
    """After the last pyramid; what rests of the ladder then."""
    made = world(config, "50000")
    made.alert("50000")
    made.price("BTC/USDT", "49900")
    told = answer(made.alert("49500"))
    return told, [money(order.price) for order in made.role(Role.ENTRY) if order.is_working]


def capitals(config: Config) -> list[str]:
    made = world(config)
    made.alert("50000")
    made.alert("40000")
    return [money(pyramid.capital) for pyramid in made.group().pyramids]


def capital_of_a_short(config: Config) -> list[str]:
    made = world(config, "40000", instruments=(BTC_PERPETUAL,))
    made.alert("50000", "short", tv__symbol="BTCUSDT.P")
    return [money(pyramid.capital) for pyramid in made.group().pyramids]


def a_leg_at_the_market(config: Config) -> list[OrderStatus]:
    made = world(config, "50000")
    made.alert("50000")
    return [order.status for order in made.role(Role.ENTRY)]


SMALL = {"grid.legs": legs(("0", "98", "1"), ("-1", "2", "1")), "sizing.amount": "100"}
FIRST_OF_SMALL = "50000 × 0.00196"
FULL = {"grid.legs": TWO, "grid.max_pyramids": 1}

VALUES = [
    Case(path="grid.max_pyramids", value=2, story=pyramids_and_the_last_answer,
         plain=(5, "ignored max_pyramids"), changed=(2, "ignored max_pyramids")),
    # 1,000 / 50,000; a gap of 1 %: 1,000 / 49,500 = 0.0202020…
    Case(path="grid.legs.0.gap_percent", value="-1", story=first_ladder,
         plain=["50000 × 0.02"], changed=["49500 × 0.0202"]),
    # 500 / 49,000 = 0.010204…; 300 / 50,000 and 700 / 49,000 = 0.0142857…
    Case(path="grid.legs.0.weight_percent", value="30", also={"grid.legs.1.weight_percent": "70"}, story=first_ladder,
         given={"grid.legs": TWO}, plain=["50000 × 0.01", "49000 × 0.0102"],
         changed=["50000 × 0.006", "49000 × 0.01428"]),
    Case(path="grid.legs.0.tp_percent", value="5", story=first_target,
         plain=["55000 × 0.02"], changed=["52500 × 0.02"]),
    # 2 % below 49,000, or below the group's 50,000; 500 / 48,020 = 0.010412…
    Case(path="grid.gap_reference", value="group", story=two_ladders, given={"grid.legs": TWO},
         plain=["50000 × 0.01", "49000 × 0.0102", "49000 × 0.0102", "48020 × 0.01041"],
         changed=["50000 × 0.01", "49000 × 0.0102", "49000 × 0.0102", "49000 × 0.0102"]),
    # By the last price, 60,000: 500 / 60,000 = 0.008333…
    Case(path="grid.entry_order", value="market", story=first_ladder, given={"grid.legs": TWO},
         plain=["50000 × 0.01", "49000 × 0.0102"], changed=["market × 0.00833", "49000 × 0.0102"]),
    Case(path="grid.on_below_minimum", value="reject", story=a_small_second_leg, given=SMALL,
         plain=("opened", [FIRST_OF_SMALL]), changed=("refused below_minimum", [])),
    # 5 / 49,500 = 0.00010101…, up to the step
    Case(path="grid.on_below_minimum", value="raise", story=a_small_second_leg, given=SMALL,
         plain=("opened", [FIRST_OF_SMALL]), changed=("opened", [FIRST_OF_SMALL, "49500 × 0.00011"])),
    Case(path="grid.beyond_last_leg", value="cancel", story=entries_open_below("49500"), plain=1, changed=0),
    Case(path="grid.beyond_last_leg_percent", value="2", story=entries_open_below("49500"),
         given={"grid.beyond_last_leg": "cancel"}, plain=0, changed=1),
    Case(path="grid.abandon_percent", value="2", story=left_behind, plain="live", changed="closed cancelled"),
    Case(path="grid.min_pyramid_gap_percent", value="1", story=a_near_pyramid,
         plain=["opened", "pyramid"], changed=["opened", "refused too_close"]),
    Case(path="grid.replace_last_pyramid", value=True, story=a_further_entry, given=FULL,
         plain=("ignored max_pyramids", ["49000"]), changed=("replaced", ["48510"])),
    Case(path="grid.pyramid_multipliers", value=["1", "1.5"], story=capitals,
         plain=["1000", "1000"], changed=["1000", "1500"]),
    Case(path="grid.post_only", value=True, story=a_leg_at_the_market,
         plain=[OrderStatus.FILLED], changed=[OrderStatus.REJECTED]),
]  # fmt: skip
"""What an override may set, too."""

HALF = {"grid.overrides": [{"match": {}, "sizing": {"amount": "500"}}]}
OTHER = {**HALF, "accounts": [PAPER, {"name": "other", "exchange": "paper"}]}


def _match(field: str, value: Any, *, changed: list[str] | None = None, given: dict[str, Any] = HALF) -> Case:
    """A rule for everything is for something else instead: the common capital comes back."""
    return Case(path=f"grid.overrides.0.match.{field}", value=value, story=capitals, given=given,
                plain=["500", "500"], changed=changed or ["1000", "1000"])  # fmt: skip


MATCHES = [
    _match("account", "other", given=OTHER),
    _match("symbol", "ETH/USDT"),
    _match("symbol", "*/BTC"),
    _match("timeframe", "1h"),
    _match("side", "short"),
    Case(path="grid.overrides.0.match.side", value="long", story=capital_of_a_short,
         given={**HALF, "accounts": [{**PAPER, "market_type": "swap"}]}, plain=["500"], changed=["1000"]),
    _match("pyramid", 1, changed=["1000", "500"]),
    _match("pyramid", 0, changed=["500", "1000"]),
]  # fmt: skip

CASES = [*VALUES, *MATCHES]
