"""The Replay window's other side for tests and pictures: real replays, played in this process."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from exengine.analytics.replayed import ReplayAsk, Replayed, SignalsThere, Stage
from exengine.bootstrap.replay import ReplayInputs
from exengine.bootstrap.replay_work import Job, work
from exengine.domain.money import parse
from exengine.domain.settings import Settings
from exengine.domain.signal_body import parse_body
from exengine.exchange.market_rules import from_json
from exengine.replay.signals_file import RecordedSignal
from exengine.replay.tape import Tape
from exengine.settings.file import checked, read
from exengine.settings.pages import Config
from exengine.settings.plain import replay_settings
from tests.bench.replay_inputs import MARKET, alerts, config, walk


@cache
def inputs(count: int = 12_000) -> ReplayInputs:
    """Some days of a walking price, and alerts along it."""
    prices = walk(count, seed=3, every_ms=60_000)
    recorded = [
        RecordedSignal(at_ms=one["at"], body=parse_body(json.dumps(one["body"]))) for one in alerts(prices, 60, seed=1)
    ]
    return ReplayInputs(
        settings=replay_settings(running()),
        instruments=from_json(json.dumps({"BTC/USDT": MARKET})),
        tapes={"BTCUSDT": Tape((at_ms, parse(price)) for at_ms, price in prices)},
        recorded=recorded,
        secret=None,
    )


def running() -> Config:
    return checked(config(sizing={"amount": "1000"}))


_PLAYED: dict[str, Replayed] = {}


def played(settings: Settings, folder: Path) -> Replayed:
    """A replay under these settings; the same ones are played once."""
    key = repr(settings)
    if key not in _PLAYED:
        whole = work(inputs(), Job(number=1, settings=settings, out=folder / "out")).whole
        assert whole is not None
        _PLAYED[key] = whole
    return _PLAYED[key]


@dataclass
class InlineDesk:
    """What `ReplayDesk` promises, without processes; what it was asked is written down."""

    folder: Path
    config: Config = field(default_factory=running)
    exchange: str = "binance"
    there: SignalsThere = field(
        default_factory=lambda: SignalsThere(count=60, first_ms=1_767_225_600_000, last_ms=1_767_945_600_000)
    )
    fails_with: Exception | None = None
    stage: Stage | None = None
    """Where it stands still until it is cancelled; None = it runs to its end."""
    asked: list[ReplayAsk] = field(default_factory=list)
    exported: list[Path] = field(default_factory=list)

    async def signals_there(self) -> SignalsThere:
        return self.there

    def read_config(self, path: Path) -> Config:
        return read(path, must_exist=True)

    async def run(
        self, ask: ReplayAsk, configs: Sequence[Config], tell: Callable[[Stage], None]
    ) -> tuple[Replayed, ...]:
        self.asked.append(ask)
        if self.stage is not None:
            tell(self.stage)
            await asyncio.Event().wait()
        if self.fails_with is not None:
            raise self.fails_with
        return tuple(played(replay_settings(config), self.folder) for config in configs)

    async def export(self, to: Path) -> None:
        self.exported.append(to)

    def close(self) -> None: ...
