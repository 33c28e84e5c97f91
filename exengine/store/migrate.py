"""Brings a SQLite store's file to this program's tables, with a backup of what it was; refuses what it cannot read."""

import os
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from exengine.domain.errors import UserError
from exengine.store import seal, sqlite
from exengine.store.writer import put_meta

REVISIONS = ("0001", "0002", "0003")
"""Every shape that the tables have had, oldest first; the scripts are in migrations/versions."""

SCRIPTS = Path(__file__).parent / "migrations"

_HEADER = b"SQLite format 3\0"


def revision(path: Path, *, is_sound: bool = False) -> str | None:
    """The revision of the store in `path`; None where there is no store yet. Nothing is written.

    It reads the whole file for damage, unless that is known to be sound. Raises UserError where the file is damaged,
    something else's, or newer than this program.
    """
    if _is_empty(path):
        return None
    try:
        with path.open("rb") as file:
            if file.read(len(_HEADER)) != _HEADER:
                raise _damaged(path, "it is not a database")
        with closing(sqlite.connect(path, writable=False)) as connection:
            if not is_sound:
                _look_for_damage(connection, path)
            return _checked_revision(connection, path)
    except OSError as error:
        raise _unreadable(path, str(error)) from error
    except sqlite3.DatabaseError as error:
        if sqlite.is_damaged(error):
            raise _damaged(path, str(error)) from error
        raise _unreadable(path, sqlite.words(error)) from error


def _is_empty(path: Path) -> bool:
    return not path.exists() or path.stat().st_size == 0


def _look_for_damage(connection: sqlite3.Connection, path: Path) -> None:
    faults = [str(row[0]) for row in connection.execute("PRAGMA quick_check(5)")]
    if faults != ["ok"]:
        raise _damaged(path, "; ".join(faults))


def _checked_revision(connection: sqlite3.Connection, path: Path) -> str | None:
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return None
    if "alembic_version" not in tables:
        raise UserError(
            f"{path} is a database of another program.",
            safe="It was not touched.",
            remedy="Name another data folder, or move that file away.",
        )
    found = [str(row[0]) for row in connection.execute("SELECT version_num FROM alembic_version")]
    if len(found) != 1 or found[0] not in REVISIONS:
        raise newer(f"The store {path}", found, "put back the backup that it made beside the store")
    return found[0]


def newer(what: str, found: list[str], other_remedy: str) -> UserError:
    """The refusal of a store whose revision this program does not know."""
    return UserError(
        f"{what} was written by a newer ExEngine (its version is {', '.join(found) or 'not told'},"
        f" this program knows up to {REVISIONS[-1]}).",
        safe="It was not touched.",
        remedy=f"Install the newer ExEngine again, or {other_remedy}.",
    )


def _damaged(path: Path, why: str) -> UserError:
    return UserError(
        f"The store {path} is damaged ({why}).",
        safe="It was not touched, and nothing was traded.",
        remedy="Put a backup back with `exengine restore`, or move the file away to begin with an empty store. "
        "Look at the exchange for open orders and positions before trading on.",
    )


def _unreadable(path: Path, why: str) -> UserError:
    return UserError(
        f"The store {path} cannot be opened: {why}",
        safe="It was not touched.",
        remedy="See that the folder may be read and written, and that no other program holds the file.",
    )


def require_current(path: Path) -> None:
    """Raises UserError where there is no store of this program's own version, to be read and left as it is."""
    found = revision(path, is_sound=seal.read_at_ms(path) is not None)
    if found is None:
        raise UserError(f"There is no store in {path}.", remedy="Start ExEngine once, or name another data folder.")
    if found != REVISIONS[-1]:
        raise UserError(
            f"The store {path} was written by an older ExEngine.",
            safe="It was not touched.",
            remedy="Start this ExEngine once: that migrates the store and keeps a backup beside it.",
        )


def prepare(path: Path, *, is_sound: bool = False) -> Path | None:
    """Makes the store where there is none, migrates an older one, and sees that it can be written.

    Returns the backup that was made of an older one. `is_sound` as of `revision`.

    Raises UserError where that cannot be done; the file is then as it was.
    """
    before, backup = revision(path, is_sound=is_sound), None
    if _is_empty(path):
        _refuse_an_orphan(path)
    try:
        if before == REVISIONS[-1]:
            _require_writable(path)
            return None
        if before is None:
            _create(path)
        else:
            backup = _free_name(path, before)
            copy(path, backup)
        _upgrade(path)
    except OSError as error:
        raise _unreadable(path, str(error)) from error
    except (sqlite3.DatabaseError, DBAPIError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if not sqlite.is_environment(cause):
            raise
        raise _unreadable(path, sqlite.words(cause)) from error
    return backup


def _refuse_an_orphan(path: Path) -> None:
    """A new store would wipe out the last commits of one that was moved away without what lies beside it."""
    left = path.with_name(f"{path.name}-wal")
    if left.exists() and left.stat().st_size > 0:
        raise UserError(
            f"The store {path} is gone, but {left.name} beside it still holds its last entries.",
            safe="Nothing was touched.",
            remedy=f"Put {path.name} back beside it, or move {left.name} away to begin with an empty store.",
        )


def _require_writable(path: Path) -> None:
    with closing(sqlite.connect(path, writable=True)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")


def copy(path: Path, target: Path) -> None:
    """A consistent copy of a store, also while an engine writes to it. Raises OSError or sqlite3.Error."""
    unfinished = target.with_name(f".{target.name}.tmp")
    unfinished.unlink(missing_ok=True)
    _create(unfinished)
    try:
        with closing(sqlite.connect(path, writable=False)) as source, closing(sqlite3.connect(unfinished)) as made:
            source.backup(made)
            # The copy carries the WAL mark of its source; alone, in one file, it is complete.
            made.execute("PRAGMA journal_mode=DELETE")
        os.replace(unfinished, target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _create(path: Path) -> None:
    """An empty file that only its owner can read; what SQLite puts beside it gets the same permissions."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _free_name(path: Path, before: str) -> Path:
    number = 1
    while (name := path.with_name(f"{path.name}.{before}{f'-{number}' if number > 1 else ''}.backup")).exists():
        number += 1
    return name


def _upgrade(path: Path) -> None:
    """All migrations that are missing, in one transaction: a crash leaves the old tables or the new ones."""
    # Tables may be made anew on the way, so references are checked at the end and not at each step.
    made = sqlite.engine(path, writable=True, foreign_keys=False)
    with made.connect() as connection, connection.begin():
        upgrade(connection)
        if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
            raise AssertionError("a migration has left rows that refer to nothing")
        if connection.exec_driver_sql("SELECT 1 FROM meta WHERE key = 'instance'").first() is None:
            name_instance(connection)


def name_instance(connection: Connection) -> None:
    """Gives a new store a name of its own: what its orders are called by begins with it."""
    put_meta(connection, "instance", secrets.token_hex(8))


def upgrade(connection: Connection, to: str = "head") -> None:
    """Runs the migration scripts up to `to` over an open transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
