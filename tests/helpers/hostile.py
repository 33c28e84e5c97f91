"""Requests as no honest sender makes them, the same ones for the same seed."""

import copy
import gzip
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.helpers.alerts import alert, text

JUNK: tuple[Any, ...] = (
    None, True, False, 0, -1, 1e308, -0.0, "", " ", "NaN", "Infinity", "1e999", "-1e-999", "9" * 400, "{{close}}",
    "null", "\x00", "\ud800", "𝟙𝟚", "٣", "1_000", "0x10", [], {}, [[]], {"a": {}}, "'; DROP TABLE signals; --",
    "../../etc/passwd", "<script>", "${jndi:ldap://x}", "%s%n", "a" * 5000, "🦓" * 300, "\u202e", "BTC/USDT:USDT",
)  # fmt: skip
ADDRESSES = (
    b"52.89.214.238", b"127.0.0.1", b"::1", b"[::1]:80", b"fe80::1%eth0", b"::ffff:10.0.0.1", b"999.1.1.1", b"",
    b"unknown", b"_hidden", b"10.0.0.1, 10.0.0.2, 127.0.0.1", b"," * 200, b"\xff\xfe", b"1.1.1.1:99999", b"0x7f.1",
    b"for=192.0.2.60;proto=http;by=203.0.113.43", b"'\"><", b"1.2.3.4" + b", 5.6.7.8" * 500,
)  # fmt: skip
PATHS = (
    "/", "//", "/webhook/", "//webhook/{t}", "/webhook//{t}", "/webhook/{t}/", "/webhook/{t}/x", "/WEBHOOK/{t}",
    "/webhook/../webhook/{t}", "/webhook/%2e%2e/{t}", "/./webhook/{t}", "/webhook/{t}%00", "/webhook/{t}%0d%0aX: y",
    "/webhook/{t}?a=b", "/webhook/{t}#x", "/webhook;{t}", "/webhook%2f{t}", "/%77ebhook/{t}", "/health/../webhook/{t}",
    "http://127.0.0.1/webhook/{t}", "http://evil.example/webhook/{t}", "*", "/webhook/{t}\\..\\x", "/health?{t}",
    "/webhook/%", "/webhook/%zz", "/webhook/%ff%fe", "/webhook/" + "a" * 9000, "/../../../../etc/passwd", "/.env",
    "/api/accounts", "/metrics", "/webhook/{t}/../../health", "/\u00fc",
)  # fmt: skip
HEADERS = (
    b"X-Signature", b"Authorization", b"Cookie", b"X-Odd", b"Content-Type", b"Host", b"Accept-Encoding", b"Origin",
    b"Transfer-Encoding", b"Range", b"\xff",
)  # fmt: skip
VALUES = (
    b"sha256=" + b"0" * 64, b"sha256=zz", b"x", b"x" * 900, b"x" * 9000, b"\xff\xfe", b"a\x00b", b"evil.example",
    b"gzip", b"", b"multipart/form-data", b"application/json; charset=utf-7",
)  # fmt: skip
LENGTHS = (
    b"-1", b"+5", b"0x10", b"1e3", b" 5 ", b"5, 5", b"", b"99999999999999999999", b"65537", b"\xc2\xb2",
)  # fmt: skip
METHODS = ("GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT", "post", "PO ST", "", "BREW", "POST")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostile:
    """What is written to the socket, and what of it is known beforehand."""

    kind: str
    sent: bytes
    is_whole: bool = True
    """Whether the listener has everything that it was promised: else it may close without a word."""
    is_strangers: bool = False
    """Whether there is no proof in it: then it may never be taken for a signal."""


