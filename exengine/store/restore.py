"""Puts a backup back where no engine runs; what was there is refused, or kept beside it, and nothing is half-done."""

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from exengine.domain.errors import UserError
from exengine.store import migrate, sqlite
from exengine.store.address import Place, PostgresAddress
from exengine.store.backup_file import CONFIG, LOGS, Backup, sync_folder
from exengine.store.restore_moves import MARKER, Move, carry_out
from exengine.store.restore_rows import fill

_STAGING = ".restore-"
_BESIDE = ("", "-wal", "-shm")
"""What SQLite calls the files of one database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a backup goes. The caller has the lock of `folder`."""

    folder: Path
    place: Place
    log_dir: Path
    config_file: Path | None
    """None: the configuration that is there stays, and the backup's is passed over."""

    @property
    def store_files(self) -> list[Path]:
        """What is there of a store in a file."""
        if isinstance(self.place, PostgresAddress):
            return []
        named = [self.place.with_name(self.place.name + end) for end in _BESIDE]
        return [path for path in named if path.exists()]

    @property
    def log_files(self) -> list[Path]:
        return sorted(self.log_dir.glob("*.log"))

    def there(self) -> list[Path]:
        """The files that a restore would take the place of."""
        config = [self.config_file] if self.config_file is not None and self.config_file.exists() else []
        return [*config, *(path for path in [*self.store_files, *self.log_files] if path.stat().st_size)]


def restore(backup: Backup, to: Destination, *, replace: bool) -> Path | None:
    """Puts the backup's store, configuration and logs in place; the folder in which is what was there, if anything.

    An older store is migrated. Secrets are neither in a backup nor touched. Raises UserError: nothing is changed then,
    or the text says what is.
    """
    if backup.manifest.revision not in migrate.REVISIONS:
        raise migrate.newer("The backup", [backup.manifest.revision], "take an older backup")
    there = to.there()
    if there and not replace:
        raise occupied(", ".join(str(path) for path in there[:3]) + (" and more" if len(there) > 3 else ""))
    to.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in to.folder.glob(f"{_STAGING}*"):
        shutil.rmtree(left, ignore_errors=True)
    kept = _free_folder(to.folder)
    with _undone_where_it_fails(to, kept):
        staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=to.folder))
        moves = [*_logs(backup, to, staging, kept), *_store(backup, to, staging, kept)]
        moves += _config(backup, to, staging, kept)
        if isinstance(to.place, PostgresAddress):
            from exengine.store.restore_postgres import restore_database

            restore_database(backup, to.place, kept if replace else None)
    try:
        carry_out(to.folder, staging, moves)
    except OSError as error:
        raise _not_at_its_end(to, kept, error) from error
    return kept if kept.exists() else None


def _not_at_its_end(to: Destination, kept: Path, error: OSError) -> UserError:
    if (to.folder / MARKER).exists():
        return UserError(
            f"The restore is not at its end yet: {error}.",
            safe=f"Nothing is lost: what was there is in {kept}.",
            remedy="See that the folder may be written to. The next start of ExEngine ends the restore.",
        )
    is_database = isinstance(to.place, PostgresAddress)
    done = "The database has the backup’s store; configuration and logs are as they were."
    return UserError(
        f"The backup could not be restored: {error}.",
        safe=done if is_database else "Nothing was changed.",
        remedy=f"Make room on the disk, and restore once more{' with --replace' if is_database else ''}.",
    )


def occupied(what: str) -> UserError:
    """The refusal to take the place of what is there."""
    return UserError(
        f"There is something already: {what}.",
        safe="Nothing was changed.",
        remedy="Give --replace to put the backup in its place: what is there is kept then, under another name.",
    )


def _free_folder(folder: Path) -> Path:
    stamp, number = time.strftime("%Y%m%d-%H%M%S"), 1
    while (path := folder / f"replaced-{stamp}{f'-{number}' if number > 1 else ''}").exists():
        number += 1
    return path


@contextmanager
def _undone_where_it_fails(to: Destination, kept: Path) -> Iterator[None]:
    """Takes away what was prepared. Raises a UserError for what the disk or the backup's rows did to it."""
    try:
        yield
    except BaseException as error:
        for left in (kept, *to.folder.glob(f"{_STAGING}*")):
            shutil.rmtree(left, ignore_errors=True)
        if to.config_file is not None:
            _prepared(to.config_file).unlink(missing_ok=True)
        cause = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(cause, OSError) or (isinstance(cause, sqlite3.Error) and sqlite.is_environment(cause)):
            why = (cause.strerror or str(cause)) if isinstance(cause, OSError) else sqlite.words(cause)
            raise UserError(
                f"The backup could not be restored: {why}.",
                safe="Nothing was changed.",
                remedy="Make room on the disk, and see that the folder may be written to.",
            ) from error
        if isinstance(error, ValueError | KeyError | DBAPIError):
            raise UserError(
                f"The backup cannot be used: {cause}.", safe="Nothing was changed.", remedy="Take another backup."
            ) from error
        raise


def _logs(backup: Backup, to: Destination, staging: Path, kept: Path) -> Iterator[Move]:
    for path in to.log_files:
        yield Move(source=str(path), target=str(kept / "logs" / path.name))
    for name in backup.names(LOGS):
        made = staging / name
        made.parent.mkdir(exist_ok=True)
        _write(made, backup.data(name))
        modified_ms = backup.manifest.parts[name].modified_ms
        if modified_ms is not None:
            os.utime(made, (modified_ms / 1000, modified_ms / 1000))
        yield Move(source=str(made), target=str(to.log_dir / made.name))


def _store(backup: Backup, to: Destination, staging: Path, kept: Path) -> Iterator[Move]:
    """For a store in a file."""
    if isinstance(to.place, PostgresAddress):
        return
    for path in to.store_files:
        yield Move(source=str(path), target=str(kept / path.name))
    made = staging / to.place.name
    _build(backup, made)
    yield Move(source=str(made), target=str(to.place))


def _config(backup: Backup, to: Destination, staging: Path, kept: Path) -> Iterator[Move]:
    """It is never gone for a moment: it is kept as a copy, and replaced at once, last of all."""
    if to.config_file is None or CONFIG not in backup:
        return
    target = Path(os.path.realpath(to.config_file))
    if target.exists():
        kept.mkdir(mode=0o700, exist_ok=True)
        _write(kept / CONFIG, target.read_bytes())
        sync_folder(kept)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = _prepared(to.config_file)
    _write(made, backup.data(CONFIG))
    yield Move(source=str(made), target=str(target), over=True)


def _prepared(config_file: Path) -> Path:
    """Beside where it goes, which may be on another disk."""
    target = Path(os.path.realpath(config_file))
    return target.with_name(f".{target.name}.restored")


def _write(path: Path, data: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _build(backup: Backup, path: Path) -> None:
    """A store in one new file, on the disk."""
    _write(path, b"")
    with sqlite.engine(path, writable=True, foreign_keys=False).connect() as connection, connection.begin():
        fill(connection, backup)
        if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
            raise ValueError("it has rows that refer to nothing")
    with closing(sqlite3.connect(path)) as made:
        made.execute("PRAGMA journal_mode=DELETE")
    if migrate.revision(path) != migrate.REVISIONS[-1]:
        raise ValueError("it does not make a store of this program’s")
    with path.open("rb+") as file:
        os.fsync(file.fileno())
    sync_folder(path.parent)
