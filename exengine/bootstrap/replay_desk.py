"""What the window may ask of replays: what there is to be replayed, and to replay it under one or two configurations.

Files are read and replays are played in processes of their own, prices are downloaded in a thread: the engine's loop
goes on trading meanwhile.
"""

import asyncio
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from exengine.analytics.replayed import ReplayAsk, Replayed, SignalsThere, Stage
from exengine.bootstrap.replay_work import Files, Job, Ran, read_markets
from exengine.bootstrap.workers import Workers
from exengine.domain.errors import UserError
from exengine.domain.instrument import Instrument, MarketType
from exengine.domain.routing import PERPETUAL
from exengine.domain.signal import Signal
from exengine.domain.signal_body import parse_body
from exengine.domain.signal_parse import parse_signal
from exengine.domain.state import State, spelled
from exengine.exchange.market_rules import to_json
from exengine.exchange.markets.bars_download import BarsDownload
from exengine.exchange.markets.public_client import SessionFactory
from exengine.replay.signals_file import Recorded, RecordedCommand, RecordedSignal, read_lines
from exengine.settings.file import read, text_of
from exengine.settings.pages import Config, ExchangeName
from exengine.settings.plain import replay_settings

NAMES = ("A", "B")
Tell = Callable[[Stage], None]
_BREAKS = re.compile(r"[\r\n]+")


class Log(Protocol):
    """Where the program's own signals are."""

    async def bodies(self, since_ms: int | None, until_ms: int | None) -> tuple[tuple[int, str], ...]: ...

    async def signals_there(self) -> tuple[int, int | None, int | None]: ...


class ReplayDesk:
    """One replay, or two side by side. Reads the program and changes nothing."""

    def __init__(
        self,
        log: Log,
        config: Callable[[], Config],
        state: Callable[[], State],
        *,
        now_ms: Callable[[], int],
        session: SessionFactory | None = None,
    ) -> None:
        """`session` makes the aiohttp session of downloads, for tests."""
        self._log, self._config, self._state, self._now_ms = log, config, state, now_ms
        self._session = session
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._played: tuple[Config, ...] = ()

    @property
    def config(self) -> Config:
        """What runs."""
        return self._config()

    @property
    def exchange(self) -> str:
        """Whose prices are downloaded where nothing else is chosen: those of the first exchange account."""
        live = (one.exchange for one in self.config.accounts if one.exchange is not ExchangeName.PAPER)
        return next(live, ExchangeName.BINANCE).value

    async def signals_there(self) -> SignalsThere:
        """What the log has to be replayed."""
        count, first_ms, last_ms = await self._log.signals_there()
        return SignalsThere(count=count, first_ms=first_ms, last_ms=last_ms)

    def read_config(self, path: Path) -> Config:
        """The configuration in a file, as a backup of the settings. Raises ConfigError."""
        return read(path, must_exist=True)

    async def run(self, ask: ReplayAsk, configs: Sequence[Config], tell: Tell) -> tuple[Replayed, ...]:
        """Replays under each of the configurations. Raises UserError; cancelling it ends all of it at once."""
        self.close()
        self._folder = tempfile.TemporaryDirectory(prefix="exengine-replay-", ignore_cleanup_errors=True)
        try:
            found = await self._found(ask, configs, Path(self._folder.name), tell)
        except BaseException:
            self.close()
            raise
        self._played = tuple(configs)
        return found

    async def _found(self, ask: ReplayAsk, configs: Sequence[Config], folder: Path, tell: Tell) -> tuple[Replayed, ...]:
        tell(Stage(text="Reading the signals"))
        recorded, lines = await self._recorded(ask)
        instruments = await asyncio.to_thread(read_markets, ask.markets) if ask.markets else self._instruments()
        if not instruments:
            raise UserError(
                "The accounts list no markets yet.", remedy="Wait until they are loaded, or choose a file of rules."
            )
        await asyncio.to_thread(_write_inputs, folder, lines, instruments)
        prices = ask.prices or await self._downloaded(ask, recorded, instruments, folder, tell)
        files = Files(prices=prices, instruments=instruments, recorded=recorded)
        jobs = [
            Job(number=number, settings=replay_settings(config), out=folder / name)
            for number, (name, config) in enumerate(zip(NAMES, configs, strict=False))
        ]
        tell(Stage(text="Reading the prices", shares=(0.0,) * len(jobs)))
        return await _played(files, jobs, tell)

    async def export(self, to: Path) -> None:
        """Copies everything of the last replay into a folder: each one's files and its configuration, and what it takes
        to replay it by `exengine replay`: signals, market rules and the prices that were downloaded.

        Raises UserError where that cannot be.
        """
        if self._folder is None or not self._played:
            raise UserError("There is no replay to be exported.", remedy="Run one.")
        await asyncio.to_thread(_copied, Path(self._folder.name), to, self._played)

    def close(self) -> None:
        """Lets go of the last replay's files."""
        folder, self._folder, self._played = self._folder, None, ()
        if folder is not None:
            folder.cleanup()

    # inputs -----------------------------------------------------------------------------------------------------------

    async def _recorded(self, ask: ReplayAsk) -> tuple[tuple[Recorded, ...], list[str]]:
        """The signals, and the line of a recorded file that each of them is."""
        if ask.signals is None:
            rows = await self._log.bodies(ask.since_ms, ask.until_ms)
            every: Sequence[Recorded] = await asyncio.to_thread(_read_bodies, rows)
            lines = [_line_of(at_ms, body) for at_ms, body in rows]
            where = "The log"
        else:
            every, lines = await asyncio.to_thread(read_lines, ask.signals)
            where = str(ask.signals)
        found = [(one, line) for one, line in zip(every, lines, strict=True) if _is_within(one.at_ms, ask)]
        if not found:
            raise UserError(f"{where} has no signals of that time.", remedy="Choose another time, or another file.")
        return tuple(one for one, _ in found), [line for _, line in found]

    def _instruments(self) -> tuple[Instrument, ...]:
        """What all accounts list, each symbol once."""
        found = {(one.symbol, one.type): one for one in self._state().instruments.values()}
        return tuple(found[key] for key in sorted(found, key=lambda key: (key[0], key[1].value)))

    async def _downloaded(
        self,
        ask: ReplayAsk,
        recorded: Sequence[Recorded],
        instruments: Sequence[Instrument],
        folder: Path,
        tell: Tell,
    ) -> tuple[Path, ...]:
        wanted = meant(recorded, instruments)
        if not wanted:
            raise UserError(
                "None of the signals is for a pair that the market rules have.",
                remedy="Choose a file of market rules that has their pairs.",
            )
        first_ms = min(one.at_ms for one in recorded)
        since_ms, until_ms = first_ms if ask.since_ms is None else min(ask.since_ms, first_ms), ask.until_ms
        end_ms = self._now_ms() if until_ms is None else min(until_ms, self._now_ms())
        download = BarsDownload(ask.exchange, wanted, session=self._session)
        try:
            paths = []
            for place, one in enumerate(wanted):
                told = partial(_tell_download, tell, one.symbol, place, len(wanted))
                told(0.0)
                paths.append(await download.write(one, ask.timeframe, since_ms, end_ms, folder, told))
            return tuple(paths)
        finally:
            await download.close()


