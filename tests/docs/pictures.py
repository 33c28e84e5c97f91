"""Draws the pictures of the help from what the engine did in the worked examples, in the light theme's colours."""

from collections.abc import Callable
from decimal import Decimal
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from exengine.ui.theme import Tokens
from tests.docs import worked
from tests.docs.worked import MODES, T0, Played

WIDE = 720
FAMILY = "Inter, 'DejaVu Sans', sans-serif"


class Drawing:
    """An SVG picture on a ground of its own, so that it reads on any page."""

    def __init__(self, height: int) -> None:
        tokens = Tokens()
        self._colors = {name: color.name() for name, color in tokens.colors("light", tokens.pnl_palettes[0]).items()}
        self.height = height
        self._parts: list[str] = []
        self.box(0, 0, WIDE, height, "raised", corner=6)

    def box(self, x: float, y: float, wide: float, high: float, token: str, *, corner: float = 0) -> None:
        at = f'x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" rx="{corner}"'
        self._parts.append(f'<rect {at} fill="{self._colors[token]}"/>')

    def line(self, points: list[tuple[float, float]], token: str, *, wide: float = 1, dashed: bool = False) -> None:
        way = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dashes = ' stroke-dasharray="3 3"' if dashed else ""
        style = f'fill="none" stroke="{self._colors[token]}" stroke-width="{wide}"{dashes} stroke-linejoin="round"'
        self._parts.append(f'<polyline points="{way}" {style}/>')

    def dot(self, x: float, y: float, token: str, *, size: float = 3.5) -> None:
        self._parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size}" fill="{self._colors[token]}"/>')

    def peak(self, x: float, y: float, token: str) -> None:
        """A triangle that points up: something was sold."""
        self._parts.append(
            f'<polygon points="{x:.1f},{y - 5:.1f} {x - 5:.1f},{y + 4:.1f} {x + 5:.1f},{y + 4:.1f}"'
            f' fill="{self._colors[token]}"/>'
        )

    def text(self, x: float, y: float, words: str, token: str = "text", *, size: int = 12, end: str = "start") -> None:
        style = f'font-family="{FAMILY}" font-size="{size}" text-anchor="{end}" fill="{self._colors[token]}"'
        self._parts.append(f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(words)}</text>')

    def svg(self, title: str) -> str:
        head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDE}" height="{self.height}" '
        head += f'viewBox="0 0 {WIDE} {self.height}">\n<title>{escape(title)}</title>\n'
        return head + "\n".join(self._parts) + "\n</svg>\n"


class Chart:
    """A part of a drawing with time along it and price up it."""

    def __init__(
        self, drawing: Drawing, x: float, y: float, wide: float, high: float, played: Played, low: float, top: float
    ) -> None:
        self._drawing, self._low, self._top = drawing, low, top
        self._x, self._y, self._wide, self._high = x, y, wide, high
        (self._prices,) = played.prices.values()
        self._last_ms = self._prices[-1][0]

    def at(self, at_ms: int, price: Decimal | float) -> tuple[float, float]:
        share = (at_ms - T0) / (self._last_ms - T0)
        return self._x + share * self._wide, self._level(price)

    def _level(self, price: Decimal | float) -> float:
        return self._y + self._high * (self._top - float(price)) / (self._top - self._low)

    def draw_scale(self, *prices: float) -> None:
        for price in prices:
            level = self._level(price)
            self._drawing.line([(self._x, level), (self._x + self._wide, level)], "line")
            self._drawing.text(self._x - 6, level + 4, f"{price:.0f}", "muted", size=11, end="end")

    def draw_prices(self) -> None:
        self._drawing.line([self.at(at, float(price)) for at, price in self._prices], "accent", wide=1.5)

    def draw_orders(self, played: Played) -> None:
        """Each fill of an entry as a dot, each target as a line from where it rested, with a peak where it filled."""
        for order in played.tables["orders"]:
            if order["status"] != "filled":
                continue
            closed_ms, price = int(order["closed_at"]), Decimal(order["average"])
            if order["role"] == "entry":
                self._drawing.dot(*self.at(closed_ms, price), "text")
            else:
                begun = self.at(int(order["created_at"]), price)
                self._drawing.line([begun, self.at(closed_ms, price)], "profit", dashed=True)
                self._drawing.peak(*self.at(closed_ms, price), "profit")


