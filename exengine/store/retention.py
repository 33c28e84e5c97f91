"""Lets go of what grows without end: old lines of the audit trail, and the texts of old alerts.

Groups, orders, fills, offsets, the queue's history, the equity and each alert's outcome are kept for ever. A line about
a group that is still open stays as well.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from itertools import takewhile

from sqlalchemy import Connection, delete, func, select, update

from exengine.engine.changes import StoreFailed
from exengine.store import schema
from exengine.store.database import DatabaseStore
from exengine.store.writer import put_meta

log = logging.getLogger(__name__)

LEAST_DAYS = 365
"""However short `logging.keep_days` is: that is of the log files. Where it is longer, it is of the store as well."""

LOT = 200
"""Rows of one transaction: a few milliseconds, which an order may have to wait."""

PAUSE_S = 1.0
"""Between two transactions."""

FIRST_S = 300.0
EVERY_S = 6 * 3600.0

_DAY_MS = 24 * 3600 * 1000

_REACHED = "trimmed_signals"
"""In `meta`: the last alert whose text was let go of, so that they are not all looked at again."""


def trim(connection: Connection, before_ms: int, at_most: int) -> int:
    """Removes some of what is older, the oldest first; how much. Once it is 0 there is nothing left."""
    return _notes(connection, before_ms, at_most) + _bodies(connection, before_ms, at_most)


def _notes(connection: Connection, before_ms: int, at_most: int) -> int:
    notes, groups = schema.notes.c, schema.groups.c
    still_open = select(groups.id).where(schema.is_open)
    # The last line stays: the next one is numbered behind it.
    last = select(func.max(notes.id)).scalar_subquery()
    old = (
        select(notes.id)
        .where(notes.at_ms < before_ms, notes.id < last, notes.group_id.not_in(still_open))
        .order_by(notes.at_ms)  # by its index: where nothing is old, nothing is looked through
        .limit(at_most)
    )
    found = connection.scalars(old).all()
    if found:
        connection.execute(delete(schema.notes).where(notes.id.in_(found)))
    return len(found)


def _bodies(connection: Connection, before_ms: int, at_most: int) -> int:
    signals, meta = schema.signals.c, schema.meta.c
    reached = int(connection.scalar(select(meta.value).where(meta.key == _REACHED)) or 0)
    # By number, up to the first that is not old: they are numbered in the order in which they came.
    lot = connection.execute(
        select(signals.id, signals.received_at_ms, signals.outcome)
        .where(signals.id > reached)
        .order_by(signals.id)
        .limit(at_most)
    )
    old = list(takewhile(lambda row: row.received_at_ms < before_ms and row.outcome is not None, lot))
    if old:
        found = [row.id for row in old]
        connection.execute(update(schema.signals).where(signals.id.in_(found)).values(body=""))
        put_meta(connection, _REACHED, str(found[-1]))
    return len(old)


async def retention_timer(
    store: DatabaseStore,
    *,
    keep_days: int,
    now_ms: Callable[[], int],
    settled: Callable[[], Awaitable[None]],
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Lets go of what is too old a few times a day, until cancelled; `settled` waits until nothing is being traded.

    A store that takes nothing is tried again the next time.
    """
    kept_ms = max(keep_days, LEAST_DAYS) * _DAY_MS
    await pause(FIRST_S)
    while True:
        try:
            await _all_of_it(store, now_ms() - kept_ms, settled, pause)
        except StoreFailed as error:
            log.warning("old log lines stay for now: %s", error)
        await pause(EVERY_S)


async def _all_of_it(
    store: DatabaseStore,
    before_ms: int,
    settled: Callable[[], Awaitable[None]],
    pause: Callable[[float], Awaitable[None]],
) -> None:
    gone = 0
    while True:
        await settled()
        count = await store.tidy(lambda connection: trim(connection, before_ms, LOT))
        if not count:
            break
        gone += count
        await pause(PAUSE_S)
    if gone:
        log.info("%d log lines and texts of alerts were old enough to go", gone)
