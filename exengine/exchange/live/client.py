"""One ccxt client, asked one way: with our urgency, our rate limit, our errors. Lives on one event loop."""

import contextvars
import importlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from exengine.domain.errors import AuthFailed, KnownError, Refused, Retryable, UnknownOutcome, UserError
from exengine.domain.instrument import MarketType
from exengine.exchange.ccxt_rounding import keep_rounding_apart
from exengine.exchange.live.faults import Answer, ClockOff, told_apart
from exengine.exchange.live.pace import Pace, Urgency
from exengine.exchange.live.profiles import Profile, ResetIn

TIMEOUT_MS = 10_000
CLOCK_TRIES = 2
LOCAL_BURST = 100_000.0
"""A server on this machine has no limit of its own."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Credentials:
    """What an account's exchange knows the trader by. Never shown by repr or str."""

    api_key: str
    secret: str
    passphrase: str | None = None

    def __repr__(self) -> str:
        return "Credentials()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """Which exchange, which part of it, and whether it is the one for practice."""

    profile: Profile
    market_type: MarketType
    testnet: bool = False
    server: str = ""
    """A local server that stands for the exchange; empty = the exchange itself."""


_STREAM_HASHES = {"watch_orders": ("order",), "watch_my_trades": ("trade",)}
"""What ccxt's own names of awaited news have in them: `orders`, `myTrades`, `usertrades`, `spot:myTrades:…`."""

