"""What a replay is given, read for a peer, and what a peer's run tells. Run inside the peers' environments.

The standard library only; imported by the scripts beside it under its bare name.
"""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Leg:
    """In percent."""

    gap: float
    weight: float
    target: float


@dataclass(frozen=True)
class Alert:
    """An entry at a price, or an exit, of the group of its timeframe."""

    at_ms: int
    timeframe: str
    price: str
    is_exit: bool


@dataclass(frozen=True)
class Given:
    """The parts of a replay's inputs that the peers take their orders from."""

    prices: Path
    market: dict[str, Any]
    alerts: list[Alert]
    legs: list[Leg]
    max_pyramids: int
    amount: float
    """In quote, of a pyramid."""
    target_percent: float
    """Of the whole group, where its targets are not the legs'."""
    balance: str


def read(folder: Path) -> Given:
    """The same files that `exengine replay` reads; the grid has to be in the configuration, not left to defaults."""
    config = json.loads((folder / "config.json").read_text())
    (market,) = json.loads((folder / "markets.json").read_text()).values()
    alerts = []
    for line in (folder / "signals.jsonl").read_text().splitlines():
        said = json.loads(line)
        body = said["body"]
        is_exit = body["execution_intent"]["type"] == "exit"
        alerts.append(Alert(said["at"], body["tv"]["timeframe"], body["tv"]["close_price"], is_exit))
    return Given(
        prices=folder / f"{market['id']}.csv",
        market=market,
        alerts=alerts,
        legs=[
            Leg(float(leg["gap_percent"]), float(leg["weight_percent"]), float(leg["tp_percent"]))
            for leg in config["grid"]["legs"]
        ],
        max_pyramids=config["grid"]["max_pyramids"],
        amount=float(config["sizing"]["amount"]),
        target_percent=float(config.get("take_profit", {}).get("percent", 1)),
        balance=config["accounts"][0]["balances"]["USDT"],
    )


class Clock:
    """Seconds of the part of the process in which it is entered: of the wall, and of all its processors."""

    def __enter__(self) -> "Clock":
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall_s, self.cpu_s = time.perf_counter() - self._wall, time.process_time() - self._cpu


def tell(*, version: str, events: int, fills: int, engine: Clock) -> None:
    """Prints the run as a line of JSON, at the end of the process: `cpu_s` is that of all of it, imports and all."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    peak_kb = next((float(line.split()[1]) for line in lines if line.startswith("VmHWM")), None)
    told = {
        "version": version,
        "events": events,
        "fills": fills,
        "engine_wall_s": engine.wall_s,
        "engine_cpu_s": engine.cpu_s,
        "cpu_s": time.process_time(),
        "peak_mb": peak_kb and peak_kb / 1024,
    }
    print(json.dumps(told))
    sys.stdout.flush()
