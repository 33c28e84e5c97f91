"""The dashboard and a replay's summary say the same of the same trades."""

import json
import math
from decimal import Decimal
from pathlib import Path

import pytest

from exengine.analytics.calendar import Calendar, Range
from exengine.analytics.equity import Equity, Now
from exengine.analytics.history import Day
from exengine.analytics.report import Report, Wanted, report
from exengine.analytics.trades import Trades
from exengine.domain.instrument import Side
from exengine.domain.money import arithmetic
from exengine.domain.results import EquityMark, GroupResult
from tests.helpers.scenarios import run_replay
from tests.integration.test_replay import T0, body, prepare, table

D = Decimal
BAR_MS = 900_000


def waves(folder: Path) -> Path:
    """Six days of prices that go up and down, with an entry every two hours and an exit in between; the output."""
    signals, lines = [], []
    for bar in range(6 * 96):
        at_ms = T0 + bar * BAR_MS
        price = round(50_000 + 900 * math.sin(bar / 9) + 500 * math.sin(bar / 41) - bar * 1.5, 2)
        lines.append(f"{at_ms},{price}")
        if bar % 8 == 3:
            signals.append({"at": at_ms + 1, "body": body(at_ms + 1, str(price), "15" if bar % 16 == 3 else "60")})
        if bar % 24 == 20:
            signals.append({"at": at_ms + 1, "body": body(at_ms + 1, str(price), leave=True)})
    (prices,) = prepare(folder, signals=signals)
    prices.write_text("timestamp,price\n" + "\n".join(lines) + "\n")
    return run_replay(folder, [prices])


def shown(out: Path) -> Report:
    """What the dashboard makes of a replay's groups and its curve."""
    points = table(out / "equity.csv")
    start = D(points[0]["total"])
    trades, equity = Trades(), Equity()
    with arithmetic():
        rows = [
            GroupResult(
                group_id=row["group"], account=row["account"], symbol=row["symbol"], timeframe=row["timeframe"],
                side=Side(row["side"]), quote="USDT", strategy="", opened_at_ms=int(row["opened_at"]),
                closed_at_ms=int(row["closed_at"]), realised=D(row["realised_pnl"]), cost=D(1), fees=D(row["fees"]),
            )
            for row in table(out / "groups.csv")
            if row["status"] == "closed"
        ]  # fmt: skip
        trades.add(sorted(rows, key=lambda row: row.closed_at_ms), lambda account, quote: None)
        marks = [
            EquityMark(
                at_ms=int(point["at"]),
                realised=D(point["realised"]),
                unrealised=D(point["total"]) - start - D(point["realised"]),
            )
            for point in points[1:-1]
        ]
        equity.add(marks)
        last = points[-1]
        standing = D(last["total"]) - start - D(last["realised"])
    now = Now(at_ms=int(last["at"]), start_equity=start, unrealised=standing)
    return report(trades, equity, Day(), Wanted(range=Range.ALL), now, Calendar("UTC"))


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return waves(tmp_path_factory.mktemp("waves"))


def test_there_is_something_to_compare(replayed: Path) -> None:
    summary = json.loads((replayed / "summary.json").read_text())
    assert summary["wins"] > 5
    assert summary["losses"] > 5
    assert summary["sharpe"] is not None


def test_the_figures_are_those_of_the_summary(replayed: Path) -> None:
    found, summary = shown(replayed), json.loads((replayed / "summary.json").read_text())
    whole = found.figures
    assert (whole.closed, whole.wins, whole.losses) == (summary["groups_closed"], summary["wins"], summary["losses"])
    assert found.realised.all == D(summary["realised_pnl"])
    for name, value in {
        "win_rate": (whole.win_percent or 0) / 100,
        "average_win": whole.average_win,
        "average_loss": whole.average_loss,
        "rr": whole.rr,
        "profit_factor": whole.profit_factor,
        "max_drawdown_percent": found.curve.max_drawdown,
        "current_drawdown_percent": found.curve.current_drawdown,
        "sharpe": found.sharpe,
        "sortino": found.sortino,
        "best": found.best[0].result,
        "worst": found.worst[0].result,
    }.items():
        assert value is not None, name
        assert float(value) == pytest.approx(float(summary[name]), rel=1e-9, abs=1e-12), name
    assert found.days == 6


def test_longs_and_shorts_are_those_of_the_summary_where_nothing_is_open(replayed: Path) -> None:
    found, summary = shown(replayed), json.loads((replayed / "summary.json").read_text())
    still_open = sum(
        (D(row["realised_pnl"]) for row in table(replayed / "groups.csv") if row["status"] != "closed"), D(0)
    )
    with arithmetic():
        assert found.longs.result + still_open == pytest.approx(D(summary["long_pnl"]), abs=D("1e-9"))
    assert found.shorts.result == D(summary["short_pnl"]) == 0
