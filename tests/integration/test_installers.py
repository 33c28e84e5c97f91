"""What must hold of the files that make the installers, so that a build, minutes long, does not find out first."""

import ast
import configparser
import importlib.metadata
import importlib.util
import re
import shutil
import struct
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from exengine import __version__
from exengine.notify.releases import read_release
from exengine.ui.app import DESKTOP_FILE

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"
SPEC = PACKAGING / "exengine.spec"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
DESKTOP_ENTRY = PACKAGING / "linux" / "exengine.desktop"


@pytest.fixture(scope="module")
def scripts() -> Iterator[dict[str, ModuleType]]:
    """packaging's own scripts, which import each other by their names and are no package."""
    names = ("dev", "build", "debian", "icons", "licences", "clean_root", "try_deb", "try_clone")
    before, known = list(sys.path), set(sys.modules)
    loaded: dict[str, ModuleType] = {}
    for name in names:
        spec = importlib.util.spec_from_file_location(name, PACKAGING / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        loaded[name] = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded[name])
    yield loaded
    for name in set(names) - known:
        del sys.modules[name]
    sys.path[:] = before


# The program folder


def assigned(name: str) -> ast.expr:
    """The last value that the spec gives a name; the spec itself runs within PyInstaller only."""
    tree = ast.parse(SPEC.read_text())
    return [node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name][
        -1
    ]


def test_every_hidden_import_of_the_spec_is_there() -> None:
    texts = [node.value for node in ast.walk(assigned("hiddenimports")) if isinstance(node, ast.Constant)]
    assert len(texts) > 5
    missing = [name for name in texts if importlib.util.find_spec(name) is None]
    assert missing == []


def test_every_folder_of_the_spec_is_there_and_lands_where_the_program_looks() -> None:
    text = ast.unparse(assigned("datas"))
    pairs = re.findall(r"str\(ROOT((?: / '[\w.]+')+)\), '([\w./]+)'", text)
    folders = {"/".join(re.findall(r"'([\w.]+)'", path)): into for path, into in pairs}
    assert folders == {
        "resources": "exengine/resources",  # exengine.assets
        "exengine/store/migrations": "exengine/store/migrations",  # exengine.store.migrate
    }
    assert all((ROOT / folder).is_dir() for folder in folders)
    assert "copy_metadata('exengine', recursive=True)" in text


def test_nothing_that_the_program_imports_is_excluded() -> None:
    tree = ast.parse(SPEC.read_text())
    lists = [
        node.value for node in tree.body if "excludes" in ast.unparse(node).partition("=")[0] and hasattr(node, "value")
    ]
    excluded = {one.value for each in lists for one in ast.walk(each) if isinstance(one, ast.Constant)}
    assert "pytest" in excluded
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "exengine").rglob("*.py"))
    used = {name for source in sources for name in re.findall(r"(?m)^\s*(?:import|from) (\w+)", source)}
    assert {"asyncio", "PySide6", "aiohttp"} <= used
    # What an extra brings is missed with words, as it is by everybody else without that extra.
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    optional = {re.split(r"[^\w-]", line)[0] for lines in extras.values() for line in lines}
    assert (used & excluded) - optional == set()


def test_the_windowed_program_takes_no_terminal_and_has_one_beside_it_that_does() -> None:
    text = SPEC.read_text()
    assert 'program("exengine", console=sys.platform != "darwin")' in text
    assert 'program("exenginew", console=False)' in text


