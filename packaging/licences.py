"""Collects the licences of all that travels in an installer: its packages, Python itself, and Qt's obligations."""

import importlib.metadata
import re
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from importlib.metadata import Distribution
from pathlib import Path

from packaging.requirements import Requirement

TEXTS = Path(__file__).resolve().parent / "licences"
IS_TEXT = re.compile(r"(?i)(?!.*\.(py|pyc|pyi|h|svg|png)$).*(licen[cs]e|copying|notice|authors|copyright)")

LGPL = ("LGPL-3.0.txt", "GPL-3.0.txt")
WITHOUT_TEXT = {"pyside6-essentials": LGPL, "shiboken6": LGPL}
"""Packages that name their licence and bring no text: what is ours to add."""

FREEZER = "pyinstaller"
"""Its bootloader is the program's first code; its exception to the GPL allows that."""


def bundled(name: str = "exengine") -> dict[str, Distribution]:
    """The package and all that it needs on this machine, by canonical name."""
    found: dict[str, Distribution] = {}
    waiting = [(name, frozenset({""}))]
    while waiting:
        wanted, extras = waiting.pop()
        key = canonical(wanted)
        if key in found:
            continue
        try:
            found[key] = importlib.metadata.distribution(wanted)
        except importlib.metadata.PackageNotFoundError:
            continue  # for another system, or an extra that nobody asked for
        for line in found[key].requires or ():
            each = Requirement(line)
            if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append((each.name, frozenset({"", *each.extras})))
    return dict(sorted(found.items()))


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def texts_of(distribution: Distribution) -> Iterator[Path]:
    """The licence files that a package brings."""
    for file in distribution.files or ():
        path = Path(str(distribution.locate_file(file)))
        if IS_TEXT.match(path.name) and path.is_file():
            yield path


def licence_of(distribution: Distribution) -> str:
    """Its licence in a word or a line, as it says itself."""
    about = distribution.metadata
    classifiers = [line.rpartition(" :: ")[2] for line in about.get_all("Classifier", []) if line.startswith("License")]
    said = about.get("License-Expression") or ", ".join(classifiers) or about.get("License") or "see its text"
    return said.strip().splitlines()[0]


def python_text() -> Path:
    """The licence of this Python, which on Windows and macOS covers the libraries that come with it too."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    places = (
        Path(sysconfig.get_path("stdlib")) / "LICENSE.txt",
        Path(sys.base_prefix) / "LICENSE.txt",
        Path("/usr/share/doc") / version / "copyright",
    )
    for place in places:
        if place.is_file():
            return place
    raise RuntimeError(f"the licence of Python is at none of {', '.join(map(str, places))}")


def make_licences(folder: Path) -> None:
    """Writes a folder for each package, and README.txt with all of them. Raises RuntimeError where a text lacks."""
    lines = []
    for name, distribution in {**bundled(), FREEZER: importlib.metadata.distribution(FREEZER)}.items():
        own = folder / f"{name}-{distribution.version}"
        own.mkdir(parents=True)
        texts = [*texts_of(distribution), *(TEXTS / text for text in WITHOUT_TEXT.get(name, ()))]
        if not texts:
            raise RuntimeError(f"{name} {distribution.version} brings no licence text; add one to {TEXTS.name}/")
        for text in texts:
            shutil.copyfile(text, own / _free(own, text))
        lines.append(f"{own.name:<36} {licence_of(distribution)}")
    (folder / "python").mkdir()
    shutil.copyfile(python_text(), folder / "python" / "LICENSE.txt")
    lines.append(f"{'python':<36} PSF-2.0, Python {sys.version.split()[0]}")
    for text in LGPL:
        shutil.copyfile(TEXTS / text, folder / text)
    (folder / "QT.txt").write_text(_qt_statement(), encoding="utf-8")
    head = "ExEngine is under the MIT licence. It carries these works of others, each under its own:"
    tail = "What is asked of those who pass on Qt, and how to put your own Qt in its place: QT.txt"
    (folder / "README.txt").write_text("\n".join([head, "", *lines, "", tail, ""]), encoding="utf-8")


def _qt_statement() -> str:
    packages = bundled()
    return (
        (TEXTS / "QT.txt")
        .read_text(encoding="utf-8")
        .format(
            qt=packages["pyside6-essentials"].version,
            pyside=packages["shiboken6"].version,
            version=packages["exengine"].version,
            folder="Contents/Frameworks" if sys.platform == "darwin" else "_internal",
        )
    )


def _free(folder: Path, text: Path) -> str:
    """Its name, or with its folder's where there is one of that name already."""
    return text.name if not (folder / text.name).exists() else f"{text.parent.name}-{text.name}"
