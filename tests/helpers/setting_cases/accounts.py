"""Stories of accounts, routing, signals, market rules and brakes: whose money, which alerts, and when it is enough."""

from datetime import UTC, datetime
from typing import Any

from exengine.domain.events import GroupCloseAsked
from exengine.settings.pages import Config
from tests.helpers.alerts import ABSENT, alert
from tests.helpers.setting_cases.case import PAPER, Case, Story, legs
from tests.helpers.setting_cases.plays import answer, money, orders, played, world
from tests.helpers.world import BTC_PERPETUAL, World

# accounts and routing -------------------------------------------------------------------------------------------------


def who_trades(config: Config) -> list[str]:
    """The groups of one alert of BINANCE: account, symbol and timeframe."""
    return sorted(played(config, [(0, "60000"), (10, "60000")], [(5, {})]).groups)


def alert_of(exchange: str) -> Story:
    """The accounts on which an alert of `exchange` opens a group."""

    def story(config: Config) -> list[str]:
        groups = played(config, [(0, "60000"), (10, "60000")], [(5, {"tv__exchange": exchange})]).groups
        return [group.key.account for group in groups.values()]

    return story


def fees_of_a_trade(config: Config) -> list[str]:
    """Bought by a resting order at 50,000, closed by an exit at 40,000."""
    said = [(1, {}), (20, {"tv__action": "sell", "execution_intent": {"type": "exit"}})]
    record = played(config, [(0, "60000"), (10, "50000"), (15, "40000"), (30, "40000")], said)
    return [f"{money(one.fill.fee)} {one.fill.fee_currency}" for one in record.fills]


def one_entry(config: Config) -> str:
    record = played(config, [(0, "60000"), (10, "60000")], [(5, {})])
    return answer(record.signals[1])


def a_perpetual(config: Config) -> tuple[str, list[str]]:
    made = world(config, instruments=(BTC_PERPETUAL,))
    return answer(made.alert("50000", tv__symbol="BTCUSDT.P")), orders(made)


def account(name: str, exchange: str = "paper", **more: Any) -> dict[str, Any]:
    return {**PAPER, "name": name, "exchange": exchange, **more}


TWO = {"accounts": [account("one", "binance"), account("two", "bybit")]}
BINANCE = {"accounts": [account("one", "binance")]}
FEELESS = {"accounts": [account("paper")]}
SWAP = {"accounts": [account("paper", market_type="swap")], "sizing.amount": "20000"}

ACCOUNTS = [
    Case(path="accounts.0.name", value="mine", story=who_trades, given={"accounts": [account("paper")]},
         plain=["paper|BTC/USDT|15m#1"], changed=["mine|BTC/USDT|15m#1"]),
    Case(path="accounts.0.exchange", value="paper", story=alert_of("OKX"), given=BINANCE, plain=[], changed=["one"]),
    *(Case(path="accounts.0.exchange", value=name, story=alert_of(name.upper()), given=BINANCE,
           plain=[], changed=["one"]) for name in ("bybit", "okx", "kucoin", "mexc", "gate")),
    Case(path="accounts.0.market_type", value="swap", story=who_trades, given={"accounts": [account("paper")]},
         plain=["paper|BTC/USDT|15m#1"], changed=["paper|BTC/USDT:USDT|15m#1"]),
    Case(path="accounts.0.enabled", value=False, story=who_trades,
         given={"accounts": [account("one"), account("two")]},
         plain=["one|BTC/USDT|15m#1"], changed=["two|BTC/USDT|15m#1"]),
    # 0.02 BTC are bought, and sold for 800 USDT. Where the account gives no fees, the markets' own are 0.1 %.
    Case(path="accounts.0.maker_fee_percent", value="0.1", story=fees_of_a_trade, given=FEELESS,
         plain=["0 BTC", "0 USDT"], changed=["0.00002 BTC", "0 USDT"]),
    Case(path="accounts.0.taker_fee_percent", value="0.1", story=fees_of_a_trade, given=FEELESS,
         plain=["0 BTC", "0 USDT"], changed=["0 BTC", "0.8 USDT"]),
    Case(path="accounts.0.maker_fee_percent", value="0.2", story=fees_of_a_trade,
         given={"accounts": [{"name": "paper", "exchange": "paper", "taker_fee_percent": "0"}]},
         plain=["0.00002 BTC", "0 USDT"], changed=["0.00004 BTC", "0 USDT"]),
    Case(path="accounts.0.taker_fee_percent", value="0.2", story=fees_of_a_trade,
         given={"accounts": [{"name": "paper", "exchange": "paper", "maker_fee_percent": "0"}]},
         plain=["0 BTC", "0.8 USDT"], changed=["0 BTC", "1.6 USDT"]),
    Case(path="accounts.0.leverage", value="2", story=a_perpetual, given=SWAP,
         plain=("refused insufficient_funds", []), changed=("opened", ["50000 × 0.4"])),
    Case(path="accounts.0.balances", value={"USDT": "999"}, story=one_entry, given=FEELESS,
         plain="opened", changed="refused insufficient_funds"),
    Case(path="routing.0.account", value="two", story=who_trades,
         given={**TWO, "routing": [{"tv_exchange": "BINANCE", "account": "one"}]},
         plain=["one|BTC/USDT|15m#1"], changed=["two|BTC/USDT|15m#1"]),
    Case(path="routing.0.tv_exchange", value="BINANCE", story=who_trades,
         given={**TWO, "routing": [{"tv_exchange": "NYSE", "account": "two"}]},
         plain=["one|BTC/USDT|15m#1"], changed=["two|BTC/USDT|15m#1"]),
]  # fmt: skip


