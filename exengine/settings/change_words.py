"""A setting that differs, in one sentence: its name, what it will be and what it was."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import Enum
from typing import Any

from exengine.settings.fields import Page, spelled


def value_words(value: Any, unit: str = "") -> str:
    """A value as a sentence has it: `−8 %`, `on`, `off` where there is none, `after all dca filled`."""
    match value:
        case bool():
            return "on" if value else "off"
        case None | () | "":
            return "none" if value == () else "off" if value is None else "empty"
        case Decimal() | int():
            return f"{number_words(Decimal(value))}{' ' + unit if unit else ''}"
        case Enum():
            return str(value.value).replace("_", " ")
        case tuple():
            return ", ".join(value_words(one) for one in value)
        case Mapping():
            return ", ".join(f"{value_words(amount)} {name}" for name, amount in value.items()) or "none"
        case _:
            return str(value)


def number_words(value: Decimal) -> str:
    """With the minus sign that the window has."""
    return spelled(value).replace("-", "−")


def changed_fields(old: Page, new: Page) -> Iterator[str]:
    """The names of the settings of a page that differ, in the page's order."""
    return (name for name in type(new).model_fields if getattr(old, name) != getattr(new, name))


def changed_words(old: Page, new: Page, name: str) -> str:
    """`Loss threshold: −8 % instead of −5 %.`"""
    field = type(new).model_fields[name]
    extra = field.json_schema_extra
    unit = str(extra.get("unit", "")) if isinstance(extra, dict) else ""
    before, after = getattr(old, name), getattr(new, name)
    if any(isinstance(value, tuple) and any(isinstance(one, Page) for one in value) for value in (before, after)):
        return (
            f"{field.title}: {len(after)} instead of {len(before)}."
            if len(after) != len(before)
            else (f"{field.title} are changed.")
        )
    if isinstance(before, Page) or isinstance(after, Page):
        return f"{field.title} are {'changed' if after is not None else 'taken away'}."
    return f"{field.title}: {value_words(after, unit)} instead of {value_words(before, unit)}."
