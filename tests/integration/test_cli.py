"""The command line: what each command prints, writes and returns, beside a running engine and without one."""

import csv
import io
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from exengine import __version__
from exengine.domain.alert_text import AlertTemplate
from exengine.domain.signal import Signal
from exengine.domain.signal_body import parse_body
from exengine.domain.signal_parse import parse_signal
from tests.helpers.program import ROOT, SECRET, TOKEN, Headless, entry, environment, exengine, write_config

TEMPLATES = [template.value for template in AlertTemplate]

EXAMPLES = {
    "timenow": "2026-11-23T05:00:00Z",
    "exchange": "BINANCE",
    "ticker": "BTCUSDT",
    "interval": "15",
    "close": "64001",
    "strategy.order.action": "buy",
    "strategy.order.contracts": "0.01",
    "strategy.order.price": "64000.5",
    "strategy.order.id": 'Long "1"'.replace('"', "'"),
    "strategy.order.alert_message": "",
    "strategy.market_position": "long",
    "strategy.market_position_size": "0.01",
    "strategy.prev_market_position": "flat",
    "strategy.prev_market_position_size": "0",
}
"""What TradingView puts in the place of its placeholders."""

WHATS = ("trades", "orders", "fills", "signals", "risk", "queue", "equity", "logs")


def filled_in(text: str) -> str:
    """The alert's text as TradingView sends it. A placeholder that it does not know stops the test."""
    return re.sub(r"\{\{([^}]*)\}\}", lambda match: EXAMPLES[match[1]], text)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Headless]:
    """An engine with one entry that rests, for the commands that are used beside one."""
    folder = tmp_path_factory.mktemp("running")
    write_config(folder)
    with Headless(folder).ready() as process:
        assert process.post(entry("20000"))[0] == 202
        yield process


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_is_an_alert_once_tradingview_has_filled_it_in(tmp_path: Path, template: str):
    write_config(tmp_path, listener={"public_url": "https://alerts.example.org/"})
    result = exengine("signal", "--template", template, "--config", tmp_path / "config.json")
    assert (result.returncode, result.stderr) == (0, "")
    text, _, rest = result.stdout.partition("\n\n")
    assert f"https://alerts.example.org/webhook/{TOKEN}" in rest
    assert SECRET not in result.stdout
    assert isinstance(json.loads(filled_in(text)), dict)
    assert isinstance(parse_signal(parse_body(filled_in(text))), Signal)


def test_where_only_the_bodys_secret_is_read_it_stands_in_the_text_and_no_token_in_the_url(tmp_path: Path):
    write_config(tmp_path, security={"webhook_auth": "secret"})
    result = exengine("signal", "--config", tmp_path / "config.json")
    assert json.loads(filled_in(result.stdout.partition("\n\n")[0]))["secret"] == SECRET
    assert TOKEN not in result.stdout


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_sent_template_is_taken_by_the_engine_and_its_answer_printed(running: Headless, template: str):
    real = ["--symbol", "ETHUSDT", "--timeframe", "1h", "--price", "1000"]
    result = exengine("signal", "--template", template, "--send", *real, *running.options)
    assert (result.returncode, result.stderr) == (0, "")
    assert re.fullmatch(r'202 \{"status": "accepted", "signal_id": \d+\}\n', result.stdout)


@pytest.mark.parametrize("auth", ["token", "secret", "hmac"])
def test_what_is_sent_is_proven_in_the_way_that_is_asked_for(tmp_path: Path, auth: str):
    write_config(tmp_path, security={"webhook_auth": auth})
    with Headless(tmp_path).ready() as process:
        real = ["--symbol", "BTCUSDT", "--timeframe", "15", "--price", "20000"]
        result = exengine("signal", "--send", *real, *process.options)
        assert result.stdout.startswith("202 "), result.stdout + result.stderr


