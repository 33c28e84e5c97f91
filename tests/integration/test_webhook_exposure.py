"""Who may call the listener and by what name, over TLS too, and whether it can be reached from outside (SPEC §2.1)."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from exengine.bootstrap.listening import PublicAddress
from exengine.domain.errors import UserError
from exengine.domain.journal import Category, Severity
from exengine.engine.intake import IntakeRefusal
from exengine.webhook.connection import Patience
from exengine.webhook.exposure import Exposure, warnings_of
from exengine.webhook.hosts import Hosts
from exengine.webhook.limits import TRADINGVIEW
from exengine.webhook.public import Reach, self_test
from exengine.webhook.tls import days_left, tls_context
from tests.helpers.alerts import alert, text
from tests.helpers.certificates import make_certificate
from tests.helpers.program import Headless, environment, exengine, free_port, write_config
from tests.helpers.webhook import TOKEN, door

PUBLIC = "https://hooks.example.com"


class TestHosts:
    @pytest.mark.parametrize(
        "header",
        ["127.0.0.1:8787", "127.0.0.1", "[::1]:8787", "[::1]", "localhost:8787", "LOCALHOST.", "a.localhost", "desk",
         "hooks.example.com", "Hooks.Example.Com:443", "hooks.example.com.", "proxy.lan:80", None],
    )  # fmt: skip
    def test_names_that_are_its_own_are_answered(self, header: str | None) -> None:
        assert Hosts(allowed=("proxy.lan",), public_url=PUBLIC).allows(header)

    @pytest.mark.parametrize(
        "header",
        ["evil.example", "hooks.example.com.evil.example", "evil.hooks.example.com", "127.0.0.1.evil.example", "",
         "hooks.example.com@evil.example", "evil.example#localhost", "[::1", "[evil.example]", "localhost:80:80",
         "localhost:evil", " ", "hooks.example.com/.localhost", "a b.localhost"],
    )  # fmt: skip
    def test_any_other_is_not(self, header: str) -> None:
        assert not Hosts(allowed=("proxy.lan",), public_url=PUBLIC).allows(header)

    async def test_a_page_whose_name_was_bent_to_this_machine_gets_nothing(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with door(public_url=PUBLIC) as at:
            for _ in range(3):
                assert (await at.post(text(alert()), Host="evil.example:8787")).status == 403
            assert (await at.request("GET", "/health", headers={"Host": "evil.example"})).json == {
                "status": "forbidden"
            }
            assert [arrival.refusal for arrival in at.intake.arrivals] == [IntakeRefusal.UNAUTHORIZED] * 3
            assert (await at.post(text(alert()), Host="hooks.example.com")).status == 202
        assert len([one for one in caplog.messages if "listener.allowed_hosts" in one]) == 1
        assert "evil.example" not in caplog.text

    async def test_a_tunnels_name_is_answered_as_soon_as_it_is_known(self) -> None:
        async with door() as at:
            assert (await at.post(text(alert()), Host="abc.trycloudflare.com")).status == 403
            at.listener.reachable_as("https://abc.trycloudflare.com")
            assert (await at.post(text(alert()), Host="abc.trycloudflare.com")).status == 202

    async def test_a_page_in_the_traders_browser_does_not_use_up_the_tunnels_rate(self) -> None:
        async with door(rate_per_minute=1, burst=2) as at:
            for _ in range(5):
                await at.post(b"{}", token="guess", Origin="https://evil.example")
            assert (await at.post(text(alert()))).status == 202


class TestSources:
    @pytest.mark.parametrize("address", TRADINGVIEW)
    async def test_the_preset_lets_tradingviews_addresses_in_and_no_other(self, address: str) -> None:
        async with door(trusted_proxies=("127.0.0.1",), allowed_sources=("tradingview",)) as at:
            assert (await at.post(text(alert()), X_Forwarded_For=address)).status == 202
            assert (await at.post(text(alert()), X_Forwarded_For="52.89.214.239")).status == 403

    async def test_the_preset_stands_beside_other_addresses(self) -> None:
        async with door(trusted_proxies=("127.0.0.1",), allowed_sources=("TradingView", "10.0.0.0/8")) as at:
            assert (await at.post(text(alert()), X_Forwarded_For="10.1.2.3")).status == 202

    async def test_hidden_callers_are_told_of_once(self, caplog: pytest.LogCaptureFixture) -> None:
        async with door() as at:
            for number in range(3):
                await at.post(text(alert(timestamp=number)), X_Forwarded_For="52.89.214.238")
        assert len([one for one in caplog.messages if "listener.trusted_proxies" in one]) == 1

    async def test_where_the_proxy_is_trusted_nothing_is_hidden(self, caplog: pytest.LogCaptureFixture) -> None:
        async with door(trusted_proxies=("127.0.0.1",)) as at:
            await at.post(text(alert()), X_Forwarded_For="52.89.214.238")
        assert "listener.trusted_proxies" not in caplog.text


class TestWhatIsLeftOpen:
    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({}, []),
            ({"public_url": PUBLIC}, ["all callers share one rate limit"]),
            ({"public_url": PUBLIC, "trusted_proxies": ["127.0.0.1"]}, []),
            ({"public_url": PUBLIC, "has_own_tunnel": True}, []),
            ({"public_url": PUBLIC, "allowed_sources": ["tradingview"]}, ["share one rate limit", "refuses every"]),
            ({"host": "0.0.0.0"}, ["plain text"]),
            ({"host": "0.0.0.0", "has_tls": True, "public_url": PUBLIC}, []),
            ({"host": "::1", "public_url": "http://a.example", "trusted_proxies": ["::1"]}, ["plain HTTP"]),
            ({"public_url": "https://a.example:8443", "trusted_proxies": ["::1"]}, ["only 80 and 443"]),
            ({"public_url": "https://[2001:db8::1]", "trusted_proxies": ["::1"]}, ["IPv4 only"]),
        ],
    )
    def test_it_is_told_with_what_to_do(self, changes: dict[str, object], told: list[str]) -> None:
        plain: dict[str, object] = {
            "host": "127.0.0.1", "public_url": "", "trusted_proxies": [], "allowed_sources": [], "has_tls": False
        }  # fmt: skip
        found = warnings_of(Exposure(**plain | changes))  # type: ignore[arg-type]
        assert len(found) == len(told)
        assert all(part in line for part, line in zip(told, found, strict=True))


class TestTls:
    async def test_an_alert_is_taken_over_tls_and_in_plain_text_it_is_not(self, tmp_path: Path) -> None:
        files = make_certificate(tmp_path, "own")
        believed = ssl.create_default_context(cafile=files[0])
        async with door(tls=files) as at, aiohttp.ClientSession() as session:
            assert at.listener.url.startswith("https://127.0.0.1:")
            url = f"{at.listener.url}/{TOKEN}"
            async with session.post(url, data=text(alert()), ssl=believed) as answer:
                assert answer.status == 202
                assert answer.headers["Server"] == "ExEngine"
            with pytest.raises(aiohttp.ClientError):
                await session.post(url.replace("https", "http"), data=text(alert()))
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await session.post(url, data=text(alert()))
            assert len(at.intake.arrivals) == 1

    async def test_old_versions_of_tls_are_not_spoken(self, tmp_path: Path) -> None:
        assert tls_context(*make_certificate(tmp_path, "own")).minimum_version == ssl.TLSVersion.TLSv1_2

    async def test_a_handshake_that_does_not_come_is_not_waited_for(self, tmp_path: Path) -> None:
        files = make_certificate(tmp_path, "own")
        believed = ssl.create_default_context(cafile=files[0])
        async with door(tls=files, patience=Patience(head_s=0.2)) as at, aiohttp.ClientSession() as session:
            reader, writer = await asyncio.open_connection(*at.address)
            assert await asyncio.wait_for(reader.read(), 10) == b""
            writer.close()
            async with session.post(f"{at.listener.url}/{TOKEN}", data=text(alert()), ssl=believed) as answer:
                assert answer.status == 202

    def test_a_wrong_pair_is_named(self, tmp_path: Path) -> None:
        one, other = make_certificate(tmp_path, "one"), make_certificate(tmp_path, "other")
        locked = make_certificate(tmp_path, "locked", passphrase="zebra")
        for certificate, key, said in (
            (one[0], other[1], "the key is not that of the certificate"),
            (locked[0], locked[1], "the key has a passphrase"),
            (one[1], one[0], "no PEM file"),
            (tmp_path / "gone", one[1], "listener.tls_certificate"),
            (one[0], tmp_path / "gone", "listener.tls_key"),
        ):
            with pytest.raises(UserError, match=said) as caught:
                tls_context(certificate, key)
            assert "zebra" not in str(caught.value)

    def test_the_days_of_a_certificate_are_counted(self, tmp_path: Path) -> None:
        now_ms = int(time.time() * 1000)
        assert days_left(make_certificate(tmp_path, "new", days=30)[0], now_ms) in (29, 30)
        assert days_left(make_certificate(tmp_path, "old", days=-2)[0], now_ms) < 0
        (tmp_path / "junk").write_text("junk")
        with pytest.raises(UserError, match="no certificate"):
            days_left(tmp_path / "junk", now_ms)


@asynccontextmanager
async def someone_else(status: int, body: str) -> AsyncIterator[str]:
    """The address of a server that answers this to everything."""

    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response(status=status, text=body)

    server = web.Server(answer)
    runner = web.ServerRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class TestSelfTest:
    async def test_a_call_that_comes_in_here_proves_the_way_round(self) -> None:
        async with door() as at:
            found = await self_test(at.root, has_seen=at.listener.has_seen)
        assert (found.reach, found.text) == (Reach.REACHED, "reachable: a call went out and came in here")

    async def test_it_goes_through_tls(self, tmp_path: Path) -> None:
        files = make_certificate(tmp_path, "own")
        believed = ssl.create_default_context(cafile=files[0])
        async with door(tls=files) as at:
            assert (await self_test(at.root, has_seen=at.listener.has_seen, tls=believed)).reach is Reach.REACHED
            refused = await self_test(at.root, has_seen=at.listener.has_seen)
        assert (refused.reach, "certificate" in refused.text) == (Reach.NOT_REACHED, True)

    async def test_another_exengine_is_someone_else_and_from_another_process_it_is_believed(self) -> None:
        async with door() as at, door() as other:
            assert (await self_test(other.root, has_seen=at.listener.has_seen)).reach is Reach.SOMEONE_ELSE
            assert (await self_test(other.root)).reach is Reach.REACHED

    @pytest.mark.parametrize(
        ("status", "body", "reach"),
        [(200, "<html>", Reach.SOMEONE_ELSE), (200, '{"status": "up"}', Reach.SOMEONE_ELSE),
         (404, "", Reach.SOMEONE_ELSE), (302, "", Reach.SOMEONE_ELSE), (200, "[" * 5000, Reach.SOMEONE_ELSE),
         (502, "", Reach.NOT_REACHED), (530, "", Reach.NOT_REACHED)],
    )  # fmt: skip
    async def test_what_else_answers_is_told_apart(self, status: int, body: str, reach: Reach) -> None:
        async with door() as at, someone_else(status, body) as address:
            assert (await self_test(address, has_seen=at.listener.has_seen)).reach is reach

    async def test_nobody_there_is_not_reached(self) -> None:
        async with someone_else(200, "") as address:
            pass
        assert (await self_test(address)).reach is Reach.NOT_REACHED
        assert (await self_test("http://nobody.invalid")).reach is Reach.NOT_REACHED

    async def test_probes_of_strangers_are_forgotten(self) -> None:
        async with door() as at:
            for number in range(40):
                await at.request("GET", f"/health?{number}")
            assert not at.listener.has_seen("0")
            assert at.listener.has_seen("39")
            assert not at.listener.has_seen("39"), "each counts once"
            await at.request("GET", f"/health?{'x' * 65}")
            assert not at.listener.has_seen("x" * 65)

    async def test_a_change_is_told_once(self) -> None:
        told: list[tuple[Severity, str]] = []

        def note(severity: Severity, _: Category, words: str, __: str) -> None:
            told.append((severity, words))

        async with door() as at:
            address = at.root
            public = PublicAddress(lambda: address, at.listener.has_seen, note)
            await public.look()
            await public.look()
        await public.look()
        await public.look()
        assert [severity for severity, _ in told] == [Severity.INFO, Severity.WARNING]
        assert "reachable" in told[0][1]
        assert "not TradingView’s way in" in told[1][1]


def test_the_whole_program_listens_over_tls_and_the_commands_find_it(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, "own", days=5)
    listener = {"tls_certificate": str(certificate), "tls_key": str(key)}
    port = free_port()
    write_config(tmp_path, listener=listener | {"port": port, "public_url": f"https://localhost:{port}"})
    with Headless(tmp_path, SSL_CERT_FILE=str(certificate)).listening() as process:
        sent = exengine("signal", "--send", "--symbol", "BTCUSDT", "--timeframe", "15", "--price", "64000",
                        *process.options)  # fmt: skip
        assert sent.stdout.startswith("202 "), sent.stdout + sent.stderr
        told = exengine("doctor", *process.options, env=environment(SSL_CERT_FILE=str(certificate)))
        assert "warn  certificate: " in told.stdout
        assert "ends in" in told.stdout
        assert f"ok    public address: https://localhost:{port}, reachable: an ExEngine answers" in told.stdout
        assert "TradingView calls only 80 and 443" in told.stdout
        assert told.returncode == 0, told.stdout
        assert process.stop() == 0


def test_a_wrong_certificate_is_named_at_the_start(tmp_path: Path) -> None:
    one, other = make_certificate(tmp_path, "one"), make_certificate(tmp_path, "other")
    write_config(tmp_path, listener={"tls_certificate": str(one[0]), "tls_key": str(other[1])})
    options = ["--data-dir", tmp_path / "data", "--config", tmp_path / "config.json"]
    started = exengine("run", "--headless", *options)
    assert started.returncode == 1
    assert "the key is not that of the certificate" in started.stderr
    told = exengine("doctor", *options)
    assert told.returncode == 1
    assert "FAIL  certificate: " in told.stdout


def test_the_log_warns_of_what_is_left_open(tmp_path: Path) -> None:
    write_config(tmp_path, listener={"public_url": PUBLIC})
    with Headless(tmp_path).ready() as process:
        assert process.stop() == 0
    logs = "".join(file.read_text() for file in (tmp_path / "data" / "logs").iterdir())
    assert "listener.trusted_proxies" in logs
