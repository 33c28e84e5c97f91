"""A clean Debian root to try things in, as a new user would. Made by debootstrap as administrator, gone at the end.

Its processes and mounts are in namespaces of their own, and end with the command that they are of; the network is this
machine's.
"""

import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

TRADER = "trader"
HOME = Path("home") / TRADER

DEVICES = ('mount -t tmpfs tmpfs "$0/dev/shm"', 'mount -t devpts -o newinstance,ptmxmode=0666 devpts "$0/dev/pts"')
"""What a running system has besides its files."""
START_S = 120

# What installing and removing any package leaves behind: the package manager's own books, caches and logs.
BOOKS = ("var/lib/dpkg/", "var/lib/apt/", "var/cache/", "var/log/", "etc/ld.so.cache", "run/", "tmp/", "proc", "dev")


class Ended(RuntimeError):
    """A command ended that should not have, or not so."""

    def __init__(self, what: str, said: str) -> None:
        super().__init__(f"{what}; it said:\n{said}")
        self.said = said


class CleanRoot:
    """The root, and what was done in it, line by line."""

    def __init__(self, root: Path, shared: tuple[Path, ...] = ()) -> None:
        """`shared`: folders of this machine that are seen inside at the same place, not to be written to."""
        self.root = root
        self._shared = shared
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        print(f"[{time.monotonic() - self._began:6.1f} s] {text}", flush=True)

    def inside(self, *command: str) -> list[str]:
        """A command inside, as administrator."""
        apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child", f"--mount-proc={self.root}/proc"]
        shares = [f'mount --bind -o ro {folder} "$0{folder}"' for folder in self._shared]
        # The shell is process 1 inside: it takes in what its children leave behind, as an init does.
        begin = " && ".join([*DEVICES, *shares, 'chroot "$0" "$@"; exit $?'])
        clean = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"]
        return [*apart, "sh", "-c", begin, str(self.root), *clean, *command]

    def run(self, *command: str, timeout: float = 900) -> str:
        """What it prints. Raises RuntimeError where it fails."""
        return checked(self.inside(*command), timeout=timeout)

    def trader(self, *command: str) -> list[str]:
        """As the user who has no rights, and no display but that of the environment that is given with the command."""
        home = f"HOME=/{HOME}"
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

    def answers_health(self, outer: list[str], port: int, *, start_s: float = START_S) -> str:
        """Starts a program inside, asks its /health, and ends it with SIGTERM. Returns what it said. Raises Ended."""
        process = subprocess.Popen(outer, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            answer = _health(port, process, start_s)
            self.say(f"/health answers {answer}")
            if json.loads(answer)["status"] != "running":
                raise RuntimeError("it is not running")
            (shell,) = _children(process.pid)
            (program,) = _children(shell)
            os.kill(program, signal.SIGTERM)
            said = process.communicate(timeout=60)[0].decode(errors="replace")
            if process.returncode != 0:
                raise Ended(f"SIGTERM ended it with {process.returncode}", said)
            self.say("SIGTERM ends it with 0")
            return said
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


@contextmanager
def clean_root(*packages: str, shared: tuple[Path, ...] = ()) -> Iterator[CleanRoot]:
    """A new one of this machine's Debian, with a user and the packages named."""
    with tempfile.TemporaryDirectory(prefix="exengine-root-") as folder:
        clean = CleanRoot(Path(folder) / "root", shared)
        suite = platform.freedesktop_os_release()["VERSION_CODENAME"]
        included = [f"--include={','.join(packages)}"] if packages else []
        checked(["debootstrap", "--variant=minbase", *included, suite, str(clean.root)], timeout=1800)
        etc = clean.root / "etc"
        shutil.copyfile("/etc/resolv.conf", etc / "resolv.conf")
        (etc / "hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")  # an installed system has it
        for proxy in Path("/etc/apt/apt.conf.d").glob("*proxy*"):
            shutil.copy(proxy, etc / "apt/apt.conf.d")
        (etc / "dpkg/dpkg.cfg.d/in-a-root-of-an-hour").write_text("force-unsafe-io\n")
        for shared_folder in shared:
            (clean.root / shared_folder.relative_to("/")).mkdir(parents=True, exist_ok=True)
        clean.run("useradd", "--create-home", "--shell", "/bin/bash", TRADER)
        clean.say(f"a clean root of {suite}: {len(clean.files())} files and folders")
        yield clean


def checked(command: list[str], timeout: float) -> str:
    """What a command prints. Raises RuntimeError where it fails."""
    quiet = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "errors": "replace"}
    done = subprocess.run(command, timeout=timeout, check=False, **quiet)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).splitlines()[-30:])
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{last}")
    return done.stdout


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def configure_port(folder: Path, port: int) -> Path:
    """A configuration that sets nothing but the listener's port: the machine's own engine may have the usual one."""
    file = folder / "config.json"
    file.write_text(json.dumps({"schema_version": 1, "listener": {"port": port}}))
    file.chmod(0o644)
    return file


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _health(port: int, process: "subprocess.Popen[bytes]", start_s: float) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + start_s
    while time.monotonic() < until and process.poll() is None:
        try:
            with opener.open(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            time.sleep(0.2)
    code = process.poll()
    process.kill()
    what = "nobody answers /health" if code is None else f"it ended with {code}"
    raise Ended(what, process.communicate()[0].decode(errors="replace"))
