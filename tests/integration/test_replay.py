"""Replay: the acceptance scenarios, the same bytes each time, bad files named, the recorded month conserved."""

import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest

from exengine.__main__ import main
from tests.helpers.scenarios import judge, run_replay, scenario_files

T0 = 1_767_225_600_000
MONTH = Path(__file__).resolve().parents[3] / "shared" / "data" / "BTCUSDT_1m_2022-01.csv"
MARKETS = {
    "BTC/USDT": {
        "id": "BTCUSDT",
        "base": "BTC",
        "quote": "USDT",
        "type": "spot",
        "precision": {"price": "0.01", "amount": "0.00001"},
        "limits": {"amount": {"min": "0.00001", "max": "9000"}, "cost": {"min": "5"}},
        "maker": "0.001",
        "taker": "0.001",
    }
}
CONFIG = {
    "schema_version": 1,
    "app": {"timezone": "UTC"},
    "accounts": [{"name": "paper", "exchange": "binance", "balances": {"USDT": "10000"}}],
}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def body(at_ms: int, price: str, timeframe: str = "15", *, leave: bool = False) -> dict[str, object]:
    tv = {"exchange": "BINANCE", "symbol": "BTCUSDT", "timeframe": timeframe, "action": "buy", "close_price": price}
    intent = {"type": "exit"} if leave else {"type": "signal"}
    return {"timestamp": at_ms, "tv": tv, "execution_intent": intent}


def prepare(
    folder: Path, *, signals: list[dict[str, object]] | None = None, config: dict[str, object] | None = None
) -> list[Path]:
    folder.mkdir(exist_ok=True)
    signals = signals or [{"at": T0 + 1000, "body": body(T0 + 1000, "50000")}]
    (folder / "signals.jsonl").write_text("".join(json.dumps(one) + "\n" for one in signals))
    (folder / "markets.json").write_text(json.dumps(MARKETS))
    (folder / "config.json").write_text(json.dumps(config or CONFIG))
    prices = folder / "BTCUSDT.csv"
    prices.write_text(f"timestamp,price\n{T0},50000\n{T0 + 5000},50500\n")
    return [prices]


@pytest.mark.parametrize("path", scenario_files(), ids=lambda path: path.stem)
def test_the_acceptance_scenario(path: Path) -> None:
    verdict = judge().judge(path, [])
    assert verdict.startswith("ok "), verdict


def test_the_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    outs = [run_replay(folder, prepare(folder)) for folder in (tmp_path / "one", tmp_path / "two")]
    first, second = ({path.name: path.read_bytes() for path in out.iterdir()} for out in outs)
    assert first == second
    assert set(first) == {
        "orders.csv", "fills.csv", "groups.csv", "signals.csv", "risk.csv", "queue.csv", "equity.csv", "summary.json",
        "report.html",
    }  # fmt: skip


