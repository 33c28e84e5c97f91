"""What is sent: one message of one line of the log, or of many that came together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from exengine.domain.group import account_of
from exengine.domain.journal import Severity
from exengine.engine.rows import LogRow

LINES = 12
"""As many lines of one message are written out; of the rest it tells how many there are."""

PROGRAM = "ExEngine"

Label = Callable[[str], str]
"""What an account is called and whether it is real money, as `LIVE main`; of the name "", the program as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    title: str
    body: str
    severity: Severity
    """The worst of its lines."""


def message_of(rows: Sequence[LogRow], label: Label, *, dropped: int = 0) -> Message:
    """One message of at least one line. `dropped`: how many before them found no room and are only counted."""
    worst = min((row.severity for row in rows), key=list(Severity).index)
    accounts = list(dict.fromkeys(account_of(row.group) for row in rows))
    where = label(accounts[0]) if len(accounts) == 1 else label("")
    if len(rows) == 1 and not dropped:
        (row,) = rows
        return Message(title=f"{PROGRAM} {where}: {_headline(row)}", body=_paragraph(row, ""), severity=worst)
    title = f"{PROGRAM} {where}: {len(rows) + dropped} notices"
    errors = sum(row.severity is Severity.ERROR for row in rows)
    if errors:
        title += f", {errors} error{'s' if errors > 1 else ''}"
    lines = [
        f"{count} × {text}" if (count := len(list(same))) > 1 else text
        for text, same in groupby(_paragraph(row, label(account_of(row.group))) for row in rows)
    ]
    shown = lines[-LINES:]
    if len(shown) < len(lines):
        shown.insert(0, f"… {len(lines) - len(shown)} before these: see the log.")
    if dropped:
        shown.insert(0, f"… {dropped} more were dropped: see the log.")
    return Message(title=title, body="\n".join(shown), severity=worst)


def _headline(row: LogRow) -> str:
    if row.topic is not None:
        return row.topic.value.replace("_", " ")
    return f"{row.category.value} {row.severity.value}"


def _paragraph(row: LogRow, where: str) -> str:
    """What happened to what, and what to do."""
    about = " ".join(part for part in (where, row.symbol, row.timeframe) if part)
    return f"{about + ': ' if about else ''}{row.text}{f' {row.advice}' if row.advice else ''}"
