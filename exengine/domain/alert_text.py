"""The text that the trader pastes into a TradingView alert, with its placeholders or with real values (SPEC §2.1)."""

import json
from decimal import Decimal
from enum import Enum
from typing import Any, assert_never

from exengine.domain.instrument import Side
from exengine.domain.money import plain

TEST_SOURCE = "test alert"
"""What a pretend alert says it is from."""


class AlertTemplate(Enum):
    ENTRY = "entry"
    PYRAMID = "pyramid"
    EXIT = "exit"
    REDUCE = "reduce"
    REVERSE = "reverse"
    STRATEGY = "strategy"
    """One alert for all orders of a strategy: its positions say what each order means."""


def alert_body(
    template: AlertTemplate,
    *,
    secret: str | None = None,
    exchange: str | None = None,
    symbol: str | None = None,
    timeframe: str | None = None,
    price: Decimal | None = None,
    side: Side = Side.LONG,
    timestamp: str | None = None,
) -> dict[str, Any]:
    """The body of an alert. What is not given stands as TradingView's placeholder, which it fills in itself.

    `secret` may be left out where the URL carries the token.
    """
    body: dict[str, Any] = {} if secret is None else {"secret": secret}
    body["source"] = "tradingview"
    body["timestamp"] = timestamp or "{{timenow}}"
    tv: dict[str, Any] = {
        "exchange": exchange or "{{exchange}}",
        "symbol": symbol or "{{ticker}}",
        "timeframe": timeframe or "{{interval}}",
    }
    tv |= _orders(template, side) if price is None else _example(template, side)
    tv["close_price"] = "{{close}}" if price is None else plain(price)
    body["tv"] = tv
    if template is AlertTemplate.STRATEGY:
        body["strategy_info"] = {
            "trade_id": "{{strategy.order.id}}",
            "alert_message": "{{strategy.order.alert_message}}",
        }
    body["execution_intent"] = {"type": _INTENTS.get(template, "signal")}
    return body


_INTENTS = {AlertTemplate.EXIT: "exit", AlertTemplate.REDUCE: "reduce", AlertTemplate.REVERSE: "reverse"}
_ACTIONS = {Side.LONG: "buy", Side.SHORT: "sell"}


def _orders(template: AlertTemplate, side: Side) -> dict[str, Any]:
    """What an alert's tv section says of the order, TradingView filling in what only the strategy knows."""
    leaving = side.opposite
    match template:
        case AlertTemplate.ENTRY | AlertTemplate.PYRAMID:
            return {"action": _ACTIONS[side], "market_position": side.value}
        case AlertTemplate.EXIT:
            return {"action": _ACTIONS[leaving], "market_position": "flat"}
        case AlertTemplate.REDUCE:
            return {"action": _ACTIONS[leaving], "order_size": "{{strategy.order.contracts}}"}
        case AlertTemplate.REVERSE:
            return {"action": _ACTIONS[leaving], "market_position": leaving.value}
        case AlertTemplate.STRATEGY:
            return {
                "action": "{{strategy.order.action}}",
                "market_position": "{{strategy.market_position}}",
                "market_position_size": "{{strategy.market_position_size}}",
                "prev_market_position": "{{strategy.prev_market_position}}",
                "prev_market_position_size": "{{strategy.prev_market_position_size}}",
                "entry_price": "{{strategy.order.price}}",
                "order_size": "{{strategy.order.contracts}}",
            }
        case _:
            assert_never(template)


def _example(template: AlertTemplate, side: Side) -> dict[str, Any]:
    """The same with real values throughout, as the strategy's first entry or the sale of half of it would send."""
    match template:
        case AlertTemplate.REDUCE:
            sizes = {"prev_market_position_size": "2", "market_position_size": "1"}
            return {"action": _ACTIONS[side.opposite], **sizes}
        case AlertTemplate.STRATEGY:
            return {"action": _ACTIONS[side], "prev_market_position": "flat", "market_position": side.value}
        case _:
            return _orders(template, side)


LINE = 76
"""Characters a line of the text may have before its section goes on in the next."""


def alert_text(body: dict[str, Any]) -> str:
    """The body as the text to paste: its sections one below the other, so that a person can read it."""
    lines: list[str] = []
    for name, value in body.items():
        head = f"  {json.dumps(name)}: "
        if not isinstance(value, dict):
            lines.append(head + json.dumps(value, ensure_ascii=False))
            continue
        line = head + "{"
        for place, (key, inner) in enumerate(value.items()):
            part = f"{json.dumps(key)}: {json.dumps(inner, ensure_ascii=False)}"
            if place and len(line) + len(part) + 3 > LINE:
                lines.append(line)
                line = " " * (len(head) + 1)
            line += part + ("," if place < len(value) - 1 else "")
            line += " " if place < len(value) - 1 and len(line) < LINE else ""
        lines.append(line.rstrip() + "}")
    return "{\n" + _separated(lines) + "\n}"


def _separated(lines: list[str]) -> str:
    """The lines with a comma after each section but the last: a section ends where its line does not end in a comma."""
    ends = [line.rstrip() if line.rstrip().endswith(",") else line + "," for line in lines]
    return "\n".join(ends)[:-1]
