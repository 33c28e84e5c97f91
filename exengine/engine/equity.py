"""The total equity at each close: it cannot be known later, for past prices are not stored."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from exengine.domain import pnl
from exengine.domain.capital import usd_value
from exengine.domain.group import Group
from exengine.domain.money import ZERO, arithmetic
from exengine.domain.results import EquityMark
from exengine.domain.state import State
from exengine.domain.step import Step


class _Held(NamedTuple):
    """What the groups of a symbol hold, shorts below zero."""

    ids: tuple[str, ...]
    """As the state had them: it has another tuple where one of the groups is another one."""
    net_base: Decimal
    cost: Decimal
    one: Group | None
    """Any that holds something: all have the same quote."""


class EquityMarks:
    """Values what is open after every transaction that closes something; sums of unchanged symbols are kept."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], _Held] = {}

    def after(self, state: State, steps: Iterable[Step]) -> EquityMark | None:
        """The mark of a transaction, as things stand after the last of its steps; None where nothing has closed.

        Groups without a price yet, and the dust of closed ones, count as what they cost.
        """
        times = [step.now_ms for step in steps if any(applied.realised for applied in step.fills)]
        if not times:
            return None
        unrealised = ZERO
        with arithmetic():
            for symbol, ids in state.by_symbol.items():
                held = self._held.get(symbol)
                if held is None or held.ids is not ids:
                    held = self._held[symbol] = _held(state, ids)
                last = state.last(*symbol)
                if held.one is not None and last is not None:
                    unrealised += (last * held.net_base - held.cost) * usd_value(state, held.one)
        return EquityMark(at_ms=times[-1], realised=state.ledger.realised_total, unrealised=unrealised)


def _held(state: State, ids: tuple[str, ...]) -> _Held:
    net_base = cost = ZERO
    one: Group | None = None
    for group in (state.groups[group_id] for group_id in ids):
        net_qty, spent = pnl.holding(group)
        if net_qty:
            one = group
            net_base += group.side.sign * net_qty * group.contract_size
            cost += group.side.sign * spent
    return _Held(ids, net_base, cost, one)
