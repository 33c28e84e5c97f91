"""Proof that a webhook comes from the trader: token, secret or signature, compared in constant time (SPEC §2.1)."""

import hashlib
import hmac
from enum import Enum
from typing import NamedTuple, Protocol

from exengine.domain.signal_body import Body, body_secret

SIGNATURE_PREFIX = "sha256="


class WebhookAuth(Enum):
    """`security.webhook_auth`: what a webhook must carry."""

    TOKEN = "token"
    SECRET = "secret"
    HMAC = "hmac"
    ANY = "any"


class Secrets(Protocol):
    """What proofs are compared with. An empty one is never matched; the old ones are those before a change."""

    @property
    def token(self) -> str: ...

    @property
    def secret(self) -> str: ...

    @property
    def old_token(self) -> str: ...

    @property
    def old_secret(self) -> str: ...


class Standing(Enum):
    """What is known of a request before its body has been read as JSON."""

    PROVEN = "proven"
    UNPROVEN = "unproven"
    """Nothing was given yet; the body's secret decides."""
    WRONG = "wrong"


def matches(given: str, wanted: str) -> bool:
    """Whether both are the same text, in a time that tells neither where they differ nor how long they are."""
    return _is_one(_hashed(given), _one(wanted))


class _Known(NamedTuple):
    """What a proof is compared with, by its digest: the time tells neither where they differ nor how long it is."""

    hashed: bytes
    is_some: bool
    """An empty one is never matched."""


def _one(text: str) -> _Known:
    return _Known(_hashed(text), text != "")


def _known(new: str, old: str) -> tuple[_Known, _Known]:
    return _one(new), _one(old)


def _is_one(hashed: bytes, known: _Known) -> bool:
    return hmac.compare_digest(hashed, known.hashed) and known.is_some


def _hashed(text: str) -> bytes:
    return hashlib.sha256(_bytes(text)).digest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # header values may hold bytes that are no UTF-8


def signature(raw: bytes, secret: str) -> str:
    """The X-Signature header of a body: `sha256=` and the hexadecimal HMAC-SHA256 over its bytes, with the secret."""
    return SIGNATURE_PREFIX + hmac.new(_bytes(secret), raw, hashlib.sha256).hexdigest()


class Authenticator:
    """Judges requests by one mode. A mode that names one proof looks at no other."""

    def __init__(self, mode: WebhookAuth, secrets: Secrets) -> None:
        self._mode = mode
        self._tokens = _known(secrets.token, secrets.old_token)
        self._texts = (secrets.secret, secrets.old_secret)
        self._secrets = _known(*self._texts)
        self.saw_old = False
        """Whether the request that was judged last had a right proof that was one of the old ones."""

    def before_body(self, *, token: str | None, signed: str | None, raw: bytes) -> Standing:
        """What the path's token and the X-Signature header prove; None where the request has none of it.

        In mode `any` each that is given must be right: a wrong token is not mended by a right signature.
        """
        proofs = []
        self.saw_old = False
        if self._mode in (WebhookAuth.TOKEN, WebhookAuth.ANY) and token is not None:
            proofs.append(self._is_one_of(token, self._tokens))
        if self._mode in (WebhookAuth.HMAC, WebhookAuth.ANY) and signed is not None:
            known = (signature(raw, secret) if secret else "" for secret in self._texts)
            proofs.append(self._is_one_of(signed.strip().lower(), _known(*known)))
        if proofs:
            return Standing.PROVEN if all(proofs) else Standing.WRONG
        return Standing.UNPROVEN if self._mode in (WebhookAuth.SECRET, WebhookAuth.ANY) else Standing.WRONG

    def accepts(self, standing: Standing, body: Body) -> bool:
        """The last word, with the body's secret: where it is needed, or in mode `any` where it is given."""
        if standing is Standing.WRONG:
            return False
        given = body_secret(body) if self._mode in (WebhookAuth.SECRET, WebhookAuth.ANY) else None
        if given is None:
            return standing is Standing.PROVEN
        return self._is_one_of(given, self._secrets)

    def _is_one_of(self, given: str, known: tuple["_Known", "_Known"]) -> bool:
        """Compares with both, whichever is right: the time tells nothing."""
        hashed = _hashed(given)
        new, old = (_is_one(hashed, one) for one in known)
        self.saw_old = self.saw_old or (old and not new)
        return new or old
