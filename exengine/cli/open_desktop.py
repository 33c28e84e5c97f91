"""`exengine`: something to see at once; then all the rest is imported, and the desktop program begins behind it."""

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping
from importlib import import_module

from exengine.domain.errors import UserError
from exengine.ui.app import make_app
from exengine.ui.garbage import pass_over_what_is_there
from exengine.ui.loop import run
from exengine.ui.opening import Opening
from exengine.ui.theme import Look


def run_desktop(options: argparse.Namespace) -> int:
    """Shows the window until the trader closes it. 1 where the program cannot start, after saying why.

    Raises UserError where there is no screen: Qt would end the process there.
    """
    if not has_screen(sys.platform, os.environ):
        raise UserError(
            "There is no screen to show the window on: neither DISPLAY nor WAYLAND_DISPLAY is set.",
            safe="Nothing was started.",
            remedy="Start it in a desktop session, or without a window: exengine run --headless.",
        )
    app = make_app()
    look = Look(app)
    return run(app, lambda: _opened(look, options))


def has_screen(system: str, environment: Mapping[str, str]) -> bool:
    """Whether Qt has somewhere to show a window: a session of X or Wayland, unless it is told what to take."""
    named = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return not system.startswith("linux") or any(environment.get(name) for name in named)


async def _opened(look: Look, options: argparse.Namespace) -> int:
    opening = Opening(look)
    opening.show()
    await opening.seen()
    # Store, exchanges and wire take a second or more to import: in a thread, the window stays alive.
    desktop = await asyncio.to_thread(import_module, "exengine.cli.desktop")
    pass_over_what_is_there()
    return int(await desktop.show_desktop(look, options, opening))
