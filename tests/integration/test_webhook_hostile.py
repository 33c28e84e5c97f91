"""What the webhook does with bursts, broken HTTP, slow senders and strangers (FAULTS 54 to 57)."""

import asyncio
import contextlib
import gzip
import hashlib
import hmac
import logging
import re
from collections.abc import AsyncIterator

import pytest

from exengine.engine.intake import IntakeRefusal
from exengine.webhook import connection
from exengine.webhook.auth import WebhookAuth
from exengine.webhook.connection import Patience
from exengine.webhook.limits import RateLimit
from exengine.webhook.listener import BODY_LIMIT
from tests.helpers.alerts import alert, text
from tests.helpers.webhook import SECRET, TOKEN, Door, door, unavailable

HEAD = f"POST /webhook/{TOKEN} HTTP/1.1\r\nHost: x\r\n".encode()
IMPATIENT = Patience(head_s=0.3, body_s=0.05, idle_s=0.3, linger_s=0.05, stop_s=0.05, close_s=0.05)


def whole(raw: bytes, *, close: bool = True) -> bytes:
    ending = b"Connection: close\r\n" if close else b""
    return HEAD + ending + b"Content-Length: %d\r\n\r\n" % len(raw) + raw


def statuses(answers: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answers)]


class TestManyAtOnce:
    async def test_a_thousand_requests_are_all_answered(self) -> None:
        async with door() as at:
            replies = await asyncio.gather(*(at.post(text(alert(timestamp=number))) for number in range(1_000)))

            assert {reply.status for reply in replies} == {202}
            assert sorted(reply.json["signal_id"] for reply in replies) == list(range(1, 1_001))
            assert len(at.intake.arrivals) == 1_000

    async def test_a_burst_over_the_rate_is_answered_too(self) -> None:
        async with door(rate_per_minute=60, burst=20) as at:
            replies = await asyncio.gather(*(at.post(text(alert(timestamp=number))) for number in range(200)))

            assert sorted(reply.status for reply in replies) == [202] * 20 + [429] * 180

    async def test_the_same_signal_four_times_at_once_is_accepted_once(self) -> None:
        async with door() as at:
            replies = await asyncio.gather(*(at.post(text(alert())) for _ in range(4)))

            assert sorted(reply.status for reply in replies) == [200, 200, 200, 202]

    def test_the_rate_limit_forgets_the_oldest_of_very_many_addresses(self) -> None:
        rate = RateLimit(per_minute=60, burst=1)
        for number in range(30_000):
            assert rate.wait_ms(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 0) == 0
        assert len(rate) == 10_000

    def test_a_clock_set_back_neither_fills_a_bucket_nor_blocks_it(self) -> None:
        rate = RateLimit(per_minute=60, burst=1)
        assert rate.wait_ms("10.0.0.1", 1_000_000) == 0
        assert rate.wait_ms("10.0.0.1", 0) == 1000
        assert rate.wait_ms("10.0.0.1", 400) == 600
        assert rate.wait_ms("10.0.0.1", 1000) == 0

    async def test_a_connection_too_many_takes_the_place_of_the_one_that_was_silent_longest(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connection, "MAX_CONNECTIONS", 3)
        async with door() as at:
            slow = [await asyncio.open_connection(*at.address) for _ in range(3)]
            for number, (_, writer) in enumerate(slow):
                writer.write(HEAD + b"Content-Length: 100\r\n\r\n{" if number else b"POST /webhook HT")
                await writer.drain()

            assert statuses(await at.raw(whole(text(alert())))) == [202]
            assert await slow[0][0].read() == b"", "the first of the slow ones had to go"
            assert not slow[1][0].at_eof()
            assert not slow[2][0].at_eof()
            for _, writer in slow:
                writer.close()

    async def test_who_waits_for_an_answer_is_not_put_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connection, "MAX_CONNECTIONS", 2)
        async with door() as at:
            at.intake.may_answer.clear()
            waiting = [asyncio.create_task(at.raw(whole(text(alert(timestamp=number))))) for number in range(2)]
            while at.intake.under_way < 2:
                await at.intake.asked.wait()
                await asyncio.sleep(0)
            with contextlib.suppress(ConnectionError):
                assert await at.raw(whole(text(alert()))) == b"", "a third one finds no room"
            at.intake.may_answer.set()
            assert [statuses(answer) for answer in await asyncio.gather(*waiting)] == [[202], [202]]

    async def test_half_of_the_file_handles_are_left_to_the_rest_of_the_program(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        resource = pytest.importorskip("resource")
        monkeypatch.setattr(resource, "getrlimit", lambda _: (4, 4))
        async with door() as at:
            slow = [await asyncio.open_connection(*at.address) for _ in range(4)]
            assert statuses(await at.raw(whole(text(alert())))) == [202]
            assert [await reader.read() for reader, _ in slow[:3]] == [b""] * 3
            for _, writer in slow:
                writer.close()


class TestBodies:
    @pytest.mark.parametrize(
        "raw",
        [
            b"[" * 60_000,
            b'{"tv":' * 10_000 + b"1" + b"}" * 10_000,
            bytes(range(256)) * 100,
            b"\x00" * 1000,
            b"",
            b"{",
            b'{"tv": {"entry_price": ' + b"9" * 50_000 + b"}}",
            b'{"tv": "\\ud800"}',
            gzip.compress(text(alert())),
            b"x" * 1_000_000,
        ],
        ids=["brackets", "nested", "binary", "nulls", "empty", "half", "digits", "surrogate", "gzip", "1 MB"],
    )
    async def test_whatever_comes_is_a_4xx_and_the_next_alert_is_taken(self, raw: bytes) -> None:
        async with door() as at:
            assert (await at.post(raw, Content_Encoding="identity")).status in (400, 413)
            assert (await at.post(text(alert()))).status == 202
            assert at.intake.arrivals[0].body == ""

    async def test_a_compressed_body_is_not_unpacked(self) -> None:
        bomb = gzip.compress(b" " * 50_000_000 + text(alert()))
        assert len(bomb) < BODY_LIMIT
        async with door() as at:
            assert (await at.post(bomb, Content_Encoding="gzip")).status == 400

    async def test_a_body_without_a_length_is_cut_off_at_the_limit(self) -> None:
        async with door() as at:
            given = 0

            async def endless() -> AsyncIterator[bytes]:
                nonlocal given
                while given < 500 * BODY_LIMIT:
                    given += 4096
                    yield b"x" * 4096
                    await asyncio.sleep(0)

            reply = await at.request("POST", f"/webhook/{TOKEN}", data=endless())

            assert reply.status == 413
            assert [arrival.refusal for arrival in at.intake.arrivals] == [IntakeRefusal.TOO_LARGE]
            assert (await at.post(text(alert()))).status == 202

    @pytest.mark.parametrize(("size", "status"), [(BODY_LIMIT, 202), (BODY_LIMIT + 1, 413)])
    async def test_the_limit_is_exact_without_a_length_too(self, size: int, status: int) -> None:
        raw = text(alert()).ljust(size)

        async def in_halves() -> AsyncIterator[bytes]:
            yield raw[: size // 2]
            yield raw[size // 2 :]

        async with door() as at:
            assert (await at.request("POST", f"/webhook/{TOKEN}", data=in_halves())).status == status

    async def test_a_length_over_the_limit_is_refused_before_any_of_it_comes(self) -> None:
        async with door(patience=IMPATIENT) as at:
            answer = await at.raw(HEAD + b"Content-Length: 1000000\r\n\r\n")
            assert statuses(answer) == [413]
            assert b"Connection: close\r\n" in answer

    async def test_after_a_413_the_rest_of_the_body_is_no_further_request(self) -> None:
        inner = whole(text(alert()))
        body = b"x" * (BODY_LIMIT + 1 - len(inner)) + inner
        async with door(patience=IMPATIENT) as at:
            assert statuses(await at.raw(whole(body, close=False))) == [413]
            assert [arrival.refusal for arrival in at.intake.arrivals] == [IntakeRefusal.TOO_LARGE]

    async def test_a_chunked_body_in_pieces_is_taken_whole(self) -> None:
        raw = text(alert())
        pieces = b"".join(b"1\r\n%c\r\n" % byte for byte in raw) + b"0\r\n\r\n"
        async with door() as at:
            answer = await at.raw(HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces)
            assert statuses(answer) == [202]

    async def test_broken_chunks_are_a_400(self) -> None:
        async with door(patience=IMPATIENT) as at:
            answer = await at.raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzebra\r\n{}\r\n")
            assert statuses(answer) == [400]
            assert b"zebra" not in answer

    async def test_a_sender_that_asks_first_is_told_to_go_on(self) -> None:
        raw = text(alert())
        async with door() as at:
            reader, writer = await asyncio.open_connection(*at.address)
            writer.write(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(raw))
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(raw)
            assert (await reader.readline()).startswith(b"HTTP/1.1 202 ")
            writer.close()
            await writer.wait_closed()

    async def test_a_sender_that_asks_first_with_too_much_is_told_no(self) -> None:
        async with door(patience=IMPATIENT) as at:
            assert statuses(await at.raw(HEAD + b"Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n")) == [413]


class TestBrokenHttp:
    @pytest.mark.parametrize(
        "sent",
        [
            b"zebra\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01zebra\r\n\r\n",
            b"POST /webhook/zebra HTTP/9.9\r\n\r\n",
            b"POST /webhook/zebra HTTP/1.1\r\nHost: x\r\nno colon zebra\r\n\r\n",
            b"POST /webhook/zebra HTTP/1.1\r\nHost: x\r\nX-Long: " + b"zebra" * 5_000 + b"\r\n\r\n",
            b"POST /webhook/" + b"zebra" * 5_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
            b"POST /webhook/zebra HTTP/1.1\r\nHost: x\r\nContent-Length: zebra\r\n\r\n",
            b"POST /webhook/zebra HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
            b"POST /webhook/zebra HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        ],
    )
    async def test_it_is_a_400_that_quotes_nothing(self, sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        async with door(patience=IMPATIENT) as at:
            answer = await at.raw(sent)

            assert statuses(answer) == [400]
            assert b"zebra" not in answer
            assert "zebra" not in caplog.text
            assert at.intake.arrivals == []

    async def test_a_request_behind_a_refused_upgrade_is_not_read(self) -> None:
        first = b"POST /webhook HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        async with door() as at:
            answers = await at.raw(first + whole(text(alert())))

            assert all(400 <= status < 500 for status in statuses(answers))
            assert [arrival.signal for arrival in at.intake.arrivals if arrival.signal] == []

    async def test_requests_in_one_packet_are_answered_in_their_order(self) -> None:
        good, bad = whole(text(alert()), close=False), whole(b"no json", close=False)
        async with door() as at:
            assert statuses(await at.raw(good + bad + whole(text(alert())))) == [202, 400, 200]


class TestSlowSenders:
    async def test_a_body_that_does_not_come_is_a_400(self) -> None:
        async with door(patience=IMPATIENT) as at:
            assert statuses(await at.raw(HEAD + b"Content-Length: 100\r\n\r\n{")) == [400]
            [arrival] = at.intake.arrivals
            assert (arrival.refusal, arrival.body) == (IntakeRefusal.NOT_JSON, "")

    @pytest.mark.parametrize("sent", [b"", b"POST /webhook", HEAD])
    async def test_a_head_that_does_not_come_ends_the_connection(self, sent: bytes) -> None:
        async with door(patience=IMPATIENT) as at:
            assert await at.raw(sent) == b""
            assert at.intake.arrivals == []

    async def test_a_sender_that_hangs_up_disturbs_no_one(self) -> None:
        async with door() as at:
            _, writer = await asyncio.open_connection(*at.address)
            writer.write(HEAD + b"Content-Length: 100\r\n\r\n{")
            await writer.drain()
            writer.close()
            await writer.wait_closed()
            await asyncio.wait_for(at.intake.asked.wait(), 5)

            assert [arrival.refusal for arrival in at.intake.arrivals] == [IntakeRefusal.NOT_JSON]
            assert (await at.post(text(alert()))).status == 202


class TestSecrecy:
    @pytest.mark.parametrize("mode", list(WebhookAuth))
    async def test_token_and_secret_are_in_no_answer_no_log_and_no_arrival(
        self, mode: WebhookAuth, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        asyncio.get_running_loop().set_debug(True)
        async with door(webhook_auth=mode, patience=IMPATIENT) as at:
            seen = [str(reply) for reply in await _everything(at)]
            at.intake.fault = unavailable()
            seen += [str(await at.post(text(alert(secret=SECRET))))]
            at.intake.fault = ValueError(f"{TOKEN} {SECRET}")
            seen += [str(await at.post(text(alert(secret=SECRET))))]

            assert len(at.intake.arrivals) > 10
            kept = "\n".join([*seen, repr(at.intake.arrivals), repr(at.listener), at.listener.url])
            logged = "\n".join(f"{record.getMessage()} {record.exc_info} {record.args}" for record in caplog.records)
            assert "canary" not in kept
            assert "canary" not in logged + caplog.text
            assert "canary" not in repr(vars(at.listener))


async def _everything(at: Door) -> list[object]:
    """Requests of every kind with token and secret wherever a trader or a stranger may put them."""
    spread = text(
        alert(
            secret=SECRET,
            Secret=SECRET,
            source=TOKEN,
            note=f"use {SECRET}",
            tv__symbol=SECRET,
            tv__action=TOKEN,
            strategy_info={"alert_message": f"{TOKEN} and {SECRET}", SECRET: [TOKEN]},
        )
    )
    good = text(alert(secret=SECRET, strategy_info__alert_message=f"{TOKEN} {SECRET}"))
    signature = "sha256=" + hmac.new(SECRET.encode(), good, hashlib.sha256).hexdigest()
    found: list[object] = []
    for raw in (good, spread, SECRET.encode(), b'{"secret": "' + SECRET.encode(), text([SECRET]), b"x" * 70_000):
        found.append(await at.post(raw))
        found.append(await at.post(raw, token=None))
        found.append(await at.post(raw, token=TOKEN + "x"))
        found.append(await at.post(raw, token=None, X_Signature=signature))
        found.append(await at.post(raw, token=SECRET, X_Signature=SECRET))
    for method, path in (("GET", f"/webhook/{TOKEN}"), ("POST", f"/webhook/{TOKEN}/"), ("GET", f"/health/{SECRET}")):
        found.append(await at.request(method, path))
    broken = (b"POST /webhook/%s HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\n%s\r\n\r\n", b"%s\r\n\r\n")
    found += [await at.raw(sent % TOKEN.encode()) for sent in broken]
    found.append(await at.raw(HEAD + b"Content-Length: 100\r\n\r\n{"))
    return found