def ladder(folder: Path) -> str:
    played = worked.ladder(folder)
    drawing = Drawing(330)
    chart = Chart(drawing, 52, 44, 520, 250, played, 97.5, 101.5)
    drawing.text(20, 26, "One alert at 100.00, five legs, five targets")
    chart.draw_scale(98, 99, 100, 101)
    chart.draw_prices()
    chart.draw_orders(played)
    for order in played.tables["orders"]:
        x, y = chart.at(int(order["closed_at"]), Decimal(order["price"]))
        if order["role"] == "entry":
            drawing.text(x + 8, y + (15 if order["leg"] == "4" else -4), f"DCA{order['leg']}", "muted", size=11)
    levels = sorted(
        ((Decimal(order["price"]), order["leg"]) for order in played.tables["orders"] if order["role"] == "tp"),
        reverse=True,
    )
    below = 0.0
    for price, leg in levels:
        y = max(chart.at(T0, price)[1] + 4, below + 15)
        drawing.text(586, y, f"{price:.2f} target of DCA{leg}", "profit", size=11)
        below = y
    _legend(drawing, 316)
    return drawing.svg("The default ladder and its targets")


def targets(folder: Path) -> str:
    drawing = Drawing(500)
    for place, mode in enumerate(MODES):
        played = worked.taking_profit(folder / mode, mode)
        x, y = 46 + (place % 2) * 350, 50 + (place // 2) * 225
        chart = Chart(drawing, x, y, 300, 160, played, 96.5, 101.5)
        won = Decimal(played.summary["realised_pnl"])
        drawing.text(x, y - 16, mode.capitalize())
        drawing.text(x + 300, y - 16, f"{won:+.2f}", "profit", end="end")
        chart.draw_scale(97, 99, 101)
        chart.draw_prices()
        chart.draw_orders(played)
    _legend(drawing, 484)
    return drawing.svg("The four ways to take profit on the same prices")


def offset(folder: Path) -> str:
    played = worked.offset(folder)
    drawing = Drawing(200)
    steps = played.tables["risk"]
    required = float(steps[0]["required"])
    unit = 430 / required / 1.45
    left = 130.0
    drawing.text(20, 28, "Who pays for the loss")
    drawing.text(left - 12, 66, "SOL is closed", end="end")
    drawing.box(left, 50, required * unit, 24, "loss")
    drawing.text(left + required * unit + 8, 66, f"{required:.2f} required", "loss")
    x, y = left, 90.0
    told = []
    for step in steps:
        base, paid = step["winner"].split("|")[1].split("/")[0], float(step["realised"])
        whole = next(group for group in played.tables["groups"] if group["group"] == step["winner"])
        rest = float(whole["unrealised_pnl"])
        drawing.text(left - 12, y + 16, f"{base} pays", end="end")
        drawing.box(x, y, paid * unit, 24, "profit")
        drawing.box(x + paid * unit, y, rest * unit, 24, "fill")
        kept = f", {rest:.2f} stay open" if rest else ", all of it"
        told.append((x + (paid + rest) * unit + 8, y, f"{paid:.2f}{kept}"))
        x, y = x + paid * unit, y + 40
    drawing.line([(x, 50), (x, y - 16)], "text", dashed=True)
    for at, top, words in told:
        drawing.box(at - 4, top, 7.2 * len(words), 24, "raised")  # the line ends where it would cross the words
        drawing.text(at, top + 16, words, "profit")
    return drawing.svg("Winners pay for a loser")


def _legend(drawing: Drawing, y: float) -> None:
    drawing.dot(26, y - 4, "text")
    drawing.text(36, y, "bought", "muted", size=11)
    drawing.line([(96, y - 4), (120, y - 4)], "profit", dashed=True)
    drawing.peak(124, y - 4, "profit")
    drawing.text(136, y, "target, from its order to its fill", "muted", size=11)
    drawing.line([(330, y - 4), (354, y - 4)], "accent", wide=1.5)
    drawing.text(362, y, "price", "muted", size=11)


DRAWN: dict[str, Callable[[Path], str]] = {"ladder": ladder, "targets": targets, "offset": offset}


def draw() -> dict[str, str]:
    """All of them, by the name of their file."""
    with TemporaryDirectory() as folder:
        return {f"{name}.svg": make(Path(folder) / name) for name, make in DRAWN.items()}
