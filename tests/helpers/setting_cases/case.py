"""One value of the configuration, a small story, and what comes of it without the value and with it."""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from exengine.settings.fields import Page
from exengine.settings.pages import Config

Story = Callable[[Config], Any]
"""Plays something under a configuration and tells what came of it in plain values, money as text."""

PAPER = {"name": "paper", "exchange": "paper", "maker_fee_percent": "0", "taker_fee_percent": "0"}


def legs(*rows: tuple[str, str, str]) -> list[dict[str, str]]:
    return [{"gap_percent": gap, "weight_percent": weight, "tp_percent": target} for gap, weight, target in rows]


ONE = legs(("0", "100", "10"))
TWO = legs(("0", "50", "10"), ("-2", "50", "10"))

COMMON: dict[str, Any] = {"accounts": [PAPER], "grid.legs": ONE, "sizing.amount": "1000"}
"""What every story stands on unless it says else: one account without fees, one leg, 1,000 of capital."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`story` ends in `plain` under the default of `path`, and in `changed` where the trader writes `value` there."""

    path: str
    """Where the value is; list places are numbers: `grid.legs.0.gap_percent`."""
    value: Any
    story: Story
    plain: Any
    changed: Any
    given: Mapping[str, Any] = field(default_factory=dict)
    """Other values, by path, that are set in both plays."""
    also: Mapping[str, Any] = field(default_factory=dict)
    """Values that cannot but change with it, as the weights of a ladder."""

    @property
    def leaf(self) -> str:
        """The path without places in lists."""
        return leaf_of(self.path)

    @property
    def name(self) -> str:
        shown = str(self.value) if not isinstance(self.value, list | dict) else "…"
        return f"{self.path}={shown}"

    def configuration(self, *, with_value: bool) -> Config:
        tree: dict[str, Any] = {}
        for path, value in {**COMMON, **self.given}.items():
            if path != self.path or path in self.given:
                _put(tree, path, value)
        if with_value:
            for path, value in {self.path: self.value, **self.also}.items():
                _put(tree, path, value)
        return Config.model_validate(tree)

    def outcome(self, *, with_value: bool) -> Any:
        return self.story(self.configuration(with_value=with_value))


def _put(tree: Any, path: str, value: Any) -> None:
    *way, last = path.split(".")
    for name in way:
        tree = tree[int(name)] if isinstance(tree, list) else tree.setdefault(name, {})
    tree[int(last) if isinstance(tree, list) else last] = copy.deepcopy(value)


def leaf_of(path: str) -> str:
    return ".".join(name for name in path.split(".") if not name.isdigit())


OVERRIDABLE = ("grid", "sizing", "take_profit")


def as_override(case: Case) -> Case:
    """The same value, set by a rule that fits every pyramid in the place of the common page: the same comes of it."""
    rule = "grid.overrides.0."
    part: dict[str, Any] = {"legs": case.given.get("grid.legs", ONE)} if case.path.startswith("grid.legs.") else {}
    return Case(
        path=rule + case.path,
        value=case.value,
        story=case.story,
        plain=case.plain,
        changed=case.changed,
        given={**case.given, "grid.overrides": [{"grid": part} if part else {}]},
        also={rule + path: value for path, value in case.also.items()},
    )


def leaves(page: type[Page] = Config, above: str = "") -> Iterator[tuple[str, Any]]:
    """Every value that a trader can set, by path without places in lists, and its type."""
    for name, info in page.model_fields.items():
        inner = page_in(info.annotation)
        if inner is None:
            yield above + name, info.annotation
        else:
            yield from leaves(inner, f"{above}{name}.")


def page_in(kind: Any) -> type[Page] | None:
    """The page that a field is, may be, or has many of."""
    if isinstance(kind, type) and get_origin(kind) is None:
        return kind if issubclass(kind, Page) else None
    if get_origin(kind) in (Annotated, Union, UnionType, tuple):
        return next((found for each in get_args(kind) if (found := page_in(each)) is not None), None)
    return None


def differences(one: Config, other: Config) -> set[str]:
    """The leaves in which two configurations differ."""
    first, second = dict(_values(one.model_dump())), dict(_values(other.model_dump()))
    return {leaf_of(path) for path in first.keys() | second.keys() if first.get(path) != second.get(path)}


def _values(tree: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    places = tree.items() if isinstance(tree, dict) else enumerate(tree) if _is_pages(tree) else None
    if places is None:
        yield above, tree
        return
    for name, inner in places:
        yield from _values(inner, f"{above}.{name}" if above else str(name))


def _is_pages(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(each, dict) for each in value)
