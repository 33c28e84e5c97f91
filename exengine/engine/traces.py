"""How long each signal took to reach the exchange: its first order's sending and first answer, and its first fill."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping

from exengine.domain.step import Step
from exengine.engine.changes import Trace

KEPT = 4096
"""How many signals are followed at once; older ones have had their answer long ago."""


class Traces:
    """Remembers for the latest signals when their first order went out, was first answered, and first filled."""

    def __init__(self) -> None:
        self._traces: OrderedDict[int, Trace] = OrderedDict()

    def of(self, steps: Iterable[Step]) -> dict[int, Trace]:
        """The traces that these steps change, once they are stored."""
        changed: dict[int, Trace] = {}
        for step in steps:
            for signal_id, heard in _heard(step):
                before = changed.get(signal_id) or self._traces.get(signal_id, Trace())
                after = _first(before, heard)
                if after != before:
                    changed[signal_id] = after
        return changed

    def keep(self, changed: Mapping[int, Trace]) -> None:
        """Takes over what was stored."""
        self._traces.update(changed)
        while len(self._traces) > KEPT:
            self._traces.popitem(last=False)


def _heard(step: Step) -> Iterator[tuple[int, Trace]]:
    for order in step.orders.values():
        if order.signal_id is not None:
            yield order.signal_id, Trace(sent_at_ms=order.sent_at_ms, acknowledged_at_ms=order.acknowledged_at_ms)
    for applied in step.fills:
        if applied.order.signal_id is not None:
            yield applied.order.signal_id, Trace(filled_at_ms=step.now_ms)


def _first(before: Trace, heard: Trace) -> Trace:
    """What was known already stays: it came first."""
    return Trace(
        sent_at_ms=heard.sent_at_ms if before.sent_at_ms is None else before.sent_at_ms,
        acknowledged_at_ms=(
            heard.acknowledged_at_ms if before.acknowledged_at_ms is None else before.acknowledged_at_ms
        ),
        filled_at_ms=heard.filled_at_ms if before.filled_at_ms is None else before.filled_at_ms,
    )
