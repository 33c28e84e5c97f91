"""One engine for a database: a lock that the server lets go of when the connection ends, however it ends."""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Awaitable, Callable

from exengine.store import postgres
from exengine.store.address import PostgresAddress
from exengine.store.lane import OnTrouble
from exengine.store.lock import AlreadyRuns

LOCK_KEY = 0x45784E67696E65
"""The advisory lock's number; it counts within the one database."""

BEAT_S = 2.0
"""How often the connection is tried, and how long an answer may take."""

RETRY_S = 1.0
"""The pause between attempts to have it again."""

LINGER_S = 3.0
"""How long the server may take to notice that an engine has died: one that is started at once waits for that."""
LOOK_S = 0.1
"""The pause between two looks meanwhile."""

_HOLDER = """
SELECT application_name, client_addr::text AS address FROM pg_stat_activity WHERE pid IN (
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid = ($1::bigint >> 32)::oid AND objid = ($1::bigint & 4294967295)::oid
)
"""


class PostgresLock:
    """Held from `acquire` to `release`, but for the times in between that `on_change` tells of.

    All of it belongs to one loop.
    """

    def __init__(
        self,
        address: PostgresAddress,
        token: str,
        *,
        still_ours: Callable[[], Awaitable[bool]],
        on_change: OnTrouble,
    ) -> None:
        """`still_ours` says, once the lock is had again, whether nobody else has written meanwhile.

        `on_change` hears why the lock is not held, and None once it is again.
        """
        self._address = address
        self._name = f"ExEngine {token} on {socket.gethostname()} ({os.getpid()})"
        self._still_ours = still_ours
        self._on_change = on_change
        self._connection: postgres.Driver | None = None
        self._gone = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None

    async def acquire(self) -> None:
        """Raises AlreadyRuns where another engine runs on the database, and what `postgres.connect` raises."""
        until_s = time.monotonic() + LINGER_S
        while not await self._take():
            if time.monotonic() >= until_s:
                raise AlreadyRuns(
                    f"Another ExEngine already runs on the database {self._address}{await self._holder()}.",
                    safe="It goes on undisturbed; nothing was changed.",
                    remedy="Use its window, stop it first, or give this one a database of its own (app.database_url).",
                )
            await asyncio.sleep(LOOK_S)
        self._keeping = asyncio.create_task(self._keep())

    async def release(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
            self._keeping = None
        self._drop()

    async def _take(self) -> bool:
        """Whether the lock is had now, over a connection that is kept in any case."""
        self._drop()
        self._gone = asyncio.Event()
        async with asyncio.timeout(postgres.CONNECT_S):
            self._connection = connection = await postgres.connect(self._address, self._name)
            gone = self._gone
            connection.add_termination_listener(lambda _: gone.set())
            # It has nothing to say for days: the server's own limit for silent sessions is not for it.
            await connection.execute("SET idle_session_timeout = 0")
            return bool(await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK_KEY))

    async def _holder(self) -> str:
        assert self._connection is not None
        found = await self._connection.fetchrow(_HOLDER, LOCK_KEY)
        self._drop()
        if found is None:
            return ""
        _, _, who = str(found["application_name"]).partition(" on ")
        return f" (on {who or found['application_name']}{', from ' + found['address'] if found['address'] else ''})"

    async def _keep(self) -> None:
        """Notices the loss of the connection, and has the lock again where nobody else had it meanwhile."""
        while True:
            self._on_change(f"The lock on the database was lost. {await self._lost()}")
            if not await self._regained():
                self._drop()
                self._on_change("Another ExEngine has taken this database over. Stop one of the two.")
                return
            self._on_change(None)

    async def _regained(self) -> bool:
        """Tries until the server answers; False where another engine has the store by then, or had it."""
        while True:
            try:
                return (await self._take() or await self._taken_from_ourselves()) and await self._still_ours()
            except Exception as error:
                if not postgres.is_environment(error):
                    raise
                self._on_change(f"The lock on the database was lost. {postgres.words(error)}")
            await asyncio.sleep(RETRY_S)

    async def _lost(self) -> str:
        """Waits until the connection is gone or no longer answers; why."""
        assert self._connection is not None
        while True:
            try:
                async with asyncio.timeout(BEAT_S):
                    await self._gone.wait()
                return "The connection to the database server was lost."
            except TimeoutError:
                pass
            try:
                async with asyncio.timeout(BEAT_S):
                    await self._connection.execute("SELECT 1")
            except Exception as error:  # noqa: BLE001  # whatever it is, the lock cannot be relied on
                return postgres.words(error)

    async def _taken_from_ourselves(self) -> bool:
        """Has the lock where it is our own lost session that the server still believes in."""
        assert self._connection is not None
        await self._connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = $1 AND pid <> pg_backend_pid() AND datname = current_database()",
            self._name[:63],
        )
        try:
            await self._connection.execute("SELECT pg_advisory_lock($1)", LOCK_KEY)
        except Exception as error:
            if not postgres.is_lock_timeout(error):
                raise
            return False
        return True

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.terminate()
