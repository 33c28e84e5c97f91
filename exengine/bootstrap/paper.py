"""The paper market and its accounts, as the configuration and the store have them."""

from pathlib import Path
from typing import assert_never

from exengine.domain import pnl
from exengine.domain.instrument import Instrument, MarketType
from exengine.domain.money import HUNDRED, ZERO, arithmetic
from exengine.domain.order import OrderStatus
from exengine.domain.settings import AccountSettings
from exengine.domain.state import State
from exengine.engine.ports import Clock
from exengine.exchange.markets.source import PriceSource
from exengine.exchange.paper import PaperExchange
from exengine.exchange.paper_book import Fees, PaperBook
from exengine.settings.pages import Config
from exengine.settings.program_pages import MarketSource

MAJORS = frozenset(f"{coin}/USDT" for coin in ("BTC", "ETH", "SOL", "XRP", "ADA", "DOGE", "LTC", "BNB", "AVAX", "LINK"))
"""Always watched on a public feed, so that a test alert has a price to stand at."""


async def open_market(config: Config, folder: Path) -> PriceSource:
    """The paper market that the configuration asks for. Raises UserError for recorded files that cannot be used."""
    sim = config.sim
    match sim.market:
        case MarketSource.GENERATED:
            from exengine.exchange.markets.generated import GeneratedMarket

            return GeneratedMarket(seed=sim.seed)
        case MarketSource.RECORDED:
            from exengine.exchange.markets.recorded import RecordedMarket

            return RecordedMarket(sim.recorded_files(folder), speed=float(sim.speed))
        case MarketSource.LIVE:
            from exengine.exchange.markets.public import PublicMarket

            types = {MarketType(account.market_type.value) for account in config.effective_accounts()}
            return PublicMarket(sim.exchange.value, types=tuple(types))
        case _:
            assert_never(sim.market)


def wanted_symbols(state: State) -> set[str]:
    """The symbols whose prices somebody looks at."""
    listed = {symbol for _, symbol in state.instruments}
    majors = {symbol for symbol in listed if symbol.split(":")[0] in MAJORS}
    return majors | {group.key.symbol for group in state.groups.values()} | {key.symbol for key, _ in state.waiting}


def paper_fees(account: AccountSettings) -> Fees:
    """The account's own fees; where it gives none, those of each market."""
    return Fees(
        maker=None if account.maker_fee_percent is None else account.maker_fee_percent / HUNDRED,
        taker=None if account.taker_fee_percent is None else account.taker_fee_percent / HUNDRED,
    )


def paper_exchange(
    state: State, account: AccountSettings, listed: tuple[Instrument, ...], config: Config, clock: Clock
) -> PaperExchange:
    """A paper account's exchange, its book rebuilt from the store: balances, open orders, positions."""
    instruments = tuple(one for one in listed if one.type is account.market_type)
    book = PaperBook(
        account.name, fees=paper_fees(account), slippage_percent=config.sim.slippage_percent, leverage=account.leverage
    )
    exchange = PaperExchange(book, instruments, clock, latency_ms=config.sim.latency_ms)
    with arithmetic():
        for name, currency in {*state.start, *state.moved}:
            if name == account.name:
                book.deposit(currency, state.balance(name, currency))
        for order in state.orders.values():
            if order.account == account.name and order.status in (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED):
                book.restore(order, state.instruments[account.name, order.symbol])
        for group in state.groups.values():
            if group.key.account == account.name and group.market_type is MarketType.SWAP:
                contracts, average = group.side.sign * group.net_qty, pnl.group_avg_entry(group) or ZERO
                book.restore_position(group.key.symbol, contracts, contracts * group.contract_size * average)
    return exchange
