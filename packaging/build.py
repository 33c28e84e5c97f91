"""What `dev.py build` does in the environment that it made: wheel, program folder, installer; each tried at once."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import dev

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
OUT = ROOT / "build" / "dist"
MADE = ROOT / "build" / "made"
FOLDER = OUT / "exengine"
SMOKE_S = 300


def version() -> str:
    about: dict[str, str] = {}
    exec((ROOT / "exengine" / "__init__.py").read_text(encoding="utf-8"), about)
    return about["__version__"]


def command(step: str, *words: str | Path, env: dict[str, str] | None = None) -> None:
    """Runs it and shows that it goes on; its last words where it fails."""
    began = time.monotonic()
    problem = dev.quietly(step, [str(word) for word in words], env)
    if problem:
        dev.fail(f"{problem}\n{step}: failed.")
    dev.say(f"{step}: {time.monotonic() - began:.0f} s")


def shown(*words: str | Path) -> None:
    """Runs a command whose lines are worth reading."""
    if dev.call([str(word) for word in words]):
        dev.fail(f"{Path(words[0]).name} {' '.join(map(str, words[1:]))} failed.")


def wheel() -> None:
    """Wheel and source archive."""
    for old in OUT.glob("exengine-*"):
        old.unlink()
    command("Wheel and source archive", sys.executable, "-m", "hatchling", "build", "--directory", OUT)


def folder() -> None:
    """The program with all that it needs in one folder, and the proof that it works."""
    from icons import make_icons
    from licences import make_licences

    shutil.rmtree(MADE, ignore_errors=True)
    make_icons(MADE / "icons")
    make_licences(MADE / "licences")
    work = ("--workpath", ROOT / "build" / "freezing", "--distpath", OUT)
    freeze = (sys.executable, "-m", "PyInstaller", "--noconfirm", "--clean", *work, HERE / "exengine.spec")
    command("Freezing the program, some minutes", *freeze, env={**os.environ, "EXENGINE_MADE": str(MADE)})
    size = sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file() and not path.is_symlink())
    dev.say(f"{FOLDER.relative_to(ROOT)}: {size // 1_000_000} MB")
    smoke()


def program() -> Path:
    """The frozen program; on macOS the one in the bundle."""
    if sys.platform == "darwin":
        return OUT / "ExEngine.app" / "Contents" / "MacOS" / "exengine"
    return FOLDER / ("exengine.exe" if dev.WINDOWS else "exengine")


def smoke() -> None:
    """Tries the frozen program with nothing of this environment around it."""
    kept = ("PATH", "HOME", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "USERPROFILE", "LOCALAPPDATA", "APPDATA", "LANG")
    bare = {name: value for name, value in os.environ.items() if name.upper() in kept}
    done = subprocess.run([str(program()), "--smoke"], env=bare, timeout=SMOKE_S, check=False, cwd=OUT)
    if done.returncode:
        dev.fail("The frozen program does not pass its smoke test.")


def installer() -> None:
    """What a user installs on a system like this one."""
    if dev.WINDOWS:
        shown(*nsis(FOLDER, OUT))
    elif sys.platform == "darwin":
        shown("bash", HERE / "macos" / "dmg.sh", OUT / "ExEngine.app", OUT / f"ExEngine-{version()}.dmg")
    else:
        debian_package()
        prove_windows_installer()


def nsis(program_folder: Path, out: Path) -> list[str]:
    """The command that makes the Windows installer, on Windows or on Linux, of a program's folder."""
    makensis = shutil.which("makensis") or "C:/Program Files (x86)/NSIS/makensis.exe"
    facts = {
        "VERSION": version(),
        "FOLDER": program_folder,
        "ICON": MADE / "icons" / "exengine.ico",
        "LICENCE": ROOT / "LICENSE",
        "OUT": out / f"ExEngine-{version()}-setup.exe",
    }
    sign = "/" if dev.WINDOWS else "-"
    named = [f"{sign}D{name}={value}" for name, value in facts.items()]
    return [makensis, f"{sign}V2", f"{sign}WX", *named, str(HERE / "windows" / "exengine.nsi")]


def prove_windows_installer() -> None:
    """Compiles its script around a few bytes: whether it is sound need not wait for a machine with Windows."""
    with tempfile.TemporaryDirectory() as place:
        stand_in = Path(place) / "exengine"
        (stand_in / "_internal").mkdir(parents=True)
        for name in ("exengine.exe", "exenginew.exe", "_internal/data"):
            (stand_in / name).write_text(name)
        command("The Windows installer's script, compiled around a stand-in", *nsis(stand_in, Path(place)))


def debian_package() -> None:
    from debian import make_deb

    began = time.monotonic()
    deb = make_deb(FOLDER, MADE / "icons", OUT, version=version())
    dev.say(f"{deb.relative_to(ROOT)}: {deb.stat().st_size // 1_000_000} MB, {time.monotonic() - began:.0f} s")
    prefix = dev.administrator()
    if prefix is None:
        dev.fail(f"To try it in a clean root wants an administrator: sudo {sys.executable} packaging/try_deb.py {deb}")
    shown(*prefix, sys.executable, HERE / "try_deb.py", deb)


STAGES: dict[str, Callable[[], None]] = {"wheel": wheel, "folder": folder, "installer": installer}


def main(arguments: list[str]) -> int:
    unknown = set(arguments) - set(STAGES)
    if unknown:
        sys.stderr.write(f"build has no stage {', '.join(sorted(unknown))}; it has {', '.join(STAGES)}.\n")
        return 2
    OUT.mkdir(parents=True, exist_ok=True)
    for name, stage in STAGES.items():
        if name in arguments or not arguments:
            stage()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
