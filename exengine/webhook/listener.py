"""Takes alerts over HTTP: each is judged, handed over to be stored, and answered only then (SPEC §2.1)."""

import json
import logging
import traceback
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath
from urllib.parse import unquote

from aiohttp import web

from exengine import __version__
from exengine.domain.signal import FieldError
from exengine.domain.signal_body import Body, BodyError, parse_body, redacted, scrubber
from exengine.engine.intake import Arrival, Intake, IntakeRefusal, StoreUnavailable, Verdict, VerdictKind, arrival_of
from exengine.webhook.answered import Answered
from exengine.webhook.auth import Authenticator, Secrets, Standing, WebhookAuth
from exengine.webhook.connection import BodyFault, Gate, Patience, read_body
from exengine.webhook.exposure import HIDDEN_CALLERS
from exengine.webhook.hosts import Hosts
from exengine.webhook.limits import Addresses, RateLimit
from exengine.webhook.tls import tls_context

log = logging.getLogger(__name__)

BODY_LIMIT = 64 * 1024
"""Bytes of the longest body that is taken."""
STRANGERS_BODY_LIMIT = 4 * 1024
"""Characters of an unauthorised body that are kept at most; a longer one is not, lest a stranger fill the disk."""
FORWARDING = ("X-Forwarded-For", "CF-Connecting-IP", "Forwarded")
"""Headers by which a proxy tells whom it speaks for."""
PROBE_LENGTH = 64
PROBES_REMEMBERED = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerSettings:
    """Where the webhook listens and whom it hears: `listener` and `security.webhook_auth` of SPEC §14."""

    host: str = "127.0.0.1"
    port: int = 8787
    """0 takes any port that is free."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks of peers whose word for the caller's address is taken."""
    allowed_sources: tuple[str, ...] = ()
    """Addresses and networks that may call, `tradingview` for TradingView's; empty is all."""
    allowed_hosts: tuple[str, ...] = ()
    """Names by which it may be called, besides that of `public_url`."""
    public_url: str = ""
    """What TradingView calls; empty where that is not known."""
    rate_per_minute: int = 60
    burst: int = 20
    webhook_auth: WebhookAuth = WebhookAuth.ANY
    tls: tuple[Path, Path] | None = None
    """Certificate and key; None is plain HTTP."""

    @property
    def place(self) -> tuple[object, ...]:
        """What an open port is bound by: another one needs another port."""
        return (self.host, self.port, self.tls)


class _Refused(Exception):
    """A request that never became a signal: how it is answered, and what the signal log keeps of it."""

    def __init__(
        self,
        answer: web.Response,
        refusal: IntakeRefusal,
        *,
        body: str = "",
        errors: tuple[FieldError, ...] = (),
    ) -> None:
        super().__init__(refusal.value)
        self.answer = answer
        self.refusal = refusal
        self.body = body
        self.errors = errors


