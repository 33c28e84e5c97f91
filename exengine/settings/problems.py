"""What is wrong with a configuration, said so that the trader finds the place and knows what to write there."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from exengine.domain.errors import UserError
from exengine.settings.fields import Location, spelled

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)
_SECRET_KEY = re.compile(r"(api|secret|private)[ _-]?key|secret|password|passphrase|token", re.ASCII | re.I)
_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One setting that cannot be used."""

    place: Location
    message: str
    brief: str = ""
    """The message for beside the field itself, where the value stands already."""

    @property
    def path(self) -> str:
        """The place as a person writes it: `grid.legs[2].gap_percent`."""
        return path_of(self.place)

    @property
    def words(self) -> str:
        """As a sentence of the window: `take_profit.percent must be above 0 (it is −1).`"""
        said = f"{self.path} {self.message}".strip().replace("(it is -", "(it is −")
        return said if said.endswith((".", "?")) else f"{said}."

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.place else self.message


class ConfigError(UserError):
    """The configuration cannot be used. `problems` names each setting, where it was read far enough to know them."""

    def __init__(self, happened: str, *, problems: Sequence[Problem] = (), safe: str = "", remedy: str = "") -> None:
        lines = [f"\n  {problem}" for problem in problems[:_MOST_SHOWN]]
        if len(problems) > _MOST_SHOWN:
            lines.append(f"\n  and {len(problems) - _MOST_SHOWN} more")
        super().__init__(happened + "".join(lines), safe=safe, remedy=remedy)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        between = "\n" if self.problems else " "
        return between.join(part for part in (self.happened, f"{self.safe} {self.remedy}".strip()) if part)


def path_of(place: Location) -> str:
    """`("grid", "legs", 2)` as `grid.legs[2]`; keys that could be misread are quoted."""
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{_shortened(json.dumps(part, ensure_ascii=not part.isprintable()))}]"
    return text


def problems_of(error: ValidationError, tree: type[BaseModel]) -> tuple[Problem, ...]:
    """Each refusal of `error`, which came of reading `tree`, in the words of this module."""
    found = error.errors(include_url=False)
    places = [tuple(one["loc"]) for one in found]
    return tuple(
        Problem(place=place, message=_message(one, tree), brief=_brief(one, tree))
        for place, one in zip(places, found, strict=True)
        # A list counts as too short without its invalid members: those are the problem.
        if not (one["type"] == "too_short" and any(place == other[: len(place)] != other for other in places))
    )


_WORDS: Mapping[str, str] = {
    "missing": "is missing and has no default",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "tuple_type": "must be a list, in [ ]",
    "dict_type": "must be an amount for each currency",
    "model_type": "must be an object, in {{ }}",
    "model_attributes_type": "must be an object, in {{ }}",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "too_short": "must have at least {min_length} in it",
    "too_long": "must have at most {max_length} in it",
    "enum": "must be one of {expected}",
    "setting": "{text}",
}


def _message(found: Any, tree: type[BaseModel]) -> str:
    kind, place = found["type"], tuple(found["loc"])
    if kind == "extra_forbidden":
        return f"is not known here; {_hint(place, tree)}"
    words = _brief(found, tree)
    value = found["input"]
    if kind == "missing" or _is_secret(place, tree):
        return words
    shown = None if kind == "setting" and value is None else _shown(value)
    return words if shown is None else f"{words} (it is {shown})"


def _brief(found: Any, tree: type[BaseModel]) -> str:
    """What is wrong, without the value."""
    kind = found["type"]
    if kind == "extra_forbidden":
        return _message(found, tree)
    limits = {name: _limit(value) for name, value in found.get("ctx", {}).items()}
    words: str = _WORDS[kind].format(**limits) if kind in _WORDS else found["msg"]
    return words.replace("'", '"') if kind == "enum" else words


def _shown(value: object) -> str | None:
    """A single value as the file has it; None for lists and objects, which are too long to repeat."""
    match value:
        case None | bool():
            return json.dumps(value)
        case Decimal():
            # An exponent is written out only where that does not make a page of zeros of it.
            return _shortened(spelled(value) if value.is_finite() and abs(value.adjusted()) < 40 else str(value))
        case int():
            return _shortened(str(value))
        case str() if "://" in value and "@" in value:
            return None  # there is a password in it
        case str():
            return _shortened(json.dumps(value, ensure_ascii=not value.isprintable()))
        case _:
            return None


def _limit(value: object) -> str:
    return spelled(value) if isinstance(value, Decimal) else str(value)


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…" + text[-1]


def _hint(place: Location, tree: type[BaseModel]) -> str:
    """What may have been meant by a key that is not known at `place`."""
    key = str(place[-1])
    page = _page_at(place[:-1], tree)
    known = list(page.model_fields) if page else []
    if _SECRET_KEY.fullmatch(key):
        return "keys and passwords are kept with the secrets, never in this file: remove it here"
    beginning = [name for name in known if key and name.startswith(key.lower())]
    if near := get_close_matches(key.lower(), known, n=1) or beginning:
        return f"did you mean {near[0]}?"
    if elsewhere := [path for path in _paths(tree) if path.rpartition(".")[2] == key]:
        return f"it is {' or '.join(elsewhere)}"
    return f"known are {', '.join(known)}"


def _page_at(place: Location, tree: type[BaseModel]) -> type[BaseModel] | None:
    page: type[BaseModel] | None = tree
    for part in place:
        if isinstance(part, str):
            field = page.model_fields.get(part) if page else None
            page = next(_pages_in(field.annotation), None) if field else None
    return page


def _is_secret(place: Location, tree: type[BaseModel]) -> bool:
    page = _page_at(place[:-1], tree)
    field = page.model_fields.get(str(place[-1])) if page and place else None
    return bool(field and isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("secret"))


def _pages_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _pages_in(part)


def _paths(page: type[BaseModel], above: str = "") -> Iterator[str]:
    for name, field in page.model_fields.items():
        many = "[]" if str(field.annotation).startswith("tuple") else ""
        yield above + name
        for inner in _pages_in(field.annotation):
            yield from _paths(inner, f"{above}{name}{many}.")
