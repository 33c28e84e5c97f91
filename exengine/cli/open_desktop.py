"""`exengine`: something to see at once; then all the rest is imported, and the desktop program begins behind it."""

import argparse
import asyncio
from importlib import import_module

from exengine.ui.app import make_app
from exengine.ui.garbage import pass_over_what_is_there
from exengine.ui.loop import run
from exengine.ui.opening import Opening
from exengine.ui.theme import Look


def run_desktop(options: argparse.Namespace) -> int:
    """Shows the window until the trader closes it. 1 where the program cannot start, after saying why."""
    app = make_app()
    look = Look(app)
    return run(app, lambda: _opened(look, options))


async def _opened(look: Look, options: argparse.Namespace) -> int:
    opening = Opening(look)
    opening.show()
    await opening.seen()
    # Store, exchanges and wire take a second or more to import: in a thread, the window stays alive.
    desktop = await asyncio.to_thread(import_module, "exengine.cli.desktop")
    pass_over_what_is_there()
    return int(await desktop.show_desktop(look, options, opening))
