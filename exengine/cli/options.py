"""What every command is told: the data folder and the configuration file."""

import argparse
from pathlib import Path

from exengine.settings.file import read
from exengine.settings.paths import DataDir, chosen_data_dir


def folders(options: argparse.Namespace) -> tuple[DataDir, Path]:
    """The data folder and the configuration file: as given, else the platform's own.

    Raises UserError where a configuration was named that is not there or cannot be read.
    """
    named: Path | None = options.config.expanduser().absolute() if options.config else None
    given: Path | None = options.data_dir
    config_file = named or chosen_data_dir(given, None).config_file
    config = read(config_file, must_exist=named is not None)
    return chosen_data_dir(given, config.app.data_dir), config_file


def given(options: argparse.Namespace) -> list[str]:
    """The same folders as words of a command line, for a later start from anywhere."""
    named = {"--data-dir": options.data_dir, "--config": options.config}
    return [word for name, path in named.items() if path for word in (name, str(path.expanduser().absolute()))]
