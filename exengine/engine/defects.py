"""Defects of our own, told once each: a defect that comes back with every price must not flood log and audit trail."""

import logging
import traceback
from collections.abc import Iterator

from exengine.domain import events
from exengine.domain.events import Event
from exengine.domain.state import State

log = logging.getLogger(__name__)


class Defects:
    """Counts defects by where they happen."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, str], int] = {}

    def is_new(self, what: str, error: Exception) -> bool:
        """Counts one, and logs it the 1st, 2nd, 4th, 8th … time. True the first time: then the trader is told."""
        frames = traceback.extract_tb(error.__traceback__)
        place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
        key = (what.partition(" ")[0], type(error).__name__, place)
        count = self._counts[key] = self._counts.get(key, 0) + 1
        if count & (count - 1) == 0:
            log.critical("a defect, for the %d. time, in %s", count, what, exc_info=error)
        return count == 1


def said(event: Event) -> str:
    """An event for the log. Of an alert nothing but that it was one: its text is the sender's."""
    return type(event).__name__ if isinstance(event, events.SignalArrived) else repr(event)


def concerned(state: State, event: Event) -> Iterator[events.DefectFound]:
    """Whom an event that could not be dealt with concerned: the signal, the group, or all groups of the symbol."""
    why = f"{type(event).__name__} could not be dealt with"
    match event:
        case events.SignalStored(signal_id=signal_id):
            yield events.DefectFound(why=why, signal_id=signal_id)
        case events.PriceMoved() | events.WatchDue():
            for group_id in state.by_symbol.get((event.account, event.symbol), ()):
                yield events.DefectFound(why=why, group_id=group_id)
        case (
            events.GroupDue()
            | events.GroupCloseAsked()
            | events.EntriesCancelAsked()
            | events.PartCloseAsked()
            | events.StopSet()
            | events.EntryAgainAsked()
        ):
            yield events.DefectFound(why=why, group_id=event.group_id)
        case events.OrderFilled():
            yield from _of_order(state, event.fill.client_id, why)
        case (
            events.OrderSent()
            | events.OrderAccepted()
            | events.OrderRejected()
            | events.OrderCancelled()
            | events.OrderExpired()
            | events.OrderLost()
        ):
            yield from _of_order(state, event.client_id, why)
        case _:
            return


def _of_order(state: State, client_id: str, why: str) -> Iterator[events.DefectFound]:
    order = state.orders.get(client_id)
    if order is not None:
        yield events.DefectFound(why=why, group_id=order.group_id)
