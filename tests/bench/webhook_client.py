"""Sends alerts over a connection that stays open, with as little work of its own as there can be."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Answered:
    """One alert: when its first byte was sent and its answer's head read, and the status."""

    sent_s: float
    answered_s: float
    status: int

    @property
    def took_s(self) -> float:
        return self.answered_s - self.sent_s


class WebhookClient:
    """One keep-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> None:
        self._reader = reader
        self._writer = writer
        self._head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "

    async def post(self, body: dict[str, Any]) -> Answered:
        data = json.dumps(body).encode()
        request = f"{self._head}{len(data)}\r\n\r\n".encode() + data
        sent_s = time.perf_counter()
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        answered_s = time.perf_counter()
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await self._reader.readexactly(int(length.partition(b":")[2]))
        return Answered(sent_s, answered_s, int(head.split(b" ", 2)[1]))


@asynccontextmanager
async def webhook_client(port: int, path: str) -> AsyncIterator[WebhookClient]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield WebhookClient(reader, writer, path)
    finally:
        writer.close()
        await writer.wait_closed()
