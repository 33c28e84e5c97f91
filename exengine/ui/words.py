"""The words and colours of states, sides and outcomes, the same in every table."""

from exengine.domain.instrument import Side
from exengine.engine.rows import Category, EngineRow, EngineStatus, Mode, Severity

STARTING = "The engine is starting"
"""While nobody knows yet whether there is anything."""

GROUP_STATES: dict[str, tuple[str, str]] = {
    "waiting": ("Waiting", "muted"),
    "live": ("No fill", "muted"),
    "partially_filled": ("Part filled", "info"),
    "active": ("Active", "success"),
    "closing": ("Closing", "warn"),
    "closed": ("Closed", "muted"),
}

LEG_STATES: dict[str, tuple[str, str]] = {
    "planned": ("Planned", "muted"),
    "blocked": ("Blocked", "warn"),
    "submitted": ("Sent", "muted"),
    "open": ("Open", "muted"),
    "partially_filled": ("Part filled", "info"),
    "filled": ("Filled", "success"),
    "tp_placed": ("TP placed", "text"),
    "closed": ("Closed", "success"),
    "cancelled": ("Cancelled", "muted"),
    "rejected": ("Rejected", "error"),
}

REASONS: dict[str, str] = {
    "tp": "take profit",
    "exit": "exit signal",
    "stop_loss": "stop",
    "risk_offset": "risk offset",
    "reverse": "reversed",
    "manual": "closed by hand",
    "panic": "panic",
    "cancelled": "nothing ever filled",
    "entry_failed": "the entry failed",
}

OUTCOMES: dict[str, tuple[str, str]] = {
    "": ("Being decided", "muted"),
    "opened": ("Opened", "success"),
    "pyramid": ("Pyramid", "success"),
    "queued": ("Queued", "info"),
    "replaced": ("Replaced", "info"),
    "exited": ("Exited", "success"),
    "nothing_to_exit": ("Nothing to exit", "muted"),
    "removed": ("Removed from queue", "info"),
    "reduced": ("Reduced", "success"),
    "reversed": ("Reversed", "success"),
    "duplicate": ("Duplicate", "muted"),
    "ignored": ("Ignored", "muted"),
    "refused": ("Refused", "warn"),
    "invalid": ("Invalid", "error"),
}

TP_MODES = {"leg": "Leg", "pyramid": "Pyramid", "aggregate": "Aggregate", "hybrid": "Hybrid"}

SIDES = {Side.LONG: ("Long", "long"), Side.SHORT: ("Short", "short")}
"""Word and icon."""

ENGINE = {
    EngineStatus.RUNNING: ("Running", "running", "success"),
    EngineStatus.PAUSED: ("Paused", "paused", "warn"),
    EngineStatus.ERROR: ("Error", "error", "error"),
}
"""Word, icon and colour of the pill."""

MODES = {Mode.PAPER: ("PAPER", "paper"), Mode.TESTNET: ("TESTNET", "testnet"), Mode.LIVE: ("LIVE", "live")}
"""The badge's word and icon."""

SEVERITIES = {
    Severity.ERROR: ("Error", "error", "error"),
    Severity.WARNING: ("Warning", "warn", "warn"),
    Severity.INFO: ("Info", "info", "info"),
}
"""Word, icon and colour."""

CATEGORIES = {
    Category.WEBHOOK: ("Webhook", "info"),
    Category.ORDER: ("Order", "success"),
    Category.RISK: ("Risk", "risk"),
    Category.PRECISION: ("Precision", "warn"),
    Category.SYSTEM: ("System", "muted"),
}


def sentence(code: str) -> str:
    """A code that has no word of its own, readable: `pool_full` is `Pool full`."""
    return code.replace("_", " ").capitalize()


def group_state(status: str) -> tuple[str, str]:
    return GROUP_STATES.get(status) or (sentence(status), "muted")


def engine_state(engine: EngineRow) -> str:
    """The pill's word, and that it is paused besides: `Error, paused`."""
    word, _, _ = ENGINE[engine.status]
    return f"{word}, paused" if engine.paused and engine.status is EngineStatus.ERROR else word


def leg_state(state: str) -> tuple[str, str]:
    return LEG_STATES.get(state) or (sentence(state), "muted")


def outcome(code: str) -> tuple[str, str]:
    return OUTCOMES.get(code) or (sentence(code), "muted")


def reason(code: str) -> str:
    """Why a group closed, in words."""
    return REASONS.get(code) or code.replace("_", " ")
