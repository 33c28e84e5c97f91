"""The question before a stored alert is taken once more, as if it had just come."""

from PySide6.QtWidgets import QWidget

from exengine.domain.group import account_of
from exengine.domain.reception import Verdict, VerdictKind
from exengine.domain.signal import Signal
from exengine.domain.signal_parse import BodyError, parse_body, parse_signal
from exengine.engine.rows import Mode, SignalRow
from exengine.ui import format as fmt
from exengine.ui import words
from exengine.ui.icons import Icons
from exengine.ui.pieces import Label, Prose
from exengine.ui.sheet import Sheet
from exengine.ui.theme import Look

OFF = "Taking alerts again is switched off in the settings: Logging, Replay webhooks"


class ReplaySheet(Sheet):
    """It trades, like the alert did."""

    def __init__(self, look: Look, icons: Icons, parent: QWidget, row: SignalRow, mode: Mode, now_ms: int) -> None:
        super().__init__(look, icons, parent, name="replay_sheet", title="Take an alert again", mode=mode)
        self.signal_id = row.id
        self.heading = self.add_heading(f"Take the alert for {fmt.pair(row.symbol)} {row.timeframe} again?")
        self.meaning = Prose(look)
        became = words.outcome(row.outcome)[0].lower()
        account = account_of(row.group)
        where = f"{f'on **{account}**, ' if account else ''}{words.MODES[mode][0]}"
        self.meaning.say(
            f"Signal {row.id}, **{words.sentence(row.action)}**, came {fmt.age(now_ms - row.received_at_ms)} ago; "
            f"its outcome was **{became}**. It goes through the whole engine as a new signal, **now**, at today’s "
            f"limits and the price that it names{_price_of(row)}: it may open, add to, reduce or close a group with "
            f"orders of its own, {where}. It is marked as a replay, and is neither a duplicate nor stale."
        )
        self.body.addWidget(self.meaning)
        self.buttons.addWidget(Label(look, "Enter and Esc cancel.", token="muted"), 1)
        self.cancel = self.add_cancel()
        self.action = self.add_action("Take it again", kind="danger")
        self.cancel.setFocus()


def _price_of(row: SignalRow) -> str:
    """`, **67240.5**`, as the engine will read it; empty where its text is no valid signal any more."""
    try:
        signal = parse_signal(parse_body(row.body))
    except BodyError:
        return ""
    return f", **{signal.price:f}**" if isinstance(signal, Signal) else ""


def why_not_replay(row: SignalRow | None, *, allowed: bool) -> str:
    """Why a signal cannot be taken again, in words; empty where it can."""
    if row is None:
        return "Choose a signal"
    if not allowed:
        return OFF
    if not row.body:
        return "Its text is no longer kept"
    if not row.symbol or row.outcome == "invalid":
        return "It is no valid alert"
    return ""


def verdict_words(verdict: Verdict) -> tuple[str, str]:
    """What became of it, and the token of the notice."""
    match verdict.kind:
        case VerdictKind.ACCEPTED:
            return f"Taken as signal {verdict.signal_id}. What became of it is in Signals.", "success"
        case VerdictKind.DUPLICATE:
            return f"A duplicate of signal {verdict.signal_id}: not traded twice.", "warn"
        case VerdictKind.REFUSED:
            return "Not taken: " + OFF[0].lower() + OFF[1:] + ".", "warn"
        case VerdictKind.INVALID:
            errors = "; ".join(f"{error.field}: {error.message}" for error in verdict.errors)
            return f"It is no valid signal any more. {errors}", "error"
