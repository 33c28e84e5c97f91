"""A store in a Postgres database, which one engine has at a time."""

import asyncio
import secrets
from functools import partial
from pathlib import Path
from typing import Self

from sqlalchemy import Connection

from exengine.engine.changes import Changes, StoreFailed
from exengine.store import postgres_migrate
from exengine.store.address import PostgresAddress
from exengine.store.database import DatabaseStore
from exengine.store.lane import OnTrouble
from exengine.store.loop_thread import LoopThread
from exengine.store.postgres_lane import PostgresLane
from exengine.store.postgres_lock import PostgresLock
from exengine.store.postgres_session import in_words, once
from exengine.store.postgres_writer import PostgresWriter


class PostgresStore(DatabaseStore):
    """Made by `open`. A server that is gone for a while is waited for; a store that is lost takes nothing more."""

    def __init__(self, address: PostgresAddress, *, read_only: bool, on_trouble: OnTrouble) -> None:
        token = secrets.token_hex(8)
        self.address = address
        self.backup: Path | None = None
        """What was made of an older store before it was migrated just now."""
        self._on_trouble = on_trouble
        self._unlocked: str | None = None
        self._in_doubt: str | None = None
        self._thread, self._reader_thread = LoopThread("store-writer"), LoopThread("store-reader")
        self._marked = PostgresWriter(address, self._thread, token, on_doubt=self._doubt_changed)
        self._lock = PostgresLock(address, token, still_ours=self._still_ours, on_change=self._lock_changed)
        reader = PostgresLane(address, self._reader_thread, f"ExEngine reader {token}", writable=False)
        super().__init__(address, self._marked, reader, read_only=read_only)

    @classmethod
    def open(
        cls,
        address: PostgresAddress,
        *,
        read_only: bool = False,
        on_trouble: OnTrouble = lambda text: None,
        keep_in: Path | None = None,
    ) -> Self:
        """Opens the store in a database, made or migrated where that is needed. It waits for the network: not on the
        loop.

        `on_trouble` is told, in a thread of the store's, why nothing can be stored at the moment: the lock is lost, or
        nobody knows whether a transaction was stored; None once that is over. Until then nothing may be begun. An older
        store is backed up into the folder `keep_in` before it is migrated.

        Raises UserError where the server cannot be reached, another engine has the database, or it cannot be read.
        """
        store = cls(address, read_only=read_only, on_trouble=on_trouble)
        try:
            with in_words(address):
                store._thread.call(store._begin(keep_in))
        except BaseException:
            store._stop()
            raise
        return store

    async def _begin(self, keep_in: Path | None) -> None:
        if self.read_only:
            return await once(self.address, partial(postgres_migrate.require_current, address=self.address))
        await self._lock.acquire()
        try:
            await once(self.address, partial(self._prepare, keep_in=keep_in), writable=True)
        except BaseException:
            await self._lock.release()
            raise

    def _prepare(self, connection: Connection, keep_in: Path | None) -> None:
        self.backup = postgres_migrate.prepare(connection, self.address, keep_in)
        self._marked.claim(connection)

    async def commit(self, changes: Changes) -> None:
        """As `DatabaseStore.commit`.

        Where the connection breaks in the middle, it ends only once it is known whether the transaction was stored.
        """
        if self._unlocked is not None:
            raise StoreFailed(self._unlocked)
        await super().commit(changes)

    async def close(self) -> None:
        await super().close()
        if self._thread.is_running:
            await self._thread.run(self._lock.release())
            await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        self._reader_thread.stop()
        self._thread.stop()

    # in the thread ---------------------------------------------------------------------------------------------------

    async def _still_ours(self) -> bool:
        return await once(self.address, self._marked.owns)

    def _lock_changed(self, why: str | None) -> None:
        self._unlocked = why
        self._tell()

    def _doubt_changed(self, why: str | None) -> None:
        self._in_doubt = why
        self._tell()

    def _tell(self) -> None:
        self._on_trouble(" ".join(why for why in (self._unlocked, self._in_doubt) if why) or None)
