"""One transaction over a connection of its own, and a connection's end."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from exengine.domain.errors import UserError
from exengine.store import postgres
from exengine.store.address import PostgresAddress

CLOSE_S = 2.0
"""How long a connection may take to end in good order."""

T = TypeVar("T")


async def once(address: PostgresAddress, work: Callable[[Connection], T], *, writable: bool = False) -> T:
    """`work` in a transaction that may take as long as it does. Raises what SQLAlchemy and the network raise."""
    engine = postgres.engine(address, "ExEngine", writable=writable, bounded=False)
    async with engine.connect() as connection, connection.begin():
        return await connection.run_sync(work)


@contextmanager
def in_words(address: PostgresAddress) -> Iterator[None]:
    """Raises a UserError for what the environment does to a database that is opened or read."""
    try:
        yield
    except UserError:  # said already, though the system may have caused it
        raise
    except Exception as error:
        if not postgres.is_environment(error) and not postgres.is_misconfigured(error):
            raise
        raise UserError(
            f"The store {address} cannot be used: {postgres.words(error)}",
            safe="It was not touched, and nothing was traded.",
            remedy="See that the server runs, that app.database_url is right, and that the password is in "
            "EXENGINE_DATABASE_PASSWORD.",
        ) from error


async def let_go(connection: AsyncConnection | None, driver: Any) -> None:
    """Ends a connection that may be broken, without waiting for the server."""
    if driver is not None:
        driver.terminate()
    if connection is not None:
        try:
            async with asyncio.timeout(CLOSE_S):
                await connection.invalidate()
                await connection.close()
        except Exception:  # noqa: BLE001  # it is closed already; what it still has to say is of no use
            pass
