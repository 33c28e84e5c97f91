"""A replay's files: the tables of SPEC §12, its summary, and its report. Nothing is left half written."""

import json
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from errno import EISDIR, ENOTDIR
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from exengine.domain import figures, pnl
from exengine.domain.capital import usd_value
from exengine.domain.errors import UserError
from exengine.domain.group import Group
from exengine.domain.instrument import Side
from exengine.domain.money import ZERO, arithmetic, plain
from exengine.domain.safety import day_of, start_equity
from exengine.domain.state import AppliedFill, State
from exengine.engine import tables
from exengine.engine.tables import Row
from exengine.replay import report
from exengine.replay.curve import Point
from exengine.replay.driver import Record

DAY_MS = 24 * 3600 * 1000
FILES = frozenset(
    {
        "orders.csv", "fills.csv", "groups.csv", "signals.csv", "risk.csv", "queue.csv", "equity.csv", "summary.json",
        "report.html",
    }
)  # fmt: skip


def summary(state: State, record: Record, points: list[Point]) -> dict[str, Any]:
    """The figures of summary.json; None where undefined."""
    groups = list(record.groups.values())
    closed = [group for group in groups if not group.is_open]
    results = [_dollars(state, group, pnl.realised(group)) for group in closed]
    of = figures.trades(results)
    largest, current = figures.drawdowns([point.total for point in points])
    returns = _daily(state, points)
    start = start_equity(state)
    realised = sum((_dollars(state, group, pnl.realised(group)) for group in groups), ZERO)
    end = points[-1].total if points else start
    return {
        "start_equity": start,
        "end_equity": end,
        "realised_pnl": realised,
        "unrealised_pnl": end - start - realised,
        "fees": sum((_dollars(state, group, pnl.fees(group)) for group in groups), ZERO),
        "volume": sum((_volume(state, record, applied) for applied in record.fills), ZERO),
        "groups_closed": len(closed),
        "groups_open": len(groups) - len(closed),
        "wins": of.wins,
        "losses": of.losses,
        "win_rate": of.win_rate,
        "average_win": of.average_win,
        "average_loss": of.average_loss,
        "rr": of.rr,
        "profit_factor": of.profit_factor,
        "max_drawdown_percent": largest,
        "current_drawdown_percent": current,
        "sharpe": figures.sharpe(returns),
        "sortino": figures.sortino(returns),
        "best": of.best,
        "worst": of.worst,
        "long_pnl": _of_side(state, groups, Side.LONG),
        "short_pnl": _of_side(state, groups, Side.SHORT),
    }


def _dollars(state: State, group: Group, amount: Decimal) -> Decimal:
    return amount * usd_value(state, group)


def _of_side(state: State, groups: Iterable[Group], side: Side) -> Decimal:
    return sum((_dollars(state, group, pnl.realised(group)) for group in groups if group.side is side), ZERO)


def _volume(state: State, record: Record, applied: AppliedFill) -> Decimal:
    group = record.groups[applied.order.group_id]
    return _dollars(state, group, applied.fill.price * applied.fill.qty * group.contract_size)


def _daily(state: State, points: list[Point]) -> list[Decimal]:
    """A return for each of the trader's days from the first event's to the last one's."""
    if not points:
        return []
    zone = state.settings.timezone
    closes = {day_of(point.at_ms, zone): point.total for point in points if point.closed}
    days: list[str] = []
    at_ms = points[0].at_ms
    while day_of(at_ms, zone) <= day_of(points[-1].at_ms, zone):
        day = day_of(at_ms, zone)
        if not days or days[-1] != day:
            days.append(day)
        at_ms += DAY_MS // 2  # half a day, so that no day of 23 hours is stepped over
    return figures.daily_returns(points[0].total, [closes.get(day) for day in days])


