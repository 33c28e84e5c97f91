"""The projected plan in words: when it would come, who pays, and what keeps it from happening."""

from typing import NamedTuple

from exengine.engine.panel_rows import PlanView, RiskRow, RiskState, RiskSummary
from exengine.ui import format as fmt
from exengine.ui.book import Book
from exengine.ui.risk_model import short_name

NUMBERS = ("no", "one", "two", "three", "four", "five", "six")


def counted(amount: int, noun: str) -> str:
    """`two winners`: small numbers as words, as people say them."""
    word = NUMBERS[amount] if amount < len(NUMBERS) else f"{amount:,}"
    return f"{word} {noun}{'' if amount == 1 else 's'}"


def duration(left_ms: int) -> str:
    """`14 m 20 s`, `2 h 5 m`."""
    seconds = max(0, -(-left_ms // 1000))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3_600:
        return f"{seconds // 60} m {seconds % 60} s"
    return f"{seconds // 3_600} h {seconds % 3_600 // 60} m"


def name_of(row: RiskRow) -> str:
    return f"{fmt.pair(row.symbol)} {row.timeframe}"


class Reach(NamedTuple):
    """Whether the risk engine can do anything now, and for whom. A pause does not concern it (SPEC §9)."""

    held: str = ""
    """Why it can do nothing at all: `perp is away`; empty where it can."""
    without: str = ""
    """Whose groups it leaves out meanwhile: `without perp`; empty where it looks at all."""


EVERYWHERE = Reach()


def reach_of(book: Book) -> Reach:
    """An account that is away and has no group keeps nobody from anything."""
    engine = book.engine
    if engine is None:
        return EVERYWHERE
    if not engine.stores:
        return Reach(held="nothing can be stored")
    if not engine.away:
        return EVERYWHERE
    there = {group.account for group in book.groups.values()}
    lost = there.intersection(engine.away)
    if not lost:
        return EVERYWHERE
    name = min(lost) if len(lost) == 1 else counted(len(lost), "account")
    if lost == there:
        return Reach(held=f"{name} {'is' if len(lost) == 1 else 'are'} away")
    return Reach(without=f"without {name}")


def looks(about: RiskSummary, now_ms: int, reach: Reach, *, watching: bool) -> str:
    """When the risk engine looks at the losers, where there is anything to look at; else how often it would."""
    if reach.held and (about.enabled or about.under_way):
        return f"held back: {reach.held}"
    if about.under_way:
        return "an offset is under way"
    if not about.enabled:
        return "off: only on request"
    if not watching or about.next_look_at_ms is None:
        return f"every {about.evaluate_seconds:,} s"
    left_ms = about.next_look_at_ms - now_ms
    when = f"next look in {duration(left_ms)}" if left_ms > 0 else "looks now"
    return f"{when} · {reach.without}" if reach.without else when


def heading(row: RiskRow, plan: PlanView | None) -> str:
    if plan is not None and plan.under_way:
        return f"Offset of {name_of(row)} under way"
    return f"Projected plan for {name_of(row)}"


def sentence(row: RiskRow, plan: PlanView | None, about: RiskSummary, now_ms: int, reach: Reach = EVERYWHERE) -> str:
    """What would happen to the chosen group, with what is bold between `**`."""
    if plan is None:
        return _no_loser(row)
    if plan.under_way:
        return f"{_held(reach)}{_begun(_payers(plan, 'pay'))}. The loser goes by what they really bring."
    if plan.why_none:
        return f"**Nothing pays for it now.** {plan.why_none}"
    said = f"{_when(row, about, now_ms, reach)} {_payers(plan, _verb(row, about, reach))}.{_slots(plan)}"
    return f"{_held(reach)}{_begun(said)} {_age_filter(row, about, now_ms)}".strip()


def _begun(said: str) -> str:
    return said[0].upper() + said[1:]


def _held(reach: Reach) -> str:
    return f"**Held back:** {reach.held}. " if reach.held else ""


def _no_loser(row: RiskRow) -> str:
    match row.state:
        case RiskState.WINNER:
            return "It is in profit after fees: it could pay for a loser."
        case RiskState.NO_FILL:
            return "Nothing of it has filled, so there is nothing to pay off."
        case _ if row.loss_percent is not None and row.loss_percent < 0:
            return "Its plan is being worked out."
        case _:
            return "It is not under its cost, so there is nothing to pay off."


def is_timed(row: RiskRow, plan: PlanView | None, reach: Reach = EVERYWHERE) -> bool:
    """Whether the sentence begins with how long its timer still runs."""
    is_planned = plan is not None and not plan.under_way and not plan.why_none
    return is_planned and not reach.held and _is_due(row) and bool(row.timer_ends_ms)


def _is_due(row: RiskRow) -> bool:
    return row.state is RiskState.CANDIDATE and row.timer_ends_ms is not None


def _verb(row: RiskRow, about: RiskSummary, reach: Reach) -> str:
    return "pay" if _is_due(row) and about.enabled and not reach.held else "would pay"


def _when(row: RiskRow, about: RiskSummary, now_ms: int, reach: Reach) -> str:
    """When its turn comes, or what is missing for it."""
    if not about.enabled:
        return "**The risk engine is off.** On request"
    if row.blocked:
        return "**Blocked by you.** Unblocked,"
    if row.skip_once:
        return "**Passed over once.** After that"
    missing = _missing(row, about)
    if missing:
        return f"**Not yet:** {missing}. Then"
    if reach.held:
        return "once it goes on,"
    if row.timer_ends_ms:
        return f"in **{duration(row.timer_ends_ms - now_ms)}**"
    return "at the **next look**"


def _missing(row: RiskRow, about: RiskSummary) -> str:
    missing = []
    if row.state is RiskState.CLOSING:
        missing.append("it is being closed")
    if row.state is RiskState.HELD_BACK:
        missing.append("it is stopped, or its account cannot be reached")
    if about.needs_all_pyramids and row.pyramids < row.max_pyramids:
        missing.append(f"{row.pyramids} of {row.max_pyramids} pyramids are in")
    if row.loss_percent is not None and row.loss_percent > about.threshold_percent:
        deep = fmt.signed_percent(about.threshold_percent)
        missing.append(f"it is at {fmt.signed_percent(row.loss_percent)}, not at {deep}")
    if not missing and about.waits and row.timer_ends_ms is None:
        missing.append("its timer has not begun")
    return " and ".join(missing)


def _payers(plan: PlanView, verb: str) -> str:
    """`two winners pay for closing it whole`."""
    loser = plan.loser
    whole = loser is None or loser.whole
    share = "it whole" if whole else f"{fmt.number(loser.qty / loser.of_qty * 100, 0)} % of it" if loser else "it"
    one = len(plan.winners) == 1
    said = verb if verb.startswith("would") or not one else f"{verb}s"
    return f"{counted(len(plan.winners), 'winner')} {said} for closing {share}"


def _slots(plan: PlanView) -> str:
    """Whether winners close as well, and how many slots come free."""
    # The coin alone, as in the history: the pair stands in the row below.
    whole = [f"{short_name(line.symbol)} {line.timeframe}" for line in plan.winners if line.whole]
    freed = len(whole) + (plan.loser is not None and plan.loser.whole)
    if not freed:
        return " No slot is freed."
    slots = f"{counted(freed, 'slot')} {'is' if freed == 1 else 'are'} freed."
    if not whole:
        return f" {slots[0].upper()}{slots[1:]}"
    too = f"{' and '.join(whole)} {'closes' if len(whole) == 1 else 'close'} too"
    return f" {too}, so {slots}"


def _age_filter(row: RiskRow, about: RiskSummary, now_ms: int) -> str:
    if about.age_minutes is None:
        return "Age filter is off."
    if row.old_at_ms is None:
        return "The age filter counts from its first fill."
    if row.old_at_ms:
        return f"The age filter lets it through in {duration(row.old_at_ms - now_ms)}."
    return "It is old enough."
