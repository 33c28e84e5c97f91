"""`exengine --smoke`: whether this copy of the program works, from the window to the store; for installers and CI.

It runs the desktop program itself, offscreen and in a temporary folder: a paper account on recorded prices that swing,
one alert over HTTP, and the group that it opens is followed until it is closed with profit. Nothing of the trader's is
read or written, the keyring is not asked, and no network is used.
"""

import argparse
import asyncio
import contextlib
import importlib
import json
import os
import secrets
import socket
import sys
import tempfile
import threading
import time
import traceback
import urllib.error
import urllib.request
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from exengine.cli.export import run_export
from exengine.domain.alert_text import AlertTemplate, alert_body
from exengine.domain.errors import UserError
from exengine.exchange.live.profiles import PROFILES
from exengine.notify.check import check_address
from exengine.settings.secrets import SECRET_VARIABLE, TOKEN_VARIABLE
from exengine.ui.app import make_app
from exengine.ui.loop import run
from exengine.ui.opening import Opening
from exengine.ui.smoke import colours, shown_window, told_fault
from exengine.ui.theme import Look
from exengine.ui.window import Window

LIMIT_S = 180
"""How long all of it may take; a few seconds is what it takes."""

GRACE_S = 30
"""How much longer a program is given that does not even let the limit be noticed."""

LIBRARIES = (
    "asyncpg.pgproto.pgproto",
    "ccxt.pro",
    "cryptography.hazmat.primitives.ciphers.aead",
    "google.protobuf",
    "pyarrow.parquet",
    "pyqtgraph",
    "sqlalchemy.dialects.postgresql.asyncpg",
)
"""What is imported only once it is needed, and would be missed at the worst moment."""

KEYRINGS = {"win32": "keyring.backends.Windows", "darwin": "keyring.backends.macOS"}
ADDRESSES = ("tgram://123456789:abcdefg_hijklmnop/12315544", "discord://123456/abcdef", "mailto://a:b@example.com")
"""Of notices, to see that their kinds are known; nothing is sent."""

PRICE = Decimal(50_000)
SWING = [*range(48_800, 51_200, 100), *range(51_200, 48_800, -100)]
"""Below the ladder's last leg, and above its last target."""

LEAST_COLOURS = 4

T = TypeVar("T")


class Smoke(UserError):
    """A part of it did not do what it should."""


