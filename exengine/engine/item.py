"""One event in the engine's queue, and whoever waits for what becomes of it."""

import asyncio
from dataclasses import dataclass

from exengine.domain.events import Event
from exengine.domain.step import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    event: Event
    done: asyncio.Future[Step | None] | None = None
    keep: bool = True
    """Whether it comes back when the store fails: the world's news do, while an alert's or a click's sender is told."""
    at_ms: int | None = None
    """When it happened, where it is told later; None = when it is decided."""

    def answer(self, step: Step | None) -> None:
        if self.done is not None and not self.done.done():
            self.done.set_result(step)

    def fail(self, error: Exception) -> None:
        if self.done is not None and not self.done.done():
            self.done.set_exception(error)
