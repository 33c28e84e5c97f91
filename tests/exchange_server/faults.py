"""What goes wrong between a client and a local exchange, as a script: each fault waits for its request."""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

if TYPE_CHECKING:
    from tests.exchange_server.front_end import Answer, Ask, FrontEnd
    from tests.exchange_server.streams import Stream

KINDS = frozenset(
    {"any", "place", "place_many", "cancel", "query", "open_orders", "orders", "trades", "balance", "positions"}
    | {"rules", "tickers", "time", "permissions", "setup", "stream_key", "stream", "stream_login", "other"}
)
"""Kinds of requests. `any` stands for all but the two of the streams: their connection, and their login."""

HTML = "<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>"
When = Callable[["Ask"], bool]


class Cut(Exception):
    """The connection ends here, without an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lose:
    """No answer, and the connection gone; `done`: what was asked for is done all the same."""

    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Another answer in the place of the exchange's own."""

    status: int
    body: str
    headers: Mapping[str, str]
    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """The exchange's own kind of error, with this code and message; nothing is done."""

    code: str
    message: str
    status: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """`done`: the request is done first and its answer comes late; else the request itself comes late."""

    until: asyncio.Event | float
    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Hide:
    """Says that there is no such thing, though there is."""


Effect = Lose | Say | Refuse | Wait | Hide


@dataclass(slots=True, kw_only=True)
class Fault:
    """One line of the script."""

    effect: Effect
    where: str
    left: int | None
    """How many requests it is still for; None: all."""
    when: When | None

    def takes(self, ask: "Ask") -> bool:
        if self.left == 0 or (self.where != ask.kind and (self.where != "any" or ask.kind.startswith("stream"))):
            return False
        if self.when is not None and not self.when(ask):
            return False
        self.left = None if self.left is None else self.left - 1
        return True


@dataclass(slots=True, kw_only=True)
class Faults:
    """The script, and the standing faults. Every method that adds to the script answers with the line, for `end`."""

    clock_skew_ms: int = 0
    """How far the exchange's clock is ahead; its timestamps and its checks of ours are by it."""
    banned_until_ms: int = 0
    """By the venue's clock without skew; all requests get the exchange's ban until then."""
    asked: "deque[Ask]" = field(default_factory=lambda: deque(maxlen=100_000))
    """Every request that came, in order."""
    done: Counter[str] = field(default_factory=Counter)
    """How many requests of each kind the exchange itself saw to."""
    script: list[Fault] = field(default_factory=list)
    streams: "set[Stream]" = field(default_factory=set)
    """The open ones."""
    muted: bool = False
    """Events of the streams are dropped."""
    pongs: bool = True
    """Whether pings are answered."""
    copies: int = 1
    held: bool = False
    """Events of the streams are kept, and come when they are released."""

    # The script

    def lose_answer(self, where: str, *, times: int | None = 1, when: When | None = None) -> Fault:
        return self._add(Lose(done=True), where, times, when)

    def lose_request(self, where: str, *, times: int | None = 1, when: When | None = None) -> Fault:
        return self._add(Lose(done=False), where, times, when)

    def status(
        self,
        where: str,
        code: int,
        body: str = HTML,
        headers: Mapping[str, str] | None = None,
        *,
        done: bool = False,
        times: int | None = 1,
        when: When | None = None,
    ) -> Fault:
        """An HTTP status with a body of our choice; `done`: what was asked for is done all the same."""
        return self._add(Say(status=code, body=body, headers=headers or {}, done=done), where, times, when)

    def garbage(
        self, where: str, body: str = HTML, *, done: bool = True, times: int | None = 1, when: When | None = None
    ) -> Fault:
        """200 and something that does not parse."""
        return self._add(Say(status=200, body=body, headers={}, done=done), where, times, when)

    def refuse(
        self,
        where: str,
        code: str | int,
        message: str,
        *,
        status: int | None = None,
        times: int | None = 1,
        when: When | None = None,
    ) -> Fault:
        return self._add(Refuse(code=str(code), message=message, status=status), where, times, when)

    def delay(
        self,
        where: str,
        until: asyncio.Event | float,
        *,
        done: bool = False,
        times: int | None = 1,
        when: When | None = None,
    ) -> Fault:
        """Until an event, or for so many seconds. The next line that fits, but for a delay, is for the same request."""
        return self._add(Wait(until=until, done=done), where, times, when)

    def hide(self, times: int | None, where: str = "query", *, when: When | None = None) -> Fault:
        return self._add(Hide(), where, times, when)

    def end(self, fault: Fault) -> None:
        fault.left = 0

    def clear(self) -> None:
        """Everything is well again; what the streams held back comes."""
        self.script.clear()
        self.clock_skew_ms = self.banned_until_ms = 0
        self.muted, self.pongs, self.copies = False, True, 1
        self.release_stream()

    def ban(self, until_ms: int) -> None:
        self.banned_until_ms = until_ms

    def _add(self, effect: Effect, where: str, times: int | None, when: When | None) -> Fault:
        if where not in KINDS:
            raise ValueError(f"no kind of request: {where}")
        fault = Fault(effect=effect, where=where, left=times, when=when)
        self.script.append(fault)
        return fault

    # The streams

    def cut_stream(self, *, private: bool | None = None) -> int:
        """Cuts the open streams, or only the private or the public ones; how many."""
        chosen = [each for each in self.streams if private is None or each.private == private]
        for stream in chosen:
            stream.cut()
        return len(chosen)

    def mute_stream(self, *, pongs: bool = True) -> None:
        """From now on nothing is told, until `unmute_stream`: it is lost. `pongs=False`: pings are not answered."""
        self.muted, self.pongs = True, pongs

    def unmute_stream(self) -> None:
        self.muted, self.pongs = False, True

    def double_stream(self, copies: int = 2) -> None:
        """From now on each event comes twice; 1: once again."""
        self.copies = copies

    def late_stream(self) -> None:
        """From now on events are held back, until `release_stream`."""
        self.held = True

    def release_stream(self) -> None:
        self.held = False
        for stream in self.streams:
            stream.release()

    # What every request goes through

    async def through(self, ask: "Ask", front: "FrontEnd", do: "Callable[[], Awaitable[Answer]]") -> "Answer":
        """The answer to a request: the exchange's own, or what the script puts in its place. Raises Cut."""
        self.asked.append(ask)
        now = front.venue.clock()
        if now < self.banned_until_ms:
            return front.banned(ask, -((now - self.banned_until_ms) // 1000))
        answer: Answer | None = None
        waited = False
        for fault in list(self.script):
            if (waited and isinstance(fault.effect, Wait)) or not fault.takes(ask):
                continue
            match fault.effect:
                case Wait(until=until, done=done):
                    waited = True
                    if done and answer is None:
                        answer = await self._do(ask, do)
                    await (until.wait() if isinstance(until, asyncio.Event) else asyncio.sleep(until))
                    continue
                case Lose(done=done):
                    if done and answer is None:
                        await self._do(ask, do)
                    raise Cut
                case Say(status=status, body=body, headers=headers, done=done):
                    if done and answer is None:
                        await self._do(ask, do)
                    return front.said(status, body, headers)
                case Refuse(code=code, message=message, status=status):
                    return front.refusal(ask, code, message, status)
                case Hide():
                    return front.nothing(ask)
                case _:
                    assert_never(fault.effect)
        return answer if answer is not None else await self._do(ask, do)

    async def _do(self, ask: "Ask", do: "Callable[[], Awaitable[Answer]]") -> "Answer":
        self.done[ask.kind] += 1
        return await do()
