"""Makes inputs of long replays, the same of a seed always: alerts along recorded prices, and prices that walk."""

import csv
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

MONTH = Path(__file__).resolve().parents[3] / "shared" / "data" / "BTCUSDT_1m_2022-01.csv"
T0 = 1_767_225_600_000
TIMEFRAMES = ("15", "60", "240")
MARKET = {
    "id": "BTCUSDT",
    "base": "BTC",
    "quote": "USDT",
    "type": "spot",
    "precision": {"price": "0.01", "amount": "0.00001"},
    "limits": {"amount": {"min": "0.00001", "max": "9000"}, "cost": {"min": "5"}},
    "maker": "0.001",
    "taker": "0.001",
}


def config(**parts: Any) -> dict[str, Any]:
    """10,000 USDT, fees of 0.1 %, the risk engine on, and `parts` over it."""
    return {
        "schema_version": 1,
        "app": {"timezone": "UTC"},
        "accounts": [{"name": "paper", "exchange": "binance", "balances": {"USDT": "10000"}}],
    } | parts


def closes(path: Path = MONTH) -> list[tuple[int, str]]:
    """Close time and close of each bar of a minute."""
    with path.open(encoding="utf-8", newline="") as file:
        return [(int(row["timestamp"]) + 59_000, row["close"]) for row in csv.DictReader(file)]


def alerts(
    prices: Sequence[tuple[int, str]],
    count: int,
    *,
    seed: int,
    timeframes: Sequence[str] = TIMEFRAMES,
    leave: float = 0.1,
    sides: Sequence[str] = ("buy",),
    symbol: str = "BTCUSDT",
) -> list[dict[str, Any]]:
    """`count` alerts at prices of `prices`, spread over the timeframes; the share `leave` of them are exits."""
    dice = random.Random(seed)
    made = []
    for place in sorted(dice.sample(range(len(prices) - 1), count)):
        at_ms, price = prices[place]
        intent = "exit" if dice.random() < leave else "signal"
        body = {
            "timestamp": at_ms,
            "tv": {
                "exchange": "BINANCE",
                "symbol": symbol,
                "timeframe": dice.choice(timeframes),
                "action": dice.choice(sides),
                "close_price": price,
            },
            "execution_intent": {"type": intent},
        }
        made.append({"at": at_ms, "body": body})
    return made


def walk(count: int, *, seed: int, start: int = 5_000_000, every_ms: int = 1000) -> list[tuple[int, str]]:
    """`count` prices around 50,000 by steps of some cents, drawn back to where they began so that ladders fill."""
    dice = random.Random(seed)
    cents, made = start, []
    for place in range(count):
        cents += dice.randint(-1500, 1500) + (start - cents) // 4000
        made.append((T0 + place * every_ms, f"{cents // 100}.{cents % 100:02}"))
    return made


def laps(
    count: int, prices: Sequence[tuple[int, str]], signals: Sequence[dict[str, Any]]
) -> tuple[list[tuple[int, str]], list[dict[str, Any]]]:
    """The same prices and alerts `count` times over, one lap after the other: as much of everything for each tick."""
    lap_ms = prices[-1][0] - prices[0][0] + prices[1][0] - prices[0][0]
    later = [lap * lap_ms for lap in range(count)]
    return (
        [(at_ms + by_ms, price) for by_ms in later for at_ms, price in prices],
        [
            {"at": one["at"] + by_ms, "body": one["body"] | {"timestamp": one["at"] + by_ms}}
            for by_ms in later
            for one in signals
        ],
    )


def write(
    folder: Path,
    *,
    signals: Sequence[dict[str, Any]],
    settings: dict[str, Any],
    prices: Path | Sequence[tuple[int, str]] = MONTH,
    markets: dict[str, Any] | None = None,
    name: str = "BTCUSDT",
) -> Path:
    """Lays a replay's inputs into `folder`; its price file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "signals.jsonl").write_text("".join(json.dumps(one) + "\n" for one in signals))
    (folder / "markets.json").write_text(json.dumps(markets or {"BTC/USDT": MARKET}))
    (folder / "config.json").write_text(json.dumps(settings))
    path = folder / f"{name}.csv"
    if isinstance(prices, Path):
        path.write_bytes(prices.read_bytes())
    else:
        path.write_text("timestamp,price\n" + "".join(f"{at},{price}\n" for at, price in prices))
    return path
