"""The configuration as a form: which values a page has, of what kind, and what is said of each (SPEC §14, UI.md).

Everything here is read from the pages' own fields, so that a new setting is in the dialog as soon as it has a field.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, to_jsonable_python

from exengine.settings.fields import Location, Page
from exengine.settings.pages import Config
from exengine.settings.problems import path_of


class Kind(Enum):
    """What a value is, and so how it is edited."""

    NUMBER = "number"
    WHOLE = "whole"
    FLAG = "flag"
    CHOICE = "choice"
    TEXT = "text"
    NUMBERS = "numbers"
    """A list of numbers."""
    TEXTS = "texts"
    """A list of texts."""
    CHOICES = "choices"
    """Several of the choices, in an order."""
    AMOUNTS = "amounts"
    """Amounts by currency."""
    PAGE = "page"
    """A page of its own below this one, or none."""
    PAGES = "pages"
    """A list of pages."""


_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
NUMERIC = (Kind.NUMBER, Kind.WHOLE)
LISTS = (Kind.NUMBERS, Kind.TEXTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One value of a page."""

    name: str
    title: str
    meaning: str
    kind: Kind
    default: Any
    """As the file has it: decimals as text. None too where the field is required."""
    required: bool = False
    optional: bool = False
    """Whether it may be left empty, which `empty` says the meaning of."""
    unit: str = ""
    empty: str = ""
    part: str = ""
    """The section of a long page that it belongs to."""
    choices: tuple[tuple[str, str], ...] = ()
    """Value and word of each."""
    page: type[Page] | None = None
    secret: bool = False
    files: str = ""
    """Which files can be chosen for it, where it names some."""
    unit_by: tuple[str, tuple[tuple[str, str], ...]] | None = None
    """The setting beside it that decides its unit, and the unit by that one's value."""
    needs: tuple[str, tuple[Any, ...]] | None = None
    """The setting beside it without which it has no effect, and that one's values with which it has one."""

    def word(self, value: Any) -> str:
        """The word of one of the choices."""
        return next((word for choice, word in self.choices if choice == value), str(value))

    @property
    def default_words(self) -> str:
        """`Default 5 pyramids`, `Default off`; nothing where it has to be given."""
        if self.required or self.kind is Kind.PAGES:
            return ""
        return f"Default {self.words_of(self.default)}"

    def unit_with(self, beside: Any) -> str:
        """Its unit, where the setting beside it that decides this has the value `beside`."""
        return dict(self.unit_by[1]).get(str(beside), "") if self.unit_by is not None else self.unit

    def words_of(self, value: Any, unit: str | None = None) -> str:
        """A value as a person says it, with its unit, or with another one."""
        if value is None or value in ("", []):
            return self.empty or "none"
        if isinstance(value, bool):
            return "on" if value else "off"
        if self.kind is Kind.CHOICES:
            return ", ".join(self.word(one) for one in value)
        if self.choices:
            return self.word(value)
        unit = self.unit if unit is None else unit
        text = str(value)
        if self.kind in NUMERIC:
            # A number without a unit is a name more than an amount: a port, a seed.
            text = f"{Decimal(text):,f}" if self.unit and _NUMBER.fullmatch(text) else text
            text = text.replace("-", "−")
        return f"{text} {unit}" if unit else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A page of the dialog."""

    name: str
    """Its key in the configuration."""
    title: str
    meaning: str
    fields: tuple[Field, ...]
    """Of a list of pages: those of one of them."""
    is_list: bool = False


@cache
def sections() -> tuple[Section, ...]:
    """All pages in their order; the file's own version is none."""
    found = []
    for name, info in Config.model_fields.items():
        many = get_origin(info.annotation) is tuple
        page = _page_in(info.annotation)
        if page is not None:
            found.append(
                Section(
                    name=name, title=info.title or name, meaning=info.description or "", fields=fields_of(page),
                    is_list=many,
                )
            )  # fmt: skip
    return tuple(found)


def section(name: str) -> Section:
    return next(one for one in sections() if one.name == name)


@cache
def fields_of(page: type[Page]) -> tuple[Field, ...]:
    """The values of `page`, in their order."""
    return tuple(_field(name, info) for name, info in page.model_fields.items())


