"""What each of the six exchanges answers to ccxt's questions about its spot markets and their prices: one pair each."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import yarl
from aiohttp import web

from tests.helpers.public_binance import SYMBOLS, market, ticker

PRICE = "95000.5"

BYBIT_RULES = {
    "symbol": "BTCUSDT",
    "baseCoin": "BTC",
    "quoteCoin": "USDT",
    "innovation": "0",
    "status": "Trading",
    "marginTrading": "both",
    "lotSizeFilter": {
        "basePrecision": "0.000001",
        "quotePrecision": "0.00000001",
        "minOrderQty": "0.000011",
        "maxOrderQty": "83",
        "minOrderAmt": "5",
        "maxOrderAmt": "8000000",
    },
    "priceFilter": {"tickSize": "0.1"},
}
OKX_RULES = {
    "alias": "",
    "baseCcy": "BTC",
    "category": "1",
    "ctMult": "",
    "ctType": "",
    "ctVal": "",
    "ctValCcy": "",
    "expTime": "",
    "instId": "BTC-USDT",
    "instType": "SPOT",
    "lever": "10",
    "listTime": "1548133413000",
    "lotSz": "0.00000001",
    "minSz": "0.00001",
    "optType": "",
    "quoteCcy": "USDT",
    "settleCcy": "",
    "state": "live",
    "stk": "",
    "tickSz": "0.1",
    "uly": "",
}
KUCOIN_RULES = {
    "symbol": "BTC-USDT",
    "name": "BTC-USDT",
    "baseCurrency": "BTC",
    "quoteCurrency": "USDT",
    "feeCurrency": "USDT",
    "market": "USDS",
    "baseMinSize": "0.00001",
    "quoteMinSize": "0.1",
    "baseMaxSize": "10000000000",
    "quoteMaxSize": "99999999",
    "baseIncrement": "0.00000001",
    "quoteIncrement": "0.000001",
    "priceIncrement": "0.1",
    "priceLimitRate": "0.1",
    "isMarginEnabled": True,
    "enableTrading": True,
}
KUCOIN_TICKER = {
    "symbol": "BTC-USDT",
    "symbolName": "BTC-USDT",
    "buy": PRICE,
    "sell": PRICE,
    "changeRate": "0.001",
    "changePrice": "10",
    "high": PRICE,
    "low": PRICE,
    "vol": "2000",
    "volValue": "190000000",
    "last": PRICE,
    "averagePrice": PRICE,
    "takerFeeRate": "0.001",
    "makerFeeRate": "0.001",
    "takerCoefficient": "1",
    "makerCoefficient": "1",
}
MEXC_RULES = {
    "symbol": "BTCUSDT",
    "status": "1",
    "baseAsset": "BTC",
    "baseAssetPrecision": 8,
    "quoteAsset": "USDT",
    "quotePrecision": 2,
    "quoteAssetPrecision": 2,
    "baseCommissionPrecision": 8,
    "quoteCommissionPrecision": 2,
    "orderTypes": ["LIMIT", "MARKET", "LIMIT_MAKER"],
    "isSpotTradingAllowed": True,
    "isMarginTradingAllowed": False,
    "quoteAmountPrecision": "1",
    "baseSizePrecision": "0.000001",
    "permissions": ["SPOT"],
    "filters": [],
    "maxQuoteAmount": "4000000",
    "makerCommission": "0",
    "takerCommission": "0.0005",
}
GATE_RULES = {
    "id": "BTC_USDT",
    "base": "BTC",
    "base_name": "Bitcoin",
    "quote": "USDT",
    "quote_name": "Tether",
    "fee": "0.2",
    "min_base_amount": "0.000001",
    "min_quote_amount": "3",
    "max_quote_amount": "5000000",
    "amount_precision": 6,
    "precision": 1,
    "trade_status": "tradable",
    "sell_start": 0,
    "buy_start": 0,
    "type": "normal",
}


def _bybit(part: dict[str, Any]) -> dict[str, Any]:
    return {"retCode": 0, "retMsg": "OK", "result": {"category": "spot", "list": [part]}, "retExtInfo": {}, "time": 1}


ANSWERS: dict[str, dict[str, Any]] = {
    "binance": {
        "/api/v3/exchangeInfo": {"symbols": [market(SYMBOLS[0])]},
        "/api/v3/ticker/24hr": [ticker("BTCUSDT", PRICE)],
    },
    "bybit": {
        "/v5/market/instruments-info": _bybit(BYBIT_RULES),
        "/v5/market/tickers": _bybit({"symbol": "BTCUSDT", "lastPrice": PRICE, "prevPrice24h": PRICE}),
    },
    "okx": {
        "/api/v5/public/instruments": {"code": "0", "data": [OKX_RULES], "msg": ""},
        "/api/v5/market/tickers": {
            "code": "0",
            "data": [{"instType": "SPOT", "instId": "BTC-USDT", "last": PRICE, "ts": "1767225600000"}],
            "msg": "",
        },
    },
    "kucoin": {
        "/api/v2/symbols": {"code": "200000", "data": [KUCOIN_RULES]},
        "/api/v1/market/allTickers": {"code": "200000", "data": {"time": 1767225600000, "ticker": [KUCOIN_TICKER]}},
    },
    "mexc": {
        "/api/v3/exchangeInfo": {"symbols": [MEXC_RULES]},
        "/api/v1/contract/detail": {"success": True, "code": 0, "data": []},
        "/api/v3/ticker/24hr": {"symbol": "BTCUSDT", "lastPrice": PRICE, "closeTime": 1767225600000},
    },
    "gate": {
        "/api/v4/margin/currency_pairs": [],
        "/api/v4/spot/currency_pairs": [GATE_RULES],
        "/api/v4/spot/tickers": [{"currency_pair": "BTC_USDT", "last": PRICE}],
    },
}
"""By exchange and path, in the shape of each exchange's own documentation."""


@dataclass(slots=True, kw_only=True)
class LocalExchange:
    """Any of the six, served from this machine."""

    name: str
    asked: list[str] = field(default_factory=list)
    base: str = ""

    def session(self) -> "AnyHostSession":
        return AnyHostSession(self.base)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        if request.path not in ANSWERS[self.name]:
            return web.json_response({"message": f"no such page: {request.path_qs}"}, status=404)
        return web.json_response(ANSWERS[self.name][request.path])


class AnyHostSession:
    """Sends every question to the local server, so that none leaves this machine."""

    def __init__(self, base: str) -> None:
        self._base = yarl.URL(base)
        self._session = aiohttp.ClientSession()

    @property
    def headers(self) -> Any:
        return self._session.headers

    def get(self, url: yarl.URL, **options: Any) -> Any:
        local = url.with_scheme("http").with_host(str(self._base.host)).with_port(self._base.port)
        return self._session.get(local, **options)

    async def close(self) -> None:
        await self._session.close()


@asynccontextmanager
async def local_exchange(name: str) -> AsyncIterator[LocalExchange]:
    """The exchange on a free port of this machine, for as long as the block lasts."""
    exchange = LocalExchange(name=name)
    app = web.Application()
    app.router.add_get("/{path:.*}", exchange.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    exchange.base = f"http://{host}:{port}"
    try:
        yield exchange
    finally:
        await runner.cleanup()
