"""Stores with a long history: a day of trading as the engine has decided it, stored as the store does, day after day.

Every row of every table is there a hundred times for ten thousand closed groups, with names, numbers and times of its
own. The days are laid side by side and not traded one by one, which would take an hour.
"""

import asyncio
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from exengine.domain.money import arithmetic
from exengine.domain.settings import Settings
from exengine.domain.step import Step
from exengine.engine.changes import Changes
from exengine.engine.equity import EquityMarks
from exengine.store import sqlite
from exengine.store.database import SqliteStore
from tests.bench.busy import COINS
from tests.helpers.results import DAY_MS
from tests.helpers.world import World

TIMEFRAMES = ("5", "15", "30", "45", "60", "120", "180", "240", "1D", "1W")
PAIRS = COINS[: Settings().pool.max_open_groups]
A_DAY = len(TIMEFRAMES) * len(PAIRS)
"""Groups that close in a day."""

TABLES = ("signals", "groups", "orders", "fills", "results", "equity", "notes")
"""Those that grow, in an order in which they may refer to each other."""

Cell = str | int | None | Callable[[int], str | int]
"""The same each day, or what it is on a day."""

_CHANGING = re.compile(
    r"(?<=#)(?P<group>\d+)"
    r"|\b(?P<client>x[0-9A-Za-z]{25})\b"
    r"|(?<![\d.])(?P<ms>1[67]\d{11})(?![\d.])"
    r'|(?:(?<=signal-)|(?<="signal_id":))(?P<signal>\d+)'
)


class Day(World):
    """A hundred groups of the default ladder, three legs of each filled: two of three win, the third loses."""

    def __init__(self) -> None:
        self.changes, self._equity = Changes(), EquityMarks()
        super().__init__(instruments=PAIRS, fees=None)
        began_ms = self.now_ms
        for number, timeframe in enumerate(TIMEFRAMES):
            self.now_ms = began_ms + number * DAY_MS // len(TIMEFRAMES)
            self._trade(timeframe)
        self.changes.notes = list(enumerate(self.notes, 1))
        assert not self.state.groups
        assert len(self.groups) == A_DAY

    def _trade(self, timeframe: str) -> None:
        for pair in PAIRS:
            self.price(pair.symbol, "100")
            self.alert("100", tv__symbol=pair.id, tv__timeframe=timeframe)
        for pair in PAIRS:
            self.price(pair.symbol, "99", after_ms=60_000)
        for number, pair in enumerate(PAIRS):
            if number % 3:
                self.price(pair.symbol, "103", after_ms=60_000)
            else:
                self.price(pair.symbol, "98.7", after_ms=60_000)
                leave = {"tv__symbol": pair.id, "tv__timeframe": timeframe, "execution_intent__type": "exit"}
                self.alert("98.7", action="sell", **leave)

    def _keep(self, step: Step) -> None:
        super()._keep(step)
        self.changes.add(step)
        mark = self._equity.after(self.state, [step])
        if mark is not None:
            self.changes.equity.append(mark)


def store_with(path: Path, closed: int) -> Path:
    """A store at `path` with so many closed groups, a hundred a day, the last of them some minutes ago."""
    day = Day()
    days = closed // A_DAY
    pattern = path.with_name("a_day.sqlite3")
    asyncio.run(_stored(pattern, day.changes))
    ledger = day.state.ledger
    with arithmetic():
        total = replace(ledger, realised_total=ledger.realised_total * days)
        moved = {place: amount * days for place, amount in day.state.moved.items()}
    asyncio.run(_stored(path, Changes(ledger=total, moved=moved, instruments=day.changes.instruments)))
    shift_ms = time.time_ns() // 1_000_000 - day.now_ms - (days - 1) * DAY_MS
    with closing(sqlite.connect(pattern, writable=False)) as source:
        laid = {table: list(_laid(source, table, day, shift_ms)) for table in TABLES}
    pattern.unlink()
    with closing(sqlite.connect(path, writable=True, foreign_keys=False)) as target:
        _fill(target, laid, days)
    return path


async def _stored(path: Path, changes: Changes) -> None:
    store = await asyncio.to_thread(SqliteStore.open, path)
    await store.commit(changes)
    await store.close()


def _laid(source: sqlite3.Connection, table: str, day: Day, shift_ms: int) -> Iterator[dict[str, Cell]]:
    """The rows of a day's table, as they are on any day."""
    cursor = source.execute(f"SELECT * FROM {table} ORDER BY 1")
    names = [column[0] for column in cursor.description]
    for row in cursor:
        cells = zip(names, row, strict=True)
        yield {name: _cell(table, name, value, day, shift_ms) for name, value in cells if name != "seq"}


def _cell(table: str, name: str, value: Any, day: Day, shift_ms: int) -> Cell:
    if table == "equity" and name == "realised":
        before = day.state.ledger.realised_total
        return lambda number: str(Decimal(value) + before * number)
    if isinstance(value, int):
        counted = {"id": len(day.signals) if table == "signals" else len(day.notes), "signal_id": len(day.signals)}
        step = DAY_MS if name.endswith("_ms") else {**counted, "number": 1}.get(name, 0)
        first = value + (shift_ms if name.endswith("_ms") else 0)
        return (lambda number: first + step * number) if step else first
    if not isinstance(value, str):
        return value
    parts, at = [], 0
    for found in _CHANGING.finditer(value):
        parts += [value[at : found.start()], _part(found, day, shift_ms)]
        at = found.end()
    if not parts:
        return value
    parts.append(value[at:])
    return lambda number: "".join(part if isinstance(part, str) else str(part(number)) for part in parts)


def _part(found: re.Match[str], day: Day, shift_ms: int) -> Callable[[int], str | int]:
    text = found.group()
    match found.lastgroup:
        case "group":
            return lambda number: int(text) + number
        case "client":
            return lambda number: f"{text[:-5]}{number:05}"
        case "ms":
            return lambda number: int(text) + shift_ms + number * DAY_MS
        case _:
            return lambda number: int(text) + number * len(day.signals)


def _fill(target: sqlite3.Connection, laid: dict[str, list[dict[str, Cell]]], days: int) -> None:
    target.execute("PRAGMA cache_size=-400000")
    target.execute("BEGIN IMMEDIATE")
    with arithmetic():
        for number in range(days):
            for table, rows in laid.items():
                names = ", ".join(rows[0])
                places = ", ".join("?" * len(rows[0]))
                values = ([cell(number) if callable(cell) else cell for cell in row.values()] for row in rows)
                target.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", values)
    target.execute("COMMIT")
    target.execute("PRAGMA wal_checkpoint(TRUNCATE)")
