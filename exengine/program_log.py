"""The program's own log: JSON lines in files by day and size; nothing secret is ever written to a logger.

And where a library writes one all the same, it does not reach the file.
"""

import json
import logging
import re
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

NAME = "exengine.log"

MOST_FILES = 50
"""However large they may be and however many days are kept."""

DAY_S = 24 * 3600


class DailyFiles(logging.FileHandler):
    """Writes to `exengine.log`; a new day or a full file begins another, and old ones are removed.

    A full disk loses lines and nothing else: it is said once on the terminal, and never raised to the program.
    """

    def __init__(self, folder: Path, *, max_bytes: int, keep_days: int) -> None:
        super().__init__(folder / NAME, encoding="utf-8", delay=True)
        self._folder = folder
        self._max_bytes = max_bytes
        self._keep_s = keep_days * DAY_S
        self._day = self._day_of_file()
        self._bytes = self._bytes_of_file()
        self._has_failed = False
        self._remove_old()

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one line, which is made once: the library's own rotating handlers make it a second time to measure."""
        try:
            line = self.format(record) + self.terminator
            length = len(line.encode("utf-8", "replace"))
            if _day(record.created) != self._day or (self._bytes and self._bytes + length > self._max_bytes):
                self._begin_another()
            if self.stream is None:
                self.stream = self._open()
            self.stream.write(line)
            self.stream.flush()
            self._bytes += length
        except Exception:  # noqa: BLE001  # what is logged must never stop what logs it
            self.handleError(record)

    def _begin_another(self) -> None:
        """Gives the file a name of its own, and begins another."""
        if self.stream:
            self.stream.close()
            self.stream = None
        now = self._folder / NAME
        if now.exists() and now.stat().st_size:
            now.replace(self._free_name())
        self._day, self._bytes = _day(time.time()), 0
        self._remove_old()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Says on the terminal, once, that the log cannot be written."""
        if not self._has_failed:
            self._has_failed = True
            with suppress(OSError):
                print(f"exengine: {self._folder} cannot be written to ({sys.exc_info()[1]})", file=sys.stderr)  # noqa: T201

    def _day_of_file(self) -> str:
        file = self._folder / NAME
        return _day(file.stat().st_mtime if file.exists() else time.time())

    def _bytes_of_file(self) -> int:
        file = self._folder / NAME
        return file.stat().st_size if file.exists() else 0

    def _free_name(self) -> Path:
        for number in range(1, 10_000):
            path = self._folder / f"exengine-{self._day}.{number}.log"
            if not path.exists():
                return path
        return self._folder / f"exengine-{self._day}.log"

    def _remove_old(self) -> None:
        old = sorted(self._folder.glob("exengine-*.log"), key=lambda path: path.stat().st_mtime, reverse=True)
        for place, path in enumerate(old, start=1):
            if place >= MOST_FILES or time.time() - path.stat().st_mtime > self._keep_s:
                path.unlink(missing_ok=True)


def _day(at_s: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(at_s))


class JsonLines(logging.Formatter):
    """One line of JSON for each record, tracebacks in it, and nothing let through that must not be written.

    `at` is local time with its zone, `level`, `logger`, `event` what happened, `exception` a traceback where there is
    one.
    """

    def __init__(self, scrub: Callable[[str], str]) -> None:
        super().__init__()
        self._scrub = scrub

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "at": datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds"),
            "event": self._scrub(without_credentials(record.getMessage())),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if record.exc_info and record.exc_info[0]:
            told["exception"] = self._scrub(without_credentials(self.formatException(record.exc_info)))
        return _JSON.encode(told)


_JSON = json.JSONEncoder(ensure_ascii=False)

_CREDENTIAL = re.compile(
    r"""(?ix)
    ( /webhook/                                                        # the token stands in the path
    | \b (?: x-mbx-apikey | x-bapi-(?:api-key|sign) | ok-access-(?:key|sign|passphrase) | kc-api-(?:key|sign|passphrase)
        | x-mexc-apikey | key | sign | api[-_]?key | api[-_]?secret | secret | signature | x-signature | passphrase
        | password | token | authorization ) ["']? \s* [=:] \s* ["']? (?: sha256= | bearer \s )?
    ) [^\s"'&,;}\])?]+""",
)
"""What stands behind these names in a path, a query, a header or a body is a credential, whoever has written it."""


_HINTS = ("webhook/", "key", "signature", "sign=", "sign:", "sign'", 'sign"', "secret", "pass", "token", "authoriz")
"""Without any of these there is nothing to look for, and most lines have none."""


def without_credentials(text: str) -> str:
    """`text` without what looks like a credential by its name: the last guard, where it is none that we know."""
    lower = text.lower()
    return _CREDENTIAL.sub(r"\1•••", text) if any(hint in lower for hint in _HINTS) else text


def log_to_files(
    folder: Path,
    *,
    level: str = "info",
    max_file_mb: int = 20,
    keep_days: int = 30,
    scrub: Callable[[str], str] = lambda text: text,
) -> Callable[[], None]:
    """Sends every logger to the files in `folder`; the result ends that. Raises OSError where they cannot be used.

    `scrub` gives each line as it may be written.
    """
    handler = DailyFiles(folder, max_bytes=max_file_mb * 1_000_000, keep_days=keep_days)
    handler.setFormatter(JsonLines(scrub))
    root = logging.getLogger()
    root.setLevel(level.upper())
    root.addHandler(handler)
    # Its lines name every request's path, and the token stands in the webhook's path.
    logging.getLogger("aiohttp.access").disabled = True
    # They tell at INFO that they do what they are there for, or at DEBUG the address and the headers of each request.
    for library in ("alembic", "sqlalchemy", "asyncio", "urllib3", "requests", "ccxt"):
        logging.getLogger(library).setLevel(max(logging.WARNING, root.level))

    def end() -> None:
        root.removeHandler(handler)
        handler.close()

    return end
