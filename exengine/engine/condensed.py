"""The state with one leg for each group: the domain's own rules run on it at a fraction of the cost.

What the risk engine, the queue and the capital ask of a group are sums over its legs, up to thirty-five of them, and
the window asks for all groups at each new price. The sums change with fills only, and are kept until then.
"""

from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from exengine.domain import pnl
from exengine.domain.group import Group, Leg
from exengine.domain.money import ZERO
from exengine.domain.state import State


class Sums(NamedTuple):
    """A group, the same with its legs in one, and what it holds."""

    group: Group
    condensed: Group
    net_base: Decimal
    cost: Decimal

    def unrealised(self, last: Decimal) -> Decimal:
        """PnL in quote at `last`, as `pnl.unrealised` has it."""
        return self.group.side.sign * (last * self.net_base - self.cost)


class Condensed:
    """Keeps the sums of groups that have not changed. Use it within `money.arithmetic`."""

    def __init__(self) -> None:
        self.sums: dict[str, Sums] = {}

    def of(self, state: State) -> State:
        """A copy of `state` for reading, with condensed groups."""
        known, sums = self.sums, {}
        for group_id, group in state.groups.items():
            there = known.get(group_id)
            sums[group_id] = there if there is not None and there.group is group else summed(group)
        self.sums = sums
        return replace(state, groups={group_id: one.condensed for group_id, one in sums.items()})


def summed(group: Group) -> Sums:
    """A group's sums."""
    net, cost = group.net_qty, pnl.cost(group)
    leg = Leg(
        index=0,
        gap_percent=ZERO,
        weight_percent=ZERO,
        tp_percent=ZERO,
        price=ZERO,
        qty=ZERO,
        entered_qty=net,
        entered_value=cost,
    )
    bare = tuple(replace(pyramid, legs=()) for pyramid in group.pyramids)
    pyramids = (*bare[:-1], replace(bare[-1], legs=(leg,))) if bare else ()
    return Sums(group, replace(group, pyramids=pyramids), net * group.contract_size, cost)
