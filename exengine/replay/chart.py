"""Draws a replay's curves as inline SVG: lines over time, and the fall below the peak. No script, no floats."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from html import escape
from zoneinfo import ZoneInfo

from exengine.domain.money import ONE, ZERO, plain

WIDTH = 960
LEFT, RIGHT, TOP, BOTTOM = 76, 14, 12, 26
"""What labels need around the plot, in units of the drawing."""
MOST_POINTS = WIDTH - LEFT - RIGHT
_DAY_MS = 24 * 3600 * 1000
_TENTH = Decimal("0.1")

Series = Sequence[tuple[int, Decimal]]
"""Epoch ms and value, in order of time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One curve: its class in the style sheet, its name, and whether the room towards zero is filled."""

    name: str
    style: str
    series: Series
    filled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """From values to places: time to the right, values upwards."""

    from_ms: int
    to_ms: int
    low: Decimal
    high: Decimal
    height: int

    def x(self, at_ms: int) -> Decimal:
        share = Decimal(at_ms - self.from_ms) / max(1, self.to_ms - self.from_ms)
        return (LEFT + share * (WIDTH - LEFT - RIGHT)).quantize(_TENTH)

    def y(self, value: Decimal) -> Decimal:
        share = (value - self.low) / (self.high - self.low)
        return (self.height - BOTTOM - share * (self.height - TOP - BOTTOM)).quantize(_TENTH)


def chart(lines: Sequence[Line], *, title: str, unit: str, zone: str, height: int, last_day: bool = True) -> str:
    """One drawing with its axes. Steps are drawn as steps: between two closes nothing is known to have moved."""
    values = [value for line in lines for _, value in line.series]
    times = [at_ms for line in lines for at_ms, _ in line.series]
    if not values:
        return ""
    step, low, high = nice(min(values), max(values))
    scale = _Scale(from_ms=min(times), to_ms=max(times), low=low, high=high, height=height)
    parts = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">']
    parts += _levels(scale, step, unit)
    parts += _days(scale, zone, shown=last_day)
    for line in lines:
        parts += _drawn(scale, line)
    return "\n".join([*parts, "</svg>"])


def nice(low: Decimal, high: Decimal) -> tuple[Decimal, Decimal, Decimal]:
    """A round step, and the round values around all that is shown."""
    span = high - low or abs(high) / 100 or ONE
    step = ONE.scaleb((span / 4).adjusted())
    for factor in (2, 5, 10):
        if span / step <= 5:
            break
        step = ONE.scaleb((span / 4).adjusted()) * factor
    bottom = (low / step).to_integral_value(ROUND_FLOOR) * step
    top = (high / step).to_integral_value(ROUND_CEILING) * step
    return step, bottom, top if top > bottom else bottom + step


def _levels(scale: _Scale, step: Decimal, unit: str) -> list[str]:
    parts, value = [], scale.low
    while value <= scale.high:
        y = plain(scale.y(value))
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
        text = f"{plain(value) if step < 1 else format(value, ',.0f')}{unit}".replace("-", "−")
        parts.append(f'<text x="{LEFT - 8}" y="{y}" dy="4" text-anchor="end">{text}</text>')
        value += step
    return parts


def _days(scale: _Scale, zone: str, *, shown: bool) -> list[str]:
    if not shown:
        return []
    span = scale.to_ms - scale.from_ms
    pattern = "%Y-%m-%d" if span > 3 * _DAY_MS else "%m-%d %H:%M" if span > 60_000 * 10 else "%H:%M:%S"
    parts, count = [], 5 if span else 1
    for number in range(count):
        at_ms = scale.from_ms + span * number // max(1, count - 1)
        anchor = "start" if number == 0 else "end" if number == count - 1 else "middle"
        when = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone)).strftime(pattern)
        x, y = plain(scale.x(at_ms)), scale.height - 8
        parts.append(f'<text x="{x}" y="{y}" text-anchor="{anchor}">{when}</text>')
    return parts


def _drawn(scale: _Scale, line: Line) -> list[str]:
    series = thinned(line.series, MOST_POINTS)
    places = [(plain(scale.x(at_ms)), plain(scale.y(value))) for at_ms, value in series]
    path = "M" + " ".join(places[0])
    for x, y in places[1:]:
        path += f"H{x}V{y}"
    parts = []
    if line.filled:
        zero = plain(scale.y(min(max(ZERO, scale.low), scale.high)))
        parts.append(f'<path class="{line.style} area" d="{path}V{zero}H{places[0][0]}Z"/>')
    parts.append(f'<path class="{line.style} line" d="{path}"><title>{escape(line.name)}</title></path>')
    return parts


def thinned(series: Series, most: int) -> list[tuple[int, Decimal]]:
    """The series by its first, lowest, highest and last value in each of some stretches, where it has too many."""
    if len(series) <= most:
        return list(series)
    stretches = max(1, most // 4)
    kept: list[tuple[int, Decimal]] = []
    for number in range(stretches):
        part = range(len(series) * number // stretches, len(series) * (number + 1) // stretches)
        lowest = min(part, key=lambda place: series[place][1])
        highest = max(part, key=lambda place: series[place][1])
        kept += [series[place] for place in sorted({part[0], lowest, highest, part[-1]})]
    return kept