def check(out: Path, names: Collection[str] = FILES) -> None:
    """Tries whether a replay could be written to `out`, and leaves nothing behind. Raises UserError where it could not.

    A run takes its time: what is wrong with its output is told before it. `names` are the files that it will have.
    """
    out = out.absolute()
    made: list[Path] = []
    try:
        if (out.exists() or out.is_symlink()) and not out.is_dir():
            raise NotADirectoryError(ENOTDIR, "it is a file, not a folder")
        in_the_way = next((one for one in sorted(out.glob("*.*")) if one.name in names and one.is_dir()), None)
        if in_the_way is not None:
            raise IsADirectoryError(EISDIR, f"{in_the_way.name} in it is a folder, and is to be a file")
        shutil.rmtree(_building(out), ignore_errors=True)
        for folder in (*reversed(out.parents), _building(out)):
            if not folder.exists():
                folder.mkdir()
                made.append(folder)
        if out.exists():
            with NamedTemporaryFile(dir=out, prefix=".exengine-"):
                pass
    except OSError as error:
        raise UserError(
            f"{out}: the replay cannot be written there: {error.strerror or error}.",
            safe="Nothing was replayed and nothing was written.",
            remedy="Give --out a folder that is there, or that can be made.",
        ) from None
    finally:
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()


def _building(out: Path) -> Path:
    """The folder beside `out` in which the files are made."""
    return out.with_name(f".{out.name}.part")


@contextmanager
def built(out: Path) -> Iterator[Path]:
    """A folder beside `out` to make files in; where nothing is raised, they take the place of those in `out`."""
    out = out.absolute()
    out.parent.mkdir(parents=True, exist_ok=True)
    building = _building(out)
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir()
    try:
        yield building
        out.mkdir(exist_ok=True)
        for file_path in sorted(building.iterdir()):
            file_path.replace(out / file_path.name)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def write(out: Path, state: State, record: Record, points: list[Point]) -> dict[str, Any]:
    """Writes every file of a replay; its summary. Raises OSError, and nothing is left half written."""
    with built(out) as building:
        with arithmetic():
            for name, (columns, rows) in _tables(state, record, points).items():
                with (building / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                    tables.write_csv(file, columns, rows)
            found = summary(state, record, points)
            page = report.page(state, record, points, found)
        text = json.dumps({name: cell(value) for name, value in found.items()}, indent=2)
        (building / "summary.json").write_text(text + "\n", encoding="utf-8", newline="\n")
        (building / "report.html").write_text(page, encoding="utf-8", newline="\n")
    return found


def save(out: Path, state: State, record: Record, points: list[Point]) -> dict[str, Any]:
    """As `write`; raises UserError where there is no room or the folder is not ours to write to."""
    try:
        return write(out, state, record, points)
    except OSError as error:
        raise not_written(out, error) from None


def not_written(out: Path, error: OSError) -> UserError:
    return UserError(
        f"{out}: the replay could not be written: {error.strerror or error}.",
        remedy="Make room, or give another folder, and run it again.",
    )


def cell(value: Any) -> str | int | None:
    """A figure as the files have it."""
    return plain(value) if isinstance(value, Decimal) else value


def _tables(state: State, record: Record, points: list[Point]) -> dict[str, tuple[tuple[str, ...], Iterable[Row]]]:
    def trade(group: Group) -> Row:
        key = group.key
        return tables.trade_row(
            group, state.instruments.get((key.account, key.symbol)), state.last(key.account, key.symbol)
        )

    offsets = [*record.offsets, *([state.plan] if state.plan else [])]  # what is under way stays so in the output
    return {
        "orders": (tables.ORDERS, map(tables.order_row, record.orders.values())),
        "fills": (tables.FILLS, (tables.fill_row(applied.fill) for applied in record.fills)),
        "groups": (tables.TRADES, map(trade, record.groups.values())),
        "signals": (tables.SIGNALS, map(tables.signal_row, record.signals.values())),
        "risk": (tables.RISK, (row for plan in offsets for row in tables.offset_rows(plan))),
        "queue": (tables.QUEUE, map(tables.queue_row, record.queue_events)),
        "equity": (tables.EQUITY, ((point.at_ms, point.realised, point.total) for point in points)),
    }
