"""Builds webhook bodies as a TradingView alert sends them, so that a test names only what matters to it."""

import json
from typing import Any

ABSENT = object()
"""As a value: the field is left out."""

_ALERT: dict[str, Any] = {
    "source": "tradingview",
    "timestamp": "2026-01-01T00:00:00Z",
    "tv": {
        "exchange": "BINANCE",
        "symbol": "BTCUSDT",
        "timeframe": "15",
        "action": "buy",
        "entry_price": "64000.5",
    },
    "strategy_info": {"trade_id": "12345", "alert_name": "BTC long"},
    "execution_intent": {"type": "signal"},
}


def alert(**changes: Any) -> dict[str, Any]:
    """A valid long entry of BTCUSDT on the 15 minute chart, with `changes`.

    `tv__symbol="X"` sets a field of a section, `secret="X"` one of the body or a whole section; ABSENT leaves it out.
    """
    body = json.loads(json.dumps(_ALERT))
    for name, value in changes.items():
        section, _, field = name.rpartition("__")
        place = body.setdefault(section, {}) if section else body
        if value is ABSENT:
            place.pop(field, None)
        else:
            place[field] = value
    return dict(body)


def text(body: Any) -> bytes:
    """`body` as the bytes that are posted."""
    return json.dumps(body).encode()
