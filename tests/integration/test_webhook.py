"""Every answer of the webhook, over real HTTP: the table of SPEC §2.1, proofs, addresses and the rate."""

import asyncio
import hashlib
import hmac
import json
from typing import Any

import pytest

from exengine import __version__
from exengine.domain.errors import UserError
from exengine.domain.signal import FieldError
from exengine.engine.intake import IntakeRefusal, Verdict, VerdictKind
from exengine.webhook.auth import WebhookAuth
from exengine.webhook.listener import BODY_LIMIT
from tests.helpers.alerts import ABSENT, alert, text
from tests.helpers.webhook import SECRET, START_MS, TOKEN, Keys, door, unavailable


def signed(raw: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


class TestTheTableOfAnswers:
    async def test_202_a_signal_is_accepted_with_its_id(self) -> None:
        async with door() as at:
            reply = await at.post(text(alert()))

            assert (reply.status, reply.json) == (202, {"status": "accepted", "signal_id": 1})
            [arrival] = at.intake.arrivals
            assert arrival.signal is not None
            assert arrival.signal.symbol == "BTCUSDT"
            assert (arrival.received_at_ms, arrival.source_address) == (START_MS, "127.0.0.1")
            assert json.loads(arrival.body) == alert()

    async def test_202_comes_only_after_the_signal_is_stored(self) -> None:
        async with door() as at:
            at.intake.may_answer.clear()
            at.intake.asked.clear()
            posted = asyncio.ensure_future(at.post(text(alert())))
            await at.intake.asked.wait()
            assert not posted.done()

            at.intake.may_answer.set()
            assert (await posted).status == 202

    async def test_200_the_same_signal_again_is_a_duplicate_of_the_first(self) -> None:
        async with door() as at:
            await at.post(text(alert()))
            reply = await at.post(text(alert()))

            assert (reply.status, reply.json) == (200, {"status": "duplicate", "signal_id": 1})

    async def test_400_not_json(self) -> None:
        async with door() as at:
            reply = await at.post(b"BTC buy now", Content_Type="text/plain")

            assert reply.status == 400
            assert reply.json["errors"][0]["field"] == "body"
            [arrival] = at.intake.arrivals
            assert (arrival.refusal, arrival.body) == (IntakeRefusal.NOT_JSON, "")

    @pytest.mark.parametrize("raw", [b"[1, 2]", b"5", b"null", b'{"a": 1, "a": 2}'])
    async def test_400_json_that_is_no_body(self, raw: bytes) -> None:
        async with door() as at:
            assert (await at.post(raw)).status == 400

    async def test_401_has_an_empty_body(self) -> None:
        async with door() as at:
            reply = await at.post(text(alert()), token="wrong")

            assert (reply.status, reply.text) == (401, "")
            [arrival] = at.intake.arrivals
            assert (arrival.refusal, arrival.signal) == (IntakeRefusal.UNAUTHORIZED, None)

    async def test_403_an_address_that_is_not_on_the_list(self) -> None:
        async with door(allowed_sources=("52.89.214.238",)) as at:
            assert (await at.post(text(alert()))).status == 403
            [arrival] = at.intake.arrivals
            assert (arrival.refusal, arrival.body) == (IntakeRefusal.UNAUTHORIZED, "")

    @pytest.mark.parametrize(
        "path",
        [
            "/", "/webhook/", "/Webhook", f"/webhook/{TOKEN}/", f"/webhook/{TOKEN}/more", f"//webhook/{TOKEN}",
            "/webhooks", "/health/", "/metrics", f"/webhook%2F{TOKEN}", "/static/../webhook",
        ],
    )  # fmt: skip
    async def test_404_another_path(self, path: str) -> None:
        async with door() as at:
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

            assert (await at.raw(head.encode())).startswith(b"HTTP/1.1 404 ")
            assert at.intake.arrivals == []

    @pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
    async def test_405_another_method(self, method: str) -> None:
        async with door() as at:
            reply = await at.request(method, f"/webhook/{TOKEN}")

            assert (reply.status, reply.headers["Allow"]) == (405, "POST")
            assert at.intake.arrivals == []

    async def test_405_health_is_only_read(self) -> None:
        async with door() as at:
            reply = await at.request("POST", "/health")

            assert (reply.status, reply.headers["Allow"]) == (405, "GET")

    async def test_413_a_body_over_64_KiB(self) -> None:
        async with door() as at:
            reply = await at.post(text(alert(filler="x" * BODY_LIMIT)))

            assert reply.status == 413
            [arrival] = at.intake.arrivals
            assert (arrival.refusal, arrival.body) == (IntakeRefusal.TOO_LARGE, "")

    async def test_a_body_of_64_KiB_is_taken(self) -> None:
        raw = text(alert(filler=""))
        async with door() as at:
            assert (await at.post(text(alert(filler="x" * (BODY_LIMIT - len(raw)))))).status == 202
            assert (await at.post(text(alert(filler="x" * (BODY_LIMIT - len(raw) + 1))))).status == 413

    async def test_422_every_wrong_field_is_named_and_no_value(self) -> None:
        async with door() as at:
            reply = await at.post(text(alert(tv__symbol=ABSENT, tv__order_size="zebra", risk={"stop_loss": "-4711"})))

            assert reply.status == 422
            assert reply.json["status"] == "invalid"
            assert [error["field"] for error in reply.json["errors"]] == [
                "tv.symbol", "tv.order_size", "risk.stop_loss",
            ]  # fmt: skip
            assert all(set(error) == {"field", "message"} and error["message"] for error in reply.json["errors"])
            assert "zebra" not in reply.text
            assert "4711" not in reply.text
            [arrival] = at.intake.arrivals
            assert (arrival.signal, arrival.refusal) == (None, None)
            assert [error.field for error in arrival.errors] == ["tv.symbol", "tv.order_size", "risk.stop_loss"]
            assert json.loads(arrival.body)["tv"]["order_size"] == "zebra"

    async def test_422_what_only_the_engine_can_know_to_be_wrong(self) -> None:
        async with door() as at:
            at.intake.verdict = Verdict(
                kind=VerdictKind.INVALID,
                signal_id=1,
                errors=(FieldError(field="tv.exchange", message="no enabled account trades on this exchange"),),
            )
            reply = await at.post(text(alert()))

            assert reply.status == 422
            assert reply.json["errors"] == [
                {"field": "tv.exchange", "message": "no enabled account trades on this exchange"}
            ]

    async def test_429_over_the_rate_with_the_time_to_wait(self) -> None:
        async with door(rate_per_minute=60, burst=20) as at:
            for number in range(20):
                assert (await at.post(text(alert(timestamp=number)))).status == 202
            reply = await at.post(text(alert()))

            assert (reply.status, reply.headers["Retry-After"]) == (429, "1")
            assert len(at.intake.arrivals) == 20, "what is over the rate is not stored"

    async def test_503_the_store_cannot_take_it(self) -> None:
        async with door() as at:
            at.intake.fault = unavailable()
            reply = await at.post(text(alert()))
            assert reply.status == 503
            assert at.intake.arrivals == []

            at.intake.fault = None
            assert (await at.post(text(alert()))).json == {"status": "accepted", "signal_id": 1}

    async def test_503_is_the_answer_to_a_defect_too(self, caplog: pytest.LogCaptureFixture) -> None:
        async with door() as at:
            at.intake.fault = ZeroDivisionError("quoting zebra")
            reply = await at.post(text(alert(strategy_info__alert_name="zebra")))

            assert reply.status == 503
            assert [record.levelname for record in caplog.records if "defect" in record.message] == ["CRITICAL"]
            assert "zebra" not in caplog.text + reply.text

    async def test_a_final_no_stays_one_where_the_store_is_gone(self) -> None:
        async with door() as at:
            at.intake.fault = unavailable()

            assert (await at.post(text(alert()), token="wrong")).status == 401
            assert (await at.post(b"no json")).status == 400
            assert (await at.post(text(alert(tv__action="hold")))).status == 422

    @pytest.mark.parametrize("status", ["running", "paused", "error"])
    async def test_health_says_status_and_version_and_nothing_else(self, status: str) -> None:
        async with door() as at:
            at.intake.status = status
            reply = await at.request("GET", "/health")

            assert (reply.status, reply.json) == (200, {"status": status, "version": __version__})

    async def test_no_answer_tells_what_software_is_at_work(self) -> None:
        async with door() as at:
            broken = await at.raw(b"POST /webhook HTTP/1.1\r\nbad header\r\n\r\n")
            replies = [await at.post(text(alert())), await at.request("GET", "/nowhere")]

            assert {reply.headers["Server"] for reply in replies} == {"ExEngine"}
            assert b"Server: ExEngine\r\n" in broken
            assert b"aiohttp" not in broken


class TestContent:
    @pytest.mark.parametrize("kind", ["application/json", "text/plain; charset=utf-8", "application/octet-stream", ""])
    async def test_json_counts_whatever_it_is_called(self, kind: str) -> None:
        async with door() as at:
            assert (await at.post(text(alert()), Content_Type=kind)).status == 202

    async def test_a_bare_NaN_is_absent(self) -> None:
        async with door() as at:
            assert (await at.post(text(alert(tv__order_size=float("nan"))))).status == 202
            [arrival] = at.intake.arrivals
            assert arrival.signal is not None
            assert arrival.signal.order_size is None

    async def test_a_resend_is_the_same_text_and_the_next_bar_is_not(self) -> None:
        async with door() as at:
            statuses = [
                (await at.post(text(alert(timestamp=when)))).status
                for when in ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z")
            ]
            assert statuses == [202, 200, 202]


PROOFS: list[tuple[WebhookAuth, str | None, Any, str | None, int]] = [
    # mode, token, secret, whose signature, answer
    (WebhookAuth.TOKEN, TOKEN, ABSENT, None, 202),
    (WebhookAuth.TOKEN, "wrong", ABSENT, None, 401),
    (WebhookAuth.TOKEN, TOKEN[:-1], ABSENT, None, 401),
    (WebhookAuth.TOKEN, None, SECRET, SECRET, 401),
    (WebhookAuth.SECRET, None, SECRET, None, 202),
    (WebhookAuth.SECRET, None, "wrong", None, 401),
    (WebhookAuth.SECRET, None, SECRET.upper(), None, 401),
    (WebhookAuth.SECRET, None, ABSENT, None, 401),
    (WebhookAuth.SECRET, TOKEN, ABSENT, SECRET, 401),
    (WebhookAuth.HMAC, None, ABSENT, SECRET, 202),
    (WebhookAuth.HMAC, None, ABSENT, "wrong", 401),
    (WebhookAuth.HMAC, TOKEN, SECRET, None, 401),
    (WebhookAuth.ANY, TOKEN, ABSENT, None, 202),
    (WebhookAuth.ANY, None, SECRET, None, 202),
    (WebhookAuth.ANY, None, ABSENT, SECRET, 202),
    (WebhookAuth.ANY, TOKEN, SECRET, SECRET, 202),
    (WebhookAuth.ANY, None, ABSENT, None, 401),
    (WebhookAuth.ANY, "wrong", SECRET, None, 401),
    (WebhookAuth.ANY, "wrong", ABSENT, SECRET, 401),
    (WebhookAuth.ANY, TOKEN, "wrong", None, 401),
    (WebhookAuth.ANY, TOKEN, ["wrong"], None, 401),
    (WebhookAuth.ANY, TOKEN, ABSENT, "wrong", 401),
    (WebhookAuth.ANY, TOKEN, "", None, 202),
    (WebhookAuth.ANY, TOKEN, "{{secret}}", None, 202),
]


class TestProofs:
    @pytest.mark.parametrize(("mode", "token", "secret", "signer", "status"), PROOFS)
    async def test_a_proof_is_judged_by_the_mode(
        self, mode: WebhookAuth, token: str | None, secret: Any, signer: str | None, status: int
    ) -> None:
        raw = text(alert(secret=secret))
        async with door(webhook_auth=mode) as at:
            headers = {} if signer is None else {"X_Signature": signed(raw, signer)}

            assert (await at.post(raw, token=token, **headers)).status == status

    @pytest.mark.parametrize("header", ["", "sha256=", "sha1=abc", "sha256=ä", signed(b"another body")])
    async def test_a_signature_is_over_these_bytes(self, header: str) -> None:
        async with door() as at:
            assert (await at.post(text(alert()), token=None, X_Signature=header)).status == 401

    @pytest.mark.parametrize("mode", list(WebhookAuth))
    async def test_nothing_matches_a_secret_that_is_not_set(self, mode: WebhookAuth) -> None:
        async with door(webhook_auth=mode, keys=Keys(token="", secret="")) as at:
            for raw in (text(alert()), text(alert(secret="")), text(alert(secret=[]))):
                assert (await at.post(raw, token=None)).status == 401
                assert (await at.post(raw, token=None, X_Signature=signed(raw, ""))).status == 401
                assert (await at.post(raw, token=None, X_Signature="")).status == 401

    async def test_a_signature_may_be_in_capitals(self) -> None:
        raw = text(alert())
        async with door() as at:
            assert (await at.post(raw, token=None, X_Signature=signed(raw).upper())).status == 202

    async def test_a_wrong_proof_is_told_before_what_is_wrong_with_the_body(self) -> None:
        async with door() as at:
            assert (await at.post(b"no json", token="wrong")).status == 401
            assert (await at.post(text(alert(tv__action="hold")), token="wrong")).status == 401
            assert (await at.post(text(alert(tv__action="hold", secret="wrong")), token=None)).status == 401

    async def test_the_body_of_a_stranger_is_kept_without_its_secret_and_not_when_long(self) -> None:
        async with door() as at:
            await at.post(text(alert(secret="guess-1", note=f"the key is {SECRET}")), token=None)
            await at.post(text(alert(secret="guess-2", filler="x" * 5000)), token=None)

            short, long = at.intake.arrivals
            assert json.loads(short.body)["note"] == "the key is [removed]"
            assert "guess" not in short.body
            assert long.body == ""

    @pytest.mark.parametrize("path", ["?token=" + TOKEN, "/%63" + TOKEN[1:]])
    async def test_the_token_is_the_last_part_of_the_path_however_it_is_spelled(self, path: str) -> None:
        async with door() as at:
            raw = text(alert())
            head = f"POST /webhook{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(raw)}\r\n\r\n"
            status = (await at.raw(head.encode() + raw)).split()[1]

            assert status == (b"401" if "?" in path else b"202")


class TestAddresses:
    async def test_the_callers_address_is_the_peers(self) -> None:
        async with door() as at:
            await at.post(text(alert()), X_Forwarded_For="52.89.214.238", CF_Connecting_IP="52.89.214.238")
            assert at.intake.arrivals[0].source_address == "127.0.0.1"

    @pytest.mark.parametrize(
        ("headers", "address"),
        [
            ({"X_Forwarded_For": "52.89.214.238"}, "52.89.214.238"),
            ({"CF_Connecting_IP": "52.89.214.238"}, "52.89.214.238"),
            ({"X_Forwarded_For": "6.6.6.6, 52.89.214.238, 10.1.2.3"}, "52.89.214.238"),
            ({"X_Forwarded_For": "52.89.214.238", "CF_Connecting_IP": "6.6.6.6"}, "52.89.214.238"),
            ({"X_Forwarded_For": "52.89.214.238:4711"}, "52.89.214.238"),
            ({"X_Forwarded_For": "[2001:db8::1]:4711"}, "2001:db8::1"),
            ({"X_Forwarded_For": "::ffff:52.89.214.238"}, "52.89.214.238"),
            ({"X_Forwarded_For": "10.1.1.1, 10.2.2.2"}, "10.1.1.1"),
            ({"X_Forwarded_For": "52.89.214.238, nonsense"}, "127.0.0.1"),
            ({"CF_Connecting_IP": "nonsense"}, "127.0.0.1"),
            ({}, "127.0.0.1"),
        ],
    )
    async def test_a_trusted_proxy_is_believed(self, headers: dict[str, str], address: str) -> None:
        async with door(trusted_proxies=("127.0.0.1", "10.0.0.0/8")) as at:
            await at.post(text(alert()), **headers)
            assert at.intake.arrivals[0].source_address == address

    async def test_the_allow_list_is_asked_about_the_forwarded_address(self) -> None:
        async with door(trusted_proxies=("127.0.0.1",), allowed_sources=("52.89.214.0/24",)) as at:
            assert (await at.post(text(alert()), X_Forwarded_For="52.89.214.238")).status == 202
            assert (await at.post(text(alert()), X_Forwarded_For="52.89.214.238, 6.6.6.6")).status == 403

    @pytest.mark.parametrize("setting", ["trusted_proxies", "allowed_sources"])
    async def test_what_is_no_address_is_told_with_the_name_of_its_setting(self, setting: str) -> None:
        with pytest.raises(UserError, match=f"listener.{setting}"):
            async with door(**{setting: ("10.0.0.0/99",)}):
                pass


class TestRate:
    async def test_a_minute_brings_sixty_and_never_more_than_the_burst(self) -> None:
        async with door(rate_per_minute=60, burst=2) as at:

            async def passed(count: int) -> int:
                replies = [await at.post(text(alert())) for _ in range(count)]
                return sum(reply.status != 429 for reply in replies)

            assert await passed(3) == 2
            at.clock.now_ms += 999
            assert await passed(1) == 0
            at.clock.now_ms += 1
            assert await passed(2) == 1
            at.clock.now_ms += 3_600_000
            assert await passed(5) == 2

    async def test_each_address_has_its_own(self) -> None:
        async with door(rate_per_minute=60, burst=1, trusted_proxies=("127.0.0.1",)) as at:
            statuses = [
                (await at.post(text(alert()), X_Forwarded_For=address)).status
                for address in ("1.1.1.1", "1.1.1.1", "2.2.2.2", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")
            ]
            assert [status == 429 for status in statuses] == [False, True, False, False, True, False]

    async def test_requests_that_are_turned_away_count_too(self) -> None:
        async with door(rate_per_minute=60, burst=2) as at:
            statuses = [(await at.post(text(alert()), token="guess")).status for _ in range(3)]
            assert statuses == [401, 401, 429]

    async def test_health_does_not_count(self) -> None:
        async with door(rate_per_minute=60, burst=1) as at:
            assert [(await at.request("GET", "/health")).status for _ in range(3)] == [200, 200, 200]
            assert (await at.post(text(alert()))).status == 202
