"""The configuration file of a running program: edited, broken, applied by a signal, killed half-way (SPEC §9, §14)."""

import asyncio
import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from exengine.bootstrap import following
from exengine.bootstrap.following import apply_file
from exengine.domain.instrument import Side
from exengine.settings import unconfirmed
from exengine.settings.file import checked, read
from exengine.settings.problems import ConfigError
from tests.helpers.books import check_books
from tests.helpers.program import Headless, entry, eventually, program, write_config


def edit(file: Path, **pages: Any) -> None:
    tree = json.loads(file.read_text())
    for name, page in pages.items():
        tree[name] = tree.get(name, {}) | page
    file.write_text(json.dumps(tree))


async def told(running: Any) -> None:
    """Returns when the program has told that something about its configuration is new."""
    heard = asyncio.Event()
    end = running.program.subscribe(heard.set)
    await asyncio.wait_for(heard.wait(), 20)
    end()


async def test_an_edit_is_offered_and_changes_nothing_before_it_is_applied(tmp_path, monkeypatch):
    monkeypatch.setattr(following, "FOLLOW_S", 0.02)
    async with program(tmp_path, monkeypatch) as running:
        desk = running.program.settings_desk
        edit(running.program.config_file, pool={"max_open_groups": 3})
        await told(running)
        assert desk.edit is not None
        assert desk.edit.config is not None
        assert desk.config.pool.max_open_groups == 10
        assert [one.text for one in desk.consequences(desk.edit.config)] == ["3 groups may be open at once, not 10."]
        assert any("was changed on the disk" in row.text for row in running.program.views.take().log)
        assert await apply_file(running.program) == f"{running.program.config_file} is in effect."
        assert (desk.edit, desk.config.pool.max_open_groups) == (None, 3)
        assert running.program.views.take().resolved
        assert await apply_file(running.program) == f"{running.program.config_file} is what runs already."


async def test_a_broken_file_is_named_and_what_runs_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(following, "FOLLOW_S", 0.02)
    async with program(tmp_path, monkeypatch) as running:
        file, desk = running.program.config_file, running.program.settings_desk
        file.write_text('{"pool": {"max_open_groups": ')
        await told(running)
        assert desk.edit is not None
        assert desk.edit.config is None
        assert "is not valid JSON" in desk.edit.fault
        with pytest.raises(ConfigError):
            await apply_file(running.program)
        await running.market.tick("50100")
        assert (await running.post(entry("50000")))[0] == 202
        await desk.apply(checked(desk.config.model_dump(mode="json") | {"pool": {"max_open_groups": 4}}))
        assert read(file).pool.max_open_groups == 4
        assert desk.edit is None


async def test_the_look_that_the_window_keeps_is_no_edit(tmp_path, monkeypatch):
    monkeypatch.setattr(following, "FOLLOW_S", 0.02)
    async with program(tmp_path, monkeypatch) as running:
        edit(running.program.config_file, pool={"max_open_groups": 3})
        await told(running)
        edit(running.program.config_file, ui={"theme": "dark"}, pool={"max_open_groups": 10})
        await told(running)
        assert (running.program.file_watch.edit, running.program.config.ui.theme.value) == (None, "dark")


async def test_the_desk_previews_a_draft_on_what_is_there(tmp_path, monkeypatch):
    async with program(tmp_path, monkeypatch) as running:
        await running.market.tick("50100")
        desk = running.program.settings_desk
        draft = checked({"sizing": {"amount": "1000"}})
        assert desk.accounts(draft) == ("paper",)
        assert desk.symbols("paper") == ("BTC/USDT", "ETH/USDT")
        shown = desk.ladder(draft, "paper", "BTC/USDT", Side.LONG)
        assert shown is not None
        assert (shown.price, shown.capital) == (50100, 1000)
        assert desk.ladder(draft, "paper", "ETH/USDT", Side.LONG) is None


# the real process ----------------------------------------------------------------------------------------------------

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGHUP")


@posix
def test_sighup_applies_the_file_while_alerts_come_in(tmp_path):
    write_config(tmp_path, pool={"max_open_groups": 2})
    with Headless(tmp_path) as process:
        process.ready()
        answers = []
        for number, timeframe in enumerate((1, 3, 5, 15, 30, 45)):
            if number == 3:
                edit(process.config_file, pool={"max_open_groups": 6})
                process.process.send_signal(signal.SIGHUP)
            answers.append(process.post(entry("95000", tv__timeframe=str(timeframe)))[0])
        assert answers == [202] * 6
        eventually(lambda: "is in effect" in process.output, what="the new configuration")
        edit(process.config_file, pool={"max_open_groups": 0})
        process.process.send_signal(signal.SIGHUP)
        eventually(lambda: "was not applied" in process.output, what="the refusal")
        assert "pool.max_open_groups" in process.output
        assert process.health() == "running"
        assert process.stop() == 0


@posix
def test_a_kill_at_any_moment_of_an_apply_loses_and_doubles_nothing(tmp_path):
    """Killed at a later moment each time, with alerts coming in and every paper account connected anew for it."""
    file = write_config(tmp_path, pool={"max_open_groups": 90})
    answered: list[int] = []
    for life, delay_ms in enumerate((0, 15, 60)):
        with Headless(tmp_path) as process:
            process.ready()
            edit(file, pool={"max_open_groups": 91 + life}, sim={"slippage_percent": f"0.{life}"})
            answered += [posted(process, f"{life}1"), posted(process, f"{life}3")]
            process.process.send_signal(signal.SIGHUP)
            answered.append(posted(process, f"{life}5"))
            time.sleep(delay_ms / 1000)
            process.stop(signal.SIGKILL)
        assert read(file).pool.max_open_groups == 91 + life
    with Headless(tmp_path) as process:
        process.ready()
        eventually(lambda: not unconfirmed.mark(file).exists(), what="the proof of the configuration")
        assert process.stop() == 0
    books = check_books(process.database, answered=answered, slots=93)
    assert len(books.groups) == len(answered) == 9


def posted(process: Headless, seconds: str) -> int:
    """An entry of its own group; its signal's id."""
    status, answer = process.post(entry("95000", tv__timeframe=f"{seconds}S"))
    assert status == 202
    return int(answer["signal_id"])
