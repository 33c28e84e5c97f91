"""The way to the tunnel from the Tools menu and the palette."""

from PySide6.QtCore import QObject

from exengine.ui.actions import Action
from exengine.ui.tunnel_sheet import TunnelSheet, WayInDesk
from exengine.ui.window import Window


class TunnelEntry(QObject):
    """Opens its sheet, and keeps that up to date while it is open."""

    def __init__(self, window: Window, desk: WayInDesk) -> None:
        super().__init__(window)
        self._window, self._desk = window, desk
        window.registry.add(
            Action(
                id="tunnel", text="Tunnel…", call=self.open, menu="Tools", group="tools", icon="webhook", acts=True,
                words="public address url cloudflared ngrok tailscale funnel start stop way in",
            )
        )  # fmt: skip

    def open(self) -> None:
        window, clicks = self._window, self._window.clicks
        if clicks.sheet is not None:
            return
        sheet = TunnelSheet(window.look, window.icons, window, self._desk)
        sheet.copy_asked.connect(lambda: clicks.copy("Webhook URL", clicks.setup.webhook_url))
        window.bridge.ticked.connect(sheet.refresh)
        clicks.show(sheet)
