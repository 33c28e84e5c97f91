"""Making, withdrawing and re-making orders: the only place where an order begins (SPEC §10: stored before sent)."""

from collections.abc import Mapping
from decimal import Decimal

from exengine.domain.cause import of_signal, signal_of
from exengine.domain.changed import changed
from exengine.domain.commands import CancelOrder, PlaceOrder
from exengine.domain.group import Group, Leg
from exengine.domain.instrument import OrderSide
from exengine.domain.order import LegRef, Order, OrderType, Role, client_order_id
from exengine.domain.step import Step

_AS_THEY_ARE: Mapping[LegRef, Leg] = {}


def place(
    step: Step,
    group_id: str,
    *,
    role: Role,
    qty: Decimal,
    price: Decimal | None = None,
    bound: Decimal | None = None,
    ref: LegRef | None = None,
    pyramid: int | None = None,
    covers: tuple[LegRef, ...] = (),
    takes: tuple[Decimal, ...] = (),
    post_only: bool = False,
    legs: Mapping[LegRef, Leg] = _AS_THEY_ARE,
    signal_id: int | None = None,
    cause: str = "",
) -> Order:
    """Makes an order of a group and asks for it to be sent. A limit order where `price` is given, else a market one.

    It goes back to `signal_id` or `cause` where one is given, else to what its step does. `legs` are those of the group
    that it makes others of.
    """
    group = step.group(group_id)
    cause = of_signal(signal_id) if signal_id is not None else cause or step.cause_of(group)
    number = group.orders_made + 1
    key = f"{group.id}#{number}"
    side = group.side.entry if role is Role.ENTRY else group.side.leave
    order = Order(
        client_id=client_order_id(step.state.instance, key),
        group_id=group.id,
        account=group.key.account,
        symbol=group.key.symbol,
        role=role,
        pyramid=ref[0] if ref else pyramid,
        leg=ref[1] if ref else None,
        covers=covers,
        takes=takes,
        side=side,
        type=OrderType.LIMIT if price is not None else OrderType.MARKET,
        price=price,
        bound=bound,
        qty=qty,
        post_only=post_only,
        signal_id=signal_of(cause),
        cause=cause,
        created_at_ms=step.now_ms,
    )
    step.put_group(group.with_legs(legs, orders_made=number))
    step.put_order(order)
    step.command(PlaceOrder(order=order))
    return order


def withdraw(step: Step, order: Order) -> None:
    """Asks for an order to be cancelled, once. It stays working until the exchange says what became of it."""
    if order.is_working and not order.cancel_requested:
        asked = changed(order, cancel_requested=True)
        step.put_order(asked)
        step.command(CancelOrder(order=asked))


def bound_price(
    group: Group, side: OrderSide, reference: Decimal, slippage_percent: Decimal, step: Step, qty: Decimal
) -> Decimal:
    """The worst price of a market order: reference × (1 ± bound), on the tick, never nearer than asked (§4.3).

    But for a sale of so little that it would be worth less than the exchange's minimum there, though it is worth more
    at the reference: such an order would be refused, and is bounded where it is worth just enough.
    """
    instrument = step.state.instrument(group)
    bound = instrument.slipped(reference, side, slippage_percent)
    if side is OrderSide.SELL and instrument.notional(bound, qty) < instrument.min_notional:
        least = instrument.price_up(instrument.min_notional / (qty * instrument.contract_size))
        return least if least <= reference else bound
    return bound
