"""A replay's time, its inputs of every kind and its files of every column (SPEC §11, §12), worked out by hand."""

import csv
import json
import math
import re
import statistics
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pytest

from exengine.__main__ import main
from tests.helpers.price_files import parquet
from tests.helpers.scenarios import run_replay

T0 = 1_767_225_600_000
"""Midnight UTC of 2026-01-01."""
D = Decimal
DAY_MS = 24 * 3600 * 1000
PLAIN = re.compile(r"-?(0|[1-9]\d*)(\.\d{0,11}[1-9])?")


def market(base: str, *, kind: str = "spot", **changes: Any) -> dict[str, Any]:
    return {
        "id": f"{base}USDT",
        "base": base,
        "quote": "USDT",
        "type": kind,
        "precision": {"price": "0.01", "amount": "0.0001"},
        "limits": {"amount": {"min": "0.0001"}, "cost": {"min": "5"}},
        "maker": "0",
        "taker": "0",
    } | changes


MARKETS = {"BTC/USDT": market("BTC"), "ETH/USDT": market("ETH")}
PAPER = {"name": "paper", "exchange": "binance", "balances": {"USDT": "10000"}}
CONFIG: dict[str, Any] = {
    "schema_version": 1,
    "accounts": [PAPER],
    "grid": {"legs": [{"gap_percent": 0, "weight_percent": 100, "tp_percent": 10}], "max_pyramids": 1},
    "sizing": {"amount": "1000"},
}


def ask(at: int, action: str = "buy", price: str = "100", base: str = "BTC", tf: str = "15", **extra: Any) -> dict:
    kind = extra.pop("kind", "signal")
    tv = {"exchange": "BINANCE", "symbol": f"{base}USDT", "timeframe": tf, "action": action, "close_price": price}
    body = {"timestamp": T0 + at, "tv": tv | extra, "execution_intent": {"type": kind}}
    return {"at": T0 + at, "body": body}


def say(at: int, command: str, key: str | None = None) -> dict:
    return {"at": T0 + at, "command": command} | ({"key": key} if key else {})


