"""Turns a market as ccxt parses it, or as a file of market rules has it, into an instrument with exact rules."""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from exengine.domain import money
from exengine.domain.instrument import Instrument, MarketType

Market = Mapping[str, Any]
"""ccxt's market structure, with TICK_SIZE precision; `M.json` (SPEC §12) is the part of it that is read here."""


def instrument(symbol: str, market: Market) -> Instrument | None:
    """The rules of `symbol`; None where it cannot be traded here or the exchange leaves its steps open.

    Spot and linear perpetuals are traded; dated futures, options and inverse contracts are not. What is switched off
    has no rules until it is switched on again, so that an entry for it waits. A limit that the exchange does not list
    is none; a fee that it does not list is 0. Raises ValueError where a number is none.
    """
    kind = _kind(market)
    precision = _part(market, "precision")
    tick_size, step_size = number(precision.get("price")), number(precision.get("amount"))
    if kind is None or not tick_size or not step_size or tick_size < 0 or step_size < 0:
        return None
    limits = _part(market, "limits")
    amount, cost = _part(limits, "amount"), _part(limits, "cost")
    return Instrument(
        symbol=symbol,
        id=str(market["id"]),
        base=str(market["base"]),
        quote=str(market["quote"]),
        type=kind,
        tick_size=tick_size,
        step_size=step_size,
        min_qty=number(amount.get("min")) or money.ZERO,
        max_qty=number(amount.get("max")) or None,
        min_notional=number(cost.get("min")) or money.ZERO,
        contract_size=number(market.get("contractSize")) or money.ONE,
        maker_fee=number(market.get("maker")) or money.ZERO,
        taker_fee=number(market.get("taker")) or money.ZERO,
    )


def instruments(markets: Mapping[str, Market]) -> tuple[Instrument, ...]:
    """The instruments of everything that can be traded, by symbol."""
    found = (instrument(symbol, markets[symbol]) for symbol in sorted(markets))
    return tuple(each for each in found if each is not None)


def from_json(text: str) -> tuple[Instrument, ...]:
    """The instruments of an `M.json`. Raises ValueError with symbol and field where it is no such file.

    Unlike what an exchange lists, what somebody wrote down is not passed over: steps that are missing are a mistake.
    """
    markets = json.loads(text, parse_float=str)
    if not isinstance(markets, dict):
        raise ValueError("market rules are an object with a symbol for each market")
    for symbol, market in markets.items():
        missing = [name for name in ("id", "base", "quote") if not isinstance(market, dict) or name not in market]
        if missing:
            raise ValueError(f"{symbol}: {missing[0]} is missing")
        if _kind(market) is not None:
            _check(symbol, market)
    return instruments(markets)


def to_json(found: Iterable[Instrument]) -> str:
    """An `M.json` that `from_json` reads as these instruments; of a symbol that is there twice, the last."""
    plain = money.plain
    markets = {
        one.symbol: {
            "id": one.id,
            "base": one.base,
            "quote": one.quote,
            "type": one.type.value,
            "precision": {"price": plain(one.tick_size), "amount": plain(one.step_size)},
            "limits": {
                "amount": {"min": plain(one.min_qty), "max": None if one.max_qty is None else plain(one.max_qty)},
                "cost": {"min": plain(one.min_notional)},
            },
            "contractSize": plain(one.contract_size),
            "maker": plain(one.maker_fee),
            "taker": plain(one.taker_fee),
        }
        for one in found
    }
    return json.dumps(markets, indent=2, ensure_ascii=False) + "\n"


def _check(symbol: str, market: Market) -> None:
    """Raises ValueError with symbol and field for the first number that cannot be a market's."""
    for name in ("precision.price", "precision.amount"):
        step = _number_at(symbol, market, name)
        if step is None:
            raise ValueError(f"{symbol}: {name} is missing")
        if step <= 0:
            raise ValueError(f"{symbol}: {name} must be above 0, and is {money.plain(step)}")
    for name in ("limits.amount.min", "limits.amount.max", "limits.cost.min", "contractSize"):
        limit = _number_at(symbol, market, name)
        if limit is not None and limit < 0:
            raise ValueError(f"{symbol}: {name} must not be below 0, and is {money.plain(limit)}")
    for name in ("maker", "taker"):
        fee = _number_at(symbol, market, name)
        if fee is not None and abs(fee) >= 1:
            raise ValueError(f"{symbol}: {name} is a share, 0.001 for 0.1 %, and cannot be {money.plain(fee)}")
    least, most = (_number_at(symbol, market, f"limits.amount.{end}") for end in ("min", "max"))
    if least and most and least > most:
        raise ValueError(f"{symbol}: limits.amount.min is above limits.amount.max")


def _number_at(symbol: str, market: Market, name: str) -> Decimal | None:
    """The number at a path of names, None where it is not given. Raises ValueError with symbol and field."""
    place: Any = market
    parts = name.split(".")
    for depth, part in enumerate(parts):
        if place is None:
            return None
        if not isinstance(place, Mapping):
            raise ValueError(f"{symbol}: {'.'.join(parts[:depth])} is not an object")
        place = place.get(part)
    try:
        return number(place)
    except ValueError as error:
        raise ValueError(f"{symbol}: {name}: {error}") from None


def number(value: object) -> Decimal | None:
    """ccxt's number as a Decimal, through the text that it came from and never through the float's own digits."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError(f"not a number: {value!r}")
    with money.arithmetic():
        parsed = money.parse(str(value)).normalize()
        return parsed.quantize(money.ONE) if parsed == parsed.to_integral_value() else parsed


def _kind(market: Market) -> MarketType | None:
    if market.get("active") is False:
        return None
    match market.get("type", "spot"):
        case "spot":
            return MarketType.SPOT
        case "swap" if market.get("linear") is not False and market.get("inverse") is not True:
            return MarketType.SWAP
        case _:
            return None


def _part(of: Market, name: str) -> Market:
    return of.get(name) or {}
