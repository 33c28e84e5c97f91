"""Builders of view rows: the numbers of the design's pictures, and as many groups as a busy day has."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from exengine.domain.instrument import Instrument, Side
from exengine.engine.panel_rows import PanelChanges
from exengine.engine.rows import (
    Category,
    EngineRow,
    EngineStatus,
    GroupRow,
    Holding,
    LegRow,
    LogRow,
    Mode,
    PyramidRow,
    Quote,
    Severity,
    SignalRow,
    Topic,
    ViewChanges,
)

D = Decimal
NOW_MS = 1_795_440_727_000
"""2026-11-23 13:32:07 UTC."""
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
LAST_WEBHOOK_MS = NOW_MS - 4 * MINUTE
"""When the newest signal of the sample came."""
REFUSED_MS = LAST_WEBHOOK_MS - 6 * SECOND
"""When the exchange refused an entry of DOGE, which the signal before it had opened."""
START, REALISED = D(50_000), "1041.93"
"""What the accounts began with, and what all closes have brought."""
TPS = ("1.0", "0.5", "2.0", "1.5", "1.0", "1.0", "1.0")


def leg(
    index: int = 0,
    *,
    side: Side = Side.LONG,
    base: str = "147.90",
    state: str = "open",
    quote: str = "499.90",
    places: int = 2,
    realised: Decimal | None = None,
    error: str | None = None,
) -> LegRow:
    """A leg of a ladder with gaps of half a percent. Filled legs hold `quote`; closed ones have `realised`."""
    gap = D("-0.5") * index
    size = D(quote)
    planned = round(D(base) * (1 + gap * side.sign / 100), places)
    tp = D(TPS[index])
    filled = state in ("filled", "tp_placed", "closed")
    held = state in ("filled", "tp_placed")
    return LegRow(
        index=index,
        gap_percent=gap,
        weight_percent=D(20),
        planned_price=planned,
        filled_quote=size if filled else D(0),
        fill_price=planned if filled else None,
        holding=Holding(side=side, net_base=size / planned if held else D(0), cost=size if held else D(0)),
        realised=realised,
        tp_percent=tp,
        target=round(planned * (1 + tp * side.sign / 100), places),
        state=state,
        error=error,
        planned_qty=round(size / planned, 5),
    )


def pyramid(index: int, base: Decimal, legs: Sequence[LegRow], *, status: str = "partially_filled") -> PyramidRow:
    held = [row for row in legs if row.holding.net_base]
    net = sum((row.holding.net_base for row in held), D(0))
    cost = sum((row.holding.cost for row in held), D(0))
    realised = [row.realised for row in legs if row.realised is not None]
    return PyramidRow(
        index=index,
        base_price=base,
        legs_filled=sum(1 for row in legs if row.fill_price is not None),
        legs_total=len(legs),
        cost=cost,
        avg_entry=cost / net if net else None,
        holding=Holding(side=legs[0].holding.side, net_base=net, cost=cost),
        realised=sum(realised, D(0)) if realised else None,
        status=status,
        legs=tuple(legs),
    )


def group(
    symbol: str = "SOL/USDT",
    timeframe: str = "1h",
    *,
    account: str = "paper",
    side: Side = Side.LONG,
    pyramids: Sequence[PyramidRow] = (),
    max_pyramids: int = 5,
    decimals: int = 2,
    qty_decimals: int = 5,
    opened_at_ms: int = NOW_MS - 6 * HOUR,
    status: str = "partially_filled",
    reason: str | None = None,
    tp_mode: str = "leg",
    target: Decimal | None = None,
    error: str | None = None,
    number: int = 1,
) -> GroupRow:
    net = sum((row.holding.net_base for row in pyramids), D(0))
    cost = sum((row.holding.cost for row in pyramids), D(0))
    base, quote = symbol.split(":", maxsplit=1)[0].split("/")
    return GroupRow(
        id=f"{account}|{symbol}|{timeframe}#{number}",
        account=account,
        symbol=symbol,
        timeframe=timeframe,
        side=side,
        quote=quote,
        base=base,
        price_decimals=decimals,
        qty_decimals=qty_decimals,
        pyramids=len(pyramids),
        max_pyramids=max_pyramids,
        legs_filled=sum(row.legs_filled for row in pyramids),
        legs_total=sum(row.legs_total for row in pyramids),
        cost=cost,
        avg_entry=cost / net if net else None,
        net_qty=net,
        holding=Holding(side=side, net_base=net, cost=cost),
        realised=sum((row.realised or D(0) for row in pyramids), D(0)),
        tp_mode=tp_mode,
        target=target,
        opened_at_ms=opened_at_ms,
        status=status,
        reason=reason,
        error=error,
        open_entries=sum(1 for row in pyramids for part in row.legs if part.state in ("submitted", "open")),
        pyramid_rows=tuple(pyramids),
        open_targets=sum(1 for row in pyramids for part in row.legs if part.state == "tp_placed"),
        taker_fee=D("0.001"),
        rules=Instrument(
            symbol=symbol,
            id=f"{base}{quote}",
            base=base,
            quote=quote,
            tick_size=D(1).scaleb(-decimals),
            step_size=D(1).scaleb(-qty_decimals),
            min_qty=D(1).scaleb(-qty_decimals),
            min_notional=D(5),
        ),
    )


def ladder(
    index: int, base: str, states: str, *, side: Side = Side.LONG, quote: str = "499.90", places: int = 2
) -> PyramidRow:
    """A pyramid from one letter a leg: t(p placed), c(losed), o(pen), f(illed), p(lanned), b(locked), r(ejected)."""
    names = {
        "t": "tp_placed",
        "c": "closed",
        "o": "open",
        "f": "filled",
        "p": "planned",
        "b": "blocked",
        "r": "rejected",
    }
    legs = []
    for number, letter in enumerate(states):
        why = {"b": "3.95 USDT is under the minimum notional of 5.00", "r": "Too many open orders on this symbol"}
        legs.append(
            leg(
                number,
                side=side,
                base=base,
                state=names[letter],
                quote=quote,
                places=places,
                realised=D("1.51") if letter == "c" else None,
                error=why.get(letter),
            )
        )
    return pyramid(index, D(base), legs)


def sample_groups() -> list[GroupRow]:
    """The six groups of the design's Trade picture, about as they are there."""
    sol = [ladder(0, "147.90", "tctoo"), ladder(1, "147.50", "tctoo"), ladder(2, "148.90", "toooo")]
    btc = [ladder(0, "64700.00", "fffff"), ladder(1, "64800.00", "fffff")]
    eth = [
        ladder(0, "3420.00", "fffff", side=Side.SHORT),
        ladder(1, "3440.00", "fffoo", side=Side.SHORT, quote="493.79"),
    ]
    avax = [ladder(number, f"{37.6 + number / 10:.2f}", "fffff", quote="199.81") for number in range(5)]
    link = [ladder(number, f"{18.2 + number / 20:.3f}", "fffoo", places=3, quote="199.90") for number in range(4)]
    doge = [ladder(0, "0.16400", "oooor", places=5)]
    return [
        group(pyramids=sol, target=D("148.94")),
        group("BTC/USDT", "4h", pyramids=btc, status="active", tp_mode="aggregate", target=D("68416.64"),
              opened_at_ms=NOW_MS - 3 * DAY),
        group("ETH/USDT:USDT", "1h", account="perp", side=Side.SHORT, pyramids=eth, tp_mode="aggregate",
              target=D("3218.42"), opened_at_ms=NOW_MS - 19 * HOUR, qty_decimals=3),
        group("AVAX/USDT", "1h", pyramids=avax, status="active", tp_mode="pyramid", target=D("36.80"),
              opened_at_ms=NOW_MS - 2 * DAY, qty_decimals=2),
        group("LINK/USDT", "15m", pyramids=link, tp_mode="pyramid", target=D("18.095"), decimals=3,
              opened_at_ms=NOW_MS - 5 * HOUR),
        group("DOGE/USDT", "15m", pyramids=doge, status="live", decimals=5, opened_at_ms=NOW_MS - 4 * MINUTE,
              error="DCA4 was rejected: too many open orders on this symbol"),
    ]  # fmt: skip


