"""Errors that still want the trader: those that nobody has dismissed and that have not ended by themselves.

What ends one: the account answers again, the store takes again, the refused entry was placed or its group is closed,
a stopped group goes on; and a new start, at which every account and the store are asked anew.
"""

from collections.abc import Iterable, Mapping

from exengine.domain.order import LegRef, entry_name
from exengine.engine.rows import GroupRow, LogRow, Severity, Topic

_ENDS = {
    Topic.ACCOUNT_BACK: (Topic.ACCOUNT_AWAY, Topic.KEY_REFUSED),
    Topic.STORE_BACK: (Topic.STORE_TROUBLE,),
    Topic.STARTED: (Topic.ACCOUNT_AWAY, Topic.KEY_REFUSED, Topic.STORE_TROUBLE),
}
"""What a line ends: errors with these topics, of the same account where it is of one."""
_OF_AN_ACCOUNT = (Topic.ACCOUNT_AWAY, Topic.KEY_REFUSED, Topic.ACCOUNT_BACK)


class Unresolved:
    """The open errors by number, oldest first."""

    def __init__(self, dismissed: Iterable[int] = ()) -> None:
        self.dismissed: dict[int, None] = dict.fromkeys(dismissed)
        self._open: dict[int, LogRow] = {}

    def __len__(self) -> int:
        return len(self._open)

    @property
    def newest(self) -> LogRow | None:
        return self._open[max(self._open)] if self._open else None

    def take(self, rows: Iterable[LogRow]) -> None:
        """Takes lines of the log in, oldest first."""
        for row in rows:
            ended = _ENDS.get(row.topic, ()) if row.topic is not None else ()
            self._end(ended, _account(row))
            if row.severity is not Severity.ERROR or row.id in self.dismissed:
                continue
            if row.topic in _OF_AN_ACCOUNT or row.topic is Topic.STORE_TROUBLE:
                # The same thing told once more takes the place of what was told before.
                self._end((row.topic,), _account(row))
            self._open[row.id] = row

    def look(self, groups: Mapping[str, GroupRow]) -> None:
        """Lets go of what is about groups that are gone, or well again."""
        for row in [row for row in self._open.values() if row.group]:
            if _is_over(row, groups.get(row.group)):
                del self._open[row.id]

    def dismiss(self, number: int) -> bool:
        """Does not come back, also after a restart; False where it was not open."""
        there = self._open.pop(number, None) is not None
        if there:
            self.dismissed[number] = None
        return there

    def _end(self, topics: Iterable[Topic | None], account: str) -> None:
        for row in [row for row in self._open.values() if row.topic in topics]:
            if not account or _account(row) in ("", account):
                del self._open[row.id]


def _account(row: LogRow) -> str:
    """Which account a line is about: such lines begin with its name."""
    words = row.text.split(maxsplit=2)
    return words[1] if row.topic in _OF_AN_ACCOUNT and len(words) > 1 else ""


def _is_over(row: LogRow, group: GroupRow | None) -> bool:
    if row.topic not in (Topic.ORDER_REJECTED, Topic.FROZEN):
        return False
    if group is None:
        return True
    if row.topic is Topic.FROZEN:
        return not group.frozen
    leg = leg_of(row, group)
    return leg is not None and leg not in group.rejected_legs()


def leg_of(row: LogRow, group: GroupRow) -> LegRef | None:
    """Which leg's entry a line is about; None where it is about another order, or the whole group."""
    for pyramid in group.pyramid_rows:
        for leg in pyramid.legs:
            if row.text.startswith(f"{entry_name((pyramid.index, leg.index))} "):
                return pyramid.index, leg.index
    return None
