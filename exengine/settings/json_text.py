"""The configuration as text: JSON that a person can read, no decimal ever a float, no key twice."""

import codecs
import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from exengine.settings.fields import Location
from exengine.settings.problems import Problem

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDTH = 120


class NotJson(Exception):
    """The text is not JSON; the message says where and why."""


def decode(data: bytes) -> str:
    """The text of `data`: UTF-8, or what its byte order mark says (some editors on Windows write one)."""
    mark, encoding = next((pair for pair in _BOMS if data.startswith(pair[0])), (b"", "utf-8"))
    data = data[len(mark) :]
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = error.start - data.rfind(b"\n", 0, error.start)
        raise NotJson(f"line {line}, byte {byte}: that is not text in {encoding.upper()}") from None


def parse(text: str) -> tuple[Any, tuple[Problem, ...]]:
    """The value that `text` spells, numbers as Decimals, and what is wrong with its keys. Raises NotJson."""
    if not text.strip():
        raise NotJson("it is empty")
    try:
        value = json.loads(
            text, object_pairs_hook=_Pairs, parse_float=_number, parse_int=_number, parse_constant=Decimal
        )
        return _plain(value), tuple(_odd_keys(value, ()))
    except json.JSONDecodeError as error:
        short = "it ends too early, as if cut short: " if _at_the_end(error) else ""
        raise NotJson(f"line {error.lineno}, column {error.colno}: {short}{error.msg}") from None
    except RecursionError:
        raise NotJson("it is nested too deeply") from None


def _at_the_end(error: json.JSONDecodeError) -> bool:
    rest = error.doc[error.pos :].rstrip()
    return any(word.startswith(rest) for word in ("true", "false", "null")) or error.msg.startswith("Unterminated")


class _Pairs(list[tuple[str, Any]]):
    """An object as it stands, keys that come twice included."""


def _number(text: str) -> Decimal | str:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond what even Decimal holds; refused as a value, with its path
        return text


def _plain(value: Any) -> Any:
    if isinstance(value, _Pairs):
        return {key: _plain(inner) for key, inner in value}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value


def _odd_keys(value: Any, place: Location) -> Iterator[Problem]:
    """Keys that come twice, of which JSON would quietly take the last, and text that no file can hold."""
    if isinstance(value, _Pairs):
        seen = set()
        for key, inner in value:
            here = (*place, key)
            if key in seen:
                yield Problem(place=here, message="is there twice; which of the two is meant?")
            seen.add(key)
            if _is_broken(key):
                yield Problem(place=here, message="is half of a Unicode character")
            yield from _odd_keys(inner, here)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _odd_keys(inner, (*place, index))
    elif isinstance(value, str) and _is_broken(value):
        yield Problem(place=place, message="contains half of a Unicode character")


def _is_broken(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)


def pretty(value: dict[str, Any]) -> str:
    """`value` as JSON for a person: a line for each setting, small objects of a list on one line each."""
    return _pretty(value, 0) + "\n"


def _pretty(value: Any, depth: int) -> str:
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or not value:
        return flat
    if depth > 1 and len(flat) + 2 * depth <= _WIDTH and not _nested(value):
        return flat
    margin = "  " * (depth + 1)
    if isinstance(value, dict):
        inner = [f"{margin}{json.dumps(key)}: {_pretty(item, depth + 1)}" for key, item in value.items()]
    else:
        inner = [margin + _pretty(item, depth + 1) for item in value]
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    return opening + "\n" + ",\n".join(inner) + "\n" + "  " * depth + closing


def _nested(value: dict[str, Any] | list[Any]) -> bool:
    items = value.values() if isinstance(value, dict) else value
    return any(isinstance(item, dict | list) and item for item in items)
