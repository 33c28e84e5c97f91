"""Builders of the rows of queue, risk, capital and status: the numbers of the design's pictures, and a busy day's."""

from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
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
from exengine.engine.status import (
    AccountStatus,
    Connection,
    ListenerStatus,
    Mode,
    Status,
    StoreStatus,
    TaskStatus,
)
from tests.ui.rows import DAY, HOUR, MINUTE, NOW_MS, SECOND

D = Decimal
ACCOUNT = "paper"


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


def sample_risk() -> list[RiskRow]:
    none, winner = None, RiskState.WINNER
    return [
        risk(),
        risk("LINK/USDT", "15m", state=RiskState.NOT_FULL, percent="-1.45", loss="-43.45", timer_ms=none, pyramids=4),
        risk("SOL/USDT", state=winner, percent="0.77", loss="19.18", timer_ms=none, pyramids=3,
             brings="18.73"),
        risk("ETH/USDT:USDT", account="perp", side=Side.SHORT, state=winner, percent="3.77", loss="150.19",
             timer_ms=none, pyramids=2, brings="144.30"),
        risk("BTC/USDT", "4h", state=winner, percent="4.07", loss="203.58", timer_ms=none, pyramids=2,
             brings="198.38"),
        risk("DOGE/USDT", "15m", state=RiskState.NO_FILL, percent=none, loss=none, timer_ms=none, pyramids=1),
    ]  # fmt: skip


def line(
    symbol: str, timeframe: str, qty: str, of: str, brings: str, *, account: str = ACCOUNT, side: Side = Side.LONG
) -> PlanLine:
    return PlanLine(
        group_id=f"{account}|{symbol}|{timeframe}#1",
        symbol=symbol,
        timeframe=timeframe,
        side=side,
        base=symbol.split("/", maxsplit=1)[0],
        qty=D(qty),
        of_qty=D(of),
        qty_decimals=len(qty.partition(".")[2]),
        brings_usd=D(brings),
    )


def plan(*, under_way: bool = False) -> PlanView:
    return PlanView(
        loser_id=f"{ACCOUNT}|AVAX/USDT|1h#1",
        required_usd=D("312.56"),
        winners=(
            line("BTC/USDT", "4h", "0.07735", "0.07735", "198.38"),
            line("ETH/USDT:USDT", "1h", "0.909", "1.164", "114.30", account="perp", side=Side.SHORT),
        ),
        loser=line("AVAX/USDT", "1h", "134.46", "134.46", "-312.56"),
        why_none="",
        under_way=under_way,
    )


def no_plan() -> PlanView:
    why = "No group is in profit after fees."
    return PlanView(
        loser_id=f"{ACCOUNT}|AVAX/USDT|1h#1", required_usd=D("312.56"), winners=(), loser=None, why_none=why,
        under_way=False,
    )  # fmt: skip


def summary(*, enabled: bool = True, next_id: str | None = f"{ACCOUNT}|AVAX/USDT|1h#1", offers: int = 3) -> RiskSummary:
    return RiskSummary(
        enabled=enabled,
        evaluate_seconds=10,
        threshold_percent=D(-5),
        needs_all_pyramids=True,
        waits=True,
        age_minutes=None,
        offers=offers,
        offered_usd=D("361.41") if offers else D(0),
        under_way=False,
        next_id=next_id,
        candidates=1,
        next_look_at_ms=NOW_MS + 6_000,
    )


def sample_offsets() -> tuple[OffsetRow, ...]:
    return (
        OffsetRow(id=1, at_ms=NOW_MS - 2 * DAY, loser="paper|DOGE/USDT|1h#1", required=D("54.10"),
                  winners=("paper|BTC/USDT|4h#1",), realised=D("34.62")),
        OffsetRow(id=2, at_ms=NOW_MS - 2 * HOUR, loser="paper|ADA/USDT|2h#3", required=D("41.20"),
                  winners=("paper|BTC/USDT|2h#2",), realised=D("41.28")),
    )  # fmt: skip


def exposure(symbol: str, filled: str, rests: str, total: Decimal) -> ExposureRow:
    deployed = D(filled) + D(rests)
    return ExposureRow(
        symbol=symbol,
        filled=D(filled),
        open=D(rests),
        groups=1,
        share_percent=deployed / total * 100,
        locked_percent=D(rests) / deployed * 100,
    )


_PAIRS = (
    ("SOL/USDT", "2499.49", "3999.39"),
    ("BTC/USDT", "4997.64", "0"),
    ("AVAX/USDT", "4995.33", "0"),
    ("ETH/USDT:USDT", "3981.38", "994.87"),
    ("LINK/USDT", "2998.56", "999.41"),
    ("DOGE/USDT", "0", "2499.75"),
)


def sample_exposures() -> list[ExposureRow]:
    total = sum((D(filled) + D(rests) for _, filled, rests in _PAIRS), D(0))
    return [exposure(symbol, filled, rests, total) for symbol, filled, rests in _PAIRS]


def capital(rows: Sequence[ExposureRow], free: str = "23076.11") -> CapitalRow:
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
        mode=Mode.TESTNET,
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
            last_commit_at_ms=NOW_MS - SECOND,
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
        about=summary(next_id=None, offers=0),
        money=capital((), free="10000"),
        parts=_fresh(status()),
    )


def busy(count: int = 200) -> PanelChanges:
    states = [RiskState.CANDIDATE, RiskState.NOT_FULL, RiskState.WAITING, RiskState.WINNER, RiskState.NO_FILL]
    risks = [
        risk(
            f"C{number:03}/USDT",
            ("1m", "5m", "15m", "1h", "4h")[number % 5],
            state=states[number % 5],
            percent=None if number % 5 == 4 else f"{-14 + number % 40 * 0.5:.2f}",
            loss=None if number % 5 == 4 else f"{-1400 + number % 40 * 50:.2f}",
            timer_ms=number % 90 * MINUTE if number % 5 == 0 else None,
        )
        for number in range(count)
    ]
    first = risks[0]._replace(state=RiskState.CANDIDATE)
    lines = [waiting(f"W{number:03}/USDT", rank=number + 1, ago_ms=number * MINUTE) for number in range(100)]
    total = D(count * 200)
    pairs = [
        exposure(f"C{number:03}/USDT", str(200 + number * 3), str(number % 7 * 30), total) for number in range(count)
    ]
    shown = replace(plan(), loser_id=first.id)
    return panels(
        queue=lines,
        risks=risks,
        about=summary(next_id=first.id),
        shown=shown,
        offsets=[replace(sample_offsets()[1], id=number, at_ms=NOW_MS - number * HOUR) for number in range(1, 60)],
        exposures=pairs,
        money=capital(pairs, free="1234567.89"),
        parts=status(away=True),
    )


def error() -> PanelChanges:
    rows = [row._replace(state=RiskState.HELD_BACK) if row.account == "perp" else row for row in sample_risk()]
    return panels(
        queue=[replace(row, reason="paused", blocker="The engine is paused") for row in sample_queue()],
        risks=rows,
        about=summary(next_id=None, offers=0),
        shown=no_plan(),
        parts=status(away=True),
    )
