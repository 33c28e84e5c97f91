"""What the window reads of a program's store, whether the program trades or only looks."""

from exengine.analytics.history import History
from exengine.engine.log_pages import LogPages
from exengine.engine.past import Past
from exengine.store.database import DatabaseStore

REMEMBERED = 500
"""How many signals and log lines of before the window shows at once."""


class StoreReader:
    """A program with a store. Only one that was started has something to read."""

    _store: DatabaseStore | None

    @property
    def history(self) -> History:
        """What the dashboard reads."""
        assert self._store is not None
        return self._store.performance

    @property
    def log_pages(self) -> LogPages:
        """What the Log dock reads further back."""
        assert self._store is not None
        return self._store.log_pages

    @property
    def signal_log(self) -> DatabaseStore:
        """What a replay reads of the signals of before."""
        assert self._store is not None
        return self._store

    @property
    def past(self) -> Past:
        """What the window reads of stored signals and of one cause."""
        assert self._store is not None
        return self._store
