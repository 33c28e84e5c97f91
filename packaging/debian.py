"""Makes a Debian package of the program folder that build.py has made. Needs dpkg-deb and objdump."""

import gzip
import hashlib
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import dev

HERE = Path(__file__).resolve().parent

PROGRAM = Path("usr/lib/exengine")
COMMAND = Path("usr/bin/exengine")
DESKTOP_ENTRY = Path("usr/share/applications/exengine.desktop")

# What the program's files ask of the system, and the Debian packages that bring it.
PACKAGES = {
    **dev.WINDOW_LIBRARIES,
    "libbrotlicommon.so.1": "libbrotli1",
    "libbrotlidec.so.1": "libbrotli1",
    "libgcc_s.so.1": "libgcc-s1",
    "libgio-2.0.so.0": "libglib2.0-0",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "libgobject-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libreadline.so.8": "libreadline8",
    "libstdc++.so.6": "libstdc++6",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
    "libxcb-glx.so.0": "libxcb-glx0",
    "libxcb.so.1": "libxcb1",
    "libzstd.so.1": "libzstd1",
}
# Asked for by plugins that Qt leaves alone where these are not there: a desktop that wants them has them.
OPTIONAL = {
    "libatk-1.0.so.0": "libatk1.0-0",
    "libcairo-gobject.so.2": "libcairo-gobject2",
    "libcairo.so.2": "libcairo2",
    "libgdk-3.so.0": "libgtk-3-0",
    "libgdk_pixbuf-2.0.so.0": "libgdk-pixbuf-2.0-0",
    "libgtk-3.so.0": "libgtk-3-0",
    "libharfbuzz.so.0": "libharfbuzz0b",
    "libpango-1.0.so.0": "libpango-1.0-0",
    "libpangocairo-1.0.so.0": "libpangocairo-1.0-0",
    "libvulkan.so.1": "libvulkan1",
}
OF_LIBC = re.compile(r"(lib(c|m|dl|rt|pthread|util|resolv)\.so\.\d+|ld-linux.*\.so\.\d)")

ALWAYS = ("ca-certificates", "fontconfig-config")
RECOMMENDED = ("fonts-inter",)
SUGGESTED = ("gnome-keyring",)

CONTROL = """\
Package: exengine
Version: {version}
Architecture: {architecture}
Maintainer: ExEngine contributors <contributors@exengine.invalid>
Installed-Size: {size_kib}
Section: misc
Priority: optional
Depends: {depends}
Recommends: {recommends}
Suggests: {suggests}
Description: desktop program that trades pyramids and grids from TradingView alerts
 TradingView says when to enter. ExEngine, on this machine, lays a grid of DCA
 orders, scales in with pyramids, takes profit, keeps a limited pool of live
 positions with a queue behind it, and pays off losers with the profit of
 winners. It begins on paper; keys never leave the machine.
 .
 What it keeps lies in the home folder of whoever runs it, and stays when the
 package is removed.
"""

COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: ExEngine
Comment: The licences of the libraries that this package carries are in
 /{program}/_internal/licences; what is asked of those who pass on Qt, and how
 to put your own Qt in its place, is in QT.txt there.

Files: *
Copyright: ExEngine contributors
License: MIT
{licence}
"""


@dataclass
class Needs:
    """What a set of programs and libraries asks of the system."""

    depends: set[str] = field(default_factory=set)
    suggests: set[str] = field(default_factory=set)
    libc: tuple[int, ...] = (2, 0)
    """The oldest C library that they run on."""
    unknown: dict[str, str] = field(default_factory=dict)
    """Libraries that no package is known of, and a file that asks for each."""


def read_needs(headers: dict[str, str]) -> Needs:
    """From what `objdump -p` says of each file. What one of them is, none of them needs of the system."""
    needs = Needs()
    carried = {Path(name).name for name in headers}
    for name, said in headers.items():
        for version in re.findall(r"\bGLIBC_([\d.]+)", said):
            needs.libc = max(needs.libc, tuple(map(int, version.split("."))))
        for library in set(re.findall(r"(?m)^\s*NEEDED\s+(\S+)", said)) - carried:
            if library in PACKAGES:
                needs.depends.add(PACKAGES[library])
            elif library in OPTIONAL and "/plugins/" in name:
                needs.suggests.add(OPTIONAL[library])
            elif not OF_LIBC.fullmatch(library):
                needs.unknown[library] = name
    return needs


def headers_of(folder: Path) -> dict[str, str]:
    """What `objdump -p` says of every ELF file below a folder, by path."""
    said = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                if file.read(4) != b"\x7fELF":
                    continue
            asked = subprocess.run(["objdump", "-p", str(path)], capture_output=True, text=True, check=True)
            said[str(path.relative_to(folder))] = asked.stdout
    return said


def control(needs: Needs, *, version: str, architecture: str, size_kib: int) -> str:
    """The package's control file. Raises RuntimeError where a library comes from nowhere."""
    if needs.unknown:
        lacking = ", ".join(f"{library} (of {name})" for library, name in sorted(needs.unknown.items()))
        raise RuntimeError(f"no Debian package is named in debian.py for {lacking}")
    libc = f"libc6 (>= {'.'.join(map(str, needs.libc))})"
    return CONTROL.format(
        version=version,
        architecture=architecture,
        size_kib=size_kib,
        depends=", ".join([libc, *sorted({*needs.depends, *ALWAYS})]),
        recommends=", ".join(RECOMMENDED),
        suggests=", ".join(sorted({*needs.suggests, *SUGGESTED})),
    )


def make_deb(program: Path, icons: Path, out: Path, *, version: str) -> Path:
    """The package in the folder `out`, of the program's folder and its icons."""
    architecture = _said("dpkg", "--print-architecture")
    deb = out / f"exengine_{version}_{architecture}.deb"
    tree = out / "deb"
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(program, tree / PROGRAM, symlinks=True)
    _put(tree / DESKTOP_ENTRY, (HERE / "linux" / "exengine.desktop").read_bytes())
    for icon in icons.glob("exengine-*.png"):
        size = icon.stem.rpartition("-")[2]
        _put(tree / f"usr/share/icons/hicolor/{size}x{size}/apps/exengine.png", icon.read_bytes())
    licence = "".join(f" {line or '.'}\n" for line in (HERE.parent / "LICENSE").read_text().strip().splitlines())
    _put(tree / "usr/share/doc/exengine/copyright", COPYRIGHT.format(program=PROGRAM, licence=licence).encode())
    news = f"exengine ({version}) stable; urgency=medium\n\n  * See the release notes.\n"
    _put(tree / "usr/share/doc/exengine/changelog.gz", gzip.compress(news.encode(), mtime=0))
    (tree / COMMAND).parent.mkdir(parents=True)
    (tree / COMMAND).symlink_to(Path("../lib/exengine/exengine"))
    files = [path for path in sorted(tree.rglob("*")) if path.is_file() and not path.is_symlink()]
    for path in [tree, *tree.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path == tree / PROGRAM / "exengine" else 0o644)
    sums = "".join(f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(tree)}\n" for path in files)
    size_kib = sum(path.stat().st_size for path in files) // 1024
    needs = read_needs(headers_of(tree / PROGRAM))
    about = control(needs, version=version, architecture=architecture, size_kib=size_kib)
    _put(tree / "DEBIAN" / "md5sums", sums.encode())
    _put(tree / "DEBIAN" / "control", about.encode())
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zzstd", "--build", str(tree), str(deb)], check=True)
    shutil.rmtree(tree)
    return deb


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
