"""How much a pyramid may spend, and what an account has free for it (SPEC §3.1, §7)."""

from decimal import Decimal
from typing import assert_never

from exengine.domain import pnl
from exengine.domain.group import Group
from exengine.domain.instrument import Instrument, MarketType
from exengine.domain.money import HUNDRED, ONE, ZERO
from exengine.domain.order import Role
from exengine.domain.settings import AccountSettings, PyramidPlan, SizingMode
from exengine.domain.signal import Signal, SizeUnit
from exengine.domain.state import State


def free_quote(state: State, account: AccountSettings, quote: str) -> Decimal:
    """What working entries and, on swap, held positions leave free of an account's quote currency."""
    free = state.balance(account.name, quote) - state.reserved.get((account.name, quote), ZERO)
    if account.market_type is MarketType.SWAP:
        free -= sum((pnl.cost(group) for group in _groups(state, account.name, quote)), ZERO) / account.leverage
    return free


def equity_quote(state: State, account: AccountSettings, quote: str) -> Decimal:
    """An account's quote balance and what its groups hold, at the last prices (at cost before a first price)."""
    total = state.balance(account.name, quote)
    for group in _groups(state, account.name, quote):
        last = state.last(account.name, group.key.symbol)
        gain = pnl.unrealised(group, last) if last is not None else ZERO
        total += gain if group.market_type is MarketType.SWAP else gain + pnl.cost(group)
    return total


def exposure_quote(state: State) -> Decimal:
    """Quote value of filled and open entries over all accounts."""
    held = sum((pnl.cost(group) for group in state.groups.values()), ZERO)
    return held + open_entries_quote(state)


def open_entries_quote(state: State) -> Decimal:
    """Quote value of entries that rest unfilled."""
    total = ZERO
    for order in state.orders.values():
        price = order.price if order.price is not None else order.bound
        if order.role is Role.ENTRY and order.is_working and price is not None:
            total += order.leaves_qty * price * state.groups[order.group_id].contract_size
    return total


def pyramid_capital(
    state: State, account: AccountSettings, instrument: Instrument, plan: PyramidPlan, index: int, signal: Signal | None
) -> Decimal | None:
    """The capital of pyramid `index` in quote. None where `sizing.mode` is `signal` and no signal brings a size."""
    amount = plan.sizing.amount
    multiplier = plan.grid.multiplier(index)
    match plan.sizing.mode:
        case SizingMode.FIXED:
            return amount * multiplier
        case SizingMode.PERCENT_EQUITY:
            return equity_quote(state, account, instrument.quote) * amount / HUNDRED * multiplier
        case SizingMode.PERCENT_FREE:
            return free_quote(state, account, instrument.quote) * amount / HUNDRED * multiplier
        case SizingMode.SIGNAL:
            if signal is None or signal.order_size is None:
                return None
            return _signal_quote(signal, signal.order_size, instrument) * multiplier
        case _:
            assert_never(plan.sizing.mode)


DOLLARS = frozenset({"USDT", "USDC", "FDUSD", "DAI", "USD"})
"""Quotes that count 1:1 as US dollars (SPEC §1)."""


def usd_value(state: State, group: Group) -> Decimal:
    """What one unit of a group's quote is worth in USD, by its account's own tickers; 0 where that is not known."""
    return usd_of(state, group.key.account, group.quote)


def usd_of(state: State, account: str, quote: str) -> Decimal:
    """What one unit of `quote` is worth in USD, by the account's tickers of either direction; 0 where none is known."""
    if quote in DOLLARS:
        return ONE
    for dollar in sorted(DOLLARS):
        for symbol in (f"{quote}/{dollar}", f"{quote}/{dollar}:{dollar}"):
            last = state.last(account, symbol)
            if last is not None:
                return last
        last = state.last(account, f"{dollar}/{quote}")
        if last is not None:
            return ONE / last
    return ZERO


def taker_fee(state: State, group: Group) -> Decimal:
    """The share that the group's account pays as taker: the trader's own setting, else the market's."""
    account = state.settings.account(group.key.account)
    if account is not None and account.taker_fee_percent is not None:
        return account.taker_fee_percent / HUNDRED
    return state.instrument(group).taker_fee


def _signal_quote(signal: Signal, size: Decimal, instrument: Instrument) -> Decimal:
    match signal.size_unit:
        case SizeUnit.QUOTE:
            return size
        case SizeUnit.BASE:
            return size * signal.price
        case SizeUnit.CONTRACTS:
            return size * signal.price * instrument.contract_size


def _groups(state: State, account: str, quote: str) -> list[Group]:
    return [group for group in state.groups.values() if group.key.account == account and group.quote == quote]