def test_a_refused_alert_prints_why_and_returns_1(running: Headless):
    real = ["--symbol", "NOSUCHCOIN", "--timeframe", "15", "--price", "1"]
    result = exengine("signal", "--send", *real, *running.options)
    assert result.returncode == 1
    assert result.stdout.startswith("422 ")
    assert "tv.symbol" in result.stdout


def test_an_alert_cannot_be_sent_with_tradingviews_placeholders_in_it(running: Headless):
    result = exengine("signal", "--send", "--symbol", "BTCUSDT", *running.options)
    assert result.returncode == 1
    assert "needs --timeframe, --price" in result.stderr


def test_an_alert_that_nobody_answers_says_so(tmp_path: Path):
    write_config(tmp_path)
    real = ["--symbol", "BTCUSDT", "--timeframe", "15", "--price", "1"]
    result = exengine("signal", "--send", *real, "--config", tmp_path / "config.json")
    assert result.returncode == 1
    assert "nobody answered" in result.stderr
    assert TOKEN not in result.stdout + result.stderr


@pytest.mark.parametrize("what", WHATS)
def test_every_table_is_exported_in_both_forms_while_the_engine_runs(running: Headless, tmp_path: Path, what: str):
    out = tmp_path / "out.csv"
    as_csv = exengine("export", "--what", what, "--out", out, *running.options)
    assert (as_csv.returncode, as_csv.stdout, as_csv.stderr) == (0, "", "")
    as_json = exengine("export", "--what", what, "--format", "json", *running.options)
    assert (as_json.returncode, as_json.stderr) == (0, "")
    rows, objects = list(csv.DictReader(io.StringIO(out.read_text()))), json.loads(as_json.stdout)
    assert len(rows) == len(objects)
    if what in ("trades", "orders", "signals", "logs"):
        assert rows
        assert list(objects[0]) == list(rows[0])


def test_an_export_of_nothing_says_where_it_looked(tmp_path: Path):
    result = exengine("export", "--what", "trades", "--data-dir", tmp_path)
    assert result.returncode == 1
    assert str(tmp_path) in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_doctor_finds_all_well_beside_a_running_engine(running: Headless):
    result = exengine("doctor", *running.options)
    assert result.returncode == 0, result.stdout
    checks = [re.match(r"ok    ([^:]+): .", line) for line in result.stdout.splitlines()]
    assert all(checks)
    assert [check[1] for check in checks if check] == [
        "configuration", "data folder", "store", "secrets", "alerts", "port", "certificate", "tunnel", "public address",
        "clock", "account paper",
    ]  # fmt: skip
    assert "in use by the running engine" in result.stdout
    assert TOKEN not in result.stdout


def test_the_doctor_changes_nothing_where_nothing_is_yet(tmp_path: Path):
    write_config(tmp_path)
    result = exengine("doctor", "--data-dir", tmp_path / "data", "--config", tmp_path / "config.json")
    assert result.returncode == 0, result.stdout
    assert not (tmp_path / "data").exists()


def test_the_doctor_names_what_fails_and_returns_1(tmp_path: Path, running: Headless):
    write_config(tmp_path, listener={"port": running.port})
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "exengine.sqlite3").write_bytes(b"no database at all, " * 500)
    result = exengine("doctor", "--data-dir", tmp_path / "data", "--config", tmp_path / "config.json")
    assert result.returncode == 1
    failed = [line.split(":")[0].split()[1] for line in result.stdout.splitlines() if line.startswith("FAIL")]
    assert failed == ["store", "port"]


def test_the_doctor_names_a_bad_key_of_the_configuration_by_its_path(tmp_path: Path):
    write_config(tmp_path, queue={"limit": -3})
    result = exengine("doctor", "--data-dir", tmp_path / "data", "--config", tmp_path / "config.json")
    assert result.returncode == 1
    assert result.stdout.startswith("FAIL  configuration: ")
    assert "queue.limit" in result.stdout


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["export"], ["export", "--what", "secrets"], ["run", "--sideways"]]
)
def test_wrong_use_returns_2_and_says_how_it_is_used(arguments: list[str]):
    result = exengine(*arguments)
    assert result.returncode == 2
    assert "usage: exengine" in result.stderr


