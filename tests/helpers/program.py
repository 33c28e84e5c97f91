"""The whole program for tests: in this process on a market that a test moves, or as a process of its own."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from exengine.bootstrap.program import Program
from exengine.domain.instrument import Instrument
from exengine.exchange.markets.source import Sink
from exengine.settings.paths import DataDir
from tests.helpers.alerts import alert
from tests.helpers.blocking import no_blocking
from tests.helpers.nursery import Nursery, Nursling
from tests.helpers.world import BTC, ETH

TOKEN = "canary-token-1c9e5b7a3d2f8064"
SECRET = "canary-secret-8f2b6d0a4c7e1935"
ROOT = Path(__file__).resolve().parents[2]

T = TypeVar("T")


def eventually(look: Callable[[], T], *, within_s: float = 20, what: str = "it") -> T:
    """What `look` gives once that is true of it. For other processes only: nothing else tells when they are done."""
    until = time.monotonic() + within_s
    while not (seen := look()):
        if time.monotonic() > until:
            raise AssertionError(f"{what} never came to be, last seen: {seen!r}")
        time.sleep(0.02)
    return seen


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(**more: str) -> dict[str, str]:
    """The secrets in the environment, and no keyring."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EXENGINE_")}
    return kept | {
        "EXENGINE_WEBHOOK_TOKEN": TOKEN,
        "EXENGINE_WEBHOOK_SECRET": SECRET,
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        **more,
    }


def write_config(folder: Path, **sections: Any) -> Path:
    """A configuration with a port of its own and no limit on alerts; `sections` are merged into it."""
    config: dict[str, Any] = {
        "schema_version": 1,
        "listener": {"port": free_port(), "rate_per_minute": 60_000, "burst": 1000},
    }
    for name, section in sections.items():
        config[name] = config.get(name, {}) | section if isinstance(section, dict) else section
    folder.mkdir(exist_ok=True)
    file = folder / "config.json"
    file.write_text(json.dumps(config))
    return file


# in this process ----------------------------------------------------------------------------------------------------


class HandMarket:
    """A market whose prices a test makes, one tick at a time."""

    def __init__(self, instruments: Iterable[Instrument] = (BTC, ETH)) -> None:
        self._instruments = tuple(instruments)
        self._sink: Sink | None = None
        self._opened = asyncio.Event()
        self.position_ms = 0

    @property
    def description(self) -> str:
        return "a market moved by hand"

    async def instruments(self) -> tuple[Instrument, ...]:
        return self._instruments

    def watch(self, symbols: Iterable[str]) -> None: ...

    def start_at(self, position_ms: int) -> None:
        self.position_ms = position_ms

    async def run(self, sink: Sink) -> None:
        self._sink = sink
        self._opened.set()
        await asyncio.Event().wait()

    async def tick(self, price: str, symbol: str = "BTC/USDT") -> None:
        """Returns when the engine has dealt with it and with all that it filled."""
        await self._opened.wait()
        assert self._sink is not None
        self.position_ms += 1000
        await self._sink(symbol, Decimal(price))

    async def close(self) -> None: ...


@dataclass(kw_only=True)
class InProcess:
    program: Program
    market: HandMarket

    async def post(self, body: Any, *, content_type: str = "application/json", token: str = TOKEN) -> tuple[int, Any]:
        """Posts an alert over HTTP as TradingView does; status and answer. Then waits until it was traded."""
        url = f"{self.program.listener.url}/{token}"
        answer = await asyncio.to_thread(http, url, body, content_type)
        await self.program.engine.settled()
        return answer

    async def get(self, path: str) -> tuple[int, Any]:
        root = self.program.listener.url.removesuffix("/webhook")
        return await asyncio.to_thread(http, root + path)


