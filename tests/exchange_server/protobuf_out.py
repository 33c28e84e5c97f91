"""Writes protobuf messages of text, numbers, truths and nested messages: what MEXC's streams are made of."""

from collections.abc import Mapping

Fields = dict[str, int]
"""Field numbers by name."""


def varint(number: int) -> bytes:
    """Seven bits a byte, the least first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def message(fields: Fields, values: Mapping[str, str | int | bytes]) -> bytes:
    """`bytes` are messages already written. What is empty, zero or false is left out, as proto3 does."""
    out = bytearray()
    for name, value in values.items():
        number = fields[name]
        if isinstance(value, int):
            if value:
                out += varint(number << 3) + varint(int(value))
            continue
        body = value.encode() if isinstance(value, str) else value
        if body or isinstance(value, bytes):
            out += varint(number << 3 | 2) + varint(len(body)) + body
    return bytes(out)