def test_the_version_is_told():
    result = exengine("--version")
    assert (result.returncode, result.stdout) == (0, f"ExEngine {__version__}\n")


def test_help_comes_at_once_and_imports_nothing_heavy():
    began = time.monotonic()
    assert exengine("--help").returncode == 0
    assert time.monotonic() - began < 2
    heavy = ("PySide6", "qasync", "pyqtgraph", "ccxt", "sqlalchemy", "alembic", "aiohttp", "pydantic", "numpy")
    code = f"import sys, exengine.__main__; print([name for name in {heavy} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="other systems have a screen wherever they have a user"
)
def test_without_a_screen_the_desktop_program_says_so_and_starts_nothing(tmp_path: Path):
    bare = {
        name: value for name, value in environment().items() if "DISPLAY" not in name and not name.startswith("QT_")
    }
    command = [sys.executable, "-m", "exengine", "--data-dir", str(tmp_path / "data")]
    result = subprocess.run(command, cwd=ROOT, env=bare, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 1
    assert result.stderr.startswith("exengine: There is no screen to show the window on")
    assert "exengine run --headless" in result.stderr
    assert not (tmp_path / "data").exists()


BLOCKED = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("PySide6", "shiboken6", "qasync", "pyqtgraph", "pytestqt"):
            raise ModuleNotFoundError(f"{name} is not to be had here", name=name)

sys.meta_path.insert(0, Blocker())
"""


def without_qt(code: str, *, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Python in which nothing of Qt can be imported."""
    return subprocess.run(
        [sys.executable, "-c", BLOCKED + code],
        cwd=ROOT,
        env=env or environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_the_headless_program_needs_no_qt(tmp_path: Path):
    write_config(tmp_path)
    code = f"""
import asyncio
from pathlib import Path
from exengine.bootstrap.program import Program
from exengine.cli import doctor, export, headless, signal
from exengine.settings.paths import DataDir

async def main():
    program = Program(DataDir(Path({str(tmp_path / "data")!r})), Path({str(tmp_path / "config.json")!r}))
    await program.start()
    await program.stop()

asyncio.run(main())
"""
    result = without_qt(code)
    assert (result.returncode, result.stderr) == (0, "")


CORE = ("domain", "engine", "executor", "paper", "group", "order", "money", "signal", "settings", "store", "webhook")
"""Of the unit tests those that are run once more here; all of them are imported. By hand: the whole of tests/unit."""


def test_the_unit_tests_pass_where_qt_cannot_be_imported(tmp_path: Path):
    unit = ROOT / "tests" / "unit"
    core = [str(path) for path in sorted(unit.glob("test_*.py")) if path.stem.split("_")[1] in CORE]
    assert len(core) > 10
    for arguments in (["--collect-only", str(unit)], core):
        result = without_qt(f"import pytest\nsys.exit(pytest.main({[*pytest_options(tmp_path), *arguments]!r}))")
        assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-1000:]
    assert " passed" in result.stdout


def pytest_options(folder: Path) -> list[str]:
    """As pyproject.toml has them, but without pytest-qt, which needs Qt itself."""
    config = folder / "pytest.ini"
    config.write_text(
        "[pytest]\n"
        "asyncio_mode = auto\n"
        "asyncio_default_fixture_loop_scope = function\n"
        f"pythonpath = {ROOT}\n"
        "addopts = --import-mode=importlib\n"
        "xfail_strict = true\n"
    )
    return ["-q", "-x", "-p", "no:pytest-qt", "-p", "no:cacheprovider", "-c", str(config)]


def test_a_reader_that_goes_early_gets_no_traceback(running: Headless):
    command = [sys.executable, "-m", "exengine", "export", "--what", "logs", *running.options]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait(timeout=30) == 0
