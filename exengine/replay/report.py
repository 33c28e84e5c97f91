"""A replay as a page that a trader reads: curves, figures, trades by market, offsets and what became of the signals.

One file: no network, no script. Its colours are the program's own, light or dark as the reader's system is.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from exengine.assets import asset
from exengine.domain import figures, pnl
from exengine.domain.capital import usd_value
from exengine.domain.group import CloseReason, Group
from exengine.domain.money import HUNDRED, ZERO, plain
from exengine.domain.state import State
from exengine.replay.chart import Line, chart
from exengine.replay.curve import Point
from exengine.replay.driver import Record

DASH = "–"
MOST_TRADES = 10
"""So many best and so many worst trades are listed, and so many of those still open."""
MOST_OFFSETS = 50

_LEFT_BY = {CloseReason.TP: "target", CloseReason.RISK_OFFSET: "offset"}
_COLOURS = ("surface", "raised", "line", "text", "muted", "accent", "profit", "loss", "risk", "fill")

Cell = tuple[str, str]
"""A cell's text and its class."""


def page(state: State, record: Record, points: Sequence[Point], found: dict[str, Any]) -> str:
    """The whole page. Call it within `money.arithmetic`."""
    zone = state.settings.timezone
    span = f"{_when(points[0].at_ms, zone)} to {_when(points[-1].at_ms, zone)}, {zone}" if points else "nothing played"
    body = [
        f"<header><h1>Replay</h1><p>{escape(span)}</p></header>",
        _figures(found),
        _curves(points, zone),
        _by_market(state, record),
        _trades(state, record, zone),
        _open(state, record),
        _offsets(state, record, zone),
        _outcomes(record),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Replay: {escape(span)}</title>\n<style>{_style()}</style></head>\n<body>\n"
        + "\n".join(part for part in body if part)
        + "\n</body></html>\n"
    )


# texts ----------------------------------------------------------------------------------------------------------------


def money(value: Decimal | None) -> str:
    """With thousands and two decimals, as 1,234.50; a dash for what is undefined."""
    return DASH if value is None else format(value.quantize(Decimal("0.01")), ",f").replace("-", "−")


def percent(value: Decimal | None) -> str:
    return DASH if value is None else f"{money(value)} %"


def _ratio(value: Decimal | None) -> Cell:
    return money(value), "number"


def _gain(value: Decimal | None) -> Cell:
    tone = "" if not value else " profit" if value > 0 else " loss"
    sign = "+" if value is not None and value > 0 else ""
    return sign + money(value), "number" + tone


def _count(value: int) -> Cell:
    return f"{value:,}", "number"


def _text(value: str) -> Cell:
    return value, ""


def _when(at_ms: int | None, zone: str) -> str:
    if at_ms is None:
        return DASH
    return datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, note: str = "") -> str:
    """A titled table; nothing where it has no rows. A column is aligned as its first row's cell is."""
    rows = list(rows)
    if not rows:
        return ""
    head = "".join(
        f'<th class="{"number" if "number" in cell[1] else ""}">{escape(name)}</th>'
        for name, cell in zip(columns, rows[0], strict=True)
    )
    lines = (
        "<tr>" + "".join(f'<td class="{kind}">{escape(text)}</td>' for text, kind in row) + "</tr>" for row in rows
    )
    told = f"<p>{escape(note)}</p>" if note else ""
    body = "\n".join(lines)
    return (
        f'<section><h2>{escape(title)}</h2>{told}<div class="wide"><table><thead><tr>{head}</tr></thead>\n'
        f"<tbody>{body}</tbody></table></div></section>"
    )


# parts ----------------------------------------------------------------------------------------------------------------


def _figures(found: dict[str, Any]) -> str:
    grown = found["end_equity"] - found["start_equity"]
    share = grown / found["start_equity"] * HUNDRED if found["start_equity"] else None
    rate = None if found["win_rate"] is None else found["win_rate"] * HUNDRED
    shown: list[tuple[str, Cell, str]] = [
        ("Equity at the end", _text(money(found["end_equity"])), f"from {money(found['start_equity'])} USD"),
        ("Grown by", _gain(grown), percent(share)),
        ("Realised", _gain(found["realised_pnl"]), "net of fees"),
        ("Unrealised", _gain(found["unrealised_pnl"]), f"{found['groups_open']} groups open"),
        ("Fees", _text(money(found["fees"])), f"on a volume of {money(found['volume'])}"),
        ("Groups closed", _text(f"{found['groups_closed']:,}"), f"{found['wins']} won, {found['losses']} lost"),
        ("Win rate", _text(percent(rate)), ""),
        ("Average win", _gain(found["average_win"]), f"best {money(found['best'])}"),
        ("Average loss", _gain(found["average_loss"]), f"worst {money(found['worst'])}"),
        ("Win to loss (RR)", _text(money(found["rr"])), ""),
        ("Profit factor", _text(money(found["profit_factor"])), ""),
        ("Largest drawdown", _text(percent(found["max_drawdown_percent"])), "of the peak"),
        ("Drawdown now", _text(percent(found["current_drawdown_percent"])), ""),
        ("Sharpe", _text(money(found["sharpe"])), "daily, × √365"),
        ("Sortino", _text(money(found["sortino"])), "daily, × √365"),
        ("Longs", _gain(found["long_pnl"]), ""),
        ("Shorts", _gain(found["short_pnl"]), ""),
    ]
    cards = "\n".join(
        f'<div><dt>{escape(name)}</dt><dd class="{kind}">{escape(text)}</dd><p>{escape(told)}</p></div>'
        for name, (text, kind), told in shown
    )
    return f'<section><dl class="cards">\n{cards}\n</dl></section>'


