"""The tunnel from the Tools menu: what it says of each state, and that to start and stop it is one applied setting."""

import asyncio
import os
import sys

import pytest
from PySide6.QtGui import QGuiApplication

from exengine.cli.desktop import way_in_of
from exengine.domain.errors import UserError
from exengine.settings.file import read
from exengine.settings.follow import DiskEdit
from exengine.settings.program_pages import TunnelProgram
from exengine.ui.tunnel_entry import TunnelEntry
from exengine.ui.tunnel_sheet import OWN
from tests.integration.test_tunnel import CLOUDFLARED, STAYS, stand_in
from tests.ui.test_on_the_real_engine import Desktop, on_the_desktop
from tests.ui.way_in import UP, WayIn


@pytest.fixture
def opened(stage, tmp_path):
    def make(**listener: object):
        stage.put_sample()
        way_in = WayIn(tmp_path, **listener)
        entry = TunnelEntry(stage.window, way_in.desk)
        stage.window.registry.run("tunnel")
        return way_in, entry, stage.window.clicks.sheet

    yield make
    if stage.window.clicks.sheet is not None:
        stage.window.clicks.sheet.reject()


def press(on_loop, sheet) -> None:
    async def main() -> None:
        sheet.action.click()
        async with asyncio.timeout(20):
            while sheet._is_busy:  # noqa: ASYNC110  # the sheet tells nobody but the trader
                await asyncio.sleep(0.005)

    on_loop.run_until_complete(main())


def test_without_one_it_says_what_that_means_and_offers_what_is_installed(opened):
    _, _, sheet = opened()
    assert (sheet.state.text(), sheet.address.text(), sheet.outside.text()) == (
        "Off", "None yet: no alert can come in", "There is no address to try yet",
    )  # fmt: skip
    assert not sheet.copy.isEnabled()
    assert (sheet.action.text(), sheet.action.property("kind")) == ("Start tunnel", "primary")
    offered = [sheet.program.itemText(row) for row in range(sheet.program.count())]
    assert offered == [
        "The first that is installed: ngrok", "cloudflared (quick tunnel) · not installed", "ngrok",
        "Tailscale Funnel · not installed",
    ]  # fmt: skip


def test_what_is_chosen_is_started_and_stopped_as_a_setting_that_is_applied(opened, on_loop, stage):
    way_in, _, sheet = opened()
    sheet.program.setCurrentIndex(2)
    press(on_loop, sheet)
    assert [config.listener.tunnel for config in way_in.settings.applied] == [TunnelProgram.NGROK]
    assert sheet.answer_line.text() == "It is being started."
    way_in.about |= UP
    stage.bridge.ticked.emit(stage.now_ms)
    assert (sheet.state.text(), sheet.address.text(), sheet.outside.text()) == (
        "cloudflared is up", UP["public_url"], "Reached, 120 ms",
    )  # fmt: skip
    assert (sheet.action.text(), sheet.program.isEnabled()) == ("Stop tunnel", False)
    assert sheet.action.property("kind") == "", "what cuts off all alerts is not what is offered first"
    sheet.copy.click()
    assert QGuiApplication.clipboard().text() == stage.window.clicks.setup.webhook_url
    press(on_loop, sheet)
    assert way_in.settings.config.listener.tunnel is TunnelProgram.OFF
    assert (sheet.action.text(), sheet.action.property("kind")) == ("Start tunnel", "primary")


def test_a_refusal_is_told_in_words_and_nothing_has_changed(opened, on_loop):
    way_in, _, sheet = opened()
    way_in.settings.fails_with = UserError("The port is taken.", safe="Nothing was changed.")
    press(on_loop, sheet)
    assert sheet.answer_line.text() == "The port is taken. Nothing was changed."
    assert (sheet.action.text(), sheet.action.isEnabled()) == ("Start tunnel", True)


def test_an_edit_of_the_file_is_not_written_over(opened, on_loop):
    way_in, _, sheet = opened()
    way_in.settings.edit = DiskEdit(config=None, fault="it is no JSON")
    press(on_loop, sheet)
    assert sheet.answer_line.text().startswith(
        "The file config.json was changed outside of the program. Nothing was changed."
    )
    assert way_in.settings.applied == []


def test_a_public_address_of_the_settings_comes_first_and_it_says_so(opened):
    _, _, sheet = opened(public_url="https://hooks.example.com", tunnel="ngrok")
    assert OWN in sheet.meaning.accessibleName()
    assert sheet.program.currentText() == "ngrok"


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script of a Unix shell")
def test_it_runs_on_the_program_and_is_there_no_more_when_it_is_stopped(look, tmp_path, monkeypatch, qtbot):
    stand_in(tmp_path / "bin", "cloudflared", CLOUDFLARED + STAYS)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")

    async def play(desktop: Desktop) -> None:
        TunnelEntry(desktop.window, way_in_of(desktop.program))
        await desktop.shows(lambda: desktop.window.book.engine is not None)
        desktop.window.registry.run("tunnel")
        sheet = desktop.window.clicks.sheet
        sheet.action.click()
        await desktop.shows(lambda: sheet.address.text() == UP["public_url"])
        assert read(desktop.program.config_file).listener.tunnel is TunnelProgram.AUTO
        sheet.copy.click()
        assert QGuiApplication.clipboard().text().startswith(f"{UP['public_url']}/webhook/")
        await desktop.shows(sheet.action.isEnabled)
        sheet.action.click()
        await desktop.shows(lambda: sheet.state.text() == "Off" and sheet.action.isEnabled())
        assert desktop.program.public_url == ""
        assert read(desktop.program.config_file).listener.tunnel is TunnelProgram.OFF
        sheet.reject()

    on_the_desktop(look, tmp_path, monkeypatch, play, ui={"theme": "dark"})
