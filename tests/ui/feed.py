"""A feed that is filled by hand and commands that are written down: the engine's two ends, for the window alone."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from exengine.domain.instrument import Side
from exengine.engine.intake import Verdict, VerdictKind
from exengine.engine.rows import EngineRow, GroupRow, LogRow, Mode, Quote, SignalRow, ViewChanges
from exengine.ui.setup import AccountLabel, Setup


class Feed:
    """Keeps everything, as the engine does, and hands out what changed since the last take."""

    def __init__(self) -> None:
        self._all = ViewChanges()
        self._changed = ViewChanges()
        self._callbacks: list[Callable[[bool], None]] = []
        self.taken = 0

    def put(self, changes: ViewChanges, *, urgent: bool = False) -> None:
        self._all = merged(self._all, changes)
        self._changed = merged(self._changed, changes)
        for callback in list(self._callbacks):
            callback(urgent)

    def take(self) -> ViewChanges:
        self.taken += 1
        changed, self._changed = self._changed, ViewChanges()
        return changed

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
    )


@dataclass
class Recorder:
    """Commands, in the order in which they came."""

    asked: list[tuple[object, ...]] = field(default_factory=list)
    fails_with: Exception | None = None
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

    async def cancel_entries(self, group_id: str) -> None:
        self._note("cancel_entries", group_id)

    async def send_test_alert(self, symbol: str, timeframe: str, side: Side) -> Verdict:
        self._note("send_test_alert", symbol, timeframe, side)
        return self.verdict


ALERT_TEXT = """{ "secret": "%s",
  "tv": { "exchange": "{{exchange}}", "symbol": "{{ticker}}",
          "timeframe": "{{interval}}", "action": "buy",
          "market_position": "long", "close_price": {{close}} },
  "execution_intent": { "type": "signal" } }"""


def setup(mode: Mode = Mode.PAPER) -> Setup:
    names = {
        Mode.PAPER: ("paper", "Paper"),
        Mode.TESTNET: ("test", "Binance spot"),
        Mode.LIVE: ("main", "Binance spot"),
    }
    name, venue = names[mode]
    return Setup(
        accounts=(
            AccountLabel(name=name, venue=venue, mode=mode),
            AccountLabel(name="perp", venue="Bybit swap", mode=mode),
        ),
        webhook_url="http://127.0.0.1:8787/webhook/4f1c0a",
        webhook_url_masked="http://127.0.0.1:8787/webhook/••••••",
        alert_text=ALERT_TEXT % "correct horse",
        alert_text_masked=ALERT_TEXT % "••••••••••••",
        is_public=False,
        test_symbols=("BTC/USDT", "ETH/USDT", "SOL/USDT"),
        test_legs=5,
        test_amount=Decimal(100),
        slippage_percent=Decimal("1.0"),
        slippage_forced=True,
    )
