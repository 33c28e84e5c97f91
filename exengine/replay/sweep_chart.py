"""Draws a sweep as one SVG: profit against drawdown, what each setting has done, and the best runs' equity."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from exengine.domain.money import ZERO, plain
from exengine.replay.chart import WIDTH, Line, chart, nice
from exengine.replay.report import colours, money
from exengine.replay.sweep import Run, Sweep

LEFT, RIGHT, TITLE = 76, 14, 34
CLOUD, PART, EQUITY = 340, 190, 280
"""Heights of the drawings, in units of the whole."""
MOST_LABELS = 12
_TENTH = Decimal("0.1")
_COLOURS = ("surface", "line", "line_strong", "text", "muted", "accent", "profit", "risk", "warn")
_LINES = ("best1", "best2", "best3", "best4", "best5")

_RULES = """
text{font:12px system-ui,sans-serif;fill:var(--muted)} text.title{font-size:15px;font-weight:600;fill:var(--text)}
text.best{fill:var(--text);font-weight:600} rect.ground{fill:var(--surface)}
.grid{stroke:var(--line)} circle{fill:var(--muted);opacity:.55} circle.best{fill:var(--accent);opacity:1}
line.span{stroke:var(--line_strong);stroke-width:6;stroke-linecap:round} circle.middle{fill:var(--muted);opacity:1}
path.line{fill:none;stroke-width:1.5} .best1{stroke:var(--accent)} .best2{stroke:var(--risk)}
.best3{stroke:var(--profit)} .best4{stroke:var(--warn)} .best5{stroke:var(--muted)} path.best1{stroke-width:2.2}
"""


def drawing(sweep: Sweep, zone: str) -> str:
    """The whole drawing. Call it within `money.arithmetic`."""
    parts: list[str] = []
    top = 0
    for height, part in _parts(sweep, zone):
        parts.append(f'<g transform="translate(0 {top})">\n{part}\n</g>')
        top += height
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" height="{top}" '
        f'role="img" aria-label="Sweep of {len(sweep.runs)} runs">\n<style>{_style()}</style>\n'
        f'<rect class="ground" width="{WIDTH}" height="{top}"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _style() -> str:
    """Plain colours: many a viewer of drawings knows no variables. Dark where the reader's system is, in a browser."""
    return f"{_rules('light')}@media (prefers-color-scheme:dark){{{_rules('dark')}}}\n"


def _rules(theme: str) -> str:
    rules = _RULES
    for name, colour in colours(theme, _COLOURS).items():
        rules = rules.replace(f"var(--{name})", colour)
    return rules


def _parts(sweep: Sweep, zone: str) -> list[tuple[int, str]]:
    ranked = sweep.ranked()
    parts = [(CLOUD, _cloud(ranked))]
    for place, path in enumerate(sweep.paths):
        drawn = _setting(sweep, ranked, place, path)
        if drawn:
            parts.append((PART, drawn))
    lines = [
        Line(name=f"Run {run.number}", style=style, series=series)
        for (run, series), style in zip(sweep.curves(), _LINES, strict=False)
        if series
    ]
    if lines:
        # The best one is drawn last, over the others.
        curve = chart(lines[::-1], title="Equity of the best runs", unit="", zone=zone, height=EQUITY - TITLE - 24)
        # One drawing within another is more than many a viewer knows.
        inner = "\n".join(curve.splitlines()[1:-1])
        placed = f'<g transform="translate(0 {TITLE + 16})">\n{inner}\n</g>'
        parts.append((EQUITY, _title("Equity of the best runs, USD") + _legend(lines) + placed))
    return parts


def _title(text: str) -> str:
    return f'<text class="title" x="16" y="24">{escape(text)}</text>'


