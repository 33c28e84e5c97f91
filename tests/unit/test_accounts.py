"""What is decided when a live account is away or back, when its rules change, and when its coins are gone."""

from dataclasses import replace
from decimal import Decimal
from typing import cast

from exengine.domain.commands import Command, ReloadRules
from exengine.domain.errors import MARKET_HALTED, RULES_REFUSED
from exengine.domain.events import (
    AccountFound,
    AccountLost,
    AdoptAsked,
    BalancesReported,
    DefectFound,
    EngineStarted,
    Event,
    GroupCloseAsked,
    HoldingsShort,
    InstrumentsLoaded,
    OrderRejected,
    PriceMoved,
    RiskDue,
)
from exengine.domain.group import GroupStatus, LegState
from exengine.domain.order import Order, OrderStatus, Role
from exengine.domain.settings import PAPER, AccountSettings, GridSettings, LegSpec, RiskSettings, Settings
from exengine.domain.state import STALE_MS
from exengine.exchange.paper_book import PaperBook
from tests.helpers.world import BTC, ETH, NO_FEES, World

LIVE = replace(PAPER, paper_slippage_percent=None, balances={})
"""The account under the world's own book, with a live account's rules: it may be away, its prices may grow old."""
GROUP = "paper|BTC/USDT|15m#1"


class RefusingBook(PaperBook):
    """A book that refuses the next order with a code."""

    refuses: str | None = None

    def place(self, order: Order, now_ms: int) -> list[Event]:
        code, self.refuses = self.refuses, None
        if code is None:
            return super().place(order, now_ms)
        return [OrderRejected(client_id=order.client_id, code=code, text="Filter failure: LOT_SIZE")]


def live_world(*legs: tuple[str, str, str], max_pyramids: int = 5, account: AccountSettings = LIVE) -> World:
    """A world of one live account with a grid of (gap, weight, target)."""
    specs = tuple(
        LegSpec(gap_percent=Decimal(gap), weight_percent=Decimal(weight), tp_percent=Decimal(target))
        for gap, weight, target in legs
    )
    settings = Settings(
        accounts=(account,),
        grid=GridSettings(max_pyramids=max_pyramids, legs=specs),
        risk=RiskSettings(enable_post_full_wait=False),
    )
    return World(settings, book=RefusingBook(account.name, fees=NO_FEES))


def commands(made: World) -> list[Command]:
    return [command for step in made.steps for command in step.commands]


def test_a_live_account_takes_no_entries_before_the_books_were_compared_and_takes_them_then():
    made = live_world(("0", "100", "1"))
    made.tell(EngineStarted())
    made.alert("50000")
    assert [waiting.reason for waiting in made.state.waiting.values()] == ["paused"]
    made.tell(AccountFound(account="paper"))
    assert made.state.waiting == {}
    assert made.group().status is GroupStatus.LIVE


def test_an_account_that_is_lost_holds_entries_while_exits_go_on():
    made = live_world(("0", "100", "1"))
    made.price("BTC/USDT", "50000")
    made.alert("50000")
    made.tell(AccountLost(account="paper", why="the exchange does not answer"))
    made.alert("50000", tv__timeframe="60")
    assert len(made.state.waiting) == 1
    made.tell(GroupCloseAsked(group_id=GROUP))
    assert made.state.groups == {}
    assert len([note for note in made.notes if "cannot be traded on" in note.text]) == 1


def test_the_same_loss_is_told_once():
    made = live_world(("0", "100", "1"))
    for _ in range(3):
        made.tell(AccountLost(account="paper", why="no answer"))
    assert len(made.notes) == 1


def test_paper_accounts_are_never_waited_for():
    made = live_world(("0", "100", "1"), account=PAPER)
    made.tell(EngineStarted())
    made.alert("50000")
    assert made.group().status is GroupStatus.LIVE


# market rules ------------------------------------------------------------------------------------------------------


def reject(made: World, client_id: str, code: str = RULES_REFUSED) -> None:
    made.book.cancel(client_id)
    made.tell(OrderRejected(client_id=client_id, code=code, text="Filter failure: LOT_SIZE"))


