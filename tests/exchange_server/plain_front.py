"""A front end whose REST and websocket sessions work on plain values: this is the wire that they leave out."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

from tests.exchange_server.faults import Faults
from tests.exchange_server.front_end import Answer, Ask, FrontEnd, Keys, answer_json
from tests.exchange_server.streams import Stream
from tests.exchange_server.values import VenueEvent
from tests.exchange_server.venue import Venue


class Rest(Protocol):
    """One exchange's answers over HTTP."""

    def kind(self, method: str, path: str) -> str:
        """One of faults.KINDS."""

    def answer(self, method: str, path: str, query: str, headers: Mapping[str, str], body: str) -> tuple[int, Any]:
        """HTTP status, and what is said."""


class Session(Protocol):
    """One websocket's life. Each method gives the messages to send, in order."""

    private: bool

    def opened(self) -> Sequence[str | bytes]: ...

    def logs_in(self, message: str) -> bool:
        """Whether this message has to show who the client is."""

    def received(self, message: str) -> Sequence[str | bytes]:
        """What is answered."""

    def quoted(self) -> Sequence[str | bytes]:
        """What is told at once, to new subscriptions."""

    def changed(self, event: VenueEvent) -> Sequence[str | bytes]: ...

    def priced(self, market_id: str, price: Decimal) -> Sequence[str | bytes]: ...


class PlainFrontEnd(FrontEnd):
    """What is left to each exchange: its sessions, and how it words what faults make it say."""

    def __init__(self, venue: Venue, faults: Faults, keys: Keys, rest: Rest) -> None:
        super().__init__(venue, faults, keys)
        self.rest = rest
        self.sessions: dict[Stream, Session] = {}

    @abstractmethod
    def session(self, query: Mapping[str, Any]) -> Session | None:
        """A new one; None: the connection is refused."""

    def limits(self) -> Mapping[str, str]:
        """The headers of every answer that say how many requests are left."""
        return {}

    def kind_of(self, ask: Ask) -> str:
        return self.rest.kind(ask.method, ask.path)

    async def answer(self, ask: Ask) -> Answer:
        status, said = self.rest.answer(ask.method, ask.path, ask.query, ask.headers, ask.body)
        return answer_json(said, status, self.limits())

    async def stream(self, ask: Ask, stream: Stream) -> None:
        session = self.session(ask.params)
        if session is None:
            stream.close()
            return
        for message in session.opened():
            stream.reply(message)
        stream.private = session.private
        self.sessions[stream] = session
        try:
            async for text in stream:
                await self._hear(ask, stream, session, text)
        finally:
            del self.sessions[stream]

    async def _hear(self, ask: Ask, stream: Stream, session: Session, text: str) -> None:
        if session.logs_in(text):

            async def do() -> Answer:
                answers = session.received(text)
                return Answer(body=answers[0] if answers else "")

            await self.on_stream(stream, "stream_login", ask, {"text": text}, do)
        else:
            for message in session.received(text):
                stream.reply(message)
        stream.private = stream.private or session.private
        for message in session.quoted():
            stream.push(message)

    def on_event(self, event: VenueEvent) -> None:
        for stream, session in list(self.sessions.items()):
            for message in session.changed(event):
                stream.push(message)

    def on_price(self, market_id: str) -> None:
        for stream, session in list(self.sessions.items()):
            for message in session.priced(market_id, self.venue.last[market_id]):
                stream.push(message)