@asynccontextmanager
async def program(
    folder: Path, monkeypatch: Any, *, given: Mapping[str, str] | None = None, **sections: Any
) -> AsyncIterator[InProcess]:
    """The program, started on `folder` with the secrets of this module, or what is `given`; stopped at the end.

    Between start and stop nothing may keep the loop to itself.
    """
    for name, value in environment(**(given or {})).items():
        monkeypatch.setenv(name, value)
    market = HandMarket()
    config_file = folder / "config.json"
    if not config_file.exists():
        write_config(folder, **sections)
    running = Program(DataDir(folder / "data"), config_file, market=market)
    await running.start()
    try:
        with no_blocking():
            yield InProcess(program=running, market=market)
    finally:
        await running.stop()


# as a process -------------------------------------------------------------------------------------------------------


def http(
    url: str, body: Any = None, content_type: str = "application/json", headers: Mapping[str, str] | None = None
) -> tuple[int, Any]:
    """One request; status and the answer, read as JSON where it is some. Raises OSError where nobody answers."""
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Content-Type": content_type} if data else {}
    request = urllib.request.Request(url, data=data, headers=sent | dict(headers or {}))
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, _read(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, _read(error.read())


def _read(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data.decode(errors="replace")


def exengine(*arguments: str | Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A command, run to its end."""
    command = [sys.executable, "-m", "exengine", *map(str, arguments)]
    return subprocess.run(
        command, check=False, cwd=ROOT, env=env or environment(), capture_output=True, text=True, timeout=60
    )


class Headless:
    """`exengine run --headless` on a folder, as a process of its own."""

    def __init__(self, folder: Path, nursery: Nursery | None = None, **env: str) -> None:
        """`folder` has the configuration in config.json; the data is below it. A `nursery` begins it faster."""
        self.folder = folder
        self.data_dir = folder / "data"
        self.database = self.data_dir / "exengine.sqlite3"
        self.config_file = folder / "config.json"
        self.port = json.loads(self.config_file.read_text())["listener"]["port"]
        self._output = folder / "output.txt"
        self.process: subprocess.Popen[bytes] | Nursling
        if nursery is not None:
            arguments = ["run", "--headless", *self.options]
            self.process = nursery.begin(arguments, env=environment(**env), output=str(self._output))
            return
        with self._output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "exengine", "run", "--headless", *self.options],
                cwd=ROOT,
                env=environment(**env),
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def options(self) -> list[str]:
        return ["--data-dir", str(self.data_dir), "--config", str(self.config_file)]

    @property
    def output(self) -> str:
        return self._output.read_text()

    def health(self) -> str | None:
        """None while nobody answers."""
        try:
            return str(http(f"http://127.0.0.1:{self.port}/health")[1]["status"])
        except OSError:
            return None

    def listening(self) -> "Headless":
        """Waits until it takes connections, of whatever kind."""

        def is_open() -> bool:
            with closing(socket.socket()) as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        eventually(lambda: self.process.poll() is not None or is_open(), what="the program's start")
        assert self.process.poll() is None, self.output
        return self

    def ready(self, *, within_s: float = 60) -> "Headless":
        """Waits until it listens."""
        started = "the program's start"
        eventually(lambda: self.process.poll() is not None or self.health(), within_s=within_s, what=started)
        assert self.process.poll() is None, self.output
        return self

    def post(self, body: Any, content_type: str = "application/json") -> tuple[int, Any]:
        return http(f"http://127.0.0.1:{self.port}/webhook/{TOKEN}", body, content_type)

    def stop(self, number: int = signal.SIGTERM, *, within_s: float = 15) -> int:
        """Ends it by a signal; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(within_s)

    def __enter__(self) -> "Headless":
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)


def entry(price: object, *, at_ms: int | None = None, **changes: Any) -> dict[str, Any]:
    """A long entry of BTCUSDT, stamped with the time that it is."""
    stamp = time.time_ns() // 1_000_000 if at_ms is None else at_ms
    return alert(**{"timestamp": stamp, "tv__entry_price": str(price)} | changes)
