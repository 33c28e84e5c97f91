"""The configuration file: read with every fault named, written whole or not at all, the last good copy kept (SPEC §14).

All settings are written, not only those that differ from the defaults: a later version of the program may have other
defaults, and an update must not change how somebody's money is traded.
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from exengine.settings.atomic import replace_file
from exengine.settings.fields import fault, read_whole
from exengine.settings.json_text import NotJson, decode, parse, pretty
from exengine.settings.migrations import MIGRATIONS, Migration, migrated
from exengine.settings.notification_urls import plain_urls
from exengine.settings.pages import Config
from exengine.settings.problems import ConfigError, Problem, problems_of

log = logging.getLogger(__name__)

ONE_WRITER = threading.Lock()
"""Held by whoever reads the file of the running program, changes something and writes it back."""

_SAFE = "The file is as it was, and nothing was traded with it."


def read(path: Path, *, must_exist: bool = False, migrations: Sequence[Migration] = MIGRATIONS) -> Config:
    """The configuration in `path`, an older one migrated in memory. Nothing is written; a missing file is the defaults.

    For those who look at a configuration that is not theirs to keep: replay, `doctor`, a file about to be imported.
    Raises ConfigError.
    """
    data = _bytes(path)
    if data is None:
        if must_exist:
            raise ConfigError(f"There is no configuration {path}.", remedy="Check the path.")
        return Config()
    return _read(path, data, migrations)[0]


def load(path: Path, *, migrations: Sequence[Migration] = MIGRATIONS) -> Config:
    """The configuration that the program starts with; for the owner of the data folder only.

    A file of an older version is kept as `config.v<n>.json` and rewritten; a file that can be used is kept as the last
    good copy. A missing file is a first start with the defaults, unless a last good copy shows that there was one: then
    it is refused, for the defaults would quietly trade on paper. Raises ConfigError.
    """
    data = _bytes(path)
    if data is None:
        if last_good(path).exists():
            raise ConfigError(
                f"The configuration {path} is gone.",
                safe=f"Its last good copy {last_good(path).name} is beside it.",
                remedy="Rename the copy to go on with it, or remove it as well to begin with the defaults.",
            )
        return Config()
    config, version = _read(path, data, migrations)
    if version <= len(migrations):
        data = _rewrite(path, data, config, version)
    _keep_last_good(path, data, config)
    return config


def save(path: Path, config: Config) -> None:
    """Writes `config`, whole or not at all; what was there before is kept as the last good copy if it could be used.

    Raises ConfigError when it cannot be written; the old file is then as it was.
    """
    with suppress(ConfigError):
        before = _bytes(path)
        if before is not None:
            _keep_last_good(path, before, _read(path, before, MIGRATIONS)[0])
    _write(path, text_of(config).encode())


def checked(tree: Mapping[str, Any]) -> Config:
    """The configuration that `tree` spells, for a dialog: a ConfigError has what is wrong, by place, in `problems`."""
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(
            "These settings cannot be used:",
            problems=problems_of(error, Config),
            safe="Nothing was changed.",
            remedy="Correct them and apply again.",
        ) from None


def text_of(config: Config) -> str:
    """The configuration as the file has it: decimals as text, in the order of the pages."""
    return pretty(config.model_dump(mode="json"))


def last_good(path: Path) -> Path:
    """Where the last copy of `path` that could be used is kept."""
    return path.with_name(path.name + ".bak")


def restore_last_good(path: Path) -> Config:
    """Puts the last good copy in the place of `path`, whose text is kept as `….broken`. Raises ConfigError."""
    copy = last_good(path)
    data = _bytes(copy)
    if data is None:
        raise ConfigError(
            f"There is no last good copy {copy.name} beside {path}.",
            remedy="Correct the configuration by hand, or remove it to begin with the defaults.",
        )
    config, _ = _read(copy, data, MIGRATIONS)
    broken = _bytes(path)
    if broken is not None:
        _write(path.with_name(path.name + ".broken"), broken)
    _write(path, data)
    return config


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(
            f"The configuration {path} cannot be read: {error.strerror or error}.",
            safe=_SAFE,
            remedy="Check that it is a file and that you may read it.",
        ) from error


def _read(path: Path, data: bytes, migrations: Sequence[Migration]) -> tuple[Config, int]:
    """The configuration that `data` is, and the version it was written in."""
    try:
        tree, odd = parse(decode(data))
    except NotJson as error:
        raise _unusable(path, f"is not valid JSON: {error}.") from None
    if not isinstance(tree, dict):
        raise _unusable(path, "is not an object: it must begin with { and end with }.")
    if odd:
        raise _unusable(path, "cannot be used:", odd)
    version = _version(path, tree, newest=len(migrations) + 1)
    if version <= len(migrations):
        tree = _migrated(path, tree, version, migrations)
    try:
        return Config.model_validate(tree), version
    except ValidationError as error:
        raise _unusable(path, "cannot be used:", problems_of(error, Config)) from None


def _version(path: Path, tree: dict[str, Any], *, newest: int) -> int:
    """The version `tree` says it has. One that says nothing is by hand, and so in the form of today's documentation."""
    try:
        version = read_whole(tree.get("schema_version", newest))
        if version < 1:
            raise fault("must be at least 1")
    except ValueError as error:
        raise _unusable(path, "cannot be used:", [Problem(place=("schema_version",), message=str(error))]) from None
    if version > newest:
        older = path.with_name(f"{path.stem}.v{newest}{path.suffix}")
        back = f", or go back to {older.name}, which this version wrote" if older.exists() else ""
        raise ConfigError(
            f"The configuration {path} has schema_version {version}, and this program knows versions up to {newest}: "
            "a newer ExEngine wrote it.",
            safe=_SAFE,
            remedy=f"Install that newer version{back}.",
        )
    return version


