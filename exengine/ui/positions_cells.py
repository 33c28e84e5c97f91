"""What the Positions table shows of a group, a pyramid and a leg at a price: rows in, cells out."""

from decimal import Decimal
from enum import IntEnum
from typing import NamedTuple

from exengine.domain.instrument import Side
from exengine.domain.money import ZERO
from exengine.engine.rows import GroupRow, Holding, LegRow, PyramidRow, Quote
from exengine.ui import format as fmt
from exengine.ui import words
from exengine.ui.cell import EMPTY, UNKNOWN, Cell, Column, Part

STALE_MS = 15_000
"""A price older than this is not trusted: it and what is computed from it are muted."""


class Col(IntEnum):
    PAIR = 0
    ACCOUNT = 1
    PYRAMIDS = 2
    FILLED = 3
    SIZE = 4
    ENTRY = 5
    LAST = 6
    UNREALISED = 7
    PERCENT = 8
    REALISED = 9
    TP_MODE = 10
    TARGET = 11
    TO_TARGET = 12
    AGE = 13
    STATUS = 14
    STOP = 15


COLUMNS = (
    Column(key="pair", title="Pair / timeframe", sample="DCA0 −0.5 % @ 147.90", elides=True),
    Column(key="account", title="Account", sample="paper", elides=True),
    Column(key="pyramids", title="Pyr.", sample="5 / 5", right=True, hint="Pyramids received, of those allowed"),
    Column(key="filled", title="Filled", sample="25 / 25", right=True, hint="DCA legs filled; a leg’s weight"),
    Column(key="size", title="Size", sample="2,499.49", right=True, hint="Cost of what is open; what a leg filled"),
    Column(key="entry", title="Entry", sample="64,544.00", right=True, hint="Average entry price"),
    Column(key="last", title="Last", sample="67,240.50", right=True, icon=True, hint="Last price"),
    Column(
        key="unrealised",
        title="Unrealised",
        sample="+203.58",
        right=True,
        arrow=True,
        hint="Unrealised PnL in quote, without the fee of closing",
    ),
    Column(key="percent", title="%", sample="+4.07", right=True, hint="Unrealised PnL in percent of its cost"),
    Column(key="realised", title="Realised", sample="+3.03", right=True, hint="Realised PnL in quote, net of fees"),
    Column(key="tp_mode", title="TP mode", sample="Aggregate", hint="How profit is taken; a leg’s own target in %"),
    Column(key="target", title="Target", sample="68,416.64", right=True, hint="The next target in the price’s way"),
    Column(key="to_target", title="To target", sample="+10.22 %", right=True, hint="From the last price"),
    Column(key="age", title="Age", sample="59 m", right=True, hint="Since the group opened"),
    Column(key="status", title="Status", sample="Part filled", icon=True, takes_rest=True),
    Column(key="stop", title="Stop", sample="68,416.64", right=True, hidden=True, hint="Where the group is closed"),
)


class Moment(NamedTuple):
    """What cells depend on besides their row."""

    quote: Quote | None
    stale: bool
    now_ms: int

    @property
    def last(self) -> Decimal | None:
        return self.quote.price if self.quote is not None else None


def is_stale(quote: Quote | None, now_ms: int) -> bool:
    return quote is not None and now_ms - quote.at_ms > STALE_MS


def price_age(quote: Quote | None, now_ms: int) -> str:
    """Of when a price is, for tooltips, and that it is too old."""
    if quote is None:
        return ""
    text = f"Price of {fmt.age(now_ms - quote.at_ms)} ago, {fmt.iso(quote.at_ms)}"
    return f"{text}\nOlder than 15 s: not to be trusted" if is_stale(quote, now_ms) else text


def pnl_cell(
    value: Decimal | None, decimals: int, *, strong: bool = False, stale: bool = False, arrow: bool = True
) -> Cell:
    """A profit or loss: sign, colour and arrow. A zero has neither."""
    if value is None:
        return UNKNOWN
    text, way = fmt.directed(value, decimals)
    token = "muted" if stale or not way else "profit" if way > 0 else "loss"
    return Cell(text, token, strong and way != 0, value, way if arrow else 0)