def sample_quotes(at_ms: int = NOW_MS - 2 * SECOND) -> dict[tuple[str, str], Quote]:
    prices = {
        ("paper", "SOL/USDT"): "148.62",
        ("paper", "BTC/USDT"): "67240.50",
        ("perp", "ETH/USDT:USDT"): "3291.40",
        ("paper", "AVAX/USDT"): "34.86",
        ("paper", "LINK/USDT"): "17.852",
        ("paper", "DOGE/USDT"): "0.16184",
    }
    return {market: Quote(price=D(price), at_ms=at_ms) for market, price in prices.items()}


def resting(row: GroupRow) -> Decimal:
    """What its open entries would cost, in quote."""
    legs = (leg for part in row.pyramid_rows for leg in part.legs if leg.state in ("submitted", "open"))
    return sum((leg.planned_price * leg.planned_qty for leg in legs), D(0))


def sample_free() -> Decimal:
    """What the accounts began with and made, less what the sample's groups have at work."""
    return START + D(REALISED) - sum((row.cost + resting(row) for row in sample_groups()), D(0))


def engine(
    *,
    status: EngineStatus = EngineStatus.RUNNING,
    mode: Mode = Mode.PAPER,
    status_text: str = "",
    pool_used: int = 6,
    pool_limit: int = 6,
    queued: int = 5,
    realised_today: str = "81.66",
    realised_total: str = REALISED,
    closed_groups: int = 175,
    last_webhook_at_ms: int | None = LAST_WEBHOOK_MS,
    free: str | None = None,
    last_offset_at_ms: int | None = NOW_MS - 2 * HOUR,
    paused: bool = False,
    away: tuple[str, ...] = (),
    stores: bool = True,
) -> EngineRow:
    is_paused = paused or status is EngineStatus.PAUSED
    return EngineRow(
        status=status,
        status_text=status_text,
        paused=is_paused,
        paused_why="paused by the trader" if is_paused else "",
        away=away,
        stores=stores,
        mode=mode,
        pool_used=pool_used,
        pool_limit=pool_limit,
        queued=queued,
        realised_today=D(realised_today),
        realised_total=D(realised_total),
        start_equity=START,
        risk_enabled=True,
        last_webhook_at_ms=last_webhook_at_ms,
        free_quote=sample_free() if free is None else D(free),
        filled_quote=sum((row.cost for row in sample_groups()), D(0)),
        open_quote=sum((resting(row) for row in sample_groups()), D(0)),
        closed_groups=closed_groups,
        last_offset_at_ms=last_offset_at_ms,
    )