_urgency: contextvars.ContextVar[Urgency] = contextvars.ContextVar("urgency", default=Urgency.ROUTINE)
_answer: contextvars.ContextVar[Answer | None] = contextvars.ContextVar("answer", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """How well the exchange can be talked to. None = not known yet."""

    latency_ms: int | None = None
    """Of the last question, from its turn to its answer."""
    clock_skew_ms: int | None = None
    """The exchange's clock minus ours, as it was last asked for."""
    rate_used_percent: int | None = None


class CcxtClient:
    """A ccxt.pro client for the life of the program: opened at the first question, closed at the end."""

    def __init__(
        self,
        venue: Venue,
        credentials: Credentials | None,
        *,
        on_connected: Callable[[str], None] = lambda url: None,
        on_quiet: Callable[[float, bool], None] = lambda seconds, banned: None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_connected` is told of each websocket that is open, `on_quiet` for how long the exchange wants silence."""
        self.profile = venue.profile
        self._venue = venue
        self._credentials = credentials
        self._on_connected = on_connected
        self._on_quiet = on_quiet
        self._now_s = now_s
        self._ccxt: Any = None
        self._client: Any = None
        self._session: Any = None
        self._pace: Pace | None = None
        self._is_closed = False
        self._latency_ms: int | None = None
        self._clock_skew_ms: int | None = None

    @property
    def pulse(self) -> Pulse:
        """May be read from any thread."""
        used = None if self._pace is None else round(self._pace.used * 100)
        return Pulse(latency_ms=self._latency_ms, clock_skew_ms=self._clock_skew_ms, rate_used_percent=used)

    async def measure_clock(self) -> None:
        """Asks for the exchange's clock. Raises as `ask`."""
        before_ms = time.time() * 1000
        theirs_ms = await self.ask("fetch_time")
        self._clock_skew_ms = round(int(theirs_ms) - (before_ms + time.time() * 1000) / 2)

    @property
    def ccxt(self) -> Any:
        """The opened ccxt client, for what needs no network. Raises Retryable once it is closed."""
        if self._is_closed:
            raise _closed()
        if self._client is None:
            self._open()
        return self._client

    async def ask(
        self, question: str, *about: Any, urgency: Urgency = Urgency.ROUTINE, changes: bool = False, **params: Any
    ) -> Any:
        """ccxt's answer to `question`, one of its methods. `changes` = it places or cancels something.

        Raises Retryable, UnknownOutcome, AuthFailed, Refused; UserError for an exchange that ccxt does not know.
        """
        client = self.ccxt
        if self._pace is not None and self._pace.quiet_for_s > 0:
            raise Retryable(
                f"{self.profile.name} wants to be left alone", after_ms=int(self._pace.quiet_for_s * 1000) + 1
            )
        for tries in range(CLOCK_TRIES):
            try:
                return await self._asked(getattr(client, question), about, params, urgency, changes=changes)
            except ClockOff as error:
                if tries + 1 == CLOCK_TRIES:
                    raise AuthFailed(f"the clocks do not agree after all: {error}") from error
                await self._asked(client.load_time_difference, (), {}, urgency, changes=False)
        raise AssertionError("unreachable")

    async def reopen_streams(self) -> None:
        """Closes every websocket; whoever waits for news there begins anew, with a login of its own."""
        for options in (self.ccxt.options, *(each for each in self.ccxt.options.values() if isinstance(each, dict))):
            if options.get("listenKey"):
                options["listenKey"] = None
            if options.get("lastAuthenticatedTime"):
                options["lastAuthenticatedTime"] = 0
        for stream in list(self.ccxt.clients.values()):
            stream.on_error(self._ccxt.NetworkError("reopened: nothing came where something should have"))
            await stream.close()

    def has_stream(self, question: str) -> bool:
        """Whether a websocket is open on which `question` has its answers."""
        hashes = _STREAM_HASHES[question]
        for stream in list(self.ccxt.clients.values()):
            waiting = any(str(name).lower().find(one) >= 0 for name in stream.futures for one in hashes)
            if waiting and stream.isConnected:
                return True
        return False

    def can(self, question: str) -> bool:
        """Whether ccxt offers this method for the exchange."""
        first, *rest = question.split("_")
        return bool(self.ccxt.has.get(first + "".join(word.capitalize() for word in rest)))

    async def _asked(
        self,
        method: Callable[..., Any],
        about: tuple[Any, ...],
        params: dict[str, Any],
        urgency: Urgency,
        *,
        changes: bool,
    ) -> Any:
        answer = Answer()
        _urgency.set(urgency)
        _answer.set(answer)
        try:
            said = await method(*about, **params)
            if answer.sent_s is not None:
                self._latency_ms = round((self._now_s() - answer.sent_s) * 1000)
            if not answer.is_readable:
                # ccxt makes an empty list, an empty wallet or an order without an id of a proxy's page.
                raise ValueError("no answer of the exchange’s")
            return said
        except self._ccxt.BaseError as error:
            error.args = (self._without_keys(str(error)),)
            meant = told_apart(error, self._ccxt, self.profile, answer, changes=changes)
            self._obey(meant, answer)
            raise meant from error
        except (OSError, TimeoutError) as error:
            text = f"{type(error).__name__}: {error}"
            raise (UnknownOutcome(text) if changes else Retryable(text)) from error
        except (KnownError, Refused):
            raise
        except Exception as error:
            # A proxy's page or half an answer gets as far as ccxt's parser: what was asked for may have been done.
            text = f"an answer that cannot be read ({type(error).__name__})"
            raise (UnknownOutcome(text) if changes else Retryable(text)) from error

    def _without_keys(self, text: str) -> str:
        """What an exchange answered may quote the headers that we sent; it ends in the log and on the screen."""
        known = self._credentials
        for part in (known.api_key, known.secret, known.passphrase) if known is not None else ():
            text = text.replace(part, "•••") if part else text
        return text

    def _obey(self, meant: Exception, answer: Answer) -> None:
        """Silence for as long as the exchange asks for: nothing else goes out meanwhile (FAULTS 38, 39)."""
        if isinstance(meant, Retryable) and meant.after_ms is not None and self._pace is not None:
            self._pace.be_quiet(meant.after_ms / 1000)
            self._on_quiet(meant.after_ms / 1000, self.profile.ban_s(answer.status) is not None)

    async def close(self) -> None:
        """Closes every connection. The client is not used again: who still asks hears so, and nothing is opened."""
        self._is_closed = True
        if self._client is not None:
            self._client.exengine_closed = True
        client, session, self._client, self._session = self._client, self._session, None, None
        if client is not None:
            await client.close()
        if session is not None:
            await session.close()

    def _open(self) -> None:
        self._ccxt = importlib.import_module("ccxt.pro")
        name = self.profile.classes[self._venue.market_type]
        kind = _watched(getattr(self._ccxt, name))
        client = kind(self._config())
        keep_rounding_apart(client)
        client.has["fetchCurrencies"] = False
        if self._venue.testnet:
            if not self.profile.has_sandbox:
                raise UserError(f"{self.profile.name} has no testnet.", remedy="Set the account’s testnet to false.")
            client.set_sandbox_mode(True)
        burst = LOCAL_BURST if self._venue.server else self.profile.burst
        self._pace = Pace(unit_ms=client.rateLimit, burst=burst, now_s=self._now_s)
        client.exengine_pace, client.exengine_now_s, client.exengine_profile = self._pace, self._now_s, self.profile
        client.exengine_connected = self._on_connected
        self._client = client

    def _config(self) -> dict[str, Any]:
        config: dict[str, Any] = {
            "enableRateLimit": True,  # by our own line: see `throttle` below
            "timeout": TIMEOUT_MS,
            "aiohttp_trust_env": True,
            "newUpdates": True,
            "number": str,  # what it parses stays text: no price or quantity is ever a float
            "options": {
                **self.profile.options[self._venue.market_type],
                "adjustForTimeDifference": False,  # asked for where the exchange says that it is needed
                "fetchMargins": False,
                "warnOnFetchOpenOrdersWithoutSymbol": False,
            },
        }
        if self._credentials is not None:
            config |= {"apiKey": self._credentials.api_key, "secret": self._credentials.secret}
            if self._credentials.passphrase:
                config["password"] = self._credentials.passphrase
        if self._venue.server:
            from exengine.exchange.live.local_server import LocalServerSession

            config["session"] = self._session = LocalServerSession(self._venue.server)
        return config


def _closed() -> Retryable:
    return Retryable("the connection to the exchange is closed")


def _watched(kind: Any) -> Any:
    """ccxt's class, with our line in the place of its rate limiter, and an eye on what comes back."""

    class Watched(kind):
        exengine_closed = False

        async def throttle(self, cost: float | None = None) -> None:
            await self.exengine_pace.take(1.0 if cost is None else float(cost), _urgency.get())
            if self.exengine_closed:
                # ccxt would open a session of its own, which nobody closes.
                raise _closed()
            answer = _answer.get()
            if answer is not None:
                answer.sent_s = self.exengine_now_s()

        def on_rest_response(
            self, code: Any, reason: Any, url: Any, method: Any, headers: Any, body: Any, *rest: Any
        ) -> Any:
            answer = _answer.get()
            if answer is not None:
                answer.status = code
                answer.is_readable = answer.is_readable and str(body).lstrip()[:1] in ("{", "[")
                answer.retry_after_s = asked_pause_s(self.exengine_profile, headers, time.time() * 1000)
            return super().on_rest_response(code, reason, url, method, headers, body, *rest)

        def on_connected(self, client: Any, message: Any = None) -> None:
            super().on_connected(client, message)
            self.exengine_connected(client.url)

    Watched.__name__ = kind.__name__
    return Watched


def asked_pause_s(profile: Profile, headers: Mapping[str, str], now_ms: float) -> float | None:
    """How long the exchange wants to be left alone, by the headers of an answer that refused for the rate."""
    told = {name.lower(): value for name, value in headers.items()}
    after = told.get("retry-after", "")
    if after.isascii() and after.isdigit():
        return float(after)
    value = told.get(profile.reset_header, "")
    if not (value.isascii() and value.isdigit()):
        return None
    match profile.reset_in:
        case ResetIn.MILLISECONDS:
            return float(value) / 1000
        case ResetIn.EPOCH_MS:
            return max(0.0, (float(value) - now_ms) / 1000)
        case ResetIn.EPOCH_S:
            return max(0.0, float(value) - now_ms / 1000)
        case _:
            assert_never(profile.reset_in)
