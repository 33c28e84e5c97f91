"""Takes a price over at once where nothing comes of it: it is put down as the quote, and the window is told."""

from collections.abc import Callable, Iterable
from decimal import Decimal

from exengine.domain.risk_levels import Symbol
from exengine.domain.state import Quote, State
from exengine.domain.step import Step
from exengine.domain.watched import Watched
from exengine.engine.defects import Defects
from exengine.engine.ports import Clock
from exengine.engine.views import Views


class Prices:
    """What the live engine knows of the prices between which nothing happens.

    None passes by while something waits to be decided or is being stored: it would overtake what came before it, or
    be taken back with a step that could not be stored.
    """

    def __init__(
        self, state: State, clock: Clock, views: Views, defects: Defects, nothing_waits: Callable[[], bool]
    ) -> None:
        self._state = state
        self._clock = clock
        self._views = views
        self._defects = defects
        self._nothing_waits = nothing_waits
        self._watched = Watched(state)

    def changed(self, steps: Iterable[Step]) -> None:
        """Told of every step, whether it is kept or taken back."""
        for step in steps:
            if step.must_be_stored:
                self._watched.changed(step)

    def pass_by(self, account: str, symbol: str, price: Decimal) -> bool:
        """Puts a price down that `PriceMoved` and `WatchDue` would do no more with; False where they may (§4, §8)."""
        try:
            if not self._nothing_waits() or not self._changes_nothing((account, symbol), price):
                return False
            self._state.quotes[account, symbol] = Quote(price=price, at_ms=self._clock.now_ms())
            self._views.price_passed((account, symbol))
        except Exception as error:  # noqa: BLE001  # once it is delivered, what is wrong concerns its groups alone
            self._defects.is_new("a price that passes by", error)
            return False
        return True

    def _changes_nothing(self, key: Symbol, price: Decimal) -> bool:
        state = self._state
        if key not in state.quotes or state.in_tick or state.risk_wanted or state.plan is not None:
            return False
        band = self._watched.band(key)
        return band is not None and band.holds(price)
