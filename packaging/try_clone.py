"""Tries a checkout in a clean root that has nothing but python3, with the two commands of the README, as a new user.

    python3 packaging/dev.py try-clone [--pip-config FILE] [--share FOLDER] [ARGUMENTS]

Run as administrator: debootstrap and chroot need that. What is committed is what is tried. The user has no rights: what
a command asks an administrator for is done word for word, and the command tried again. ARGUMENTS are pytest's. A
machine whose packages do not come from PyPI gives its pip.conf, and with `--share` the folders that it names.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from clean_root import HOME, TRADER, CleanRoot, Ended, checked, clean_root, configure_port, free_port

ROOT = Path(__file__).resolve().parent.parent
CLONE = HOME / "exengine"
DATA = HOME / ".local/share/ExEngine"
X_SOCKETS = Path("/tmp/.X11-unix")
SECOND = ["python3", "packaging/dev.py", "test"]
FIRST = ["python3", "packaging/dev.py", "run"]
SMOKE = [*FIRST, "--", "--smoke"]
NOT_THERE = ("usr/bin/pip*", "usr/lib/python3*/ensurepip", "usr/share/fonts")
MOST_ASKED = 2
"""How often a command may be run: once to be told what the system lacks, once with that."""
INSTALL_S = 1800


def try_clone(options: argparse.Namespace) -> None:
    """Raises RuntimeError at the first thing that is not as a user may expect it."""
    with x_server() as display, clean_root("python3", shared=(X_SOCKETS, *options.share)) as tried:
        if options.pip_config:
            _put_pip_config(tried, options.pip_config)
        _check_out(tried)
        there = [str(path) for place in NOT_THERE for path in tried.root.glob(place)]
        if there:
            raise RuntimeError(f"the root is not clean: it has {', '.join(there)}")
        tried.say(f"it has {tried.run('python3', '--version').strip()}, and no pip, no ensurepip and no font")
        port = free_port()
        (tried.root / DATA).mkdir(parents=True)
        configure_port(tried.root / DATA, port)
        tried.run("chown", "-R", f"{TRADER}:", f"/{HOME}/.local")

        def start() -> None:
            said = tried.answers_health(_in_clone(tried, FIRST, display), port, start_s=INSTALL_S)
            print("".join(f"  | {line}\n" for line in said.splitlines()), end="", flush=True)

        _as_asked(tried, FIRST, start)
        for command in (SMOKE, [*SECOND, *options.arguments]):
            _as_asked(tried, command, lambda command=command: _shown(_in_clone(tried, command, display)))


@contextmanager
def x_server() -> Iterator[str]:
    """A display outside of the root with no screen behind it; the root sees its socket."""
    reads, writes = os.pipe()
    command = ["Xvfb", "-displayfd", str(writes), "-screen", "0", "1920x1200x24", "-nolisten", "tcp", "-noreset"]
    with subprocess.Popen(command, pass_fds=(writes,), stderr=subprocess.DEVNULL) as server:
        os.close(writes)
        try:
            with os.fdopen(reads) as told:
                yield f":{told.readline().strip()}"
        finally:
            server.terminate()


def _put_pip_config(tried: CleanRoot, file: Path) -> None:
    """With the files that it names, a certificate or constraints, where no package of the system writes over them."""
    kept = tried.root / "etc/pip"
    kept.mkdir()
    text = file.read_text()
    for line in text.splitlines():
        named = Path(line.partition("=")[2].strip())
        if named.is_absolute() and named.is_file():
            shutil.copyfile(named, kept / named.name)
            text = text.replace(str(named), f"/etc/pip/{named.name}")
    (tried.root / "etc/pip.conf").write_text(text)


def _check_out(tried: CleanRoot) -> None:
    """What a user has who fetched the last commit: nothing that is ignored, and no git."""
    place = tried.root / CLONE
    place.mkdir()
    with tempfile.TemporaryFile() as archive:
        subprocess.run(["git", "-C", str(ROOT), "archive", "HEAD"], stdout=archive, check=True)
        archive.seek(0)
        subprocess.run(["tar", "--extract", "--directory", str(place)], stdin=archive, check=True)
    tried.run("chown", "-R", f"{TRADER}:", f"/{CLONE}")
    commit = checked(["git", "-C", str(ROOT), "log", "-1", "--format=%h %s"], timeout=60)
    tried.say(f"a checkout of {commit.strip()}")


def _in_clone(tried: CleanRoot, command: list[str], display: str) -> list[str]:
    go = ["sh", "-c", 'cd "$0" && exec "$@"', f"/{CLONE}"]
    return tried.trader(f"DISPLAY={display}", *go, *command)


def _as_asked(tried: CleanRoot, command: list[str], run: Callable[[], None]) -> None:
    """Runs it; where it asks an administrator for something, that is done word for word, and it is run again."""
    for _ in range(MOST_ASKED):
        tried.say(f"$ {' '.join(command)}")
        try:
            run()
        except Ended as ended:
            asked = re.findall(r"(?m)^ {4}(.*apt-get install.*)$", ended.said)
            if not asked:
                raise
            print(f"{ended}\n", flush=True)
            tried.say(f"# {asked[0]}")
            tried.run("sh", "-ec", asked[0], timeout=INSTALL_S)
        else:
            return
    raise RuntimeError(f"{' '.join(command)} asks again and again")


def _shown(command: list[str]) -> None:
    """Runs it to its end, and shows what it says meanwhile. Raises Ended where it fails."""
    said = []
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, text=True, errors="replace", **streams) as process:
        try:
            for line in process.stdout or ():
                said.append(line)
                print(f"  | {line}", end="", flush=True)
            code = process.wait()
        finally:
            process.kill()
    if code:
        raise Ended(f"it ended with {code}", "".join(said[-30:]))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py try-clone", description=__doc__.splitlines()[0])
    parser.add_argument("--pip-config", type=Path, metavar="FILE")
    parser.add_argument("--share", type=Path, action="append", default=[], metavar="FOLDER")
    options, options.arguments = parser.parse_known_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that root and display go with it
    try:
        try_clone(options)
    except (RuntimeError, subprocess.SubprocessError) as error:
        sys.exit(f"The checkout does not pass: {error}")
    print("The checkout passes.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
