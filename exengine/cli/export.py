"""`exengine export`: the live store's history as CSV or JSON, also while the engine runs."""

import argparse
from datetime import date, datetime, time, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from exengine.cli.options import folders
from exengine.domain.errors import UserError
from exengine.domain.money import ZERO
from exengine.settings.file import read
from exengine.settings.local_timezone import local_timezone
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
    settings = trading_settings(config, local_timezone=local_timezone())
    zone = ZoneInfo(settings.timezone)
    export(
        place,
        options.what,
        options.format,
        options.out,
        start_equity=sum((amount for one in settings.accounts for amount in one.balances.values()), ZERO),
        since_ms=None if options.since is None else moment_ms(options.since, zone),
        until_ms=None if options.until is None else moment_ms(options.until, zone, is_end=True),
    )
    return 0


def moment_ms(text: str, zone: tzinfo, *, is_end: bool = False) -> int:
    """Epoch ms of a day's beginning (its end where `is_end`), or of a moment. Raises UserError."""
    try:
        if len(text) == len("2026-11-29"):
            day = date.fromisoformat(text) + timedelta(days=is_end)
            moment = datetime.combine(day, time(), zone)
        else:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        return int(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise UserError(
            f"{text} is no day and no moment.", remedy="Write it as 2026-11-29 or 2026-11-29T14:30."
        ) from None
