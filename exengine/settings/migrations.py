"""How the file of an older version becomes one of this version: a pure function for each step."""

from collections.abc import Callable, Sequence
from typing import Any

Migration = Callable[[dict[str, Any]], dict[str, Any]]
"""From the tree of version n, as read from JSON with numbers as Decimals, to that of version n + 1."""

MIGRATIONS: tuple[Migration, ...] = ()
"""The step from version 1 comes first. Version 1 is the first there is."""


def migrated(tree: dict[str, Any], since: int, steps: Sequence[Migration] = MIGRATIONS) -> dict[str, Any]:
    """`tree` of version `since` brought to the newest version, which it names."""
    for step in steps[since - 1 :]:
        tree = step(tree)
    return tree | {"schema_version": len(steps) + 1}