def meant(recorded: Iterable[Recorded], instruments: Sequence[Instrument]) -> tuple[Instrument, ...]:
    """The instruments that signals and commands name, one for each exchange id: a price file feeds all of an id."""
    spot: dict[str, Instrument] = {}
    swap: dict[str, Instrument] = {}
    by_symbol = {one.symbol: one for one in instruments}
    for one in instruments:
        names = swap if one.type is MarketType.SWAP else spot
        names.setdefault(spelled(one.id), one)
        names.setdefault(spelled(one.base + one.quote), one)
    found: dict[str, Instrument] = {}
    for said in recorded:
        one_meant = None
        if isinstance(said, RecordedCommand):
            key = getattr(said.asked, "key", None)
            one_meant = by_symbol.get(key.symbol) if key is not None else None
        else:
            signal = parse_signal(said.body)
            if isinstance(signal, Signal):
                upper = signal.symbol.upper()
                name = spelled(upper.removesuffix(PERPETUAL))
                first, second = (swap, spot) if upper.endswith(PERPETUAL) else (spot, swap)
                one_meant = first.get(name) or second.get(name)
        if one_meant is not None:
            found.setdefault(one_meant.id, one_meant)
    return tuple(found[exchange_id] for exchange_id in sorted(found))


def _is_within(at_ms: int, ask: ReplayAsk) -> bool:
    after = ask.since_ms is None or at_ms >= ask.since_ms
    return after and (ask.until_ms is None or at_ms < ask.until_ms)


def _read_bodies(rows: Iterable[tuple[int, str]]) -> list[Recorded]:
    return [RecordedSignal(at_ms=at_ms, body=parse_body(body)) for at_ms, body in rows]


def _line_of(at_ms: int, body: str) -> str:
    """A body of the log as a line: between the words of JSON a line break is a blank."""
    return f'{{"at": {at_ms}, "body": {_BREAKS.sub(" ", body)}}}'


def _write_inputs(folder: Path, lines: Sequence[str], instruments: Sequence[Instrument]) -> None:
    try:
        (folder / "signals.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
        (folder / "markets.json").write_text(to_json(instruments), encoding="utf-8", newline="\n")
    except OSError as error:
        raise _unwritten(folder, error) from error


def _tell_download(tell: Tell, symbol: str, place: int, count: int, share: float) -> None:
    of = f" ({place + 1} of {count})" if count > 1 else ""
    tell(Stage(text=f"Downloading {symbol}{of}", shares=((place + share) / count,)))


# the processes --------------------------------------------------------------------------------------------------------


async def _played(files: Files, jobs: Sequence[Job], tell: Tell) -> tuple[Replayed, ...]:
    loop = asyncio.get_running_loop()
    workers = Workers(files, len(jobs))

    def soon(stage: Stage) -> None:
        loop.call_soon_threadsafe(tell, stage)

    thread = loop.run_in_executor(None, _run, workers, jobs, soon)
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        workers.stop()
        await asyncio.wait([thread])
        thread.exception()  # it was stopped: that is known
        raise


def _run(workers: Workers, jobs: Sequence[Job], tell: Tell) -> tuple[Replayed, ...]:
    shares = [0.0] * len(jobs)
    found: dict[int, Replayed] = {}
    with workers:
        for said in workers.run(jobs):
            shares[said.number] = 1.0 if isinstance(said, Ran) else said.share
            if isinstance(said, Ran) and said.whole is not None:
                found[said.number] = said.whole
            tell(Stage(text="Replaying", shares=tuple(shares)))
    return tuple(found[job.number] for job in jobs)


def _copied(folder: Path, to: Path, configs: Sequence[Config]) -> None:
    try:
        shutil.copytree(folder, to, dirs_exist_ok=True)
        for name, config in zip(NAMES, configs, strict=False):
            (to / name / "config.json").write_text(text_of(config), encoding="utf-8", newline="\n")
    except OSError as error:
        raise _unwritten(to, error) from error


def _unwritten(to: Path, error: OSError) -> UserError:
    return UserError(
        f"The replay could not be written to {to}: {error.strerror or str(error)}.",
        remedy="Choose another folder, or see that the disk has room.",
    )
