"""What the Replay window is told and may ask; the program's other side is `exengine.bootstrap.replay_desk`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from exengine.analytics.replayed import ReplayAsk, Replayed, SignalsThere, Stage
from exengine.settings.pages import Config

BARS = {"1m": "bars of 1 minute", "3m": "bars of 3 minutes", "5m": "bars of 5 minutes", "15m": "bars of 15 minutes",
        "1h": "bars of 1 hour"}  # fmt: skip
EXCHANGES = {
    "binance": "Binance", "bybit": "Bybit", "okx": "OKX", "kucoin": "KuCoin", "mexc": "MEXC", "gate": "Gate",
}  # fmt: skip
"""Whose prices can be downloaded."""


class ReplayDesk(Protocol):
    """Replays in processes of their own; the engine goes on meanwhile."""

    @property
    def config(self) -> Config:
        """What runs."""
        ...

    @property
    def exchange(self) -> str:
        """Whose prices are proposed, of EXCHANGES."""
        ...

    async def signals_there(self) -> SignalsThere: ...

    def read_config(self, path: Path) -> Config:
        """The configuration in a file. Raises ConfigError."""
        ...

    async def run(
        self, ask: ReplayAsk, configs: Sequence[Config], tell: Callable[[Stage], None]
    ) -> tuple[Replayed, ...]:
        """Replays under one configuration or two. Raises UserError; cancelling it ends all of it."""
        ...

    async def export(self, to: Path) -> None:
        """Copies the last replay's files into a folder. Raises UserError."""
        ...

    def close(self) -> None:
        """Lets go of the last replay's files."""
        ...
