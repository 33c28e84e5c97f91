"""The trader's hand on one group that lives on: a part closed, a stop set, refused entries placed again (SPEC §9).

What cannot be done is said in a line of the log and leaves the group as it is. The sentences that begin with `why_not`
are the same that a dialog shows before anything is asked.
"""

from dataclasses import replace
from decimal import Decimal

from exengine.domain import capital
from exengine.domain.group import CloseReason, Group, GroupStatus, LegState
from exengine.domain.instrument import Instrument, Side
from exengine.domain.journal import Category, Severity
from exengine.domain.lifecycle import begin_closing, settle
from exengine.domain.money import ZERO, decimals_of, plain
from exengine.domain.order import LegRef, entry_name
from exengine.domain.partial_close import after_partial, reducible_qty, take_part
from exengine.domain.step import Step

# part of it ---------------------------------------------------------------------------------------------------------


def why_not_part(rules: Instrument, qty: Decimal, last: Decimal | None) -> str:
    """Why `qty` cannot be closed, in words; empty where it can."""
    if last is None:
        return "There is no price yet to close a part at."
    floored = rules.qty_floor(qty)
    if floored <= 0:
        return f"That is less than the step of {plain(rules.step_size)}."
    if floored < rules.min_qty:
        return f"That is below the exchange’s smallest quantity of {plain(rules.min_qty)}."
    if rules.is_below_minimum(last, floored):
        least = f"{plain(rules.min_notional)} {rules.quote}"
        return f"That is worth less than the {least} that an order must be worth at least."
    return ""


def is_left_as_dust(rules: Instrument, left: Decimal, last: Decimal | None) -> bool:
    """Whether what a part leaves behind is too little to be sold on its own."""
    return left > 0 and (last is None or rules.is_below_minimum(last, rules.qty_floor(left)))


def close_part(step: Step, group_id: str, asked: Decimal) -> None:
    """Closes part of a group at market, the legs that filled first before the others; all of it is a close."""
    group = step.state.groups.get(group_id)
    if group is None:
        return
    last = step.state.last(group.key.account, group.key.symbol)
    instrument = step.state.instrument(group)
    held = after_partial(step, group)
    qty = reducible_qty(held, instrument, asked, last)
    why = _why_not_touched(group) or (why_not_part(instrument, min(asked, held.net_qty), last) if not qty else "")
    if why:
        _refused(step, group, f"No part was closed: {why}")
        return
    if qty >= held.sellable_qty(instrument):
        step.note(Severity.INFO, Category.ORDER, "Close asked by the trader.", group=group)
        begin_closing(step, group_id, CloseReason.MANUAL)
        return
    text = f"Close of {plain(qty)} {group.base} of {plain(held.net_qty)} asked by the trader."
    group = take_part(step, group, qty)
    step.note(Severity.INFO, Category.ORDER, text, group=group)
    settle(step, group_id)


# its stop -----------------------------------------------------------------------------------------------------------


def why_not_stop(side: Side, price: Decimal, last: Decimal | None, decimals: int) -> str:
    """Why a stop cannot stand at `price`, in words; empty where it can. It would be touched at once otherwise.

    `decimals` are those of the tick: prices are told with them.
    """
    if price <= 0:
        return "A stop is a price above zero."
    if last is None:
        return "There is no price yet to tell on which side of it the stop would stand."
    if (last - price) * side.sign > 0:
        return ""
    where = "below" if side is Side.LONG else "above"
    return (
        f"The stop of a {side.value} stands {where} the last price, which is {_as_price(last, decimals)}: "
        f"at {_as_price(price, decimals)} the group would be closed now."
    )


def _as_price(price: Decimal, decimals: int) -> str:
    return f"{price:.{max(decimals, decimals_of(price))}f}"


def set_stop(step: Step, group_id: str, price: Decimal | None) -> None:
    """Gives a group a stop of the trader's, on the tick, or takes away what it was given."""
    group = step.state.groups.get(group_id)
    if group is None:
        return
    why = "it is being closed." if group.status is GroupStatus.CLOSING else ""
    if price is not None and not why:
        rules = step.state.instrument(group)
        price = rules.target_price(price, group.side.opposite)
        last = step.state.last(group.key.account, group.key.symbol)
        why = why_not_stop(group.side, price, last, decimals_of(rules.tick_size))
    if why:
        _refused(step, group, f"The stop was not changed: {why}")
        return
    if price == group.stop_price:
        return
    step.put_group(replace(group, stop_price=price))
    stands = "taken away" if price is None else f"set to {plain(price)}"
    step.note(Severity.INFO, Category.ORDER, f"Stop {stands} by the trader.", group=group)


# entries that were refused ------------------------------------------------------------------------------------------


def place_again(step: Step, group_id: str, legs: tuple[LegRef, ...]) -> None:
    """Places entries again that the exchange has refused, at their planned prices and quantities."""
    group = step.state.groups.get(group_id)
    if group is None:
        return
    refused = {ref: leg for ref, leg in group.legs() if ref in legs and leg.state is LegState.REJECTED}
    needed = sum((leg.price * leg.qty * group.contract_size for leg in refused.values()), ZERO)
    why = _why_not_touched(group) or _why_not_entered(step, group, needed)
    if not refused:
        why = "none of these entries is refused any more."
    if why:
        _refused(step, group, f"Not placed again: {why}")
        return
    for ref, leg in refused.items():
        group = group.with_leg(ref, replace(leg, replan=True))
    was = tuple(f"{entry_name(ref)}:" for ref in refused)
    step.put_group(replace(group, errors=tuple(error for error in group.errors if not error.startswith(was))))
    names = ", ".join(entry_name(ref) for ref in refused)
    step.note(Severity.INFO, Category.ORDER, f"Placed again by the trader: {names}.", group=group)
    settle(step, group_id)


def _why_not_entered(step: Step, group: Group, needed: Decimal) -> str:
    """What holds any entry back (SPEC §3.1): a pause, an account that is away, too little free money."""
    if step.state.control.paused:
        return "the engine is paused. Resume it first."
    away = step.state.unreachable.get(group.key.account)
    if away is not None:
        return f"account {group.key.account} cannot be traded on: {away}."
    account = step.state.settings.account(group.key.account)
    if account is None:
        return f"account {group.key.account} is not set up."
    free = capital.free_quote(step.state, account, group.quote)
    if needed / step.state.leverage(account.name) > free:
        return f"it takes {plain(needed)} {group.quote}, and {plain(free)} are free."
    return ""


def _why_not_touched(group: Group) -> str:
    if group.status is GroupStatus.CLOSING:
        return "it is being closed."
    if group.frozen:
        return f"it is stopped: {group.frozen}."
    return ""


def _refused(step: Step, group: Group, text: str) -> None:
    step.note(Severity.WARNING, Category.ORDER, text, group=group, advice="The group is as it was.")
