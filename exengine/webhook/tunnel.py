"""Finds a tunnel program on this machine, and reads the public address that it tells: cloudflared, ngrok, tailscale."""

import json
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum


class Tunnel(Enum):
    """`listener.tunnel`: which program brings alerts in."""

    OFF = "off"
    AUTO = "auto"
    """The first of the others that is installed."""
    CLOUDFLARED = "cloudflared"
    NGROK = "ngrok"
    TAILSCALE = "tailscale"


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelKind:
    """How one of them is run. The output formats are those of its own documentation."""

    program: str
    arguments: Callable[[int], list[str]]
    """For the listener's port."""
    url_in: Callable[[str], str | None]
    """The public address in one line of its output, None where there is none."""
    trouble_in: Callable[[str], str | None]
    """What a line says is wrong, None where it says no such thing."""


_QUICK = re.compile(r"https://[a-z0-9-]+\.trycloudflare\.com\b")
_TAILNET = re.compile(r"https://[a-z0-9.-]+\.ts\.net(?::\d+)?\b")


def _cloudflared_url(line: str) -> str | None:
    """A quick tunnel prints its address in a box on stderr, `|  https://….trycloudflare.com  |`."""
    found = _QUICK.search(line)
    # `https://api.trycloudflare.com` stands in its errors.
    return None if found is None or found[0] == "https://api.trycloudflare.com" else found[0]


def _cloudflared_trouble(line: str) -> str | None:
    """Its log is `2026-11-29T08:00:00Z ERR text`."""
    _, is_error, text = line.partition(" ERR ")
    return text.strip() if is_error else None


def _ngrok_line(line: str) -> dict[str, object]:
    """With --log-format=json each line is an object."""
    try:
        told = json.loads(line)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _ngrok_url(line: str) -> str | None:
    told = _ngrok_line(line)
    url = told.get("url")
    is_it = told.get("msg") == "started tunnel" and isinstance(url, str) and url.startswith("https://")
    return str(url) if is_it else None


def _ngrok_trouble(line: str) -> str | None:
    told = _ngrok_line(line)
    err = told.get("err")
    is_it = told.get("lvl") in ("eror", "crit") and isinstance(err, str) and err not in ("", "<nil>")
    return " ".join(str(err).split()) if is_it else None


def _tailscale_url(line: str) -> str | None:
    """`tailscale funnel` prints `Available on the internet:` and the address on a line of its own."""
    found = _TAILNET.match(line.strip())
    return None if found is None else found[0].rstrip("/")


def _tailscale_trouble(line: str) -> str | None:
    text = line.strip()
    words = ("not enabled", "error", "denied", "not running", "Logged out", "failed")
    return text if any(word in text for word in words) else None


KINDS: dict[Tunnel, TunnelKind] = {
    Tunnel.CLOUDFLARED: TunnelKind(
        program="cloudflared",
        arguments=lambda port: ["tunnel", "--no-autoupdate", "--url", f"http://127.0.0.1:{port}"],
        url_in=_cloudflared_url,
        trouble_in=_cloudflared_trouble,
    ),
    Tunnel.NGROK: TunnelKind(
        program="ngrok",
        arguments=lambda port: ["http", f"127.0.0.1:{port}", "--log=stdout", "--log-format=json"],
        url_in=_ngrok_url,
        trouble_in=_ngrok_trouble,
    ),
    Tunnel.TAILSCALE: TunnelKind(
        program="tailscale",
        arguments=lambda port: ["funnel", str(port)],
        url_in=_tailscale_url,
        trouble_in=_tailscale_trouble,
    ),
}


def found_tunnels(which: Callable[[str], str | None] = shutil.which) -> tuple[Tunnel, ...]:
    """Those that are installed, in the order in which `auto` takes them."""
    return tuple(tunnel for tunnel, kind in KINDS.items() if which(kind.program))


def chosen_tunnel(wanted: Tunnel, found: Sequence[Tunnel]) -> Tunnel | None:
    """The one to run; None where it is not installed, or none is wanted."""
    if wanted is Tunnel.AUTO:
        return found[0] if found else None
    return wanted if wanted in found else None


def missing_words(wanted: Tunnel) -> str:
    """What is said where the one that is wanted is not there."""
    names = [kind.program for kind in KINDS.values()]
    if wanted is Tunnel.AUTO:
        return f"there is no tunnel program: install {', '.join(names[:-1])} or {names[-1]}"
    return f"{wanted.value} is not installed, or not on the PATH"
