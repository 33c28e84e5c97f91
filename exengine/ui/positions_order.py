"""How groups are sorted: numbers as numbers, names as names, and what is not known last, whichever way."""

from decimal import Decimal

from exengine.engine.rows import GroupRow
from exengine.ui.positions_cells import Col

PRICED = frozenset({Col.LAST, Col.UNREALISED, Col.PERCENT, Col.TO_TARGET})
"""Columns whose order changes with prices alone."""

_STATES = ("closing", "partially_filled", "active", "live", "waiting", "closed")

Key = tuple[bool, Decimal | int | str, str]


def sort_key(row: GroupRow, last: Decimal | None, column: int, descending: bool) -> Key:
    """A key for `sorted(…, reverse=descending)`."""
    value = _value(row, last, column)
    unknown = value is None
    # Reversed sorting turns the mark round as well.
    return (unknown is not descending, value if value is not None else _blank(column), row.id)


def _blank(column: int) -> Decimal | int | str:
    return "" if column in (Col.PAIR, Col.ACCOUNT, Col.TP_MODE) else 0


def _value(row: GroupRow, last: Decimal | None, column: int) -> Decimal | int | str | None:
    match column:
        case Col.PAIR:
            return f"{row.symbol} {row.timeframe}"
        case Col.ACCOUNT:
            return row.account
        case Col.PYRAMIDS:
            return row.pyramids
        case Col.FILLED:
            return row.legs_filled
        case Col.SIZE:
            return row.cost if row.cost != 0 else None
        case Col.ENTRY:
            return row.avg_entry
        case Col.LAST:
            return last
        case Col.UNREALISED:
            return row.holding.marked(last).unrealised
        case Col.PERCENT:
            return row.holding.marked(last).unrealised_percent
        case Col.REALISED:
            return row.realised
        case Col.TP_MODE:
            return row.tp_mode
        case Col.TARGET:
            return row.target
        case Col.TO_TARGET:
            return row.to_target_percent(last)
        case Col.AGE:
            return -row.opened_at_ms
        case Col.STOP:
            return row.stop
        case Col.STATUS:
            return _STATES.index(row.status) if row.status in _STATES else len(_STATES)
    return None
