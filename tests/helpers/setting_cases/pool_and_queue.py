"""Stories of `pool` and `queue`: who gets a slot, who waits, and who goes first (SPEC §7)."""

from dataclasses import replace
from typing import Any

from exengine.domain.events import GroupCloseAsked, QueueDue
from exengine.engine.timers import queue_timer
from exengine.settings.pages import Config
from tests.helpers.setting_cases.case import Case, legs
from tests.helpers.setting_cases.plays import T0, answer, played, simulated, ticking, world
from tests.helpers.world import BTC, ETH, World

COINS = (BTC, ETH, *(replace(ETH, symbol=f"{base}/USDT", id=f"{base}USDT", base=base) for base in ("AAA", "BBB")))
TIMEFRAMES = ("1", "3", "5")


def three_timeframes(config: Config) -> list[str]:
    """Entries of 1,000 each, of one symbol."""
    made = world(config)
    return [answer(made.alert("50000", tv__timeframe=timeframe)) for timeframe in TIMEFRAMES]


def ask(made: World, base: str, price: str) -> str:
    return answer(made.alert(price, tv__symbol=f"{base}USDT"))


def taken(config: Config) -> World:
    """The only slot has BTC."""
    made = world(config, instruments=COINS)
    ask(made, "BTC", "50000")
    return made


def free_the_slot(made: World) -> None:
    for group_id in list(made.state.groups):
        made.tell(GroupCloseAsked(group_id=group_id))


def a_pyramid(config: Config) -> str:
    return ask(taken(config), "BTC", "49000")


def two_that_wait(config: Config) -> list[str]:
    made = taken(config)
    return [ask(made, base, "90") for base in ("AAA", "BBB")]


def asked_again(config: Config) -> list[str]:
    made = taken(config)
    return [ask(made, "AAA", price) for price in ("90", "80")]


def ten_minutes_in_the_queue(config: Config) -> list[str]:
    made = taken(config)
    ask(made, "AAA", "90")
    made.now_ms += 600_000
    made.tell(QueueDue())
    return [event.event for event in made.queue_events]


def goes_first(made: World) -> str:
    free_the_slot(made)
    return next(event.key.split("|")[1] for event in made.queue_events if event.event == "promoted")


def a_deeper_loss_and_an_earlier_entry(config: Config) -> str:
    made = taken(config)
    for base in ("AAA", "BBB"):
        ask(made, base, "100")
    made.price("BBB/USDT", "97")
    return goes_first(made)


def a_replaced_one_and_an_earlier_entry(config: Config) -> str:
    made = taken(config)
    for base in ("AAA", "BBB", "BBB"):
        ask(made, base, "100")
    return goes_first(made)


def both_replaced_the_earlier_entry_last(config: Config) -> str:
    made = taken(config)
    for base in ("AAA", "BBB", "BBB", "AAA"):
        ask(made, base, "100")
    return goes_first(made)


def more_expected_and_an_earlier_entry(config: Config) -> str:
    """The later one is of a chart whose targets are twice as far."""
    made = taken(config)
    ask(made, "AAA", "100")
    ask(made, "ETH", "2000")
    return goes_first(made)


def a_pyramid_and_a_deeper_loss(config: Config) -> str:
    """Two slots, and pyramids need one, too: BTC's waits beside an entry that the market came to meet."""
    made = taken(config)
    ask(made, "ETH", "2000")
    ask(made, "AAA", "100")
    made.price("AAA/USDT", "90")
    ask(made, "BTC", "49000")
    made.tell(GroupCloseAsked(group_id="paper|ETH/USDT|15m#1"))
    return next(event.key.split("|")[1] for event in made.queue_events if event.event == "promoted")


