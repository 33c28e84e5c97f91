"""Any market, any alerts, any clicks, refusals and slow answers: what must always hold is looked at after each event.

A few hundred short lives; `tests.property.examples` says how to play many more.
"""

from collections import deque
from dataclasses import fields
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import HealthCheck
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from exengine.domain import pnl
from exengine.domain.decide import decide
from exengine.domain.events import (
    BlockSet,
    EntriesCancelAsked,
    EntryAgainAsked,
    Event,
    GroupCloseAsked,
    OrderRejected,
    Panicked,
    PartCloseAsked,
    Paused,
    QueueAction,
    QueueAsked,
    QueueDue,
    Resumed,
    RiskDue,
    RiskRunAsked,
    SkipAsked,
    StopSet,
)
from exengine.domain.group import Group, GroupKey
from exengine.domain.instrument import Instrument, MarketType, Side
from exengine.domain.money import arithmetic
from exengine.domain.order import Order, Role
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
from exengine.domain.state import State
from exengine.domain.step import Step
from exengine.exchange.paper_book import Fees, PaperBook
from tests.helpers.floats import has_float
from tests.helpers.world import BTC, BTC_PERPETUAL, ETH, World
from tests.property.examples import examples

D = Decimal

ETH_PERPETUAL = Instrument(
    symbol="ETH/USDT:USDT",
    id="ETHUSDT",
    base="ETH",
    quote="USDT",
    type=MarketType.SWAP,
    tick_size=D("0.05"),
    step_size=D(1),
    min_qty=D(1),
    min_notional=D(5),
    contract_size=D("0.01"),
)
LISTED = {MarketType.SPOT: (BTC, ETH), MarketType.SWAP: (BTC_PERPETUAL, ETH_PERPETUAL)}
MOVES = ("-8", "-3", "-1", "-0.5", "0.5", "1", "2", "4", "8")
"""Per cent."""
FIRST_PRICE = {"BTC": D(50000), "ETH": D(2000)}


class MoodyBook(PaperBook):
    """A paper exchange that refuses the orders it is told to, fills in parts, and cancels late where it is slow."""

    def __init__(self, account: str, **options: Any) -> None:
        super().__init__(account, part_of_fill=self._part_of, **options)
        self.refusals = 0
        self.parts: Decimal | None = None
        self.slow = False
        self.late: deque[str] = deque()

    def _part_of(self, order: Order) -> Decimal | None:
        instrument = self._instruments[order.symbol]
        return None if self.parts is None else instrument.qty_floor(order.qty * self.parts)

    def place(self, order: Order, now_ms: int) -> list[Event]:
        if self.refusals:
            self.refusals -= 1
            return [OrderRejected(client_id=order.client_id, code="-1013", text="not now")]
        return super().place(order, now_ms)

    def cancel(self, client_id: str) -> list[Event]:
        if self.slow:
            self.late.append(client_id)
            return []
        return super().cancel(client_id)

    def catch_up(self) -> list[Event]:
        """The cancels that were on their way: nothing for an order that has filled meanwhile."""
        told: list[Event] = []
        while self.late:
            told += super().cancel(self.late.popleft())
        return told


def snapshot(state: State) -> dict[str, Any]:
    found = {field.name: getattr(state, field.name) for field in fields(state)}
    return {name: dict(value) if isinstance(value, dict) else value for name, value in found.items()}


class CheckedWorld(World):
    """Takes every step back and decides it again: both times the same, and nothing left over between them."""

    def decide(self, event: Event) -> Step:
        before = snapshot(self.state)
        first = decide(self.state, event, self.now_ms)
        after = snapshot(self.state)
        first.undo()
        assert snapshot(self.state) == before, f"{event} was not taken back"
        step = decide(self.state, event, self.now_ms)
        assert snapshot(self.state) == after
        assert step.commands == first.commands
        for value in (*step.groups.values(), *step.orders.values(), *step.fills, step.ledger, step.plan):
            assert not has_float(value)
        return step