# signals --------------------------------------------------------------------------------------------------------------


def the_same_again_after_30_s(config: Config) -> list[str]:
    """Without a timestamp."""
    made = world(config)
    told = []
    for _ in range(2):
        told.append(answer(made.post(alert(timestamp=ABSENT, tv__entry_price="50000"))[1]))
        made.now_ms += 30_000
    return told


def aged(seconds: int) -> Story:
    def story(config: Config) -> str:
        made = world(config)
        return answer(made.alert("50000", timestamp=made.now_ms + 1000 - seconds * 1000))

    return story


SIGNALS = [
    Case(path="signals.duplicate_window_seconds", value=30, story=the_same_again_after_30_s,
         plain=["opened", "duplicate"], changed=["opened", "pyramid"]),
    Case(path="security.max_signal_age_seconds", value=60, story=aged(61), plain="opened", changed="refused stale"),
    Case(path="security.max_signal_age_seconds", value=0, story=aged(301), plain="refused stale", changed="opened"),
]  # fmt: skip


# market rules ---------------------------------------------------------------------------------------------------------


def without_rules(config: Config) -> tuple[str, list[str]]:
    """The exchange's own rules have not been loaded."""
    made = world(config, None, load=False)
    return answer(made.alert("50003.3")), orders(made)


OWN = {"tick_size": "0.5", "step_size": "0.0001", "min_qty": "0.0001", "min_notional": "10"}
VALUES = {"precision.fallback_values": OWN}
DEFAULTS = {**VALUES, "precision.fallback": "defaults"}
# 1,000 / 50,003 = 0.019998800…
BY_OWN = ("opened", ["50003 × 0.0199"])
REFUSED: tuple[str, list[str]] = ("refused below_minimum", [])

PRECISION = [
    Case(path="precision.fallback", value="defaults", story=without_rules, given=VALUES,
         plain=("queued missing_rules", []), changed=BY_OWN),
    # 1,000 / 50,000
    Case(path="precision.fallback_values.tick_size", value="10", story=without_rules, given=DEFAULTS,
         plain=BY_OWN, changed=("opened", ["50000 × 0.02"])),
    Case(path="precision.fallback_values.step_size", value="0.001", story=without_rules, given=DEFAULTS,
         plain=BY_OWN, changed=("opened", ["50003 × 0.019"])),
    Case(path="precision.fallback_values.min_qty", value="0.02", story=without_rules, given=DEFAULTS,
         plain=BY_OWN, changed=REFUSED),
    Case(path="precision.fallback_values.min_notional", value="1000", story=without_rules, given=DEFAULTS,
         plain=BY_OWN, changed=REFUSED),
]  # fmt: skip


# brakes ---------------------------------------------------------------------------------------------------------------


def at(made: World, moment: str) -> None:
    made.now_ms = int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp() * 1000)


def lose_20(made: World) -> None:
    made.price("BTC/USDT", "50000")
    record = made.alert("50000")
    made.price("BTC/USDT", "49000")
    made.tell(GroupCloseAsked(group_id=record.group or ""))


def after_losses(*moments: str) -> Story:
    """20 USD lost at each of these times: is an entry taken then?"""

    def story(config: Config) -> str:
        made = world(config, "50000")
        for moment in moments:
            at(made, moment)
            lose_20(made)
        return answer(made.alert("50000"))

    return story


TWO_ON_A_DAY = after_losses("2026-07-10T10:00:00", "2026-07-10T12:00:00")
AROUND_FOUR = after_losses("2026-07-11T03:00:00", "2026-07-11T06:00:00")
"""In New York a day begins at 04:00 UTC."""

FAR = {"grid.legs": legs(("0", "100", "50"))}

SAFETY = [
    Case(path="safety.max_daily_loss", value="40", story=TWO_ON_A_DAY, given=FAR,
         plain="opened", changed="queued paused"),
    # 40 of 10,000
    Case(path="safety.max_drawdown_percent", value="0.4", story=TWO_ON_A_DAY, given=FAR,
         plain="opened", changed="queued paused"),
    Case(path="app.timezone", value="America/New_York", story=AROUND_FOUR,
         given={**FAR, "safety.max_daily_loss": "40"}, plain="queued paused", changed="opened"),
]  # fmt: skip

CASES = [*ACCOUNTS, *SIGNALS, *PRECISION, *SAFETY]