def run_smoke() -> int:
    """Prints a line for each part that works. Raises UserError with the first that does not."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    os.environ["PYTHON_KEYRING_BACKEND"] = "none is asked"
    for name in (TOKEN_VARIABLE, SECRET_VARIABLE):
        os.environ[name] = secrets.token_urlsafe(32)
    watch = threading.Timer(LIMIT_S + GRACE_S, _give_up)
    watch.daemon = True
    watch.start()
    app = make_app()
    with tempfile.TemporaryDirectory(prefix="exengine-smoke-", ignore_cleanup_errors=True) as folder:
        look = Look(app)
        run(app, lambda: _bounded(look, Path(folder)))
    watch.cancel()
    print("smoke: all is well", flush=True)
    return 0


def _give_up() -> None:
    print(f"exengine: the smoke test hangs, and was ended after {LIMIT_S + GRACE_S} s.", file=sys.stderr, flush=True)
    os._exit(1)


async def _bounded(look: Look, folder: Path) -> None:
    try:
        async with asyncio.timeout(LIMIT_S):
            await _smoke(look, folder)
    except TimeoutError:
        raise Smoke(f"The smoke test had not ended after {LIMIT_S} s.") from None
    except UserError:
        raise
    except Exception as error:  # what is broken about this copy may show as anything
        traceback.print_exc()
        raise Smoke(f"The program failed: {type(error).__name__}: {error}") from error


async def _smoke(look: Look, folder: Path) -> None:
    _passed("libraries", await asyncio.to_thread(_import_all))
    port = await asyncio.to_thread(_write_configuration, folder)
    opening = Opening(look)
    opening.show()
    options = argparse.Namespace(data_dir=folder, config=None)
    desktop = await asyncio.to_thread(importlib.import_module, "exengine.cli.desktop")
    program: asyncio.Task[int] = asyncio.create_task(desktop.show_desktop(look, options, opening), name="desktop")
    try:
        window = await _until(program, shown_window, "the window")
        await _trade(program, window, port)
        window.stop()
        if await program:
            raise Smoke("The program ended with an error.")
    finally:
        program.cancel()
    _passed("store", await asyncio.to_thread(_kept, folder))


async def _trade(program: "asyncio.Task[int]", window: Window, port: int) -> None:
    """One alert, from HTTP until the window shows that its group is closed."""
    url = f"http://127.0.0.1:{port}"
    engine = await _until(program, lambda: window.book.engine, "the engine’s row in the window")
    drawn = colours(window)
    if drawn < LEAST_COLOURS:
        raise Smoke(f"The window is blank: it has {drawn} colours.")
    _passed("window", f"{window.width()} × {window.height()}, {engine.mode.value}")
    status, answer = await asyncio.to_thread(_http, f"{url}/health", None)
    if status != 200 or answer.get("status") != "running":
        raise Smoke(f"/health answers {status} {answer}.")
    _passed("health", answer["status"])
    status, answer = await asyncio.to_thread(_http, f"{url}/webhook/{os.environ[TOKEN_VARIABLE]}", _alert())
    if status != 202:
        raise Smoke(f"The alert was answered {status} {answer}.")
    _passed("alert", f"{status} {answer['status']}")
    group = await _until(program, lambda: next(iter(window.book.groups.values()), None), "the group in the window")
    _passed("group", f"{group.symbol} {group.timeframe}, {group.legs_total} legs")

    def closed() -> bool:
        row = window.book.engine
        return row is not None and row.closed_groups == 1 and not window.book.groups

    await _until(program, closed, "the group’s end")


async def _until(program: "asyncio.Task[int]", look: Callable[[], T | None], what: str) -> T:
    """What `look` gives once there is something. Raises Smoke where the program ended or asks something meanwhile."""
    while not (seen := look()):
        fault = told_fault()
        if fault:
            raise Smoke(f"The program waited with a message where {what} should come: {fault}")
        if program.done():
            await program
            raise Smoke(f"The program ended before {what} came.")
        await asyncio.sleep(0.05)
    return seen


def _import_all() -> str:
    missing = []
    for name in (*LIBRARIES, KEYRINGS.get(sys.platform, "keyring.backends.SecretService")):
        try:
            importlib.import_module(name)
        except ImportError as error:
            missing.append(f"{name} ({error})")
    if missing:
        raise Smoke(f"Libraries are missing: {', '.join(missing)}.")
    ccxt: Any = importlib.import_module("ccxt.pro")
    kinds = [kind for profile in PROFILES.values() for kind in profile.classes.values()]
    missing = [kind for kind in kinds if not hasattr(ccxt, kind)]
    if missing:
        raise Smoke(f"ccxt lacks {', '.join(missing)}.")
    for address in ADDRESSES:
        check_address(address)
    return f"{len(LIBRARIES) + 1} that are loaded late, {len(PROFILES)} exchanges, {len(ADDRESSES)} kinds of notices"


def _write_configuration(folder: Path) -> int:
    """A paper account on prices that swing; the port that it listens on."""
    rows = "".join(f"{at * 1000},{SWING[at % len(SWING)]}\n" for at in range((LIMIT_S + GRACE_S) * 100))
    (folder / "BTCUSDT.csv").write_text(f"timestamp,price\n{rows}", encoding="utf-8")
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    config = {
        "schema_version": 1,
        "listener": {"port": port},
        "sim": {"market": "recorded", "recorded": ["BTCUSDT.csv"], "speed": "100"},
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return port


def _alert() -> dict[str, Any]:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return alert_body(
        AlertTemplate.ENTRY, exchange="BINANCE", symbol="BTCUSDT", timeframe="15", price=PRICE, timestamp=now
    )


def _http(url: str, body: dict[str, Any] | None) -> tuple[int, Any]:
    """One request to this machine, past any proxy; the status, and the answer read as JSON."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"} if data else {})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")
    except OSError as error:
        raise Smoke(f"Nobody answers at port {request.host.rpartition(':')[2]}: {error}") from None


def _kept(folder: Path) -> str:
    """What the store has of it, read by the export as a trader would."""
    file = folder / "trades.json"
    run_export(
        argparse.Namespace(
            data_dir=folder, config=None, what="trades", format="json", out=str(file), since=None, until=None
        )
    )
    trades = json.loads(file.read_text(encoding="utf-8"))
    if [trade["status"] for trade in trades] != ["closed"] or Decimal(trades[0]["realised_pnl"]) <= 0:
        raise Smoke(f"The store should have one closed group with profit, and has {trades}.")
    return f"{trades[0]['reason']}, {trades[0]['realised_pnl']} USDT"


def _passed(part: str, what: str) -> None:
    print(f"ok  {part:<10} {what}", flush=True)
