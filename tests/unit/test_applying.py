"""A new configuration as one event: what it does to what lives and waits, and that it can be taken back (SPEC §9)."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from exengine.domain.accounts import NOT_ASKED_YET
from exengine.domain.applying import OFF
from exengine.domain.events import AccountLost, InstrumentsLoaded, SettingsApplied
from exengine.domain.instrument import MarketType
from exengine.domain.reception import Outcome
from exengine.domain.settings import (
    PAPER,
    AccountSettings,
    ExecutionSettings,
    GridSettings,
    LegSpec,
    PoolSettings,
    Route,
    Settings,
    SizingSettings,
)
from exengine.domain.state import State
from exengine.engine.changes import Loaded, restored
from tests.helpers.world import BTC, BTC_PERPETUAL, World

D = Decimal
ONE_LEG = (LegSpec(gap_percent=D(0), weight_percent=D(100), tp_percent=D(3)),)
OTHER = replace(PAPER, name="other")


def applied(settings: Settings, **more: Any) -> SettingsApplied:
    return SettingsApplied(settings=settings, text="A new configuration is in effect.", **more)


def priced(settings: Settings, price: str = "50100", **how: Any) -> World:
    world = World(settings, **how)
    world.price(world.instruments[0].symbol, price)
    return world


def test_a_live_group_keeps_its_grid_also_for_its_next_pyramid_and_a_new_one_gets_the_new():
    world = priced(Settings())
    world.price("ETH/USDT", "2010")
    world.alert("50000")
    group = world.group()
    new = Settings(grid=GridSettings(max_pyramids=2, legs=ONE_LEG), sizing=SizingSettings(amount=D(300)))
    world.tell(applied(new))
    assert world.group(group.id) == group
    world.alert("49900")
    assert [len(pyramid.legs) for pyramid in world.group(group.id).pyramids] == [5, 5]
    assert [pyramid.capital for pyramid in world.group(group.id).pyramids] == [100, 100]
    world.alert("2000", tv__symbol="ETHUSDT")
    ether = world.group("paper|ETH/USDT|15m#1")
    assert (ether.max_pyramids, len(ether.pyramids[0].legs), ether.pyramids[0].capital) == (2, 1, 300)


def test_more_slots_let_in_who_waits_and_fewer_close_nobody():
    world = priced(Settings(pool=PoolSettings(max_open_groups=1)))
    world.price("ETH/USDT", "2010")
    world.alert("50000")
    assert world.alert("2000", tv__symbol="ETHUSDT").outcome is Outcome.QUEUED
    world.tell(applied(Settings(pool=PoolSettings(max_open_groups=2))))
    assert len(world.state.groups) == 2
    world.tell(applied(Settings(pool=PoolSettings(max_open_groups=1))))
    assert len(world.state.groups) == 2
    assert world.alert("50000", tv__timeframe="60").outcome is Outcome.QUEUED


def test_execution_holds_for_live_groups_too():
    world = priced(Settings())
    world.alert("50000")
    world.tell(applied(Settings(execution=ExecutionSettings(max_slippage_percent=D("0.3")))))
    world.price("BTC/USDT", "49990")
    world.alert("49990", execution_intent={"type": "exit"})
    (close,) = [order for order in world.orders.values() if order.role.value == "close"]
    assert close.bound == BTC.price_down(D(49990) * D("0.997"))


def test_entries_of_an_account_that_goes_leave_the_queue_and_say_why():
    routes = (Route(tv_exchange="OKX", account="other"),)
    settings = Settings(accounts=(PAPER, OTHER), routing=routes, pool=PoolSettings(max_open_groups=1))
    world = priced(settings)
    world.tell(InstrumentsLoaded(account="other", instruments=world.instruments))
    world.alert("50000")
    assert world.alert("50000", tv__exchange="OKX").outcome is Outcome.QUEUED
    off = replace(settings, accounts=(PAPER, replace(OTHER, enabled=False)))
    world.tell(applied(off))
    assert not world.state.waiting
    assert (world.queue_events[-1].event, world.queue_events[-1].reason) == ("removed", OFF)


def test_nothing_at_all_is_done_where_a_group_would_lose_its_account():
    world = priced(Settings(accounts=(PAPER, OTHER)))
    world.alert("50000")
    for accounts in ((OTHER,), (replace(PAPER, enabled=False), OTHER), (replace(PAPER, market_type=MarketType.SWAP),)):
        before = world.state.settings
        step = world.tell(applied(Settings(accounts=accounts)))
        assert world.state.settings is before
        assert not step.must_be_stored


def test_what_rests_reserves_by_the_new_leverage_as_after_a_restart():
    account = replace(PAPER, market_type=MarketType.SWAP, leverage=D(2))
    big = SizingSettings(amount=D(1000))
    world = priced(Settings(accounts=(account,), sizing=big), instruments=(BTC_PERPETUAL,))
    world.alert("50000", "long", tv__symbol="BTCUSDT.P")
    reserved = world.state.reserved["paper", "USDT"]
    assert reserved > 0
    new = Settings(accounts=(replace(account, leverage=D(5)),), sizing=big)
    step = world.decide(applied(new))
    assert abs(world.state.reserved["paper", "USDT"] - reserved * 2 / 5) < D("1e-20")
    assert world.state.reserved == afresh(world.state).reserved
    step.undo()
    assert (world.state.reserved["paper", "USDT"], world.state.settings.account("paper")) == (reserved, account)


def afresh(state: State) -> State:
    """What a start makes of the same books."""
    found = State(instance=state.instance, settings=state.settings)
    loaded = Loaded(
        instance=state.instance,
        groups=tuple(state.groups.values()),
        orders=tuple(state.orders.values()),
        numbers=dict(state.numbers),
        waiting=tuple(state.waiting.values()),
        pending=(),
        seen={},
        next_signal_id=state.next_signal_id,
        next_log_id=1,
        control=state.control,
        ledger=state.ledger,
        plan=None,
        moved=dict(state.moved),
        instruments={},
        market_clock_ms=None,
    )
    restored(found, loaded)
    return found


def test_capital_of_paper_accounts_is_the_new_ones_and_is_taken_back_whole():
    world = priced(Settings())
    more = replace(PAPER, balances={"USDT": D(500), "USDC": D(7)})
    step = world.decide(applied(Settings(accounts=(more,))))
    assert world.state.start == {("paper", "USDT"): 500, ("paper", "USDC"): 7}
    step.undo()
    assert world.state.start == {("paper", "USDT"): 10000}


def test_a_live_account_that_is_connected_anew_is_asked_before_it_trades_and_one_that_goes_is_forgotten():
    live = AccountSettings(name="main", exchange="binance")
    world = priced(Settings(accounts=(PAPER, live)))
    world.tell(AccountLost(account="main", why="the key is not taken", for_good=True))
    world.tell(applied(Settings(accounts=(PAPER, live)), anew=frozenset({"main", "paper"})))
    assert world.state.unreachable == {"main": NOT_ASKED_YET}
    world.tell(applied(Settings(accounts=(PAPER,))))
    assert world.state.unreachable == {}


def test_an_account_that_is_another_one_waits_for_its_own_market_rules():
    world = priced(Settings(accounts=(PAPER, OTHER)))
    world.tell(InstrumentsLoaded(account="other", instruments=world.instruments))
    moved = AccountSettings(name="other", exchange="bybit")
    step = world.tell(applied(Settings(accounts=(PAPER, moved)), anew=frozenset({"other"})))
    assert "other" not in world.state.listed
    assert not [key for key in world.state.instruments if key[0] == "other"]
    assert step.instruments == {"other": ()}
