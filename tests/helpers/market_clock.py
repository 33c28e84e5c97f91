"""A clock for price sources that moves only when somebody sleeps, or when a test says so."""

import asyncio

START_MS = 1_767_225_600_000


class MarketClock:
    """Sleeping takes no time, and moves the clock by exactly as much."""

    def __init__(self) -> None:
        self._passed_s = 0.0
        self.slept: list[float] = []

    def now_ms(self) -> int:
        return START_MS + round(self._passed_s * 1000)

    def monotonic_s(self) -> float:
        return self._passed_s

    def pass_s(self, seconds: float) -> None:
        self._passed_s += seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._passed_s += seconds
        await asyncio.sleep(0)