def empty_engine(mode: Mode = Mode.PAPER) -> EngineRow:
    row = engine(
        mode=mode, pool_used=0, pool_limit=10, queued=0, realised_today="0", realised_total="0", closed_groups=0,
        last_webhook_at_ms=None, free="10000",
    )  # fmt: skip
    return replace(row, start_equity=D(10000), filled_quote=D(0), open_quote=D(0), last_offset_at_ms=None)


def signal(
    number: int,
    *,
    symbol: str = "SOL/USDT",
    timeframe: str = "1h",
    action: str = "buy",
    meaning: str = "entry",
    outcome: str = "opened",
    reason: str = "",
    at_ms: int | None = None,
    ordered: bool = True,
) -> SignalRow:
    at = LAST_WEBHOOK_MS + (number - 12) * 7 * SECOND if at_ms is None else at_ms
    return SignalRow(
        id=number,
        received_at_ms=at,
        source="52.89.214.238",
        exchange="BINANCE",
        symbol=symbol,
        timeframe=timeframe,
        action=action,
        meaning=meaning,
        outcome=outcome,
        reason=reason,
        group=f"paper|{symbol}|{timeframe}#1" if outcome in ("opened", "pyramid") else "",
        stored_at_ms=at + 4,
        decided_at_ms=at + 9 if outcome else None,
        sent_at_ms=at + 11 if ordered else None,
        acknowledged_at_ms=at + 11 + 84 * (1 + number % 4) if ordered else None,
        body=_body(symbol, timeframe, action),
    )


