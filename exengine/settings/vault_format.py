"""The bytes of a vault: secrets sealed by a passphrase, and what can be told of a file that does not open.

A header (magic, version, Argon2id's cost and salt, a check of the key, the nonce), the sealed secrets (AES-256-GCM,
the header as associated data), and a digest of all that. The digest tells a damaged file before any memory is spent on
it; the check tells a wrong passphrase from secrets that were tampered with. Whoever forges the digest as well can make
a damaged file look like a wrong passphrase, and nothing more.
"""

import hashlib
import hmac
import json
import os
import struct
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

VERSION = 1
MOST_BYTES = 4 * 1024 * 1024
"""A larger file is no vault of ours."""
MOST_MEMORY_KIB = 1024 * 1024
MOST_WORK_KIB = 8 * MOST_MEMORY_KIB
"""Memory times passes: about half a minute on a slow machine."""
MOST_LANES = 16

_BEGINNING = struct.Struct(">14sH")
_HEADER = struct.Struct(">14sHIII16s16s12s")
_MAGIC = b"ExEngine vault"
_DIGEST = 32
_TAG = 16


class Unreadable(Exception):
    """The file is no vault that can be opened with any passphrase: it is damaged, or something else."""


class NewerVault(Unreadable):
    """A newer ExEngine wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KdfCost:
    """What guessing one passphrase costs (Argon2id); kept in the header, so that each vault has its own."""

    memory_kib: int = 64 * 1024
    passes: int = 3
    lanes: int = 4

    @property
    def is_bearable(self) -> bool:
        """Whether it is one that Argon2id knows and this machine should be asked to pay."""
        return (
            1 <= self.lanes <= MOST_LANES
            and self.passes >= 1
            and 8 * self.lanes <= self.memory_kib <= MOST_MEMORY_KIB
            and self.memory_kib * self.passes <= MOST_WORK_KIB
        )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class VaultKey:
    """A passphrase made into a key. It is never shown by repr or str."""

    cost: KdfCost
    salt: bytes
    key: bytes
    check: bytes
    """Derived beside the key; says nothing of it, and stands in the file."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Sealed:
    """A vault's file, taken apart and not opened."""

    cost: KdfCost
    salt: bytes
    check: bytes
    nonce: bytes
    header: bytes
    body: bytes

    def fits(self, key: VaultKey) -> bool:
        """Whether `key` is the one it was sealed with."""
        return (self.cost, self.salt) == (key.cost, key.salt) and hmac.compare_digest(self.check, key.check)


def new_key(passphrase: str, cost: KdfCost) -> VaultKey:
    """A key with a salt of its own. Raises as `derived`."""
    return derived(passphrase, cost, os.urandom(16))


def derived(passphrase: str, cost: KdfCost, salt: bytes) -> VaultKey:
    """The key that `passphrase` is with `salt`. It takes the time and the memory that `cost` says.

    Raises MemoryError where there is not that much, and cryptography's UnsupportedAlgorithm where its OpenSSL has no
    Argon2id.
    """
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    # The same characters, whatever keyboard they were typed at: é may come as one or as two.
    spelled = unicodedata.normalize("NFKC", passphrase).encode("utf-8", "surrogatepass")
    kdf = Argon2id(salt=salt, length=32, iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory_kib)
    master = kdf.derive(spelled)
    return VaultKey(
        cost=cost,
        salt=salt,
        key=hmac.digest(master, b"ExEngine vault: key", "sha256"),
        check=hmac.digest(master, b"ExEngine vault: check", "sha256")[:16],
    )


def sealed(secrets: Mapping[str, str], key: VaultKey) -> bytes:
    """The file with `secrets`, under a nonce that was never used before."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(12)
    cost = key.cost
    header = _HEADER.pack(_MAGIC, VERSION, cost.memory_kib, cost.passes, cost.lanes, key.salt, key.check, nonce)
    inner = json.dumps({"secrets": dict(sorted(secrets.items()))}).encode()
    data = header + AESGCM(key.key).encrypt(nonce, inner, header)
    return data + hashlib.sha256(data).digest()


def taken_apart(data: bytes) -> Sealed:
    """The parts of a file. Raises Unreadable, whose text continues "the vault …"."""
    if len(data) < _BEGINNING.size or not data.startswith(_MAGIC):
        raise Unreadable("is damaged at its beginning, or no vault at all")
    version = _BEGINNING.unpack_from(data)[1]
    if version > VERSION:
        raise NewerVault(f"has version {version}, and this program knows versions up to {VERSION}")
    if len(data) < _HEADER.size + _TAG + _DIGEST or version < 1:
        raise Unreadable("is damaged: a part of it is missing")
    content, digest = data[:-_DIGEST], data[-_DIGEST:]
    if not hmac.compare_digest(hashlib.sha256(content).digest(), digest):
        raise Unreadable("is damaged: it is not what was written")
    _, _, memory_kib, passes, lanes, salt, check, nonce = _HEADER.unpack_from(data)
    cost = KdfCost(memory_kib=memory_kib, passes=passes, lanes=lanes)
    if not cost.is_bearable:
        raise Unreadable(f"asks for {memory_kib // 1024} MiB and {passes} passes to be opened, as none of ours does")
    return Sealed(
        cost=cost,
        salt=salt,
        check=check,
        nonce=nonce,
        header=data[: _HEADER.size],
        body=content[_HEADER.size :],
    )


def opened(vault: Sealed, key: VaultKey) -> dict[str, str]:
    """The secrets, by the key that fits. Raises Unreadable where they were tampered with."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    inner: bytes | None = None
    with suppress(InvalidTag):
        inner = AESGCM(key.key).decrypt(vault.nonce, vault.body, vault.header)
    if inner is None:
        raise Unreadable("is damaged or was tampered with, though the passphrase is right")
    secrets = _read(inner)
    if secrets is None:
        raise Unreadable("has something else in it than secrets, though the passphrase is right")
    return secrets


def _read(inner: bytes) -> dict[str, str] | None:
    """None where it is not what `sealed` makes. No error is handed on: a parser's has the text itself with it."""
    try:
        secrets = json.loads(inner)["secrets"]
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(secrets, dict) or not all(isinstance(value, str) for value in secrets.values()):
        return None
    return secrets
