"""What every exchange's protocol is to the server: requests in, answers out, and what its streams are told."""

import json
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from tests.exchange_server.faults import Cut, Faults
from tests.exchange_server.streams import Stream
from tests.exchange_server.venue import Venue, VenueEvent


@dataclass(slots=True, kw_only=True)
class Keys:
    """The one trader that the exchange knows."""

    api_key: str = "local-api-key"
    secret: str = "local-secret"
    passphrase: str = "local-passphrase"
    may_trade: bool = True
    may_withdraw: bool = False
    revoked: bool = False


@dataclass(kw_only=True)
class Ask:
    """One request, or one message on a stream that is a request."""

    kind: str = "other"
    """One of faults.KINDS."""
    method: str
    host: str
    """The host that was meant, such as `api.binance.com`."""
    path: str
    """As sent, from the slash on, without the query."""
    query: str = ""
    """As sent, without the question mark."""
    headers: Mapping[str, str]
    """Without regard to case."""
    body: str = ""
    message: Any = None
    """What a stream's message said, parsed; None for HTTP."""

    @cached_property
    def params(self) -> dict[str, Any]:
        """The query's fields, and the body's: a form, or an object in JSON. For a stream's message, its own."""
        if isinstance(self.message, dict):
            return self.message
        fields: dict[str, Any] = dict(parse_qsl(self.query, keep_blank_values=True))
        match self.json:
            case dict(more):
                fields |= more
            case None if self.body:
                fields |= parse_qsl(self.body, keep_blank_values=True)
            case _:
                pass
        return fields

    @cached_property
    def json(self) -> Any:
        """The body in JSON; None where it is none."""
        if not self.body.startswith(("{", "[")):
            return None
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is answered: HTTP's, or on a stream the body alone (empty: nothing is said)."""

    status: int = 200
    body: str | bytes = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


def answer_json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status=status, body=json.dumps(value, separators=(",", ":")), headers=headers or {})


class FrontEnd(ABC):
    """One exchange's protocol in front of a Venue, which keeps all state. Made for one server."""

    hosts: ClassVar[frozenset[str]]
    """All hosts that the exchange's clients may ask."""

    def __init__(self, venue: Venue, faults: Faults, keys: Keys) -> None:
        self.venue = venue
        self.faults = faults
        self.keys = keys
        venue.listeners.append(self.on_event)
        venue.price_listeners.append(self._on_tick)

    def leave(self) -> None:
        """The venue goes on without this front end."""
        self.venue.listeners.remove(self.on_event)
        self.venue.price_listeners.remove(self._on_tick)

    def _on_tick(self, market_id: str, price: Decimal) -> None:
        self.on_price(market_id)

    def now_ms(self) -> int:
        """The exchange's own clock, which a fault may have set wrong."""
        return self.venue.clock() + self.faults.clock_skew_ms

    @abstractmethod
    def kind_of(self, ask: Ask) -> str:
        """Which of faults.KINDS a request over HTTP is."""

    @abstractmethod
    async def answer(self, ask: Ask) -> Answer:
        """Sees to a request over HTTP."""

    @abstractmethod
    async def stream(self, ask: Ask, stream: Stream) -> None:
        """Serves a websocket for its life: `async for text in stream`. `ask` is the request that opened it."""

    @abstractmethod
    def on_event(self, event: VenueEvent) -> None:
        """Something changed: tells the private streams."""

    @abstractmethod
    def on_price(self, market_id: str) -> None:
        """A price was told: tells the public streams."""

    @abstractmethod
    def refusal(self, ask: Ask, code: str, message: str, status: int | None) -> Answer:
        """The exchange's own form of an error; `status` None: the HTTP status that goes with it."""

    @abstractmethod
    def banned(self, ask: Ask, retry_after_s: int) -> Answer:
        """What it says to someone who asked too often."""

    @abstractmethod
    def nothing(self, ask: Ask) -> Answer:
        """What it says where there is no such order, or an empty list."""

    def end_sessions(self) -> None:
        """What proved to the streams who the trader is has expired; where a protocol says so, it says so."""
        self.faults.cut_stream(private=True)

    @staticmethod
    def said(status: int, body: str, headers: Mapping[str, str]) -> Answer:
        """What some machine before the exchange says."""
        kind = "text/html" if body.startswith("<") else "application/json"
        return Answer(status=status, body=body, headers=headers, content_type=kind)

    async def on_stream(
        self, stream: Stream, kind: str, opened: Ask, message: Any, do: Callable[[], Awaitable[Answer]]
    ) -> None:
        """Sees to a request that came as a message on a stream, through the faults; replies on the stream."""
        ask = Ask(kind=kind, method="WS", host=opened.host, path=opened.path, headers=opened.headers, message=message)
        try:
            answer = await self.faults.through(ask, self, do)
        except Cut:
            stream.cut()
            return
        if answer.body:
            stream.reply(answer.body)
