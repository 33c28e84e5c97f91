"""An order that the exchange refused for its market rules: the rules are loaded anew, and it is made again, once (§6).

Before every order the rules that we know are kept, so that such a refusal means that they have changed (FAULTS 10).
"""

from dataclasses import replace

from exengine.domain.commands import ReloadRules
from exengine.domain.group import Group, GroupStatus, Leg, LegState
from exengine.domain.instrument import Instrument
from exengine.domain.journal import Category, Severity
from exengine.domain.lifecycle import settle
from exengine.domain.order import Order, Role
from exengine.domain.step import Step


def ask_anew(step: Step, order: Order, what: str, text: str) -> bool:
    """Asks for the rules and marks the order to be made again; False where that was done for it before."""
    group = step.group(order.group_id)
    if not group.is_open or order.slot in group.made_again:
        return False
    group = replace(group, made_again=(*group.made_again, order.slot), awaits_rules=True)
    ref = (order.pyramid or 0, order.leg or 0)
    if order.role is Role.ENTRY and group.status is not GroupStatus.CLOSING:
        group = group.with_leg(ref, replace(group.leg(ref), replan=True))
    step.put_group(group)
    step.command(ReloadRules(account=order.account))
    step.note(
        Severity.WARNING,
        Category.PRECISION,
        f"{what} refused for the exchange’s market rules: {text}. They are loaded anew, and it is made again once.",
        group=group,
        signal_id=order.signal_id,
    )
    return True


def make_again(step: Step, account: str) -> None:
    """The rules have come: every order that waited for them is made again."""
    waiting = [one for one in step.state.groups.values() if one.key.account == account and one.awaits_rules]
    for group in waiting:
        step.put_group(_ready(group, step.state.instrument(group)))
        settle(step, group.id)


def _ready(group: Group, instrument: Instrument) -> Group:
    """The group with what was refused as the new rules would have it, free to go on."""
    partial = group.partial
    if partial is not None:
        partial = replace(partial, client_id=None, attempts=0)
    ready = replace(group, awaits_rules=False, partial=partial, close_attempts=0)
    for ref, leg in group.legs():
        if leg.replan and leg.state is LegState.REJECTED:
            ready = ready.with_leg(ref, _by_the_rules(group, leg, instrument))
    return ready


def _by_the_rules(group: Group, leg: Leg, instrument: Instrument) -> Leg:
    """The leg as the new rules would have it; what they make too small is blocked."""
    price, qty = instrument.entry_price(leg.price, group.side), instrument.qty_floor(leg.qty)
    if instrument.is_below_minimum(price, qty):
        error = "below the exchange’s minimum by its new market rules"
        return replace(leg, price=price, replan=False, state=LegState.BLOCKED, error=error)
    return replace(leg, price=price, qty=qty)
