"""Looks whether a store is sound, without changing it."""

from pathlib import Path

from sqlalchemy import func, select

from exengine.domain.group import GroupStatus
from exengine.store import migrate, schema, sqlite


def check_store(path: Path) -> str:
    """What is in the store, in words. Raises UserError where it is damaged, too new, or cannot be read."""
    found = migrate.revision(path)
    if found is None:
        return "not there yet; it is made at the first start"
    size = f"{path.stat().st_size / 1e6:.1f} MB"
    if found != migrate.REVISIONS[-1]:
        return f"sound, {size}, of an older version ({found}); it is migrated at the next start, with a backup"
    with sqlite.engine(path, writable=False).connect() as connection:
        groups = connection.scalar(select(func.count()).select_from(schema.groups))
        is_open = schema.groups.c.status != GroupStatus.CLOSED
        still_open = connection.scalar(select(func.count()).select_from(schema.groups).where(is_open))
        signals = connection.scalar(select(func.count()).select_from(schema.signals))
    return f"sound, {size}, {groups} groups ({still_open} open), {signals} signals"
