"""Gathers what the Status dock tells: of accounts, listener, store and tasks, at the moment of asking."""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from exengine.domain.settings import AccountSettings
from exengine.domain.state import State
from exengine.engine.status import (
    AccountStatus,
    Connection,
    ListenerStatus,
    Mode,
    Status,
    StoreStatus,
    TaskStatus,
)
from exengine.engine.supervisor import Supervisor
from exengine.engine.views import Views
from exengine.exchange.live.account import LiveExchange
from exengine.exchange.live.client import Pulse
from exengine.settings.program_pages import EXCHANGES
from exengine.store.address import Place


def gathered(
    state: State,
    views: Views,
    supervisor: Supervisor,
    live: Iterable[LiveExchange],
    place: Place | None,
    listener: ListenerStatus | None,
) -> Status:
    """Everything at this moment. Asks nobody: it is called as often as the window is painted.

    `place` is the store's, None while it is closed.
    """
    exchanges = {exchange.account: exchange for exchange in live}
    running = supervisor.running
    names = dict.fromkeys([*running, *supervisor.restarts])
    return Status(
        accounts=tuple(
            account_status(state, views, account, exchanges.get(account.name)) for account in state.settings.accounts
        ),
        listener=listener,
        store=None if place is None else _store(place, views),
        tasks=tuple(_task(supervisor, name, running=name in running) for name in names),
    )


def _task(supervisor: Supervisor, name: str, *, running: bool) -> TaskStatus:
    silent_s = supervisor.silent_s(name)
    return TaskStatus(
        name=name,
        running=running,
        restarts=supervisor.restarts.get(name, 0),
        silent_s=None if silent_s is None else int(silent_s),
    )


def account_status(
    state: State, views: Views, account: AccountSettings, exchange: LiveExchange | None = None
) -> AccountStatus:
    """One account; `exchange` is a live one's."""
    name = account.name
    pulse = Pulse() if exchange is None else exchange.pulse
    away = state.unreachable.get(name, "")
    prices = [quote.at_ms for (owner, _), quote in state.quotes.items() if owner == name]
    rules = sum(1 for owner, _ in state.instruments if owner == name)
    return AccountStatus(
        name=name,
        venue=venue_of(account),
        mode=mode_of(account),
        connection=_connection(account, away, heard_of=bool(prices or rules)),
        why=away,
        latency_ms=pulse.latency_ms,
        clock_skew_ms=pulse.clock_skew_ms,
        rate_used_percent=None if pulse.rate_used_percent is None else Decimal(pulse.rate_used_percent),
        rules=rules,
        rules_at_ms=views.rules_at_ms.get(name) if exchange is None else exchange.rules_at_ms,
        streaming=None if exchange is None else exchange.sees_orders,
        polled_at_ms=None if exchange is None else exchange.reported_at_ms,
        priced_at_ms=max(prices, default=None),
    )


def _connection(account: AccountSettings, away: str, *, heard_of: bool) -> Connection:
    if not account.enabled:
        return Connection.OFF
    if away:
        return Connection.AWAY
    return Connection.CONNECTED if heard_of else Connection.NOT_YET


def venue_of(account: AccountSettings) -> str:
    """`Binance spot`, `Paper`."""
    if not account.is_live:
        return "Paper"
    return f"{EXCHANGES[account.exchange]} {account.market_type.value}"


def mode_of(account: AccountSettings) -> Mode:
    """With what money an account trades."""
    if not account.is_live:
        return Mode.PAPER
    return Mode.TESTNET if account.testnet else Mode.LIVE


def _store(place: Place, views: Views) -> StoreStatus:
    if not isinstance(place, Path):
        return StoreStatus(
            kind="PostgreSQL",
            place=str(place),
            last_commit_at_ms=views.last_commit_at_ms,
            trouble=views.store_trouble,
        )
    files = [place, place.with_name(place.name + "-wal")]
    sizes = []
    for file in files:
        try:
            sizes.append(file.stat().st_size)
        except OSError:  # the log comes and goes
            continue
    return StoreStatus(
        kind="SQLite",
        place=place.name,
        size_bytes=sum(sizes) if sizes else None,
        last_commit_at_ms=views.last_commit_at_ms,
        trouble=views.store_trouble,
    )
