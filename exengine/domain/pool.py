"""The execution pool's waiting queue: who waits, who goes next, and promotion as soon as a slot frees (SPEC §7)."""

from dataclasses import replace
from decimal import Decimal

from exengine.domain.capital import pyramid_capital, usd_of
from exengine.domain.entry import Denial, Entry, enter
from exengine.domain.events import QueueAction, QueueAsked
from exengine.domain.group import Group, GroupKey
from exengine.domain.instrument import Side
from exengine.domain.journal import Category, Severity
from exengine.domain.money import HUNDRED, ZERO
from exengine.domain.routing import Unroutable, route
from exengine.domain.settings import QueueRule
from exengine.domain.state import State, Waiting
from exengine.domain.step import Step

_PLACES = Decimal("0.0001")
"""Percentages are compared at four decimals (§7)."""


def wait(step: Step, entry: Entry, reason: Denial, *, reverse: bool = False) -> str:
    """Puts an entry into the queue or over the one that waits there; `queued`, `replaced`, `replace_off`, `queue_full`.

    A replaced entry keeps its place in line (`queued_at_ms`) and its count goes up.
    """
    state = step.state
    there = state.waiting.get((entry.key, entry.side))
    if there is not None:
        if not state.settings.queue.replace:
            return "replace_off"
        newer = replace(
            there,
            signal_id=entry.signal_id,
            signal=entry.signal,
            replacement_count=there.replacement_count + 1,
            reason=reason.value,
        )
        step.put_waiting(newer, "replaced")
        return "replaced"
    if not reverse and len(state.waiting) >= state.settings.queue.limit:
        return "queue_full"
    step.put_waiting(
        Waiting(
            key=entry.key,
            side=entry.side,
            signal_id=entry.signal_id,
            signal=entry.signal,
            queued_at_ms=step.now_ms,
            reason=reason.value,
            reverse=reverse,
        ),
        "queued",
    )
    return "queued"


def remove_waiting(step: Step, key: GroupKey, reason: str, side: Side | None = None) -> int:
    """Takes every waiting entry of `key` (and `side`) out of the queue; how many."""
    there = [one for one in step.state.waiting.values() if one.key == key and side in (None, one.side)]
    for waiting in there:
        step.remove_waiting(waiting, "removed", reason)
    return len(there)


def loss_percent(state: State, waiting: Waiting) -> Decimal:
    """(last - entry) / entry × 100 × d: how far the market has come our way since the signal; 0 before a price."""
    last = state.last(waiting.key.account, waiting.key.symbol)
    if last is None:
        return ZERO
    price = waiting.signal.price
    return ((last - price) / price * HUNDRED * waiting.side.sign).quantize(_PLACES)


def expected_profit(state: State, waiting: Waiting) -> Decimal:
    """Σ leg quote amount × tp of the pyramid that the entry would make, in USD; 0 before its market rules are known."""
    key, account = waiting.key, state.settings.account(waiting.key.account)
    instrument = state.instruments.get((key.account, key.symbol))
    if account is None or instrument is None:
        return ZERO
    group = state.groups.get(state.live.get(key, ""))
    if group is not None and group.side is waiting.side and len(group.pyramids) < group.max_pyramids:
        index = len(group.pyramids)
        plan = group.plans[index]
    else:
        index = 0
        plan = state.settings.plan(
            account=key.account, symbol=key.symbol, timeframe=key.timeframe, side=waiting.side, pyramid=0
        )
    capital = pyramid_capital(state, account, instrument, plan, index, waiting.signal) or ZERO
    share = sum((leg.weight_percent * leg.tp_percent for leg in plan.grid.legs), ZERO) / HUNDRED / HUNDRED
    return capital * share * usd_of(state, key.account, instrument.quote)


def rank(state: State, waiting: Waiting) -> tuple[Decimal | int, ...]:
    """What entries are compared by, smallest first: reversals, each rule of `queue.priority`, then the id."""
    values: list[Decimal | int] = [0 if waiting.reverse else 1]
    for rule in state.settings.queue.priority:
        match rule:
            case QueueRule.PYRAMID_CONTINUATION:
                values.append(0 if waiting.key in state.live else 1)
            case QueueRule.DEEPEST_LOSS:
                values.append(loss_percent(state, waiting))
            case QueueRule.MOST_REPLACED:
                values.append(-waiting.replacement_count)
            case QueueRule.HIGHEST_EXPECTED_PROFIT:
                values.append(-expected_profit(state, waiting))
            case QueueRule.FIFO:
                values.append(waiting.queued_at_ms)
    return (*values, waiting.signal_id)


