"""`exengine doctor`: one line for each thing that must be right before the engine can be trusted to run."""

import argparse
import asyncio
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

from exengine.bootstrap.listening import exposure_of
from exengine.bootstrap.live import examined
from exengine.cli.options import folders
from exengine.domain.errors import UserError
from exengine.domain.settings import AccountSettings
from exengine.notify.check import check_address
from exengine.settings.file import read
from exengine.settings.local_timezone import local_timezone
from exengine.settings.notification_urls import kept_url
from exengine.settings.pages import Config
from exengine.settings.paths import DataDir
from exengine.settings.plain import trading_settings
from exengine.settings.program_pages import ListenerPage, NotificationPage, TunnelProgram
from exengine.settings.secret_places import secret_stores
from exengine.settings.secrets import (
    SECRET_NAME,
    SECRET_VARIABLE,
    TOKEN_NAME,
    TOKEN_VARIABLE,
    SecretOrigin,
    SecretStore,
    SecretStoreUnavailable,
    is_weak,
    old_name,
    token_origin,
)
from exengine.store.address import place_of
from exengine.store.check import check_store
from exengine.store.lock import EngineLock
from exengine.webhook.exposure import warnings_of
from exengine.webhook.public import Reach, self_test
from exengine.webhook.tls import SOON_DAYS, days_left, tls_context
from exengine.webhook.tunnel import Tunnel, chosen_tunnel, found_tunnels, missing_words

BUILT_MS = 1_790_000_000_000
"""Some time in 2026: a clock before it is wrong."""
ROOM_BYTES = 200_000_000


class Doubtful(Exception):
    """What does not stop the engine and is not as it should be, in words, with what to do."""


Check = tuple[str, Callable[[], str]]


def run_doctor(options: argparse.Namespace) -> int:
    """Prints a line for each check; 1 where any fails. It changes nothing."""
    failed = 0
    for name, check in _checks(options):
        try:
            print(f"ok    {name}: {check()}", flush=True)
        except Doubtful as doubt:
            print(f"warn  {name}: {doubt}", flush=True)
        except (UserError, OSError) as error:
            failed += 1
            print(f"FAIL  {name}: {error}", flush=True)
    return 1 if failed else 0


def _checks(options: argparse.Namespace) -> Iterator[Check]:
    try:
        data_dir, config_file = folders(options)
    except UserError as error:
        yield "configuration", _raising(error)
        return
    config = read(config_file)
    running = _is_running(data_dir)
    yield "configuration", lambda: _configuration(config_file)
    yield "data folder", lambda: _room(data_dir)
    yield "store", lambda: check_store(place_of(config.app.database_url, data_dir.database_file))
    yield "secrets", lambda: _secrets(data_dir)
    yield "alerts", lambda: _proof(config, data_dir)
    yield "port", lambda: _port(config, running)
    yield "certificate", lambda: _certificate(config.listener)
    for text in warnings_of(exposure_of(config)):
        yield "listener", _doubting(text)
    yield "tunnel", lambda: _tunnel(config.listener)
    yield "public address", lambda: _public(config.listener, running)
    yield "clock", lambda: _clock(config)
    for place, page in enumerate(config.notifications):
        yield f"notifications[{place}]", partial(_notices, page, data_dir)
    for account in trading_settings(config, local_timezone="UTC").accounts:
        if account.enabled and account.is_live:
            yield from _live_account(account, secret_stores(data_dir))
        elif account.enabled:
            yield f"account {account.name}", partial(_paper_account, config, account)


def _raising(error: UserError) -> Callable[[], str]:
    def check() -> str:
        raise error

    return check


def _doubting(text: str) -> Callable[[], str]:
    def check() -> str:
        raise Doubtful(text)

    return check


def _configuration(file: Path) -> str:
    return f"{file}" if file.exists() else f"the defaults ({file} does not exist yet)"


def _room(data_dir: DataDir) -> str:
    there = data_dir.path
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    if free < ROOM_BYTES:
        raise UserError(f"only {free // 1_000_000} MB are free for {data_dir.path}.", remedy="Make room on that disk.")
    return f"{data_dir.path}, {free // 1_000_000_000} GB free"


def _secrets(data_dir: DataDir) -> str:
    origin = token_origin(secret_stores(data_dir))
    if origin is SecretOrigin.THIS_RUN:
        return "no keyring or vault open here: a token is made for each run (set EXENGINE_WEBHOOK_TOKEN to keep one)"
    return f"the webhook’s token comes from the {origin.value}"


