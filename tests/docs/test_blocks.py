"""Every fenced block of README and help: commands are run, texts are read by the parser that will read them."""

import asyncio
import configparser
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

import exengine
from exengine.domain.instrument import Side
from exengine.domain.meaning import Meaning, meaning
from exengine.domain.signal import Signal
from exengine.domain.signal_body import parse_body
from exengine.domain.signal_parse import parse_signal
from exengine.exchange import market_rules
from exengine.exchange.markets.price_file import check
from exengine.replay.signals_file import read_signals
from exengine.settings.file import checked
from exengine.settings.pages import Config
from exengine.settings.variants import read_grid
from tests.docs.blocks import HELP, ROOT, Block, blocks_of, outside, pages
from tests.docs.shell import LOOKED_AT, Shell
from tests.ui.help_texts import FILLED

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the commands are written for a POSIX shell")

TAGS = {"sh", "json", "jsonl", "csv", "python", "pine", "ini", "sql", "text"}
NO_OUTPUT = {
    "https://hooks.example.com/webhook/YOUR-TOKEN": "the address, filled in by the program",
    "0 4 * * *  exengine backup": "a line of a crontab",
    "bytes → auth": "how things flow",
}
"""The beginnings of those `text` blocks that do not show what the commands before them printed."""
VARIABLES = re.compile(r"EXENGINE_(WEBHOOK_TOKEN|WEBHOOK_SECRET|PASSPHRASE|DATABASE_PASSWORD)")
HEALTH = {"status", "version"}
PLOTS = {"plot_0": "49000", "plot_1": "51000"}
ALL = [block for page in pages() for block in blocks_of(page)]


def of(tag: str) -> list[Block]:
    return [block for block in ALL if block.tag == tag]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_each_block_has_a_tag_that_is_known_and_no_code_stands_outside_of_one(page):
    assert {block.tag for block in blocks_of(page)} <= TAGS
    loose = [line for line in outside(page).splitlines() if line.startswith("    ") or "```" in line]
    assert loose == []


# sh -------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    """What a first run leaves behind."""
    shell = Shell(tmp_path_factory.mktemp("first"))
    shell.run("exengine run --headless")
    shell.close()
    return shell.data_dir / "exengine.sqlite3"


@pytest.fixture
def shell(tmp_path, store) -> Iterator[Shell]:
    shell = Shell(tmp_path, store=store)
    yield shell
    shell.close()


WITH_COMMANDS = sorted({block.page for block in of("sh")})


@pytest.mark.parametrize("name", WITH_COMMANDS)
def test_every_command_does_what_the_page_says(name, shell):
    printed: str | None = None
    (page,) = (page for page in pages() if page.name == name)
    for block in blocks_of(page):
        if block.tag == "sh":
            printed = shell.run(block.text)
            continue
        if block.file == "config.json":
            shell.configure(fragment(block))
        elif block.file:
            (shell.folder / block.file).write_text(block.text)
        elif printed is not None and is_output(block):
            assert_shows(block, printed)
        printed = None


def assert_shows(block: Block, printed: str) -> None:
    """A block behind a command is what that prints; `…` is for what differs from run to run."""
    if block.tag == "json":
        assert json.loads(printed) == json.loads(block.text) | {"version": exengine.__version__}
        return
    shown = "".join(".*?" if one == "…" else re.escape(one) for one in re.split("(…)", block.text.strip()))
    assert re.search(shown, printed), f"{block}\n{printed}"


def is_output(block: Block) -> bool:
    """Texts are, but for those that were looked at; of JSON only the answer of `/health`."""
    return not is_no_output(block) if block.tag == "text" else block.tag == "json" and set(fragment(block)) == HEALTH


def is_no_output(block: Block) -> bool:
    return any(block.text.startswith(one) for one in NO_OUTPUT)


def test_a_text_that_is_no_output_is_one_that_was_looked_at():
    for page in pages():
        before = ""
        for block in blocks_of(page):
            assert block.tag != "text" or before == "sh" or is_no_output(block), block
            before = block.tag


def test_nothing_is_only_looked_at_that_stands_nowhere():
    commands = " ".join(block.text.replace("\\\n", " ") for block in of("sh"))
    unused = [
        f"{program} {line}"
        for program, lines in LOOKED_AT.items()
        for line in lines
        if f"{program.rpartition('/')[2]} {line}" not in commands
    ]
    assert unused == []


def test_a_command_that_was_not_looked_at_fails(tmp_path, store):
    shell = Shell(tmp_path, store=store)
    for command in ("cloudflared tunnel --uri x", "sudo systemctl stop exengine", "python3 packaging/dev.py fly"):
        with pytest.raises(AssertionError, match=r"looked at|no command"):
            shell.run(command)
    with pytest.raises(AssertionError, match="invalid choice"):
        shell.run("exengine signal --template jump")


# json, jsonl, csv -----------------------------------------------------------------------------------------------------


def fragment(block: Block) -> dict[str, Any]:
    """The object that a block spells; a part of a configuration may stand without its braces."""
    text = block.text.strip()
    found: dict[str, Any] = json.loads(text if text.startswith("{") else f"{{{text}}}", parse_float=str)
    return found


