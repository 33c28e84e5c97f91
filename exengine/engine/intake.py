"""What the listener hands to the engine, and what it gets back once that is on disk (SPEC §2.1)."""

from typing import Protocol

from exengine.domain.reception import Arrival as Arrival
from exengine.domain.reception import IntakeRefusal as IntakeRefusal
from exengine.domain.reception import Verdict as Verdict
from exengine.domain.reception import VerdictKind as VerdictKind
from exengine.domain.reception import arrival_of as arrival_of


class StoreUnavailable(Exception):
    """The arrival could not be stored: nothing was accepted, the sender should come again."""


class Intake(Protocol):
    async def take(self, arrival: Arrival) -> Verdict:
        """Stores the arrival durably, then answers. Raises StoreUnavailable when the store cannot take it."""
        ...

    def health(self) -> str:
        """running, paused or error."""
        ...
