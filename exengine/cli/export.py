"""`exengine export`: the live store's history as CSV or JSON, also while the engine runs."""

import argparse

from exengine.cli.options import folders
from exengine.domain.errors import UserError
from exengine.domain.money import ZERO
from exengine.settings.file import read
from exengine.settings.plain import trading_settings
from exengine.store.export import export


def run_export(options: argparse.Namespace) -> int:
    data_dir, config_file = folders(options)
    if not data_dir.database_file.exists():
        raise UserError(
            f"There is nothing to export: {data_dir.database_file} does not exist.",
            remedy="Name the folder that the engine runs on with --data-dir.",
        )
    accounts = trading_settings(read(config_file), local_timezone="UTC").accounts
    start = sum((amount for account in accounts for amount in account.balances.values()), ZERO)
    export(data_dir.database_file, options.what, options.format, options.out, start_equity=start)
    return 0
