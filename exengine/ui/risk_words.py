"""The projected plan in words: when it would come, who pays, and what keeps it from happening."""

from exengine.engine.panel_rows import PlanView, RiskRow, RiskState, RiskSummary
from exengine.ui import format as fmt

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


def looks(about: RiskSummary, now_ms: int, *, watching: bool) -> str:
    """When the risk engine looks at the losers, where there is anything to look at; else how often it would."""
    if about.under_way:
        return "an offset is under way"
    if not about.enabled:
        return "off: only on request"
    if not watching or about.next_look_at_ms is None:
        return f"every {about.evaluate_seconds:,} s"
    left_ms = about.next_look_at_ms - now_ms
    return f"next look in {duration(left_ms)}" if left_ms > 0 else "looks now"


def heading(row: RiskRow, plan: PlanView | None) -> str:
    if plan is not None and plan.under_way:
        return f"Offset of {name_of(row)} under way"
    return f"Projected plan for {name_of(row)}"


def sentence(row: RiskRow, plan: PlanView | None, about: RiskSummary, now_ms: int) -> str:
    """What would happen to the chosen group, with what is bold between `**`."""
    if plan is None:
        return _no_loser(row)
    if plan.under_way:
        return f"{_payers(plan, 'pay')}. The loser goes by what they really bring."
    if plan.why_none:
        return f"**Nothing pays for it now.** {plan.why_none}"
    said = f"{_when(row, about, now_ms)} {_payers(plan, _verb(row, about))}.{_slots(plan)}"
    return f"{said[0].upper()}{said[1:]} {_age_filter(row, about, now_ms)}".strip()


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


def is_timed(row: RiskRow, plan: PlanView | None) -> bool:
    """Whether the sentence begins with how long its timer still runs."""
    return plan is not None and not plan.under_way and not plan.why_none and _is_due(row) and bool(row.timer_ends_ms)


def _is_due(row: RiskRow) -> bool:
    return row.state is RiskState.CANDIDATE and row.timer_ends_ms is not None


def _verb(row: RiskRow, about: RiskSummary) -> str:
    return "pay" if _is_due(row) and about.enabled else "would pay"


def _when(row: RiskRow, about: RiskSummary, now_ms: int) -> str:
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
    whole = [f"{fmt.pair(line.symbol)} {line.timeframe}" for line in plan.winners if line.whole]
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
