"""The one value that every transaction replaces, so that it can be asked afterwards whether it was stored."""

from sqlalchemy import Connection, select, update

from exengine.store import schema
from exengine.store.writer import put_meta

KEY = "writer"


class Mark:
    """The name of a writer that no other has, and the number of its last transaction."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._count = 0

    @property
    def last(self) -> str:
        """As the last transaction left it."""
        return f"{self._token}:{self._count}"

    @property
    def next(self) -> str:
        """As the next one leaves it."""
        return f"{self._token}:{self._count + 1}"

    def stored(self) -> None:
        """The transaction that put `next` is stored."""
        self._count += 1

    def put(self, connection: Connection, mark: str) -> None:
        put_meta(connection, KEY, mark)

    def replace(self, connection: Connection) -> bool:
        """Puts `next` in the place of `last`; False where that is not what was there."""
        columns = schema.meta.c
        done = connection.execute(
            update(schema.meta).where(columns.key == KEY, columns.value == self.last).values(value=self.next)
        )
        return done.rowcount == 1

    @staticmethod
    def found(connection: Connection, *, lock: bool = False) -> str | None:
        """What is stored; with `lock` it is waited for a transaction that is about to replace it."""
        wanted = select(schema.meta.c.value).where(schema.meta.c.key == KEY)
        return connection.scalar(wanted.with_for_update() if lock else wanted)
