"""Asks an exchange for its market rules and prices through ccxt, without any key."""

import asyncio
import importlib
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any

from exengine.domain.errors import Retryable, UserError
from exengine.domain.instrument import Instrument, MarketType
from exengine.exchange import market_rules
from exengine.exchange.ccxt_rounding import keep_rounding_apart

SessionFactory = Callable[[], Any]
"""Makes the aiohttp session, or what behaves like one, on the loop on which it is used."""

MARKETS_OF_TYPE = {MarketType.SPOT: "spot", MarketType.SWAP: "swap"}
BINANCE_LINEAR = {MarketType.SPOT: "spot", MarketType.SWAP: "linear"}
SAYS_LINEAR = ("binance", "bybit")
"""Exchanges whose perpetuals ccxt files under `linear`."""

TEXT_LENGTH = 300
MOST_SINGLE = 20


class Unreadable(Retryable):
    """An answer came, and ccxt could not make sense of it."""


class PublicClient:
    """One exchange's public side. Lives on one loop; everything here may take a second of computing.

    It is asked one thing at a time: what was cut short is over before the next question begins.
    """

    def __init__(
        self, exchange: str, types: Collection[MarketType], *, timeout_s: float, session: SessionFactory | None
    ) -> None:
        self._exchange = exchange
        self._types = types
        self._timeout_ms = int(timeout_s * 1000)
        self._make_session = session
        self._session: Any = None
        self._client: Any = None
        self._ccxt: Any = None
        self._turn = asyncio.Lock()

    async def instruments(self) -> tuple[Instrument, ...]:
        """What is traded, asked anew. Raises Retryable, or UserError for an exchange that ccxt does not know."""
        async with self._turn:
            markets = await self._ask("load_markets", True)
        wanted = {symbol: market for symbol, market in markets.items() if self._is_ours(market)}
        found = market_rules.instruments(wanted)
        if not found:
            raise Retryable(f"{self._exchange} lists no markets")
        return found

    async def prices(self, symbols: Collection[str]) -> dict[str, Decimal]:
        """The last prices of `symbols`; what is unknown here, or has no price, is left out. Raises as `instruments`."""
        found: dict[str, Decimal] = {}
        async with self._turn:
            markets = await self._ask("load_markets")
            for kind in MARKETS_OF_TYPE.values():
                asked = [symbol for symbol in symbols if symbol in markets and markets[symbol]["type"] == kind]
                tickers = await self._tickers(asked) if asked else {}
                found |= {symbol: price for symbol in asked if (price := last_price(tickers.get(symbol) or {}))}
        return found

    async def bars(self, symbol: str, timeframe: str, since_ms: int, count: int) -> list[Sequence[Any]]:
        """At most `count` bars from `since_ms` on: open time and, as text, open, high, low, close and volume.

        Raises as `instruments`, and UserError for a symbol or a length of bar that is not there.
        """
        async with self._turn:
            markets = await self._ask("load_markets")
            if symbol not in markets:
                raise UserError(
                    f"{self._exchange} lists no {symbol}.", remedy="Choose another exchange, or prices from files."
                )
            if timeframe not in (self._client.timeframes or {}):
                raise UserError(f"{self._exchange} has no bars of {timeframe}.", remedy="Choose another length of bar.")
            return list(await self._ask("fetch_ohlcv", symbol, timeframe, since_ms, count))

    async def _tickers(self, symbols: Sequence[str]) -> dict[str, Any]:
        """All in one question; where one cannot be read and spoils the others, each in a question of its own."""
        try:
            return dict(await self._ask("fetch_tickers", symbols))
        except Unreadable:
            if not 1 < len(symbols) <= MOST_SINGLE:
                raise
        found = {}
        for symbol in symbols:
            with suppress(Unreadable):
                found[symbol] = await self._ask("fetch_ticker", symbol)
        return found

    async def close(self) -> None:
        """Closes the connections; the next question opens new ones."""
        async with self._turn:
            await self._let_go()
        self._turn = asyncio.Lock()  # the next question may come on another loop

    async def _let_go(self) -> None:
        client, session, self._client, self._session = self._client, self._session, None, None
        if client is not None:
            await client.close()
        if session is not None:
            await session.close()

    async def _ask(self, question: str, *about: object) -> Any:
        """The answer, with ccxt's errors told apart by what to do about them."""
        client = self._opened()
        try:
            return await getattr(client, question)(*about)
        except (self._ccxt.BaseError, OSError) as error:
            raise Retryable(self._text(error), after_ms=self._after_ms(error)) from error
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            # A proxy's page or half an answer gets as far as ccxt's parser.
            raise Unreadable(self._text(error, "its answer cannot be read")) from error
        except BaseException:
            # A load that was cut short leaves ccxt with a future that stays cancelled: begin afresh.
            await self._let_go()
            raise

    def _opened(self) -> Any:
        if self._client is None:
            self._ccxt = importlib.import_module("ccxt.async_support")
            if self._exchange not in self._ccxt.exchanges:
                raise UserError(
                    f'There is no exchange "{self._exchange}" to take prices from.',
                    remedy="Choose another one, or the generated market.",
                )
            config = self._config()
            if self._make_session is not None:
                config["session"] = self._session = self._make_session()
            self._client = getattr(self._ccxt, self._exchange)(config)
            keep_rounding_apart(self._client)
            self._client.has["fetchCurrencies"] = False
        return self._client

    def _config(self) -> dict[str, Any]:
        names = BINANCE_LINEAR if self._exchange.startswith(SAYS_LINEAR) else MARKETS_OF_TYPE
        options: dict[str, Any] = {"defaultType": "spot" if MarketType.SPOT in self._types else "swap"}
        if self._exchange != "mexc":
            options["fetchMarkets"] = {"types": [names[each] for each in MARKETS_OF_TYPE if each in self._types]}
        return {
            # It is asked once a second, and pauses are made here: a second limiter would only hold answers up.
            "enableRateLimit": False,
            "timeout": self._timeout_ms,
            "aiohttp_trust_env": True,
            "number": str,  # what it parses stays text: no price is ever a float
            "options": options,
        }

    def _is_ours(self, market: Mapping[str, Any]) -> bool:
        return any(market.get("type") == MARKETS_OF_TYPE[each] for each in self._types)

    def _text(self, error: Exception, what: str = "") -> str:
        said = " ".join(str(error).split())[:TEXT_LENGTH]
        name = getattr(self._client, "name", None) or self._exchange
        return f"{name} gives no prices: " + ", ".join(filter(None, (what or self._why(error), said)))

    def _why(self, error: Exception) -> str:
        match error:
            case self._ccxt.DDoSProtection() | self._ccxt.RateLimitExceeded():
                return "it was asked too often"
            case self._ccxt.RequestTimeout():
                return "it does not answer in time"
            case self._ccxt.NetworkError() | OSError():
                return "it cannot be reached"
            case _:
                return "it answers with an error"

    def _after_ms(self, error: Exception) -> int | None:
        """How long the exchange wants to be left alone, where it says so."""
        if not isinstance(error, self._ccxt.DDoSProtection | self._ccxt.RateLimitExceeded):
            return None
        headers = getattr(self._client, "last_response_headers", None) or {}
        after = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
        return int(after) * 1000 if after.isascii() and after.isdigit() else None


def last_price(ticker: Mapping[str, Any]) -> Decimal | None:
    """A ticker's last price; None where there is none, or none that could be one."""
    try:
        price = market_rules.number(ticker.get("last"))
    except ValueError:
        return None
    return price if price is not None and price > 0 else None
