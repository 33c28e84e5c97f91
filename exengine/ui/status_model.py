"""The Status dock's tables: accounts, the facts of listener and store, and tasks."""

from decimal import Decimal
from enum import IntEnum
from typing import NamedTuple

from exengine.engine.status import AccountStatus, Connection, ListenerStatus, Mode, Status, StoreStatus, TaskStatus
from exengine.ui import format as fmt
from exengine.ui.cell import UNKNOWN, Cell, Column, Part
from exengine.ui.cell_model import Index
from exengine.ui.keyed_model import KeyedModel, SortKey

SLOW_MS = 2_000
SKEWED_MS = 1_000
"""From here on a clock that is off endangers signed requests and ages of alerts."""
USED_PERCENT = 80
OLD_RULES_MS = 3 * 3_600_000
FAR_MS = 60_000
"""How long ago the last comparison may be before it is told in another colour."""


class Col(IntEnum):
    ACCOUNT = 0
    CONNECTION = 1
    LATENCY = 2
    CLOCK = 3
    RATE = 4
    RULES = 5
    STREAM = 6
    POLLED = 7
    PRICED = 8


COLUMNS = (
    Column(key="account", title="Account", sample="perp TESTNET", sortable=False, elides=True),
    Column(key="connection", title="Connection", sample="Connected   ", sortable=False),
    Column(key="latency", title="Latency", sample="999 ms", right=True, sortable=False,
           hint="Of the last question, from sent to answered"),
    Column(key="clock", title="Clock", sample="−999 ms", right=True, sortable=False,
           hint="The exchange’s clock against this machine’s"),
    Column(key="rate", title="Rate", sample="100 %", right=True, sortable=False,
           hint="Of the exchange’s own limit"),
    Column(key="rules", title="Rules", sample="999 · 59 m", right=True, sortable=False,
           hint="Symbols with market rules, and how old those are"),
    Column(key="stream", title="Orders by", sample="Stream, poll", sortable=False, takes_rest=True,
           hint="How news of own orders come"),
    Column(key="polled", title="Compared", sample="59 m", right=True, sortable=False,
           hint="When the books were last compared with the exchange"),
    Column(key="priced", title="Last price", sample="59 m", right=True, sortable=False, hidden=True),
)  # fmt: skip

CONNECTIONS = {
    Connection.CONNECTED: ("Connected", "success", "check"),
    Connection.AWAY: ("Away", "error", "error"),
    Connection.NOT_YET: ("No word yet", "muted", "clock"),
    Connection.OFF: ("Not enabled", "muted", ""),
}

_MARKS = {Mode.LIVE: (Part("LIVE", "live_text"),), Mode.TESTNET: (Part("TESTNET", "warn"),), Mode.PAPER: ()}
"""Before the venue, which may lose its end; that of a paper account says it."""


def _age(at_ms: int | None, now_ms: int, *, late_ms: int | None = None) -> Cell:
    if at_ms is None:
        return UNKNOWN
    elapsed = max(0, now_ms - at_ms)
    late = late_ms is not None and elapsed > late_ms
    return Cell(fmt.age(elapsed), "warn" if late else "text", value=fmt.iso(at_ms))


class AccountsModel(KeyedModel[AccountStatus]):
    columns = COLUMNS

    def natural(self, row: AccountStatus) -> SortKey:
        return (row.name,)

    def make_cells(self, row: AccountStatus) -> list[Cell]:
        word, token, icon = CONNECTIONS[row.connection]
        skewed = row.clock_skew_ms is not None and abs(row.clock_skew_ms) >= SKEWED_MS
        return [
            Cell(row.name, strong=True, value=row.name, after=(*_MARKS[row.mode], Part(row.venue))),
            Cell(word, token, icon=icon, icon_token=token, value=row.connection.value),
            _milliseconds(row.latency_ms, late=row.latency_ms is not None and row.latency_ms >= SLOW_MS),
            _milliseconds(row.clock_skew_ms, late=skewed, signed=True),
            _rate(row.rate_used_percent),
            self._rules(row),
            _stream(row),
            _age(row.polled_at_ms, self.now_ms, late_ms=FAR_MS),
            _age(row.priced_at_ms, self.now_ms, late_ms=FAR_MS),
        ]

    def _rules(self, row: AccountStatus) -> Cell:
        if not row.rules:
            return UNKNOWN
        if row.rules_at_ms is None:
            return Cell(f"{row.rules:,}", value=row.rules)
        elapsed = max(0, self.now_ms - row.rules_at_ms)
        token = "warn" if elapsed > OLD_RULES_MS else "text"
        return Cell(f"{row.rules:,} · {fmt.age(elapsed)}", token, value=row.rules)

    def tooltip(self, index: Index) -> str:
        row = self.row_at(index)
        if row is None:
            return ""
        if index.column() == Col.CONNECTION:
            return row.why
        if index.column() == Col.RULES and row.rules_at_ms is not None:
            return f"Loaded {fmt.iso(row.rules_at_ms)}"
        return ""