def _curves(points: Sequence[Point], zone: str) -> str:
    if not points:
        return ""
    start = points[0].total - points[0].realised
    total = Line(name="Total equity", style="total", series=[(one.at_ms, one.total) for one in points])
    realised = Line(
        name="Realised: capital and what closes have brought",
        style="realised",
        series=[(one.at_ms, start + one.realised) for one in points],
    )
    falls, peak = [], points[0].total
    for point in points:
        peak = max(peak, point.total)
        falls.append((point.at_ms, -(peak - point.total) / peak * HUNDRED if peak > 0 else ZERO))
    drawdown = Line(name="Drawdown", style="fall", series=falls, filled=True)
    curve = chart([realised, total], title="Equity over time", unit="", zone=zone, height=300)
    below = chart([drawdown], title="Drawdown over time", unit=" %", zone=zone, height=150, last_day=False)
    return (
        '<section><h2>Equity, USD</h2><p class="legend"><span class="total">Total</span>'
        f'<span class="realised">Realised</span></p>\n{curve}\n'
        f'<p class="legend"><span class="fall">Drawdown from the peak</span></p>\n{below}</section>'
    )


def _dollars(state: State, group: Group) -> Decimal:
    return pnl.realised(group) * usd_value(state, group)


def _by_market(state: State, record: Record) -> str:
    markets: dict[tuple[str, str, str], list[Group]] = {}
    for group in record.groups.values():
        key = group.key
        for market in ((key.symbol, key.timeframe, group.side.value), ("All", "", "")):
            markets.setdefault(market, []).append(group)
    rows = []
    for market in sorted(markets, key=lambda one: (one[0] == "All", one)):
        groups = markets[market]
        closed = [group for group in groups if not group.is_open]
        of = figures.trades([_dollars(state, group) for group in closed])
        fees = sum((pnl.fees(group) * usd_value(state, group) for group in groups), ZERO)
        rows.append(
            (
                *map(_text, market),
                _count(len(closed)),
                _count(len(groups) - len(closed)),
                (percent(None if of.win_rate is None else of.win_rate * HUNDRED), "number"),
                _gain(sum((_dollars(state, group) for group in groups), ZERO)),
                _ratio(of.average_win),
                _ratio(of.average_loss),
                _ratio(of.profit_factor),
                _ratio(fees),
            )
        )
    columns = ("Pair", "Chart", "Side", "Closed", "Open", "Won", "Realised", "Ø win", "Ø loss", "Profit factor", "Fees")
    return _table("By pair and timeframe", columns, rows)


def _trades(state: State, record: Record, zone: str) -> str:
    closed = [group for group in record.groups.values() if not group.is_open and group.has_filled]
    ranked = sorted(closed, key=lambda group: (-_dollars(state, group), group.opened_at_ms, group.id))
    won = [group for group in ranked if _dollars(state, group) > 0][:MOST_TRADES]
    lost = [group for group in reversed(ranked) if _dollars(state, group) < 0][:MOST_TRADES]
    columns = ("Group", "Side", "Opened", "Closed", "Left by", "Pyramids", "Realised")

    def row(group: Group) -> Sequence[Cell]:
        return (
            _text(group.id),
            _text(group.side.value),
            _text(_when(group.opened_at_ms, zone)),
            _text(_when(group.closed_at_ms, zone)),
            _text(_LEFT_BY.get(group.reason, _words(group.reason.value)) if group.reason else ""),
            _count(len(group.pyramids)),
            _gain(_dollars(state, group)),
        )

    return _table("Best trades", columns, map(row, won)) + _table("Worst trades", columns, map(row, lost))


