"""Keeps the look that the trader chose in the View menu: in the configuration, so that it is there after a restart."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject

from exengine.domain.errors import UserError
from exengine.settings.file import ONE_WRITER, read, save
from exengine.settings.program_pages import PnlPalette, Theme
from exengine.ui.loop import spawn
from exengine.ui.one_shot import one_shot
from exengine.ui.theme import Look

log = logging.getLogger(__name__)

QUIET_MS = 500
"""How long the look must stand still: somebody who tries sizes is not written down step by step."""

Choice = tuple[str, str, int]
"""Theme, palette and font size, as the configuration spells them."""


class LookMemory(QObject):
    """Writes `ui.theme`, `ui.pnl_palette` and `ui.font_size`, and nothing else of the file."""

    def __init__(self, look: Look, config_file: Path, *, locked: Callable[[], bool] = lambda: False) -> None:
        """Nothing is written while `locked`: it is a change of settings like any other."""
        super().__init__(look)
        self._look, self._file, self._locked = look, config_file, locked
        self._kept = self._choice
        self._timer = one_shot(self, self._save, after_ms=QUIET_MS)
        self._saving: asyncio.Task[None] | None = None
        look.changed.connect(self._on_changed)

    @property
    def _choice(self) -> Choice:
        look = self._look
        return (look.scheme.value, look.pnl_palette.replace("/", "_"), look.font_size)

    def _on_changed(self) -> None:
        if self._choice != self._kept and not self._locked():
            self._timer.start()

    def _save(self) -> None:
        choice = self._choice
        if choice == self._kept:
            return
        self._kept = choice
        self._saving = spawn(asyncio.to_thread(keep, self._file, choice), name="keep the look", on_error=_told)

    async def saved(self) -> None:
        """Writes what still waits; before the program ends."""
        if self._timer.isActive():
            self._timer.stop()
            self._save()
        if self._saving is not None:
            await asyncio.wait([self._saving])


def keep(config_file: Path, choice: Choice) -> None:
    """Puts a look into the configuration as it is on the disk now. Raises ConfigError where that cannot be used."""
    theme, palette, size = choice
    with ONE_WRITER:
        config = read(config_file)
        chosen = {"theme": Theme(theme), "pnl_palette": PnlPalette(palette), "font_size": size}
        page = config.ui.model_copy(update=chosen)
        if page != config.ui:
            save(config_file, config.model_copy(update={"ui": page}))


def _told(error: BaseException) -> None:
    said = "is not kept" if isinstance(error, UserError | OSError) else "is not kept because of a defect"
    log.warning("the chosen look %s: %s", said, error)
