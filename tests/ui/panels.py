"""Builders of the rows of queue, risk, capital and status: what the groups of `rows` come to, and a busy day's."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from decimal import ROUND_UP, Decimal
from typing import Any

from exengine.domain.instrument import Side
from exengine.engine.panel_rows import (
    AccountMoney,
    CapitalRow,
    ExposureRow,
    OffsetRow,
    PanelChanges,
    Patch,
    PlanLine,
    PlanView,
    RiskRow,
    RiskState,
    RiskSummary,
    Rule,
    WaitingRow,
)
from exengine.engine.rows import GroupRow, Quote
from exengine.engine.status import (
    AccountStatus,
    Connection,
    ListenerStatus,
    Mode,
    Status,
    StoreStatus,
    TaskStatus,
)
from tests.ui.rows import (
    DAY,
    HOUR,
    MINUTE,
    NOW_MS,
    SECOND,
    busy_groups,
    busy_quotes,
    resting,
    sample_free,
    sample_groups,
    sample_quotes,
)  # fmt: skip

D = Decimal
ACCOUNT = "paper"
THRESHOLD, WINNERS = D(-5), 3


def waiting(
    symbol: str = "XRP/USDT",
    timeframe: str = "1h",
    *,
    side: Side = Side.LONG,
    reason: str = "pool_full",
    price: str = "0.6120",
    last: str | None = "0.5988",
    replacements: int = 1,
    ago_ms: int = 41 * MINUTE,
    rank: int | None = 1,
    rule: Rule | None = Rule.DEEPEST_LOSS,
    blocker: str = "",
    needs_force: bool = True,
) -> WaitingRow:
    loss = None if last is None else (D(last) - D(price)) / D(price) * 100 * side.sign
    return WaitingRow(
        key=f"{ACCOUNT}|{symbol}|{timeframe}|{side.value}",
        account=ACCOUNT,
        symbol=symbol,
        timeframe=timeframe,
        side=side,
        quote="USDT",
        reason=reason,
        price=D(price),
        price_decimals=len(price.partition(".")[2]),
        last=None if last is None else D(last),
        loss_percent=loss,
        replacements=replacements,
        expected_profit=D("30.00"),
        capital=D("2500"),
        queued_at_ms=NOW_MS - ago_ms,
        is_pyramid=False,
        rank=rank,
        rule=rule,
        blocker=blocker,
        needs_force=needs_force,
    )


def sample_queue() -> list[WaitingRow]:
    return [
        waiting(),
        waiting("ADA/USDT", "4h", price="0.4512", last="0.4479", replacements=3, ago_ms=2 * HOUR, rank=2),
        waiting("NEAR/USDT", "15m", price="5.250", last="5.229", replacements=2, ago_ms=18 * MINUTE, rank=3,
                rule=Rule.MOST_REPLACED),
        waiting("INJ/USDT", price="24.500", last="24.402", replacements=0, ago_ms=9 * MINUTE, rank=4,
                rule=Rule.MOST_REPLACED),
        waiting("ETH/USDT", price="3312.00", last="3291.40", replacements=0, ago_ms=6 * MINUTE, rank=None, rule=None,
                reason="opposite_side", blocker="The short of this pair is still open"),
    ]  # fmt: skip


def risk(
    symbol: str = "AVAX/USDT",
    timeframe: str = "1h",
    *,
    account: str = ACCOUNT,
    side: Side = Side.LONG,
    state: RiskState = RiskState.CANDIDATE,
    percent: str | None = "-6.16",
    loss: str | None = "-307.87",
    timer_ms: int | None = 14 * MINUTE + 20 * SECOND,
    pyramids: int = 5,
    max_pyramids: int = 5,
    opened_ago_ms: int = 2 * DAY,
    blocked: bool = False,
    skip_once: bool = False,
    brings: str = "0",
) -> RiskRow:
    return RiskRow(
        id=f"{account}|{symbol}|{timeframe}#1",
        account=account,
        symbol=symbol,
        timeframe=timeframe,
        side=side,
        state=state,
        loss_percent=None if percent is None else D(percent),
        loss_usd=None if loss is None else D(loss),
        timer_ends_ms=None if timer_ms is None else NOW_MS + timer_ms if timer_ms else 0,
        pyramids=pyramids,
        max_pyramids=max_pyramids,
        old_at_ms=0,
        brings_usd=D(brings),
        blocked=blocked,
        skip_once=skip_once,
        opened_at_ms=NOW_MS - opened_ago_ms,
    )


def risk_of(row: GroupRow, last: Decimal, *, timer_ms: int | None = None) -> RiskRow:
    """What the risk engine would make of a group at this price, by the numbers that Positions shows of it."""
    pnl, percent = row.holding.marked(last)
    brings = max(row.after_fees(last) or D(0), D(0))
    if pnl is None or percent is None:
        state = RiskState.NO_FILL
    elif brings:
        state = RiskState.WINNER
    elif row.pyramids < row.max_pyramids:
        state = RiskState.NOT_FULL
    else:
        state = RiskState.CANDIDATE if percent <= THRESHOLD else RiskState.WAITING
    made = risk(
        row.symbol, row.timeframe, account=row.account, side=row.side, state=state, pyramids=row.pyramids,
        max_pyramids=row.max_pyramids, timer_ms=timer_ms if state is RiskState.CANDIDATE else None,
    )  # fmt: skip
    return made._replace(loss_percent=percent, loss_usd=pnl, brings_usd=brings, opened_at_ms=row.opened_at_ms)


def sample_risk(quotes: Mapping[tuple[str, str], Quote] | None = None) -> list[RiskRow]:
    """By loss, deepest first."""
    quotes = sample_quotes() if quotes is None else quotes
    made = [
        risk_of(row, quotes[row.account, row.symbol].price, timer_ms=14 * MINUTE + 20 * SECOND)
        for row in sample_groups()
    ]
    return sorted(made, key=lambda row: (row.loss_percent is None, row.loss_percent))


def _line(row: GroupRow, qty: Decimal, brings: Decimal) -> PlanLine:
    return PlanLine(
        group_id=row.id,
        symbol=row.symbol,
        timeframe=row.timeframe,
        side=row.side,
        base=row.base,
        qty=qty,
        of_qty=row.net_qty,
        qty_decimals=row.qty_decimals,
        brings_usd=brings,
    )


def plan_of(
    groups: Sequence[GroupRow], quotes: Mapping[tuple[str, str], Quote], loser_id: str, *, under_way: bool = False
) -> PlanView:
    """Who would pay for a loser: the winners by what closing them brings, and of the last one what is still missing."""
    profits = {row.id: row.after_fees(quotes[row.account, row.symbol].price) or D(0) for row in groups}
    loser = next(row for row in groups if row.id == loser_id)
    required = left = -profits[loser_id]
    winners = []
    for row in sorted(groups, key=lambda one: profits[one.id], reverse=True)[:WINNERS]:
        if left <= 0 or profits[row.id] <= 0:
            break
        taken = min(profits[row.id], left)
        whole = taken == profits[row.id]
        step = D(1).scaleb(-row.qty_decimals)
        qty = row.net_qty if whole else (row.net_qty * taken / profits[row.id]).quantize(step, ROUND_UP)
        brings = profits[row.id] * qty / row.net_qty
        winners.append(_line(row, qty, brings))
        left -= brings
    return PlanView(
        loser_id=loser_id, required_usd=required, winners=tuple(winners),
        loser=_line(loser, loser.net_qty, -required), why_none="", under_way=under_way,
    )  # fmt: skip


def plan(*, under_way: bool = False) -> PlanView:
    return plan_of(sample_groups(), sample_quotes(), f"{ACCOUNT}|AVAX/USDT|1h#1", under_way=under_way)


def no_plan(why: str = "No group is in profit after fees.") -> PlanView:
    return replace(plan(), winners=(), loser=None, why_none=why)


def summary(
    *, enabled: bool = True, next_id: str | None = f"{ACCOUNT}|AVAX/USDT|1h#1", among: Sequence[RiskRow] | None = None
) -> RiskSummary:
    """`among`: the rows whose winners could pay; those of the sample where none are given."""
    rows = sample_risk() if among is None else among
    offered = sorted((row.brings_usd for row in rows if row.brings_usd), reverse=True)[:WINNERS]
    return RiskSummary(
        enabled=enabled,
        evaluate_seconds=10,
        threshold_percent=THRESHOLD,
        needs_all_pyramids=True,
        waits=True,
        age_minutes=None,
        offers=len(offered),
        offered_usd=sum(offered, D(0)),
        under_way=False,
        next_id=next_id,
        candidates=sum(row.state is RiskState.CANDIDATE for row in rows),
        next_look_at_ms=NOW_MS + 6_000,
    )


def sample_offsets() -> tuple[OffsetRow, ...]:
    return (
        OffsetRow(id=1, at_ms=NOW_MS - 2 * DAY, loser="paper|DOGE/USDT|1h#1", required=D("54.10"),
                  winners=("paper|BTC/USDT|4h#1",), realised=D("34.62")),
        OffsetRow(id=2, at_ms=NOW_MS - 2 * HOUR, loser="paper|ADA/USDT|2h#3", required=D("41.20"),
                  winners=("paper|BTC/USDT|2h#2",), realised=D("41.28")),
    )  # fmt: skip


def exposures_of(groups: Sequence[GroupRow]) -> list[ExposureRow]:
    """What each pair has at work: what is filled, at its cost, and what rests in its open entries."""
    found = [(row.symbol, row.cost, resting(row)) for row in groups]
    total = sum((filled + rests for _, filled, rests in found), D(0))
    return [
        ExposureRow(
            symbol=symbol,
            filled=filled,
            open=rests,
            groups=1,
            share_percent=(filled + rests) / total * 100,
            locked_percent=rests / (filled + rests) * 100,
        )
        for symbol, filled, rests in found
    ]


def sample_exposures() -> list[ExposureRow]:
    return exposures_of(sample_groups())


def capital(rows: Sequence[ExposureRow], free: str | Decimal | None = None) -> CapitalRow:
    free = sample_free() if free is None else free
    return CapitalRow(
        filled=sum((row.filled for row in rows), D(0)),
        open=sum((row.open for row in rows), D(0)),
        free=D(free),
        accounts=(AccountMoney(account=ACCOUNT, free=D(free)),),
        missing=0,
    )


def status(*, away: bool = False, mode: Mode = Mode.PAPER) -> Status:
    main = AccountStatus(
        name="main" if mode is Mode.LIVE else ACCOUNT,
        venue="Binance spot" if mode is Mode.LIVE else "Paper",
        mode=mode,
        connection=Connection.CONNECTED,
        rules=1234 if mode is Mode.LIVE else 10,
        rules_at_ms=NOW_MS - 24 * MINUTE,
        streaming=True if mode is Mode.LIVE else None,
        latency_ms=84 if mode is Mode.LIVE else None,
        clock_skew_ms=-12 if mode is Mode.LIVE else None,
        rate_used_percent=D(7) if mode is Mode.LIVE else None,
        polled_at_ms=NOW_MS - 4 * SECOND if mode is Mode.LIVE else None,
        priced_at_ms=NOW_MS - SECOND,
    )
    perp = AccountStatus(
        name="perp",
        venue="Bybit swap",
        mode=Mode.LIVE if mode is Mode.LIVE else Mode.TESTNET,
        connection=Connection.AWAY if away else Connection.CONNECTED,
        why="the exchange does not answer (timed out after 10 s)" if away else "",
        latency_ms=10_004 if away else 131,
        clock_skew_ms=1_450 if away else 33,
        rate_used_percent=D(91) if away else D(12),
        rules=512,
        rules_at_ms=NOW_MS - 4 * HOUR,
        streaming=not away,
        polled_at_ms=NOW_MS - (3 * MINUTE if away else 2 * SECOND),
        priced_at_ms=NOW_MS - (3 * MINUTE if away else SECOND),
    )
    return Status(
        accounts=(main, perp),
        listener=ListenerStatus(
            listening=True,
            address="http://127.0.0.1:8787/webhook",
            public_url="" if mode is Mode.PAPER else "https://hooks.example.com",
            last_hit_at_ms=NOW_MS - 4 * MINUTE,
        ),
        store=StoreStatus(
            kind="SQLite",
            place="exengine.sqlite3",
            size_bytes=14_812_160,
            last_commit_at_ms=NOW_MS - (MINUTE if away else SECOND),
            trouble="The disk is full: nothing more can be stored." if away else "",
        ),
        tasks=(
            TaskStatus(name="engine", running=True),
            TaskStatus(name="market", running=True, restarts=2 if away else 0),
            TaskStatus(name="queue timer", running=True),
            TaskStatus(name="risk timer", running=True),
            *([TaskStatus(name="watch of main", running=True)] if mode is Mode.LIVE else []),
            TaskStatus(name="watch of perp", running=not away, restarts=3 if away else 0),
        ),
    )


def panels(
    *,
    queue: Sequence[WaitingRow] = (),
    risks: Sequence[RiskRow] = (),
    about: RiskSummary | None = None,
    shown: PlanView | None = None,
    offsets: Sequence[OffsetRow] = (),
    exposures: Sequence[ExposureRow] = (),
    money: CapitalRow | None = None,
    parts: Status | None = None,
) -> PanelChanges:
    return PanelChanges(
        waiting=Patch(rows={row.key: row for row in queue}),
        risk=Patch(rows={row.id: row for row in risks}),
        risk_summary=about,
        plan=shown,
        plan_changed=shown is not None,
        offsets=tuple(offsets),
        exposures=Patch(rows={row.symbol: row for row in exposures}),
        capital=money,
        status=parts,
    )


def sample(*, mode: Mode = Mode.PAPER) -> PanelChanges:
    pairs = sample_exposures()
    return panels(
        queue=sample_queue(),
        risks=sample_risk(),
        about=summary(),
        shown=plan(),
        offsets=sample_offsets(),
        exposures=pairs,
        money=capital(pairs),
        parts=status(mode=mode),
    )


def moved(quotes: Mapping[tuple[str, str], Quote]) -> PanelChanges:
    """What the sample's risk comes to at other prices."""
    risks = sample_risk(quotes)
    return panels(
        risks=risks,
        about=summary(among=risks),
        shown=plan_of(sample_groups(), quotes, f"{ACCOUNT}|AVAX/USDT|1h#1"),
        offsets=sample_offsets(),
    )


