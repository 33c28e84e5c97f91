"""Binance's public spot pages, served locally as ccxt's real client asks for them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import yarl
from aiohttp import web

HOST = "api.binance.com"

SYMBOLS: list[dict[str, Any]] = [
    {"symbol": "BTCUSDT", "base": "BTC", "tick": "0.01000000", "step": "0.00001000", "most": "9000.00000000"},
    {"symbol": "ETHUSDT", "base": "ETH", "tick": "0.01000000", "step": "0.00010000", "most": "9000.00000000"},
    {"symbol": "PEPEUSDT", "base": "PEPE", "tick": "0.00000001", "step": "1.00000000", "most": "92141578.00000000"},
    {"symbol": "LUNAUSDT", "base": "LUNA", "tick": "0.00010000", "step": "0.01000000", "most": "900000.00000000"},
]
HALTED = "LUNAUSDT"


@dataclass(slots=True, kw_only=True)
class PublicBinance:
    """What the server tells, what goes wrong with it, and what it was asked."""

    prices: dict[str, str | None] = field(
        default_factory=lambda: {"BTCUSDT": "95000.01000000", "ETHUSDT": "3200.00000000", "PEPEUSDT": "0.00001234"}
    )
    bars: dict[str, list[tuple[int, str, str, str, str]]] = field(default_factory=dict)
    """Of a symbol its bars of a minute: open time, open, high, low, close."""
    fault: tuple[int, str, dict[str, str]] | None = None
    """Status, body and headers of every answer while it is set."""
    faults_left: int | None = None
    """After so many of them it is well again; None: never by itself."""
    hangs: bool = False
    asked: list[str] = field(default_factory=list)
    base: str = ""

    def session(self) -> "RewritingSession":
        return RewritingSession(self.base)

    def paths(self) -> list[str]:
        return [each.partition("?")[0] for each in self.asked]

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path_qs)
        if self.hangs:
            await asyncio.sleep(3600)
        if self.fault is not None:
            status, body, headers = self.fault
            if self.faults_left is not None:
                self.faults_left -= 1
                self.fault = self.fault if self.faults_left else None
            return web.Response(status=status, text=body, headers=headers)
        match request.path:
            case "/api/v3/exchangeInfo":
                return web.json_response({"timezone": "UTC", "symbols": [market(each) for each in SYMBOLS]})
            case "/api/v3/ticker/24hr":
                return self._tickers(request)
            case "/api/v3/klines":
                return self._klines(request)
            case _:
                return web.json_response({"code": -1, "msg": "no such page"}, status=404)

    def _klines(self, request: web.Request) -> web.Response:
        since, count = int(request.query["startTime"]), int(request.query["limit"])
        until = int(request.query.get("endTime", 2**62))
        found = [bar for bar in self.bars.get(request.query["symbol"], []) if since <= bar[0] <= until][:count]
        # Open time, open, high, low, close, volume, close time, and more that nobody asks for.
        return web.json_response([[*bar, "12.50000000", bar[0] + 59_999, "0", 9, "0", "0", "0"] for bar in found])

    def _tickers(self, request: web.Request) -> web.Response:
        single = request.query.get("symbol")
        asked = [single] if single else json.loads(request.query["symbols"])
        if any(symbol not in {each["symbol"] for each in SYMBOLS} for symbol in asked):
            return web.json_response({"code": -1121, "msg": "Invalid symbol."}, status=400)
        tickers = [ticker(symbol, self.prices.get(symbol)) for symbol in asked]
        return web.json_response(tickers[0] if single else tickers)


class RewritingSession:
    """Sends what is meant for Binance to the local server, and refuses to go anywhere else."""

    def __init__(self, base: str) -> None:
        self._base = yarl.URL(base)
        self._session = aiohttp.ClientSession()

    @property
    def headers(self) -> Any:
        return self._session.headers

    def get(self, url: yarl.URL, **options: Any) -> Any:
        if url.host != HOST:
            raise AssertionError(f"nothing but {HOST} is to be asked, not {url.host}")
        local = url.with_scheme("http").with_host(str(self._base.host)).with_port(self._base.port)
        return self._session.get(local, **options)

    async def close(self) -> None:
        await self._session.close()


@asynccontextmanager
async def public_binance() -> AsyncIterator[PublicBinance]:
    """A server on a free port of this machine, for as long as the block lasts."""
    binance = PublicBinance()
    app = web.Application()
    app.router.add_get("/{path:.*}", binance.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    binance.base = f"http://{host}:{port}"
    try:
        yield binance
    finally:
        await runner.cleanup()


def market(of: dict[str, Any]) -> dict[str, Any]:
    return {
        "symbol": of["symbol"],
        "status": "BREAK" if of["symbol"] == HALTED else "TRADING",
        "baseAsset": of["base"],
        "baseAssetPrecision": 8,
        "quoteAsset": "USDT",
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"],
        "icebergAllowed": True,
        "ocoAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": of["tick"], "maxPrice": "1000000.00", "tickSize": of["tick"]},
            {"filterType": "LOT_SIZE", "minQty": of["step"], "maxQty": of["most"], "stepSize": of["step"]},
            {"filterType": "MARKET_LOT_SIZE", "minQty": "0.00000000", "maxQty": "120.00000000", "stepSize": "0.00"},
            {
                "filterType": "NOTIONAL",
                "minNotional": "5.00000000",
                "applyMinToMarket": True,
                "maxNotional": "9000000.00000000",
                "applyMaxToMarket": False,
                "avgPriceMins": 5,
            },
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_MAKER"],
    }


def ticker(symbol: str, price: str | None) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "priceChange": "10.00000000",
        "priceChangePercent": "0.100",
        "weightedAvgPrice": price,
        "prevClosePrice": price,
        "lastPrice": price,
        "lastQty": "0.00100000",
        "bidPrice": price,
        "bidQty": "1.00000000",
        "askPrice": price,
        "askQty": "1.00000000",
        "openPrice": price,
        "highPrice": price,
        "lowPrice": price,
        "volume": "1000.00000000",
        "quoteVolume": "95000000.00000000",
        "openTime": 1_767_139_200_000,
        "closeTime": 1_767_225_600_000,
        "firstId": 1,
        "lastId": 2,
        "count": 2,
    }
