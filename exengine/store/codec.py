"""JSON documents of the domain's nested values: decimals as strings, enums by value, and back to an equal value.

A field that a newer program has added takes its default when an older document is read; one that it has dropped is
passed over. A field of another meaning needs a migration.
"""

import json
from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError

from exengine.store.columns import encodable

T = TypeVar("T")


@cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast(Any, kind))


def to_text(kind: type[T], value: T) -> str:
    """`value` as compact JSON.

    Raises PydanticSerializationError where a field holds another type than it says, as a float for money.
    """
    adapter = _adapter(cast(Hashable, kind))
    try:
        return adapter.dump_json(value, warnings="error").decode()
    except PydanticSerializationError:
        # Half a surrogate pair in a text cannot be encoded; a wrong type raises here once more.
        plain = adapter.dump_python(value, mode="json", warnings="error")
        return json.dumps(_encodable(plain), ensure_ascii=False, separators=(",", ":"))


def from_text(kind: type[T], text: str) -> T:
    """The value that `to_text` made `text` of. Raises ValueError where it is none."""
    return cast(T, _adapter(cast(Hashable, kind)).validate_json(text))


def _encodable(value: Any) -> Any:
    match value:
        case str():
            return encodable(value)
        case dict():
            return {key: _encodable(one) for key, one in value.items()}
        case list():
            return [_encodable(one) for one in value]
        case _:
            return value