def seconds_until_it_expires(config: Config) -> list[tuple[int, str]]:
    """In a replay: an entry that came at second 1 and is stale from second 4 on; when is it looked at?"""
    prices = [(second, "60000") for second in range(0, 31, 5)]
    said = [(0, {}), (1, {"tv__timeframe": "60"})]
    record = played(config, prices, said)
    return [((event.at_ms - T0) // 1000, event.event) for event in record.queue_events]


def looks_of_the_timer(config: Config) -> list[tuple[float, Any]]:
    """The running engine's own timer, for 25 simulated seconds."""
    return simulated(ticking(queue_timer, config, 25))


PRIORITY = ("pyramid_continuation", "deepest_loss", "most_replaced", "fifo")


def without(rule: str) -> list[str]:
    return [one for one in PRIORITY if one != rule]


ONE_SLOT = {"pool.max_open_groups": 1, "sizing.amount": "100"}
TWO_SLOTS = {**ONE_SLOT, "pool.max_open_groups": 2, "pool.pyramids_bypass": False}
STALE = {**ONE_SLOT, "queue.max_age_minutes": "0.05"}
RICHER = {
    **ONE_SLOT,
    "grid.overrides": [{"match": {"symbol": "ETH/USDT"}, "grid": {"legs": legs(("0", "100", "20"))}}],
}

CASES = [
    Case(path="pool.max_open_groups", value=2, story=three_timeframes,
         plain=["opened"] * 3, changed=["opened", "opened", "queued pool_full"]),
    Case(path="pool.pyramids_bypass", value=False, story=a_pyramid, given=ONE_SLOT,
         plain="pyramid", changed="queued pool_full"),
    Case(path="pool.max_per_symbol", value=2, story=three_timeframes,
         plain=["opened"] * 3, changed=["opened", "opened", "refused max_per_symbol"]),
    Case(path="pool.max_exposure", value="2500", story=three_timeframes,
         plain=["opened"] * 3, changed=["opened", "opened", "refused max_exposure"]),
    Case(path="queue.limit", value=1, story=two_that_wait, given=ONE_SLOT,
         plain=["queued pool_full"] * 2, changed=["queued pool_full", "refused queue_full"]),
    Case(path="queue.max_age_minutes", value="10", story=ten_minutes_in_the_queue, given=ONE_SLOT,
         plain=["queued"], changed=["queued", "expired"]),
    Case(path="queue.replace", value=False, story=asked_again, given=ONE_SLOT,
         plain=["queued pool_full", "replaced"], changed=["queued pool_full", "ignored replace_off"]),
    Case(path="queue.evaluate_seconds", value=4, story=seconds_until_it_expires, given=STALE,
         plain=[(1, "queued"), (10, "expired")], changed=[(1, "queued"), (4, "expired")]),
    Case(path="queue.evaluate_seconds", value=4, story=looks_of_the_timer,
         plain=[(10.0, QueueDue()), (20.0, QueueDue())],
         changed=[(float(second), QueueDue()) for second in (4, 8, 12, 16, 20, 24)]),
    Case(path="queue.priority", value=without("pyramid_continuation"), story=a_pyramid_and_a_deeper_loss,
         given=TWO_SLOTS, plain="BTC/USDT", changed="AAA/USDT"),
    Case(path="queue.priority", value=without("deepest_loss"), story=a_deeper_loss_and_an_earlier_entry,
         given=ONE_SLOT, plain="BBB/USDT", changed="AAA/USDT"),
    Case(path="queue.priority", value=without("most_replaced"), story=a_replaced_one_and_an_earlier_entry,
         given=ONE_SLOT, plain="BBB/USDT", changed="AAA/USDT"),
    # Without it the later alert counts: the one that was replaced last stands behind.
    Case(path="queue.priority", value=without("fifo"), story=both_replaced_the_earlier_entry_last,
         given=ONE_SLOT, plain="AAA/USDT", changed="BBB/USDT"),
    Case(path="queue.priority", value=["highest_expected_profit", *PRIORITY], story=more_expected_and_an_earlier_entry,
         given=RICHER, plain="AAA/USDT", changed="ETH/USDT"),
    Case(path="queue.priority", value=["fifo", "deepest_loss"], story=a_deeper_loss_and_an_earlier_entry,
         given=ONE_SLOT, plain="BBB/USDT", changed="AAA/USDT"),
]  # fmt: skip
