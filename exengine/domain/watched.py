"""Keeps between which prices nothing happens to a symbol: worked out anew for the groups that have changed.

The replay passes by the prices in between, and the live engine takes them over as quotes and nothing more (§4, §11).
"""

from collections.abc import Callable, Iterable

from exengine.domain.levels import Band, watched_band
from exengine.domain.money import arithmetic
from exengine.domain.risk_levels import Symbol
from exengine.domain.state import State
from exengine.domain.step import Step


class Watched:
    """What is watched of each symbol's groups, as a band of prices."""

    def __init__(self, state: State, resting: Callable[[Symbol], Band | None] = lambda symbol: Band()) -> None:
        """`resting` tells between which prices nothing fills, where that depends on the orders of steps alone.

        It gives None where any price fills something.
        """
        self._state = state
        self._resting = resting
        self._groups: dict[str, Band | None] = {}
        self._symbols: dict[Symbol, Band | None] = {}

    def changed(self, step: Step) -> None:
        """Forgets what a step, or taking it back, may have changed."""
        if step.instruments:
            self._groups.clear()
            self._symbols.clear()
        for group in step.groups.values():
            self._groups.pop(group.id, None)
            self._symbols.pop((group.key.account, group.key.symbol), None)
        for order in step.orders.values():
            self._groups.pop(order.group_id, None)
            self._symbols.pop((order.account, order.symbol), None)

    def over(self, symbols: Iterable[Symbol]) -> Band | None:
        """The band in which nothing happens to any of these; None where each price has to be looked at."""
        found: Band | None = None
        for symbol in symbols:
            band = self.band(symbol)
            if band is None:
                return None
            found = band if found is None else found.within(band.low, band.high)
        return Band() if found is None else found

    def band(self, symbol: Symbol) -> Band | None:
        """The band of one symbol; None where each price has to be looked at."""
        try:
            return self._symbols[symbol]
        except KeyError:
            with arithmetic():
                found = self._symbols[symbol] = self._of_symbol(symbol)
            return found

    def _of_symbol(self, symbol: Symbol) -> Band | None:
        found = self._resting(symbol)
        if found is None:
            return None
        for group_id in self._state.by_symbol.get(symbol, ()):
            if group_id not in self._groups:
                self._groups[group_id] = watched_band(self._state, self._state.groups[group_id])
            band = self._groups[group_id]
            if band is None:
                return None
            found = found.within(band.low, band.high)
        return found