def test_an_entry_refused_for_its_rules_is_made_again_once_by_the_new_rules():
    made = live_world(("0", "100", "1"))
    made.alert("50000")
    (entry,) = made.role(Role.ENTRY)
    reject(made, entry.client_id)
    assert ReloadRules(account="paper") in commands(made)
    assert made.group().status is GroupStatus.LIVE
    coarser = replace(BTC, step_size=Decimal("0.001"), min_qty=Decimal("0.001"))
    made.tell(InstrumentsLoaded(account="paper", instruments=(coarser, ETH)))
    again = made.role(Role.ENTRY)[1]
    assert (again.qty, again.price, again.status) == (Decimal("0.002"), Decimal(50000), OrderStatus.OPEN)
    reject(made, again.client_id)
    made.tell(InstrumentsLoaded(account="paper", instruments=(coarser, ETH)))
    assert made.state.groups == {}
    assert len(made.role(Role.ENTRY)) == 2
    assert any("refused by the exchange" in note.text and note.severity.value == "error" for note in made.notes)


def test_a_leg_that_the_new_rules_make_too_small_fails_visibly():
    made = live_world(("0", "50", "1"), ("-1", "50", "1"))
    made.alert("50000")
    first, second = made.role(Role.ENTRY)
    reject(made, first.client_id)
    made.tell(InstrumentsLoaded(account="paper", instruments=(replace(BTC, min_qty=Decimal(1)), ETH)))
    assert len(made.role(Role.ENTRY)) == 2
    leg = made.group().leg((0, 0))
    assert (leg.state, leg.error is not None) == (LegState.REJECTED, True)
    assert made.state.orders[second.client_id].status is OrderStatus.OPEN


def test_a_target_refused_for_its_rules_is_made_again_by_the_new_ones():
    made = live_world(("0", "100", "1"))
    made.price("BTC/USDT", "50000")
    made.alert("50000")
    (target,) = made.role(Role.TP)
    reject(made, target.client_id)
    assert len(made.role(Role.TP)) == 1
    made.tell(InstrumentsLoaded(account="paper", instruments=(replace(BTC, tick_size=Decimal(7)), ETH)))
    again = made.role(Role.TP)[1]
    assert again.price == Decimal(50505)
    reject(made, again.client_id)
    assert len(made.role(Role.TP)) == 2


def test_a_close_refused_for_its_rules_is_sent_again_when_they_have_come():
    made = live_world(("0", "100", "1"))
    made.price("BTC/USDT", "50000")
    made.alert("50000")
    cast(RefusingBook, made.book).refuses = RULES_REFUSED
    made.tell(GroupCloseAsked(group_id=GROUP))
    assert made.group().status is GroupStatus.CLOSING
    assert made.group().frozen is None
    made.tell(InstrumentsLoaded(account="paper", instruments=(BTC, ETH)))
    assert made.state.groups == {}


def test_who_closes_once_more_closes_by_the_newest_rules():
    made = live_world(("0", "100", "1"))
    made.price("BTC/USDT", "50000")
    made.alert("50000")
    book = cast(RefusingBook, made.book)
    book.refuses = RULES_REFUSED
    made.tell(GroupCloseAsked(group_id=GROUP))
    book.refuses = RULES_REFUSED
    made.tell(InstrumentsLoaded(account="paper", instruments=(BTC, ETH)))
    assert made.group().status is GroupStatus.CLOSING
    assert commands(made).count(ReloadRules(account="paper")) == 2
    coarser = replace(BTC, tick_size=Decimal(10))
    made.tell(InstrumentsLoaded(account="paper", instruments=(coarser, ETH)))
    made.tell(GroupCloseAsked(group_id=GROUP))
    assert made.state.groups == {}


def test_a_symbol_that_is_not_traded_any_more_has_its_ladder_cancelled_and_is_left_to_the_trader():
    made = live_world(("0", "50", "1"), ("-1", "50", "1"))
    made.price("BTC/USDT", "50000")
    made.alert("50000")
    made.tell(InstrumentsLoaded(account="paper", instruments=(ETH,)))
    group = made.group()
    assert "not traded" in (group.frozen or "")
    assert [order.status for order in made.role(Role.ENTRY)] == [OrderStatus.FILLED, OrderStatus.CANCELLED]
    assert [order.status for order in made.role(Role.TP)] == [OrderStatus.OPEN]


def test_an_order_refused_because_the_symbol_is_halted_has_the_rules_loaded_anew():
    made = live_world(("0", "50", "1"), ("-1", "50", "1"))
    made.alert("50000")
    reject(made, made.role(Role.ENTRY)[0].client_id, MARKET_HALTED)
    assert ReloadRules(account="paper") in commands(made)


# prices and coins --------------------------------------------------------------------------------------------------


