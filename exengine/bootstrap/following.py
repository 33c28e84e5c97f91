"""Follows the configuration file of a running program, and tells of it: in the log, and to whoever shows it."""

import asyncio
import logging
import sys
from typing import TYPE_CHECKING

from exengine.domain.errors import UserError
from exengine.domain.journal import Category, Severity
from exengine.settings.file import read
from exengine.settings.follow import DiskEdit, Follower
from exengine.settings.notification_urls import plain_urls

if TYPE_CHECKING:
    from exengine.bootstrap.program import Program

log = logging.getLogger(__name__)

FOLLOW_S = 1.0
"""How often the file is looked at."""


class FileWatch:
    """The file of one running program, and what of it is not what runs."""

    def __init__(self, program: "Program") -> None:
        self.edit: DiskEdit | None = None
        self._program = program
        self._line: int | None = None
        """The number of the log line that tells of the edit."""

    async def follow(self) -> None:
        """Looks at the file until cancelled; while a configuration is applied it is nobody's edit."""
        program = self._program
        follower = Follower(program.config_file)
        while True:
            if not program.is_applying and await asyncio.to_thread(follower.has_news) and not program.is_applying:
                running = program.config
                edit = await asyncio.to_thread(follower.judged, running)
                if program.config is running and not program.is_applying:
                    edit = await self._without_urls(edit)
                if program.config is running and not program.is_applying:
                    self._judged(edit)
            await asyncio.sleep(FOLLOW_S)

    async def _without_urls(self, edit: DiskEdit | None) -> DiskEdit | None:
        """The edit, with addresses of notifications moved out of it and out of the file."""
        program = self._program
        if edit is None or edit.config is None or not plain_urls(edit.config):
            return edit
        try:
            moved = await program.move_urls()
            config = await asyncio.to_thread(read, program.config_file)
        except UserError as error:
            return DiskEdit(config=None, fault=str(error))
        program.engine.note(Severity.WARNING, Category.SYSTEM, moved)
        return None if config == program.config else DiskEdit(config=config)

    def _judged(self, edit: DiskEdit | None) -> None:
        program = self._program
        has_look = False
        if edit is not None and edit.config is not None:
            look = edit.config.ui
            if edit.config == program.config.model_copy(update={"ui": look}):
                # The View menu keeps the look there by itself, and nothing of the engine depends on it.
                program.config, edit, has_look = edit.config, None, True
        was = self.edit
        self.is_over()
        self.edit = edit
        if edit is not None:
            self._line = self._tell(edit)
        if edit is not None or was is not None or has_look:
            program.tell()

    def is_over(self) -> None:
        """The file is what runs again, or something else is to be told of it."""
        self.edit = None
        if self._line is not None:
            self._program.views.resolve(self._line)
            self._line = None

    def _tell(self, edit: DiskEdit) -> int:
        program = self._program
        name = program.config_file.name
        if edit.config is None:
            text = f"{name} on the disk cannot be used, and what runs goes on. {edit.fault}"
            advice = "Correct it, or apply from the settings over it."
            return program.engine.note(Severity.ERROR, Category.SYSTEM, text, advice)
        how = "Apply it in the settings" if sys.platform == "win32" else "Apply it in the settings, or by SIGHUP"
        return program.engine.note(
            Severity.WARNING,
            Category.SYSTEM,
            f"{name} was changed on the disk. What runs is what it said before.",
            f"{how}; or apply from the settings over it.",
        )


async def apply_file(program: "Program") -> str:
    """Applies what the file says now; what came of it, in words. Raises UserError as `Program.apply` does."""
    await program.move_urls()
    config = await asyncio.to_thread(read, program.config_file, must_exist=True)
    if config == program.config:
        return f"{program.config_file} is what runs already."
    applied = await program.apply(config)
    later = ", ".join(applied.at_next_start)
    return f"{program.config_file} is in effect." + (f" At the next start only: {later}." if later else "")