def number_cell(value: Decimal | None, decimals: int, token: str = "text") -> Cell:
    return UNKNOWN if value is None else Cell(fmt.number(value, decimals), token, value=value)


def pair_cell(symbol: str, timeframe: str, side: Side) -> Cell:
    """**SOL/USDT** 1h, and its side with the icon at the right."""
    word, icon = words.SIDES[side]
    return Cell(
        fmt.pair(symbol),
        strong=True,
        value=f"{symbol} {timeframe} {side.value}",
        after=(Part(timeframe),),
        trail=Part(word, icon=icon),
    )


def _marked(holding: Holding, places: int, at: Moment, *, strong: bool) -> tuple[Cell, Cell]:
    """Unrealised PnL and its percent; one arrow serves both."""
    unrealised, share = holding.marked(at.last)
    return (
        pnl_cell(unrealised, places, strong=strong, stale=at.stale),
        pnl_cell(share, 2, stale=at.stale, arrow=False),
    )


def group_cells(row: GroupRow, at: Moment) -> list[Cell]:
    places = fmt.quote_decimals(row.quote)
    status, status_token = words.group_state(row.status)
    if row.missing_qty is not None:
        status, status_token = "Missing", "error"
    is_open = row.cost != 0
    last, unrealised, share, to_target, age = _priced(row, at)
    return [
        pair_cell(row.symbol, row.timeframe, row.side),
        Cell(row.account, "muted"),
        Cell(fmt.of(row.pyramids, row.max_pyramids)),
        Cell(fmt.of(row.legs_filled, row.legs_total)),
        number_cell(row.cost if is_open else None, places),
        number_cell(row.avg_entry, row.price_decimals),
        last,
        unrealised,
        share,
        pnl_cell(row.realised, places, arrow=False),
        Cell(words.TP_MODES.get(row.tp_mode, words.sentence(row.tp_mode)), "muted"),
        number_cell(row.target, row.price_decimals),
        to_target,
        age,
        Cell(status, status_token, icon=_status_icon(row), icon_token="error" if row.error else "muted"),
        number_cell(row.stop, row.price_decimals, "muted" if row.own_stop is None else "text"),
    ]


def _status_icon(row: GroupRow) -> str:
    """Something went wrong with it, or the trader keeps the risk engine away from it."""
    return "error" if row.error else "block" if row.blocked else ""


def repriced(cells: list[Cell], group: GroupRow, row: GroupRow | PyramidRow | LegRow, at: Moment) -> list[Cell]:
    """The cells of a row that is as it was, at another price or time."""
    made = cells.copy()
    if isinstance(row, GroupRow):
        made[_LAST], made[_UNREALISED], made[_PERCENT], made[_TO_TARGET], made[_AGE] = _priced(row, at)
        return made
    made[_UNREALISED], made[_PERCENT] = _marked(row.holding, fmt.quote_decimals(group.quote), at, strong=False)
    if isinstance(row, LegRow):
        made[_TO_TARGET] = _progress(group, row, at)
    return made


def aged(cells: list[Cell], row: GroupRow, now_ms: int) -> list[Cell]:
    """The cells of a group whose price is as it was, some time later; the same list where none reads otherwise."""
    age = fmt.age(now_ms - row.opened_at_ms)
    if age == cells[_AGE].text:
        return cells
    made = cells.copy()
    made[_AGE] = made[_AGE]._replace(text=age)
    return made


_LAST, _UNREALISED, _PERCENT = int(Col.LAST), int(Col.UNREALISED), int(Col.PERCENT)
_TO_TARGET, _AGE = int(Col.TO_TARGET), int(Col.AGE)


def _priced(row: GroupRow, at: Moment) -> tuple[Cell, Cell, Cell, Cell, Cell]:
    """What the price and the time say of a group: last, unrealised, percent, to target, age."""
    unrealised, share = _marked(row.holding, fmt.quote_decimals(row.quote), at, strong=True)
    way = row.to_target_percent(at.last)
    last = number_cell(at.last, row.price_decimals, "muted" if at.stale else "text")
    if at.stale:
        last = last._replace(icon="clock")
    return (
        last,
        unrealised,
        share,
        UNKNOWN if way is None else Cell(fmt.signed_percent(way), "muted" if at.stale else "text", value=way),
        Cell(fmt.age(at.now_ms - row.opened_at_ms), "muted", value=row.opened_at_ms),
    )


