"""Between which prices nothing happens to a symbol's groups, so that a replay need not look at each of them (§11)."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from exengine.domain.group import Group, GroupStatus
from exengine.domain.money import HUNDRED
from exengine.domain.order import Role
from exengine.domain.settings import BeyondLastLeg, TargetOrder
from exengine.domain.state import State
from exengine.domain.take_profit import aggregate_target, targets
from exengine.domain.watch import stop_price, watches_whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Prices strictly between the two change nothing; None = no end on that side."""

    low: Decimal | None = None
    high: Decimal | None = None

    def holds(self, price: Decimal) -> bool:
        return (self.low is None or price > self.low) and (self.high is None or price < self.high)

    def within(self, low: Decimal | None, high: Decimal | None) -> "Band":
        """The narrower of this and another."""
        if low is None or (self.low is not None and self.low >= low):
            low = self.low
        if high is None or (self.high is not None and self.high <= high):
            high = self.high
        return self if low is self.low and high is self.high else Band(low=low, high=high)


def watched_band(state: State, group: Group) -> Band | None:
    """The band of everything that is watched of a group; None where each price has to be looked at."""
    if group.frozen:
        return Band()
    if group.status is GroupStatus.CLOSING or group.partial:
        return None
    losing, gaining = [*_losing(state, group)], [*_gaining(state, group)]
    below, above = (losing, gaining) if group.side.sign > 0 else (gaining, losing)
    return Band(low=max(below, default=None), high=min(above, default=None))


def _losing(state: State, group: Group) -> Iterator[Decimal]:
    """Prices against us: the stop, the ladder left behind, and the way back from a trailing group's best."""
    stop = stop_price(group)
    if stop is not None:
        yield stop
    sign = group.side.sign
    for pyramid in group.pyramids:
        grid = group.plans[pyramid.index].grid
        if grid.beyond_last_leg is BeyondLastLeg.CANCEL and _has_entries(state, group, pyramid.index):
            yield pyramid.last_price(sign) * (1 - sign * grid.beyond_last_leg_percent / HUNDRED)
    trailing = group.plans[0].take_profit.trailing_percent
    if trailing is not None and group.best_price is not None:
        yield group.best_price * (1 - sign * trailing / HUNDRED)


def _gaining(state: State, group: Group) -> Iterator[Decimal]:
    """Prices in our favour: watched targets, where an unfilled ladder is abandoned, and a trailing group's best."""
    sign = group.side.sign
    for pyramid in group.pyramids:
        grid = group.plans[pyramid.index].grid
        if grid.abandon_percent is not None and _has_entries(state, group, pyramid.index):
            yield pyramid.base_price * (1 + sign * grid.abandon_percent / HUNDRED)
    if not group.has_filled:
        return
    settings = group.plans[0].take_profit
    if settings.trailing_percent is not None and group.best_price is not None:
        yield group.best_price
        return
    if settings.trailing_percent is not None or watches_whole(group):
        whole = aggregate_target(group, state.instrument(group))
        if whole is not None:
            yield whole
    if settings.trailing_percent is None and settings.order is TargetOrder.MARKET:
        for target in targets(state, group):
            yield target.price


def _has_entries(state: State, group: Group, pyramid: int) -> bool:
    """Whether an entry of a pyramid still works."""
    return any(one.role is Role.ENTRY and (one.pyramid or 0) == pyramid for one in state.working(group.id))