def _open(state: State, record: Record) -> str:
    def gain(group: Group) -> Decimal:
        last = state.last(group.key.account, group.key.symbol)
        return ZERO if last is None else pnl.unrealised(group, last) * usd_value(state, group)

    groups = sorted(
        (group for group in record.groups.values() if group.is_open), key=lambda group: (-abs(gain(group)), group.id)
    )

    def row(group: Group) -> Sequence[Cell]:
        average = pnl.group_avg_entry(group)
        return (
            _text(group.id),
            _text(group.side.value),
            _text(_words(group.status.value)),
            _count(len(group.pyramids)),
            (DASH if average is None else plain(average.quantize(state.instrument(group).tick_size)), "number"),
            (plain(group.net_qty), "number"),
            _gain(_dollars(state, group)),
            _gain(gain(group)),
        )

    columns = ("Group", "Side", "State", "Pyramids", "Average entry", "Quantity", "Realised", "Unrealised")
    note = f"{MOST_TRADES} of {len(groups)}, the largest first." if len(groups) > MOST_TRADES else ""
    return _table("Still open", columns, map(row, groups[:MOST_TRADES]), note=note)


def _offsets(state: State, record: Record, zone: str) -> str:
    plans = [*record.offsets, *([state.plan] if state.plan else [])]
    rows = [
        (
            _text(_when(plan.at_ms, zone)),
            _text(plan.loser_id),
            _ratio(plan.required),
            _text(line.group_id),
            _ratio(line.take),
            (plain(line.qty), "number"),
            _gain(line.realised),
        )
        for plan in plans
        for line in plan.lines
    ]
    columns = ("At", "Loser", "Required", "Paid by", "Needed of it", "Closed", "Brought")
    note = f"The first {MOST_OFFSETS} of {len(rows)}; risk.csv has all." if len(rows) > MOST_OFFSETS else ""
    return _table("Offsets", columns, rows[:MOST_OFFSETS], note=note)


def _outcomes(record: Record) -> str:
    counted = Counter((one.outcome.value if one.outcome else "", one.reason) for one in record.signals.values())
    rows = [
        (_text(_words(outcome)), _text(_words(reason)), _count(count))
        for (outcome, reason), count in sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    ]
    return _table("What became of the signals", ("Outcome", "Reason", "Signals"), rows)


def _words(name: str) -> str:
    return name.replace("_", " ")


# style ----------------------------------------------------------------------------------------------------------------


def _style() -> str:
    light, dark = ("".join(f"--{name}:{value};" for name, value in colours(one).items()) for one in ("light", "dark"))
    return f":root{{color-scheme:light dark;{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n" + _RULES


def colours(theme: str, names: Sequence[str] = _COLOURS) -> dict[str, str]:
    """The program's colours in its light or its dark theme, by token."""
    of = json.loads(asset("tokens.json").read_text(encoding="utf-8"))["themes"][theme]
    return {name: of[name] for name in names}


_RULES = """
body{margin:0 auto;max-width:1040px;padding:24px 16px 48px;background:var(--surface);color:var(--text);
 font:14px/1.45 system-ui,sans-serif}
h1{font-size:22px;margin:0} h2{font-size:16px;margin:32px 0 8px} p{margin:2px 0;color:var(--muted)}
dl.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:8px;margin:20px 0 0}
dl.cards div{background:var(--raised);border:1px solid var(--line);border-radius:4px;padding:8px 12px}
dt{color:var(--muted);font-size:12px} dd{margin:0;font-size:18px;font-variant-numeric:tabular-nums}
dl.cards p{font-size:12px;min-height:1.45em}
svg{display:block;width:100%;height:auto} svg text{font-size:12px;fill:var(--muted)}
svg .grid{stroke:var(--line)} path.line{fill:none;stroke-width:1.75} path.area{stroke:none;opacity:.25}
path.total{stroke:var(--accent)} path.realised{stroke:var(--risk);stroke-dasharray:5 3} path.fall{stroke:var(--loss)}
path.fall.area{fill:var(--loss)}
.legend span{margin-right:20px;font-size:12px;color:var(--text)} .legend span::before{content:"";display:inline-block;
 width:18px;margin-right:6px;vertical-align:middle;border-top:2px solid var(--accent)}
.legend .realised::before{border-top:2px dashed var(--risk)} .legend .fall::before{border-color:var(--loss)}
.wide{overflow-x:auto} table{border-collapse:collapse;width:100%;font-size:13px}
th,td{text-align:left;padding:4px 8px;border-bottom:1px solid var(--line);white-space:nowrap}
th{color:var(--muted);font-weight:500} .number{text-align:right;font-variant-numeric:tabular-nums}
dd.number{text-align:left} .profit{color:var(--profit)} .loss{color:var(--loss)}
@media print{body{max-width:none}section{break-inside:avoid}}
"""
