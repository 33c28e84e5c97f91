"""What the store asks of a database: a way to do one thing after the other over a connection, each in a transaction."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")

OnTrouble = Callable[[str | None], None]
"""Told why nothing can be stored for now, and None once it can."""


class Lane(Protocol):
    """A connection that is kept, and made anew after anything went wrong with it."""

    async def run(self, work: Callable[[Connection], T]) -> T:
        """`work` in one transaction; it must do the same when it is done once more.

        Raises StoreFailed where the environment is at fault: nothing of it is stored then.
        """
        ...

    async def close(self) -> None:
        """After what is under way. Once more does nothing."""
        ...
