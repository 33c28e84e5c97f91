"""By what names a caller may call: a web page whose name was bent to this machine is not among them (DNS rebinding)."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit


class Hosts:
    """Tells whether a Host header names this listener.

    Addresses, names without a dot and `*.localhost` always do, since nobody can bend those by DNS; so does a request
    without a Host, since every browser sends one. Any other name has to be the public address's or one of `allowed`.
    """

    def __init__(self, *, allowed: Sequence[str] = (), public_url: str = "") -> None:
        public = urlsplit(public_url).hostname or ""
        self._allowed = {_plain(name) for name in (*allowed, public) if name}
        self._told: set[str] = set()

    def also(self, public_url: str) -> None:
        """Takes one more public address, as of a tunnel that has just told its own."""
        name = urlsplit(public_url).hostname
        if name:
            self._told.add(_plain(name))

    def as_told(self, before: "Hosts") -> None:
        """Takes over the public addresses that another one was told."""
        self._told |= before._told

    def allows(self, header: str | None) -> bool:
        """Whether the Host header `header` is one that may be answered; None where the request has none."""
        if header is None:
            return True
        name = _name_of(header)
        if name is None:
            return False
        return "." not in name or name.endswith(".localhost") or name in self._allowed | self._told or _is_address(name)


def _plain(name: str) -> str:
    return name.rstrip(".").lower()


@lru_cache(maxsize=64)
def _name_of(header: str) -> str | None:
    """The name or address in a Host header, without its port; None where it is none."""
    text = header.strip()
    if text.startswith("["):
        inside, closed, _ = text[1:].partition("]")
        return inside if closed and _is_address(inside) else None
    name, _, port = text.partition(":")
    is_sound = bool(name) and (not port or port.isdecimal()) and not set(name) & set("/@?#\\ \t")
    return _plain(name) if is_sound else None


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