PROOFS = {
    "any": "a token in the path, the body’s secret or a signature",
    "token": "a token in the path",
    "secret": "the body’s secret",
    "hmac": "a signature over the body",
}


def _proof(config: Config, data_dir: DataDir) -> str:
    """By what an alert proves itself, and whether that can be guessed or is about to be replaced."""
    for variable in (TOKEN_VARIABLE, SECRET_VARIABLE):
        if is_weak(os.environ.get(variable, "")):
            raise Doubtful(f"{variable} is short enough to be guessed: use 32 characters or more")
    for store in secret_stores(data_dir):
        for name in (TOKEN_NAME, SECRET_NAME):
            with suppress(SecretStoreUnavailable):
                if store.get(old_name(name)):
                    raise Doubtful(f"the old {name} counts too: retire it in File, Secrets, when no alert has it")
    return f"each proves itself by {PROOFS[config.security.webhook_auth.value]}"


def _is_running(data_dir: DataDir) -> bool:
    if not data_dir.lock_file.exists():
        return False
    lock = EngineLock(data_dir.lock_file)
    try:
        lock.acquire()
    except UserError:
        return True
    lock.release()
    return False


def _port(config: Config, running: bool) -> str:
    host, port = config.listener.host, config.listener.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        if hasattr(socket, "SO_REUSEADDR"):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if running:
                return f"{host}:{port}, in use by the running engine"
            raise UserError(
                f"{host}:{port} cannot be listened on ({error.strerror}).",
                remedy="End the program that uses it, or set another listener.port.",
            ) from None
    return f"{host}:{port} is free"


def _certificate(page: ListenerPage) -> str:
    if not page.tls_certificate:
        return "none: the listener speaks plain HTTP, as behind a tunnel or proxy"
    certificate = Path(page.tls_certificate)
    tls_context(certificate, Path(page.tls_key))
    left = days_left(certificate, int(time.time() * 1000))
    if left < 0:
        raise UserError(f"{certificate} has ended.", remedy="Have it renewed: callers refuse it.")
    if left < SOON_DAYS:
        raise Doubtful(f"{certificate} ends in {left} days: have it renewed")
    return f"{certificate} and its key fit, valid for {left} days"


def _tunnel(page: ListenerPage) -> str:
    found = found_tunnels()
    names = ", ".join(one.value for one in found) or "none"
    if page.tunnel is TunnelProgram.OFF:
        return f"none is run by ExEngine; installed: {names}"
    wanted = Tunnel(page.tunnel.value)
    chosen = chosen_tunnel(wanted, found)
    if chosen is None:
        raise UserError(f"{missing_words(wanted)}.", remedy="Install it, or set listener.tunnel to another.")
    return f"{chosen.value}, run by ExEngine; installed: {names}"


def _public(page: ListenerPage, running: bool) -> str:
    if not page.public_url:
        return "none is set: TradingView cannot call before listener.public_url is its way in"
    if not running:
        return f"{page.public_url}, not tried: no engine runs here that could answer"
    found = asyncio.run(self_test(page.public_url))
    if found.reach is not Reach.REACHED:
        raise UserError(f"{page.public_url}: {found.text}.")
    return f"{page.public_url}, {found.text}"


def _clock(config: Config) -> str:
    if time.time() * 1000 < BUILT_MS:
        raise UserError("this machine’s clock is years behind.", remedy="Set it, best by NTP: alerts would be stale.")
    zone = local_timezone() if config.app.timezone == "local" else config.app.timezone
    return f"{time.strftime('%Y-%m-%d %H:%M:%S %z')}, the trader’s day is that of {zone}"


def _notices(page: NotificationPage, data_dir: DataDir) -> str:
    return f"{check_address(kept_url(page, secret_stores(data_dir)))} ({', '.join(one.value for one in page.events)})"


def _live_account(account: AccountSettings, stores: Sequence[SecretStore]) -> Iterator[Check]:
    try:
        findings = asyncio.run(examined(account, stores))
    except UserError as error:
        yield f"account {account.name}", _raising(error)
        return
    for finding in findings:
        name = f"account {account.name}, {finding.about}"
        yield name, partial(str, finding.text) if finding.is_well else _raising(UserError(finding.text))


def _paper_account(config: Config, account: AccountSettings) -> str:
    capital = ", ".join(f"{amount} {currency}" for currency, amount in account.balances.items())
    return f"paper, {account.market_type.value}, capital {capital}, {config.sim.market.value} market"
