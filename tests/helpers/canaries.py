"""Secrets that are easily told from anything else, and the search for them in all that a program has written."""

import base64
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import quote, quote_plus


@dataclass(frozen=True, slots=True, kw_only=True)
class Canaries:
    """One for each secret that a trader has. Some have signs in them that a URL or JSON spells otherwise."""

    token: str = "canary-token-Zq7vXw2LkT9sRb4M"
    secret: str = "canary/secret+Hy5nPc8JdW3gF6uA=="
    api_key: str = "canary:api+key/Tm4xKf7QzB9wLs2V"
    api_secret: str = "canary&api=secret%Rk8jNv3YhD5pXc6G"
    key_passphrase: str = "canary key pässphrase Wb2tSd9M"
    vault_passphrase: str = 'canary "vault" passphrase Lx6cJq4F'
    notice_url: str = "json://canary-user:canary-password-Ug3kEz8P@127.0.0.1:9/canary-path"
    """An apprise URL that nobody answers at."""

    def all(self) -> Iterator[tuple[str, str]]:
        """Each with its name; of the URL the password, which is what is secret in it."""
        for field in fields(self):
            value = getattr(self, field.name)
            yield field.name, "canary-password-Ug3kEz8P" if field.name == "notice_url" else value


def forms_of(secret: str) -> set[bytes]:
    """How a secret looks plain, in JSON, in a URL, in hexadecimal, in UTF-16, and inside of any base64."""
    data = secret.encode()
    escaped = secret.replace("\\", "\\\\").replace('"', '\\"')
    ascii_escaped = escaped.encode("ascii", "backslashreplace").replace(b"\\xe4", b"\\u00e4")
    found = {data, escaped.encode(), ascii_escaped, quote(secret).encode(), quote(secret, safe="").encode(),
             quote_plus(secret).encode(), data.hex().encode(), data.hex().upper().encode(),
             secret.encode("utf-16-le")}  # fmt: skip
    for before in range(3):
        # The first and last characters depend on what stands around it: the middle does not.
        coded = base64.b64encode(b"\0" * before + data)[before and 4 : (len(data) + before) // 3 * 4]
        found |= {coded, coded.replace(b"+", b"-").replace(b"/", b"_")}
    return found


def found_in(canaries: Canaries, places: Iterable[tuple[str, bytes]]) -> list[str]:
    """Where any of them is, in words; empty where none is."""
    forms = {name: forms_of(secret) for name, secret in canaries.all()}
    return [
        f"{name} in {place}, …{_around(data, form)}…"
        for place, data in places
        for name, known in forms.items()
        for form in known
        if form in data
    ]


def _around(data: bytes, form: bytes) -> str:
    at = data.index(form)
    return repr(data[max(0, at - 60) : at + 12])


def files_below(folder: Path, *, but: Iterable[Path] = ()) -> Iterator[tuple[str, bytes]]:
    """Every file below `folder`, archives unpacked; `but` are left out: the vault itself, and what a test wrote."""
    left_out = set(but)
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path in left_out:
            continue
        yield str(path.relative_to(folder)), path.read_bytes()
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    yield f"{path.name}:{name}", archive.read(name)