def _migrated(path: Path, tree: dict[str, Any], version: int, migrations: Sequence[Migration]) -> dict[str, Any]:
    try:
        return migrated(tree, version, migrations)
    except Exception as error:  # an older file that was damaged by hand can break a step anywhere
        text = f"has the form of version {version} and could not be brought to version {len(migrations) + 1}"
        raise _unusable(path, f"{text} ({type(error).__name__}: {error}).") from error


def _unusable(path: Path, what: str, problems: Sequence[Problem] = ()) -> ConfigError:
    copy = last_good(path)
    back = f", or go back to the last good copy {copy.name} beside it" if copy.exists() else ""
    return ConfigError(
        f"The configuration {path} {what}",
        problems=problems,
        safe=_SAFE,
        remedy=f"Correct it with a text editor{back}.",
    )


def _rewrite(path: Path, before: bytes, config: Config, version: int) -> bytes:
    """Keeps the file of the old version beside the new one, then writes the new one; what it wrote."""
    kept = _without(plain_urls(config), before)
    _write(_free_name(path, version, kept), kept)
    after = text_of(config).encode()
    _write(path, after)
    return after


def _free_name(path: Path, version: int, data: bytes) -> Path:
    """`config.v1.json`, or `config.v1-2.json` where another file has that name already: no backup is written over."""
    name, count = path.with_name(f"{path.stem}.v{version}{path.suffix}"), 1
    while name.exists() and name.read_bytes() != data:
        count += 1
        name = path.with_name(f"{path.stem}.v{version}-{count}{path.suffix}")
    return name


def _without(urls: Sequence[str], data: bytes) -> bytes:
    """The file `data` without these addresses, however it spells them."""

    def hidden(tree: Any) -> Any:
        if isinstance(tree, dict):
            return {key: hidden(value) for key, value in tree.items()}
        if isinstance(tree, list):
            return [hidden(value) for value in tree]
        if isinstance(tree, Decimal):  # as `parse` reads every number
            return int(tree) if tree == tree.to_integral_value() else str(tree)
        return "secret:moved" if tree in urls else tree

    return pretty(hidden(parse(decode(data))[0])).encode() if urls else data


def _keep_last_good(path: Path, data: bytes, config: Config) -> None:
    """A folder that cannot be written to, as of a container, is no reason not to start.

    No copy is kept of a file with an address that ought to be among the secrets: it is about to be rewritten.
    """
    if plain_urls(config):
        return
    copy = last_good(path)
    try:
        if not copy.exists() or copy.read_bytes() != data:
            replace_file(copy, data)
    except OSError as error:
        log.warning("No last good copy of the configuration could be kept in %s: %s", copy, error)


def _write(path: Path, data: bytes) -> None:
    try:
        replace_file(path, data)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror or error}.",
            safe="What was there before is unchanged.",
            remedy="Check the free space and that you may write to the folder, then save again.",
        ) from error
