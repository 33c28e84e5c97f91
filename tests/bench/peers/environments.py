"""A peer's own Python environment: made from its pinned packages when it is first asked for, or when they change."""

import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
PLACE = HERE.parents[2] / "build" / "peers"
PATIENCE_S = 1200


class NotHere(Exception):
    """The peer cannot be had on this machine now; the text says why, in a line."""


def python_of(peer: str) -> Path:
    """The Python that has the packages of `PEER.txt` beside this file, and nothing else. Raises NotHere."""
    packages = HERE / f"{peer}.txt"
    folder = PLACE / peer
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    stamp = folder / "packages.sha256"
    wanted = hashlib.sha256(sys.version.encode() + packages.read_bytes()).hexdigest()
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    try:
        venv.create(folder, with_pip=True)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check",
             "--retries", "1", "-r", packages],
            check=True, capture_output=True, text=True, timeout=PATIENCE_S,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise NotHere(f"{peer} could not be installed: {_last_words(error)}") from error
    stamp.write_text(wanted)
    return python


def _last_words(error: Exception) -> str:
    said = getattr(error, "stderr", None) or getattr(error, "stdout", None) or ""
    lines = (said if isinstance(said, str) else said.decode(errors="replace")).strip().splitlines()
    return lines[-1] if lines else str(error)
