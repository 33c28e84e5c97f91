"""What applying a new configuration will do, in words, before it is done: pure, from both configurations and the state.

Every setting that differs is told: those that touch what is open, waits or is listened to by what they do to it, the
rest by their names. Live groups keep the grid, sizing and targets that they began with; pool, queue, risk, safety,
execution and all else hold for everything from then on (SPEC §9).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum

from exengine.domain.capital import exposure_quote
from exengine.domain.entry import Denial
from exengine.domain.group import Group
from exengine.domain.ladder_preview import LadderPreview
from exengine.domain.money import arithmetic, decimals_of
from exengine.domain.risk import is_loser
from exengine.domain.risk_timer import timer_left_ms
from exengine.domain.safety import rolled
from exengine.domain.settings import RiskSettings, SizingMode
from exengine.domain.state import State
from exengine.settings.account_consequences import accounts
from exengine.settings.change_words import changed_fields, changed_words, number_words
from exengine.settings.fields import Page
from exengine.settings.pages import Config
from exengine.settings.program_pages import EXCHANGES, MarketSource

_CENTS = Decimal("0.01")


class Weight(Enum):
    INFO = "info"
    WARNING = "warning"
    KEPT = "kept"
    """What stays as it is."""
    DANGER = "danger"
    """Real money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    weight: Weight
    text: str
    page: str = ""
    """The page of the settings that it comes from: `grid`, `pool`, …; empty where it comes from several."""


Said = Iterator[tuple[Weight, str]]

OF_THE_GROUP = ("grid", "sizing", "take_profit")
"""The pages that a live group has taken along."""

AT_NEXT_START = ("app.database_url", "app.data_dir")
"""Where the store is: that takes a real restart."""


def at_next_start(old: Config, new: Config) -> tuple[str, ...]:
    """The paths of what differs and takes effect with the next start of the program only."""
    return tuple(f"app.{name}" for name in changed_fields(old.app, new.app) if f"app.{name}" in AT_NEXT_START)


def consequences(
    old: Config, new: Config, state: State, now_ms: int, ladder: LadderPreview | None = None
) -> tuple[Consequence, ...]:
    """What changes, in the order of the pages; empty where nothing would. `ladder` is the preview that is shown."""
    with arithmetic():
        told = [
            Consequence(weight=weight, text=text, page=name)
            for name in Config.model_fields
            if getattr(old, name) != getattr(new, name)
            for weight, text in _page(name, old, new, state, now_ms, "" if ladder is None else ladder.quote)
        ]
        changed = {name for name in Config.model_fields if getattr(old, name) != getattr(new, name)}
        told += _ladder(changed, ladder)
        if state.groups and changed & set(OF_THE_GROUP):
            told.append(Consequence(weight=Weight.KEPT, text=_kept(len(state.groups)), page=""))
    return tuple(told)


def _page(name: str, old: Config, new: Config, state: State, now_ms: int, quote: str) -> Said:
    """`quote` is the coin that a fixed amount is in, where it is known."""
    if name == "accounts":
        for word, text in accounts(old, new, state):
            yield Weight(word), text
        return
    before, after = getattr(old, name), getattr(new, name)
    if not isinstance(after, Page):
        yield Weight.INFO, _list(name, len(before), len(after))
        return
    special = _SPECIAL.get(name, lambda *_: iter(()))
    spoken = _SPOKEN_OF.get(name, ())
    yield from _sizing(old, new, quote) if name == "sizing" else special(old, new, state, now_ms)
    for field in changed_fields(before, after):
        if field not in spoken:
            yield Weight.INFO, changed_words(before, after, field)


def _list(name: str, before: int, after: int) -> str:
    title = Config.model_fields[name].title
    return f"{title}: {after} instead of {before}." if before != after else f"{title} is changed."


def _kept(groups: int) -> str:
    if groups == 1:
        return "The live group keeps the grid it began with."
    return f"The {groups} live groups keep the grid they began with."


def _ladder(changed: set[str], ladder: LadderPreview | None) -> list[Consequence]:
    if ladder is None or not changed & {"grid", "sizing", "accounts", "pool"}:
        return []
    blocked = [f"DCA{leg.index}" for leg in ladder.legs if leg.blocked]
    told = []
    if ladder.refused:
        told.append(f"A pyramid of {ladder.symbol} would be refused: {ladder.refused[:1].lower()}{ladder.refused[1:]}.")
    elif blocked:
        are = "are" if len(blocked) > 1 else "is"
        capital = f"{_money(ladder.capital.quantize(_CENTS))} {ladder.quote}"
        share = number_words(ladder.unused_percent)
        told.append(f"{', '.join(blocked)} {are} blocked at {capital}; about {share} % stays unused.")
    return [Consequence(weight=Weight.WARNING, text=text, page="grid") for text in told]