def played(
    folder: Path,
    prices: dict[str, Any],
    recorded: list[dict],
    config: dict[str, Any] | None = None,
    markets: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The tables of a replay, times counted from T0, and its summary."""
    folder.mkdir(exist_ok=True)
    paths = []
    for name, rows in prices.items():
        bars = len(rows[0]) > 2
        head = "timestamp,open,high,low,close,volume" if bars else "timestamp,price"
        lines = [",".join(map(str, [T0 + row[0], *row[1:]])) for row in rows]
        paths.append(folder / f"{name}.csv")
        paths[-1].write_text("\n".join([head, *lines, ""]))
    (folder / "signals.jsonl").write_text("".join(json.dumps(one) + "\n" for one in recorded))
    (folder / "markets.json").write_text(json.dumps(markets or MARKETS))
    (folder / "config.json").write_text(json.dumps(CONFIG | (config or {})))
    out = run_replay(folder, paths)
    found: dict[str, Any] = {"summary": json.loads((out / "summary.json").read_text())}
    for path in out.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            found[path.stem] = [_shifted(row) for row in csv.DictReader(file)]
    return found


def _shifted(row: dict[str, str]) -> dict[str, Any]:
    times = ("at", "created_at", "closed_at", "opened_at", "queued_at")
    return {name: int(cell) - T0 if name in times and cell else cell for name, cell in row.items()}


def column(rows: list[dict], *names: str) -> list[Any]:
    found = [tuple(row[name] for name in names) for row in rows]
    return [one[0] for one in found] if len(names) == 1 else found


def flat(until: int, price: str = "100", step: int = 1000) -> list[tuple[int, str]]:
    return [(at, price) for at in range(0, until + 1, step)]


# time -----------------------------------------------------------------------------------------------------------------


def test_at_one_time_prices_come_before_signals_and_signals_before_commands(tmp_path: Path) -> None:
    found = played(
        tmp_path,
        {"BTCUSDT": [(0, "90"), (5000, "100")]},
        [say(5000, "pause"), ask(5000, price="100"), ask(5000, price="100", tf="60"), say(6000, "pause")],
    )
    assert column(found["signals"], "outcome") == ["opened", "opened"]
    assert column(found["fills"], "at", "price", "liquidity") == [(5000, "100", "taker")] * 2


def test_at_one_time_the_prices_come_by_exchange_id(tmp_path: Path) -> None:
    legs = {"grid": CONFIG["grid"] | {"max_pyramids": 1}}
    found = played(
        tmp_path,
        {"ETHUSDT": [(0, "100"), (5000, "90")], "BTCUSDT": [(0, "100"), (5000, "90")]},
        [ask(1000, price="95", base="ETH"), ask(1000, price="95")],
        legs,
    )
    orders = {row["client_id"]: row["group"] for row in found["orders"]}
    assert [orders[row["client_id"]].split("|")[1] for row in found["fills"]] == ["BTC/USDT", "ETH/USDT"]


def test_timers_ring_at_the_first_events_time_plus_their_periods_up_to_the_last_event(tmp_path: Path) -> None:
    queue = {"queue": {"max_age_minutes": "0.05", "evaluate_seconds": 4}, "pool": {"max_open_groups": 1}}
    recorded = [ask(500, price="100"), ask(1500, price="100", tf="60")]
    found = played(tmp_path, {"BTCUSDT": [(300, "100"), (8300, "100")]}, recorded, queue)
    # Stale from 4,500 on; the queue is looked at at 4,300 and 8,300, and the last event is at 8,300.
    assert column(found["queue"], "at", "event") == [(1500, "queued"), (8300, "expired")]
    short = played(tmp_path / "short", {"BTCUSDT": [(300, "100"), (8299, "100")]}, recorded, queue)
    assert column(short["queue"], "event") == ["queued"]


def test_a_command_comes_before_the_timer_of_its_time(tmp_path: Path) -> None:
    found = played(
        tmp_path,
        {"BTCUSDT": flat(12_000)},
        [say(0, "pause"), ask(1000), say(10_000, "remove", "paper|BTC/USDT|15m"), say(10_000, "resume")],
    )
    assert column(found["queue"], "at", "event", "reason") == [
        (1000, "queued", "paused"),
        (10_000, "removed", "trader"),
    ]


@pytest.mark.parametrize(
    ("bar", "expected"),
    [
        (("100", "110", "90", "105"), [(0, "100"), (15_000, "90"), (30_000, "110"), (45_000, "105")]),
        (("100", "110", "90", "100"), [(0, "100"), (15_000, "90"), (30_000, "110"), (45_000, "100")]),
        (("100", "110", "90", "95"), [(0, "100"), (15_000, "110"), (30_000, "90"), (45_000, "95")]),
    ],
)
def test_a_bar_is_four_ticks_low_first_where_it_rises(
    tmp_path: Path, bar: tuple[str, ...], expected: list[tuple[int, str]]
) -> None:
    """Entries at each tick's price, resting or crossing: which fills when tells the ticks."""
    found = played(
        tmp_path,
        {"BTCUSDT": [(0, *bar, "1")]},
        [ask(1, price="92"), ask(1, "sell", price="92", tf="60", kind="exit"), ask(45_000, price="500", tf="60")],
    )
    low_at = next(at for at, price in expected if price == "90")
    assert (low_at, "92") in column(found["fills"], "at", "price")
    assert column(found["fills"], "at", "price")[-1] == (45_000, expected[-1][1])
    assert found["equity"][-1]["at"] == 45_000


def test_the_length_of_a_bar_is_the_smallest_step_of_its_file(tmp_path: Path) -> None:
    bars = [(at, "100", "110", "90", "105", "1") for at in (0, 120_000, 160_000)]
    found = played(tmp_path, {"BTCUSDT": bars}, [ask(1, price="92")])
    assert column(found["fills"], "at")[0] == 10_000
    assert found["equity"][-1]["at"] == 190_000


def test_it_ends_with_the_last_event_and_what_is_open_stays_open(tmp_path: Path) -> None:
    found = played(tmp_path, {"BTCUSDT": [(0, "100"), (3000, "104")]}, [ask(1000), ask(9000, price="90", tf="60")])
    assert column(found["groups"], "status", "closed_at") == [("active", ""), ("live", "")]
    assert column(found["orders"], "role", "status") == [("entry", "filled"), ("tp", "open"), ("entry", "open")]
    assert column(found["equity"], "at", "realised", "total") == [(0, "0", "10000"), (9000, "0", "10040")]
    assert found["summary"]["groups_open"] == 2


def test_a_ticks_fills_come_in_the_order_in_which_the_orders_were_made(tmp_path: Path) -> None:
    recorded = [
        ask(at, price=price, tf=tf) for at, price, tf in ((1000, "95", "15"), (1001, "99", "60"), (1002, "97", "240"))
    ]
    found = played(tmp_path, {"BTCUSDT": [(0, "100"), (5000, "90")]}, recorded)
    assert column(found["fills"], "price") == ["95", "99", "97"]


# inputs ---------------------------------------------------------------------------------------------------------------


def test_one_price_file_feeds_every_market_of_its_id_on_every_account(tmp_path: Path) -> None:
    accounts = [
        {"name": "one", "exchange": "binance", "balances": {"USDT": "10000"}},
        {"name": "two", "exchange": "bybit", "balances": {"USDT": "10000"}, "maker_fee_percent": 1},
        {"name": "perp", "exchange": "okx", "market_type": "swap", "balances": {"USDT": "10000"}},
    ]
    perpetual = market("BTC", kind="swap", contractSize="0.1")
    recorded = []
    for exchange, symbol in (("BINANCE", "BTCUSDT"), ("BYBIT", "BTCUSDT"), ("OKX", "BTCUSDT.P")):
        one = ask(1000, price="95")
        one["body"]["tv"] |= {"exchange": exchange, "symbol": symbol}
        recorded.append(one)
    found = played(
        tmp_path,
        {"BTCUSDT": [(0, "100"), (5000, "90")]},
        recorded,
        {"accounts": accounts},
        MARKETS | {"BTC/USDT:USDT": perpetual},
    )
    assert column(found["groups"], "group") == [
        "one|BTC/USDT|15m#1", "two|BTC/USDT|15m#1", "perp|BTC/USDT:USDT|15m#1",
    ]  # fmt: skip
    assert [D(qty) for qty in column(found["fills"], "qty")] == [D("10.5263"), D("10.5263"), D("105.2631")]
    assert column(found["fills"], "fee") == ["0", "0.105263", "0"]
    assert found["summary"]["start_equity"] == "30000"


def test_commands_of_every_kind(tmp_path: Path) -> None:
    key = "paper|BTC/USDT|{}"
    found = played(
        tmp_path,
        {"BTCUSDT": flat(60_000)},
        [
            ask(1000, price="90"),
            ask(2000, price="90", tf="60"),
            ask(3000, price="90", tf="240"),
            ask(4000, price="90", tf="D"),
            say(5000, "remove", key.format("1h")),
            say(6000, "force", key.format("4h")),
            say(7000, "promote", key.format("1d")),
            say(8000, "block", key.format("15m")),
            say(8500, "skip", key.format("15m")),
            say(9000, "unblock", key.format("15m")),
            say(9500, "run_risk"),
            say(20_000, "panic"),
            ask(21_000, price="90"),
            say(22_000, "resume"),
            say(23_000, "pause"),
            ask(24_000, price="90", tf="60"),
        ],
        {"pool": {"max_open_groups": 1}},
    )
    assert column(found["queue"], "at", "event", "reason", "forced") == [
        (2000, "queued", "pool_full", "false"),
        (3000, "queued", "pool_full", "false"),
        (4000, "queued", "pool_full", "false"),
        (5000, "removed", "trader", "false"),
        (6000, "promoted", "", "true"),
        (20_000, "removed", "panic", "false"),
        (21_000, "queued", "paused", "false"),
        (22_000, "promoted", "", "false"),
        (24_000, "queued", "paused", "false"),
    ]
    assert column(found["groups"], "group", "reason") == [
        ("paper|BTC/USDT|15m#1", "cancelled"),
        ("paper|BTC/USDT|4h#1", "cancelled"),
        ("paper|BTC/USDT|15m#2", ""),
    ]
    assert len(found["signals"]) == 6  # none for commands


@pytest.mark.parametrize(
    ("zone", "paused"), [(None, True), ("local", True), ("UTC", True), ("America/New_York", False)]
)
def test_the_local_timezone_is_utc_in_replay(tmp_path: Path, zone: str | None, paused: bool) -> None:
    """A loss at 03:00 and one at 06:00 UTC are of one day, but not in New York."""
    hour = 3_600_000
    losing = [ask(3 * hour), ask(4 * hour, "sell", kind="exit"), ask(6 * hour), ask(7 * hour, "sell", kind="exit")]
    prices = [(0, "100"), (3 * hour + 1, "99"), (5 * hour, "100"), (6 * hour + 1, "99"), (9 * hour, "99")]
    config = {"safety": {"max_daily_loss": 20}} | ({} if zone is None else {"app": {"timezone": zone}})
    found = played(tmp_path, {"BTCUSDT": prices}, [*losing, ask(8 * hour, price="99")], config)
    assert found["signals"][-1]["outcome"] == ("queued" if paused else "opened")


def in_parquet(folder: Path, name: str, columns: dict[str, Any]) -> tuple[int, Path]:
    """The replay of `folder` once more, with prices in Parquet; exit code and output."""
    path = parquet(folder, columns, name)
    out = folder / f"out of {name}"
    arguments = ["replay", "--signals", folder / "signals.jsonl", "--prices", path]
    arguments += ["--markets", folder / "markets.json", "--config", folder / "config.json", "--out", out]
    return main([*map(str, arguments), "--no-auth"]), out


PRICE_TYPES = [
    pyarrow.string(),
    pyarrow.float64(),
    pyarrow.float32(),
    pyarrow.decimal128(20, 8),
    pyarrow.dictionary(pyarrow.int32(), pyarrow.string()),
]


@pytest.mark.parametrize("suffix", ["parquet", "pq"])
@pytest.mark.parametrize("of_bars", [True, False], ids=["bars", "trades"])
@pytest.mark.parametrize("kind", PRICE_TYPES, ids=str)
def test_prices_in_parquet_give_the_same_bytes_as_in_csv(
    tmp_path: Path, kind: pyarrow.DataType, of_bars: bool, suffix: str
) -> None:
    rows: list[tuple[Any, ...]] = [(0, "100.25"), (60_000, "99.1"), (120_000, "95.7"), (180_000, "111.03")]
    names = ["price"]
    if of_bars:
        rows = [(at, price, "112.5", "95.01", price, "3.5") for at, price in rows]
        names = ["open", "high", "low", "close"]
    recorded = [ask(1000, price="99.3"), ask(61_000, price="96", tf="60"), ask(121_000, "sell", kind="exit", tf="60")]
    found = played(
        tmp_path, {"BTCUSDT": rows}, recorded, markets={"BTC/USDT": market("BTC", taker="0.001", maker="0.0007")}
    )
    columns = {"timestamp": pyarrow.array([T0 + row[0] for row in rows]).cast(pyarrow.timestamp("ms"))}
    for place, name in enumerate(names, 1):
        columns[name] = pyarrow.array([row[place] for row in rows]).cast(kind)
    code, out = in_parquet(tmp_path, f"BTCUSDT.{suffix}", columns)
    assert code == 0
    files = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert sorted(path.name for path in out.iterdir()) == files
    assert len(found["fills"]) >= 3
    for name in files:
        assert (out / name).read_bytes() == (tmp_path / "out" / name).read_bytes(), name


def test_a_fault_in_parquet_is_told_by_path_and_row_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    played(tmp_path, {"BTCUSDT": [(0, "100"), (5000, "110")]}, [ask(1000)])
    code, out = in_parquet(tmp_path, "BTCUSDT.parquet", {"timestamp": [T0, T0 + 5000], "price": ["100", "a lot"]})
    assert code == 2
    assert f'{tmp_path / "BTCUSDT.parquet"}, row 2: the price "a lot" is not a number' in capsys.readouterr().err
    assert not out.exists()


# files ----------------------------------------------------------------------------------------------------------------


def test_every_signal_has_one_row_with_its_outcome_as_decided_when_it_came(tmp_path: Path) -> None:
    nameless = ask(15_000)
    del nameless["body"]["tv"]["close_price"]
    nameless["body"]["tv"]["timeframe"] = "often"
    found = played(
        tmp_path,
        {"BTCUSDT": flat(40_000)},
        [
            ask(1000, price="90"),
            ask(2000, price="90", tf="60"),  # waits
            ask(3000, price="80", tf="60"),
            ask(4000, price="80", tf="60", kind="exit"),
            ask(5000, price="80", tf="60", kind="exit"),
            ask(6000, price="90"),
            ask(1000, price="90") | {"at": T0 + 7000},
            ask(8000, "short", price="90", tf="5"),
            ask(9000, base="DOGE"),
            ask(10_000, exchange="KRAKEN"),
            ask(-400_000, price="1") | {"at": T0 + 11_000},
            ask(12_000, "sell", kind="exit"),
            ask(13_000, price="100", tf="60", kind="reverse"),
            nameless,
        ],
        {"pool": {"max_open_groups": 1}},
    )
    assert column(found["signals"], "at", "outcome", "reason", "group") == [
        (1000, "opened", "", "paper|BTC/USDT|15m#1"),
        (2000, "queued", "pool_full", ""),
        (3000, "replaced", "", ""),
        (4000, "removed", "", ""),
        (5000, "nothing_to_exit", "", ""),
        (6000, "ignored", "max_pyramids", "paper|BTC/USDT|15m#1"),
        (7000, "duplicate", "", ""),
        (8000, "refused", "short_not_supported", ""),
        (9000, "refused", "unknown_symbol", ""),
        (10_000, "refused", "unknown_exchange", ""),
        (11_000, "refused", "stale", ""),
        (12_000, "exited", "", "paper|BTC/USDT|15m#1"),
        (13_000, "reversed", "", "paper|BTC/USDT|1h#1"),
        (15_000, "invalid", "tv.timeframe;tv.entry_price", ""),
    ]


def test_a_waiting_entry_is_in_the_queue_and_not_among_the_groups(tmp_path: Path) -> None:
    found = played(tmp_path, {"BTCUSDT": flat(3000)}, [say(0, "pause"), ask(1000)])
    assert found["groups"] == []
    assert found["queue"] == [
        {"at": 1000, "key": "paper|BTC/USDT|15m", "side": "long", "event": "queued", "reason": "paused",
         "queued_at": 1000, "replacement_count": "0", "price": "100", "forced": "false"}
    ]  # fmt: skip


def test_an_amended_order_is_two_rows_the_old_one_cancelled(tmp_path: Path) -> None:
    legs = [{"gap_percent": gap, "weight_percent": 50, "tp_percent": 5} for gap in (0, -10)]
    config = {"grid": {"legs": legs}, "take_profit": {"mode": "aggregate", "percent": 5}}
    found = played(tmp_path, {"BTCUSDT": [(0, "100"), (2000, "90"), (3000, "90")]}, [ask(1000)], config)
    targets = [row for row in found["orders"] if row["role"] == "tp"]
    assert column(targets, "status", "price", "qty", "created_at", "closed_at") == [
        ("cancelled", "105", "5", 1000, 2000),
        ("open", "99.48", "10.5555", 2000, ""),
    ]
    assert column(targets, "pyramid", "leg", "side", "type") == [("", "", "sell", "limit")] * 2


def test_a_market_order_has_no_price_and_its_average_is_what_it_got(tmp_path: Path) -> None:
    found = played(
        tmp_path,
        {"BTCUSDT": flat(3000)},
        [ask(1000), ask(2000, "sell", kind="exit")],
        {"sim": {"slippage_percent": "0.5"}},
    )
    (close,) = (row for row in found["orders"] if row["role"] == "close")
    assert (close["type"], close["price"], close["average"], close["status"]) == ("market", "", "99.5", "filled")


def test_numbers_are_written_plainly(tmp_path: Path) -> None:
    tiny = {"SHIB/USDT": market("SHIB", precision={"price": "0.00000001", "amount": "1"}, taker="0.00075")}
    found = played(
        tmp_path,
        {"SHIBUSDT": [(0, "0.00000812"), (2000, "0.00000793"), (9000, "0.00001")]},
        [ask(1000, price="0.00000812", base="SHIB")],
        {},
        tiny,
    )
    texts = ("group", "side", "status", "reason", "role", "type", "client_id", "key", "event", "outcome", "liquidity")
    texts += ("symbol", "account", "timeframe", "fee_currency", "loser", "winner", "forced")
    for name, rows in found.items():
        for row in rows if isinstance(rows, list) else [rows]:
            for cell_name, cell in row.items():
                if cell_name not in texts and isinstance(cell, str) and cell:
                    assert PLAIN.fullmatch(cell), (name, cell_name, cell)
    assert column(found["fills"], "price")[0] == "0.00000812"


def test_an_offset_that_is_under_way_at_the_end_is_in_the_output_too(tmp_path: Path) -> None:
    config = {
        "risk": {"post_full_wait_minutes": 0, "loss_threshold_percent": -5, "evaluate_seconds": 10},
        "grid": CONFIG["grid"] | {"legs": [{"gap_percent": 0, "weight_percent": 100, "tp_percent": 90}]},
        "sim": {"slippage_percent": 2},
    }
    found = played(
        tmp_path,
        {"BTCUSDT": [(0, "100"), (2000, "90")], "ETHUSDT": [(0, "100"), (2000, "150"), (12_000, "150")]},
        [ask(1000), ask(1000, base="ETH")],
        config,
    )
    (row,) = found["risk"]
    assert (row["at"], row["loser"], row["winner"], row["required"], row["take"], row["realised"]) == (
        10_000, "paper|BTC/USDT|15m#1", "paper|ETH/USDT|15m#1", "100", "100", "0",
    )  # fmt: skip


def test_the_summary_by_another_way_of_working_it_out(tmp_path: Path) -> None:
    """Four trades over five days, one of them open at the end, with fees; the third day has no close."""
    hour = 3_600_000
    prices, recorded = [(0, "100")], []
    trades = [(1, "100", "104"), (26, "100", "97"), (75, "100", "108"), (98, "100", "95")]
    for start, bought, sold in trades:
        prices += [(start * hour, bought), ((start + 1) * hour, sold)]
        recorded.append(ask(start * hour, price=bought))
        if start != 98:
            recorded.append(ask((start + 1) * hour, "sell", price=sold, kind="exit"))
    fee = D("0.001")
    account = PAPER | {"maker_fee_percent": "0.1", "taker_fee_percent": "0.1"}
    found = played(tmp_path, {"BTCUSDT": prices}, recorded, {"accounts": [account]})
    summary = found["summary"]
    results = [10 * (1 - fee) * D(sold) * (1 - fee) - 10 * D(bought) for _, bought, sold in trades[:3]]
    # The quantity sold is down to the step of 0.0001: 9.99 exactly.
    totals = [D(10000)]
    for result in results:
        totals.append(totals[-1] + result)
    open_result = D("9.99") * 95 - 1000
    totals.append(totals[-1] + open_result)
    assert D(summary["realised_pnl"]) == sum(results)
    assert abs(D(summary["unrealised_pnl"]) - open_result) < D("1e-9")
    assert abs(D(summary["end_equity"]) - totals[-1]) < D("1e-9")
    assert column(found["equity"], "at") == [0, 2 * hour, 27 * hour, 76 * hour, 99 * hour]
    assert [D(one) for one in column(found["equity"], "total")][:4] == totals[:4]
    won, lost = [one for one in results if one > 0], [one for one in results if one < 0]
    assert (summary["wins"], summary["losses"], summary["groups_closed"], summary["groups_open"]) == (2, 1, 3, 1)
    near = {
        "win_rate": D(2) / 3,
        "average_win": sum(won) / 2,
        "average_loss": lost[0],
        "rr": sum(won) / 2 / -lost[0],
        "profit_factor": sum(won) / -lost[0],
        "best": max(results),
        "worst": min(results),
        "long_pnl": sum(results),
        "fees": sum(D("0.01") * D(b) + D("9.99") * D(s) * fee for _, b, s in trades[:3]) + 1,
        "volume": sum(10 * D(b) + D("9.99") * D(s) for _, b, s in trades[:3]) + 1000,
        "max_drawdown_percent": max((max(totals[: n + 1]) - totals[n]) / max(totals[: n + 1]) for n in range(5)) * 100,
        "current_drawdown_percent": (max(totals) - totals[-1]) / max(totals) * 100,
    }
    for name, value in near.items():
        assert abs(D(summary[name]) - value) < D("1e-9"), name
    days = [totals[1] / totals[0] - 1, totals[2] / totals[1] - 1, D(0), totals[3] / totals[2] - 1, D(0)]
    returns = [float(one) for one in days]
    downside = math.sqrt(sum(min(one, 0) ** 2 for one in returns) / 5)
    mean = statistics.mean(returns)
    assert float(summary["sharpe"]) == pytest.approx(mean / statistics.stdev(returns) * math.sqrt(365))
    assert float(summary["sortino"]) == pytest.approx(mean / downside * math.sqrt(365))
    assert summary["short_pnl"] == "0"


def test_a_close_at_the_very_last_event_counts_for_its_day(tmp_path: Path) -> None:
    recorded = [ask(1000), ask(2000, "sell", kind="exit"), ask(DAY_MS + 1000), ask(DAY_MS + 2000, "sell", kind="exit")]
    prices = [(0, "100"), (1500, "104"), (DAY_MS, "100"), (DAY_MS + 1500, "97")]
    found = played(tmp_path, {"BTCUSDT": prices}, recorded)
    returns = [40 / 10000, 10010 / 10040 - 1]
    expected = statistics.mean(returns) / statistics.stdev(returns) * math.sqrt(365)
    assert float(found["summary"]["sharpe"]) == pytest.approx(expected)


def test_what_is_undefined_is_null_and_nothing_traded_is_no_fault(tmp_path: Path) -> None:
    found = played(tmp_path, {"BTCUSDT": flat(3000)}, [])
    summary = found["summary"]
    undefined = ("win_rate", "average_win", "average_loss", "rr", "profit_factor", "sharpe", "sortino", "best", "worst")
    assert [summary[name] for name in undefined] == [None] * len(undefined)
    assert (summary["end_equity"], summary["max_drawdown_percent"], summary["volume"]) == ("10000", "0", "0")
    assert column(found["equity"], "at", "total") == [(0, "10000"), (3000, "10000")]
