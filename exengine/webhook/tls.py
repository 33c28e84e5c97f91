"""TLS with the trader's own certificate, for a listener that no tunnel or proxy stands in front of."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

from exengine.domain.errors import UserError

_SAFE = "The webhook was not started; open positions, their targets and stops are looked after as before."
SOON_DAYS = 14
"""From here on an ending certificate is worth a word: those of Let's Encrypt are renewed 30 days before."""


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """What the listener proves itself with. Raises UserError that names the file and what is wrong with it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    for name, file in (("certificate", certificate), ("key", key)):
        _must_be_readable(name, file)
    try:
        context.load_cert_chain(certificate, key, password=lambda: "")  # else OpenSSL asks on the terminal
    except ssl.SSLError as error:
        raise UserError(
            f"listener.tls_certificate and listener.tls_key cannot be used: {_what(error, key)}.",
            safe=_SAFE,
            remedy="Name the certificate with its chain and the key that it was made for, both as PEM files, "
            "the key without a passphrase.",
        ) from None
    return context


def days_left(certificate: Path, now_ms: int) -> int:
    """How many whole days the certificate is still valid; negative where it is no more. Raises UserError."""
    from cryptography import x509

    _must_be_readable("certificate", certificate)
    try:
        ends = x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
    except ValueError:
        raise UserError(f"listener.tls_certificate: {certificate} is no certificate as PEM.", safe=_SAFE) from None
    return (ends - datetime.fromtimestamp(now_ms / 1000, UTC)).days


def _must_be_readable(name: str, file: Path) -> None:
    try:
        file.open("rb").close()
    except OSError as error:
        raise UserError(
            f"listener.tls_{name}: {file} cannot be read: {error.strerror or error}.",
            safe=_SAFE,
            remedy="See that the file is there and that you may read it.",
        ) from None


def _what(error: ssl.SSLError, key: Path) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return "the key is not that of the certificate"
    if b"ENCRYPTED" in key.read_bytes():
        return "the key has a passphrase"
    return "one of them is no PEM file, or not of its kind"
