"""Renews what is made of the help by code: `python -m tests.docs` (pictures, the settings' and the keys' pages)."""

import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from tests.docs import made

if __name__ == "__main__":
    for path in made.renew(Path(__file__).resolve().parent.parent.parent / "resources" / "help"):
        sys.stdout.write(f"{path}\n")
