"""The accounts on real exchanges, as the configuration, the secrets and the store have them."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from exengine.domain.settings import AccountSettings, Settings
from exengine.domain.state import State
from exengine.engine.engine import Engine
from exengine.engine.ports import Clock
from exengine.engine.rows import Mode
from exengine.engine.supervisor import Supervisor
from exengine.engine.watchman import Watchman
from exengine.exchange.live.account import LiveExchange
from exengine.exchange.live.check import Finding, examine
from exengine.exchange.live.client import CcxtClient, Credentials, Venue
from exengine.exchange.live.profiles import PROFILES
from exengine.settings.account_keys import AccountKeys, account_keys
from exengine.settings.secret_places import require_place
from exengine.settings.secrets import SecretStore

WATCH_S = 1.0
"""How soon an exchange is asked for the prices of a symbol that is newly traded."""


def live_accounts(settings: Settings) -> tuple[AccountSettings, ...]:
    return tuple(account for account in settings.accounts if account.enabled and account.is_live)


def keys_of(settings: Settings, stores: Sequence[SecretStore]) -> dict[str, AccountKeys]:
    """The keys of every live account, by its name. Blocks while a store is asked.

    Raises UserError where no place for secrets is open, or an account has no keys.
    """
    names = [account.name for account in live_accounts(settings)]
    require_place(stores, names)
    return {name: account_keys(stores, name) for name in names}


def venue_of(account: AccountSettings) -> Venue:
    return Venue(
        profile=PROFILES[account.exchange],
        market_type=account.market_type,
        testnet=account.testnet,
        server=account.server,
    )


def live_exchange(state: State, account: AccountSettings, keys: AccountKeys, clock: Clock) -> LiveExchange:
    """A live account's exchange, that knows the orders which the books have. Connects to nothing yet."""
    orders = [order for order in state.orders.values() if order.account == account.name]
    return LiveExchange(account, venue_of(account), credentials(keys), clock, orders=orders)


def credentials(keys: AccountKeys) -> Credentials:
    """An account's keys as its client takes them."""
    return Credentials(api_key=keys.api_key, secret=keys.secret, passphrase=keys.passphrase)


async def examined(account: AccountSettings, stores: Sequence[SecretStore]) -> list[Finding]:
    """What is well with a live account and what is not, asked of its exchange. Raises UserError without keys."""
    keys = await asyncio.to_thread(account_keys, stores, account.name)
    client = CcxtClient(venue_of(account), credentials(keys))
    try:
        return await examine(client, account.market_type)
    finally:
        await client.close()


def mode_of(settings: Settings) -> Mode:
    """What the window says it trades with: real money where a single account does."""
    live = live_accounts(settings)
    if any(not account.testnet for account in live):
        return Mode.LIVE
    return Mode.TESTNET if live else Mode.PAPER


def look_after(supervisor: Supervisor, engine: Engine, state: State, exchange: LiveExchange) -> None:
    """Starts what keeps a live account in touch: its streams, and the comparison of the books."""
    watchman = Watchman(
        engine, state, exchange, now_s=time.monotonic, sees_orders=partial(getattr, exchange, "sees_orders")
    )
    exchange.on_seen = watchman.streams_changed
    runs = (exchange.run, watchman.run, watchman.watch_the_clock)
    for name, run in zip(tasks_of(exchange.account), runs, strict=True):
        supervisor.start(name, run)


def tasks_of(account: str) -> tuple[str, str, str]:
    """What the tasks are called that look after a live account."""
    return f"streams of {account}", f"watch of {account}", f"clock of {account}"


async def keep_watching(state: State, exchanges: Callable[[], Iterable[LiveExchange]]) -> None:
    """Tells each exchange whose prices are wanted, until cancelled."""
    while True:
        for exchange in exchanges():
            exchange.watch(wanted_symbols(state, exchange.account))
        await asyncio.sleep(WATCH_S)


def wanted_symbols(state: State, account: str) -> frozenset[str]:
    """Whose prices are looked at on an account: what lives or waits there, the coins of fees, and quotes in dollars."""
    groups = [group for group in state.groups.values() if group.key.account == account]
    traded = {group.key.symbol for group in groups} | {key.symbol for key, _ in state.waiting if key.account == account}
    quotes = {group.quote for group in groups}
    settings = state.settings.account(account)
    coin = PROFILES[settings.exchange].fee_coin if settings is not None else ""
    fees = {f"{coin}/{quote}" for quote in quotes if coin}
    return frozenset(traded | fees | {f"{quote}/USDT" for quote in quotes - {"USDT"}})
