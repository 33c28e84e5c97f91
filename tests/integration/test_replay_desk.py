"""What the Replay window asks of the program: signals of the log or a file, prices of files or of an exchange."""

import asyncio
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exengine.analytics.replayed import ReplayAsk, SignalsThere, Stage
from exengine.bootstrap.replay_desk import ReplayDesk, meant
from exengine.domain.errors import UserError
from exengine.domain.instrument import Instrument, MarketType
from exengine.domain.reception import SignalRecord
from exengine.domain.signal_body import parse_body
from exengine.domain.state import State
from exengine.engine.changes import Changes
from exengine.exchange.market_rules import from_json
from exengine.exchange.markets.bars_download import BarsDownload
from exengine.replay.signals_file import RecordedSignal, read_signals
from exengine.settings.file import checked
from exengine.settings.pages import Config
from exengine.settings.plain import replay_settings
from exengine.store.address import Place
from exengine.store.places import open_store
from tests.bench.replay_inputs import MARKET, T0, alerts, config, walk, write
from tests.helpers.alerts import alert
from tests.helpers.market_clock import MarketClock
from tests.helpers.public_binance import PublicBinance, public_binance
from tests.helpers.scenarios import run_replay
from tests.helpers.world import BTC, BTC_PERPETUAL, ETH

D = Decimal
MINUTE = 60_000
PRICES = walk(3000, seed=3, every_ms=MINUTE)
ALERTS = alerts(PRICES, 30, seed=1)
RUNNING = checked(config())
SECOND = checked(config(take_profit={"mode": "aggregate", "percent": "0.5"}))


