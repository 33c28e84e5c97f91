"""ccxt's own arithmetic, kept from ours.

From its first order or ticker on, ccxt has the decimal context in force round half up and trap underflow, for good. A
thread of its own does not help: asyncio hands the context of whoever asks on to the work that it starts elsewhere.
"""

from decimal import localcontext
from typing import Any


def keep_rounding_apart(client: Any) -> None:
    """Has a ccxt client round in a decimal context that ends with each of its sums."""
    rounds = client.decimal_to_precision

    def apart(*about: Any, **more: Any) -> Any:
        with localcontext():
            return rounds(*about, **more)

    client.decimal_to_precision = apart
