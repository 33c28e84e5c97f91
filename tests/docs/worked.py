"""The worked examples of the help: small replays through the real engine. Pages and pictures show what comes out."""

import csv
import json
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.helpers.scenarios import run_replay

T0 = 1_767_225_600_000
MINUTE = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What a replay has written."""

    prices: dict[str, list[tuple[int, str]]]
    tables: dict[str, list[dict[str, str]]]
    summary: dict[str, Any]

    def entries(self) -> list[dict[str, str]]:
        return [row for row in self.tables["orders"] if row["role"] == "entry"]


def market(base: str, *, fee: str = "0") -> dict[str, Any]:
    return {
        "id": f"{base}USDT",
        "base": base,
        "quote": "USDT",
        "type": "spot",
        "precision": {"price": "0.01", "amount": "0.001"},
        "limits": {"amount": {"min": "0.001"}, "cost": {"min": "5"}},
        "maker": fee,
        "taker": fee,
    }


def alert(minute: float, base: str, price: str) -> dict[str, Any]:
    tv = {"exchange": "BINANCE", "symbol": f"{base}USDT", "timeframe": "60", "action": "buy", "close_price": price}
    at = T0 + round(minute * MINUTE)
    return {"at": at, "body": {"timestamp": at, "tv": tv}}


def play(
    folder: Path,
    paths: dict[str, list[tuple[float, str]]],
    alerts: list[dict[str, Any]],
    config: dict[str, Any],
    *,
    fee: str = "0",
) -> Played:
    """Plays prices, by coin and minute, and alerts."""
    folder.mkdir(parents=True, exist_ok=True)
    prices = {base: [(T0 + round(minute * MINUTE), price) for minute, price in path] for base, path in paths.items()}
    files = []
    for base, rows in prices.items():
        files.append(folder / f"{base}USDT.csv")
        files[-1].write_text("timestamp,price\n" + "".join(f"{at},{price}\n" for at, price in rows))
    (folder / "signals.jsonl").write_text("".join(json.dumps(one) + "\n" for one in alerts))
    (folder / "markets.json").write_text(json.dumps({f"{base}/USDT": market(base, fee=fee) for base in paths}))
    account = {"name": "paper", "exchange": "binance", "balances": {"USDT": "10000"}}
    (folder / "config.json").write_text(json.dumps({"accounts": [account]} | config))
    out = run_replay(folder, files)
    tables = {}
    for path in out.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            tables[path.stem] = list(csv.DictReader(file))
    return Played(prices=prices, tables=tables, summary=json.loads((out / "summary.json").read_text()))


def walk(*corners: tuple[float, str], step: str = "0.05") -> list[tuple[float, str]]:
    """A price that goes from corner to corner in small steps, evenly in time."""
    path = [corners[0]]
    for (begin, first), (end, last) in pairwise(corners):
        count = max(int(abs(Decimal(last) - Decimal(first)) / Decimal(step)), 1)
        for place in range(1, count + 1):
            price = Decimal(first) + (Decimal(last) - Decimal(first)) * place / count
            path.append((begin + (end - begin) * place / count, f"{price:.2f}"))
    return path


# the ladder and the ways to take profit ------------------------------------------------------------------------------

DIP = walk((0, "100.00"), (20, "98.00"), (35, "98.60"), (50, "97.00"), (90, "101.20"))
"""Down through the first ladder, a second alert at 98.60, through half of that ladder, and up again."""
MODES = ("leg", "pyramid", "aggregate", "hybrid")


def ladder(folder: Path) -> Played:
    """One alert at 100, and a price that falls through all of its legs and rises to their targets."""
    return play(folder, {"BTC": walk((0, "100.00"), (20, "98.00"), (60, "101.20"))}, [alert(0, "BTC", "100")], {})


def taking_profit(folder: Path, mode: str) -> Played:
    """Two pyramids of 100 USDT, and one of the modes with 1 %."""
    alerts = [alert(0, "BTC", "100"), alert(35, "BTC", "98.60")]
    return play(folder, {"BTC": DIP}, alerts, {"take_profit": {"mode": mode, "percent": "1"}})


# the risk engine ----------------------------------------------------------------------------------------------------

OFFSET: dict[str, Any] = {
    "grid": {"legs": [{"gap_percent": 0, "weight_percent": 100, "tp_percent": 50}], "max_pyramids": 1},
    "sizing": {"amount": "1000"},
    "risk": {"enable_post_full_wait": False, "loss_threshold_percent": "-7.5"},
}


def offset(folder: Path) -> Played:
    """A loser that is 8 % down, and two winners: the first pays all that it has, the second what is still missing."""
    paths = {
        "SOL": walk((0, "100.00"), (30, "92.00"), step="0.5"),
        "BTC": walk((0, "500.00"), (28, "530.00"), (30, "530.00"), step="2"),
        "ETH": walk((0, "200.00"), (28, "210.00"), (30, "210.00"), step="1"),
    }
    alerts = [alert(0, "SOL", "100"), alert(0, "BTC", "500"), alert(0, "ETH", "200")]
    return play(
        folder, paths, alerts, OFFSET | {"risk": OFFSET["risk"] | {"loss_threshold_percent": "-7.5"}}, fee="0.001"
    )
