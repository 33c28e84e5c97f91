"""The tunnel dialog's other side without a tunnel, and its scenes for the pictures."""

from pathlib import Path
from typing import TYPE_CHECKING

from exengine.engine.status import ListenerStatus
from exengine.ui.tunnel_entry import TunnelEntry
from exengine.ui.tunnel_sheet import WayInDesk
from tests.ui import panels, rows
from tests.ui.settings_desk import MemoryDesk, config_of

if TYPE_CHECKING:
    from tests.ui.screens import Stage

UP = {
    "public_url": "https://calm-river-1234.trycloudflare.com",
    "public_state": "Reached, 120 ms",
    "is_reached": True,
    "tunnel": "cloudflared is up",
}


class WayIn:
    """The sheet's other side: a configuration in memory, and a listener that is as a test says."""

    def __init__(self, folder: Path, *, installed: tuple[str, ...] = ("ngrok",), **listener: object) -> None:
        config = config_of(listener=listener)
        self.settings = MemoryDesk(config, folder / "config.json")
        self.about: dict[str, object] = {"public_url": "", "public_state": "", "is_reached": None, "tunnel": ""}
        self.desk = WayInDesk(settings=self.settings, listener=self.status, installed=lambda: installed)

    def status(self) -> ListenerStatus:
        return ListenerStatus(
            listening=True, address="http://127.0.0.1:8787/webhook", last_hit_at_ms=None, **self.about
        )  # type: ignore[arg-type]


def tunnel_off(stage: "Stage") -> None:
    _opened(stage)


def tunnel_up(stage: "Stage") -> None:
    way_in = _opened(stage, installed=("cloudflared", "ngrok"), tunnel="cloudflared")
    way_in.about |= UP
    stage.bridge.ticked.emit(stage.bridge.now_ms())


def _opened(stage: "Stage", installed: tuple[str, ...] = ("ngrok",), **listener: object) -> WayIn:
    stage.put(
        rows.changes(rows.sample_groups(), quotes=rows.sample_quotes(), engine=rows.engine(), panels=panels.sample())
    )
    way_in = WayIn(Path(), installed=installed, **listener)
    TunnelEntry(stage.window, way_in.desk)
    stage.window.registry.run("tunnel")
    return way_in