# page by page --------------------------------------------------------------------------------------------------------


def _grid(old: Config, new: Config, state: State, now_ms: int) -> Said:
    before, after = old.grid, new.grid
    if before.max_pyramids != after.max_pyramids:
        yield Weight.INFO, f"New groups take {_counted(after.max_pyramids, 'pyramid')}, not {before.max_pyramids}."
    if len(before.legs) != len(after.legs):
        yield Weight.INFO, f"New pyramids have {_counted(len(after.legs), 'leg')}, not {len(before.legs)}."
    for attribute, verb, unit in (
        ("weight_percent", "New pyramids weigh", ""),
        ("gap_percent", "New legs lie at", " %"),
        ("tp_percent", "New legs aim at", " %"),
    ):
        was = [getattr(leg, attribute) for leg in before.legs]
        will = [getattr(leg, attribute) for leg in after.legs]
        if was != will:
            yield Weight.INFO, f"{verb} {_row(will, unit)} instead of {_row(was, unit)}."


def _row(values: Sequence[Decimal], unit: str) -> str:
    if len(values) > 1 and len(set(values)) == 1:
        return f"{number_words(values[0])}{unit} each"
    return ", ".join(number_words(value) for value in values) + unit


def _sizing(old: Config, new: Config, quote: str) -> Said:
    before, after = old.sizing, new.sizing
    units = {
        SizingMode.FIXED: f" {quote}" if quote else " of the pair’s quote coin",
        SizingMode.PERCENT_EQUITY: " % of the equity",
        SizingMode.PERCENT_FREE: " % of what is free",
    }

    def said(mode: SizingMode, amount: Decimal) -> str:
        if mode is SizingMode.SIGNAL:
            return "what each signal says"
        return f"{_money(amount) if mode is SizingMode.FIXED else number_words(amount)}{units[mode]}"

    was, will = said(before.mode, before.amount), said(after.mode, after.amount)
    if was != will:
        yield Weight.INFO, f"New pyramids spend {will} instead of {was}."


def _pool(old: Config, new: Config, state: State, now_ms: int) -> Said:
    slots, used = new.pool.max_open_groups, len(state.groups)
    if slots != old.pool.max_open_groups:
        yield Weight.INFO, f"{_counted(slots, 'group')} may be open at once, not {old.pool.max_open_groups}."
        line = sum(one.reason == Denial.POOL_FULL.value for one in state.waiting.values())
        if used > slots:
            yield (
                Weight.WARNING,
                (f"{used} are open: none is closed for it, and no new one opens until {used - slots + 1} have closed."),
            )
        elif slots > used and line:
            go = min(line, slots - used)
            yield Weight.INFO, f"{_counted(go, 'waiting entry', 'waiting entries')} may go in at once."
    exposure = new.pool.max_exposure
    if exposure is not None and exposure != old.pool.max_exposure and exposure_quote(state) >= exposure:
        there = _money(exposure_quote(state).quantize(_CENTS))
        yield Weight.WARNING, f"{there} is filled or ordered already: entries are refused until it is less."


def _queue(old: Config, new: Config, state: State, now_ms: int) -> Said:
    line = len(state.waiting)
    if new.queue.limit < old.queue.limit and line > new.queue.limit:
        yield Weight.WARNING, f"{line} wait: those stay, and no new entry waits until fewer than {new.queue.limit} do."
    age_ms = new.queue.max_age_minutes * 60_000
    if age_ms and new.queue.max_age_minutes != old.queue.max_age_minutes:
        stale = sum(now_ms - one.queued_at_ms >= age_ms for one in state.waiting.values())
        if stale:
            yield Weight.WARNING, f"{_counted(stale, 'entry has', 'entries have')} waited longer and leave the queue."