@pytest.mark.parametrize("block", of("json"), ids=str)
def test_every_json_is_what_the_program_reads(block, tmp_path):
    found = fragment(block)
    if "tv" in found:
        assert_alert(block.text)
    elif any("/" in key for key in found):
        assert market_rules.from_json(block.text)
    elif set(found) == HEALTH:
        assert found["status"] in ("running", "paused", "error")
    elif any("." in key for key in found):
        (tmp_path / "G.json").write_text(block.text)
        assert read_grid(tmp_path / "G.json", Config())
    else:
        checked(found)


def assert_alert(text: str) -> Signal:
    """TradingView fills it in, and it is a signal that means something."""
    placeholders = FILLED | PLOTS | {"timenow": "2026-11-23T05:00:00Z"}
    body = parse_body(re.sub(r"{{(.*?)}}", lambda found: placeholders[found[1]], text))
    signal = parse_signal(body)
    assert isinstance(signal, Signal), signal
    assert isinstance(meaning(signal, Side.LONG), Meaning)
    return signal


@pytest.mark.parametrize("block", of("jsonl"), ids=str)
def test_every_line_of_signals_can_be_replayed(block, tmp_path):
    (tmp_path / "S.jsonl").write_text(block.text)
    assert len(read_signals(tmp_path / "S.jsonl")) == len(block.text.splitlines())


@pytest.mark.parametrize("block", of("csv"), ids=str)
def test_every_table_of_prices_can_be_replayed(block, tmp_path):
    (tmp_path / block.file).write_text(block.text)
    prices = check(tmp_path / block.file)
    assert prices.first_ms < prices.last_ms


# the others -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", of("python"), ids=str)
def test_every_python_runs(block, tmp_path):
    command = [sys.executable, "-W", "error", "-c", block.text]
    env = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path)}
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("block", of("pine"), ids=str)
def test_every_script_is_one_of_the_templates(block):
    assert block.text in {path.read_text(encoding="utf-8") for path in (ROOT / "resources" / "pine").glob("*.pine")}


@pytest.mark.parametrize("block", of("ini"), ids=str)
def test_every_environment_file_holds_variables_that_are_read(block):
    for line in block.text.splitlines():
        name, equals, value = line.partition("=")
        assert VARIABLES.fullmatch(name), line
        assert equals
        assert value


@pytest.mark.parametrize("block", of("sql"), ids=str)
def test_every_statement_makes_what_a_database_needs(block, postgres):
    """The tests' own server has a role of that name already, so that another one is made."""
    statements = re.sub(r"\bexengine\b", "trader", block.text)
    root = postgres.root

    async def run() -> str:
        connection = await asyncpg.connect(
            host=root.host, port=root.port, user=root.user, password=root.password, database=root.database
        )
        for statement in filter(str.strip, statements.split(";")):
            await connection.execute(statement)
        await connection.close()
        theirs = await asyncpg.connect(
            host=root.host, port=root.port, user="trader", password="a long random password", database="trader"
        )
        try:
            await theirs.execute("CREATE TABLE made (id bigint)")
            return str(await theirs.fetchval("SELECT current_user"))
        finally:
            await theirs.close()

    assert asyncio.run(run()) == "trader"


# files that the pages name --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("script", "expected"), [("entry", "entry"), ("exit", "exit"), ("strategy", "strategy")])
def test_a_templates_alert_is_taken_by_the_parser(script, expected):
    text = (ROOT / "resources" / "pine" / f"{script}.pine").read_text(encoding="utf-8")
    assert text.startswith("//@version=6\n")
    (message,) = re.findall(r"(?:alertcondition\(.*, '|//@strategy_alert_message )(\{.*\})'?\)?$", text, flags=re.M)
    from exengine.domain.alert_text import AlertTemplate, alert_body

    assert json.loads(message) == alert_body(AlertTemplate(expected))
    assert_alert(message)


def test_the_texts_on_the_page_are_those_that_the_program_prints():
    from exengine.domain.alert_text import AlertTemplate, alert_body, alert_text

    shown = {block.text.strip() for block in blocks_of(HELP / "tradingview.md") if block.tag == "json"}
    for template in (AlertTemplate.ENTRY, AlertTemplate.EXIT, AlertTemplate.REDUCE, AlertTemplate.REVERSE):
        assert alert_text(alert_body(template)) in shown


UNIT = ROOT / "resources" / "systemd" / "exengine.service"


def test_the_unit_is_one_that_systemd_takes(tmp_path):
    program = tmp_path / "exengine"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / "exengine.service"
    unit.write_text(UNIT.read_text(encoding="utf-8").replace("/opt/exengine/bin/exengine", str(program)))
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(unit.read_text())
    assert set(parser.sections()) == {"Unit", "Service", "Install"}
    from exengine.__main__ import _parser

    words = parser["Service"]["ExecStart"].split()
    options = _parser().parse_args(words[1:])
    assert (options.command, options.headless) == ("run", True)
    try:
        done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no systemd here")
    about = [line for line in done.stderr.splitlines() if "exengine.service" in line]
    assert about == []
    assert done.returncode == 0, done.stderr