class Generator:
    """Makes hostile requests, of all kinds in turn."""

    def __init__(self, seed: int, *, token: str, secret: str) -> None:
        self._random = random.Random(seed)
        self._token, self._secret = token, secret
        self._count = 0
        self._kinds: tuple[Callable[[], Hostile], ...] = (
            self._fields, self._bytes, self._nested, self._headers, self._forwarded, self._paths, self._methods,
            self._lengths, self._chunks, self._short, self._stranger, self._replay, self._smuggled, self._noise,
        )  # fmt: skip

    def __iter__(self) -> "Generator":
        return self

    def __next__(self) -> Hostile:
        self._count += 1
        return self._kinds[self._count % len(self._kinds)]()

    # bodies ----------------------------------------------------------------------------------------------------------

    def _alert(self) -> dict[str, Any]:
        return alert(timestamp=self._count)

    def _fields(self) -> Hostile:
        """Valid JSON with values that no field can have."""
        body = self._alert()
        for _ in range(self._random.randint(1, 5)):
            section = self._random.choice([body, *(one for one in body.values() if isinstance(one, dict))])
            if section:
                section[self._random.choice([*section, "new", "secret", ""])] = copy.deepcopy(self._random.choice(JUNK))
        return self._post("fields", json.dumps(body).encode())

    def _bytes(self) -> Hostile:
        """A good alert with bytes changed, lost, doubled or packed."""
        raw = bytearray(text(self._alert()))
        for _ in range(self._random.randint(1, 8)):
            at = self._random.randrange(len(raw))
            match self._random.randrange(4):
                case 0:
                    raw[at] = self._random.randrange(256)
                case 1:
                    del raw[at : at + self._random.randint(1, 20)]
                    raw = raw or bytearray(b"{")
                case 2:
                    raw[at:at] = raw[at : at + 30]
                case _:
                    raw[at:at] = self._random.randbytes(5)
        data = bytes(raw)
        if self._random.random() < 0.1:
            return self._post("bytes", gzip.compress(data, mtime=0), b"Content-Encoding: gzip\r\n")
        return self._post("bytes", data)

    def _nested(self) -> Hostile:
        depth = self._random.choice([50, 500, 5000, 30_000])
        opening, closing = self._random.choice([(b"[", b"]"), (b'{"a":', b"}"), (b'{"tv":[', b"]}")])
        data = (opening * depth)[:60_000] + self._random.choice([b"1", b"", b'"x"']) + (closing * depth)[:4_000]
        return self._post("nested", data)

    # heads -----------------------------------------------------------------------------------------------------------

    def _headers(self) -> Hostile:
        extra = b""
        for _ in range(self._random.choice([1, 3, 20, 200])):
            name, value = self._random.choice(HEADERS), self._random.choice(VALUES)
            extra += name + b": " + value + self._random.choice([b"\r\n", b"\r\n", b"\n", b"\r\n folded\r\n"])
        return self._post("headers", text(self._alert()), extra, is_whole=False)

    def _forwarded(self) -> Hostile:
        extra = b""
        for _ in range(self._random.randint(1, 4)):
            name = self._random.choice([b"X-Forwarded-For", b"CF-Connecting-IP", b"Forwarded", b"X-Real-IP",
                                        b"X-Forwarded-Host", b"True-Client-IP"])  # fmt: skip
            extra += name + b": " + self._random.choice(ADDRESSES) + b"\r\n"
        return self._post("forwarded", text(self._alert()), extra, is_whole=False)

    def _paths(self) -> Hostile:
        path = self._random.choice(PATHS).format(t=self._token)
        return self._request("paths", "POST", path, text(self._alert()))

    def _methods(self) -> Hostile:
        path = self._random.choice(["/webhook", f"/webhook/{self._token}", "/health", "/"])
        return self._request("methods", self._random.choice(METHODS), path, text(self._alert()))

    def _lengths(self) -> Hostile:
        """Lengths that are none, or not that of the body."""
        raw = text(self._alert())
        length = self._random.choice([*LENGTHS, b"%d" % (len(raw) // 2), b"%d" % (len(raw) + 50)])
        head = f"POST /webhook/{self._token} HTTP/1.1\r\nHost: localhost\r\n".encode()
        more = self._random.choice([b"", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 3\r\n",
                                    b"Expect: 100-continue\r\n"])  # fmt: skip
        return Hostile(
            kind="lengths", sent=head + b"Content-Length: " + length + b"\r\n" + more + b"\r\n" + raw, is_whole=False
        )

    def _chunks(self) -> Hostile:
        raw = text(self._alert())
        size = self._random.choice(
            [b"%x" % len(raw), b"%X;ext=" % len(raw) + b"x" * 500, b"-1", b"zz", b"f" * 20, b"0"]
        )
        ending = self._random.choice([b"\r\n0\r\n\r\n", b"\r\n0\r\nX-Late: y\r\n\r\n", b"0\r\n\r\n", b"\n0\n\n", b""])
        head = f"POST /webhook/{self._token} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        return Hostile(kind="chunks", sent=head + size + b"\r\n" + raw + ending, is_whole=False)

    def _short(self) -> Hostile:
        """A good request that breaks off anywhere."""
        whole = self._post("short", text(self._alert())).sent
        return Hostile(kind="short", sent=whole[: self._random.randrange(1, len(whole))], is_whole=False)

    # senders ---------------------------------------------------------------------------------------------------------

    def _stranger(self) -> Hostile:
        """A good alert with a guessed token, secret or signature, or with none."""
        body = self._alert()
        if self._random.random() < 0.5:
            body["secret"] = self._random.choice(["guess", self._secret[:-1], self._secret + "x", "", None, ["x"], 0])
        token = self._random.choice(["", "/guess", f"/{self._token[:-1]}", f"/{self._token}x", "/%00",
                                     f"/{self._token.upper()}"])  # fmt: skip
        signature = self._random.choice([b"", b"X-Signature: sha256=" + b"0" * 64 + b"\r\n", b"X-Signature: \r\n"])
        made = self._request("stranger", "POST", f"/webhook{token}", text(body), signature)
        return Hostile(kind=made.kind, sent=made.sent, is_strangers=True)

    def _replay(self) -> Hostile:
        """What was sent before, again."""
        return self._post("replay", text(alert(timestamp=self._random.randint(1, 50))))

    def _smuggled(self) -> Hostile:
        """A second request where the first one's body ought to be, or behind it."""
        inner = f"POST /webhook/{self._token} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{{}}".encode()
        first = self._random.choice([b"POST /webhook HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
                                     b"GET /health HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\n\r\n",
                                     b"POST /webhook HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n"
                                     b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                                     b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"])  # fmt: skip
        return Hostile(kind="smuggled", sent=first + inner, is_whole=False)

    def _noise(self) -> Hostile:
        """No HTTP at all."""
        start = self._random.choice([b"", b"\x16\x03\x01\x02\x00", b"SSH-2.0-x\r\n", b"GET", b"\r\n\r\n\r\n", b"POST "])
        data = start + self._random.randbytes(self._random.choice([10, 300, 20_000])) + b"\r\n\r\n"
        return Hostile(kind="noise", sent=data, is_whole=False)

    def _post(self, kind: str, raw: bytes, extra: bytes = b"", *, is_whole: bool = True) -> Hostile:
        return self._request(kind, "POST", f"/webhook/{self._token}", raw, extra, is_whole=is_whole)

    def _request(
        self, kind: str, method: str, path: str, raw: bytes, extra: bytes = b"", *, is_whole: bool = True
    ) -> Hostile:
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n".encode()
        length = b"Content-Length: %d\r\n\r\n" % len(raw)
        return Hostile(kind=kind, sent=head + extra + length + raw, is_whole=is_whole)
