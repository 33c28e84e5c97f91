"""A local exchange in another process, steered over HTTP: prices, faults, the trader's own hand, and its books."""

import asyncio
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tests.exchange_server.front_end import Answer, Ask, FrontEnd, answer_json
from tests.exchange_server.values import VenueOrder, VenueRefusal, VenueTrade
from tests.exchange_server.venue import Venue

NUMBERS = frozenset({"qty", "price", "quote_qty", "amount"})


class Control:
    """What `/control/…` does. Bodies and answers are JSON; numbers are text.

    POST tick {market, price, qty?} · place {…as Venue.place} · cancel {market_id, order_id | client_id}
    · deposit {coin, amount} · halt {market_id, ends_orders?} · list_again {market_id} · liquidity {market, qty | null}
    · fault {fault: a method of Faults, …its arguments; `gate`: a name in place of `until`} · open {gate}
    · keys {revoked?, may_trade?, …} · end_sessions · clear; GET books · asked
    """

    def __init__(self, front: FrontEnd) -> None:
        self._front = front
        self._venue = front.venue
        self._faults = front.faults
        self._keys = front.keys
        self._gates: dict[str, asyncio.Event] = {}

    async def answer(self, ask: Ask) -> Answer:
        body = {
            name: Decimal(value) if name in NUMBERS and value is not None else value
            for name, value in (ask.json or {}).items()
        }
        try:
            return answer_json(self._done(ask.path.removeprefix("/"), body))
        except VenueRefusal as refusal:
            return answer_json({"refused": refusal.kind, "text": refusal.text}, status=409)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            return answer_json({"wrong": f"{type(error).__name__}: {error}"}, status=400)

    def _done(self, command: str, body: dict[str, Any]) -> Any:
        match command:
            case "books":
                return books(self._venue)
            case "asked":
                return {"asked": [each.kind for each in self._faults.asked], "done": dict(self._faults.done)}
            case "tick":
                self._venue.tick(body["market"], body["price"], body.get("qty"))
            case "place":
                return order_row(self._venue.place(**body))
            case "cancel":
                return order_row(self._venue.cancel(**body))
            case "deposit" | "halt" | "list_again":
                getattr(self._venue, command)(**body)
            case "liquidity":
                self._venue.liquidity[body["market"]] = body["qty"]
            case "fault":
                self._fault(body)
            case "open":
                self._gates.setdefault(body["gate"], asyncio.Event()).set()
            case "keys":
                for name, value in body.items():
                    setattr(self._keys, name, value)
            case "end_sessions":
                self._front.end_sessions()
            case "clear":
                self._faults.clear()
            case _:
                raise ValueError(f"no such command: {command}")
        return {}

    def _fault(self, body: dict[str, Any]) -> None:
        name = body.pop("fault")
        if "gate" in body:
            body["until"] = self._gates.setdefault(body.pop("gate"), asyncio.Event())
        if name in {"clock_skew_ms", "banned_until_ms"}:
            setattr(self._faults, name, int(body["value"]))
        elif name.startswith("_") or name == "through":
            raise ValueError(f"no such fault: {name}")
        else:
            getattr(self._faults, name)(**body)


def books(venue: Venue) -> dict[str, Any]:
    """All that the exchange holds, as JSON."""
    return {
        "orders": [order_row(order) for order in venue.orders.values()],
        "trades": [trade_row(trade) for trade in venue.trades],
        "balances": {coin: [str(amount) for amount in venue.amounts(coin)] for coin in venue.total},
        "positions": {
            market_id: {"contracts": str(each.contracts), "entry_price": str(each.entry_price)}
            for market_id, each in venue.positions.items()
        },
        "last": _texts(venue.last),
    }


def order_row(order: VenueOrder) -> dict[str, Any]:
    return {
        "id": order.id,
        "client_id": order.client_id,
        "market": order.market,
        "side": order.side,
        "type": order.type,
        "tif": order.tif,
        "reduce_only": order.reduce_only,
        "price": None if order.price is None else str(order.price),
        "qty": str(order.qty),
        "filled": str(order.filled),
        "quote_filled": str(order.quote_filled),
        "status": order.status,
        "created_ms": order.created_ms,
    }


def trade_row(trade: VenueTrade) -> dict[str, Any]:
    return {
        "id": trade.id,
        "order": trade.order.id,
        "client_id": trade.order.client_id,
        "market": trade.order.market,
        "side": trade.order.side,
        "price": str(trade.price),
        "qty": str(trade.qty),
        "fee": str(trade.fee),
        "fee_currency": trade.fee_currency,
        "maker": trade.maker,
        "at_ms": trade.at_ms,
    }


def _texts(numbers: Mapping[str, Decimal]) -> dict[str, str]:
    return {name: str(number) for name, number in numbers.items()}


def parsed(text: str) -> dict[str, Decimal]:
    """Numbers by name, from an object in JSON whose values are text or whole numbers."""
    return {name: Decimal(str(value)) for name, value in json.loads(text, parse_float=Decimal).items()}