def promote(step: Step) -> None:
    """Lets the best entries in that may go, until none may or no slot is left. None while the engine is paused."""
    _expire(step)
    held: set[tuple[GroupKey, str]] = set()
    while not step.state.control.paused:
        candidates = [one for one in step.state.waiting.values() if (one.key, one.side.value) not in held]
        if not candidates:
            return
        best = min(candidates, key=lambda one: rank(step.state, one))
        if not _try(step, best):
            held.add((best.key, best.side.value))


def rules_arrived(step: Step, account: str) -> None:
    """Gives entries that waited for an account's market rules their real symbol; unknown ones leave as refused (§2.4).

    Two spellings of one symbol turn out to be one entry: the newer signal stays, in the older one's place.
    """
    homeless = [one for one in step.state.waiting.values() if one.key.account == account and one.reason == _NO_RULES]
    for waiting in homeless:
        found = route(step.state, waiting.signal)
        if isinstance(found, Unroutable):
            step.remove_waiting(waiting, "refused", found.value)
        elif found.known and found.symbol != waiting.key.symbol:
            key = replace(waiting.key, symbol=found.symbol)
            there = step.state.waiting.get((key, waiting.side))
            if there is not None and there.signal_id > waiting.signal_id:
                newer = replace(there, queued_at_ms=min(there.queued_at_ms, waiting.queued_at_ms))
            else:
                newer = replace(waiting, key=key)
            step.rekey_waiting(waiting, newer)


_NO_RULES = Denial.MISSING_RULES.value


def _expire(step: Step) -> None:
    age_ms = step.state.settings.queue.max_age_minutes * 60_000
    if age_ms:
        for waiting in list(step.state.waiting.values()):
            if step.now_ms - waiting.queued_at_ms >= age_ms:
                step.remove_waiting(waiting, "expired", "max_age")
                step.note(
                    Severity.INFO,
                    Category.WEBHOOK,
                    "Waited too long: left the queue.",
                    key=waiting.key,
                    signal_id=waiting.signal_id,
                )


def by_hand(step: Step, asked: QueueAsked) -> None:
    """The trader promotes, removes or forces one entry; none goes in while paused or while the opposite side lives."""
    there = [one for one in step.state.waiting.values() if one.key == asked.key and asked.side in (None, one.side)]
    if not there:
        return
    waiting = min(there, key=lambda one: rank(step.state, one))
    if asked.action is QueueAction.REMOVE:
        step.remove_waiting(waiting, "removed", "trader")
        step.note(Severity.INFO, Category.WEBHOOK, "Taken out of the queue by the trader.", key=waiting.key)
        return
    forced = asked.action is QueueAction.FORCE
    went = _try(step, waiting, forced=forced)
    if not went:
        why = step.state.waiting[waiting.key, waiting.side].reason.replace("_", " ")
        step.note(Severity.INFO, Category.WEBHOOK, f"It must go on waiting: {why}.", key=waiting.key)
    elif forced and (waiting.key, waiting.side) not in step.state.waiting and waiting.key in step.state.live:
        step.note(Severity.WARNING, Category.WEBHOOK, "Forced in over the pool’s limit by the trader.", key=waiting.key)


def _try(step: Step, waiting: Waiting, *, forced: bool = False) -> bool:
    """Promotes one entry. False where it must go on waiting; what fails for good leaves the queue with its reason."""
    account = step.state.settings.account(waiting.key.account)
    if account is None:
        return False
    result = enter(
        step,
        Entry(
            key=waiting.key,
            side=waiting.side,
            signal_id=waiting.signal_id,
            signal=waiting.signal,
            account=account,
            forced=forced,
            inherits_slot=waiting.reverse and waiting.key in step.freed,
        ),
    )
    if isinstance(result, Group):
        step.remove_waiting(waiting, "promoted", forced=forced)
        return True
    if result.waits:
        if waiting.reason != result.value:
            step.reword_waiting(replace(waiting, reason=result.value))
        return False
    ignored = result is Denial.MAX_PYRAMIDS
    step.remove_waiting(waiting, "removed" if ignored else "refused", result.value)
    step.note(
        Severity.INFO if ignored else Severity.WARNING,
        Category.WEBHOOK,
        f"Left the queue without being traded: {result.value.replace('_', ' ')}.",
        key=waiting.key,
        signal_id=waiting.signal_id,
    )
    return True
