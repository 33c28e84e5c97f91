"""The program's own log: rotating files in the data folder; nothing secret is ever written to a logger."""

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

FORMAT = "%(asctime)s %(levelname)-8s %(name)s: %(message)s"


def log_to_files(folder: Path, *, level: str = "info", max_file_mb: int = 20, files: int = 5) -> None:
    """Sends every logger to `exengine.log` in `folder`."""
    handler = RotatingFileHandler(
        folder / "exengine.log", maxBytes=max_file_mb * 1_000_000, backupCount=files, encoding="utf-8", delay=True
    )
    handler.setFormatter(logging.Formatter(FORMAT))
    root = logging.getLogger()
    root.setLevel(level.upper())
    root.addHandler(handler)
    # Its lines name every request's path, and the token stands in the webhook's path.
    logging.getLogger("aiohttp.access").disabled = True
