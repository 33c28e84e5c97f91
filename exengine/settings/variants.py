"""The variants of a configuration that a sweep replays: setting paths to the values that each is to take.

{"grid.legs[0].tp_percent": ["0.5", "1"], "take_profit.percent": {"from": "0.5", "to": "2", "step": "0.25"}}
"""

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice, product
from math import prod
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from exengine.domain.money import arithmetic
from exengine.settings.draft import at, put, written
from exengine.settings.fields import Location, read_decimal, spelled
from exengine.settings.file import checked
from exengine.settings.json_text import NotJson, decode, parse
from exengine.settings.pages import Config
from exengine.settings.problems import ConfigError, Problem, path_of

MOST_RUNS = 10_000
"""So many runs a sweep has at most, where nothing else is asked for."""
MOST_VALUES = 10_000
"""Of one setting."""

PLAYED = (
    "app.timezone", "security.max_signal_age_seconds", "accounts", "routing", "signals", "grid", "sizing",
    "take_profit", "execution", "pool", "queue", "risk", "precision", "safety", "sim.slippage_percent",
)  # fmt: skip
"""What a replay is played by; nothing else changes what comes of it."""

_STEP = re.compile(r"\.?([A-Za-z_][A-Za-z0-9_-]*)|\[(\d{1,6})\]|\[\"([^\"\\]+)\"\]", re.ASCII)
_NOT_THERE = "is not the path of a setting: what stands above it is a single value"
_SAFE = "Nothing was replayed and nothing was written."
_FORM = 'It is {"grid.max_pyramids": [1, 2, 3], "take_profit.percent": {"from": "0.5", "to": "2", "step": "0.25"}}.'


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One run of a sweep."""

    number: int
    """From 1, in the order of the grid: the last setting moves first."""
    values: tuple[str, ...]
    """What each setting is, as text."""
    config: Config


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Values that cannot go together, as weights that do not sum to 100."""

    number: int
    values: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """What is varied, and through which values. Each path and each value can be used."""

    config: Config
    places: tuple[Location, ...]
    values: tuple[tuple[Any, ...], ...]

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(map(path_of, self.places))

    @property
    def runs(self) -> int:
        """How many combinations there are."""
        return prod(map(len, self.values))

    def variants(self) -> Iterator[Variant | LeftOut]:
        """Each combination, as a configuration or with the reason why it is none."""
        tree = written(self.config)
        for number, values in enumerate(product(*self.values), start=1):
            texts = tuple(map(_text, values))
            one = copy.deepcopy(tree)
            for place, value in zip(self.places, values, strict=True):
                put(one, place, value)
            try:
                yield Variant(number=number, values=texts, config=checked(one))
            except ConfigError as error:
                yield LeftOut(number=number, values=texts, why="; ".join(map(str, error.problems[:3])))


def read_grid(path: Path, config: Config, *, most: int = MOST_RUNS) -> Grid:
    """The grid in a file, over a configuration. Raises ConfigError with every path and value that is wrong, or where
    it has more than `most` combinations."""
    try:
        tree, odd = parse(decode(path.read_bytes()))
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error.strerror or error}.") from None
    except NotJson as error:
        raise _unusable(path, f"is not valid JSON: {error}.") from None
    if not isinstance(tree, dict) or not tree:
        raise _unusable(path, "is not an object with a setting or more.")
    if odd:
        raise _unusable(path, "cannot be used:", odd)
    grid, problems = _grid(tree, config)
    if problems:
        raise _unusable(path, "cannot be used:", problems)
    if grid.runs > most:
        counts = " × ".join(str(len(values)) for values in grid.values)
        raise ConfigError(
            f"The grid {path} asks for {grid.runs:,} runs ({counts}), and {most:,} is the limit.",
            safe=_SAFE,
            remedy="Give fewer values, or more with --most.",
        )
    return grid


def with_changes(config: Config, text: str) -> Config:
    """`config` with what the lines of `text` say: `take_profit.percent = 1.5`, a setting each. Raises ConfigError."""
    tree = written(config)
    problems: list[Problem] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        path, sign, value = (part.strip() for part in line.partition("="))
        place: Location = (path,)
        try:
            if not sign or not value:
                raise ValueError("needs a value, as take_profit.percent = 1.5")
            place = _place(path)
            _check_place(place, tree)
            put(tree, place, _typed(value))
        except ValueError as error:
            problems.append(Problem(place=place, message=str(error)))
        except (TypeError, LookupError, AttributeError):
            problems.append(Problem(place=place, message=_NOT_THERE))
    if problems:
        raise ConfigError("These changes cannot be used:", problems=problems)
    return checked(tree)


def _typed(text: str) -> Any:
    """A value as JSON spells it, or else a word."""
    try:
        value, odd = parse(text)
    except NotJson:
        return text
    return text if odd else _written(value)


