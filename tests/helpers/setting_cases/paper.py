"""Stories of the page `sim`: the market that paper accounts trade on, and what stands between an order and it."""

import asyncio
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

from exengine.bootstrap.paper import open_market, paper_exchange
from exengine.domain.events import OrderFilled
from exengine.domain.order import Order, OrderSide, OrderType, Role
from exengine.domain.state import State
from exengine.exchange.markets.source import PriceSource, SystemClock
from exengine.exchange.markets.timed import TimedMarket
from exengine.settings.pages import Config
from exengine.settings.plain import trading_settings
from tests.helpers.market_clock import MarketClock
from tests.helpers.price_files import START_MS, Player, trades
from tests.helpers.setting_cases.case import Case
from tests.helpers.setting_cases.plays import money, played, simulated
from tests.helpers.world import BTC, ETH

FILES = ("BTCUSDT.csv", "ETHUSDT.csv")


async def _opened(config: Config, folder: Path) -> PriceSource:
    for name, price in zip(FILES, ("50000", "2000"), strict=True):
        trades(folder, [(0, price), (10_000, price)], name)
    return await open_market(config, folder)


def source(config: Config) -> str:
    """Whose prices a paper account sees."""

    async def described(folder: Path) -> str:
        market = await _opened(config, folder)
        try:
            return market.description
        finally:
            await market.close()

    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(described(Path(folder)))


def first_prices(config: Config) -> dict[str, str]:
    """Where each symbol stands a second after its market's beginning."""

    async def read(folder: Path) -> dict[str, str]:
        market = await _opened(config, folder)
        assert isinstance(market, TimedMarket)
        listed = await market.instruments()
        market.watch([one.symbol for one in listed if one.symbol in ("BTC/USDT", "ETH/USDT")])
        until_ms = START_MS if config.sim.recorded else 2000
        return {tick.symbol: money(tick.price) for tick in market.ticks(until_ms)}

    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(read(Path(folder)))


def when_the_ticks_came(config: Config) -> list[float]:
    """The seconds at which a file's two ticks, ten seconds apart, were played."""

    async def watched(folder: Path) -> list[float]:
        market = await _opened(config, folder)
        assert isinstance(market, TimedMarket)
        clock = MarketClock()
        market._clock = clock
        player = Player(market, clock)
        async with player.playing():
            await player.until_s(20)
        return [second for second, symbol, _ in player.got if symbol == "BTC/USDT"]

    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(watched(Path(folder)))


def price_of_an_exit(config: Config) -> str:
    said = [(0, {}), (5, {"tv__action": "sell", "execution_intent": {"type": "exit"}})]
    record = played(config, [(0, "50000"), (10, "50000")], said)
    return money(record.fills[-1].fill.price)


def a_market_order_on_its_way(config: Config) -> tuple[float, str]:
    """How long it took, and what it got: 50,000 when it was sent, 51,000 a tenth of a second later."""

    async def sent() -> tuple[float, str]:
        settings = trading_settings(config, local_timezone="UTC")
        account = settings.accounts[0]
        state = State(instance="test", settings=settings)
        state.start["paper", "USDT"] = Decimal(10_000)
        exchange = paper_exchange(state, account, (BTC, ETH), config, SystemClock())

        async def sink(event: object) -> None: ...

        async def settled() -> None: ...

        await exchange.connect(sink)
        await exchange.on_price("BTC/USDT", Decimal(50000), settled)

        async def answered() -> tuple[float, str]:
            (filled,) = (one for one in await exchange.place(BUY) if isinstance(one, OrderFilled))
            return asyncio.get_running_loop().time(), money(filled.fill.price)

        placing = asyncio.create_task(answered())
        await asyncio.sleep(0.1)
        await exchange.on_price("BTC/USDT", Decimal(51000), settled)
        return await placing

    return simulated(sent())


BUY = Order(
    client_id="x1", group_id="paper|BTC/USDT|15m#1", account="paper", symbol="BTC/USDT", role=Role.ENTRY,
    side=OrderSide.BUY, type=OrderType.MARKET, price=None, qty=Decimal("0.01"), created_at_ms=0,
)  # fmt: skip

RECORDED: dict[str, Any] = {"sim.market": "recorded", "sim.recorded": ["BTCUSDT.csv"]}

CASES = [
    Case(path="sim.slippage_percent", value="0.5", story=price_of_an_exit, plain="50000", changed="49750"),
    Case(path="sim.latency_ms", value=250, story=a_market_order_on_its_way,
         plain=(0.0, "50000"), changed=(0.25, "51000")),
    Case(path="sim.market", value="recorded", story=source, given={"sim.recorded": ["BTCUSDT.csv"]},
         plain="generated market, seed 1", changed="recorded BTCUSDT.csv at 1×"),
    Case(path="sim.market", value="live", story=source,
         plain="generated market, seed 1", changed="public prices of binance, no symbol in use"),
    *(Case(path="sim.exchange", value=name, story=source, given={"sim.market": "live"},
           plain="public prices of binance, no symbol in use", changed=f"public prices of {name}, no symbol in use")
      for name in ("bybit", "okx", "kucoin", "mexc", "gate")),
    Case(path="sim.recorded", value=["ETHUSDT.csv"], story=first_prices, given=RECORDED,
         plain={"BTC/USDT": "50000"}, changed={"ETH/USDT": "2000"}),
    Case(path="sim.speed", value="4", story=when_the_ticks_came, given=RECORDED, plain=[0.0, 10.0], changed=[0.0, 2.5]),
    Case(path="sim.seed", value=2, story=first_prices,
         plain={"BTC/USDT": "95007.71", "ETH/USDT": "3200.19"},
         changed={"BTC/USDT": "95001.38", "ETH/USDT": "3200.08"}),
]  # fmt: skip
