"""One absurd price is held, two are believed."""

from decimal import Decimal

import pytest

from exengine.exchange.markets.plausible import Plausible


def believed(*texts: str) -> list[str]:
    """Which of a symbol's prices are handed on."""
    guard = Plausible()
    return [text for text in texts if guard.believes("BTC/USDT", Decimal(text))]


@pytest.mark.parametrize(
    ("told", "handed_on"),
    [
        (["95000", "96000", "12000"], ["95000", "96000", "12000"]),
        (["95000", "9.5", "95001"], ["95000", "95001"]),
        (["95000", "950000", "95001"], ["95000", "95001"]),
        (["95000", "9500", "9510"], ["95000", "9510"]),
        (["95000", "9.5", "9.6", "9.7"], ["95000", "9.6", "9.7"]),
        (["95000", "9.5", "0.1", "0.11"], ["95000", "0.11"]),
        (["95000", "9.5", "95001", "9.5"], ["95000", "95001"]),
        (["0.00001", "1"], ["0.00001"]),
    ],
    ids=[
        "a fall of less than ten times is believed at once",
        "one far below is dropped when the next is as before",
        "one far above too",
        "exactly ten times is far",
        "a second one that says the same is believed",
        "a second one that says something else is no confirmation",
        "a doubt is forgotten in between",
        "what cannot be confirmed waits",
    ],
)
def test_which_prices_are_handed_on(told: list[str], handed_on: list[str]) -> None:
    assert believed(*told) == handed_on


def test_symbols_do_not_confirm_each_other() -> None:
    guard = Plausible()
    for symbol in ("BTC/USDT", "ETH/USDT"):
        assert guard.believes(symbol, Decimal(1000))

    assert not guard.believes("BTC/USDT", Decimal(1))
    assert not guard.believes("ETH/USDT", Decimal(1))
