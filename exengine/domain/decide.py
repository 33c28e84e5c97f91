"""The heart: one event in, changed state and commands out. No clock, no IO, no randomness."""

from typing import assert_never

from exengine.domain import accounts, adopting, applying, by_hand, control, events, orders_in, pool, risk
from exengine.domain.act import act
from exengine.domain.cause import of_engine, of_signal, of_trader
from exengine.domain.commands import ResolveOrder
from exengine.domain.events import Event
from exengine.domain.group import GroupStatus
from exengine.domain.journal import Category, Severity
from exengine.domain.lifecycle import settle
from exengine.domain.money import arithmetic
from exengine.domain.order import Happening, OrderStatus, Role
from exengine.domain.pool import promote
from exengine.domain.receive import forget_old_digests, receive
from exengine.domain.state import State
from exengine.domain.step import Step
from exengine.domain.watch import look

NOTHING_TO_OFFSET = "Nothing was closed: no candidate that the winners could pay for."


def decide(state: State, event: Event, now_ms: int) -> Step:
    """Applies `event` to `state` and says what it changed and what must be done.

    The result depends on nothing but the arguments. The caller stores the step's changes before it carries out its
    commands, and undoes the step where they cannot be stored. Where this raises, the state is as it was.
    """
    step = Step(state, now_ms)
    try:
        with arithmetic():
            _apply(step, event)
            risk.carry_on(step)
            if step.freed:
                promote(step)
    except BaseException:
        step.undo()
        raise
    return step


def _apply(step: Step, event: Event) -> None:
    if isinstance(event, events.SignalArrived):
        step.cause = of_signal(step.state.next_signal_id)
        receive(step, event.arrival)
    elif isinstance(event, events.SignalStored):
        step.cause = of_signal(event.signal_id)
        act(step, event.signal_id)
    elif isinstance(event, events.OrderNews):
        _news(step, event)
    elif isinstance(event, events.MarketEvent):
        _market(step, event)
    elif isinstance(event, events.AccountNews):
        accounts.heard(step, event)
    elif isinstance(event, events.TimeEvent):
        _time(step, event)
    else:
        _asked(step, event)


def _news(step: Step, event: events.OrderNews) -> None:
    client_id = event.fill.client_id if isinstance(event, events.OrderFilled) else event.client_id
    order = step.state.orders.get(client_id)
    if order is not None:
        step.cause = order.cause
    match event:
        case events.OrderSent():
            orders_in.told(step, event.client_id, Happening.SEND)
        case events.OrderAccepted():
            orders_in.accepted(step, event.client_id, event.exchange_order_id)
        case events.OrderRejected():
            orders_in.rejected(step, event.client_id, event.code, event.text)
        case events.OrderFilled():
            orders_in.filled(step, event.fill)
        case events.OrderCancelled():
            orders_in.cancelled(step, event.client_id)
        case events.OrderExpired():
            orders_in.told(step, event.client_id, Happening.EXPIRE)
        case events.OrderLost():
            _lost(step, event.client_id)
        case _:
            assert_never(event)


def _market(step: Step, event: events.MarketEvent) -> None:
    match event:
        case events.PriceMoved():
            _price(step, event)
        case events.WatchDue():
            step.state.in_tick = False
            look(step, event.account, event.symbol)
        case events.InstrumentsLoaded():
            accounts.rules_loaded(step, event.account, event.instruments)
            promote(step)
        case events.BalancesReported():
            for currency, total in event.totals.items():
                step.report_balance(event.account, currency, total)
            step.report_positions(event.account, event.positions)
        case events.HoldingsShort():
            accounts.holdings_short(step, event.account, event.currency, event.there)
        case _:
            assert_never(event)


def _time(step: Step, event: events.TimeEvent) -> None:
    match event:
        case events.EngineStarted():
            _started(step)
        case events.GroupDue():
            if event.group_id in step.state.groups:
                settle(step, event.group_id)
        case events.QueueDue():
            forget_old_digests(step)
            promote(step)
        case events.RiskDue():
            _risk(step, event)
        case _:
            assert_never(event)


def _asked(step: Step, event: events.TraderAsked) -> None:
    step.cause = (of_engine if isinstance(event, events.DefectFound) else of_trader)(step.now_ms)
    match event:
        case events.Paused():
            control.pause(step, event.why)
        case events.Resumed():
            control.resume(step)
            promote(step)
        case events.Panicked():
            control.panic(step, entries_only=event.entries_only)
        case events.DefectFound():
            control.contain(step, event)
        case events.GroupCloseAsked():
            control.close_group(step, event.group_id)
        case events.PartCloseAsked():
            by_hand.close_part(step, event.group_id, event.qty)
        case events.StopSet():
            by_hand.set_stop(step, event.group_id, event.price)
        case events.EntryAgainAsked():
            by_hand.place_again(step, event.group_id, event.legs)
        case events.AdoptAsked():
            adopting.adopt(step, event.group_id)
        case events.EntriesCancelAsked():
            control.cancel_open_entries(step, event.group_id)
        case events.QueueAsked():
            pool.by_hand(step, event)
        case events.RiskRunAsked():
            risk.evaluate(step, on_request=True)
            if not step.notes:
                step.note(Severity.INFO, Category.RISK, NOTHING_TO_OFFSET)
        case events.BlockSet():
            control.set_blocked(step, event.key, blocked=event.blocked)
        case events.SkipAsked():
            control.skip_once(step, event.key)
        case events.SettingsApplied():
            applying.apply(step, event)
        case _:
            assert_never(event)


def wants_risk(state: State) -> bool:
    """Whether something has filled and all that followed from it is done: then `RiskDue(on_fill=True)` is due (§8)."""
    return state.risk_wanted and not state.in_tick


def _risk(step: Step, event: events.RiskDue) -> None:
    """Looks at the losers, by the clock or since something has filled (`risk.evaluate_on_fill`)."""
    step.state.risk_wanted = False
    if not event.on_fill or step.state.settings.risk.evaluate_on_fill:
        risk.evaluate(step)


def _price(step: Step, event: events.PriceMoved) -> None:
    """Takes a price over, and moves the groups on that could not close for lack of one."""
    step.state.in_tick = True
    step.put_quote(event.account, event.symbol, event.price)
    for group_id in step.state.by_symbol.get((event.account, event.symbol), ()):
        group = step.state.groups[group_id]
        if group.status is GroupStatus.CLOSING or group.partial:
            entries_stay = group.status is not GroupStatus.CLOSING
            if not [one for one in step.state.working(group_id) if not (entries_stay and one.role is Role.ENTRY)]:
                settle(step, group_id)


def _lost(step: Step, client_id: str) -> None:
    """The answer never came: ask by client order id, never guess (§10)."""
    order = orders_in.told(step, client_id, Happening.LOSE)
    if order is not None and order.status is OrderStatus.UNKNOWN:
        step.command(ResolveOrder(order=order))


def _started(step: Step) -> None:
    """Goes on where the last run stopped: orders in doubt are asked for, withdrawn ones withdrawn.

    Groups and alerts that were stored and not decided come as `GroupDue` and `SignalStored` of their own. Accounts on
    real exchanges take entries when the books have been compared with them.
    """
    for account in step.state.settings.accounts:
        if account.enabled and account.is_live:
            step.lose_account(account.name, accounts.NOT_ASKED_YET)
    for command in applying.in_doubt(step.state):
        step.command(command)
