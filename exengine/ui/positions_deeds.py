"""What the trader can do with a group: the words, the icon, and why it cannot be done at the moment."""

from enum import Enum

from exengine.engine.rows import GroupRow
from exengine.ui import format as fmt


class Deed(Enum):
    CLOSE = "close_group"
    PART = "close_part"
    CANCEL = "cancel_entries"
    STOP = "edit_stop"
    AGAIN = "place_again"
    BLOCK = "block"
    ADOPT = "adopt_view"
    LOG = "open_in_log"
    COPY = "copy_group"


ICONS: dict[Deed, tuple[str, str]] = {
    Deed.CLOSE: ("panic", "error"),
    Deed.PART: ("part", "text"),
    Deed.CANCEL: ("close", "text"),
    Deed.STOP: ("stop", "text"),
    Deed.AGAIN: ("send", "text"),
    Deed.BLOCK: ("block", "text"),
    Deed.ADOPT: ("warn", "warn"),
    Deed.LOG: ("log", "text"),
    Deed.COPY: ("copy", "text"),
}
"""Icon and colour."""

NO_GROUP = "Choose a group"


def name_of(group: GroupRow) -> str:
    return f"{fmt.pair(group.symbol)} {group.timeframe}"


def text_of(deed: Deed, group: GroupRow | None) -> str:
    """As a menu says it, with the group's name where one is chosen."""
    name = name_of(group) if group is not None else "group"
    match deed:
        case Deed.CLOSE:
            return f"Close {name}…"
        case Deed.PART:
            return f"Close part of {name}…"
        case Deed.CANCEL:
            return cancel_words(group)
        case Deed.STOP:
            return f"Edit the stop of {name}…"
        case Deed.AGAIN:
            count = len(group.rejected_legs()) if group is not None else 0
            return f"Place {fmt.count(count, 'refused entry', 'refused entries')} again…" if count else "Place again…"
        case Deed.BLOCK:
            return f"{'Unblock' if group is not None and group.blocked else 'Block'} {name} from risk"
        case Deed.ADOPT:
            return "Adopt the exchange’s view…"
        case Deed.LOG:
            return f"Show {name} in the log"
        case Deed.COPY:
            return "Copy"


def why_not(deed: Deed, group: GroupRow | None) -> str:
    """Why it cannot be done, in words; empty where it can."""
    if group is None:
        return NO_GROUP
    leaving = "It is being closed" if group.status in ("closing", "closed") else ""
    match deed:
        case Deed.CLOSE:
            return "" if group.frozen else leaving
        case Deed.PART:
            if not leaving and group.frozen:
                return "It is stopped: close it, or adopt the exchange’s view"
            return leaving or ("" if group.net_qty > 0 else "Nothing of it is held")
        case Deed.CANCEL:
            return "" if group.open_entries else "No entry is open"
        case Deed.STOP | Deed.BLOCK:
            return leaving
        case Deed.AGAIN:
            return leaving or ("" if group.rejected_legs() else "No entry of it was refused")
        case Deed.ADOPT:
            return "" if group.missing_qty is not None else "The books and the exchange agree on it"
        case _:
            return ""


def cancel_words(group: GroupRow | None) -> str:
    if group is None:
        return "Cancel entries"
    if not group.open_entries:
        return "Cancel entries (none open)"
    return f"Cancel {fmt.count(group.open_entries, 'open entry', 'open entries')}"
