"""Keeps a single absurd price from a feed away from the engine."""

from decimal import Decimal

FACTOR = 10
"""A price so many times off the last one is held until a second one says the same."""
AGREES_WITHIN = 2


class Plausible:
    """Remembers each symbol's last believed price, and a doubtful one that waits for a second."""

    def __init__(self) -> None:
        self._last: dict[str, Decimal] = {}
        self._held: dict[str, Decimal] = {}

    def believes(self, symbol: str, price: Decimal) -> bool:
        """Whether `price` may be handed on. A symbol's first price has nothing to be compared with."""
        last, held = self._last.get(symbol), self._held.pop(symbol, None)
        confirmed = held is not None and _within(price, held, AGREES_WITHIN)
        if last is None or _within(price, last, FACTOR) or confirmed:
            self._last[symbol] = price
            return True
        self._held[symbol] = price
        return False


def _within(price: Decimal, other: Decimal, factor: int) -> bool:
    return other < price * factor and price < other * factor
