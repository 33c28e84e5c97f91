"""Frozen records are never changed: what is different is a copy; what was worked out of one is kept with it."""

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["changed", "kept", "worked_out"]

T = TypeVar("T")

_new, _put = object.__new__, object.__setattr__

if TYPE_CHECKING:
    from dataclasses import replace as changed
    from functools import cached_property as worked_out
else:

    def changed(record: Any, /, **changes: Any) -> Any:
        """A copy of a frozen dataclass without slots, with some fields changed; many times as fast as `replace`.

        What was worked out of the record is not the copy's, unless nothing is changed but what its class names in
        `ASIDE`: fields that no figure of it depends on. Raises TypeError for a field that it has not.
        """
        kind = record.__class__
        before = record.__dict__
        values = before | changes
        if len(values) != len(before):
            raise TypeError(f"{kind.__name__} has no {', '.join(sorted(changes.keys() - before.keys()))}")
        if len(values) > len(kind.__dataclass_fields__) and not changes.keys() <= getattr(kind, "ASIDE", _NOTHING):
            for name in _FIGURES[kind]:
                values.pop(name, None)
        copy = _new(kind)
        _put(copy, "__dict__", values)
        return copy

    class worked_out:  # noqa: N801  # as `cached_property`, whose lock costs more than most of what is worked out
        """A figure of a frozen record, worked out when it is first asked for, and kept with it."""

        def __init__(self, work_out: Callable[[Any], Any]) -> None:
            self._work_out = work_out
            self.__doc__ = work_out.__doc__

        def __set_name__(self, kind: type, name: str) -> None:
            self._name = name
            _FIGURES[kind].add(name)

        def __get__(self, record: Any, kind: type | None = None) -> Any:
            if record is None:
                return self
            found = record.__dict__[self._name] = self._work_out(record)
            return found


_NOTHING: frozenset[str] = frozenset()
_FIGURES: defaultdict[type, set[str]] = defaultdict(set)
"""Under which names figures are kept with the records of a class, beside its fields."""


def kept(record: Any, name: str, of: object, work_out: Callable[..., T], *args: object) -> T:
    """What `work_out` makes, of a frozen record without slots and of another thing that never changes: once for both.

    `of` is told by what it is, not by what it says: for the next one like it, it is worked out anew.
    """
    known = record.__dict__.get(name)
    if known is not None and known[0] is of:
        return known[1]  # type: ignore[no-any-return]
    found = work_out(*args)
    record.__dict__[name] = (of, found)
    _FIGURES[record.__class__].add(name)
    return found
