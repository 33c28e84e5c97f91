"""`exengine restore`: puts a backup back where no engine runs; secrets are not touched."""

import argparse
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from exengine.domain.errors import UserError
from exengine.settings.file import read
from exengine.settings.pages import Config
from exengine.settings.paths import DataDir, chosen_data_dir
from exengine.settings.unconfirmed import confirm
from exengine.store.address import place_of
from exengine.store.backup_file import CONFIG, Backup, opened
from exengine.store.lock import EngineLock
from exengine.store.restore import Destination, restore

WRONG_USE = 2


def run_restore(options: argparse.Namespace) -> int:
    """Restores. 2 where there is no such file; 1, by a UserError, where it cannot be: nothing is changed then."""
    file: Path = options.file.expanduser().absolute()
    if not file.is_file():
        print(f"exengine: {file} is {'a folder, no backup' if file.is_dir() else 'not there'}.", file=sys.stderr)
        return WRONG_USE
    with opened(file) as backup:
        config_file = _config_file(options)
        config = read(config_file) if options.keep_config else _config_in(backup, file)
        data_dir = chosen_data_dir(options.data_dir, config.app.data_dir)
        to = Destination(
            folder=data_dir.path.absolute(),
            place=place_of(config.app.database_url, data_dir.database_file.absolute()),
            log_dir=data_dir.log_dir.absolute(),
            config_file=None if options.keep_config else config_file,
        )
        kept = _restored(backup, to, data_dir, replace=options.replace)
        if to.config_file is not None:
            # Of an apply that was broken off: a start that fails must not bring that back over what was restored.
            confirm(to.config_file)
    made = datetime.fromtimestamp(backup.manifest.made_at_ms / 1000, UTC).astimezone()
    print(f"Restored to {to.place}: the state of {made:%Y-%m-%d %H:%M:%S %z}, by ExEngine {backup.manifest.program}.")
    if kept is not None:
        print(f"What was there is kept in {kept}.")
    print("Keys, token and webhook secret were not in it and are as they were on this machine.")
    print("Look at the exchange before you start: what was traded since then is not in these books.")
    return 0


def _restored(backup: Backup, to: Destination, data_dir: DataDir, *, replace: bool) -> Path | None:
    lock = EngineLock(data_dir.lock_file)
    try:
        data_dir.create()
        lock.acquire()
    except OSError as error:
        raise UserError(
            f"The data folder {data_dir.path} cannot be used: {error.strerror or error}.",
            safe="Nothing was changed.",
            remedy="See that it is a folder of yours, or name another with --data-dir.",
        ) from error
    try:
        return restore(backup, to, replace=replace)
    finally:
        lock.release()


def _config_file(options: argparse.Namespace) -> Path:
    """Where the next start with the same options looks for it."""
    if options.config:
        named: Path = options.config.expanduser().absolute()
        return named
    return chosen_data_dir(options.data_dir, None).config_file


def _config_in(backup: Backup, file: Path) -> Config:
    """The configuration that the backup has; refused here, it would be refused at the next start."""
    if CONFIG not in backup:
        return Config()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / CONFIG
        copy.write_bytes(backup.data(CONFIG))
        try:
            return read(copy)
        except UserError as error:
            raise UserError(
                error.happened.replace(str(copy), f"in {file}"),
                safe="Nothing was changed.",
                remedy="Give --keep-config to restore store and logs under the configuration that is there.",
            ) from None