def _body(symbol: str, timeframe: str, action: str) -> str:
    """What TradingView sends for it."""
    interval = {"15m": "15", "1h": "60", "4h": "240"}.get(timeframe, timeframe)
    price = {"BTC/USDT": "67240.50", "ETH/USDT:USDT": "3291.40", "XRP/USDT": "0.5988"}.get(symbol, "148.62")
    name = symbol.partition(":")[0].replace("/", "")
    return (
        f'{{"tv":{{"exchange":"BINANCE","symbol":"{name}","timeframe":"{interval}","action":"{action}",'
        f'"close_price":{price}}}}}'
    )


def sample_signals() -> tuple[SignalRow, ...]:
    made = [
        signal(1, symbol="BTC/USDT", timeframe="4h"),
        signal(2, symbol="ETH/USDT:USDT", action="sell"),
        signal(3, symbol="BTC/USDT", timeframe="4h", meaning="pyramid", outcome="pyramid"),
        signal(4, symbol="BTC/USDT", timeframe="4h", outcome="duplicate", ordered=False),
        signal(5, symbol="XRP/USDT", outcome="queued", reason="pool_full", ordered=False),
        signal(6, symbol="XRP/USDT", outcome="replaced", reason="pool_full", ordered=False),
        signal(7, symbol="ADA/USDT", timeframe="2h", action="sell", meaning="exit", outcome="exited"),
        signal(8, symbol="", timeframe="", meaning="", outcome="invalid", reason="tv.symbol;tv.timeframe",
               ordered=False),
        signal(9, symbol="PEPE/USDT", outcome="refused", reason="unknown_symbol", meaning="entry", ordered=False),
        signal(10, symbol="SOL/USDT", meaning="pyramid", outcome="pyramid"),
        signal(11, symbol="DOGE/USDT", timeframe="15m"),
        signal(12, symbol="SOL/USDT", meaning="pyramid", outcome="", ordered=False),
    ]  # fmt: skip
    return tuple(made)


def log(
    number: int,
    text: str,
    *,
    severity: Severity = Severity.INFO,
    category: Category = Category.ORDER,
    symbol: str = "",
    timeframe: str = "",
    advice: str = "",
    at_ms: int | None = None,
) -> LogRow:
    return LogRow(
        id=number,
        at_ms=NOW_MS - 20 * MINUTE + number * 3 * SECOND if at_ms is None else at_ms,
        severity=severity,
        category=category,
        text=text,
        symbol=symbol,
        timeframe=timeframe,
        advice=advice,
    )


REJECTED = log(
    90,
    "Order rejected: DOGE/USDT 15m, pyramid 1, DCA4: too many open orders on this symbol.",
    severity=Severity.ERROR,
    symbol="DOGE/USDT",
    timeframe="15m",
    advice="The other 4 legs stand. Cancel old orders on this symbol, then place the leg again.",
    at_ms=REFUSED_MS,
)


def sample_log(*, errors: int = 0) -> tuple[LogRow, ...]:
    lines = [
        log(1, "Engine started with 1 account, 6 groups", category=Category.SYSTEM),
        log(2, "Alert taken as an entry", category=Category.WEBHOOK, symbol="SOL/USDT", timeframe="1h"),
        log(3, "DCA0 bought 3.380 at 147.90", symbol="SOL/USDT", timeframe="1h"),
        log(4, "DCA1 bought 3.397 at 147.16", symbol="SOL/USDT", timeframe="1h"),
        log(5, "DCA4 left out: 3.95 USDT is under the minimum notional of 5.00", severity=Severity.WARNING,
            category=Category.PRECISION, symbol="ADA/USDT", timeframe="2h"),
        log(6, "Target of DCA1 reached: sold 3.397 at 147.90, +1.51 USDT", symbol="SOL/USDT", timeframe="1h"),
        log(7, "Prices of ETH/USDT were late by 18 s", severity=Severity.WARNING, category=Category.SYSTEM,
            symbol="ETH/USDT:USDT"),
        log(8, "AVAX/USDT 1h is a candidate: 6.84 % under its cost, timer 30 m", category=Category.RISK,
            symbol="AVAX/USDT", timeframe="1h", at_ms=NOW_MS - 15 * MINUTE - 40 * SECOND),
    ]  # fmt: skip
    more = [replace(REJECTED, id=90 - number, at_ms=REFUSED_MS - number * SECOND) for number in range(errors)]
    return (*lines, *reversed(more))