def test_the_summary_tells_what_the_trade_brought(tmp_path: Path) -> None:
    out = run_replay(tmp_path, prepare(tmp_path))
    summary = json.loads((out / "summary.json").read_text())
    rows = table(out / "equity.csv")
    assert Decimal(summary["start_equity"]) == 10000
    assert (summary["wins"], summary["losses"], summary["win_rate"]) == (1, 0, "1")
    assert summary["rr"] is None
    assert Decimal(rows[-1]["total"]) == Decimal(summary["end_equity"])
    assert Decimal(rows[-1]["realised"]) == Decimal(summary["realised_pnl"])


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("signals.jsonl", '{"at": 1, "body": {}}\n{"at": "soon", "body": {}}\n', "signals.jsonl, line 2"),
        ("signals.jsonl", '{"at": 1}\n', "line 1: it needs either"),
        ("signals.jsonl", '{"at": 1, "command": "sell everything"}\n', "the command is none of"),
        ("signals.jsonl", '{"at": 1, "command": "force", "key": "BTC"}\n', "ACCOUNT|SYMBOL|TIMEFRAME"),
        ("signals.jsonl", "{\n", "line 1"),
        ("markets.json", "[]", "markets.json"),
        ("config.json", '{"schema_version": 1, "grid": {"legs": []}}', "grid.legs"),
        ("config.json", '{"schema_version": 1, "gird": {}}', "gird"),
        ("BTCUSDT.csv", "timestamp,price\n1,50000\n2,-1\n", "line 3"),
        ("BTCUSDT.csv", "time,price\n1,1\n", "BTCUSDT.csv"),
    ],
)
def test_a_bad_file_is_named_with_its_fault_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, told: str
) -> None:
    (prices,) = prepare(tmp_path)
    (tmp_path / name).write_text(text)
    arguments = ["replay", "--signals", tmp_path / "signals.jsonl", "--prices", prices]
    arguments += ["--markets", tmp_path / "markets.json", "--config", tmp_path / "config.json"]
    assert main([str(one) for one in [*arguments, "--out", tmp_path / "out", "--no-auth"]]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"precision": {"price": "a cent", "amount": "1"}}, "BTC/USDT: precision.price: not a number: 'a cent'"),
        ({"precision": {"price": "0.01"}}, "BTC/USDT: precision.amount is missing"),
        ({"precision": None}, "BTC/USDT: precision.price is missing"),
        ({"precision": {"price": "0.01", "amount": "0"}}, "BTC/USDT: precision.amount must be above 0"),
        ({"limits": {"cost": {"min": "-5"}}}, "BTC/USDT: limits.cost.min must not be below 0, and is -5"),
        ({"limits": {"amount": "little"}}, "BTC/USDT: limits.amount is not an object"),
        ({"limits": {"amount": {"min": 2, "max": 1}}}, "BTC/USDT: limits.amount.min is above limits.amount.max"),
        ({"taker": True}, "BTC/USDT: taker: not a number"),
        ({"maker": "1"}, "BTC/USDT: maker is a share"),
    ],
)
def test_a_bad_market_rule_is_named_with_file_symbol_and_field(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, object], told: str
) -> None:
    paths = prepare(tmp_path)
    (tmp_path / "markets.json").write_text(json.dumps({"BTC/USDT": MARKETS["BTC/USDT"] | change}))
    assert main(arguments(tmp_path, paths, tmp_path / "out")) == 2
    assert f"{tmp_path / 'markets.json'}: {told}" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_signals_that_are_not_utf_8_are_told_by_their_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = prepare(tmp_path)
    good = (tmp_path / "signals.jsonl").read_bytes()
    (tmp_path / "signals.jsonl").write_bytes(
        good + b"\n" + '{"at": 1, "body": {"source": "Übung"}}\n'.encode("latin-1")
    )
    assert main(arguments(tmp_path, paths, tmp_path / "out")) == 2
    assert "signals.jsonl, line 3: it is not text in UTF-8 (byte 31 of the line)" in capsys.readouterr().err


def test_a_line_separator_within_an_alert_ends_no_line(tmp_path: Path) -> None:
    told = body(T0 + 1000, "50000") | {"comment": "one\u2028two"}
    paths = prepare(tmp_path)
    text = json.dumps({"at": T0 + 1000, "body": told}, ensure_ascii=False)
    (tmp_path / "signals.jsonl").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert main(arguments(tmp_path, paths, tmp_path / "out")) == 0
    assert [row["outcome"] for row in table(tmp_path / "out" / "signals.csv")] == ["opened"]


def arguments(folder: Path, prices: list[Path], out: Path) -> list[str]:
    given = ["replay", "--signals", folder / "signals.jsonl", "--prices", *prices, "--markets", folder / "markets.json"]
    return [str(one) for one in [*given, "--config", folder / "config.json", "--out", out, "--no-auth"]]