class Listener:
    """The webhook's listener. It can do nothing but hand arrivals to `intake`."""

    def __init__(
        self,
        intake: Intake,
        settings: ListenerSettings,
        secrets: Secrets,
        clock: Callable[[], int],
        *,
        patience: Patience | None = None,
    ) -> None:
        """`clock` gives epoch ms. Raises UserError where an address in `settings` is none, or a certificate no good."""
        self._intake = intake
        self.settings = settings
        self._clock = clock
        self.old_used_at_ms: int | None = None
        """When an alert last came with a token or secret that has been replaced since."""
        self.use_secrets(secrets)
        self._addresses = Addresses(trusted_proxies=settings.trusted_proxies, allowed_sources=settings.allowed_sources)
        self._hosts = Hosts(allowed=settings.allowed_hosts, public_url=settings.public_url)
        self._tls = tls_context(*settings.tls) if settings.tls else None
        self._warned: set[str] = set()
        self._probes: OrderedDict[str, None] = OrderedDict()
        self._rate = RateLimit(per_minute=settings.rate_per_minute, burst=settings.burst)
        self._patience = patience or Patience()
        self._gate = Gate(self._handle, self._patience)
        self._answered = Answered(lambda: self.is_busy)
        self._port = settings.port

    @property
    def connections(self) -> int:
        """How many there are at the moment."""
        return self._gate.connections

    @property
    def port(self) -> int:
        """The one that is listened at, also where any was asked for."""
        return self._port

    @property
    def is_busy(self) -> bool:
        """Whether somebody waits for an answer."""
        return self._gate.is_busy

    @property
    def url(self) -> str:
        """The webhook's address on this machine, without the token; `/` and the token may follow it."""
        host = self.settings.host
        host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
        scheme = "https" if self._tls else "http"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self._port}/webhook"

    def use_secrets(self, secrets: Secrets) -> None:
        """From the next request on, these are what alerts prove themselves with."""
        known = tuple(one for one in (secrets.token, secrets.secret, secrets.old_token, secrets.old_secret) if one)
        # A function, so that no print of the listener's attributes has them.
        self._scrubbed = scrubber(known)
        self._authenticator = Authenticator(self.settings.webhook_auth, secrets)

    def reachable_as(self, public_url: str) -> None:
        """From now on requests for `public_url`'s host are heard too, as those of a tunnel that has just begun."""
        self._hosts.also(public_url)

    def has_seen(self, probe: str) -> bool:
        """Whether a request for /health came with `probe` as its query: it went all the way round to this listener."""
        return self._probes.pop(probe, self) is None

    async def start(self) -> None:
        """Listens. Raises UserError where the port is taken or the address is not this machine's."""
        self._port = await self._gate.open(self.settings.host, self.settings.port, self._tls)
        log.info("webhook: listening on %s", self.url)

    def heard_as(self, before: "Listener") -> None:
        """Hears requests for the public addresses that another listener was told of."""
        self._hosts.as_told(before._hosts)

    def take_over(self, before: "Listener") -> None:
        """Answers at another listener's open port from the next request on; connections that are there stay."""
        self._gate, self._port = before._gate, before._port
        self._gate.answer_by(self._handle)

    async def stop(self) -> None:
        """Hears no one new, answers who is being heard, then closes; bounded by `Patience`."""
        await self._gate.close()
        self._answered.write_all()
        log.info("webhook: stopped")

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await self._route(request)
        except Exception as error:  # noqa: BLE001  # a bug is told by 503: nothing was accepted, the sender comes again
            # Neither the error's text nor its traceback's: both may quote the body.
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{PurePath(where.filename).name}:{where.lineno}"
            log.critical("webhook: 503 because of a defect, %s at %s", type(error).__name__, place)
            return _status(503, "unavailable")

    async def _route(self, request: web.BaseRequest) -> web.Response:
        match request.rel_url.raw_path.split("/"):
            case ["", "health"]:
                return self._health(request) if request.method == "GET" else _wrong_method("GET")
            case ["", "webhook"]:
                token = None
            case ["", "webhook", last] if last:
                token = unquote(last)
            case _:
                return _status(404, "not_found")
        if request.method != "POST":
            return _wrong_method("POST")
        return await self._webhook(request, token)

    def _health(self, request: web.BaseRequest) -> web.Response:
        if not self._hosts.allows(request.headers.get("Host")):
            return _status(403, "forbidden")
        probe = request.rel_url.raw_query_string
        if probe and len(probe) <= PROBE_LENGTH:
            self._probes[probe] = None
            if len(self._probes) > PROBES_REMEMBERED:
                self._probes.popitem(last=False)
        return web.json_response({"status": self._intake.health(), "version": __version__})

    async def _webhook(self, request: web.BaseRequest, token: str | None) -> web.Response:
        now_ms = self._clock()
        caller = self._addresses.caller(
            request.remote,
            forwarded_for=request.headers.getall("X-Forwarded-For", ()),
            connecting_ip=request.headers.get("CF-Connecting-IP"),
        )
        self._warn_of_hidden_callers(request)
        # A page in the trader's own browser can post here as well; it must not use up what a tunnel beside it needs.
        sender = f"browser at {caller}" if "Origin" in request.headers else caller
        wait_ms = self._rate.wait_ms(sender, now_ms)
        if wait_ms:
            log.debug("webhook: 429 to %s", caller)
            return _status(429, "rate_limited", {"Retry-After": str(-(-wait_ms // 1000))})
        try:
            body = await self._admitted(request, token, caller)
        except _Refused as refused:
            return await self._refuse(refused, caller, now_ms)
        return await self._take(body, caller, now_ms)

    async def _admitted(self, request: web.BaseRequest, token: str | None, caller: str) -> Body:
        """The body of a request that may be heard, with no secret outside its own field. Raises _Refused."""
        if not self._hosts.allows(request.headers.get("Host")):
            self._warn_once(
                "host",
                "webhook: 403 to requests for a name that is not this listener’s: name it in listener.public_url or "
                "listener.allowed_hosts where it is",
            )
            raise _Refused(_status(403, "forbidden"), IntakeRefusal.UNAUTHORIZED)
        if not self._addresses.allows(caller):
            raise _Refused(_status(403, "forbidden"), IntakeRefusal.UNAUTHORIZED)
        raw = await read_body(request, limit=BODY_LIMIT, patience_s=self._patience.body_s)
        if raw is BodyFault.TOO_LARGE:
            raise _Refused(_closing(_status(413, "too_large")), IntakeRefusal.TOO_LARGE)
        if raw is BodyFault.INCOMPLETE:
            raise _not_json("the body did not arrive whole", closing=True)
        standing = self._authenticator.before_body(token=token, signed=request.headers.get("X-Signature"), raw=raw)
        try:
            body = parse_body(raw)
        except BodyError as error:
            if standing is Standing.WRONG:
                raise _unauthorized("") from None
            raise _not_json(str(error)) from None
        accepted = self._authenticator.accepts(standing, body)
        body = self._scrubbed(body, raw)
        if not accepted:
            raise _unauthorized(redacted(body))
        if self._authenticator.saw_old:
            self.old_used_at_ms = self._clock()
        return body

    def _warn_of_hidden_callers(self, request: web.BaseRequest) -> None:
        forwards = any(map(request.headers.__contains__, FORWARDING))
        if self._addresses.hides(request.remote, forwards=forwards):
            self._warn_once("hidden", f"webhook: {HIDDEN_CALLERS}")

    def _warn_once(self, about: str, text: str) -> None:
        """Once in a run: whoever floods the listener must not flood the log."""
        if about not in self._warned:
            self._warned.add(about)
            log.warning("%s", text)

    async def _refuse(self, refused: _Refused, caller: str, now_ms: int) -> web.Response:
        """Has the refusal logged. The answer stands even where the store cannot take it: nothing would come of more."""
        log.warning("webhook: %d to %s, %s", refused.answer.status, caller, refused.refusal.value)
        arrival = Arrival(
            received_at_ms=now_ms,
            source_address=caller,
            body=refused.body,
            errors=refused.errors,
            refusal=refused.refusal,
        )
        try:
            await self._intake.take(arrival)
        except StoreUnavailable:
            log.error("webhook: the refusal could not be written to the signal log")
        return refused.answer

    async def _take(self, body: Body, caller: str, now_ms: int) -> web.Response:
        arrival = arrival_of(body, received_at_ms=now_ms, source_address=caller)
        errors = arrival.errors
        try:
            verdict = await self._intake.take(arrival)
        except StoreUnavailable:
            log.error("webhook: 503 to %s, the store cannot take signals; nothing was accepted", caller)
            return _invalid(errors) if errors else _status(503, "unavailable")
        answer = _answer(verdict, errors)
        self._answered.add(answer.status, caller, verdict.signal_id, verdict.kind.value)
        return answer


def _answer(verdict: Verdict, errors: tuple[FieldError, ...]) -> web.Response:
    """SPEC §2.1's answer to what has been stored."""
    if errors or verdict.errors:
        return _invalid(errors or verdict.errors)
    if verdict.kind is VerdictKind.DUPLICATE:
        return _json({"status": "duplicate", "signal_id": verdict.signal_id}, 200)
    return _json({"status": "accepted", "signal_id": verdict.signal_id}, 202)


def _json(told: dict[str, object], status: int) -> web.Response:
    """As `web.json_response`, which takes its time to find out how JSON is encoded."""
    headers = {"Content-Type": "application/json; charset=utf-8"}
    return web.Response(body=json.dumps(told).encode(), status=status, headers=headers)


def _invalid(errors: tuple[FieldError, ...], status: int = 422) -> web.Response:
    told = [{"field": error.field, "message": error.message} for error in errors]
    return web.json_response({"status": "invalid", "errors": told}, status=status, dumps=_compact)


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _status(status: int, word: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"status": word}, status=status, headers=headers)


def _wrong_method(allowed: str) -> web.Response:
    return _status(405, "method_not_allowed", {"Allow": allowed})


def _closing(response: web.Response) -> web.Response:
    response.force_close()
    return response


def _not_json(message: str, *, closing: bool = False) -> _Refused:
    errors = (FieldError(field="body", message=message),)
    answer = _invalid(errors, 400)
    return _Refused(_closing(answer) if closing else answer, IntakeRefusal.NOT_JSON, errors=errors)


def _unauthorized(body: str) -> _Refused:
    kept = body if len(body) <= STRANGERS_BODY_LIMIT else ""
    return _Refused(web.Response(status=401), IntakeRefusal.UNAUTHORIZED, body=kept)