def refused(account: str = "paper", *, number: int = 90) -> LogRow:
    """The DOGE entry of the sample that the exchange refused: it can be shown and placed again."""
    return replace(
        log(
            number,
            "Entry of pyramid 1, DCA4 refused by the exchange: too many open orders on this symbol (-1013).",
            severity=Severity.ERROR,
            symbol="DOGE/USDT",
            timeframe="15m",
            advice="The other legs stand. Cancel old orders on this symbol, then place the leg again.",
            at_ms=REFUSED_MS,
        ),
        topic=Topic.ORDER_REJECTED,
        group=f"{account}|DOGE/USDT|15m#1",
    )


def outage_log() -> tuple[LogRow, ...]:
    """A bad hour: a refused order, an account away, and a store that takes nothing any more."""
    away = log(
        88,
        "Account perp cannot be traded on: timed out after 10 s.",
        severity=Severity.ERROR,
        category=Category.SYSTEM,
        advice="Its orders rest at the exchange. It is asked again on its own.",
        at_ms=NOW_MS - 2 * MINUTE,
    )
    full = log(
        89,
        "The disk is full: nothing more can be stored.",
        severity=Severity.ERROR,
        category=Category.SYSTEM,
        advice="Make room or end what is in the way: it then goes on by itself. "
        "What rests on the exchange stays; nothing new is sent, alerts are answered with 503.",
        at_ms=NOW_MS - MINUTE,
    )
    return (
        *sample_log(), refused(number=87), replace(away, topic=Topic.ACCOUNT_AWAY),
        replace(full, topic=Topic.STORE_TROUBLE),
    )  # fmt: skip


def busy_groups(groups: int = 200, pyramids: int = 5, legs: int = 7) -> list[GroupRow]:
    """As many groups as the window must bear."""
    states = "tfcofot"[:legs]
    made = []
    for number in range(groups):
        base = D(10) + D(number) * D("1.37")
        rows = [ladder(index, f"{base + index:.2f}", states, quote="123.45") for index in range(pyramids)]
        made.append(
            group(
                f"C{number:03}/USDT",
                ("1m", "5m", "15m", "1h", "4h")[number % 5],
                pyramids=rows,
                opened_at_ms=NOW_MS - number * 7 * MINUTE,
                target=round(base * D("1.05"), 2),
            )
        )
    return made


def busy_quotes(groups: Sequence[GroupRow]) -> dict[tuple[str, str], Quote]:
    """A price for each group: from far below its average entry to above it."""
    prices = [quotes_for([row], str(D("0.87") + D("0.005") * (number % 40))) for number, row in enumerate(groups)]
    return {market: quote for found in prices for market, quote in found.items()}


def quotes_for(groups: Sequence[GroupRow], move: str = "1.01", at_ms: int = NOW_MS) -> dict[tuple[str, str], Quote]:
    """A price for each group, at `move` times its average entry."""
    return {
        (row.account, row.symbol): Quote(
            price=round((row.avg_entry or D(1)) * D(move), row.price_decimals), at_ms=at_ms
        )
        for row in groups
    }


def changes(
    groups: Sequence[GroupRow] = (),
    *,
    gone: Sequence[str] = (),
    quotes: dict[tuple[str, str], Quote] | None = None,
    signals: Sequence[SignalRow] = (),
    log: Sequence[LogRow] = (),
    engine: EngineRow | None = None,
    panels: PanelChanges | None = None,
) -> ViewChanges:
    return ViewChanges(
        groups={row.id: row for row in groups},
        gone_groups=tuple(gone),
        quotes=quotes or {},
        signals=tuple(signals),
        log=tuple(log),
        engine=engine,
        panels=panels or PanelChanges(),
    )