def field_at(place: Location) -> Field | None:
    """The field that a place is of or in, as `legs` for `("grid", "legs", 2)`; None where there is no such place."""
    page: type[Page] | None = Config
    found: Field | None = None
    for part in place:
        if isinstance(part, int):
            continue
        if page is None:
            return found  # a currency of the balances
        found = next((one for one in fields_of(page) if one.name == part), None)
        if found is None:
            return None
        page = found.page
    return found


def label_of(place: Location) -> str:
    """`Listener, Port`: the setting as the dialog names it; its path where that tells more, as in a list."""
    field = field_at(place)
    if len(place) != 2 or field is None or field.kind in (Kind.PAGE, Kind.PAGES):
        return path_of(place)
    return f"{section(str(place[0])).title}, {field.title}"


def all_fields() -> Iterator[tuple[Section, Field]]:
    for one in sections():
        for each in one.fields:
            yield one, each


def _field(name: str, info: FieldInfo) -> Field:
    base, optional = _base(info.annotation)
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    kind, inner = _kind(base)
    words = extra.get("words") or {}
    assert isinstance(words, dict)
    choices: tuple[tuple[str, str], ...] = ()
    if kind in (Kind.CHOICE, Kind.CHOICES):
        choices = tuple((one.value, str(words.get(one.value) or sentence(one.value))) for one in inner)
    required = info.is_required()
    return Field(
        name=name,
        title=info.title or sentence(name),
        meaning=info.description or "",
        kind=kind,
        default=None if required or info.default is PydanticUndefined else _as_written(info.default),
        required=required,
        optional=optional or (kind is Kind.TEXT and info.default == ""),
        unit=str(extra.get("unit", "")),
        empty=str(extra.get("empty", "")),
        part=str(extra.get("part", "")),
        choices=choices,
        page=inner if kind in (Kind.PAGE, Kind.PAGES) else None,
        secret=bool(extra.get("secret")),
        files=str(extra.get("files", "")),
        unit_by=_unit_by(extra.get("unit_by")),
        needs=_needs(extra.get("needs")),
    )


def _unit_by(told: Any) -> tuple[str, tuple[tuple[str, str], ...]] | None:
    return (told[0], tuple(told[1].items())) if told else None


def _needs(told: Any) -> tuple[str, tuple[Any, ...]] | None:
    return (told[0], tuple(told[1:])) if told else None


def sentence(code: str) -> str:
    """A value as a person reads it: `after_all` is `After all`."""
    return code.replace("_", " ").capitalize()


def _as_written(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, Page) else to_jsonable_python(value)


def _base(annotation: Any) -> tuple[Any, bool]:
    """The type without its checks, and whether None may stand in its place."""
    optional = False
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, UnionType):
            optional = type(None) in get_args(annotation)
            annotation = next(one for one in get_args(annotation) if one is not type(None))
        else:
            return annotation, optional


def _kind(base: Any) -> tuple[Kind, Any]:
    """The kind of a type, and what its choices or members are."""
    if get_origin(base) is tuple:
        inner, _ = _base(get_args(base)[0])
        kind, member = _kind(inner)
        lists = {Kind.NUMBER: Kind.NUMBERS, Kind.TEXT: Kind.TEXTS, Kind.CHOICE: Kind.CHOICES, Kind.PAGE: Kind.PAGES}
        return lists[kind], member
    if get_origin(base) is dict:
        return Kind.AMOUNTS, None
    if issubclass(base, Page):
        return Kind.PAGE, base
    if issubclass(base, Enum):
        return Kind.CHOICE, base
    kinds: tuple[tuple[type, Kind], ...] = (
        (bool, Kind.FLAG), (int, Kind.WHOLE), (Decimal, Kind.NUMBER), (str, Kind.TEXT),
    )  # fmt: skip
    return next(kind for type_, kind in kinds if issubclass(base, type_)), None


def _page_in(annotation: Any) -> type[Page] | None:
    base, _ = _base(annotation)
    if get_origin(base) is tuple:
        base, _ = _base(get_args(base)[0])
    return base if isinstance(base, type) and issubclass(base, Page) else None
