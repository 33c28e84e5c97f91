"""Nothing secret leaks: canaries are planted as every secret, the program is run, killed, crashed, backed up, exported
and examined, and then everything that it wrote is searched for them (SPEC §2.1, §12)."""

import http.server
import io
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from urllib.parse import quote

import pytest

from exengine.__main__ import EXPORTS, main
from exengine.settings.known_secrets import KnownSecrets
from exengine.settings.paths import DataDir
from exengine.settings.secret_places import vault_of
from tests.helpers.canaries import Canaries, files_below, forms_of, found_in
from tests.helpers.program import ROOT, Headless, entry, environment, eventually, write_config

CANARIES = Canaries()

pytestmark = pytest.mark.timeout(600)

CRASHING = """
import sys
import exengine.engine.engine as engine
from exengine.exchange.live.account import LiveExchange

decide, close = engine.decide, LiveExchange.close

def broken(state, event, *rest, **options):
    if type(event).__name__.startswith("Signal"):
        raise ValueError(f"a defect with {event!r} and {state.settings!r}")
    return decide(state, event, *rest, **options)

async def closed_badly(self):
    await close(self)
    keys = self._client._credentials
    raise RuntimeError(f"GET https://api.example/?api_key={keys.api_key}&secret={keys.secret} {keys.passphrase}")

engine.decide = broken
LiveExchange.close = closed_badly

from exengine.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
"""The program with a defect in its engine, and a library that quotes keys where it fails."""


RULES: dict[str, dict[str, object]] = {
    "/public/instruments": {"code": "0", "msg": "", "data": []},
    "/exchangeInfo": {"timezone": "UTC", "serverTime": 0, "symbols": []},
}
"""Without market rules no question is asked that has to be signed."""


class Echo(http.server.BaseHTTPRequestHandler):
    """An exchange at its nosiest: each of its errors quotes the address, the headers and the body of the request."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(errors="replace")
        said = f"{self.path} {dict(self.headers)} {body}"
        rules = next((answer for path, answer in RULES.items() if path in self.path), None)
        data = json.dumps(rules or {"code": -1000, "msg": said, "sCode": "50000", "data": []}).encode()
        self.send_response(400 if rules is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.server.heard.append(said)  # type: ignore[attr-defined]

    do_GET = do_POST = do_DELETE = do_PUT = _answer  # noqa: N815  # the names that the library looks for

    def log_message(self, *_: object) -> None: ...


@contextmanager
def echoing() -> Iterator[tuple[str, list[str]]]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    heard: list[str] = []
    server.heard = heard  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Trial:
    """One installation with canaries in it, and all that came out of it."""

    def __init__(self, folder: Path, server: str) -> None:
        self.folder, self.said = folder, list[tuple[str, bytes]]()
        accounts = [{"name": name, "exchange": name, "server": server} for name in ("binance", "okx")]
        write_config(
            folder,
            accounts=[{"name": "paper", "exchange": "paper"}, *accounts],
            logging={"level": "debug"},
            notifications=[{"url": "secret:notification-1", "events": ["error", "warning", "info"]}],
        )
        vault = vault_of(DataDir(folder / "data"), self.env, None)
        vault.set("webhook-token", CANARIES.token)
        vault.set("webhook-secret", CANARIES.secret)
        vault.set("notification-1", CANARIES.notice_url)
        for account in ("binance", "okx"):
            lines = [CANARIES.api_key, CANARIES.api_secret, *([CANARIES.key_passphrase] if account == "okx" else [])]
            assert self.ran("keys", "set", account, given="\n".join(lines)) == 0

    @property
    def env(self) -> dict[str, str]:
        """With the vault's passphrase and no other secret."""
        mine = {"EXENGINE_WEBHOOK_TOKEN": "", "EXENGINE_WEBHOOK_SECRET": "",
                "EXENGINE_PASSPHRASE": CANARIES.vault_passphrase}  # fmt: skip
        return environment(**mine)

    @property
    def options(self) -> list[str]:
        return ["--data-dir", str(self.folder / "data"), "--config", str(self.folder / "config.json")]

    def ran(self, *arguments: str, given: str = "") -> int:
        """A command, run to its end in this process; what it said is kept."""
        said, typed = io.StringIO(), io.TextIOWrapper(io.BytesIO(given.encode()))
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(said), redirect_stderr(said):
            for name, value in self.env.items():
                patch.setenv(name, value)
            patch.setattr(sys, "stdin", typed)
            try:
                code = main([*arguments, *self.options])
            except SystemExit as wrong_use:
                code = int(str(wrong_use.code))
        self.said.append((f"what {arguments[0]} said", said.getvalue().encode()))
        return code

    def asked(self, url: str, body: object = None, **headers: str) -> int:
        """One request; its answer is kept."""
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json", **headers})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                status, said = answer.status, answer.read() + str(answer.headers).encode()
        except urllib.error.HTTPError as error:
            status, said = error.code, error.read() + str(error.headers).encode()
        self.said.append((f"an answer {status}", said))
        return int(status)

    def alerts(self, port: int) -> None:
        """Alerts of every fate, with canaries where they belong and where a trader may have put them by mistake."""
        root = f"http://127.0.0.1:{port}"
        token = CANARIES.token
        everywhere = {
            "secret": CANARIES.secret,
            "source": CANARIES.token,
            "note": f"use {CANARIES.secret} and {CANARIES.token}",
            "strategy_info": {"alert_message": f"{CANARIES.secret}", CANARIES.secret: [CANARIES.token]},
        }
        assert self.asked(f"{root}/webhook/{token}", entry("50000")) == 202
        assert self.asked(f"{root}/webhook", entry("50001") | everywhere) == 202
        assert self.asked(f"{root}/webhook/{token}", entry("50002", tv__symbol=CANARIES.secret) | everywhere) == 202, (
            "it waits for rules"
        )
        assert self.asked(f"{root}/webhook/{token}", entry("x", tv__action=CANARIES.token) | everywhere) == 422
        assert self.asked(f"{root}/webhook/{token}x", entry("50003") | everywhere) == 401
        assert self.asked(f"{root}/webhook/{quote(CANARIES.secret, safe='')}", everywhere) == 401
        assert self.asked(f"{root}/webhook/{token}", CANARIES.secret.encode()) == 400
        assert self.asked(f"{root}/webhook/{token}", b"{" + json.dumps(everywhere).encode()) == 400
        assert self.asked(f"{root}/webhook", entry("50004"), **{"X-Signature": token}) == 401
        assert self.asked(f"{root}/webhook/{token}/{token}", {}) == 404
        assert self.asked(f"{root}/webhook/{token}", b"x" * 70_000) == 413
        assert self.asked(f"{root}/webhook/{token}") == 405
        assert self.asked(f"{root}/health?{token}") == 200

    def crashing(self) -> None:
        """A run whose engine and whose libraries fail with words that quote what they know."""
        output = self.folder / "crash.txt"
        with output.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-c", CRASHING, "run", "--headless", *self.options],
                cwd=ROOT, env=self.env, stdout=file, stderr=subprocess.STDOUT,
            )  # fmt: skip
        try:
            port = json.loads((self.folder / "config.json").read_text())["listener"]["port"]
            url = f"http://127.0.0.1:{port}"
            eventually(
                lambda: process.poll() is not None or _answers(url), within_s=150, what="the crashing program's start"
            )
            assert process.poll() is None, output.read_text()
            self.asked(f"{url}/webhook/{CANARIES.token}", entry("50005", secret=CANARIES.secret))
            eventually(lambda: "a defect with" in self.logs, within_s=60, what="the traceback in the log")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(90)

    @property
    def logs(self) -> str:
        return "".join(path.read_text() for path in (self.folder / "data" / "logs").iterdir())


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5):
            return True
    except OSError:
        return False


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """All that the program can be made to write, once for all tests here."""
    folder = tmp_path_factory.mktemp("canaries")
    with echoing() as (server, heard):
        it = Trial(folder, server)
        with Headless(folder, **it.env) as process:
            process.ready(within_s=150)
            it.alerts(process.port)
            eventually(lambda: any("passphrase" in one.lower() for one in heard), within_s=60, what="a signed one")
            process.stop(signal.SIGKILL)
        with Headless(folder, **it.env) as process:
            process.ready(within_s=150)
            for what in EXPORTS:
                for form in ("csv", "json"):
                    it.ran("export", "--what", what, "--format", form, "--out", str(folder / f"{what}.{form}"))
            assert it.ran("backup", str(folder / "backup.zip")) == 0
            it.ran("doctor")
            it.ran("keys", "list")
            it.ran("keys", "set", "nobody", CANARIES.api_key)
            it.ran("signal", "--unknown", CANARIES.token)
            process.stop(within_s=90)
        it.crashing()
        yield it


