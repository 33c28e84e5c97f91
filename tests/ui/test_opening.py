"""Something is seen at once: the opening is painted before anything heavy is imported, and gives way to the window."""

import asyncio
import os
import subprocess
import sys

from exengine.ui.opening import Opening
from exengine.ui.theme import Look

HEAVY = ("aiohttp", "alembic", "ccxt", "numpy", "pydantic", "pyqtgraph", "sqlalchemy")


def test_what_opens_first_imports_nothing_that_takes_its_time():
    asked = f"import sys, exengine.cli.open_desktop; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    ran = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, env=os.environ)
    assert ran.stdout.split() == []


async def test_the_opening_is_seen_and_gives_way(qapp, qtbot):
    opening = Opening(Look(qapp))
    qtbot.addWidget(opening)
    opening.show()
    opening.grab()
    async with asyncio.timeout(5):
        await opening.seen()
    assert not opening.close(), "it cannot be closed while the program starts behind it"
    opening.done()
    assert not opening.isVisible()


def test_the_plots_are_not_imported_before_somebody_looks_at_them():
    """They are twenty MB and a tenth of a second."""
    asked = "import sys, exengine.cli.desktop; print('pyqtgraph' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, env=os.environ)
    assert ran.stdout.strip() == "False"
