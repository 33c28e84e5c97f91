"""Settling a group whose coins are gone: what is missing is booked as closed by hand, at what it cost (SPEC §10).

Nobody here knows what the trader got for them, so that the books show neither gain nor loss; the quote that it brought
is in the account's own balance.
"""

from dataclasses import replace
from decimal import Decimal

from exengine.domain import orders_in, pnl
from exengine.domain.accounts import groups_of, held
from exengine.domain.cause import signal_of
from exengine.domain.group import Group
from exengine.domain.instrument import MarketType
from exengine.domain.journal import Category, Severity
from exengine.domain.lifecycle import settle
from exengine.domain.money import ZERO, plain
from exengine.domain.order import Fill, Liquidity, Order, OrderType, Role, client_order_id
from exengine.domain.partial_close import takes_in_order_of_fills
from exengine.domain.step import Step


def adopt(step: Step, group_id: str) -> None:
    """Takes the exchange's view over for one group: what the account lacks is its loss first, at most all it holds."""
    group = step.state.groups.get(group_id)
    if group is None or not group.short_of_coins:
        return
    gone = min(missing(step, group), group.net_qty)
    if gone > 0:
        _book(step, group, gone)
        step.note(
            Severity.WARNING,
            Category.ORDER,
            f"The exchange’s view was adopted: {plain(gone)} {group.base} count as closed by hand, at their cost.",
            group=step.group(group_id),
        )
    _let_go_on(step, step.group(group_id))
    if missing(step, group) <= 0:
        for other in groups_of(step.state, group.key.account):
            if other.short_of_coins and _what(other) == _what(group):
                _let_go_on(step, other)


def missing(step: Step, group: Group) -> Decimal:
    """How much less the account holds than its groups bought, of what `group` holds; below zero = more."""
    account = group.key.account
    ours = held(step.state, account).get(_what(group), ZERO) * (group.side.sign if _on_swap(group) else 1)
    if _on_swap(group):
        there = step.state.positions.get((account, group.key.symbol), ZERO) * group.side.sign
    else:
        there = step.state.balance(account, group.base)
    return ours - max(there, ZERO)


def _on_swap(group: Group) -> bool:
    return group.market_type is MarketType.SWAP


def _what(group: Group) -> str:
    return group.key.symbol if _on_swap(group) else group.base


def _book(step: Step, group: Group, qty: Decimal) -> None:
    """An order that was never sent, and its fill at the cost of what is gone: the books stay sums over fills."""
    number = group.orders_made + 1
    client_id = client_order_id(step.state.instance, f"{group.id}#{number}")
    takes = takes_in_order_of_fills(group, qty)
    price = pnl.cost_of(group, takes) / (qty * group.contract_size)
    order = Order(
        client_id=client_id,
        group_id=group.id,
        account=group.key.account,
        symbol=group.key.symbol,
        role=Role.CLOSE,
        covers=tuple(ref for ref, _ in takes),
        takes=tuple(part for _, part in takes),
        side=group.side.leave,
        type=OrderType.MARKET,
        qty=qty,
        signal_id=signal_of(step.cause_of(group)),
        cause=step.cause_of(group),
        created_at_ms=step.now_ms,
        error="booked by hand: the account no longer had it",
    )
    step.put_group(replace(group, orders_made=number))
    step.put_order(order)
    fill = Fill(
        client_id=client_id,
        trade_id=f"by hand {client_id}",
        at_ms=step.now_ms,
        price=price,
        qty=qty,
        fee=ZERO,
        fee_currency=group.quote,
        liquidity=Liquidity.TAKER,
    )
    # The account's own balance has shown all the while that it is gone: it is not taken off a second time.
    was = {key: step.state.balance(*key) for key in _touched(group)}
    orders_in.filled(step, fill)
    for (account, currency), total in was.items():
        step.report_balance(account, currency, total)


def _touched(group: Group) -> tuple[tuple[str, str], ...]:
    account = group.key.account
    return ((account, group.quote),) if _on_swap(group) else ((account, group.base), (account, group.quote))


def _let_go_on(step: Step, group: Group) -> None:
    if group.is_open and group.short_of_coins:
        step.put_group(replace(group, frozen=None, short_of_coins=False))
        settle(step, group.id)