class Log:
    """A signal log in memory."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = [(row["at"], json.dumps(row["body"])) for row in rows]

    async def bodies(self, since_ms: int | None, until_ms: int | None) -> tuple[tuple[int, str], ...]:
        since, until = since_ms or 0, 2**62 if until_ms is None else until_ms
        return tuple(row for row in self.rows if since <= row[0] < until)

    async def signals_there(self) -> tuple[int, int | None, int | None]:
        times = [at for at, _ in self.rows]
        return len(times), min(times, default=None), max(times, default=None)


def desk(rows: list[dict[str, Any]] | None = None, *, binance: PublicBinance | None = None) -> ReplayDesk:
    state = State(instance="test", settings=replay_settings(RUNNING))
    for one in from_json(json.dumps({"BTC/USDT": MARKET})):
        state.instruments["paper", one.symbol] = one
    return ReplayDesk(
        Log(ALERTS if rows is None else rows),
        lambda: RUNNING,
        lambda: state,
        now_ms=lambda: T0 + 3000 * MINUTE,
        session=None if binance is None else binance.session,
    )


@pytest.fixture(scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("inputs"), signals=ALERTS, settings=config(), prices=PRICES)


async def test_a_comparison_is_the_two_replays_that_the_command_line_makes(prices: Path, tmp_path: Path) -> None:
    told: list[Stage] = []
    asked = desk()
    found = await asked.run(ReplayAsk(prices=(prices,)), (RUNNING, SECOND), told.append)
    await asked.export(tmp_path / "kept")
    for name, config_of, one in zip("AB", (RUNNING, SECOND), found, strict=True):
        folder = tmp_path / f"by-hand-{name}"
        folder.mkdir()
        for file in ("signals.jsonl", "markets.json", "BTCUSDT.csv"):
            (folder / file).write_bytes((prices.parent / file).read_bytes())
        (folder / "config.json").write_bytes((tmp_path / "kept" / name / "config.json").read_bytes())
        out = run_replay(folder, [folder / "BTCUSDT.csv"])
        for path in out.iterdir():
            assert (tmp_path / "kept" / name / path.name).read_bytes() == path.read_bytes(), path.name
        summary = json.loads((out / "summary.json").read_text())
        assert one.figures["end_equity"] == D(summary["end_equity"])
        assert len([trade for trade in one.trades if trade.closed_at_ms is not None]) <= summary["groups_closed"]
        assert one.total[-1] == pytest.approx(float(summary["end_equity"]))
        assert (
            json.loads((folder / "config.json").read_text())["take_profit"]["mode"] == config_of.take_profit.mode.value
        )
    assert found[0].figures["end_equity"] != found[1].figures["end_equity"]
    assert told[0].text == "Reading the signals"
    assert told[-1] == Stage(text="Replaying", shares=(1.0, 1.0))
    asked.close()


async def test_signals_come_from_a_file_too_and_only_of_the_time_that_is_asked_for(prices: Path) -> None:
    asked, signals = desk([]), prices.parent / "signals.jsonl"
    whole = await asked.run(ReplayAsk(signals=signals, prices=(prices,)), (RUNNING,), lambda stage: None)
    half = ReplayAsk(signals=signals, prices=(prices,), since_ms=T0, until_ms=T0 + 1500 * MINUTE)
    part = await asked.run(half, (RUNNING,), lambda stage: None)
    assert whole[0].events == 3000 + len(ALERTS)
    assert part[0].events == 3000 + len([one for one in ALERTS if one["at"] < T0 + 1500 * MINUTE])
    with pytest.raises(UserError, match="has no signals of that time"):
        await asked.run(replace(half, since_ms=0, until_ms=1), (RUNNING,), lambda stage: None)
    asked.close()


async def test_what_is_exported_can_be_replayed_by_the_command(tmp_path: Path) -> None:
    """The signals of the log as they came, in lines of their own, the rules of the accounts, the prices downloaded."""
    async with public_binance() as binance:
        binance.bars["BTCUSDT"] = [(at, price, price, price, price) for at, price in PRICES]
        asked = desk(binance=binance)
        asked._log.rows = [(at, body.replace(", ", ",\n\t")) for at, body in asked._log.rows]  # type: ignore[attr-defined]
        await asked.run(ReplayAsk(), (RUNNING,), lambda stage: None)
        await asked.export(tmp_path)
        asked.close()
    assert read_signals(tmp_path / "signals.jsonl") == [
        RecordedSignal(at_ms=one["at"], body=parse_body(json.dumps(one["body"]))) for one in ALERTS
    ]
    (tmp_path / "config.json").write_bytes((tmp_path / "A" / "config.json").read_bytes())
    out = run_replay(tmp_path, [tmp_path / "BTCUSDT.csv"])
    for path in out.iterdir():
        assert (tmp_path / "A" / path.name).read_bytes() == path.read_bytes(), path.name


async def test_of_a_file_only_the_signals_that_were_replayed_are_exported(prices: Path, tmp_path: Path) -> None:
    asked, signals = desk([]), prices.parent / "signals.jsonl"
    ask = ReplayAsk(signals=signals, prices=(prices,), until_ms=T0 + 1500 * MINUTE)
    await asked.run(ask, (RUNNING,), lambda stage: None)
    await asked.export(tmp_path)
    asked.close()
    kept = (tmp_path / "signals.jsonl").read_text().splitlines()
    assert 0 < len(kept) < len(ALERTS)
    assert kept == signals.read_text().splitlines()[: len(kept)]


async def test_prices_are_downloaded_with_progress_where_no_file_is_chosen() -> None:
    told: list[Stage] = []
    async with public_binance() as binance:
        binance.bars["BTCUSDT"] = [(at, price, price, price, price) for at, price in PRICES]
        asked = desk(binance=binance)
        found = await asked.run(ReplayAsk(), (RUNNING,), told.append)
        asked.close()
    # Four ticks a bar, from the first signal's minute on.
    bars = [at for at, _ in PRICES if at >= ALERTS[0]["at"] - ALERTS[0]["at"] % MINUTE]
    assert found[0].events == 4 * len(bars) + len(ALERTS)
    downloads = [stage.shares[0] for stage in told if stage.text == "Downloading BTC/USDT"]
    assert downloads == sorted(downloads)
    assert downloads[0] == 0.0
    assert downloads[-1] == 1.0
    assert len(downloads) > 3


async def test_what_is_missing_is_told_with_what_to_do(prices: Path) -> None:
    with pytest.raises(UserError, match="The log has no signals of that time"):
        await desk([]).run(ReplayAsk(prices=(prices,)), (RUNNING,), lambda stage: None)
    none = ReplayDesk(
        Log(ALERTS), lambda: RUNNING, lambda: State(instance="x", settings=replay_settings(RUNNING)), now_ms=lambda: T0
    )
    with pytest.raises(UserError, match="list no markets yet"):
        await none.run(ReplayAsk(prices=(prices,)), (RUNNING,), lambda stage: None)
    other = [one | {"body": alert(tv__symbol="DOGEUSDT")} for one in ALERTS[:1]]
    with pytest.raises(UserError, match="None of the signals is for a pair"):
        await desk(other).run(ReplayAsk(), (RUNNING,), lambda stage: None)
    with pytest.raises(UserError, match=r"gone\.csv"):
        await desk().run(ReplayAsk(prices=(Path("gone.csv"),)), (RUNNING,), lambda stage: None)
    with pytest.raises(UserError, match="no replay to be exported"):
        await desk().export(Path("anywhere"))


async def test_a_replay_can_be_cancelled_while_it_is_played_and_leaves_nothing(prices: Path) -> None:
    asked = desk()
    begun = asyncio.Event()

    def tell(stage: Stage) -> None:
        if stage.text == "Reading the prices":
            begun.set()

    task = asyncio.create_task(asked.run(ReplayAsk(prices=(prices,)), (RUNNING, SECOND), tell))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(UserError, match="no replay to be exported"):
        await asked.export(Path("anywhere"))
    asked.close()


async def test_an_export_that_cannot_be_written_is_told(prices: Path, tmp_path: Path) -> None:
    asked = desk()
    await asked.run(ReplayAsk(prices=(prices,)), (RUNNING,), lambda stage: None)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="could not be written to"):
        await asked.export(tmp_path / "file")
    asked.close()


# the parts ------------------------------------------------------------------------------------------------------------


def said(symbol: str) -> RecordedSignal:
    return RecordedSignal(at_ms=T0, body=parse_body(json.dumps(alert(tv__symbol=symbol))))


@pytest.mark.parametrize(
    ("symbol", "meant_one"),
    [
        ("BTCUSDT", BTC),
        ("BINANCE:BTCUSDT", BTC),
        ("BTC-USDT", BTC),
        ("btc/usdt", BTC),
        ("BTCUSDT.P", BTC_PERPETUAL),
        ("ETHUSDT.P", ETH),
        ("DOGEUSDT", None),
    ],
)
def test_a_signals_pair_is_found_as_routing_finds_it(symbol: str, meant_one: Instrument | None) -> None:
    found = meant([said(symbol)], (BTC, BTC_PERPETUAL, ETH))
    assert found == (() if meant_one is None else (meant_one,))


def test_a_price_file_is_wanted_once_for_each_exchange_id() -> None:
    assert BTC.id == BTC_PERPETUAL.id
    assert BTC_PERPETUAL.type is MarketType.SWAP
    assert meant([said("BTCUSDT"), said("BTCUSDT.P"), said("ETHUSDT")], (BTC, BTC_PERPETUAL, ETH)) == (BTC, ETH)


async def test_bars_are_written_as_the_exchange_spells_them_over_all_pages_and_gaps(tmp_path: Path) -> None:
    bars = [(T0 + at * MINUTE, "95000.10000000", "95001.5", "94999", "95000.01") for at in range(1200)]
    async with public_binance() as binance:
        binance.bars["BTCUSDT"] = [*bars[:700], *bars[1199:]]
        download = BarsDownload("binance", [BTC], session=binance.session)
        shares: list[float] = []
        path = await download.write(BTC, "1m", T0 + 30_000, T0 + 1200 * MINUTE, tmp_path, shares.append)
        await download.close()
    lines = path.read_text().splitlines()
    assert path.name == f"{BTC.id}.csv"
    assert lines[:2] == ["timestamp,open,high,low,close,volume", f"{T0},95000.1,95001.5,94999,95000.01,12.5"]
    assert len(lines) == 702
    assert lines[-1].startswith(f"{T0 + 1199 * MINUTE},")
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


async def test_a_download_is_tried_again_and_then_told(tmp_path: Path) -> None:
    async with public_binance() as binance:
        binance.bars["BTCUSDT"] = [(T0, "1", "1", "1", "1")]
        binance.fault, binance.faults_left = (503, "busy", {}), 2
        clock = MarketClock()
        download = BarsDownload("binance", [BTC], session=binance.session, clock=clock)
        assert (await download.write(BTC, "1m", T0, T0 + MINUTE, tmp_path, lambda share: None)).exists()
        binance.fault, binance.faults_left = (503, "busy", {}), None
        with pytest.raises(UserError, match="could not be downloaded"):
            await download.write(BTC, "1m", T0, T0 + MINUTE, tmp_path, lambda share: None)
        binance.fault = None
        binance.bars.clear()
        with pytest.raises(UserError, match="has no bars of BTC/USDT for that time"):
            await download.write(BTC, "1m", T0, T0 + MINUTE, tmp_path, lambda share: None)
        with pytest.raises(UserError, match="more than 1,000,000 bars"):
            await download.write(BTC, "1m", 0, T0, tmp_path, lambda share: None)
        nowhere = replace(BTC, symbol="NONE/USDT")
        with pytest.raises(UserError, match="lists no NONE/USDT"):
            await download.write(nowhere, "1m", T0, T0 + MINUTE, tmp_path, lambda share: None)
        await download.close()


async def test_the_store_tells_the_signals_that_a_replay_can_have(place: Place) -> None:
    def record(number: int, body: str, **more: Any) -> SignalRecord:
        return SignalRecord(id=number, received_at_ms=T0 + number, source_address="", body=body, signal=None, **more)

    store = await asyncio.to_thread(open_store, place)
    assert await store.signals_there() == (0, None, None)
    bodies = [json.dumps(alert(tv__symbol=name)) for name in ("A", "B", "C")]
    records = [
        record(1, bodies[0]),
        record(2, ""),
        record(3, bodies[1]),
        record(4, bodies[1], replay_of=3),
        record(5, bodies[2]),
    ]
    await store.commit(Changes(signals={one.id: one for one in records}))
    assert await store.signals_there() == (3, T0 + 1, T0 + 5)
    assert await store.bodies(None, None) == ((T0 + 1, bodies[0]), (T0 + 3, bodies[1]), (T0 + 5, bodies[2]))
    assert await store.bodies(T0 + 2, T0 + 5) == ((T0 + 3, bodies[1]),)
    await store.close()


async def test_the_desk_tells_what_there_is() -> None:
    times = [one["at"] for one in ALERTS]
    there = await desk().signals_there()
    assert there == SignalsThere(count=len(ALERTS), first_ms=min(times), last_ms=max(times))
    assert desk().exchange == "binance"
    accounts = [{"name": "paper", "exchange": "paper"}, {"name": "main", "exchange": "okx"}]
    live = Config.model_validate({"accounts": accounts})
    state = State(instance="test", settings=replay_settings(live))
    assert ReplayDesk(Log([]), lambda: live, lambda: state, now_ms=lambda: T0).exchange == "okx"