def _grid(tree: Mapping[str, Any], config: Config) -> tuple[Grid, list[Problem]]:
    base = written(config)
    places: list[Location] = []
    every: list[tuple[Any, ...]] = []
    problems: list[Problem] = []
    for path, wanted in tree.items():
        place: Location = (path,)
        try:
            place = _place(path)
            _check_place(place, base)
            values = _values(wanted)
        except ValueError as error:
            problems.append(Problem(place=place, message=str(error)))
            continue
        problems += _wrong(base, place, values)
        places.append(place)
        every.append(values)
    for one in places:
        above = next((other for other in places if other != one and one[: len(other)] == other), None)
        if above is not None:
            problems.append(Problem(place=one, message=f"is a part of {path_of(above)}, which is varied as well"))
    return Grid(config=config, places=tuple(places), values=tuple(every)), problems


def _place(path: str) -> Location:
    """`grid.legs[2].gap_percent` as keys and indices. Raises ValueError."""
    found: list[str | int] = []
    rest = path
    while rest:
        step = _STEP.match(rest)
        if step is None or (not found and rest.startswith(".")):
            raise ValueError("is not the path of a setting, as grid.legs[0].tp_percent")
        key, index, quoted = step.groups()
        found.append(int(index) if index is not None else key or quoted)
        rest = rest[step.end() :]
    return tuple(found)


def _check_place(place: Location, base: Mapping[str, Any]) -> None:
    """Raises ValueError for what is not there to be varied, or would change nothing."""
    path = path_of(place)
    if str(place[0]) not in Config.model_fields:
        return  # is said better when it is put there
    if not any(path == one or path.startswith((f"{one}.", f"{one}[")) for one in PLAYED):
        raise ValueError("changes nothing in a replay")
    for depth, part in enumerate(place):
        members = at(base, place[:depth])
        if isinstance(part, int) and (not isinstance(members, list) or part >= len(members)):
            there = len(members) if isinstance(members, list) else 0
            raise ValueError(f"is not there: {path_of(place[:depth])} has {there} in the configuration")


def _values(wanted: Any) -> tuple[Any, ...]:
    """Every value of a list or of a range, as the file of a configuration has them. Raises ValueError."""
    if isinstance(wanted, dict):
        return tuple(_range(wanted))
    if not isinstance(wanted, list) or not wanted:
        raise ValueError('must be a list of values, or a range as {"from": "1", "to": "2", "step": "0.5"}')
    if len(wanted) > MOST_VALUES:
        raise ValueError(f"has {len(wanted):,} values; at most {MOST_VALUES:,} are tried")
    values = tuple(_written(value) for value in wanted)
    texts = [_text(value) for value in values]
    twice = next((text for place, text in enumerate(texts) if text in texts[:place]), None)
    if twice is not None:
        raise ValueError(f"has {twice} twice")
    return values


def _range(wanted: Mapping[str, Any]) -> Iterator[str]:
    unknown = sorted(wanted.keys() - {"from", "to", "step"})
    if unknown or "from" not in wanted or "to" not in wanted:
        raise ValueError('must be a range as {"from": "1", "to": "2", "step": "0.5"}')
    first, last, step = (_bound(name, wanted.get(name, "1")) for name in ("from", "to", "step"))
    with arithmetic():
        if step <= 0:
            raise ValueError(f"has a step of {spelled(step)}; it must be above 0")
        if last < first:
            raise ValueError(f"goes from {spelled(first)} down to {spelled(last)}; from must be the smaller one")
        count = int((last - first) // step) + 1
        if count > MOST_VALUES:
            raise ValueError(f"has {count:,} values; at most {MOST_VALUES:,} are tried")
        yield from [spelled(first + step * number) for number in range(count)]


def _bound(name: str, value: Any) -> Decimal:
    try:
        return read_decimal(value)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from None


def _wrong(base: Mapping[str, Any], place: Location, values: Sequence[Any]) -> Iterator[Problem]:
    """What is wrong with the values by themselves; what does not go together is told of the combinations."""
    for value in values:
        tree = copy.deepcopy(dict(base))
        try:
            put(tree, place, value)
            checked(tree)
        except ConfigError as error:
            # What is told of a place that the configuration does not have is an unknown key on the way.
            own = (one for one in error.problems if one.place[: len(place)] == place or at(base, one.place) is None)
            yield from islice(own, 1)
        except (TypeError, LookupError, AttributeError, ValidationError):
            yield Problem(place=place, message=_NOT_THERE)
            return


def _written(value: Any) -> Any:
    """A value as the tree of a configuration has it: decimals as text."""
    if isinstance(value, Decimal):
        return spelled(value) if value.is_finite() else str(value)
    if isinstance(value, list):
        return [_written(one) for one in value]
    if isinstance(value, dict):
        return {key: _written(one) for key, one in value.items()}
    return value


def _text(value: Any) -> str:
    """A value for a cell of a table."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case dict():
            return " ".join(f"{key}={_text(one)}" for key, one in value.items())
        case list():
            return "; ".join(map(_text, value))
        case _:
            return str(value)


def _unusable(path: Path, what: str, problems: Sequence[Problem] = ()) -> ConfigError:
    return ConfigError(f"The grid {path} {what}", problems=problems, safe=_SAFE, remedy=_FORM)