def of(account: str, value: Any) -> Any:
    """The same of another account than `paper`, with all that is in it."""
    if isinstance(value, str):
        is_ours = value == ACCOUNT or value.startswith(f"{ACCOUNT}|")
        return account + value.removeprefix(ACCOUNT) if is_ours else value
    if isinstance(value, tuple):
        made = [of(account, one) for one in value]
        return value._make(made) if isinstance(value, RiskRow) else tuple(made)
    if isinstance(value, dict):
        return {of(account, name): of(account, one) for name, one in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: of(account, getattr(value, one.name)) for one in fields(value) if one.init})
    return value


def _fresh(parts: Status) -> Status:
    """As at a first start: the paper account alone, and nothing heard yet."""
    assert parts.listener is not None
    return replace(
        parts,
        accounts=parts.accounts[:1],
        listener=replace(parts.listener, last_hit_at_ms=None),
        tasks=tuple(task for task in parts.tasks if not task.name.startswith("watch of")),
    )


def empty() -> PanelChanges:
    return panels(
        about=summary(next_id=None, among=()),
        money=capital((), free="10000"),
        parts=_fresh(status()),
    )


def busy(count: int = 200) -> PanelChanges:
    groups = busy_groups(count)
    quotes = busy_quotes(groups)
    risks = [
        risk_of(row, quotes[row.account, row.symbol].price, timer_ms=number % 90 * MINUTE)
        for number, row in enumerate(groups)
    ]
    first = min(risks, key=lambda row: row.loss_percent or D(0))
    lines = [waiting(f"W{number:03}/USDT", rank=number + 1, ago_ms=number * MINUTE) for number in range(100)]
    pairs = exposures_of(groups)
    return panels(
        queue=lines,
        risks=risks,
        about=summary(next_id=first.id, among=risks),
        shown=plan_of(groups, quotes, first.id),
        offsets=[replace(sample_offsets()[1], id=number, at_ms=NOW_MS - number * HOUR) for number in range(1, 60)],
        exposures=pairs,
        money=capital(pairs, free="5234567.89"),
        parts=status(away=True),
    )


def error() -> PanelChanges:
    rows = [row._replace(state=RiskState.HELD_BACK) if row.account == "perp" else row for row in sample_risk()]
    return panels(
        queue=sample_queue(),
        risks=rows,
        about=summary(next_id=None, among=[row for row in rows if row.state is RiskState.WINNER]),
        shown=no_plan(
            "The winners bring too little for all of it, and a part is not to be closed (Settings, Risk: If winners "
            "fall short)."
        ),
        parts=status(away=True),
    )
