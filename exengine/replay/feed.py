"""One price file on its way through a replay: where it is, and where the next price is that matters to somebody."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Protocol

from exengine.domain.events import Event, OrderFilled
from exengine.domain.levels import Band
from exengine.domain.order import Order
from exengine.domain.quiet import Quiet
from exengine.domain.risk_levels import Symbol
from exengine.domain.state import Quote, State
from exengine.replay.tape import Tape, first_outside
from exengine.replay.timers import Rings

_EVERY: tuple[int | None, int | None] = (-1, 0)
"""Bounds that no price is between."""


class Book(Protocol):
    """What the replay needs of a paper exchange."""

    account: str

    def place(self, order: Order, now_ms: int) -> list[Event]: ...

    def cancel(self, client_id: str) -> list[Event]: ...

    def tick(self, symbol: str, price: Decimal, now_ms: int) -> Iterator[OrderFilled]: ...

    def band(self, symbol: str) -> tuple[Decimal | None, Decimal | None] | None: ...

    def pass_by(self, symbol: str, price: Decimal) -> None: ...


class Feed:
    """A tape, whom it feeds, and how far it has been played."""

    def __init__(self, tape: Tape, listed: list[tuple[Book, str]]) -> None:
        """`listed`: each book that lists a market of the tape's exchange id, and its symbol."""
        self.tape = tape
        self.listed = listed
        self.symbols: tuple[Symbol, ...] = tuple((book.account, symbol) for book, symbol in listed)
        self.place = 0
        """How many of its prices are past."""
        self._band: Band | None = Band()
        self._bounds: tuple[int | None, int | None] = (None, None)
        self._searched = 0
        self._limit_ms: int | None = None
        self._limit = 0
        self._risk_bounds: tuple[int | None, int | None] = (None, None)
        self._risk_searched = 0

    # what is watched -------------------------------------------------------------------------------------------------

    def watch(self, band: Band | None) -> None:
        """From here on the prices outside of `band` matter; None = all of them."""
        if band is self._band:
            return
        self._band = band
        bounds = _EVERY if band is None else self.tape.bounds(band)
        if bounds != self._bounds:
            self._bounds = bounds
            self._searched = self.place

    def next_watched(self, limit_ms: int) -> int | None:
        """The place of the next price at `limit_ms` or before that matters."""
        start = max(self._searched, self.place)
        if limit_ms != self._limit_ms:
            self._limit_ms, self._limit = limit_ms, self.tape.place_after(limit_ms)
        stop = self._limit
        found = first_outside(self.tape.prices, self._bounds, start, stop)
        self._searched = max(start, stop) if found is None else found
        return found

    def pass_to(self, place: int, state: State) -> None:
        """Leaves out the prices before `place`; the last of them is the symbol's price from then on."""
        if place > self.place:
            self.place = place
            price, at_ms = self.tape.price(place - 1), self.tape.time(place - 1)
            for book, symbol in self.listed:
                state.quotes[book.account, symbol] = Quote(price=price, at_ms=at_ms)
                book.pass_by(symbol, price)

    # what the risk engine's timer sees -------------------------------------------------------------------------------

    def see_by(self, rings: Rings) -> None:
        """The risk engine will look at each of `rings`."""
        self._seen, self._rings = self.tape.seen_by(rings.at_ms(0), rings.period_ms)
        self._seen_prices = self.tape.prices[self._seen]

    def keep_quiet(self, quiet: Quiet) -> None:
        """From here on only prices outside of the risk engine's own band matter to it."""
        band = Band()
        for symbol in self.symbols:
            narrower = quiet.bands.get(symbol, Band())
            band = band.within(narrower.low, narrower.high)
        self._risk_bounds = self.tape.bounds(band)
        self._risk_searched = int(self._seen.searchsorted(self.place))

    def next_ring(self, before: int) -> int | None:
        """The first ring of a number below `before` at which the price lies outside of the risk engine's band."""
        start, stop = self._risk_searched, int(self._rings.searchsorted(before))
        found = first_outside(self._seen_prices, self._risk_bounds, start, stop)
        self._risk_searched = max(start, stop) if found is None else found
        return None if found is None else int(self._rings[found])