def pyramid_cells(group: GroupRow, row: PyramidRow, at: Moment) -> list[Cell]:
    places = fmt.quote_decimals(group.quote)
    unrealised, share = _marked(row.holding, places, at, strong=False)
    status, _ = words.group_state(row.status)
    base = fmt.number(row.base_price, group.price_decimals)
    return [
        Cell(f"Pyramid {row.index + 1}", after=(Part(f"base {base}"),)),
        EMPTY,
        EMPTY,
        Cell(fmt.of(row.legs_filled, row.legs_total)),
        number_cell(row.cost, places),
        number_cell(row.avg_entry, group.price_decimals),
        EMPTY,
        unrealised,
        share,
        pnl_cell(row.realised if row.realised is not None else ZERO, places, arrow=False),
        EMPTY,
        EMPTY,
        EMPTY,
        EMPTY,
        Cell(status, "muted"),
        EMPTY,
    ]


def leg_cells(group: GroupRow, row: LegRow, at: Moment) -> list[Cell]:
    places, decimals = fmt.quote_decimals(group.quote), group.price_decimals
    token = "text" if row.holding.net_base != 0 else "muted"
    unrealised, share = _marked(row.holding, places, at, strong=False)
    state, state_token = words.leg_state(row.state)
    tp = fmt.percent(row.tp_percent, 1)
    planned = fmt.number(row.planned_price, decimals)
    return [
        Cell(
            f"DCA{row.index}",
            token,
            value=f"DCA{row.index} {planned}",
            after=(Part(fmt.percent(row.gap_percent, 1)),),
            trail=Part(f"@ {planned}"),
        ),
        EMPTY,
        EMPTY,
        Cell(fmt.percent(row.weight_percent), "muted", value=row.weight_percent),
        number_cell(row.filled_quote, places, token),
        number_cell(row.fill_price, decimals, token),
        EMPTY,
        unrealised,
        share,
        pnl_cell(row.realised, places, arrow=False),
        Cell(tp if row.tp_percent <= 0 else "+" + tp, "muted", value=row.tp_percent),
        number_cell(row.target, decimals, token),
        _progress(group, row, at),
        EMPTY,
        Cell(state, state_token, icon="error" if row.error else "", icon_token=state_token),
        EMPTY,
    ]


def _progress(group: GroupRow, row: LegRow, at: Moment) -> Cell:
    """How near a leg's target is. A leg that closed while its group goes on has reached it."""
    if row.state == "closed" and group.status not in ("closing", "closed"):
        return Cell("Reached", "success")
    share = row.progress(at.last)
    if share is None:
        return UNKNOWN
    text = fmt.number(share * 100, 0) + " %"
    return Cell(text, "muted" if at.stale else "text", value=share, bar=float(round(share, 2)))


def group_tooltip(row: GroupRow, column: int, at: Moment) -> str:
    """What a group's cell says to the pointer."""
    match column:
        case Col.PAIR:
            return row.id
        case Col.LAST | Col.UNREALISED | Col.PERCENT | Col.TO_TARGET if at.quote is not None:
            return price_age(at.quote, at.now_ms)
        case Col.SIZE:
            return f"{fmt.number(row.net_qty, row.qty_decimals)} {row.base} held at a cost of its entries and fees"
        case Col.AGE:
            return f"Opened {fmt.iso(row.opened_at_ms)}"
        case Col.STATUS if row.missing_qty is not None:
            missing = fmt.trimmed(row.missing_qty, row.qty_decimals)
            what = f"{missing} {row.base} are missing: {row.error}"
            return f"{what}\nClose the group to sell what is still there, or adopt the exchange’s view"
        case Col.STATUS if row.error:
            return row.error
        case Col.STATUS if row.reason:
            return f"Reason: {words.reason(row.reason)}"
        case Col.STATUS if row.blocked:
            return "Blocked from the risk engine by you"
        case Col.STOP if row.stop is not None:
            return "Set by an alert or by you" if row.own_stop is not None else "From the strategy’s stop per cent"
    return ""
