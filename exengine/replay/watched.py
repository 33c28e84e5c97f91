"""Keeps between which prices nothing happens to a symbol: worked out anew for the groups that have changed."""

from collections.abc import Iterable

from exengine.domain.levels import Band, watched_band
from exengine.domain.money import arithmetic
from exengine.domain.quiet import Symbol
from exengine.domain.state import State
from exengine.domain.step import Step
from exengine.replay.feed import Book


class Watched:
    """What rests on the exchange and what is watched instead, as bands of prices."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._groups: dict[str, Band | None] = {}
        self._symbols: dict[Symbol, Band | None] = {}

    def changed(self, step: Step) -> None:
        """Forgets what a step may have changed."""
        if step.instruments:
            self._groups.clear()
            self._symbols.clear()
        for group in step.groups.values():
            self._groups.pop(group.id, None)
            self._symbols.pop((group.key.account, group.key.symbol), None)
        for order in step.orders.values():
            self._groups.pop(order.group_id, None)
            self._symbols.pop((order.account, order.symbol), None)

    def band(self, listed: Iterable[tuple[Book, str]]) -> Band | None:
        """The band in which nothing happens to any of these; None where each price has to be looked at."""
        found: Band | None = Band()
        for book, symbol in listed:
            key = (book.account, symbol)
            if key not in self._symbols:
                with arithmetic():
                    self._symbols[key] = self._of_symbol(book, symbol)
            band = self._symbols[key]
            if band is None or found is None:
                return None
            found = found.within(band.low, band.high)
        return found

    def _of_symbol(self, book: Book, symbol: str) -> Band | None:
        resting = book.band(symbol)
        if resting is None:
            return None
        found = Band(low=resting[0], high=resting[1])
        for group_id in self._state.by_symbol.get((book.account, symbol), ()):
            if group_id not in self._groups:
                self._groups[group_id] = watched_band(self._state, self._state.groups[group_id])
            band = self._groups[group_id]
            if band is None:
                return None
            found = found.within(band.low, band.high)
        return found
