"""The state with one leg for each group: the domain's own rules run on it at a fraction of the cost.

What the risk engine, the queue and the capital ask of a group are sums over its legs, up to thirty-five of them, and
the window asks for all groups at each new price. The sums change with fills only, and are kept until then.
"""

from dataclasses import fields, replace
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
    signed_base: Decimal
    """`net_base` and `cost` as they count in a profit: below zero of a short group."""
    signed_cost: Decimal

    def unrealised(self, last: Decimal) -> Decimal:
        """PnL in quote at `last`, as `pnl.unrealised` has it."""
        return last * self.signed_base - self.signed_cost


class Condensed:
    """Keeps the sums of groups that have not changed. Use it within `money.arithmetic`."""

    def __init__(self) -> None:
        self.sums: dict[str, Sums] = {}
        """By group; another dict wherever one of them is another one."""
        self._seen: dict[tuple[str, str], tuple[str, ...]] = {}
        """The state's groups by symbol: a symbol has another tuple once one of its groups has changed."""
        self._small: State | None = None

    def of(self, state: State) -> State:
        """A copy of `state` for reading, with condensed groups; the next call brings the same one up to date."""
        if self._small is None:
            self._small = replace(state, groups={})
        small, seen = self._small, self._seen
        is_changed = any(seen.get(symbol) is not ids for symbol, ids in state.by_symbol.items())
        if is_changed or len(self.sums) != len(state.groups):
            known, groups = self.sums, state.groups
            new = {
                group_id: summed(group)
                for group_id, group in groups.items()
                if (one := known.get(group_id)) is None or one[0] is not group
            }
            self.sums = {group_id: new.get(group_id) or known[group_id] for group_id in groups}
            self._seen = dict(state.by_symbol)
            small.groups = {group_id: one.condensed for group_id, one in self.sums.items()}
        for name in _FIELDS:
            setattr(small, name, getattr(state, name))
        return small


_FIELDS = tuple(one.name for one in fields(State) if one.name != "groups")


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
    base, sign = net * group.contract_size, group.side.sign
    return Sums(group, replace(group, pyramids=pyramids), base, cost, sign * base, sign * cost)
