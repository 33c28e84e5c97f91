"""Who is calling, and how often: addresses behind trusted proxies, the allow-list, and the rate limit (SPEC §2.1)."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from exengine.domain.errors import UserError

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

UNKNOWN = "unknown"
"""The address of a caller whose connection is already gone."""
TRADINGVIEW = ("52.89.214.238", "34.212.75.30", "54.218.53.128", "52.32.178.7")
"""The addresses that TradingView sends from, as it publishes them; `tradingview` on the allow-list names them all."""

_MINUTE_MS = 60_000
_ADDRESSES_REMEMBERED = 10_000


def _spelled_out(texts: Sequence[str]) -> Iterator[str]:
    for text in texts:
        yield from TRADINGVIEW if text.strip().lower() == "tradingview" else (text,)


def networks(texts: Sequence[str], setting: str) -> tuple[Network, ...]:
    """The networks that `texts` name, as single addresses, in CIDR notation, or as `tradingview`.

    Raises UserError naming `setting`, the path of the setting they come from, where one is neither.
    """
    found = []
    for text in _spelled_out(texts):
        try:
            found.append(ip_network(text.strip(), strict=False))
        except ValueError:
            raise UserError(
                f"{setting}: {text!r} is neither an IP address nor a network.",
                safe="No webhook is taken until it is put right.",
                remedy="Write it as 52.89.214.238 or 10.0.0.0/8.",
            ) from None
    return tuple(found)


@lru_cache(maxsize=256)
def parse_address(text: str) -> Address | None:
    """The address that `text` names, without port, brackets, zone or IPv4 mapping; None where it names none."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


_spelled = lru_cache(maxsize=256)(str)


def _is_in(address: Address, among: tuple[Network, ...]) -> bool:
    return any(address in network for network in among)


class Addresses:
    """Tells the caller's address, and whether it may call."""

    def __init__(self, *, trusted_proxies: Sequence[str], allowed_sources: Sequence[str]) -> None:
        """Raises UserError where a text is neither an address nor a network."""
        self._trusted = networks(trusted_proxies, "listener.trusted_proxies")
        self._allowed = networks(allowed_sources, "listener.allowed_sources")

    def hides(self, peer: str | None, *, forwards: bool) -> bool:
        """Whether a caller is not known by its address: something here hands requests on and is not trusted."""
        address = parse_address(peer) if peer else None
        return forwards and address is not None and address.is_loopback and not _is_in(address, self._trusted)

    def caller(self, peer: str | None, *, forwarded_for: Sequence[str] = (), connecting_ip: str | None = None) -> str:
        """The caller's address: the peer's, or the forwarded one where the peer is a trusted proxy.

        X-Forwarded-For (each of its headers in `forwarded_for`) is read from its end, past trusted proxies: each
        proxy adds the address that it saw itself, and what stands before was written by the caller, who may lie.
        CF-Connecting-IP counts only without it, since a proxy other than Cloudflare hands on a caller's own. What
        is not an address is not believed, and the peer's is taken.
        """
        address = parse_address(peer) if peer else None
        if address is None:
            return peer or UNKNOWN
        if not self._trusted or not _is_in(address, self._trusted):
            return _spelled(address)
        hops = [hop for header in forwarded_for for hop in header.split(",")]
        seen = self._first_stranger(hops) if hops else parse_address(connecting_ip or "")
        return str(seen or address)

    def _first_stranger(self, hops: list[str]) -> Address | None:
        address = None
        for hop in reversed(hops):
            address = parse_address(hop)
            if address is None or not _is_in(address, self._trusted):
                return address
        return address

    def allows(self, caller: str) -> bool:
        """Whether `caller` is on the allow-list; everyone is where none is set."""
        if not self._allowed:
            return True
        address = parse_address(caller)
        return address is not None and _is_in(address, self._allowed)


class RateLimit:
    """A token bucket for each address: `burst` requests at once, refilled at `per_minute`.

    Addresses of one IPv6 /64 share a bucket, since one caller has all of them. The 10,000 addresses seen last are
    remembered. The times given need not be monotonic: a clock set back neither refills a bucket nor stops its refill.
    """

    def __init__(self, *, per_minute: int, burst: int) -> None:
        """Raises ValueError where either is below 1."""
        if per_minute < 1 or burst < 1:
            raise ValueError("per_minute and burst must be at least 1")
        self._per_minute = per_minute
        self._full = burst * _MINUTE_MS
        self._buckets: OrderedDict[str, tuple[int, int]] = OrderedDict()  # address -> (level, at ms)

    def __len__(self) -> int:
        """How many addresses are remembered."""
        return len(self._buckets)

    def wait_ms(self, caller: str, now_ms: int) -> int:
        """Takes one request off the caller's bucket and returns 0, or how many ms until one will be there again."""
        key = _bucket_of(caller)
        # A level counts request-milliseconds: one request costs 60,000, and each ms brings `per_minute` of them.
        level, at_ms = self._buckets.get(key, (self._full, now_ms))
        level = min(self._full, level + max(0, now_ms - at_ms) * self._per_minute)
        lacking = max(0, _MINUTE_MS - level)
        self._buckets[key] = (level if lacking else level - _MINUTE_MS, now_ms)
        self._buckets.move_to_end(key)
        if len(self._buckets) > _ADDRESSES_REMEMBERED:
            self._buckets.popitem(last=False)
        return -(-lacking // self._per_minute)


def _bucket_of(caller: str) -> str:
    address = parse_address(caller)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return caller
