"""What an exchange tells of our orders, applied to the books: answers, fills, ends (SPEC §5.1, §10)."""

from decimal import Decimal

from exengine.domain import pnl, safety
from exengine.domain.changed import changed
from exengine.domain.commands import ReloadRules
from exengine.domain.errors import INSUFFICIENT_BALANCE, MARKET_HALTED, RULES_REFUSED
from exengine.domain.group import Group
from exengine.domain.instrument import MarketType, OrderSide
from exengine.domain.journal import Category, Severity, Topic
from exengine.domain.lifecycle import refreshed, settle
from exengine.domain.money import ZERO, plain
from exengine.domain.order import Fill, Happening, Order, OrderStatus, OrderType, Role
from exengine.domain.risk import count_fill
from exengine.domain.rules_refused import ask_anew
from exengine.domain.state import AppliedFill
from exengine.domain.step import Step


def told(step: Step, client_id: str, happening: Happening, **more: str) -> Order | None:
    """Applies what was told of an order, and settles its group where that changed its status.

    None where the order is not held any more: its group is closed, nothing is changed.
    """
    order = step.state.orders.get(client_id)
    if order is None:
        return None
    after = order.after(happening, step.now_ms, **more)
    if after is not order:
        step.put_order(after)
    if after.status is not order.status:
        if happening is Happening.ACCEPT:
            if order.role is Role.ENTRY:
                refreshed(step, order.group_id)  # it works as before: nothing else is to be done for it
        elif happening is not Happening.SEND:
            settle(step, order.group_id)
    return after


def accepted(step: Step, client_id: str, exchange_order_id: str | None) -> None:
    """The exchange has the order, under this id of its own where it gave one."""
    order = step.state.orders.get(client_id)
    if order is None:
        return
    if exchange_order_id is not None and order.exchange_order_id is None:
        told(step, client_id, Happening.ACCEPT, exchange_order_id=exchange_order_id)
    else:
        told(step, client_id, Happening.ACCEPT)


def cancelled(step: Step, client_id: str) -> None:
    """The order is off the exchange; where nobody here asked for that, it is not put back (FAULTS 44)."""
    order = step.state.orders.get(client_id)
    if order is not None and order.is_working and not order.cancel_requested and order.type is OrderType.LIMIT:
        step.note(
            Severity.WARNING,
            Category.ORDER,
            f"{_what(order)} was cancelled on the exchange, not by ExEngine.",
            group=step.group(order.group_id),
            advice="It is not put back. Close the group here, or look after what is held on the exchange.",
        )
    told(step, client_id, Happening.CANCEL)


def rejected(step: Step, client_id: str, code: str, text: str) -> None:
    """The exchange refused the order: told loudly, and the other legs stand (§3.1)."""
    order = step.state.orders.get(client_id)
    if order is None or order.status is OrderStatus.REJECTED:
        return
    group = step.group(order.group_id)
    what = _what(order)
    if code == RULES_REFUSED and ask_anew(step, order, what, text):
        told(step, client_id, Happening.REJECT, error=f"{text} ({code})")
        return
    step.put_group(step.fail(group, f"{what}: {text}"))
    advice = {
        Role.ENTRY: "The other legs stand. Free balance or raise the leg’s size, then add the pyramid again.",
        Role.TP: "What has filled is still held. Close the group, or place the target on the exchange by hand.",
    }.get(order.role, "It is still held. Close the group again, or sell by hand.")
    step.note(
        Severity.ERROR,
        Category.ORDER,
        f"{what} refused by the exchange: {text} ({code}).",
        group=group,
        signal_id=order.signal_id,
        advice=advice,
        topic=Topic.ORDER_REJECTED,
    )
    if code in (MARKET_HALTED, RULES_REFUSED):
        # They tell what is traded: its group is then left alone. And who closes once more closes by the newest ones.
        step.command(ReloadRules(account=order.account))
    if code == INSUFFICIENT_BALANCE and order.role is not Role.ENTRY:
        _freeze_short_of(step, group.id)
    told(step, client_id, Happening.REJECT, error=f"{text} ({code})")


def _freeze_short_of(step: Step, group_id: str) -> None:
    """The account does not hold what the group has bought: someone sold it by hand. Nothing is decided any more."""
    group = step.group(group_id)
    if not group.is_open or group.frozen:
        return
    there = step.state.balance(group.key.account, group.base)
    why = f"the account does not have the {plain(group.net_qty)} {group.base} that this group bought"
    step.put_group(step.fail(changed(group, frozen=why, short_of_coins=True), why))
    step.note(
        Severity.ERROR,
        Category.ORDER,
        f"Stopped: {why} (by our own count it holds {plain(there)}).",
        group=group,
        advice="Was it sold by hand? Close the group: what the account still has of it is sold, the rest is let go.",
        topic=Topic.FROZEN,
    )


