"""Tries a Debian package in a clean root: installed, started, asked for its health, smoke-tested, removed.

Run by `dev.py build` as administrator: debootstrap and chroot need that. The root is made anew each time, its
processes and mounts are in namespaces of their own, and all of it is gone at the end.
"""

import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import closing
from pathlib import Path

TRADER = "trader"
DATA = Path("home") / TRADER / ".local/share/ExEngine"
FONT_CACHE = Path("home") / TRADER / ".cache/fontconfig"
"""What fontconfig keeps for all programs of a user, whichever was the first."""

START_S = 120
SMOKE_S = 300

# What installing and removing any package leaves behind: the package manager's own books, caches and logs.
BOOKS = ("var/lib/dpkg/", "var/lib/apt/", "var/cache/", "var/log/", "etc/ld.so.cache", "run/", "tmp/", "proc", "dev")


class Tried:
    """A clean root, and what was done in it, line by line."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        print(f"[{time.monotonic() - self._began:6.1f} s] {text}", flush=True)

    def inside(self, *command: str) -> list[str]:
        """A command inside, with mounts and processes of its own that end with it. The network is this machine's."""
        apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child", f"--mount-proc={self.root}/proc"]
        clean = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"]
        return [*apart, "chroot", str(self.root), *clean, *command]

    def run(self, *command: str, timeout: float = 900) -> str:
        """What it prints. Raises RuntimeError where it fails."""
        return checked(self.inside(*command), timeout=timeout)

    def trader(self, *command: str) -> list[str]:
        """As the user who has no rights and no display."""
        home = f"HOME=/home/{TRADER}"
        return self.inside("setpriv", f"--reuid={TRADER}", f"--regid={TRADER}", "--init-groups", "env", home, *command)

    def files(self) -> set[str]:
        """Everything there is but the package manager's books."""
        found = set()
        for folder, folders, files in os.walk(self.root):
            for name in (*folders, *files):
                path = os.path.relpath(os.path.join(folder, name), self.root)
                if not f"{path}/".startswith(tuple(f"{book}" for book in BOOKS)):
                    found.add(path)
        return found


def checked(command: list[str], timeout: float) -> str:
    quiet = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "errors": "replace"}
    done = subprocess.run(command, timeout=timeout, check=False, **quiet)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).splitlines()[-30:])
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{last}")
    return done.stdout


def try_deb(deb: Path) -> None:
    """Raises RuntimeError at the first thing that is not as a user may expect it."""
    with tempfile.TemporaryDirectory(prefix="exengine-root-") as folder:
        tried = Tried(Path(folder) / "root")
        suite = platform.freedesktop_os_release()["VERSION_CODENAME"]
        checked(["debootstrap", "--variant=minbase", suite, str(tried.root)], timeout=1800)
        _prepare(tried)
        before = tried.files()
        tried.say(f"a clean root of {suite}: {len(before)} files and folders, no python3")
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
        _answers_health(tried)
        tried.run("apt-get", "purge", "-y", "exengine")
        _nothing_is_left(tried, installed - own)


def _prepare(tried: Tried) -> None:
    """As a machine that has a user: its package sources are those of this one."""
    etc = tried.root / "etc"
    shutil.copyfile("/etc/resolv.conf", etc / "resolv.conf")
    for proxy in Path("/etc/apt/apt.conf.d").glob("*proxy*"):
        shutil.copy(proxy, etc / "apt/apt.conf.d")
    (etc / "dpkg/dpkg.cfg.d/in-a-root-of-an-hour").write_text("force-unsafe-io\n")
    tried.run("useradd", "--create-home", TRADER)
    tried.run("apt-get", "update")
    if (tried.root / "usr/bin/python3").exists():
        raise RuntimeError("the root is not clean: it has python3")


def _no_library_lacks(tried: Tried) -> None:
    """Every library of the program, also those that the smoke test does not load, finds what it asks for."""
    finds = "find /usr/lib/exengine -name '*.so*' -type f ! -name libqgtk3.so -exec ldd {} + 2>&1"
    carried = "LD_LIBRARY_PATH=/usr/lib/exengine/_internal"  # as the program itself has it
    said = tried.run("env", carried, "sh", "-c", f"{finds} | grep 'not found' | sort -u").strip()
    missing = {line.strip() for line in said.splitlines()}
    if missing:
        raise RuntimeError(f"libraries are missing: {', '.join(sorted(missing))}")
    tried.say("every library finds what it asks for")


def _answers_health(tried: Tried) -> None:
    """Starts it without a window as a server would, asks /health, and ends it with SIGTERM."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = tried.root / "tmp" / "config.json"
    config.write_text(json.dumps({"schema_version": 1, "listener": {"port": port}}))
    config.chmod(0o644)
    outer = tried.trader("exengine", "run", "--headless", "--config", "/tmp/config.json")
    process = subprocess.Popen(outer, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        answer = _health(port, process)
        tried.say(f"/health answers {answer}")
        if json.loads(answer)["status"] != "running":
            raise RuntimeError(f"/health answers {answer}")
        (child,) = _children(process.pid)
        os.kill(child, 15)
        code = process.wait(60)
        if code != 0:
            raise RuntimeError(f"SIGTERM ended it with {code}")
        tried.say("SIGTERM ends it with 0")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _health(port: int, process: "subprocess.Popen[bytes]") -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with opener.open(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                return answer.read().decode()
        except OSError:
            time.sleep(0.2)
    process.kill()
    said = process.communicate()[0].decode(errors="replace")
    raise RuntimeError(f"nobody answers /health; it said:\n{said}")


def _nothing_is_left(tried: Tried, others: set[str]) -> None:
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
