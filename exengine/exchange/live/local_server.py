"""Sends everything that is meant for an exchange to a server on this machine instead: for tests and simulators."""

from typing import Any

import aiohttp
import yarl


class LocalServerSession:
    """Behaves like an aiohttp session, and asks `server` only; the host that was meant becomes the path's first part.

    `https://api.binance.com/api/v3/time` is asked as `http://127.0.0.1:8080/api.binance.com/api/v3/time`, and a
    websocket in the same way. Nothing leaves the machine.
    """

    def __init__(self, server: str) -> None:
        self._server = yarl.URL(server)
        self._session = aiohttp.ClientSession()

    def _local(self, url: Any) -> yarl.URL:
        meant = url if isinstance(url, yarl.URL) else yarl.URL(url, encoded=True)
        scheme = "ws" if meant.scheme in ("ws", "wss") else "http"
        query = f"?{meant.raw_query_string}" if meant.raw_query_string else ""
        host = f"{self._server.host}:{self._server.port}"
        return yarl.URL(f"{scheme}://{host}/{meant.host}{meant.raw_path}{query}", encoded=True)

    @property
    def headers(self) -> Any:
        return self._session.headers

    @property
    def cookie_jar(self) -> Any:
        return self._session.cookie_jar

    @property
    def closed(self) -> bool:
        return self._session.closed

    def get(self, url: Any, **options: Any) -> Any:
        return self._session.get(self._local(url), **options)

    def post(self, url: Any, **options: Any) -> Any:
        return self._session.post(self._local(url), **options)

    def put(self, url: Any, **options: Any) -> Any:
        return self._session.put(self._local(url), **options)

    def delete(self, url: Any, **options: Any) -> Any:
        return self._session.delete(self._local(url), **options)

    def ws_connect(self, url: Any, **options: Any) -> Any:
        return self._session.ws_connect(self._local(url), **options)

    async def close(self) -> None:
        await self._session.close()
