"""Which alerts are resends, which are stale, and where each goes (SPEC §2.1, §2.3, §2.4), and missing rules (§6)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from exengine.domain.events import QueueDue
from exengine.domain.instrument import Instrument, MarketType
from exengine.domain.reception import Outcome, VerdictKind
from exengine.domain.routing import Destination, Unroutable, route
from exengine.domain.settings import (
    PAPER,
    AccountSettings,
    FallbackRules,
    PrecisionSettings,
    Route,
    RulesFallback,
    Settings,
    SignalSettings,
    SizingSettings,
)
from exengine.domain.signal import Signal
from exengine.domain.signal_parse import parse_signal
from exengine.domain.state import State
from exengine.domain.step import Step
from tests.helpers.alerts import ABSENT, alert
from tests.helpers.world import BTC, BTC_PERPETUAL, World

DAY_MS = 86_400_000
OWN = FallbackRules(
    tick_size=Decimal("0.5"), step_size=Decimal("0.0001"), min_qty=Decimal("0.0001"), min_notional=Decimal(10)
)


def unstamped(world: World, **changes) -> Outcome:
    return world.post(alert(timestamp=ABSENT, **changes))[1].outcome


def trading(**changes) -> World:
    world = World(Settings(**changes))
    world.price("BTC/USDT", "70000")
    return world


def test_with_a_timestamp_the_same_text_is_a_duplicate_for_24_hours():
    world = trading(signals=SignalSettings(max_signal_age_seconds=0))
    body = alert(timestamp=world.now_ms)
    first = world.post(body)[1]
    world.now_ms += DAY_MS - 1
    verdict, again = world.post(body)
    assert (again.outcome, verdict.kind, verdict.signal_id) == (Outcome.DUPLICATE, VerdictKind.DUPLICATE, first.id)
    world.now_ms += 1
    assert world.post(body)[1].outcome is Outcome.PYRAMID


@pytest.mark.parametrize("window_s", [60, 5, 200_000])
def test_without_a_timestamp_it_is_one_within_the_window_which_a_duplicate_does_not_prolong(window_s):
    world = trading(signals=SignalSettings(duplicate_window_seconds=window_s))
    assert unstamped(world) is Outcome.OPENED
    world.now_ms += window_s * 1000 - 1
    world.tell(QueueDue())
    assert unstamped(world) is Outcome.DUPLICATE
    world.now_ms += 1
    assert unstamped(world) is Outcome.PYRAMID


def test_every_valid_signal_counts_whatever_became_of_it_and_an_invalid_one_does_not():
    world = trading()
    assert unstamped(world, tv__action="short") is Outcome.REFUSED
    assert unstamped(world, tv__action="short") is Outcome.DUPLICATE
    assert unstamped(world, risk={"stop_loss": "70000"}) is Outcome.INVALID
    assert unstamped(world, risk={"stop_loss": "70000"}) is Outcome.INVALID


def test_the_secret_and_the_order_of_the_keys_make_no_other_signal_and_the_trade_id_alone_makes_none():
    world = trading()
    body = alert(timestamp=world.now_ms)
    world.post(body)
    assert world.post(dict(reversed(list((body | {"secret": "x"}).items()))))[1].outcome is Outcome.DUPLICATE
    assert world.post(alert(timestamp=world.now_ms + 1))[1].outcome is Outcome.PYRAMID


def test_what_is_both_is_a_duplicate_before_it_is_stale():
    world = trading()
    body = alert(timestamp=world.now_ms)
    world.post(body)
    world.now_ms += 400_000
    assert world.post(body)[1].outcome is Outcome.DUPLICATE


@pytest.mark.parametrize(
    ("age_s", "limit_s", "stale"),
    [
        (300, 300, False),
        (301, 300, True),
        (10, 9, True),
        (-60, 300, False),
        (-61, 300, True),
        (9999, 0, False),
        (-999, 0, False),
    ],
)
def test_a_signal_older_than_the_limit_or_more_than_a_minute_ahead_is_stale(age_s, limit_s, stale):
    world = trading(signals=SignalSettings(max_signal_age_seconds=limit_s))
    record = world.post(alert(timestamp=world.now_ms - age_s * 1000))[1]
    assert (record.outcome is Outcome.REFUSED and record.reason == "stale") is stale


def account(name: str, exchange: str, market_type: MarketType = MarketType.SPOT, **changes) -> AccountSettings:
    return AccountSettings(name=name, exchange=exchange, market_type=market_type, **changes)


def routed(accounts: tuple[AccountSettings, ...], *, routing: tuple[Route, ...] = (), **tv) -> str:
    state = State(instance="t", settings=Settings(accounts=accounts, routing=routing))
    step = Step(state, 0)
    for one in accounts:
        step.put_instruments(one.name, (BTC if one.market_type is MarketType.SPOT else BTC_PERPETUAL,))
    signal = parse_signal(alert(**{f"tv__{name}": value for name, value in tv.items()}))
    assert isinstance(signal, Signal)
    found = route(state, signal)
    return found.value if isinstance(found, Unroutable) else f"{found.account.name} {found.symbol}"


SPOT, SWAP = account("spot", "binance"), account("swap", "binance", MarketType.SWAP)


@pytest.mark.parametrize(
    ("name", "exchange"),
    [
        ("BINANCE", "binance"),
        ("bybit", "bybit"),
        ("OKX", "okx"),
        ("KUCOIN", "kucoin"),
        ("MEXC", "mexc"),
        ("GATEIO", "gate"),
        ("GATE", "gate"),
    ],
)
def test_each_exchange_name_leads_to_the_first_enabled_account_of_that_exchange(name, exchange):
    accounts = (
        account("other", "binance" if exchange != "binance" else "bybit"),
        account("off", exchange, enabled=False),
        account("one", exchange),
        account("two", exchange),
    )
    assert routed(accounts, exchange=name) == "one BTC/USDT"


def test_a_perpetual_wants_a_swap_account_and_any_other_symbol_a_spot_account_first():
    assert routed((SPOT, SWAP), symbol="BTCUSDT.P") == "swap BTC/USDT:USDT"
    assert routed((SWAP, SPOT), symbol="BTCUSDT") == "spot BTC/USDT"
    assert routed((SWAP,), symbol="BTCUSDT") == "swap BTC/USDT:USDT"
    assert routed((SPOT,), symbol="BTCUSDT.P") == "unknown_exchange"


def test_the_traders_own_table_comes_first():
    accounts = (SPOT, account("mine", "kucoin"))
    assert routed(accounts, routing=(Route(tv_exchange="binance", account="mine"),)) == "mine BTC/USDT"
    assert routed(accounts, routing=(Route(tv_exchange="NYSE", account="mine"),), exchange="NYSE") == "mine BTC/USDT"
    assert routed(accounts, routing=(Route(tv_exchange="BINANCE", account="gone"),)) == "unknown_exchange"


def test_paper_stands_in_for_each_exchange_that_has_no_enabled_account_of_its_own():
    accounts = (PAPER, SPOT)
    assert routed(accounts) == "spot BTC/USDT"
    assert routed(accounts, exchange="OKX") == "paper BTC/USDT"
    assert routed((PAPER, replace(SPOT, enabled=False))) == "paper BTC/USDT"
    assert routed(accounts, exchange="NYSE") == "unknown_exchange"


@pytest.mark.parametrize(
    "symbol", ["BTCUSDT", "BINANCE:BTCUSDT", "btcusdt", "BTC-USDT", "BTC_USDT", "BTC/USDT", "BINANCE:BTC/USDT"]
)
def test_every_spelling_of_a_symbol_is_the_one_that_the_exchange_lists(symbol):
    assert routed((SPOT,), symbol=symbol) == "spot BTC/USDT"


@pytest.mark.parametrize("symbol", ["BTCUSDT.P", "BINANCE:BTCUSDT.P", "BTC/USDT:USDT", "btcusdt.p"])
def test_every_spelling_of_a_perpetual_too(symbol):
    assert routed((SWAP,), symbol=symbol) == "swap BTC/USDT:USDT"


def test_an_exchanges_own_id_comes_before_another_markets_base_and_quote():
    odd = replace(BTC, symbol="ODD/USDT", id="ODD1", base="BTCU", quote="SDT")
    state = State(instance="t", settings=Settings())
    Step(state, 0).put_instruments("paper", (odd, BTC))
    signal = parse_signal(alert())
    assert isinstance(signal, Signal)
    assert route(state, signal) == Destination(account=PAPER, symbol="BTC/USDT", known=True)


def test_a_symbol_that_is_not_listed_is_turned_away_naming_the_field():
    world = trading()
    verdict, record = world.post(alert(timestamp=world.now_ms, tv__symbol="DOGEUSDT"))
    assert [error.field for error in verdict.errors] == ["tv.symbol"]
    assert (record.outcome, record.reason) == (Outcome.REFUSED, "unknown_symbol")


def test_no_account_is_turned_away_naming_the_exchange():
    world = trading()
    verdict, record = world.post(alert(timestamp=world.now_ms, tv__exchange="NYSE"))
    assert [error.field for error in verdict.errors] == ["tv.exchange"]
    assert (record.outcome, record.reason) == (Outcome.REFUSED, "unknown_exchange")


def own_rules(fallback: RulesFallback = RulesFallback.DEFAULTS, **changes) -> World:
    precision = PrecisionSettings(fallback=fallback, fallback_values=OWN)
    sizing = SizingSettings(amount=Decimal(1000))
    return World(Settings(precision=precision, sizing=sizing, **changes), load=False)


def test_an_entry_without_market_rules_waits_and_goes_on_by_itself_when_they_arrive():
    world = own_rules(RulesFallback.HOLD)
    record = world.alert("50000")
    assert (record.outcome, record.reason) == (Outcome.QUEUED, "missing_rules")
    world.load()
    assert set(world.state.groups) == {"paper|BTC/USDT|15m#1"}
    assert world.queue_events[-1].event == "promoted"


def test_an_entry_that_waited_for_rules_of_a_symbol_that_is_not_listed_leaves_as_unknown():
    world = own_rules(RulesFallback.HOLD)
    assert world.alert("50000", tv__symbol="DOGEUSDT").reason == "missing_rules"
    world.load()
    assert (world.queue_events[-1].event, world.queue_events[-1].reason) == ("refused", "unknown_symbol")


def test_the_traders_own_rules_stand_in_where_the_real_ones_are_missing():
    world = own_rules()
    record = world.alert("50000.3")
    assert (record.outcome, record.group) == (Outcome.OPENED, "paper|BTC/USDT|15m#1")
    first, *_ = world.orders.values()
    assert first.price == Decimal(50000)
    assert world.group().rules is not None
    assert [(leg.price % OWN.tick_size, leg.qty % OWN.step_size) for _, leg in world.group().legs()] == [(0, 0)] * 5


def test_a_group_of_the_traders_own_rules_leaves_by_them_and_takes_the_real_ones_once_they_are_there():
    world = own_rules(accounts=(PAPER,))
    world.alert("50000", tv__symbol="BTCUSDT")
    assert world.state.instrument(world.group()).tick_size == OWN.tick_size
    world.load()
    assert world.state.instrument(world.group()).tick_size == BTC.tick_size
    world.alert("50000", "sell", execution_intent={"type": "exit"})
    assert not world.state.groups


def test_a_symbol_whose_quote_is_not_known_waits_all_the_same():
    assert own_rules().alert("5", tv__symbol="ABCXYZ").reason == "missing_rules"


def test_a_perpetual_waits_since_its_contract_size_is_not_among_the_traders_values():
    world = own_rules(accounts=(replace(PAPER, market_type=MarketType.SWAP),))
    assert world.alert("50000", tv__symbol="BTCUSDT.P").reason == "missing_rules"


def test_rules_that_are_known_come_before_the_traders_own():
    precision = PrecisionSettings(fallback=RulesFallback.DEFAULTS, fallback_values=OWN)
    world = World(Settings(precision=precision))
    world.alert("50000.07")
    assert next(iter(world.orders.values())).price == Decimal("50000.07")
    assert world.group().rules is None


def test_an_instrument_of_fallback_values_takes_their_names():
    world = own_rules(accounts=(replace(PAPER, balances={"BTC": Decimal(5000)}),))
    world.alert("10", tv__symbol="ETHBTC")
    rules = world.group().rules
    assert isinstance(rules, Instrument)
    assert (rules.symbol, rules.base, rules.quote, rules.min_qty, rules.min_notional) == (
        "ETH/BTC",
        "ETH",
        "BTC",
        OWN.min_qty,
        OWN.min_notional,
    )
