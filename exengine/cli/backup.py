"""`exengine backup`: configuration, store and logs in one file, without secrets, also while the engine runs."""

import argparse
import os
import sys
import time
from pathlib import Path

from exengine.cli.options import folders
from exengine.settings.file import read, text_of
from exengine.settings.notification_urls import hide_urls
from exengine.settings.paths import DataDir
from exengine.store.address import place_of
from exengine.store.backup import backup

WRONG_USE = 2


def run_backup(options: argparse.Namespace) -> int:
    """Writes the file. 2 where it cannot be one; nothing is written then."""
    data_dir, config_file = folders(options)
    target: Path = options.file.expanduser().absolute()
    if fault := _fault(target, data_dir, config_file):
        print(f"exengine: {fault}", file=sys.stderr)
        return WRONG_USE
    place = place_of(read(config_file).app.database_url, data_dir.database_file)
    logs = {path.name: path for path in sorted(data_dir.log_dir.glob("*.log"))}
    began = time.monotonic()
    backup(place, target, config=_config(config_file), log_files=logs)
    size = f"{target.stat().st_size / 1e6:.1f} MB in {time.monotonic() - began:.1f} s"
    print(f"{target}: the store {place}, the configuration and {len(logs)} log files, {size}.")
    print("Keys, token and webhook secret are not in it: keep the vault and its passphrase apart.")
    return 0


def _fault(target: Path, data_dir: DataDir, config_file: Path) -> str:
    """Why a backup cannot be written there."""
    if target.is_dir():
        return f"{target} is a folder. Name a file in it."
    if not target.parent.is_dir():
        return f"There is no folder {target.parent}. Make it, or name another."
    real, folder = Path(os.path.realpath(target)), Path(os.path.realpath(data_dir.path))
    store, config = data_dir.database_file.name, Path(os.path.realpath(config_file))
    ours = {data_dir.lock_file.name, data_dir.vault_file.name, data_dir.layout_file.name}
    is_ours = real.parent == folder and (real.name in ours or real.name.startswith((store, config_file.name)))
    if real == config or is_ours or real.parent == folder / data_dir.log_dir.name:
        return f"{target} is one of ExEngine’s own files. Name another."
    return ""


def _config(config_file: Path) -> bytes:
    """As it is on the disk, but for addresses with passwords in them; where there is none, the defaults in use."""
    config = read(config_file)
    hidden = hide_urls(config, lambda name, url: None)
    if hidden is config and config_file.exists():
        return config_file.read_bytes()
    return text_of(hidden).encode()
