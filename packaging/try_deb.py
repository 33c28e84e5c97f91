"""Tries a Debian package in a clean root: installed, started, asked for its health, smoke-tested, removed.

Run by `dev.py build` as administrator: debootstrap and chroot need that.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from clean_root import HOME, CleanRoot, checked, clean_root, configure_port, free_port

DATA = HOME / ".local/share/ExEngine"
FONT_CACHE = HOME / ".cache/fontconfig"
"""What fontconfig keeps for all programs of a user, whichever was the first."""

SMOKE_S = 300


def try_deb(deb: Path) -> None:
    """Raises RuntimeError at the first thing that is not as a user may expect it."""
    with clean_root() as tried:
        if (tried.root / "usr/bin/python3").exists():
            raise RuntimeError("the root is not clean: it has python3")
        tried.run("apt-get", "update")
        before = tried.files()
        shutil.copyfile(deb, tried.root / "tmp" / deb.name)
        tried.run("apt-get", "install", "-y", f"/tmp/{deb.name}", timeout=1800)
        installed = tried.files()
        size_mb = int(tried.run("dpkg-query", "-W", "-f", "${Installed-Size}", "exengine")) // 1000
        own = {line.lstrip("/") for line in tried.run("dpkg", "--listfiles", "exengine").splitlines()}
        new = len(installed - before - own)
        tried.say(
            f"installed {deb.name}: {size_mb} MB in {len(own)} files and folders, and {new} of what it depends on"
        )
        tried.say(checked(tried.trader("exengine", "--version"), timeout=60).strip())
        _no_library_lacks(tried)
        for line in checked(tried.trader("exengine", "--smoke"), timeout=SMOKE_S).splitlines():
            tried.say(f"  {line}")
        port = free_port()
        configure_port(tried.root / "tmp", port)
        tried.answers_health(tried.trader("exengine", "run", "--headless", "--config", "/tmp/config.json"), port)
        tried.run("apt-get", "purge", "-y", "exengine")
        _nothing_is_left(tried, installed - own)


def _no_library_lacks(tried: CleanRoot) -> None:
    """Every library of the program, also those that the smoke test does not load, finds what it asks for."""
    finds = "find /usr/lib/exengine -name '*.so*' -type f ! -name libqgtk3.so -exec ldd {} + 2>&1"
    carried = "LD_LIBRARY_PATH=/usr/lib/exengine/_internal"  # as the program itself has it
    said = tried.run("env", carried, "sh", "-c", f"{finds} | grep 'not found' | sort -u").strip()
    missing = {line.strip() for line in said.splitlines()}
    if missing:
        raise RuntimeError(f"libraries are missing: {', '.join(sorted(missing))}")
    tried.say("every library finds what it asks for")


def _nothing_is_left(tried: CleanRoot, others: set[str]) -> None:
    """Only the trader's own data, and the folders on the way to it, besides what `others` have installed."""
    left = tried.files() - others
    places = (DATA, FONT_CACHE)
    allowed = {str(path) for place in places for path in (place, *place.parents)}
    strange = sorted(left - allowed - {path for path in left if path.startswith(tuple(f"{each}/" for each in places))})
    strange = [path for path in strange if not tried.run("sh", "-c", 'dpkg -S "$0" 2>/dev/null || true', f"/{path}")]
    if strange:
        raise RuntimeError(f"removing leaves {', '.join(strange[:20])}")
    if not (tried.root / DATA / "exengine.sqlite3").exists():
        raise RuntimeError("removing took the trader's data away")
    lost = sorted(others - tried.files())
    if lost:
        raise RuntimeError(f"removing took more than the package: {', '.join(lost[:20])}")
    kept = sorted(path.removeprefix(f"{DATA}/") for path in left if path.startswith(f"{DATA}/"))
    tried.say(f"removed: nothing is left but the trader's data ({', '.join(kept)})")


if __name__ == "__main__":
    try:
        try_deb(Path(sys.argv[1]).resolve())
    except (RuntimeError, subprocess.SubprocessError) as error:
        sys.exit(f"The package does not pass: {error}")
