"""Every setting in words, read from the pages themselves: what the help tells cannot go stale."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from exengine.settings.form import Field, Kind, fields_of, sections

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
    """What it may be, where that is a choice, in the words of the dialog."""


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
            name=part.name,
            title=part.title,
            meaning=part.meaning,
            settings=tuple(_settings(f"{part.name}[]" if part.is_list else part.name, part.fields)),
        )
        for part in sections()
    )


def _settings(above: str, fields: tuple[Field, ...]) -> Iterator[SettingWords]:
    """Those of a page, or of each page of a list."""
    for field in fields:
        path = f"{above}.{field.name}"
        if field.page is None or path in _TOLD_ELSEWHERE:
            yield _words(path, field)
        else:
            yield from _settings(f"{path}[]" if field.kind is Kind.PAGES else path, fields_of(field.page))


def _words(path: str, field: Field) -> SettingWords:
    is_told = not field.required and path not in _TOLD_ELSEWHERE
    return SettingWords(
        path=path,
        title=field.title,
        meaning=field.meaning,
        default=_said(field, field.default) if is_told else "",
        unit=field.unit,
        choices=tuple(word for _, word in field.choices),
    )


def _said(field: Field, value: Any) -> str:
    if value in (None, "", [], {}):
        return field.empty or "nothing"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ", ".join(_said(field, one) for one in value)
    return field.word(value)
