"""Reads the recorded signals and the trader's commands of a replay: S.jsonl of SPEC §12."""

from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from exengine.domain.errors import UserError
from exengine.domain.events import (
    BlockSet,
    Panicked,
    Paused,
    QueueAction,
    QueueAsked,
    Resumed,
    RiskRunAsked,
    SkipAsked,
    TraderAsked,
)
from exengine.domain.group import GroupKey
from exengine.domain.signal_body import Body, BodyError, parse_json

_KEYED = ("promote", "remove", "force", "block", "unblock", "skip")
COMMANDS = ("pause", "resume", "panic", "run_risk", *_KEYED)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedSignal:
    at_ms: int
    body: Body


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCommand:
    at_ms: int
    asked: TraderAsked


Recorded = RecordedSignal | RecordedCommand


def read_signals(path: Path) -> list[Recorded]:
    """Every line, in the file's order. Raises UserError with path, line and fault for the first bad one."""
    return [recorded for recorded, _ in _lines(path)]


def read_lines(path: Path) -> tuple[list[Recorded], list[str]]:
    """As `read_signals`, and each line as it stands in the file."""
    found = list(_lines(path))
    return [recorded for recorded, _ in found], [line for _, line in found]


def _lines(path: Path) -> Iterator[tuple[Recorded, str]]:
    try:
        lines = path.read_bytes().removeprefix(BOM_UTF8).splitlines()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}.") from None
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                text = _text(line)
                yield _line(text), text
            except ValueError as error:
                raise UserError(
                    f"{path}, line {number}: {error}.",
                    safe="Nothing was replayed and nothing was written.",
                    remedy='A line is {"at": epoch ms, "body": {…}} or {"at": …, "command": "pause"}.',
                ) from None


def _text(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not text in UTF-8 (byte {error.start + 1} of the line)") from None


def _line(line: str) -> Recorded:
    try:
        found = parse_json(line)
    except BodyError as error:
        raise ValueError(str(error)) from None
    if not isinstance(found, dict):
        raise ValueError("it is not a JSON object")
    at = found.get("at")
    if not isinstance(at, Decimal) or at != at.to_integral_value() or not 0 <= at < 10**15:
        raise ValueError('"at" is not a time in epoch milliseconds')
    body, command = found.get("body"), found.get("command")
    if (body is None) == (command is None):
        raise ValueError('it needs either a "body" or a "command"')
    if body is not None:
        if not isinstance(body, dict):
            raise ValueError('its "body" is not a JSON object')
        return RecordedSignal(at_ms=int(at), body=body)
    return RecordedCommand(at_ms=int(at), asked=_asked(command, found.get("key")))


def _asked(command: object, key: object) -> TraderAsked:
    match command:
        case "pause":
            return Paused()
        case "resume":
            return Resumed()
        case "panic":
            return Panicked()
        case "run_risk":
            return RiskRunAsked()
        case "promote" | "remove" | "force":
            return QueueAsked(key=_key(command, key), action=QueueAction(command))
        case "block" | "unblock":
            return BlockSet(key=_key(command, key), blocked=command == "block")
        case "skip":
            return SkipAsked(key=_key(command, key))
        case _:
            raise ValueError(f"the command is none of {', '.join(COMMANDS)}")


def _key(command: str, key: object) -> GroupKey:
    parts = key.split("|") if isinstance(key, str) else []
    if len(parts) != 3 or not all(parts):
        raise ValueError(f'the command {command} needs a "key" as "ACCOUNT|SYMBOL|TIMEFRAME"')
    return GroupKey(*parts)
