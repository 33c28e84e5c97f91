"""`exengine export`: the live store's history as CSV or JSON, also while the engine runs."""

import argparse
from pathlib import Path

from exengine.cli.options import folders
from exengine.domain.errors import UserError
from exengine.domain.money import ZERO
from exengine.settings.file import read
from exengine.settings.plain import trading_settings
from exengine.store.address import place_of
from exengine.store.export import export


def run_export(options: argparse.Namespace) -> int:
    data_dir, config_file = folders(options)
    config = read(config_file)
    place = place_of(config.app.database_url, data_dir.database_file)
    if isinstance(place, Path) and not place.exists():
        raise UserError(
            f"There is nothing to export: {place} does not exist.",
            remedy="Name the folder that the engine runs on with --data-dir.",
        )
    accounts = trading_settings(config, local_timezone="UTC").accounts
    start = sum((amount for account in accounts for amount in account.balances.values()), ZERO)
    export(place, options.what, options.format, options.out, start_equity=start)
    return 0