def filled(step: Step, fill: Fill) -> None:
    """Applies one execution: order, leg, balances and targets in one step; a trade id that is known changes nothing."""
    order = step.state.orders.get(fill.client_id)
    if order is None:
        if fill.trade_id in step.state.booked.get(fill.client_id, ()):
            return
        step.note(
            Severity.ERROR,
            Category.ORDER,
            f"The exchange filled an order that is not open here: {plain(fill.qty)} at {plain(fill.price)}.",
            advice="Compare the account’s balance on the exchange with the positions shown.",
        )
        return
    after = order.filled(fill)
    if after is order:
        return
    step.put_order(after)
    group = step.group(order.group_id)
    fee_quote = _fee_in_quote(step, group, fill)
    if order.role is Role.ENTRY:
        group = pnl.entered(group, (order.pyramid or 0, order.leg or 0), fill, fee_quote)
        result = pnl.Closed(group=group, realised=ZERO, price_gain=ZERO)
    else:
        result = pnl.closed(group, order, fill, fee_quote)
    step.put_group(result.group)
    _move_balances(step, result, order, fill)
    step.add_fill(AppliedFill(fill=fill, order=after, fee_quote=fee_quote, realised=result.realised))
    _tell(step, result, after, fill)
    count_fill(step, after, result.realised)
    if order.role is not Role.ENTRY:
        safety.count(step, result.group, result.realised)
    step.state.risk_wanted = True
    settle(step, order.group_id)


def _fee_in_quote(step: Step, group: Group, fill: Fill) -> Decimal:
    """What a fee is worth in quote: in base at the fill's price, in a third coin at that coin's last price (§5.1)."""
    if fill.fee == 0 or fill.fee_currency == group.quote:
        return fill.fee
    if fill.fee_currency == group.base:
        return fill.fee * fill.price
    last = step.state.last(group.key.account, f"{fill.fee_currency}/{group.quote}")
    if last is None:
        step.note(
            Severity.WARNING,
            Category.ORDER,
            f"A fee of {plain(fill.fee)} {fill.fee_currency} could not be valued: no price of it in {group.quote}.",
            group=group,
            advice="It is missing from this group’s cost. The account’s balance is right.",
        )
        return ZERO
    return fill.fee * last


def _move_balances(step: Step, result: pnl.Closed, order: Order, fill: Fill) -> None:
    group = result.group
    account = group.key.account
    if group.market_type is MarketType.SWAP:
        step.move_balance(account, group.quote, result.price_gain)
    else:
        sign = 1 if order.side is OrderSide.BUY else -1
        step.move_balance(account, group.base, sign * fill.qty)
        step.move_balance(account, group.quote, -sign * fill.qty * fill.price)
    if fill.fee:
        step.move_balance(account, fill.fee_currency, -fill.fee)


def _what(order: Order) -> str:
    pyramid = f"pyramid {order.pyramid + 1}" if order.pyramid is not None else "the group"
    leg = f", DCA{order.leg}" if order.leg is not None else ""
    return f"{_NAMES[order.role]} of {pyramid}{leg}"


_NAMES = {Role.ENTRY: "Entry", Role.TP: "Target", Role.CLOSE: "Close", Role.RISK: "Offset", Role.STOP: "Stop"}


def _tell(step: Step, result: pnl.Closed, order: Order, fill: Fill) -> None:
    group = result.group
    verb = "bought" if order.side is OrderSide.BUY else "sold"
    text = f"{_what(order)} filled: {verb} {plain(fill.qty)} {group.base} at {plain(fill.price)}."
    if order.role is not Role.ENTRY:
        text += f" Brought {plain(result.realised.quantize(Decimal('1e-8')))} {group.quote} after fees."
    step.note(Severity.INFO, Category.ORDER, text, group=group, signal_id=order.signal_id)
    if order.filled_qty > order.qty:
        step.note(
            Severity.WARNING,
            Category.ORDER,
            f"{_what(order)}: {plain(order.filled_qty)} filled though {plain(order.qty)} were ordered.",
            group=group,
            advice="The real amount is in the books; its target covers all of it.",
        )
