"""The total equity at each close: it cannot be known later, for past prices are not stored."""

from collections.abc import Iterable

from exengine.domain.capital import usd_value
from exengine.domain.money import ZERO, arithmetic
from exengine.domain.results import EquityMark
from exengine.domain.state import State
from exengine.domain.step import Step
from exengine.engine.condensed import Condensed


class EquityMarks:
    """Values what is open after every transaction that closes something; sums of unchanged groups are kept."""

    def __init__(self) -> None:
        self._condensed = Condensed()

    def after(self, state: State, steps: Iterable[Step]) -> EquityMark | None:
        """The mark of a transaction, as things stand after the last of its steps; None where nothing has closed.

        Groups without a price yet, and the dust of closed ones, count as what they cost.
        """
        times = [step.now_ms for step in steps if any(applied.realised for applied in step.fills)]
        if not times:
            return None
        with arithmetic():
            self._condensed.of(state)
            unrealised = ZERO
            for sums in self._condensed.sums.values():
                last = state.last(sums.group.key.account, sums.group.key.symbol)
                if sums.net_base and last is not None:
                    unrealised += sums.unrealised(last) * usd_value(state, sums.group)
        return EquityMark(at_ms=times[-1], realised=state.ledger.realised_total, unrealised=unrealised)
