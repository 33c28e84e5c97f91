"""A feed that is filled by hand and commands that are written down: the engine's two ends, for the window alone."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TypeVar

from exengine.domain.alert_text import AlertTemplate, alert_body, alert_text
from exengine.domain.events import QueueAction
from exengine.domain.group import GroupKey
from exengine.domain.instrument import Side
from exengine.domain.order import LegRef
from exengine.engine.intake import Verdict, VerdictKind
from exengine.engine.panel_rows import Panel, PanelChanges, Patch
from exengine.engine.past import TrailRow
from exengine.engine.rows import EngineRow, GroupRow, LogRow, Mode, Quote, SignalRow, ViewChanges
from exengine.ui.setup import AccountLabel, Setup

R = TypeVar("R")


class Feed:
    """Keeps everything, as the engine does, and hands out what changed since the last take."""

    def __init__(self) -> None:
        self._all = ViewChanges()
        self._changed = ViewChanges()
        self._callbacks: list[Callable[[bool], None]] = []
        self.taken = 0
        self.answers = False
        """Whether an alert is being answered."""
        self.watched: tuple[frozenset[Panel], str | None] = (frozenset(), None)

    def watch(self, panels: Iterable[Panel], group_id: str | None) -> None:
        self.watched = (frozenset(panels), group_id)

    def put(self, changes: ViewChanges, *, urgent: bool = False) -> None:
        self._all = merged(self._all, changes)
        self._changed = merged(self._changed, changes)
        for callback in list(self._callbacks):
            callback(urgent)

    def take(self, *, panels: bool = True) -> ViewChanges:
        self.taken += 1
        changed, self._changed = self._changed, ViewChanges()
        if not panels:
            self._changed = ViewChanges(panels=changed.panels)
            changed = replace(changed, panels=PanelChanges())
        return changed

    def take_panels(self) -> PanelChanges:
        panels = self._changed.panels
        self._changed = replace(self._changed, panels=PanelChanges())
        return panels

    def somebody_waits(self) -> bool:
        return self.answers

    def refresh(self) -> None:
        self._changed = self._all

    def subscribe(self, callback: Callable[[bool], None]) -> Callable[[], None]:
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)


def merged(old: ViewChanges, new: ViewChanges) -> ViewChanges:
    groups: dict[str, GroupRow] = {**old.groups, **new.groups}
    for gone in new.gone_groups:
        groups.pop(gone, None)
    quotes: dict[tuple[str, str], Quote] = {**old.quotes, **new.quotes}
    signals: tuple[SignalRow, ...] = (*old.signals, *new.signals)
    log: tuple[LogRow, ...] = (*old.log, *new.log)
    engine: EngineRow | None = new.engine or old.engine
    return ViewChanges(
        groups=groups,
        gone_groups=(*old.gone_groups, *new.gone_groups),
        quotes=quotes,
        signals=signals,
        log=log,
        engine=engine,
        panels=merged_panels(old.panels, new.panels),
    )


def merged_panels(old: PanelChanges, new: PanelChanges) -> PanelChanges:
    plan = new if new.plan_changed else old
    return PanelChanges(
        waiting=patched(old.waiting, new.waiting),
        risk=patched(old.risk, new.risk),
        risk_summary=new.risk_summary or old.risk_summary,
        plan=plan.plan,
        plan_changed=plan.plan_changed,
        offsets=(*old.offsets, *new.offsets),
        exposures=patched(old.exposures, new.exposures),
        capital=new.capital or old.capital,
        status=new.status or old.status,
    )


def patched(old: Patch[R], new: Patch[R]) -> Patch[R]:
    there = {key: row for key, row in {**old.rows, **new.rows}.items() if key not in new.gone}
    return Patch(rows=there, gone=(*old.gone, *new.gone))


@dataclass
class Recorder:
    """Commands, in the order in which they came."""

    asked: list[tuple[object, ...]] = field(default_factory=list)
    fails_with: Exception | None = None
    trails: dict[str, tuple[TrailRow, ...]] = field(default_factory=dict)
    verdict: Verdict = field(default_factory=lambda: Verdict(kind=VerdictKind.ACCEPTED, signal_id=12))

    def _note(self, *asked: object) -> None:
        self.asked.append(asked)
        if self.fails_with is not None:
            raise self.fails_with

    async def pause(self) -> None:
        self._note("pause")

    async def resume(self) -> None:
        self._note("resume")

    async def panic(self, entries_only: bool) -> None:
        self._note("panic", entries_only)

    async def close_group(self, group_id: str) -> None:
        self._note("close_group", group_id)

    async def close_part(self, group_id: str, qty: Decimal) -> str:
        self._note("close_part", group_id, qty)
        return "Close of 1 SOL asked by the trader."

    async def set_stop(self, group_id: str, price: Decimal | None) -> str:
        self._note("set_stop", group_id, price)
        return "Stop set by the trader."

    async def place_again(self, group_id: str, legs: tuple[LegRef, ...]) -> str:
        self._note("place_again", group_id, legs)
        return "Placed again by the trader: Entry of pyramid 1, DCA4."

    async def cancel_entries(self, group_id: str) -> None:
        self._note("cancel_entries", group_id)

    async def adopt(self, group_id: str) -> None:
        self._note("adopt", group_id)

    async def queue(self, action: QueueAction, key: GroupKey, side: Side) -> str:
        self._note("queue", action, key, side)
        return "Opened long: 5 legs from 0.6120 with 100 USDT."

    async def run_risk(self) -> str:
        self._note("run_risk")
        return "Offset: 312.68 USD of loss are to be paid by two winners."

    async def skip_once(self, key: GroupKey) -> None:
        self._note("skip_once", key)

    async def set_blocked(self, key: GroupKey, blocked: bool) -> None:
        self._note("set_blocked", key, blocked)

    async def send_test_alert(self, symbol: str, timeframe: str, side: Side, **more: object) -> Verdict:
        self._note("send_test_alert", symbol, timeframe, side, *more.values())
        return self.verdict

    async def replay_signal(self, signal_id: int) -> Verdict:
        self._note("replay_signal", signal_id)
        return self.verdict

    async def trail(self, cause: str) -> tuple[TrailRow, ...]:
        self._note("trail", cause)
        return self.trails.get(cause, ())


def setup(mode: Mode = Mode.PAPER) -> Setup:
    names = {
        Mode.PAPER: ("paper", "Paper"),
        Mode.TESTNET: ("test", "Binance spot"),
        Mode.LIVE: ("main", "Binance spot"),
    }
    name, venue = names[mode]
    return Setup(
        accounts=(
            AccountLabel(
                name=name, venue=venue, mode=mode, tv_exchange="BINANCE", symbols=("BTC/USDT", "ETH/USDT", "SOL/USDT")
            ),
            AccountLabel(name="perp", venue="Bybit swap", mode=mode, tv_exchange="BYBIT", symbols=("ETH/USDT:USDT",)),
        ),
        webhook_url="http://127.0.0.1:8787/webhook/4f1c0a",
        webhook_url_masked="http://127.0.0.1:8787/webhook/••••••",
        alert_text=alert_text(alert_body(AlertTemplate.STRATEGY, secret="correct horse")),
        alert_text_masked=alert_text(alert_body(AlertTemplate.STRATEGY, secret="••••••••••••")),
        is_public=False,
        test_symbols=("BTC/USDT", "ETH/USDT", "SOL/USDT"),
        test_legs=5,
        test_pyramids=5,
        test_amount=Decimal(100),
        slippage_percent=Decimal("1.0"),
        slippage_forced=True,
    )
