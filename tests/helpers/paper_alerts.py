"""A recorded market that swings, and somebody who posts alerts to a program process on it without a pause."""

import random
import threading
from pathlib import Path
from typing import Any

from tests.helpers.program import Headless, entry


def a_market_that_swings(folder: Path, *, ticks: int = 40_000) -> dict[str, Any]:
    """BTC around 50,000, up and down by more than a ladder's depth within a second or two of ours."""
    drawn, price, lines = random.Random(7), 50_000.0, ["timestamp,price"]
    for number in range(ticks):
        price = max(30_000.0, price * (1 + drawn.gauss(0, 0.004)) + (50_000 - price) * 0.02)
        lines.append(f"{number * 1000},{price:.2f}")
    (folder / "BTCUSDT.csv").write_text("\n".join(lines) + "\n")
    return {"market": "recorded", "recorded": ["BTCUSDT.csv"], "speed": "100"}


class Alerts(threading.Thread):
    """Posts alerts of all kinds, one after the other, until nobody answers any more."""

    def __init__(self, running: Headless, drawn: random.Random) -> None:
        super().__init__(daemon=True)
        self._running = running
        self._drawn = drawn
        self.accepted: list[int] = []
        self.statuses: set[int] = set()
        self.enough = threading.Event()

    def run(self) -> None:
        while not self.enough.is_set():
            try:
                status, answer = self._running.post(self._alert())
            except OSError:
                return
            self.statuses.add(status)
            if status == 202:
                self.accepted.append(answer["signal_id"])

    def _alert(self) -> dict[str, Any]:
        kind = self._drawn.choice(["signal", "signal", "signal", "exit", "reduce"])
        changes: dict[str, Any] = {"execution_intent": {"type": kind}}
        if kind == "reduce":
            changes |= {"tv__order_size": "0.002", "tv__action": "sell"}
        timeframe = self._drawn.choice(["1", "5", "15", "60", "240"])
        price = self._drawn.choice(["49500", "50000", "50500", "51000"])
        return entry(price, tv__timeframe=timeframe, strategy_info={"trade_id": self._drawn.random()}, **changes)
