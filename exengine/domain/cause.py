"""What something goes back to: one id from the webhook to the fill, on every line, order and queue event.

`signal-17` an alert · `trader-1790000000123` a click, by its time in epoch ms · `offset-1790000000123` a plan of the
risk engine · `engine-1790000000123` a timer, an exchange's news or the engine itself, where no group is concerned.
"""

from functools import lru_cache


def of_signal(signal_id: int) -> str:
    return f"signal-{signal_id}"


def of_trader(at_ms: int) -> str:
    return f"trader-{at_ms}"


def of_offset(at_ms: int) -> str:
    return f"offset-{at_ms}"


def of_engine(at_ms: int) -> str:
    return f"engine-{at_ms}"


@lru_cache(maxsize=1024)
def signal_of(cause: str) -> int | None:
    """The alert's number where it is one's cause."""
    kind, _, number = cause.partition("-")
    return int(number) if kind == "signal" and number.isdecimal() else None
