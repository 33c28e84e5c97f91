"""Column types that keep what is put into them: decimals digit for digit, enums by value, texts that can be encoded."""

from decimal import Decimal
from enum import Enum
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator

Millis = BigInteger
"""A time in epoch ms."""

RowNumber = Integer().with_variant(BigInteger(), "postgresql")
"""A key that counts; SQLite only numbers rows by itself in a column of exactly the type INTEGER."""


Whole = Integer().with_variant(BigInteger(), "postgresql")
"""Any whole number: SQLite's INTEGER takes them all, Postgres's is of 32 bits."""


class Money(TypeDecorator[Decimal]):
    """A decimal as its own text. SQLite's NUMERIC would make a float of it and lose digits without a word."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if not isinstance(value, Decimal) or not value.is_finite():
            raise TypeError(f"money is a finite Decimal, not {value!r}")
        return str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class Choice(TypeDecorator[Enum]):
    """A member of an enum as its value."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: type[Enum]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Enum | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if not isinstance(value, self.kind):
            raise TypeError(f"{value!r} is no {self.kind.__name__}")
        return str(value.value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else self.kind(value)


class Words(TypeDecorator[str]):
    """Text from elsewhere. Half a surrogate pair, which no database can encode, becomes the replacement sign."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else encodable(value)


def encodable(text: str) -> str:
    """`text` with every half of a surrogate pair replaced, and every NUL, which Postgres refuses."""
    if "\0" in text:
        text = text.replace("\0", "�")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