def _risk(old: Config, new: Config, state: State, now_ms: int) -> Said:
    if new.risk.enabled != old.risk.enabled:
        acts = "makes offsets by itself" if new.risk.enabled else "makes no more offsets by itself; Run now still does"
        yield Weight.WARNING, f"The risk engine {acts}."
    there = _candidates(state, now_ms, old)
    more = [group for group in _candidates(state, now_ms, new) if group not in there]
    if more:
        names = ", ".join(f"{group.key.symbol} {group.key.timeframe}" for group in more[:3])
        names += f" and {len(more) - 3} more" if len(more) > 3 else ""
        verb = "becomes a candidate" if len(more) == 1 else "become candidates"
        yield Weight.WARNING, f"{names} {verb} at once: winners may be sold to pay for closing."


def _candidates(state: State, now_ms: int, config: Config) -> list[Group]:
    page = config.risk
    if not page.enabled:
        return []
    risk = RiskSettings(**{name: getattr(page, name) for name in type(page).model_fields})
    seen = replace(state, settings=replace(state.settings, risk=risk))
    return [
        group
        for group in state.groups.values()
        if is_loser(seen, group, now_ms) and timer_left_ms(seen, group, now_ms) == 0
    ]


def _safety(old: Config, new: Config, state: State, now_ms: int) -> Said:
    limit = new.safety.max_daily_loss
    lost = -rolled(state.ledger, now_ms, state.settings.timezone).realised_today
    if limit is not None and limit != old.safety.max_daily_loss and lost >= limit:
        there = _money(lost.quantize(_CENTS))
        yield Weight.WARNING, f"Today’s realised loss is {there} USD already: the next closing fill pauses the engine."


def _listener(old: Config, new: Config, state: State, now_ms: int) -> Said:
    before, after = old.listener, new.listener
    if (before.host, before.port) != (after.host, after.port):
        text = f"The webhook listens on {after.host} port {after.port}, no longer on {before.host} port {before.port}"
        if after.public_url:
            yield Weight.WARNING, f"{text}: point the tunnel or proxy there."
        else:
            yield Weight.WARNING, f"{text}: the URL that alerts are sent to changes."
    if before.public_url != after.public_url and after.public_url:
        yield Weight.WARNING, f"The URL for TradingView begins with {after.public_url}: change it in each alert."
    if after.host != before.host and after.host not in ("127.0.0.1", "::1", "localhost"):
        yield Weight.WARNING, "The webhook can be reached from other machines."


def _app(old: Config, new: Config, state: State, now_ms: int) -> Said:
    if at_next_start(old, new):
        yield Weight.WARNING, "The store moves at the next start of the program: what is open stays in the present one."


def _sim(old: Config, new: Config, state: State, now_ms: int) -> Said:
    if market_moves(old, new):
        source = {
            MarketSource.GENERATED: "are generated",
            MarketSource.RECORDED: "come from recorded files",
            MarketSource.LIVE: f"come from {EXCHANGES[new.sim.exchange.value]}’s public feed",
        }[new.sim.market]
        paper = {one.name for one in state.settings.accounts if not one.is_live}
        groups = sum(group.key.account in paper for group in state.groups.values())
        jumps = f": {_counted(groups, 'open paper group meets', 'open paper groups meet')} them" if groups else ""
        yield Weight.WARNING if groups else Weight.INFO, f"Paper prices {source}{jumps}."


def market_moves(old: Config, new: Config) -> bool:
    """Whether the paper accounts' prices come from elsewhere."""
    return any(getattr(old.sim, name) != getattr(new.sim, name) for name in _MARKET)


_MARKET = ("market", "exchange", "recorded", "speed", "seed")

_SPECIAL: dict[str, Callable[[Config, Config, State, int], Said]] = {
    "app": _app,
    "grid": _grid,
    "pool": _pool,
    "queue": _queue,
    "risk": _risk,
    "safety": _safety,
    "listener": _listener,
    "sim": _sim,
}

_SPOKEN_OF: dict[str, tuple[str, ...]] = {
    "app": ("database_url", "data_dir"),
    "grid": ("max_pyramids", "legs"),
    "sizing": ("mode", "amount"),
    "pool": ("max_open_groups",),
    "risk": ("enabled",),
    "listener": ("host", "port"),
    "sim": _MARKET,
}
"""What a page's own sentences tell, so that it is not told twice."""


def _money(amount: Decimal) -> str:
    """`100`, `1,100.50`, `0.0125`: all its digits, and of a part of one both cents."""
    decimals = decimals_of(amount)
    return f"{amount:,.{max(decimals, 2) if decimals else 0}f}"


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
