"""The rows and pictures of the Performance dock's figures and plots, for its exports."""

from datetime import tzinfo

from PySide6.QtCore import QPoint
from PySide6.QtGui import QPixmap, QRegion
from PySide6.QtWidgets import QWidget

from exengine.analytics.report import Report
from exengine.ui import format as fmt
from exengine.ui.exports import Rows
from exengine.ui.performance_heat import HeatMap
from exengine.ui.performance_words import decimal, moment

# what the rows are ----------------------------------------------------------------------------------------------------


def curve_rows(report: Report, zone: tzinfo) -> Rows:
    """Times as ISO 8601 in the trader's zone and as epoch ms; amounts in USD."""
    yield ["time", "at", "total", "realised", "drawdown_percent"]
    curve = report.curve
    falls = curve.falls if curve.falls is not None else [None] * len(curve.at)
    for at_ms, total, realised, fall in zip(curve.at.tolist(), curve.total, curve.realised, falls, strict=True):
        time = moment(at_ms, zone).isoformat(timespec="milliseconds")
        yield [time, str(at_ms), _plain(total, 8), _plain(realised, 8), _plain(fall, 8)]


def histogram_rows(report: Report) -> Rows:
    """The outermost bars hold what is beyond them as well."""
    yield ["from_percent", "groups"]
    for left, count in zip(report.histogram.lefts, report.histogram.counts.tolist(), strict=True):
        yield [_plain(float(left), 2), str(count)]


def heat_rows(report: Report) -> Rows:
    heat = report.heat
    yield ["pair", *heat.timeframes, "all"]
    for pair in heat.pairs:
        cells = [heat.cells.get((pair, timeframe)) for timeframe in heat.timeframes]
        yield [
            pair,
            *(fmt.copied(cell.result) if cell is not None else "" for cell in cells),
            fmt.copied(heat.totals[pair]),
        ]


def figure_rows(report: Report) -> Rows:
    """Everything that the cards show, with all of its digits."""
    of = report.figures
    yield ["figure", "value"]
    for name, value in {
        "realised_today": report.realised.today,
        "realised_week": report.realised.week,
        "realised_month": report.realised.month,
        "realised_all": report.realised.all,
        "realised_in_range": report.realised.in_range,
        "unrealised": report.now.unrealised,
        "groups_closed": of.closed,
        "wins": of.wins,
        "losses": of.losses,
        "win_percent": decimal(of.win_percent),
        "average_win": of.average_win,
        "average_loss": of.average_loss,
        "rr": decimal(of.rr),
        "profit_factor": decimal(of.profit_factor),
        "max_drawdown_percent": decimal(report.curve.max_drawdown),
        "current_drawdown_percent": decimal(report.curve.current_drawdown),
        "sharpe": decimal(report.sharpe),
        "sortino": decimal(report.sortino),
        "long_pnl": report.longs.result,
        "short_pnl": report.shorts.result,
    }.items():
        yield [name, fmt.copied(value)]


def _plain(value: float | None, places: int) -> str:
    found = decimal(value)
    return "" if found is None else fmt.copied(round(found, places))


# pictures -------------------------------------------------------------------------------------------------------------


def heat_picture(heat: HeatMap, report: Report) -> QPixmap:
    whole = HeatMap(heat.look)
    whole.resize(heat.size())
    whole.show_report(report)
    whole.resize(heat.whole_size())
    picture = whole.grab()
    whole.deleteLater()
    return picture


def widget_picture(widget: QWidget) -> QPixmap:
    picture = QPixmap(widget.size() * widget.devicePixelRatioF())
    picture.setDevicePixelRatio(widget.devicePixelRatioF())
    picture.fill(widget.palette().color(widget.backgroundRole()))
    widget.render(picture, QPoint(), QRegion(widget.rect()))
    return picture
