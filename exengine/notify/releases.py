"""Whether a newer version is announced: a signed list at an address that the trader has named; off where none is.

The list is JSON, `{"version": "0.2.0", "notes": "What is new", "page": "https://…"}`. At the same address with `.sig`
behind it lies the base64 of its Ed25519 signature, over the list's very bytes. Nothing of ours is sent but the request.
"""

import asyncio
import base64
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from exengine.domain.errors import UserError

ANSWER_S = 15
MOST_BYTES = 64 * 1024
MOST_NOTES = 2000
"""Characters of the notes that are shown."""

_SAFE = "This version goes on as it is."


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What is announced, by whoever has the key."""

    version: str
    notes: str
    page: str
    """Where it can be had; empty where the list does not say."""


def is_newer(version: str, than: str) -> bool:
    """Whether a version of numbers with dots comes after another. Raises ValueError for any other."""
    return _numbers(version) > _numbers(than)


def _numbers(version: str) -> tuple[int, ...]:
    parts = [int(part) for part in version.split(".") if part.isascii() and part.isdigit()]
    if not parts or len(parts) != version.count(".") + 1:
        raise ValueError(f"{version!r} is no version")
    while parts and parts[-1] == 0:
        parts.pop()  # 1.0 is 1.0.0
    return tuple(parts)


def read_release(data: bytes, signature: bytes, key: str) -> Release:
    """The list, once its signature has been found right; nothing of it is read before. Raises UserError."""
    try:
        maker = Ed25519PublicKey.from_public_bytes(base64.b64decode(key, validate=True))
        maker.verify(base64.b64decode(signature.strip(), validate=True), data)
    except (InvalidSignature, ValueError) as error:
        raise UserError(
            "The list of versions is not signed by the key that the settings name.",
            safe=f"It was not read. {_SAFE}",
            remedy="See that address and key in Settings, General, are those of the makers whom you trust.",
        ) from error
    try:
        said = json.loads(data)
        version, notes, page = (said.get(name, "") for name in ("version", "notes", "page"))
        if not all(isinstance(one, str) for one in (version, notes, page)):
            raise ValueError("it has something else than texts")
        _numbers(version)
    except (ValueError, AttributeError) as error:
        raise UserError(f"The list of versions cannot be read: {error}.", safe=_SAFE) from error
    is_address = urlsplit(page).scheme == "https"
    return Release(version=version, notes=notes.strip()[:MOST_NOTES], page=page if is_address else "")


async def announced(url: str, key: str) -> Release:
    """Asks now. Raises UserError where nobody answers, or what comes is not to be believed."""
    timeout = aiohttp.ClientTimeout(total=ANSWER_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:
            data, signature = [await _got(session, address) for address in (url, f"{url}.sig")]
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        why = "no answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
        raise UserError(
            f"The list of versions cannot be had from {url}: {why}.",
            safe=_SAFE,
            remedy="It is looked for again tomorrow.",
        ) from error
    return await asyncio.to_thread(read_release, data, signature, key)


async def _got(session: aiohttp.ClientSession, url: str) -> bytes:
    async with session.get(url, allow_redirects=True) as answer:
        answer.raise_for_status()
        data = await answer.content.read(MOST_BYTES + 1)
        while len(data) <= MOST_BYTES and not answer.content.at_eof():
            data += await answer.content.read(MOST_BYTES + 1 - len(data))
        if len(data) > MOST_BYTES:
            raise aiohttp.ClientPayloadError(f"it has more than {MOST_BYTES} bytes")
        return data
