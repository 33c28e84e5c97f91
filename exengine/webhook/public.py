"""Whether TradingView can reach this listener: the program calls itself by its public address and looks who answers."""

import json
import secrets
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import aiohttp

ANSWER_S = 10
"""How long the way round is waited for; TradingView itself gives up after 3 s."""
_MOST_BYTES = 4096


class Reach(Enum):
    """What came of a call to the public address."""

    REACHED = "reached"
    NOT_REACHED = "not_reached"
    SOMEONE_ELSE = "someone_else"
    """There is an answer, and it is not this program's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    reach: Reach
    text: str
    """What was found, and what to do, in words."""


async def self_test(
    public_url: str, *, has_seen: Callable[[str], bool] | None = None, tls: ssl.SSLContext | None = None
) -> SelfTest:
    """GET /health at `public_url`.

    `has_seen` is the listener's: with it an answer counts only where the very request came in here; without it, from
    another process, any running ExEngine is believed. `tls` is what the certificate is checked with, the system's own
    where it is None.
    """
    probe = secrets.token_hex(16)
    address = f"{public_url.rstrip('/')}/health?{probe}"
    try:
        status, data = await _asked(address, tls)
    except TimeoutError:
        return _not_reached(f"nothing answered within {ANSWER_S} s")
    except aiohttp.ClientConnectorCertificateError:
        return _not_reached("its certificate is not one that TradingView would believe")
    except aiohttp.ClientConnectorDNSError:
        return _not_reached("its name is not known")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return _not_reached(f"no connection ({type(error).__name__})")
    if has_seen is not None and has_seen(probe):
        return SelfTest(reach=Reach.REACHED, text="reachable: a call went out and came in here")
    if status in (502, 503, 504, 521, 522, 523, 530):
        return _not_reached(f"the tunnel or proxy answers {status}: it does not find the listener")
    if status != 200 or not _is_ours(data):
        return SelfTest(
            reach=Reach.SOMEONE_ELSE,
            text=f"someone else answers there ({status}): see that it leads to the listener’s port",
        )
    if has_seen is not None:
        return SelfTest(reach=Reach.SOMEONE_ELSE, text="another ExEngine answers there, or a stale cache of this one")
    return SelfTest(reach=Reach.REACHED, text="reachable: an ExEngine answers")


def _not_reached(why: str) -> SelfTest:
    return SelfTest(reach=Reach.NOT_REACHED, text=f"not reachable, {why}: see that tunnel or proxy runs")


async def _asked(address: str, tls: ssl.SSLContext | None) -> tuple[int, bytes]:
    timeout = aiohttp.ClientTimeout(total=ANSWER_S)
    async with (
        aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
        session.get(address, ssl=tls or True, allow_redirects=False) as answer,
    ):
        return answer.status, await answer.content.read(_MOST_BYTES)


def _is_ours(data: bytes) -> bool:
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(told, dict) and set(told) == {"status", "version"}
