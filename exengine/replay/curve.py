"""The equity curve of a replay as it grows: at both ends and at each close (SPEC §13)."""

from dataclasses import dataclass, field
from decimal import Decimal

from exengine.domain import pnl, safety
from exengine.domain.capital import usd_of, usd_value
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
    _dust: dict[tuple[str, str, str], tuple[Decimal, Decimal]] = field(default_factory=dict)
    """What closed groups have left, by account, symbol and quote: units, below zero = short, and their cost."""
    _dusty: set[str] = field(default_factory=set)

    def mark(self, at_ms: int, *, closed: bool = True) -> None:
        """A point now, after a close or at an end; a later one of the same moment replaces it."""
        with arithmetic():
            for applied in self.record.fills[self._counted :]:
                group = self.record.groups[applied.order.group_id]
                self._realised += applied.realised * usd_value(self.state, group)
                if not group.is_open and group.net_qty and group.id not in self._dusty:
                    self._leave_dust(group)
            self._counted = len(self.record.fills)
            total = start_equity(self.state) + self._realised
            total += safety.unrealised(self.state)
            for (account, symbol, quote), (units, cost) in self._dust.items():
                last = self.state.last(account, symbol)
                if last is not None:
                    total += (last * units - cost) * usd_of(self.state, account, quote)
        if self.points and self.points[-1].at_ms == at_ms and len(self.points) > 1:
            closed |= self.points.pop().closed
        self.points.append(Point(at_ms=at_ms, realised=self._realised, total=total, closed=closed))

    def _leave_dust(self, group: Group) -> None:
        self._dusty.add(group.id)
        key = (group.key.account, group.key.symbol, group.quote)
        units, cost = self._dust.get(key, (ZERO, ZERO))
        more = group.side.sign * group.net_qty * group.contract_size
        self._dust[key] = (units + more, cost + group.side.sign * pnl.cost(group))