def test_nothing_is_closed_at_market_on_a_price_that_has_grown_old_and_a_new_one_brings_it_on():
    made = live_world(("0", "100", "1"))
    made.price("BTC/USDT", "50000")
    made.alert("50000")
    made.now_ms += STALE_MS + 1
    made.tell(GroupCloseAsked(group_id=GROUP))
    assert made.role(Role.CLOSE) == []
    made.tell(PriceMoved(account="paper", symbol="BTC/USDT", price=Decimal(49900)))
    assert made.state.groups == {}


def test_the_risk_engine_does_not_look_at_old_prices():
    made = live_world(("0", "100", "10"), max_pyramids=1)
    made.price("BTC/USDT", "50000")
    made.alert("50000")
    made.price("ETH/USDT", "3000")
    made.alert("3000", tv__symbol="ETHUSDT")
    made.price("ETH/USDT", "3200")
    made.price("BTC/USDT", "46000")
    made.now_ms += STALE_MS + 1
    offsets = len(made.role(Role.RISK))
    made.tell(RiskDue())
    assert len(made.role(Role.RISK)) == offsets


def test_coins_that_are_gone_freeze_their_groups_and_the_difference_is_shown():
    made = live_world(("0", "100", "1"))
    made.price("BTC/USDT", "50000")
    made.alert("50000")
    made.tell(BalancesReported(account="paper", totals={"BTC": Decimal("0.001")}))
    made.tell(HoldingsShort(account="paper", currency="BTC", there=Decimal("0.001")))
    assert made.group().frozen == "the account holds 0.001 BTC, its groups bought 0.002 BTC"
    made.tell(GroupCloseAsked(group_id=GROUP))
    (close,) = made.role(Role.CLOSE)
    assert close.qty == Decimal("0.001")
    assert made.state.groups == {}


def test_a_group_that_stands_still_for_another_reason_can_be_settled_too_when_its_coins_are_gone():
    made = live_world(("0", "100", "1"))
    made.price("BTC/USDT", "50000")
    made.alert("50000")
    made.tell(DefectFound(why="something of ours", group_id=GROUP))
    short(made, "0")
    assert made.group().short_of_coins
    made.tell(AdoptAsked(group_id=GROUP))
    assert made.state.groups == {}


def test_a_group_that_the_trader_closes_though_coins_are_missing_is_not_stopped_again():
    made = live_world(("0", "100", "1"))
    made.price("BTC/USDT", "50000")
    made.alert("50000")
    short(made, "0.001")
    made.now_ms += STALE_MS + 1
    made.tell(GroupCloseAsked(group_id=GROUP))
    short(made, "0.001")
    assert made.group().frozen is None
    made.price("BTC/USDT", "50000")
    assert made.state.groups == {}


def short(made: World, there: str) -> None:
    made.tell(BalancesReported(account="paper", totals={"BTC": Decimal(there), "USDT": Decimal(9950)}))
    made.tell(HoldingsShort(account="paper", currency="BTC", there=Decimal(there)))


def test_adopting_the_exchanges_view_books_what_is_gone_at_cost_and_the_group_lives_on():
    made = live_world(("0", "50", "1"), ("-1", "50", "1"))
    made.price("BTC/USDT", "50000")
    made.alert("50000")
    made.price("BTC/USDT", "49500")
    short(made, "0.0014")
    assert made.group().net_qty == Decimal("0.00201")
    made.tell(AdoptAsked(group_id=GROUP))
    group = made.group()
    assert (group.net_qty, group.frozen) == (Decimal("0.0014"), None)
    assert made.realised() == 0
    assert made.state.balance("paper", "BTC") == Decimal("0.0014")
    assert made.state.balance("paper", "USDT") == Decimal(9950)
    assert sum(order.qty for order in made.role(Role.TP) if order.is_working) == Decimal("0.0014")
    assert not [command for step in made.steps[-1:] for command in step.commands if command.order.role is Role.CLOSE]


def test_adopting_where_everything_is_gone_closes_the_group():
    made = live_world(("0", "100", "1"))
    made.price("BTC/USDT", "50000")
    made.alert("50000")
    short(made, "0")
    made.tell(AdoptAsked(group_id=GROUP))
    assert made.state.groups == {}
    assert made.realised() == 0


def test_adopting_for_one_group_frees_the_others_when_nothing_is_missing_any_more():
    made = live_world(("0", "100", "1"))
    made.price("BTC/USDT", "50000")
    made.alert("50000")
    made.alert("50000", tv__timeframe="60")
    short(made, "0.003")
    assert all(group.frozen for group in made.state.groups.values())
    made.tell(AdoptAsked(group_id=GROUP))
    held = [(group.net_qty, group.frozen) for group in made.state.groups.values()]
    assert held == [(Decimal("0.001"), None), (Decimal("0.002"), None)]
