"""How long each signal took to reach the exchange: its first order's sending and first answer."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping

from exengine.domain.step import Step
from exengine.engine.changes import Trace

KEPT = 4096
"""How many signals are followed at once; older ones have had their answer long ago."""


class Traces:
    """Remembers for the latest signals when their first order went out and was first answered."""

    def __init__(self) -> None:
        self._traces: OrderedDict[int, Trace] = OrderedDict()

    def of(self, steps: Iterable[Step]) -> dict[int, Trace]:
        """The traces that these steps change, once they are stored."""
        changed: dict[int, Trace] = {}
        for step in steps:
            for order in step.orders.values():
                if order.signal_id is None:
                    continue
                before = changed.get(order.signal_id) or self._traces.get(order.signal_id, Trace())
                after = Trace(
                    sent_at_ms=order.sent_at_ms if before.sent_at_ms is None else before.sent_at_ms,
                    acknowledged_at_ms=(
                        order.acknowledged_at_ms if before.acknowledged_at_ms is None else before.acknowledged_at_ms
                    ),
                )
                if after != before:
                    changed[order.signal_id] = after
        return changed

    def keep(self, changed: Mapping[int, Trace]) -> None:
        """Takes over what was stored."""
        self._traces.update(changed)
        while len(self._traces) > KEPT:
            self._traces.popitem(last=False)
