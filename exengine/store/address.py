"""Where a store is: a file of SQLite's, or a database on a Postgres server, whose password is never part of its URL."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from exengine.domain.errors import UserError

PASSWORD_VARIABLES = ("EXENGINE_DATABASE_PASSWORD", "PGPASSWORD")
"""Where the password is looked for in the environment, first one first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresAddress:
    """A database, and who asks for it."""

    host: str
    port: int = 5432
    user: str
    database: str
    sslmode: str | None = None
    """As libpq has it; None is TLS where the server offers it."""
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        """The URL, without the password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"postgresql://{quote(self.user)}@{host}:{self.port}/{quote(self.database)}"


Place = Path | PostgresAddress


def place_of(
    url: str,
    file: Path,
    *,
    environ: Mapping[str, str] = os.environ,
    kept_password: Callable[[], str | None] = lambda: None,
) -> Place:
    """The place that `app.database_url` names; `file` where it is empty.

    The password comes from the environment, else from `kept_password`; without one, the server may ask for none or
    the user's password file of libpq have it. Raises UserError for a URL that names no database.
    """
    if not url:
        return file
    try:
        parts = urlsplit(url)
        port = parts.port or 5432
    except ValueError:
        raise _unusable() from None
    name = unquote(parts.path.removeprefix("/"))
    if parts.scheme != "postgresql" or not parts.hostname or not parts.username or not name or parts.password:
        raise _unusable()
    given = next((value for name in PASSWORD_VARIABLES if (value := environ.get(name))), None)
    return PostgresAddress(
        host=parts.hostname,
        port=port,
        user=unquote(parts.username),
        database=name,
        sslmode=parts.query.removeprefix("sslmode=") or None,
        password=given or kept_password(),
    )


def _unusable() -> UserError:
    return UserError(
        "app.database_url names no Postgres database.",
        safe="Nothing was started.",
        remedy="Write it as postgresql://user@host:5432/name, without a password, or leave it empty for SQLite.",
    )
