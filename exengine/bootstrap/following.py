"""Follows the configuration file of a running program, and tells of it: in the log, and to whoever shows it."""

import asyncio
import logging
import sys
from typing import TYPE_CHECKING

from exengine.domain.journal import Category, Severity
from exengine.settings.file import read
from exengine.settings.follow import DiskEdit, Follower

if TYPE_CHECKING:
    from exengine.bootstrap.program import Program

log = logging.getLogger(__name__)

FOLLOW_S = 1.0
"""How often the file is looked at."""


async def follow(program: "Program") -> None:
    """Looks at the file until cancelled; while a configuration is being applied the file is not anybody's edit."""
    follower = Follower(program.config_file)
    while True:
        if not program.is_applying and await asyncio.to_thread(follower.has_news) and not program.is_applying:
            running = program.config
            edit = await asyncio.to_thread(follower.judged, running)
            if program.config is running and not program.is_applying:
                _found(program, edit)
        await asyncio.sleep(FOLLOW_S)


def _found(program: "Program", edit: DiskEdit | None) -> None:
    if edit is not None and edit.config is not None:
        look = edit.config.ui
        if edit.config == program.config.model_copy(update={"ui": look}):
            # The View menu keeps the look there by itself, and nothing of the engine depends on it.
            program.config, edit = edit.config, None
    was, program.edit = program.edit, edit
    if edit is not None:
        _tell(program, edit)
    if edit is not None or was is not None:
        program.tell()


def _tell(program: "Program", edit: DiskEdit) -> None:
    name = program.config_file.name
    if edit.config is None:
        text = f"{name} on the disk cannot be used, and what runs goes on. {edit.fault}"
        program.engine.note(Severity.ERROR, Category.SYSTEM, text, "Correct it, or apply from the settings over it.")
        return
    how = "Apply it in the settings" if sys.platform == "win32" else "Apply it in the settings, or by SIGHUP"
    program.engine.note(
        Severity.WARNING,
        Category.SYSTEM,
        f"{name} was changed on the disk. What runs is what it said before.",
        f"{how}; or apply from the settings over it.",
    )


async def apply_file(program: "Program") -> str:
    """Applies what the file says now; what came of it, in words. Raises UserError as `Program.apply` does."""
    config = await asyncio.to_thread(read, program.config_file, must_exist=True)
    if config == program.config:
        return f"{program.config_file} is what runs already."
    applied = await program.apply(config)
    later = ", ".join(applied.at_next_start)
    return f"{program.config_file} is in effect." + (f" At the next start only: {later}." if later else "")
