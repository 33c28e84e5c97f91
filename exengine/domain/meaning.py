"""What a signal asks for: entry, exit, reduction or reversal, told from its intent and positions (SPEC §2.2)."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from exengine.domain.instrument import Side
from exengine.domain.signal import Action, FieldError, Intent, Position, Signal


class Ask(Enum):
    ENTRY = "entry"
    EXIT = "exit"
    REDUCE = "reduce"
    REVERSE = "reverse"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    ask: Ask
    side: Side | None = None
    """The side that an entry or reversal wants; None for a reversal that depends on the living group."""
    share: Decimal | None = None
    """The share that a reduction takes. By positions it always goes by the share: the strategy's own size is not
    ours (§2.2). An explicit reduction goes by its order_size, which then leaves this None."""


_SIDES = {Position.LONG: Side.LONG, Position.SHORT: Side.SHORT}
_ACTION_SIDE = {Action.BUY: Side.LONG, Action.LONG: Side.LONG, Action.SELL: Side.SHORT, Action.SHORT: Side.SHORT}


def meaning(signal: Signal, living: Side | None) -> Meaning | FieldError:
    """What `signal` asks for, where `living` is the side of the group that its key has now.

    A FieldError where it cannot be told, as an action against the side without sizes: reduce by how much?
    """
    match signal.intent:
        case Intent.EXIT:
            return Meaning(ask=Ask.EXIT)
        case Intent.REDUCE:
            return _reduction(signal)
        case Intent.REVERSE:
            return _reversal(signal, living)
        case _:
            return _by_positions(signal, living)


def action_side(signal: Signal) -> Side:
    """The side that the action itself names."""
    return _ACTION_SIDE[signal.action]


def _reversal(signal: Signal, living: Side | None) -> Meaning:
    side = living.opposite if living else action_side(signal)
    if signal.market_position in _SIDES:
        side = _SIDES[signal.market_position]
    if living is side:
        return Meaning(ask=Ask.ENTRY, side=side)
    return Meaning(ask=Ask.REVERSE, side=side)


def _reduction(signal: Signal) -> Meaning | FieldError:
    if signal.order_size is not None:
        return Meaning(ask=Ask.REDUCE)
    before, after = signal.prev_market_position_size, signal.market_position_size
    if before and after is not None and after < before:
        return Meaning(ask=Ask.REDUCE, share=(before - after) / before)
    return FieldError(
        field="tv.order_size", message="a reduction needs a size, or the position’s size before and after"
    )


def _by_positions(signal: Signal, living: Side | None) -> Meaning | FieldError:
    now, before = signal.market_position, signal.prev_market_position
    if now is None:
        return _by_action(signal, living)
    if now is Position.FLAT:
        return Meaning(ask=Ask.EXIT)
    side = _SIDES[now]
    if before is Position.FLAT or (before is None and action_side(signal) is side):
        return Meaning(ask=Ask.ENTRY, side=side)
    if before is not None and before is not now:
        return _reversal(signal, living)
    size, size_before = signal.market_position_size, signal.prev_market_position_size
    if size is None or size_before is None:
        if action_side(signal) is side:
            return Meaning(ask=Ask.ENTRY, side=side)
        return FieldError(
            field="tv.market_position_size", message="the action is against the position: how much of it?"
        )
    if size == size_before:
        return Meaning(ask=Ask.NOTHING)
    if size > size_before:
        return Meaning(ask=Ask.ENTRY, side=side)
    return Meaning(ask=Ask.REDUCE, share=(size_before - size) / size_before)


def _by_action(signal: Signal, living: Side | None) -> Meaning:
    if signal.action is Action.SELL and living is Side.LONG:
        return Meaning(ask=Ask.EXIT)
    return Meaning(ask=Ask.ENTRY, side=action_side(signal))
