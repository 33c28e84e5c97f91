"""A configuration that is being edited: what was typed as it was typed, what is wrong with it, what it would change."""

import copy
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from exengine.settings.fields import Location
from exengine.settings.file import checked
from exengine.settings.pages import Config
from exengine.settings.problems import ConfigError, Problem

LISTS_OF_PAGES = ("accounts", "routing", "notifications")


class Draft:
    """The tree of the file, as the trader is changing it. It is checked anew after every change."""

    def __init__(self, running: Config) -> None:
        """`running` is what the engine runs by: what is different from it is changed."""
        self._running = written(running)
        self._tree: dict[str, Any] = copy.deepcopy(self._running)
        self.problems: tuple[Problem, ...] = ()
        self.config: Config | None = running
        """The draft as a configuration; None while something is wrong with it."""

    def get(self, place: Location) -> Any:
        """What stands at `place`; None where there is nothing."""
        return at(self._tree, place)

    def put(self, place: Location, value: Any) -> None:
        """Writes `value` at `place`; objects on the way that are not there are made."""
        put(self._tree, place, value)
        self._check()

    def remove(self, place: Location) -> None:
        """Takes out a member of a list, or a value that need not be given."""
        parent, last = at(self._tree, place[:-1]), place[-1]
        if isinstance(parent, list) and isinstance(last, int):
            del parent[last]
        elif isinstance(parent, dict):
            parent.pop(last, None)
        self._check()

    def insert(self, place: Location, index: int, value: Any) -> None:
        """Puts `value` into the list at `place`."""
        at(self._tree, place).insert(index, copy.deepcopy(value))
        self._check()

    def move(self, place: Location, from_index: int, to_index: int) -> None:
        """Moves a member of the list at `place`."""
        members = at(self._tree, place)
        members.insert(to_index, members.pop(from_index))
        self._check()

    def reset(self, section: str) -> None:
        """Puts the defaults of a page in its place."""
        self.put((section,), written(Config())[section])

    def take(self, config: Config) -> None:
        """Puts a whole configuration, as a backup's, in the draft's place."""
        self._tree = written(config)
        self._check()

    def sound(self) -> Config | None:
        """The draft with what runs in the place of values that are wrong or were refused; None if that is not enough.

        For a preview, which goes on while something else is being typed.
        """
        if not self.problems:
            return self.config
        tree = copy.deepcopy(self._tree)
        for problem in self.problems:
            section, name = str(problem.place[0]), problem.place[1:2]
            if name and isinstance(tree[section], dict):
                tree[section][name[0]] = copy.deepcopy(at(self._running, problem.place[:2]))
            else:
                tree[section] = copy.deepcopy(self._running[section])
        try:
            return checked(tree)
        except ConfigError:
            return None

    def rest_on(self, running: Config) -> None:
        """Takes another configuration for the one that runs; what is being edited stays."""
        self._running = written(running)

    @property
    def is_changed(self) -> bool:
        return not same(self._tree, self._running)

    def is_changed_at(self, place: Location) -> bool:
        """Whether what stands there is different from what runs."""
        return not same(at(self._tree, place), at(self._running, place))

    def running(self, place: Location) -> Any:
        """What the engine runs by at `place`."""
        return at(self._running, place)

    def problems_in(self, place: Location) -> tuple[Problem, ...]:
        """What is wrong at `place` or anywhere below it."""
        return tuple(one for one in self.problems if one.place[: len(place)] == place)

    def problems_of(self, place: Location) -> tuple[Problem, ...]:
        """What is wrong with the value at `place` itself."""
        return tuple(one for one in self.problems if one.place == place)

    def _check(self) -> None:
        try:
            self.config, self.problems = checked(self._tree), ()
        except ConfigError as error:
            self.config, self.problems = None, error.problems


def written(config: Config) -> dict[str, Any]:
    """The tree of the file for `config`: decimals as text."""
    tree: dict[str, Any] = config.model_dump(mode="json")
    return tree


def put(tree: Any, place: Location, value: Any) -> None:
    """Writes `value` at `place` of a tree; objects on the way that are not there are made."""
    for part in place[:-1]:
        if isinstance(part, str) and tree.get(part) is None:
            tree[part] = {}
        tree = tree[part]
    tree[place[-1]] = copy.deepcopy(value)


def at(tree: Any, place: Location) -> Any:
    """What stands at `place` of a tree; None where there is nothing."""
    for part in place:
        if isinstance(tree, dict):
            tree = tree.get(part)
        elif isinstance(tree, list) and isinstance(part, int) and -len(tree) <= part < len(tree):
            tree = tree[part]
        else:
            return None
    return tree


def same(one: Any, other: Any) -> bool:
    """Whether two values of a tree mean the same: `5` and `"5.0"` do."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(*pair) for pair in zip(one, other, strict=True))
    if one == other and isinstance(one, bool) == isinstance(other, bool):
        return True
    first, second = _number(one), _number(other)
    return first is not None and first == second


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def listed(tree: Any) -> Iterator[tuple[int, Any]]:
    """The members of a list in the tree, nothing where it is none."""
    yield from enumerate(tree if isinstance(tree, list) else ())
