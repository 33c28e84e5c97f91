"""What the listener's settings leave open, or make impossible, by where alerts come from and what stands between."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

HIDDEN_CALLERS = (
    "a tunnel or proxy on this machine hands alerts on and is not trusted, so that all callers share one rate limit "
    'and one place on the allow-list: add "127.0.0.1" to listener.trusted_proxies'
)
_CALLED_PORTS = (80, 443)
"""TradingView calls no other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """Where the listener stands in the network."""

    host: str
    public_url: str
    trusted_proxies: Sequence[str]
    allowed_sources: Sequence[str]
    has_tls: bool
    has_own_tunnel: bool = False
    """Whether ExEngine runs the tunnel itself, and so trusts it."""


def warnings_of(it: Exposure) -> list[str]:
    """What the trader is to be told, each with what to do; nothing where all is well."""
    told = []
    is_local = _is_local(it.host)
    if is_local and it.public_url and not it.trusted_proxies and not it.has_own_tunnel:
        told.append(HIDDEN_CALLERS)
        if it.allowed_sources:
            told.append("listener.allowed_sources refuses every alert, since all come from this machine by its tunnel")
    if not is_local and not it.has_tls:
        told.append(
            f"the token goes over the network in plain text, as the listener is at {it.host} without TLS: listen on "
            "127.0.0.1 behind a tunnel, or set listener.tls_certificate and listener.tls_key"
        )
    return told + _of_public_url(it.public_url)


def _of_public_url(public_url: str) -> list[str]:
    if not public_url:
        return []
    url, told = urlsplit(public_url), []
    if url.scheme == "http":
        told.append("listener.public_url is plain HTTP, so that the token can be read on its way: use https")
    port = url.port or (443 if url.scheme == "https" else 80)
    if port not in _CALLED_PORTS:
        told.append(f"listener.public_url names port {port}, and TradingView calls only 80 and 443")
    if ":" in (url.hostname or ""):
        told.append("listener.public_url is an IPv6 address, and TradingView calls over IPv4 only")
    return told


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
