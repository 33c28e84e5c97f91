"""When nothing is under way any more, memory, store and exchange must say the same."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from exengine.domain import pnl
from exengine.domain.group import Group, GroupStatus
from exengine.domain.money import ZERO
from exengine.domain.order import Order, OrderStatus, Role
from exengine.domain.reception import Outcome, VerdictKind
from exengine.domain.state import State
from exengine.domain.take_profit import wanted
from exengine.engine.changes import restored
from tests.helpers.floats import has_float
from tests.simulation.checks import BY_HAND, LAST_DIGITS
from tests.simulation.line import Line

if TYPE_CHECKING:
    from tests.simulation.life import Life

_NO_EFFECT = (Outcome.DUPLICATE, Outcome.INVALID, Outcome.REFUSED, None)


def disagreements(life: "Life", *, closed: bool) -> list[str]:
    """What is under way, or differs; time alone must bring it to nothing."""
    process = life.process
    if not process.is_alive or not process.is_trading:
        return ["the program does not run"]
    state = process.state
    found = ["an alert is being sent"] if life.senders else []
    found += [f"{line.account}: something is on its way" for line in life.lines.values() if line.in_flight]
    found += [f"{account} is unreachable: {why}" for account, why in state.unreachable.items()]
    found += [f"signal {one} has no outcome" for one in state.pending]
    found += [
        f"order {one.client_id} has traffic"
        for one in state.orders.values()
        if process.engine.has_traffic(one.client_id)
    ]
    found += life.checks.unbooked()
    for line in life.lines.values():
        found += _orders(state, line)
        found += _balances(state, line)
    found += _groups(state, {line.account for line in life.lines.values() if line.rules_changed})
    found += _memory(life, state)
    if state.settings != life.settings:
        found.append("the engine trades by other settings than the file has")
    found += _queue(state)
    if closed and (state.groups or state.waiting):
        found += [f"{group.id} is {group.status.value} ({group.frozen})" for group in state.groups.values()]
        found += [f"{waiting.key} waits" for waiting in state.waiting.values()]
        if state.waiting or any(group.frozen for group in state.groups.values()):
            from tests.simulation.acts import close_all

            close_all(life, {})
    return found


def _orders(state: State, line: Line) -> list[str]:
    """Each working order is open on the exchange with the same fills, and the other way round."""
    found = []
    there = {one.client_id: one for one in line.venue.open_orders() if (one.client_id or "").startswith("x")}
    for order in state.orders.values():
        if order.account != line.account:
            continue
        name = f"{order.slot} of {order.group_id}"
        if order.is_working:
            open_there = there.get(order.client_id)
            if open_there is None:
                found.append(f"{name} is {order.status.value} and not on the exchange")
            elif open_there.filled != order.filled_qty:
                found.append(f"{name} has filled {order.filled_qty}, on the exchange {open_there.filled}")
            elif order.status not in (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED) or order.cancel_requested:
                found.append(f"{name} rests and is {order.status.value}, cancelled: {order.cancel_requested}")
    for client_id in there:
        ours = state.orders.get(client_id or "")
        if ours is None or not ours.is_working:
            found.append(f"{client_id} is open on the exchange, in the books it is not")
    return found


def _balances(state: State, line: Line) -> list[str]:
    coins = {"USDT"} | ({market.base for market in line.venue.markets.values()} if line.is_spot else set())
    amounts = [(coin, state.balance(line.account, coin), line.venue.total.get(coin, ZERO)) for coin in sorted(coins)]
    return [
        f"{line.account}: {ours} {coin}, on the exchange {theirs}"
        for coin, ours, theirs in amounts
        if abs(ours - theirs) > LAST_DIGITS
    ]


def _groups(state: State, changed_rules: set[str]) -> list[str]:
    found = []
    for group in state.groups.values():
        if group.frozen:
            continue
        if group.status is GroupStatus.CLOSING or group.partial or group.awaits_rules:
            found.append(f"{group.id} is still {group.status.value}, a part of it: {group.partial}")
        elif group.key.account not in changed_rules:
            found += _targets(state, group)
    if state.plan is not None:
        found.append(f"an offset is under way: {state.plan}")
    return found


def _targets(state: State, group: Group) -> list[str]:
    """What should rest for what is held does, unless it was refused or taken away before."""
    targets = [one for one in state.orders_for(group.id) if one.role is Role.TP and one.price is not None]
    if any(_is_gone(order) for order in targets):
        return []
    resting = {(one.pyramid, one.leg, one.price, one.leaves_qty) for one in targets if one.is_working}
    return [
        f"{group.id}: no target of {target.qty} at {target.price} rests"
        for target in wanted(state, group)
        if (target.pyramid, target.leg, target.price, target.qty) not in resting
    ]


def _is_gone(order: Order) -> bool:
    return order.status is OrderStatus.REJECTED or (order.status.is_final and not order.cancel_requested)


def _queue(state: State) -> list[str]:
    """Nobody waits for a slot while there is one."""
    if state.control.paused or len(state.groups) >= state.settings.pool.max_open_groups:
        return []
    return [f"{one.key} waits: {one.reason}" for one in state.waiting.values() if one.reason == "pool_full"]


def _memory(life: "Life", state: State) -> list[str]:
    """A restart would find what is there."""
    found = State(instance=state.instance, settings=state.settings)
    restored(found, life.disk.load())
    names = ("control", "ledger", "groups", "live", "numbers", "orders", "waiting", "moved", "plan")
    different = [name for name in names if getattr(found, name) != getattr(state, name)]
    if found.by_symbol != {key: groups for key, groups in state.by_symbol.items() if groups}:
        different.append("by_symbol")
    reserved = {key: amount for key, amount in state.reserved.items() if amount}
    if reserved != {key: amount for key, amount in found.reserved.items() if amount}:
        different.append("reserved")
    if set(found.seen) - set(state.seen):
        different.append("seen")
    return [f"memory and store differ: {name}" for name in different]


def final_faults(life: "Life", *, closed: bool) -> Iterator[str]:
    """What no time can put right."""
    yield from _signals(life)
    for line in life.lines.values():
        for order in line.venue.orders.values():
            if not order.client_id and order.status == "canceled":
                yield f"an order that is not ours was cancelled: {order}"
        if line.is_spot:
            yield from _spot(life, line)
        elif closed:
            yield from _swap(life, line)
    for what in (*life.disk.groups.values(), *life.disk.orders.values(), *life.disk.fills):
        if has_float(what):
            yield f"a float is in {what}"


def _signals(life: "Life") -> Iterator[str]:
    records = life.disk.signals
    accepted: Counter[str] = Counter()
    for told in life.told:
        record = records.get(told.signal_id)
        if record is None or record.outcome is None:
            yield f"signal {told.signal_id} was answered and {'lost' if record is None else 'has no outcome'}"
        elif record.signal is not None and record.signal.timestamp_ms is not None:
            accepted[told.digest] += told.kind is VerdictKind.ACCEPTED
    yield from (f"{digest} was accepted {count} times" for digest, count in accepted.items() if count > 1)
    yield from _effects(life)
    events = Counter(event.event for event in life.disk.queue_events)
    left = events["queued"] - sum(events[end] for end in ("promoted", "removed", "refused", "expired"))
    unnamed = any(event.reason == "missing_rules" for event in life.disk.queue_events)
    if left != len(life.disk.waiting) and not unnamed:
        yield f"{left} should wait and {len(life.disk.waiting)} do"


def _effects(life: "Life") -> Iterator[str]:
    """A text that bears its time acts once; one without a time again where it comes after its window (§2.3)."""
    window_ms = life.settings.signals.duplicate_window_seconds * 1000
    acted: dict[str, int] = {}
    for record in sorted(life.disk.signals.values(), key=lambda one: one.id):
        signal = record.signal
        if signal is None or record.outcome in _NO_EFFECT:
            continue
        if signal.digest in acted:
            after_ms = record.received_at_ms - acted[signal.digest]
            if signal.timestamp_ms is not None or 0 <= after_ms < window_ms:
                yield f"{signal.digest} had another effect {after_ms} ms after the first"
        acted[signal.digest] = record.received_at_ms


def _spot(life: "Life", line: Line) -> Iterator[str]:
    """Balance = start + fills − fees, to the last digit; the groups hold no more than there is."""
    adopted = any(fill.fill.trade_id.startswith(BY_HAND) for fill in life.disk.fills)
    moved: dict[str, Decimal] = defaultdict(Decimal)
    for trade in line.venue.trades:
        if trade.order.client_id:
            continue
        market, sign = line.venue.markets[trade.order.market], 1 if trade.order.side == "buy" else -1
        moved[market.base] += sign * trade.qty
        moved[market.quote] -= sign * trade.qty * trade.price
        moved[trade.fee_currency] -= trade.fee
    held: dict[str, Decimal] = defaultdict(Decimal)
    for group in life.disk.groups.values():
        if group.is_open and group.key.account == line.account:
            held[group.base] += group.net_qty
    for coin, total in line.venue.total.items():
        expected = line.began_with.get(coin, ZERO) + line.deposited.get(coin, ZERO) + moved[coin]
        expected += life.disk.moved.get((line.account, coin), ZERO)
        if expected != total and not adopted:
            yield f"{line.account} has {total} {coin}, by the books {expected}"
        if held[coin] > total and coin not in line.sold_by_hand:
            yield f"{line.account} has {total} {coin}, its groups {held[coin]}"


def _swap(life: "Life", line: Line) -> Iterator[str]:
    """With everything closed, the position is the groups' dust; without dust, the wallet is what they have brought."""
    if line.sold_by_hand or any(not trade.order.client_id for trade in line.venue.trades):
        return
    expected = line.began_with["USDT"] + line.deposited.get("USDT", ZERO)
    held: dict[str, Decimal] = defaultdict(Decimal)
    for group in life.disk.groups.values():
        if group.key.account == line.account:
            expected += pnl.realised(group)
            held[group.key.symbol] += group.net_qty * group.side.sign
    dusty = any(group.net_qty for group in life.disk.groups.values() if group.key.account == line.account)
    if not dusty and abs(expected - line.venue.total["USDT"]) > LAST_DIGITS:
        yield f"{line.account} has {line.venue.total['USDT']} USDT, by the groups {expected}"
    for market_id, position in line.venue.positions.items():
        dust = held[line.symbols[market_id]]
        if position.contracts != dust:
            yield f"{position.contracts} contracts of {market_id} are left, by the groups {dust}"
