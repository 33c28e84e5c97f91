"""Which instruments a price file stands for, and plausible rules for those that nobody told us the rules of."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from decimal import Decimal
from itertools import chain
from pathlib import Path

from exengine.assets import asset
from exengine.domain import money
from exengine.domain.errors import UserError
from exengine.domain.instrument import Instrument, MarketType
from exengine.exchange import market_rules
from exengine.exchange.markets.price_file import PriceFile

KNOWN_RULES = "markets/generated.json"

LEAST_ORDER = {
    **dict.fromkeys(("USDT", "USDC", "FDUSD", "TUSD", "BUSD", "DAI", "USD", "EUR", "GBP"), Decimal(5)),
    **dict.fromkeys(("TRY", "BRL"), Decimal(10)),
    "JPY": Decimal(100),
    "BNB": Decimal("0.01"),
    "ETH": Decimal("0.001"),
    "BTC": Decimal("0.0001"),
}
"""The quotes that a name may end in, and what an order in them must be worth, as on Binance."""

FEE = Decimal("0.001")
LEAST_TICKS_IN_PRICE = 2000
STEPS_IN_LEAST_ORDER = 5
"""So many steps at least are in the smallest order: a step is never a large part of one."""


def exchange_id(path: Path, known: Collection[str] = ()) -> str:
    """The exchange id that a file is named by, in capitals.

    `BTCUSDT.csv` and `BTCUSDT_1m_2022-01.csv` are BTCUSDT: the name up to the first underscore. Where the longer name
    is one of `known`, or only with its second part ends in a quote, the id has an underscore itself: `BTC_USDT.csv`.
    """
    parts = path.stem.upper().split("_")
    names = ["_".join(parts[:count]) for count in range(len(parts), 0, -1)]
    for name in names:
        if name in known:
            return name
    if len(parts) > 1 and _split(parts[0]) is None and parts[1] in LEAST_ORDER:
        return "_".join(parts[:2])
    return parts[0]


def instruments_of(file: PriceFile) -> tuple[Instrument, ...]:
    """Spot and perpetual of a file's symbol.

    The rules are the generated market's where it has the id, with the file's finer tick where the price is too small
    for the known one. Else they are guessed: the quote from the end of the name, the tick from the prices' decimals,
    the least order as on Binance, a step that is a small part of it, fees of 0.1 %, contracts of 1. Raises UserError
    for a name that ends in no known quote.
    """
    known = market_rules.from_json(asset(KNOWN_RULES).read_text(encoding="utf-8"))
    name = exchange_id(file.path, {each.id for each in known})
    tick_size = money.ONE.scaleb(-file.decimals)
    listed = [each for each in known if each.id == name]
    if listed:
        return tuple(_fitting(each, tick_size, file.last_price) for each in listed)
    parts = _split(name)
    if parts is None:
        raise UserError(
            f"It is not clear what the prices in {file.path} are of.",
            remedy="Name the file by its exchange id, base and quote, such as BTCUSDT.csv or XRPETH_2019.csv.",
        )
    base, quote = parts
    guesses = ((f"{base}/{quote}", MarketType.SPOT), (f"{base}/{quote}:{quote}", MarketType.SWAP))
    return tuple(_guessed(symbol, name, parts, kind, tick_size, file.last_price) for symbol, kind in guesses)


def merged(found: Iterable[tuple[Instrument, ...]]) -> tuple[Instrument, ...]:
    """The instruments of several files, by symbol; of two files of one symbol the finer tick."""
    finest: dict[str, Instrument] = {}
    for each in chain.from_iterable(found):
        if each.symbol not in finest or each.tick_size < finest[each.symbol].tick_size:
            finest[each.symbol] = each
    return tuple(finest[symbol] for symbol in sorted(finest))


def _split(name: str) -> tuple[str, str] | None:
    """Base and quote of an id such as BTCUSDT, BTC-USDT, BTC_USDT or BTC-USDT-SWAP."""
    plain = name.removesuffix("-SWAP").replace("-", "").replace("_", "")
    for quote in sorted(LEAST_ORDER, key=len, reverse=True):
        base = plain.removesuffix(quote)
        if base and base != plain:
            return base, quote
    return None


def _fitting(known: Instrument, tick_size: Decimal, price: Decimal) -> Instrument:
    """DOGE's tick of 2026 would be half a per cent of its price of 2019."""
    too_coarse = known.tick_size * LEAST_TICKS_IN_PRICE > price and tick_size < known.tick_size
    return replace(known, tick_size=tick_size) if too_coarse else known


def _guessed(
    symbol: str, name: str, parts: tuple[str, str], kind: MarketType, tick_size: Decimal, price: Decimal
) -> Instrument:
    base, quote = parts
    least = LEAST_ORDER[quote]
    with money.arithmetic():
        step_size = money.ONE.scaleb((least / STEPS_IN_LEAST_ORDER / price).adjusted())
    return Instrument(
        symbol=symbol,
        id=name,
        base=base,
        quote=quote,
        type=kind,
        tick_size=tick_size,
        step_size=step_size,
        min_qty=step_size,
        min_notional=least,
        maker_fee=FEE,
        taker_fee=FEE,
    )