LEGS = [
    (("0", "100", "20"),),
    (("0", "100", "1"),),
    (("0", "75", "15"), ("-1", "25", "2")),
    (("0", "20", "1"), ("-0.5", "20", "0.5"), ("-1", "20", "2"), ("-1.5", "20", "1.5"), ("-2", "20", "1")),
]


def some(values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(list(values))


@st.composite
def grids(draw: st.DrawFn) -> GridSettings:
    return GridSettings(
        max_pyramids=draw(some([1, 2, 3])),
        legs=tuple(
            LegSpec(gap_percent=D(gap), weight_percent=D(weight), tp_percent=D(target))
            for gap, weight, target in draw(some(LEGS))
        ),
        gap_reference=draw(some(GapReference)),
        entry_order=draw(some(EntryOrder)),
        abandon_percent=draw(some([None, D(1)])),
        replace_last_pyramid=draw(st.booleans()),
        post_only=draw(some([False, False, False, True])),
    )


@st.composite
def all_settings(draw: st.DrawFn) -> tuple[Settings, Fees, Decimal]:
    slippage = draw(some([D(0), D(0), D(0), D("0.5"), D(2)]))
    account = AccountSettings(
        name="paper",
        exchange="paper",
        market_type=draw(some(MarketType)),
        leverage=draw(some([D(1), D(3)])),
        balances={"USDT": D(10000)},
        paper_slippage_percent=slippage,
    )
    fee = draw(some([D(0), D("0.001")]))
    mode = draw(some([SizingMode.FIXED, SizingMode.FIXED, SizingMode.PERCENT_EQUITY, SizingMode.PERCENT_FREE]))
    risk = RiskSettings(
        loss_threshold_percent=D(-3),
        require_full_pyramids=draw(some([False, False, True])),
        post_full_wait_minutes=draw(some([D(0), D(0), D(1)])),
        timer_start=draw(some(TimerStart)),
        reset_timer_on_replacement=draw(st.booleans()),
        partial_close_enabled=draw(st.booleans()),
        when_short=draw(some(WhenShort)),
    )
    return (
        Settings(
            accounts=(account,),
            grid=draw(grids()),
            sizing=SizingSettings(mode=mode, amount=D("1577.77") if mode is SizingMode.FIXED else D(15)),
            take_profit=TakeProfitSettings(
                mode=draw(some(TakeProfitMode)),
                percent=draw(some([D(1), D(20)])),
                order=draw(some(TargetOrder)),
                close_when_flat=draw(st.booleans()),
                stop_loss_percent=draw(some([None, None, D(6)])),
                trailing_percent=draw(some([None, None, D(1)])),
            ),
            execution=ExecutionSettings(slippage_action=draw(some(SlippageAction))),
            pool=PoolSettings(
                max_open_groups=draw(some([1, 2, 4, 4])),
                pyramids_bypass=draw(st.booleans()),
                max_exposure=draw(some([None, None, None, D(6000)])),
            ),
            queue=QueueSettings(
                limit=draw(some([1, 3])),
                replace=draw(st.booleans()),
                max_age_minutes=draw(some([D(0), D(5)])),
                priority=tuple(draw(st.permutations(list(QueueRule)))),
            ),
            risk=risk,
        ),
        Fees(maker=fee, taker=fee),
        slippage,
    )


class AnyLife(RuleBasedStateMachine):
    """One account, two symbols, two timeframes: whatever happens to them."""

    world: CheckedWorld

    @initialize(drawn=all_settings())
    def begin(self, drawn: tuple[Settings, Fees, Decimal]) -> None:
        settings, fees, slippage = drawn
        account = settings.accounts[0]
        self.book = MoodyBook("paper", fees=fees, slippage_percent=slippage, leverage=account.leverage)
        self.listed = LISTED[account.market_type]
        self.world = CheckedWorld(settings, instruments=self.listed, book=self.book)
        self.prices = {one.symbol: FIRST_PRICE[one.base] for one in self.listed}
        for symbol, price in self.prices.items():
            self.world.price(symbol, price)

    @rule(which=some([0, 1]), percent=some(MOVES), ms=some([10, 60_000]))
    def the_price_moves(self, which: int, percent: str, ms: int) -> None:
        instrument = self.listed[which]
        moved = self.prices[instrument.symbol] * (1 + D(percent) / 100)
        self.prices[instrument.symbol] = instrument.price_down(moved)
        self.world.price(instrument.symbol, self.prices[instrument.symbol], after_ms=ms)
        self.world.look_at_losers()

    @rule(up=some([0, 1]), percent=some(["4", "6"]))
    def the_symbols_part(self, up: int, percent: str) -> None:
        self.the_price_moves(up, percent, 10)
        self.the_price_moves(1 - up, f"-{percent}", 60_000)

    @rule(timeframe=some(["15", "60"]), sides=some([("buy", "buy"), ("buy", "short"), ("short", "buy")]))
    def both_symbols_are_entered(self, timeframe: str, sides: tuple[str, str]) -> None:
        for which, action in enumerate(sides if self.listed[0].type is MarketType.SWAP else ("buy", "buy")):
            self._alert(which, timeframe, action, "signal", "0")

    @rule(
        which=some([0, 1]),
        timeframe=some(["15", "60"]),
        action=some(["buy", "buy", "buy", "short"]),
        percent=some(["-1", "0", "0", "1"]),
        stop=some([None, None, "5"]),
        aim=some([None, None, "3"]),
    )
    def an_entry_comes(
        self, which: int, timeframe: str, action: str, percent: str, stop: str | None, aim: str | None
    ) -> None:
        sign = 1 if action == "buy" else -1
        instrument, risk = self.listed[which], {}
        price = self.prices[instrument.symbol] * (1 + D(percent) / 100)
        if stop is not None:
            risk["stop_loss"] = str(instrument.price_down(price * (1 - sign * D(stop) / 100)))
        if aim is not None:
            risk["take_profit"] = str(instrument.price_down(price * (1 + sign * D(aim) / 100)))
        self._alert(which, timeframe, action, "signal", percent, risk=risk)

    @rule(
        which=some([0, 1]),
        timeframe=some(["15", "60"]),
        action=some(["buy", "sell"]),
        intent=some(["exit", "reduce", "reduce", "reduce", "reverse"]),
        size=some(["0.001", "0.01", "3"]),
    )
    def a_way_out_is_asked(self, which: int, timeframe: str, action: str, intent: str, size: str) -> None:
        self._alert(which, timeframe, action, intent, "0", tv__order_size=size)

    def _alert(self, which: int, timeframe: str, action: str, intent: str, percent: str, **more: Any) -> None:
        instrument = self.listed[which]
        price = instrument.price_down(self.prices[instrument.symbol] * (1 + D(percent) / 100))
        suffix = ".P" if instrument.type is MarketType.SWAP else ""
        named = {"tv__symbol": instrument.id + suffix, "tv__timeframe": timeframe}
        self.world.alert(str(price), action, **named, execution_intent={"type": intent}, **more)
        self.world.look_at_losers()

    @rule(seconds=some([10, 60, 3600]))
    def time_passes(self, seconds: int) -> None:
        self.world.now_ms += seconds * 1000
        for event in (QueueDue(), RiskDue(), QueueDue()):
            self.world.tell(event)
        self.world.look_at_losers()

    @rule(event=some([Paused(), *[Resumed()] * 4, Panicked(), *[RiskRunAsked()] * 5]))
    def the_trader_asks(self, event: Event) -> None:
        self.world.tell(event)
        self.world.look_at_losers()

    @rule(
        which=some([0, 1]),
        timeframe=some(["15m", "1h"]),
        what=some(["block", "unblock", "skip", "close", "part", "stop", "again", "cancel", *QueueAction]),
        side=some([None, *Side]),
    )
    def the_trader_touches(self, which: int, timeframe: str, what: str | QueueAction, side: Side | None) -> None:
        key = GroupKey("paper", self.listed[which].symbol, timeframe)
        group_id = self.world.state.live.get(key, "")
        match what:
            case QueueAction():
                event: Event = QueueAsked(key=key, action=what, side=side)
            case "skip":
                event = SkipAsked(key=key)
            case "close":
                event = GroupCloseAsked(group_id=group_id)
            case "part":
                event = PartCloseAsked(group_id=group_id, qty=self._third_of(group_id))
            case "stop":
                event = StopSet(group_id=group_id, price=self._below_or_above(group_id))
            case "again":
                group = self.world.state.groups.get(group_id)
                event = EntryAgainAsked(group_id=group_id, legs=tuple(ref for ref, _ in group.legs()) if group else ())
            case "cancel":
                event = EntriesCancelAsked(group_id=group_id)
            case _:
                event = BlockSet(key=key, blocked=what == "block")
        self.world.tell(event)
        self.world.look_at_losers()

    def _third_of(self, group_id: str) -> D:
        group = self.world.state.groups.get(group_id)
        return group.net_qty / 3 if group else D(1)

    def _below_or_above(self, group_id: str) -> D | None:
        """Three per cent away from the price, on the side where a stop stands."""
        group = self.world.state.groups.get(group_id)
        last = self.world.state.last(group.key.account, group.key.symbol) if group else None
        return last * (1 - group.side.sign * D("0.03")) if group and last else None

    @rule(mood=some(["fair", "fair", "fair", "refusing", "sparing", "slow"]))
    def the_exchange_changes_its_mood(self, mood: str) -> None:
        self.book.refusals = {"refusing": 2}.get(mood, 0)
        self.book.parts = {"sparing": D("0.3")}.get(mood)
        self.book.slow = mood == "slow"
        if not self.book.slow:
            for told in self.book.catch_up():
                self.world.tell(told)
            self.world.look_at_losers()

    # what must always hold -----------------------------------------------------------------------------------------

    @invariant()
    def a_groups_quantity_is_its_fills(self) -> None:
        for group in self.world.groups.values():
            assert group.net_qty == self._net(group), group.id
            assert group.net_qty >= 0, group.id

    def _net(self, group: Group) -> Decimal:
        net = D(0)
        for applied in self.world.fills:
            if applied.order.group_id == group.id:
                fill = applied.fill
                net += fill.qty if applied.order.role is Role.ENTRY else -fill.qty
                net -= fill.fee if fill.fee_currency == group.base else 0
        return net

    @invariant()
    def balances_are_start_plus_fills_minus_fees(self) -> None:
        state, totals = self.world.state, self.book.totals()
        expected = {"USDT": D(10000)}
        with arithmetic():
            for applied in self.world.fills:
                fill, group = applied.fill, self.world.groups[applied.order.group_id]
                sign = 1 if applied.order.side.value == "buy" else -1
                if group.market_type is MarketType.SPOT:
                    expected[group.base] = expected.get(group.base, D(0)) + sign * fill.qty
                    expected["USDT"] -= sign * fill.qty * fill.price
                expected[fill.fee_currency] = expected.get(fill.fee_currency, D(0)) - fill.fee
            if self.listed[0].type is MarketType.SWAP:
                gains = sum((pnl.realised(one) for one in self.world.groups.values()), D(0))
                fees = sum(self._entry_fees_closed(one) for one in self.world.groups.values())
                assert abs(state.balance("paper", "USDT") - D(10000) - gains - fees) < D("1e-20")
                if not state.groups:  # the book nets all groups of a symbol: while some are open it realises otherwise
                    assert abs(totals["USDT"] - state.balance("paper", "USDT")) < D("1e-20")
                return
            for currency, amount in expected.items():
                assert state.balance("paper", currency) == amount == totals.get(currency, D(0))
                held = sum((one.net_qty for one in self.world.groups.values() if one.base == currency), D(0))
                assert currency == "USDT" or held == amount

    def _entry_fees_closed(self, group: Group) -> Decimal:
        """Entry fees leave a swap wallet at once, and the realised PnL with what they were paid for."""
        total = D(0)
        for _, leg in group.legs():
            if leg.entered_qty:
                total -= leg.entry_fees_quote * leg.net_qty / leg.entered_qty
        return total

    @invariant()
    def the_realised_pnl_is_what_fills_and_fees_say(self) -> None:
        """realised = cash in − cash out + what is held at its cost (of a short: − what it was sold for)."""
        cash: dict[str, Fraction] = {}
        for applied in self.world.fills:
            group, fill = self.world.groups[applied.order.group_id], applied.fill
            sign = 1 if applied.order.side.value == "sell" else -1
            flow = sign * Fraction(fill.price) * Fraction(fill.qty) * Fraction(group.contract_size)
            if fill.fee_currency == group.quote:
                flow -= Fraction(fill.fee)
            cash[group.id] = cash.get(group.id, Fraction(0)) + flow
        for group in self.world.groups.values():
            with arithmetic():
                realised, held = Fraction(pnl.realised(group)), Fraction(pnl.cost(group))
            expected = cash.get(group.id, Fraction(0)) + group.side.sign * held
            assert abs(realised - expected) < Fraction(1, 10**20), (group.id, float(realised), float(expected))

    @invariant()
    def no_order_is_open_without_a_live_group(self) -> None:
        state = self.world.state
        for order in state.orders.values():
            assert order.group_id in state.groups
        for order in self.book.open_orders():
            assert order.client_id in state.orders
            assert state.orders[order.client_id].is_working

    @invariant()
    def a_leg_has_one_open_target_at_most(self) -> None:
        state = self.world.state
        for group_id in state.groups:
            covered = [
                ref
                for order in state.working(group_id)
                if order.role is Role.TP and order.price is not None
                for ref in order.covers
            ]
            assert len(covered) == len(set(covered))

    @invariant()
    def what_is_offered_for_sale_is_held(self) -> None:
        for group_id, group in self.world.state.groups.items():
            leaving = [order for order in self.world.state.working(group_id) if order.role is not Role.ENTRY]
            assert sum((order.leaves_qty for order in leaving), D(0)) <= group.net_qty

    @invariant()
    def slots_keep_the_limit_but_for_forced_groups(self) -> None:
        state = self.world.state
        forced = sum(group.forced for group in state.groups.values())
        assert len(state.groups) <= state.settings.pool.max_open_groups + forced

    @invariant()
    def every_alert_has_an_outcome(self) -> None:
        assert not self.world.state.pending
        assert all(record.outcome is not None for record in self.world.signals.values())

    @invariant()
    def what_is_reserved_is_what_working_entries_may_spend(self) -> None:
        state, total = self.world.state, D(0)
        with arithmetic():
            for order in state.orders.values():
                price = order.bound if order.price is None else order.price
                if order.role is Role.ENTRY and price is not None:
                    size = state.groups[order.group_id].contract_size
                    total += (order.leaves_qty * price * size / state.leverage("paper")).quantize(D("1e-24"))
            assert state.reserved.get(("paper", "USDT"), D(0)) == total

    @invariant()
    def the_working_orders_of_each_group_are_known_without_a_look_at_all_of_them(self) -> None:
        state = self.world.state
        working = {one: [order for order in state.orders_for(one) if order.is_working] for one in state.orders_of}
        assert {one: state.working(one) for one in state.orders_of} == working
        assert state.working_of.keys() == {one for one, orders in working.items() if orders}

    @invariant()
    def the_latest_entry_of_each_leg_is_known_by_its_place(self) -> None:
        state = self.world.state
        entries: dict[str, dict[tuple[int, int], str]] = {}
        for group_id in state.orders_of:
            for order in state.orders_for(group_id):
                if order.role is Role.ENTRY:
                    entries.setdefault(group_id, {})[order.pyramid or 0, order.leg or 0] = order.client_id
        assert state.entries_of == entries

    @invariant()
    def an_offset_under_way_has_someone_to_close(self) -> None:
        plan, state = self.world.state.plan, self.world.state
        if plan is not None:
            involved = [state.groups.get(one) for one in (plan.loser_id, *(line.group_id for line in plan.lines))]
            assert any(group and (group.partial or group.status.value == "closing") for group in involved)


AnyLife.TestCase.settings = examples(250, stateful_step_count=40, unchecked=HealthCheck)
TestAnyLife = AnyLife.TestCase
