"""How a Postgres database is reached so that what is committed is on its disk, and what its errors mean to a trader."""

from typing import Any, TypeAlias

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy import NullPool
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from exengine.store.address import PostgresAddress

Driver: TypeAlias = Any
"""An asyncpg.Connection, which has no types."""

CONNECT_S = 3.0
"""How long a server may take to let us in."""

STATEMENT_MS = 5000
"""The longest that one statement of a transaction may take."""

LOCK_MS = 2000
"""The longest wait for a row that another session has locked. A sender of alerts gives up after three seconds."""

ANSWER_S = 10.0
"""How long a transaction may take from its first statement to its last, whatever the network does."""

_SETTINGS = {
    # On the server's disk before it says so, whatever the server's own default is.
    "synchronous_commit": "on",
    "idle_in_transaction_session_timeout": "60000",
    # A client whose machine or network is gone leaves its locks to others within half a minute.
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    # Statements here are short: compiling them would take longer than they do.
    "jit": "off",
}


async def connect(address: PostgresAddress, name: str, *, bounded: bool = True) -> Driver:
    """A connection that the server lists as `name`; `bounded` gives up on statements and locks that take too long.

    Raises asyncpg's errors, OSError and TimeoutError.
    """
    limits = {"statement_timeout": str(STATEMENT_MS), "lock_timeout": str(LOCK_MS)} if bounded else {}
    return await asyncpg.connect(
        host=address.host,
        port=address.port,
        user=address.user,
        database=address.database,
        password=address.password,
        timeout=CONNECT_S,
        server_settings={"application_name": name[:63], **_SETTINGS, **limits},
        **({"ssl": address.sslmode} if address.sslmode else {}),
    )


def engine(address: PostgresAddress, name: str, *, writable: bool, bounded: bool = True) -> AsyncEngine:
    """SQLAlchemy's engine over such connections. What only reads sees one moment for the length of its transaction."""
    made = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: connect(address, name, bounded=bounded),
        poolclass=NullPool,
    )
    if writable:
        return made
    return made.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


_WORDS = {
    "08": "The connection to the database server was lost",
    "25006": "The database server takes no writes now: it is a standby, or set to read-only",
    "28": "The database server does not accept this user and password",
    "3D000": "There is no database of that name on the server",
    "40": "Another session was in the way of the transaction",
    "42501": "This user may not do that in the database",
    "53100": "The database server’s disk is full: nothing more can be stored",
    "53200": "The database server is out of memory",
    "53300": "The database server has no connection left for us",
    "53": "The database server is short of something",
    "55P03": "The store is locked by another session",
    "57014": "The database server took too long",
    "57P": "The database server is stopping or starting",
    "57": "The database server broke off",
    "58": "The database server’s disk or system does not do its work",
    "XX001": "The store’s data on the database server is damaged",
    "XX002": "The store’s data on the database server is damaged",
}
"""By SQLSTATE, or by its first characters; the longest that fits is taken."""


def state_of(error: BaseException | None) -> str:
    """The SQLSTATE that the server gave, empty where it gave none."""
    while error is not None:
        if found := getattr(error, "sqlstate", None):
            return str(found)
        error = getattr(error, "orig", None) or error.__cause__
    return ""


def _about(state: str) -> str | None:
    fitting = [start for start in _WORDS if state.startswith(start)]
    return _WORDS[max(fitting, key=len)] if fitting else None


def is_lost(error: BaseException | None) -> bool:
    """Whether the connection broke, so that another one may do."""
    while error is not None:
        if isinstance(error, OSError | asyncpg.InterfaceError | asyncpg.InternalClientError):
            # Of asyncpg's own, a ValueError is a value or a setting that it cannot send.
            return not isinstance(error, ValueError)
        error = getattr(error, "orig", None) or error.__cause__
    return False


def is_environment(error: BaseException | None) -> bool:
    """Whether the server, its machine or the network is at fault, not the program."""
    state = state_of(error)
    return _about(state) is not None if state else is_lost(error)


def is_misconfigured(error: BaseException) -> bool:
    """Whether it is our own machine's settings (PGSSLROOTCERT and the like) that cannot be used."""
    return isinstance(error, asyncpg.exceptions.ClientConfigurationError)


def is_lock_timeout(error: BaseException) -> bool:
    """Whether another session kept what was waited for."""
    return state_of(error) == "55P03"


def needs_another_connection(error: BaseException | None) -> bool:
    """Whether nothing more can be had over the connection that this came from; a standby's will never write."""
    return is_lost(error) or state_of(error).startswith(("08", "57P", "25006"))


def words(error: BaseException | None) -> str:
    """What an error means, and in brackets what the server or the system said; never the password."""
    state = state_of(error)
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    told = str(cause.__cause__ or cause) if cause is not None and not isinstance(cause, OSError) else str(cause)
    meaning = _about(state) if state else None
    if meaning is None and isinstance(error, TimeoutError):
        return f"The database server did not answer in time ({told or 'no answer'})."
    if meaning is None:
        meaning = "The database server cannot be reached" if is_lost(error) else "The database does not answer"
    return f"{meaning} ({told}{f', {state}' if state else ''})."
