"""The equity curve of a replay as it grows: at both ends and at each close (SPEC §13)."""

from dataclasses import dataclass, field
from decimal import Decimal

from exengine.domain import pnl
from exengine.domain.capital import usd_value
from exengine.domain.group import Group
from exengine.domain.money import ZERO, arithmetic
from exengine.domain.safety import start_equity
from exengine.domain.state import State
from exengine.replay.driver import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Equity at one moment, in quote: what closes have brought, and the whole of it."""

    at_ms: int
    realised: Decimal
    total: Decimal
    closed: bool = False
    """Whether something was closed at that moment; the ends are points of the curve all the same."""


@dataclass(slots=True, kw_only=True)
class Curve:
    """The equity curve as it grows: at both ends and at each close (§13)."""

    state: State
    record: Record
    points: list[Point] = field(default_factory=list)
    _realised: Decimal = ZERO
    _counted: int = 0
    _dusty: dict[str, Group] = field(default_factory=dict)

    def mark(self, at_ms: int, *, closed: bool = True) -> None:
        """A point now, after a close or at an end; a later one of the same moment replaces it."""
        with arithmetic():
            for applied in self.record.fills[self._counted :]:
                group = self.record.groups[applied.order.group_id]
                self._realised += applied.realised * usd_value(self.state, group)
                if not group.is_open and group.net_qty:
                    self._dusty[group.id] = group
            self._counted = len(self.record.fills)
            total = start_equity(self.state) + self._realised
            for group in (*self.state.groups.values(), *self._dusty.values()):
                last = self.state.last(group.key.account, group.key.symbol)
                if last is not None:
                    total += pnl.unrealised(group, last) * usd_value(self.state, group)
        if self.points and self.points[-1].at_ms == at_ms and len(self.points) > 1:
            closed |= self.points.pop().closed
        self.points.append(Point(at_ms=at_ms, realised=self._realised, total=total, closed=closed))
