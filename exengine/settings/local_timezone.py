"""The IANA name of this computer's timezone, by means of the standard library alone."""

import os
import zoneinfo
from datetime import UTC, datetime, timedelta
from pathlib import Path

_LINK = Path("/etc/localtime")

# Tried before all others where only the rules are known: one well-known city for each set of rules.
_WELL_KNOWN = (
    "UTC", "Europe/London", "Europe/Berlin", "Europe/Athens", "Europe/Istanbul", "America/New_York", "America/Chicago",
    "America/Denver", "America/Phoenix", "America/Los_Angeles", "America/Anchorage", "America/Halifax",
    "America/St_Johns", "America/Sao_Paulo", "America/Bogota", "America/Caracas", "America/Mexico_City",
    "Pacific/Honolulu", "Africa/Lagos", "Africa/Johannesburg", "Africa/Nairobi", "Africa/Cairo", "Asia/Jerusalem",
    "Asia/Dubai", "Asia/Tehran", "Asia/Kabul", "Asia/Karachi", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Dhaka",
    "Asia/Yangon", "Asia/Bangkok", "Asia/Shanghai", "Asia/Tokyo", "Australia/Brisbane", "Australia/Sydney",
    "Australia/Adelaide", "Australia/Darwin", "Pacific/Auckland",
)  # fmt: skip


def local_timezone(*, link: Path = _LINK) -> str:
    """TZ where it names a zone, else the zone that /etc/localtime is, else the first with the same offsets; last UTC.

    Windows knows its zone by a name of its own, but not its IANA name. There, and wherever the name cannot be had, the
    zone is found by its rules: its offsets are compared at each half week of this year and the next, so that
    daylight saving is right. The name may then be of another city with the same time.
    """
    return _by_variable(os.environ.get("TZ", "")) or _by_link(link) or _by_offsets() or "UTC"


def _known(name: str) -> str | None:
    try:
        zoneinfo.ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return None
    return name


def _by_variable(text: str) -> str | None:
    text = text.removeprefix(":")
    if "/zoneinfo/" in text:
        text = text.partition("/zoneinfo/")[2]
    return _known(text) if text and text != "localtime" else None


def _by_link(link: Path) -> str | None:
    """The name in the path that the link leads to, unless TZ, which comes before it, holds a rule instead of a name."""
    if os.environ.get("TZ"):
        return None
    for path in (_target(link), os.path.realpath(link)):
        name = path.partition("/zoneinfo/")[2]
        name = name.removeprefix("posix/").removeprefix("right/")
        if name and _known(name):
            return name
    return None


def _target(link: Path) -> str:
    """Where the link points at, one step: further steps may lead from one name of a zone to another."""
    try:
        return str(os.readlink(link))
    except OSError:
        return ""


def _by_offsets() -> str | None:
    start = datetime(datetime.now(UTC).year, 1, 1, tzinfo=UTC)
    moments = [start + timedelta(hours=84 * index) for index in range(209)]
    here = [moment.astimezone().utcoffset() for moment in moments]
    names = (*_WELL_KNOWN, *sorted(zoneinfo.available_timezones() - {"localtime", "Factory"}))
    return next((name for name in names if _known(name) and _offsets(name, moments) == here), None)


def _offsets(name: str, moments: list[datetime]) -> list[timedelta | None]:
    zone = zoneinfo.ZoneInfo(name)
    return [moment.astimezone(zone).utcoffset() for moment in moments]