def test_worker_processes_of_the_frozen_program_begin_as_workers() -> None:
    said = subprocess.run(
        [sys.executable, "-c", MULTI], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert said.stdout == "frozen support was asked\n"


MULTI = """
import multiprocessing, runpy, sys
def asked():
    print("frozen support was asked", flush=True)
    sys.exit(0)
multiprocessing.freeze_support = asked
sys.frozen = True
runpy.run_module("exengine", run_name="__main__")
"""


# Licences


def test_every_package_that_travels_brings_its_licence(scripts: dict[str, ModuleType], tmp_path: Path) -> None:
    licences = scripts["licences"]
    try:
        importlib.metadata.distribution("pyinstaller")
    except importlib.metadata.PackageNotFoundError:
        licences.FREEZER = "hatchling"  # only a build installs PyInstaller; any other that brings a text stands for it
    licences.make_licences(tmp_path)
    overview = (tmp_path / "README.txt").read_text()
    for name, distribution in licences.bundled().items():
        folder = tmp_path / f"{name}-{distribution.version}"
        assert folder.name in overview
        assert any(path.stat().st_size > 100 for path in folder.iterdir()), name
    assert {"aiohttp", "ccxt", "numpy", "pyside6-essentials", "shiboken6"} <= set(licences.bundled())
    assert not {"pytest", "mypy", "hypothesis"} & set(licences.bundled())


def test_qts_licence_its_terms_and_how_to_replace_it_are_told(scripts: dict[str, ModuleType], tmp_path: Path) -> None:
    statement = scripts["licences"]._qt_statement()
    version = importlib.metadata.version("PySide6-Essentials")
    for words in (
        version,
        "LGPL-3.0.txt",
        "GPL-3.0.txt",
        "use your own instead",
        "Get the source",
        "debug such a change",
    ):
        assert words in statement
    texts = PACKAGING / "licences"
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in (texts / "LGPL-3.0.txt").read_text()
    assert "GNU GENERAL PUBLIC LICENSE" in (texts / "GPL-3.0.txt").read_text()


def test_a_package_without_a_text_stops_the_build(
    scripts: dict[str, ModuleType], tmp_path: Path, monkeypatch: Any
) -> None:
    licences = scripts["licences"]
    monkeypatch.setattr(licences, "WITHOUT_TEXT", {})
    with pytest.raises(RuntimeError, match=r"pyside6-essentials \S+ brings no licence text"):
        licences.make_licences(tmp_path)


# Icons


@pytest.fixture(scope="module")
def icons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn in a process of its own, as a build does."""
    folder = tmp_path_factory.mktemp("made") / "icons"
    draw = (
        f"import sys; sys.path.insert(0, {str(PACKAGING)!r}); import icons; icons.make_icons(icons.Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", draw, str(folder)], check=True, capture_output=True, timeout=60)
    return folder


def size_of_png(data: bytes) -> tuple[int, int]:
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def test_linux_has_a_picture_of_each_size(icons: Path) -> None:
    for size in (16, 24, 32, 48, 64, 128, 256, 512):
        assert size_of_png((icons / f"exengine-{size}.png").read_bytes()) == (size, size)


def test_windows_icon_lists_its_pictures_where_they_are(icons: Path) -> None:
    data = (icons / "exengine.ico").read_bytes()
    reserved, kind, count = struct.unpack("<HHH", data[:6])
    assert (reserved, kind) == (0, 1)
    sizes = []
    for index in range(count):
        width, height, _, _, _, bits, length, at = struct.unpack("<BBBBHHII", data[6 + 16 * index : 22 + 16 * index])
        assert bits == 32
        assert size_of_png(data[at : at + length]) == (width or 256, height or 256)
        sizes.append(width or 256)
    assert sizes == [16, 24, 32, 48, 64, 128, 256]


def test_apples_icon_is_as_long_as_it_says_and_each_part_too(icons: Path) -> None:
    data = (icons / "exengine.icns").read_bytes()
    assert data[:4] == b"icns"
    assert struct.unpack(">I", data[4:8]) == (len(data),)
    at, sizes = 8, {}
    while at < len(data):
        (length,) = struct.unpack(">I", data[at + 4 : at + 8])
        sizes[data[at : at + 4].decode()] = size_of_png(data[at + 8 : at + length])[0]
        at += length
    assert sizes == {"icp4": 16, "icp5": 32, "ic07": 128, "ic08": 256, "ic09": 512, "ic10": 1024}


# Debian


def objdump(*needed: str, glibc: str = "2.17") -> str:
    lines = [f"  NEEDED               {library}" for library in needed]
    return "\n".join(
        ["Dynamic Section:", *lines, "required from libc.so.6:", f"    0x06969197 0x00 06 GLIBC_{glibc}", ""]
    )


def test_the_package_depends_on_what_its_files_ask_for_and_do_not_carry(scripts: dict[str, ModuleType]) -> None:
    debian = scripts["debian"]
    needs = debian.read_needs(
        {
            "_internal/libown.so.1": objdump("libc.so.6", "libxcb.so.1", glibc="2.34"),
            "_internal/PySide6/x.so": objdump("libown.so.1", "libm.so.6", "libstdc++.so.6", glibc="2.9"),
            "_internal/PySide6/Qt/plugins/platformthemes/libqgtk3.so": objdump("libgtk-3.so.0"),
        }
    )
    told = debian.control(needs, version="1.2.3", architecture="amd64", size_kib=7)
    fields = dict(line.split(": ", 1) for line in told.splitlines() if not line.startswith(" "))
    assert fields["Depends"] == "libc6 (>= 2.34), ca-certificates, fontconfig-config, libstdc++6, libxcb1"
    assert fields["Recommends"] == "fonts-inter"
    assert fields["Suggests"] == "gnome-keyring, libgtk-3-0"
    assert (fields["Package"], fields["Version"], fields["Installed-Size"]) == ("exengine", "1.2.3", "7")


def test_a_library_from_nowhere_stops_the_package(scripts: dict[str, ModuleType]) -> None:
    debian = scripts["debian"]
    needs = debian.read_needs({"_internal/x.so": objdump("libnew.so.7"), "_internal/y.so": objdump("libgtk-3.so.0")})
    with pytest.raises(
        RuntimeError, match=r"libgtk-3\.so\.0 \(of _internal/y\.so\), libnew\.so\.7 \(of _internal/x\.so\)"
    ):
        debian.control(needs, version="1", architecture="amd64", size_kib=1)


@pytest.mark.skipif(not (shutil.which("dpkg-deb") and shutil.which("objdump")), reason="no dpkg-deb or objdump here")
def test_the_package_has_the_program_its_command_its_entry_and_its_icons(
    scripts: dict[str, ModuleType], icons: Path, tmp_path: Path
) -> None:
    program = tmp_path / "exengine"
    (program / "_internal").mkdir(parents=True)
    (program / "exengine").write_text("#!/bin/sh\necho here\n")
    (program / "_internal" / "data").write_text("x")
    deb = scripts["debian"].make_deb(program, icons, tmp_path / "out", version=__version__)

    def said(*command: str) -> str:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    listed = {line.split()[5]: line.split() for line in said("dpkg-deb", "--contents", str(deb)).splitlines()}
    assert listed["./usr/lib/exengine/exengine"][0] == "-rwxr-xr-x"
    assert listed["./usr/lib/exengine/_internal/data"][0] == "-rw-r--r--"
    assert listed["./usr/bin/exengine"][-1] == "../lib/exengine/exengine"
    assert listed["./usr/share/applications/exengine.desktop"][1] == "root/root"
    assert "./usr/share/icons/hicolor/256x256/apps/exengine.png" in listed
    assert said("dpkg-deb", "--field", str(deb), "Version").strip() == __version__
    said("dpkg-deb", "--extract", str(deb), str(tmp_path / "root"))
    assert said(str(tmp_path / "root/usr/bin/exengine")) == "here\n"
    assert "MIT" in (tmp_path / "root/usr/share/doc/exengine/copyright").read_text()


def test_the_desktop_entry_starts_the_command_and_is_the_windows_own() -> None:
    parser = configparser.RawConfigParser()
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # its keys are told apart by their capitals
    parser.read(DESKTOP_ENTRY, encoding="utf-8")
    entry = parser["Desktop Entry"]
    assert entry["Type"] == "Application"
    assert entry["Exec"] == Path("usr/bin/exengine").name
    assert entry["Icon"] == "exengine"
    assert DESKTOP_ENTRY.stem == DESKTOP_FILE  # Wayland finds the icon of a window by it
    assert "MimeType" not in entry
    assert all(entry[name].endswith(";") for name in ("Categories", "Keywords"))
    if shutil.which("desktop-file-validate"):
        subprocess.run(["desktop-file-validate", str(DESKTOP_ENTRY)], check=True)


# Windows and macOS


@pytest.mark.skipif(not shutil.which("makensis"), reason="no makensis here")
def test_the_windows_installer_compiles(
    scripts: dict[str, ModuleType], icons: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    build = scripts["build"]
    (tmp_path / "exengine" / "_internal").mkdir(parents=True)
    for name in ("exengine.exe", "exenginew.exe", "_internal/data"):
        (tmp_path / "exengine" / name).write_text(name)
    monkeypatch.setattr(build, "MADE", icons.parent)
    made = subprocess.run(build.nsis(tmp_path / "exengine", tmp_path), capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    assert (tmp_path / f"ExEngine-{__version__}-setup.exe").read_bytes()[:2] == b"MZ"


def test_the_windows_installer_leaves_the_traders_data_and_asks_no_administrator() -> None:
    text = (PACKAGING / "windows" / "exengine.nsi").read_text()
    assert "RequestExecutionLevel user" in text
    deletes = re.findall(r'(?m)^\s*(?:RMDir|Delete)\b.*?"([^"]+)"', text)
    assert deletes
    assert all(path.startswith(("$INSTDIR", "$SMPROGRAMS", "$DESKTOP")) for path in deletes)
    assert 'RMDir /r "$INSTDIR"' not in text
    assert text.count('"${RUN}" "ExEngine"') == 2


def test_the_disk_image_script_is_sound_shell() -> None:
    script = PACKAGING / "macos" / "dmg.sh"
    subprocess.run(["bash", "-n", str(script)], check=True)
    assert "set -euo pipefail" in script.read_text()


# Workflows


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in WORKFLOWS:
        for name, job in yaml.safe_load(path.read_text())["jobs"].items():
            for step in job["steps"]:
                yield f"{path.name}/{name}", step


def test_workflows_call_only_what_dev_has(scripts: dict[str, ModuleType]) -> None:
    called = []
    for place, step in steps():
        for words in re.findall(r"packaging/dev\.py ([^\n]*)", step.get("run", "")):
            command, *arguments = words.split()
            assert command in scripts["dev"].COMMANDS, place
            if command == "build":
                assert set(arguments) <= set(scripts["build"].STAGES), place
            called.append(words)
    assert {"lint", "test", "build", "build folder", "build installer", "run -- --smoke"} <= set(called)


def test_workflows_run_on_the_three_systems_and_upload_what_they_make() -> None:
    text = "".join(path.read_text() for path in WORKFLOWS)
    assert all(system in text for system in ("ubuntu-24.04", "windows-2022", "macos-15"))
    assert all(pattern in text for pattern in ("*.deb", "*-setup.exe", "*.dmg"))


def test_steps_that_sign_wait_for_their_secrets() -> None:
    """A job knows only whether it has a secret; the secret itself is given to the step that signs, and to no other."""
    secret_of = {
        "signtool": "WINDOWS_CERTIFICATE",
        "security import": "APPLE_CERTIFICATE",
        "notarytool": "APPLE_APP_PASSWORD",
        "gpg": "GPG_KEY",
        "pkeyutl": "UPDATE_KEY",
    }
    signing = []
    for path in WORKFLOWS:
        for job in yaml.safe_load(path.read_text())["jobs"].values():
            known = job.get("env", {})
            assert all(re.search(r"secrets\.\w+ != ''", value) for value in known.values() if "secrets." in value)
            for step in job["steps"]:
                for tool, secret in secret_of.items():
                    if tool in step.get("run", ""):
                        signing.append(tool)
                        (switch,) = re.findall(r"env\.(\w+) == 'true'", step["if"])
                        assert f"secrets.{secret} != ''" in known[switch]
                        assert step["env"][secret] == f"${{{{ secrets.{secret} }}}}"
    assert len(signing) == 6


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl here")
def test_the_list_of_versions_that_a_workflow_signs_is_one_that_the_program_believes(tmp_path: Path) -> None:
    """The workflow's own commands, with the key made and its public half read as its head says."""
    (script,) = [step["run"] for _, step in steps() if "pkeyutl" in step.get("run", "")]
    made = script.replace(script.splitlines()[0], 'printf \'{"version": "9.1.0", "notes": "n"}\' > all/exengine.json')
    head = (ROOT / ".github/workflows/installers.yml").read_text()
    (make, read) = re.findall(r"(openssl (?:genpkey|pkey) [^\n)]*)", head)
    (tmp_path / "all").mkdir()
    begin = f"{make} > KEY; UPDATE_KEY=$(cat KEY); RUNNER_TEMP=.; {read} > public"
    subprocess.run(["bash", "-euc", f"{begin}\n{made}"], cwd=tmp_path, check=True, capture_output=True)
    data, signature = ((tmp_path / "all" / name).read_bytes() for name in ("exengine.json", "exengine.json.sig"))
    assert read_release(data, signature, (tmp_path / "public").read_text().strip()).version == "9.1.0"


def test_no_secret_is_printed_or_given_to_steps_of_others() -> None:
    for place, step in steps():
        assert not ("uses" in step and "secrets." in str(step)), place
        assert "set -x" not in step.get("run", ""), place