def everything_in(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


@pytest.mark.parametrize("where", ["a file", "a file/below", "taken", "loop", "x" * 300])
def test_an_output_that_cannot_be_is_told_before_the_run_and_nothing_is_touched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    paths = prepare(tmp_path)
    (tmp_path / "a file").write_text("mine")
    (tmp_path / "taken" / "orders.csv").mkdir(parents=True)
    (tmp_path / "loop").symlink_to(tmp_path / "nowhere")
    before = everything_in(tmp_path)
    monkeypatch.setattr("exengine.cli.replay.play", lambda *_: pytest.fail("it was run all the same"))
    assert main(arguments(tmp_path, paths, tmp_path / where)) == 2
    assert "cannot be written there" in capsys.readouterr().err
    assert everything_in(tmp_path) == before


def test_trying_the_output_leaves_nothing_where_an_input_is_bad(tmp_path: Path) -> None:
    paths = prepare(tmp_path)
    (tmp_path / "config.json").write_text("{")
    before = everything_in(tmp_path)
    assert main(arguments(tmp_path, paths, tmp_path / "not" / "yet" / "there")) == 2
    assert everything_in(tmp_path) == before


def test_an_output_folder_that_is_there_keeps_what_else_is_in_it(tmp_path: Path) -> None:
    paths = prepare(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    (tmp_path / "out" / "orders.csv").write_text("an earlier run's")
    assert main(arguments(tmp_path, paths, tmp_path / "out")) == 0
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"
    assert len(table(tmp_path / "out" / "orders.csv")) == 6
    assert not list(tmp_path.glob(".*.part"))


def test_a_disk_that_fills_up_is_told_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = prepare(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("exengine.replay.output.tables.write_csv", full)
    assert main(arguments(tmp_path, paths, tmp_path / "out")) == 1
    assert "could not be written: No space left on device" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".*.part"))


def test_signals_are_authenticated_unless_told_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = body(T0 + 1000, "50000") | {"secret": "the real one"}
    bad = body(T0 + 2000, "50000") | {"secret": "another"}
    signals = [{"at": T0 + 1000, "body": good}, {"at": T0 + 2000, "body": bad}]
    (prices,) = prepare(tmp_path, signals=signals)
    arguments = ["replay", "--signals", tmp_path / "signals.jsonl", "--prices", prices]
    arguments += ["--markets", tmp_path / "markets.json", "--config", tmp_path / "config.json"]
    arguments += ["--out", tmp_path / "out"]
    monkeypatch.delenv("EXENGINE_WEBHOOK_SECRET", raising=False)
    assert main([str(one) for one in arguments]) == 2
    monkeypatch.setenv("EXENGINE_WEBHOOK_SECRET", "the real one")
    assert main([str(one) for one in arguments]) == 0
    rows = table(tmp_path / "out" / "signals.csv")
    assert [(row["outcome"], row["reason"]) for row in rows] == [("opened", ""), ("refused", "unauthorized")]


def month_signals() -> list[dict[str, object]]:
    """A few hundred entries and exits on three timeframes, drawn from the month by its own prices."""
    rows = table(MONTH)
    signals = []
    for timeframe, every in (("15", 230), ("60", 610), ("240", 1430)):
        for number, place in enumerate(range(every // 3, len(rows) - 1, every)):
            at_ms, price = int(rows[place]["timestamp"]) + 59_000, rows[place]["close"]
            signals.append({"at": at_ms, "body": body(at_ms, price, timeframe, leave=number % 5 == 4)})
    return sorted(signals, key=lambda one: int(str(one["at"])))


@pytest.mark.skipif(not MONTH.exists(), reason="the recorded month is not beside the project")
@pytest.mark.parametrize("mode", ["leg", "pyramid", "aggregate", "hybrid"])
def test_in_the_recorded_month_nothing_is_lost_or_made(tmp_path: Path, mode: str) -> None:
    config = CONFIG | {"sizing": {"amount": "500"}, "take_profit": {"mode": mode, "percent": "1.5"}}
    signals = month_signals()
    prepare(tmp_path, signals=signals, config=config)
    prices = tmp_path / "BTCUSDT.csv"
    prices.write_bytes(MONTH.read_bytes())
    out = run_replay(tmp_path, [prices])
    orders = {row["client_id"]: row for row in table(out / "orders.csv")}
    fills = table(out / "fills.csv")
    groups = table(out / "groups.csv")
    summary = json.loads((out / "summary.json").read_text())
    assert len(signals) > 250
    assert len(groups) > 50
    usdt, btc = Decimal(10000), Decimal(0)
    for fill in fills:
        sign = 1 if orders[fill["client_id"]]["side"] == "buy" else -1
        usdt -= sign * Decimal(fill["price"]) * Decimal(fill["qty"])
        btc += sign * Decimal(fill["qty"])
        if fill["fee_currency"] == "BTC":
            btc -= Decimal(fill["fee"])
        else:
            usdt -= Decimal(fill["fee"])
    last = Decimal(prices.read_text().splitlines()[-1].split(",")[4])
    held = sum(Decimal(group["qty_open"]) + Decimal(group["dust"]) for group in groups)
    assert held == btc
    assert abs(usdt + btc * last - Decimal(summary["end_equity"])) < Decimal("1e-9")
    realised = sum(Decimal(group["realised_pnl"]) for group in groups)
    assert abs(realised - Decimal(summary["realised_pnl"])) < Decimal("1e-9")
    for group in groups:
        working = [
            order
            for order in orders.values()
            if order["group"] == group["group"] and order["status"] in ("created", "sent", "open", "partially_filled")
        ]
        assert group["status"] != "closed" or not working
