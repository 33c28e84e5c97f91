"""The backup's one file: a zip whose manifest says what is in it, of which version, and each part's digest."""

import hashlib
import json
import os
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from exengine.domain.errors import UserError

FORMAT = 1
"""Of the file itself; the store's revision is another matter."""

MANIFEST = "manifest.json"
CONFIG = "config.json"
LOGS = "logs/"
STORE = "store/"

_NAMES = re.compile(r"config\.json|logs/[\w-][\w.-]*\.log|store/[a-z_]+\.jsonl", re.ASCII)
_CHUNK = 1 << 20


def rows_name(table: str) -> str:
    return f"{STORE}{table}.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file in the backup."""

    bytes: int
    sha256: str
    modified_ms: int | None = None
    """Of a log file, so that it grows old where it is put back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    program: str
    made_at_ms: int
    kind: str
    """sqlite, postgresql"""
    revision: str
    parts: dict[str, Part]


# writing --------------------------------------------------------------------------------------------------------------


class BackupWriter:
    """Takes the parts one after the other; the manifest comes last."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._parts: dict[str, Part] = {}

    def add(self, name: str, chunks: Iterable[bytes], *, modified_ms: int | None = None) -> None:
        digest, size = hashlib.sha256(), 0
        with self._archive.open(name, "w", force_zip64=True) as entry:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                entry.write(chunk)
        self._parts[name] = Part(bytes=size, sha256=digest.hexdigest(), modified_ms=modified_ms)

    def finish(self, *, program: str, made_at_ms: int, kind: str, revision: str) -> None:
        manifest = {
            "format": FORMAT,
            "program": program,
            "made_at_ms": made_at_ms,
            "store": {"kind": kind, "revision": revision},
            "parts": {name: _told(part) for name, part in self._parts.items()},
        }
        self._archive.writestr(MANIFEST, json.dumps(manifest, indent=2))


def _told(part: Part) -> dict[str, Any]:
    told: dict[str, Any] = {"bytes": part.bytes, "sha256": part.sha256}
    return told if part.modified_ms is None else told | {"modified_ms": part.modified_ms}


@contextmanager
def written(target: Path) -> Iterator[BackupWriter]:
    """A backup that takes its name once it is whole and on the disk; readable by its owner only. Raises UserError."""
    target = Path(os.path.realpath(target))
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    except OSError as error:
        raise unwritable(target, error) from error
    try:
        with open(descriptor, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                yield BackupWriter(archive)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, target)
        sync_folder(target.parent)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise unwritable(target, error) from error
        raise


def unwritable(target: Path, error: OSError) -> UserError:
    return UserError(
        f"The backup {target} cannot be written: {error.strerror or error}.",
        safe="A file of that name is as it was, and so is the store.",
        remedy="Name another file, or make room on the disk.",
    )


def sync_folder(folder: Path) -> None:
    """Makes new names in a folder durable; Windows does that on its own and cannot open a folder."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# reading --------------------------------------------------------------------------------------------------------------


class Backup:
    """An opened backup whose parts are what its manifest says."""

    def __init__(self, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self._archive = archive
        self.manifest = manifest

    def __contains__(self, name: str) -> bool:
        return name in self.manifest.parts

    def names(self, start: str) -> list[str]:
        return [name for name in self.manifest.parts if name.startswith(start)]

    def data(self, name: str) -> bytes:
        return self._archive.read(name)

    def lines(self, name: str) -> Iterator[bytes]:
        with self._archive.open(name) as entry:
            yield from entry


@contextmanager
def opened(path: Path) -> Iterator[Backup]:
    """A backup, after all of it was read once and is as it was written.

    Raises UserError where it is damaged, cut short, no backup at all, or of a newer form than this program knows.
    """
    try:
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise UserError(f"The backup {path} cannot be read: {error.strerror or error}.") from error
    except zipfile.BadZipFile as error:
        raise _damaged(path, f"it is no zip file, or cut short: {error}") from error
    with archive:
        yield Backup(archive, _checked(path, archive))


def _checked(path: Path, archive: zipfile.ZipFile) -> Manifest:
    names = archive.namelist()
    if MANIFEST not in names:
        raise _damaged(path, f"it has no {MANIFEST}: it is no backup of ExEngine’s")
    try:
        manifest = _manifest(path, json.loads(archive.read(MANIFEST)))
        if sorted(names) != sorted([*manifest.parts, MANIFEST]):
            raise _damaged(path, "what is in it is not what its manifest lists")
        for name, part in manifest.parts.items():
            with archive.open(name) as entry:
                if _digest(entry) != (part.bytes, part.sha256):
                    raise _damaged(path, f"{name} is not what was written")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise _damaged(path, str(error)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(path, f"its {MANIFEST} cannot be read ({type(error).__name__}: {error})") from error
    return manifest


def _manifest(path: Path, told: dict[str, Any]) -> Manifest:
    if int(told["format"]) > FORMAT:
        raise UserError(
            f"The backup {path} was written by a newer ExEngine ({told.get('program', 'of a version not told')}).",
            safe="Nothing was changed.",
            remedy="Install that newer version, and restore with it.",
        )
    parts = {
        str(name): Part(bytes=int(part["bytes"]), sha256=str(part["sha256"]), modified_ms=part.get("modified_ms"))
        for name, part in told["parts"].items()
    }
    odd = [name for name in parts if not _NAMES.fullmatch(name)]
    if odd:
        raise _damaged(path, f"{odd[0]!r} has no place in a backup")
    return Manifest(
        program=str(told["program"]),
        made_at_ms=int(told["made_at_ms"]),
        kind=str(told["store"]["kind"]),
        revision=str(told["store"]["revision"]),
        parts=parts,
    )


def _digest(entry: IO[bytes]) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    while chunk := entry.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return size, digest.hexdigest()


def _damaged(path: Path, why: str) -> UserError:
    return UserError(
        f"The backup {path} cannot be used: {why}.",
        safe="Nothing was changed.",
        remedy="Take another backup; those that a migration made are beside the store.",
    )