def _milliseconds(value: int | None, *, late: bool, signed: bool = False) -> Cell:
    if value is None:
        return UNKNOWN
    # From a second on in seconds: nobody compares thousands of milliseconds, and they take the room of two columns.
    number, places, unit = (Decimal(value) / 1_000, 1, "s") if abs(value) >= 1_000 else (Decimal(value), 0, "ms")
    text = fmt.signed(number, places) if signed else fmt.number(number, places)
    return Cell(f"{text} {unit}", "warn" if late else "text", value=value)


def _rate(used: Decimal | None) -> Cell:
    if used is None:
        return UNKNOWN
    return Cell(f"{fmt.number(used, 0)} %", "warn" if used >= USED_PERCENT else "text", value=used)


def _stream(row: AccountStatus) -> Cell:
    match row.streaming:
        case None:
            return Cell("ExEngine", "muted") if row.mode is Mode.PAPER else UNKNOWN
        case True:
            return Cell("Stream, poll", "success")
        case False:
            return Cell("Poll alone", "warn")


# facts ------------------------------------------------------------------------------------------------------------


class Fact(NamedTuple):
    """One line of listener or store."""

    place: int
    name: str
    text: str
    token: str = "text"
    at_ms: int | None = None
    """Where the text is an age."""


FACT_COLUMNS = (
    Column(key="name", title="Part", sample="Last webhook", sortable=False),
    Column(key="value", title="State", sample="", sortable=False, elides=True, takes_rest=True),
)


SECURE = "https://"


class FactsModel(KeyedModel[Fact]):
    columns = FACT_COLUMNS

    def natural(self, row: Fact) -> SortKey:
        return (row.place,)

    def make_cells(self, row: Fact) -> list[Cell]:
        # Every public address begins so: the room is for what differs, down to its last letter.
        value = Cell(row.text.removeprefix(SECURE), row.token, value=row.text)
        if row.at_ms is not None:
            value = Cell(f"{fmt.age(max(0, self.now_ms - row.at_ms))} ago", value=fmt.iso(row.at_ms))
        return [Cell(row.name, "muted"), value]

    def tooltip(self, index: Index) -> str:
        row = self.row_at(index)
        return row.text if row is not None and index.column() and row.at_ms is None else ""


def facts(status: Status) -> dict[str, Fact]:
    """The lines by name."""
    lines = [*_listener(status.listener), *_store(status.store)]
    return {name: Fact(place, name, text, token, at_ms) for place, (name, text, token, at_ms) in enumerate(lines)}


Line = tuple[str, str, str, int | None]


def _listener(listener: ListenerStatus | None) -> list[Line]:
    if listener is None:
        return []
    heard = (
        ("Listens at", listener.address.partition("://")[2].removesuffix("/webhook"), "text")
        if listener.listening
        else ("Listener", "Not listening", "error")
    )
    public = (listener.public_url, "text") if listener.public_url else ("Not reachable", "warn")
    tint = "success" if listener.is_reached else "error"
    state: list[Line] = [("From outside", listener.public_state, tint, None)] if listener.public_state else []
    return [
        (*heard, None),
        ("Public URL", *public, None),
        *state,
        ("Tunnel", listener.tunnel or "None", "text" if listener.tunnel else "muted", None),
        ("Last webhook", "None yet", "muted", listener.last_hit_at_ms),
    ]


def _store(store: StoreStatus | None) -> list[Line]:
    if store is None:
        return []
    size = fmt.DASH if store.size_bytes is None else _size(store.size_bytes)
    # In the store's own words, which begin with the cause: where there is little room a line loses its end.
    trouble: list[Line] = [("Store", store.trouble, "error", None)] if store.trouble else []
    return [
        *trouble,
        (store.kind, store.place, "text", None),
        ("Size", size, "text" if store.size_bytes is not None else "muted", None),
        ("Last commit", "None yet", "muted", store.last_commit_at_ms),
    ]


def _size(count: int) -> str:
    """`812 KB`, `1.2 GB`."""
    for unit, whole in (("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000)):
        if count >= whole:
            return f"{count / whole:,.1f} {unit}"
    return f"{count} bytes"


# tasks ------------------------------------------------------------------------------------------------------------

TASK_COLUMNS = (
    Column(key="task", title="Task", sample="Watch of perp", sortable=False, elides=True),
    Column(key="state", title="State", sample="Running", sortable=False, takes_rest=True),
    Column(
        key="silent",
        title="Last sign",
        sample="59 m",
        right=True,
        sortable=False,
        hidden=True,
        hint="When it last did anything; what waits for something is silent too",
    ),
    Column(key="restarts", title="Restarts", sample="10", right=True, sortable=False, hidden=True),
)


class TasksModel(KeyedModel[TaskStatus]):
    columns = TASK_COLUMNS

    def natural(self, row: TaskStatus) -> SortKey:
        return (row.running, row.name)

    def make_cells(self, row: TaskStatus) -> list[Cell]:
        again = (Part(fmt.count(row.restarts, "restart"), "warn"),) if row.restarts else ()
        state = Cell("Running", "success") if row.running else Cell("Ended", "error", icon="error", icon_token="error")
        return [
            Cell(row.name[0].upper() + row.name[1:], value=row.name),
            state._replace(after=again),
            UNKNOWN if row.silent_s is None else Cell(fmt.age(row.silent_s * 1000), "muted", value=row.silent_s),
            Cell(f"{row.restarts:,}", "warn" if row.restarts else "muted", value=row.restarts),
        ]
