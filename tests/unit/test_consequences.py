"""What applying a configuration will do, said before it is done (SPEC §9)."""

from decimal import Decimal
from typing import Any

import pytest

from exengine.domain.instrument import Side
from exengine.domain.ladder_preview import ladder_preview
from exengine.domain.settings import Settings
from exengine.settings.consequences import Weight, at_next_start, consequences
from exengine.settings.file import checked
from exengine.settings.pages import Config
from exengine.settings.plain import trading_settings
from tests.helpers.world import World

D = Decimal
LEGS = [{"gap_percent": str(-i / 2), "weight_percent": w, "tp_percent": 1} for i, w in enumerate((28, 24, 23, 21, 4))]


def config(**pages: Any) -> Config:
    return checked(pages)


def world(of: Config | None = None) -> World:
    made = World(settings(of or Config()))
    made.price("BTC/USDT", "50100")
    made.price("ETH/USDT", "2010")
    return made


def settings(of: Config) -> Settings:
    return trading_settings(of, local_timezone="UTC")


def said(old: Config, new: Config, there: World | None = None, ladder=None) -> list[tuple[str, str]]:
    there = there or world(old)
    return [(one.weight.value, one.text) for one in consequences(old, new, there.state, there.now_ms, ladder)]


def test_nothing_changed_says_nothing():
    assert said(Config(), config()) == []


def test_the_pictured_change_is_said_as_in_the_picture():
    there = world()
    there.alert("50000")
    new = config(grid={"max_pyramids": 3, "legs": LEGS})
    ladder = ladder_preview(settings(new), there.state, account="paper", symbol="BTC/USDT", side=Side.LONG)
    assert said(Config(), new, there, ladder) == [
        ("info", "New groups take 3 pyramids, not 5."),
        ("info", "New pyramids weigh 28, 24, 23, 21, 4 instead of 20 each."),
        ("info", "New legs aim at 1 % each instead of 1, 0.5, 2, 1.5, 1 %."),
        ("warning", "DCA4 is blocked at 100 USDT; about 5 % stays unused."),
        ("kept", "The live group keeps the grid it began with."),
    ]


def test_an_amount_is_told_in_its_coin_with_both_cents():
    there = world()
    new = config(sizing={"amount": "1100.5"})
    ladder = ladder_preview(settings(new), there.state, account="paper", symbol="BTC/USDT", side=Side.LONG)
    assert said(Config(), new, there, ladder)[0] == ("info", "New pyramids spend 1,100.50 USDT instead of 100 USDT.")
    assert said(Config(), config(sizing={"amount": "0.0125"}), there) == [
        ("info", "New pyramids spend 0.0125 of the pair’s quote coin instead of 100 of the pair’s quote coin.")
    ]


def test_a_pool_below_what_is_open_closes_nothing_and_says_so():
    there = world()
    there.alert("50000")
    there.alert("2000", tv__symbol="ETHUSDT")
    assert said(Config(), config(pool={"max_open_groups": 1}), there) == [
        ("info", "1 group may be open at once, not 10."),
        ("warning", "2 are open: none is closed for it, and no new one opens until 2 have closed."),
    ]


def test_a_larger_pool_lets_who_waits_in():
    old = config(pool={"max_open_groups": 1})
    there = world(old)
    there.alert("50000")
    there.alert("2000", tv__symbol="ETHUSDT")
    assert ("info", "1 waiting entry may go in at once.") in said(old, config(pool={"max_open_groups": 3}), there)
    smaller = said(old, config(pool={"max_open_groups": 1}, queue={"limit": 0}), there)
    assert ("warning", "1 wait: those stay, and no new entry waits until fewer than 0 do.") in smaller


def test_groups_that_become_candidates_at_once_are_named():
    old = config(risk={"require_full_pyramids": False, "enable_post_full_wait": False})
    there = world(old)
    there.alert("50000")
    there.price("BTC/USDT", "48900")
    new = config(risk={"require_full_pyramids": False, "enable_post_full_wait": False, "loss_threshold_percent": "-1"})
    assert said(old, new, there) == [
        ("warning", "BTC/USDT 15m becomes a candidate at once: winners may be sold to pay for closing."),
        ("info", "Loss threshold: −1 % instead of −5 %."),
    ]


def test_an_account_that_goes_live_is_said_to_trade_real_money():
    new = config(accounts=[{"name": "paper", "exchange": "paper"}, {"name": "main", "exchange": "binance"}])
    assert said(Config(), new) == [("danger", "Account main trades real money on Binance spot from now on.")]
    tried = config(accounts=[{"name": "paper", "exchange": "paper"},
                             {"name": "main", "exchange": "bybit", "testnet": True}])  # fmt: skip
    assert said(Config(), tried) == [("warning", "Account main trades on the testnet of Bybit spot from now on.")]


def test_an_account_with_open_groups_is_said_to_stay():
    there = world()
    there.alert("50000")
    new = config(accounts=[{"name": "other", "exchange": "paper"}])
    assert said(Config(), new, there) == [
        ("info", "Account other trades on paper from now on."),
        ("warning", "Account paper cannot be removed while 1 group is open there: close first."),
    ]


def test_a_port_that_moves_changes_where_alerts_go():
    assert said(Config(), config(listener={"port": 9000})) == [
        ("warning", "The webhook listens on 127.0.0.1 port 9000, no longer on 127.0.0.1 port 8787: "
                    "the URL that alerts are sent to changes."),
    ]  # fmt: skip


def test_a_store_that_moves_does_so_at_the_next_start():
    new = config(app={"database_url": "postgresql://me@localhost/books"})
    assert said(Config(), new) == [
        ("warning", "The store moves at the next start of the program: what is open stays in the present one."),
    ]
    assert at_next_start(Config(), new) == ("app.database_url",)


CHANGED: dict[str, dict[str, Any]] = {
    "security": {"read_only": True},
    "signals": {"duplicate_window_seconds": 5},
    "grid": {"post_only": True},
    "sizing": {"amount": "150"},
    "take_profit": {"mode": "aggregate"},
    "execution": {"slippage_action": "hold"},
    "queue": {"priority": ["fifo"]},
    "risk": {"max_winners": 1},
    "precision": {"refresh_seconds": 60},
    "safety": {"max_daily_loss": "100"},
    "logging": {"level": "debug"},
    "ui": {"theme": "dark"},
    "sim": {"market": "live", "exchange": "okx"},
    "listener": {"allowed_sources": ["52.89.214.238"]},
}


@pytest.mark.parametrize("page", CHANGED)
def test_every_page_says_what_changes(page: str):
    told = consequences(Config(), config(**{page: CHANGED[page]}), world().state, 0)
    assert [one.page for one in told] == [page]
    assert told[0].weight is Weight.INFO
    assert told[0].text.endswith(".")


def test_a_notification_address_is_never_shown():
    new = config(notifications=[{"url": "tgram://bot-canary/chat", "events": ["error"]}])
    assert said(Config(), new) == [("info", "Notifications: 1 instead of 0.")]
