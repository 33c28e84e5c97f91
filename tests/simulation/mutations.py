"""Bugs to be planted in the product, one of each kind that the simulation is there to find."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from decimal import Decimal
from functools import partial
from unittest.mock import patch

from exengine.domain import applying, entry, lifecycle, orders_in, risk, safety
from exengine.domain.commands import PlaceOrder
from exengine.domain.errors import KnownError, Refused
from exengine.domain.events import Event, OrderCancelled, OrderRejected, SettingsApplied
from exengine.domain.group import Group
from exengine.domain.order import Fill, Order, Role, client_order_id
from exengine.domain.orders_out import withdraw
from exengine.domain.state import State
from exengine.domain.step import Step
from exengine.engine.engine import Engine
from exengine.engine.executor import Executor
from exengine.engine.ports import Exchange
from exengine.engine.views import Views
from tests.simulation.disk import Disk

Planted = Callable[[], AbstractContextManager[object]]


def a_lost_answer_is_a_refusal() -> AbstractContextManager[object]:
    def lost(self: Executor, order: Order) -> list[Event]:
        return [OrderRejected(client_id=order.client_id, code="lost", text="no answer")]

    return patch.object(Executor, "_lost", lost)


def a_fill_counts_each_time_that_it_is_told() -> AbstractContextManager[object]:
    once = Order.filled

    def filled(self: Order, fill: Fill) -> Order:
        forgetful = replace(self, trade_ids=tuple(one for one in self.trade_ids if one != fill.trade_id))
        return once(forgetful, fill)

    return patch.object(Order, "filled", filled)


def orders_go_out_before_they_are_stored() -> AbstractContextManager[object]:
    decide_some = Engine._decide_some

    def hasty(self: Engine) -> object:
        steps, items = decide_some(self)
        for step in steps:
            self._executor.carry_out(one for one in step.commands if isinstance(one, PlaceOrder))
            step.commands = [one for one in step.commands if not isinstance(one, PlaceOrder)]
        return steps, items

    return patch.object(Engine, "_decide_some", hasty)


def a_closed_group_keeps_its_slot() -> AbstractContextManager[object]:
    put_group = Step.put_group

    def put(self: Step, group: Group) -> None:
        put_group(self, group)
        if not group.is_open and group.has_filled:
            self._set(self.state.groups, group.id, group)

    return patch.object(Step, "put_group", put)


def what_did_not_arrive_is_sent_under_a_new_id() -> AbstractContextManager[object]:
    place = Executor._place

    async def anew(self: Executor, exchange: Exchange, order: Order) -> None:
        if order.status.value == "unknown":
            order = replace(order, client_id=client_order_id("again", order.client_id))
        await place(self, exchange, order)

    return patch.object(Executor, "_place", anew)


def not_found_on_a_cancel_means_cancelled() -> AbstractContextManager[object]:
    async def cancel(self: Executor, exchange: Exchange, order: Order) -> None:
        try:
            answers = await self._asking(lambda: exchange.cancel(order))
        except (KnownError, Refused):
            answers = [OrderCancelled(client_id=order.client_id)]
        await self._tell(answers)

    return patch.object(Executor, "_cancel", cancel)


def a_fill_older_than_another_is_lost() -> AbstractContextManager[object]:
    real, last_at_ms = orders_in.filled, dict[str, int]()

    def filled(step: Step, fill: Fill) -> None:
        if fill.at_ms >= last_at_ms.get(fill.client_id, 0):
            last_at_ms[fill.client_id] = fill.at_ms
            real(step, fill)

    return patch.object(orders_in, "filled", filled)


@contextmanager
def a_winners_profit_is_spent_twice() -> Iterator[None]:
    """The offset forgets that its winners were closed, and closes them once more for the same loser."""
    carry_on, again = risk.carry_on, set[tuple[int, str]]()

    def forgetful(step: Step) -> None:
        plan = step.state.plan
        if plan is not None and not plan.loser_begun and (plan.at_ms, plan.loser_id) not in again:
            done = not any(risk._is_under_way(step, line.group_id) for line in plan.lines)
            if done:
                again.add((plan.at_ms, plan.loser_id))
                for line in plan.lines:
                    group = step.state.groups.get(line.group_id)
                    if group is not None and not line.whole and group.net_qty > line.qty:
                        risk._close_part(step, group, line.qty)
        carry_on(step)

    with patch.object(risk, "carry_on", forgetful):
        yield


def a_group_closes_while_its_orders_are_being_cancelled() -> AbstractContextManager[object]:
    leave = lifecycle._leave

    def hasty(step: Step, group: Group) -> None:
        if not group.has_filled:
            for order in step.state.working(group.id):
                withdraw(step, order)
            lifecycle._finish(step, group)
            return
        leave(step, group)

    return patch.object(lifecycle, "_leave", hasty)


def the_watchman_looks_at_what_is_not_stored() -> AbstractContextManager[object]:
    async def whole(self: Engine) -> None: ...

    return patch.object(Engine, "whole", whole)


def a_loss_is_not_in_the_ledger() -> AbstractContextManager[object]:
    count = safety.count

    def hopeful(step: Step, group: Group, realised: Decimal) -> None:
        if realised > 0:
            count(step, group, realised)

    return patch.object(safety, "count", hopeful)


def the_pool_lets_one_too_many_in() -> AbstractContextManager[object]:
    no_room = entry._no_room

    def generous(state: State, wanted: entry.Entry, group: Group | None) -> entry.Denial | None:
        denial = no_room(state, wanted, group)
        full = denial is entry.Denial.POOL_FULL and len(state.groups) == state.settings.pool.max_open_groups
        return None if full else denial

    return patch.object(entry, "_no_room", generous)


def a_start_forgets_who_waits() -> AbstractContextManager[object]:
    load = Disk.load
    return patch.object(Disk, "load", lambda self: replace(load(self), waiting=()))


def each_exit_sells_anew() -> AbstractContextManager[object]:
    leave = lifecycle._leave

    def eager(step: Step, group: Group) -> None:
        working = step.state.working(group.id)
        if working and all(one.role is not Role.ENTRY and one.price is None for one in working):
            last = step.state.fresh(group.key.account, group.key.symbol, step.now_ms)
            instrument = step.state.instrument(group)
            if last is not None and group.sellable_qty(instrument) and group.close_attempts < 2:
                lifecycle._send_close(step, group, instrument, group.sellable_qty(instrument), last)
                return
        leave(step, group)

    return patch.object(lifecycle, "_leave", eager)


def a_closed_group_stays_on_the_screen() -> AbstractContextManager[object]:
    show = Views._group

    def shown(self: Views, group: Group) -> None:
        if group.is_open:
            show(self, group)

    return patch.object(Views, "_group", shown)


def an_apply_gives_live_groups_the_new_grid() -> AbstractContextManager[object]:
    apply = applying.apply

    def eager(step: Step, event: SettingsApplied) -> None:
        apply(step, event)
        for group in list(step.state.groups.values()):
            key, pyramids = group.key, range(event.settings.grid.max_pyramids)
            plan = partial(
                event.settings.plan,
                account=key.account,
                symbol=key.symbol,
                timeframe=key.timeframe,
                side=group.side,
            )
            step.put_group(replace(group, plans=tuple(plan(pyramid=index) for index in pyramids)))

    return patch.object(applying, "apply", eager)


def settings_stay_though_the_store_did_not_take_them() -> AbstractContextManager[object]:
    undo = Step.undo

    def forgetful(self: Step) -> None:
        settings = self.state.settings
        undo(self)
        self.state.settings = settings

    return patch.object(Step, "undo", forgetful)


MUTATIONS: tuple[Planted, ...] = (
    a_lost_answer_is_a_refusal,
    a_fill_counts_each_time_that_it_is_told,
    orders_go_out_before_they_are_stored,
    a_closed_group_keeps_its_slot,
    what_did_not_arrive_is_sent_under_a_new_id,
    not_found_on_a_cancel_means_cancelled,
    a_fill_older_than_another_is_lost,
    a_winners_profit_is_spent_twice,
    a_group_closes_while_its_orders_are_being_cancelled,
    the_watchman_looks_at_what_is_not_stored,
    a_loss_is_not_in_the_ledger,
    the_pool_lets_one_too_many_in,
    a_start_forgets_who_waits,
    each_exit_sells_anew,
    a_closed_group_stays_on_the_screen,
    an_apply_gives_live_groups_the_new_grid,
    settings_stay_though_the_store_did_not_take_them,
)
