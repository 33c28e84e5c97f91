"""Every setting in words, read from the pages themselves: what the help tells cannot go stale."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from exengine.settings.fields import Page, spelled
from exengine.settings.pages import Config

_TOLD_ELSEWHERE = tuple(f"grid.overrides[].{name}" for name in ("grid", "sizing", "take_profit"))
"""What a rule of overrides may set is told on its own page; what it leaves out has no default there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingWords:
    """One setting."""

    path: str
    """As it stands in the file: `grid.legs[].gap_percent`."""
    title: str
    meaning: str
    default: str
    """In words; empty where it must be given."""
    unit: str
    choices: tuple[str, ...]
    """What it may be, where that is a choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageWords:
    """A part of the configuration with its settings."""

    name: str
    title: str
    meaning: str
    settings: tuple[SettingWords, ...]


def reference() -> tuple[PageWords, ...]:
    """All parts, in the order of the file."""
    return tuple(
        PageWords(
            name=name,
            title=field.title or name,
            meaning=field.description or "",
            settings=tuple(_settings(name, field)),
        )
        for name, field in Config.model_fields.items()
        if name != "schema_version"
    )


def _settings(path: str, field: FieldInfo) -> Iterator[SettingWords]:
    """Those of a page, or of each page of a list."""
    page, many = _page_of(field.annotation)
    if page is None or path in _TOLD_ELSEWHERE:
        yield _words(path, field)
        return
    inside = f"{path}[]" if many else path
    for name, inner in page.model_fields.items():
        yield from _settings(f"{inside}.{name}", inner)


def _words(path: str, field: FieldInfo) -> SettingWords:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    said = extra.get("words")
    spoken = {str(key): str(word) for key, word in said.items()} if isinstance(said, dict) else {}
    return SettingWords(
        path=path,
        title=field.title or path.rpartition(".")[2],
        meaning=field.description or "",
        default=""
        if field.is_required() or path in _TOLD_ELSEWHERE
        else _default(field, str(extra.get("empty") or "nothing"), spoken),
        unit=str(extra.get("unit") or ""),
        choices=tuple(spoken.get(value, value) for value in _choices(field.annotation)),
    )


def _default(field: FieldInfo, empty: str, spoken: dict[str, str]) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    return _said(value, empty, spoken)


def _said(value: Any, empty: str, spoken: dict[str, str]) -> str:
    match value:
        case None | "" | () | {}:
            return empty
        case bool():
            return "on" if value else "off"
        case Decimal():
            return spelled(value)
        case Enum():
            return spoken.get(str(value.value), str(value.value))
        case tuple() | list():
            return ", ".join(_said(one, empty, spoken) for one in value)
        case Page():
            return " / ".join(_said(inner, empty, spoken) for inner in dict(value).values())
        case _:
            return spoken.get(str(value), str(value))


def _page_of(annotation: Any) -> tuple[type[Page] | None, bool]:
    """The page that a value is, or that each of a list is."""
    if isinstance(annotation, type) and issubclass(annotation, Page):
        return annotation, False
    origin = get_origin(annotation)
    if origin is tuple:
        page, _ = _page_of(get_args(annotation)[0])
        return page, page is not None
    if origin in (Union, UnionType, Annotated):
        for part in get_args(annotation):
            page, many = _page_of(part)
            if page is not None:
                return page, many
    return None, False


def _choices(annotation: Any) -> tuple[str, ...]:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return tuple(str(one.value) for one in annotation)
    if get_origin(annotation) is None:
        return ()
    return tuple(choice for part in get_args(annotation) for choice in _choices(part))