def _legend(lines: Sequence[Line]) -> str:
    return "".join(
        f'<line class="{line.style}" x1="{16 + 110 * place}" x2="{34 + 110 * place}" y1="38" y2="38" '
        f'stroke-width="2"/><text x="{40 + 110 * place}" y="42">{escape(line.name)}</text>'
        for place, line in enumerate(lines)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axis:
    """From values to places."""

    low: Decimal
    high: Decimal
    step: Decimal
    begin: int
    end: int

    def at(self, value: Decimal) -> str:
        share = (value - self.low) / (self.high - self.low)
        return plain((self.begin + share * (self.end - self.begin)).quantize(_TENTH))

    def levels(self) -> list[Decimal]:
        count = int((self.high - self.low) / self.step) + 1
        return [self.low + self.step * number for number in range(count)]


def _axis(values: Sequence[Decimal], begin: int, end: int) -> _Axis:
    step, low, high = nice(min(values), max(values))
    return _Axis(low=low, high=high, step=step, begin=begin, end=end)


def _across(axis: _Axis, unit: str = "") -> str:
    """Lines across, with their values at the left."""
    return "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{axis.at(value)}" y2="{axis.at(value)}"/>'
        f'<text x="{LEFT - 8}" y="{axis.at(value)}" dy="4" text-anchor="end">{_spelled(value)}{unit}</text>'
        for value in axis.levels()
    )


def _spelled(value: Decimal) -> str:
    return plain(value).replace("-", "−")


def _cloud(ranked: Sequence[Run]) -> str:
    """A dot for each run: how far it fell at most, and what it brought."""
    spots = [
        (run, run.figures["max_drawdown_percent"], run.figures["net_profit"])
        for run in ranked
        if run.figures["max_drawdown_percent"] is not None
    ]
    head = _title("Net profit in USD against the largest drawdown in %")
    if not spots:
        return head
    across = _axis([ZERO, *(fall for _, fall, _ in spots)], LEFT, WIDTH - RIGHT)
    up = _axis([profit for _, _, profit in spots], CLOUD - 34, TITLE + 12)
    parts = [head, _across(up)]
    parts += [
        f'<text x="{across.at(value)}" y="{CLOUD - 14}" text-anchor="{anchor}">{_spelled(value)} %</text>'
        for value in across.levels()
        for anchor in ("end" if value == across.high else "middle",)
    ]
    for run, fall, profit in reversed(spots):
        kind, size = (' class="best"', 6) if run is ranked[0] else ("", 4)
        told = f"Run {run.number}: {money(profit)} USD, drawdown {money(fall)} %, {', '.join(run.values)}"
        spot = f'<circle{kind} cx="{across.at(fall)}" cy="{up.at(profit)}" r="{size}">'
        parts.append(f"{spot}<title>{escape(told)}</title></circle>")
    return "\n".join(parts)


def _setting(sweep: Sweep, ranked: Sequence[Run], place: int, path: str) -> str:
    """What the deciding figure was with each value of a setting: from the least to the largest, and the middle one."""
    values = list(dict.fromkeys(run.values[place] for run in sorted(sweep.runs, key=lambda run: run.number)))
    found: dict[str, list[Decimal]] = {value: [] for value in values}
    for run in ranked:
        figure = run.figures[sweep.by]
        if figure is not None:
            found[run.values[place]].append(Decimal(figure))
    known = [figure for figures in found.values() for figure in figures]
    if len(values) < 2 or not known:
        return ""
    up = _axis(known, PART - 34, TITLE + 12)
    parts = [_title(f"{sweep.by} by {path}"), _across(up)]
    wide = Decimal(WIDTH - LEFT - RIGHT) / len(values)
    each = -(-len(values) // MOST_LABELS)
    for number, value in enumerate(values):
        x = plain((LEFT + wide * (number + Decimal("0.5"))).quantize(_TENTH))
        kind = ' class="best"' if value == ranked[0].values[place] else ""
        if number % each == 0 or kind:
            short = value if len(value) <= 16 else value[:15] + "…"
            parts.append(f'<text{kind} x="{x}" y="{PART - 14}" text-anchor="middle">{escape(short)}</text>')
        figures = sorted(found[value])
        if figures:
            middle = figures[len(figures) // 2]
            span = f'<line class="span" x1="{x}" x2="{x}" y1="{up.at(figures[0])}" y2="{up.at(figures[-1])}"/>'
            told = f"{value}: from {money(figures[0])} to {money(figures[-1])}, half are above {money(middle)}"
            parts.append(span + f'<circle class="middle" cx="{x}" cy="{up.at(middle)}" r="4">')
            parts.append(f"<title>{escape(told)}</title></circle>")
    return "\n".join(parts)
