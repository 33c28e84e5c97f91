"""The secrets that this process knows, so that none of them is written down in somebody else's words."""

import base64
from urllib.parse import quote

HIDDEN = "•••"
SHORTEST = 8
"""Shorter texts are not looked for: they would blank innocent words."""


class KnownSecrets:
    """What texts are searched for before they are written: an exchange, a library or a traceback may quote a secret.

    It is the last line: nothing of ours is meant to put a secret into a text in the first place.
    """

    def __init__(self) -> None:
        self._forms: dict[str, None] = {}
        self._longest_first: list[str] = []

    def __repr__(self) -> str:
        return "KnownSecrets(…)"

    def add(self, *secrets: str | None) -> None:
        """From now on these are hidden, plain and as they look in a URL, in base64 and in hexadecimal."""
        for secret in secrets:
            if secret and len(secret) >= SHORTEST:
                data = secret.encode("utf-8", "surrogatepass")
                plain, safe = base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()
                forms = (secret, quote(data), quote(data, safe=""), plain.rstrip("="), safe.rstrip("="), data.hex())
                self._forms |= dict.fromkeys(forms)
        self._longest_first = sorted(self._forms, key=len, reverse=True)

    def scrubbed(self, text: str) -> str:
        """`text` without any of them."""
        for form in self._longest_first:
            text = text.replace(form, HIDDEN)
        return text