def test_the_search_finds_a_canary_however_it_is_written() -> None:
    secret = CANARIES.secret
    for form in forms_of(secret):
        assert found_in(CANARIES, [("here", b"before " + form + b" after")])
    assert found_in(CANARIES, [("here", json.dumps({"secret": CANARIES.vault_passphrase}).encode())])
    assert found_in(CANARIES, [("here", json.dumps([CANARIES.key_passphrase]).encode())])
    assert not found_in(CANARIES, [("here", b"nothing of it")])


def test_the_vault_is_where_they_are(trial: Trial) -> None:
    vault = vault_of(DataDir(trial.folder / "data"), trial.env, None)
    kept = " ".join(vault.get(name) or "" for name in vault.names())
    assert all(
        json.dumps(secret)[1:-1] in kept or secret in kept for name, secret in CANARIES.all() if "vault" not in name
    )


def test_no_file_has_any(trial: Trial) -> None:
    """Store, its write-ahead log, logs, exports, backup, configuration, and the vault as it lies there."""
    places = list(files_below(trial.folder))
    names = " ".join(name for name, _ in places)
    for expected in ("exengine.sqlite3", "exengine.log", "secrets.vault", "config.json", "backup.zip:", "signals.csv"):
        assert expected in names
    assert found_in(CANARIES, places) == []


def test_nothing_that_was_said_has_any(trial: Trial) -> None:
    assert len(trial.said) > 30
    assert found_in(CANARIES, trial.said) == []


def test_what_failed_is_in_the_log_all_the_same(trial: Trial) -> None:
    assert "Traceback (most recent call last)" in trial.logs
    assert "a defect with" in trial.logs
    assert "RuntimeError: GET https://api.example/?api_key=" in trial.logs
    assert "okx" in trial.logs


def test_a_scrubbed_text_has_no_form_of_a_secret() -> None:
    known = KnownSecrets()
    for _, secret in CANARIES.all():
        known.add(secret)
    known.add(None, "", "short")
    for name, secret in CANARIES.all():
        for form in (secret, quote(secret), quote(secret, safe=""), secret.encode().hex()):
            assert found_in(CANARIES, [(name, known.scrubbed(f"before {form} after").encode())]) == []
    assert known.scrubbed("a short word") == "a short word"
    assert "canary" not in repr(known)


def test_the_environment_of_the_tests_has_none() -> None:
    """What is searched for must come from the program, not from here."""
    assert found_in(CANARIES, [("environment", repr(dict(os.environ)).encode())]) == []
