"""Notices of the whole program arrive at mail and HTTP services on this machine; one that is dead delays nothing."""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from exengine.bootstrap.notices import summary, summary_timer
from exengine.domain.errors import UserError
from exengine.domain.journal import Category, Severity, Topic
from exengine.engine.rows import LogRow
from exengine.settings.program_pages import NotificationPage
from exengine.store.database import DatabaseStore
from exengine.store.places import open_store
from tests.helpers.keyring import CHEAP
from tests.helpers.program import InProcess, entry, environment, exengine, free_port, program, write_config
from tests.helpers.sinks import http_sink, mail_sink, silent_sink, text_of
from tests.integration.test_store_trail import stored, two_alerts

PASSWORD = "sesame-open-4711"


@pytest.fixture(autouse=True)
def _an_open_vault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the addresses go that the tests write into the configuration."""
    monkeypatch.setattr("exengine.settings.vault.KdfCost", lambda: CHEAP)
    monkeypatch.setenv("EXENGINE_PASSPHRASE", "a passphrase of the vault")


def to(url: str, *events: str) -> dict[str, object]:
    return {"url": url, "events": list(events)}


def told(running: InProcess, topic: Topic) -> list[LogRow]:
    running.program.views.refresh()
    return [row for row in running.program.views.take().log if row.topic is topic]


async def test_mail_and_http_are_told_what_each_asked_for_with_account_and_paper(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with mail_sink() as mail, http_sink() as hook:
        places = [to(mail.url, "group_opened"), to(hook.url, "group_closed", "stopped")]
        async with program(tmp_path, monkeypatch, notifications=places) as running:
            await running.market.tick("50000")
            await running.post(entry(50000))
            await mail.until(lambda: mail.messages)
            await running.market.tick("51000")
        # What waits is sent by the stop, in one message.
        (closed,) = hook.messages
        (opened,) = mail.messages
    assert opened["Subject"] == "ExEngine PAPER paper: group opened"
    assert "BTC/USDT 15m: Opened long: 5 legs from 50000 with 100 USDT." in text_of(opened)
    assert closed["title"] == "ExEngine PAPER: 2 notices"
    first, second = closed["message"].split("\n")
    assert first.startswith("PAPER paper BTC/USDT 15m: Closed: target reached. Result ")
    assert second == "PAPER: Stopped by the trader."


async def test_a_place_that_never_answers_delays_neither_alerts_nor_orders_nor_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with silent_sink() as silent, http_sink() as hook:
        places = [to(silent.url, "started", "order", "group_closed"), to(hook.url, "group_closed")]
        async with program(tmp_path, monkeypatch, notifications=places) as running:
            await running.market.tick("50000")
            await silent.until(lambda: silent.messages)  # it holds its first message, and will for ever
            status, _ = await running.post(entry(50000))
            assert status == 202
            assert len(running.program.state.groups) == 1
            await running.market.tick("51000")
            assert running.program.state.groups == {}
        assert len(hook.messages) == 1
        assert len(silent.messages) == 1


async def test_that_nothing_arrives_is_told_once_and_without_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"json://bot:{PASSWORD}@127.0.0.1:{free_port()}/{PASSWORD}"
    places = [to(url, "started", "info", "error", "system")]
    async with program(tmp_path, monkeypatch, notifications=places) as running:
        came = asyncio.Event()
        running.program.views.subscribe(lambda urgent: came.set())
        async with asyncio.timeout(30):
            while not (failed := told(running, Topic.NOTICES_FAIL)):
                came.clear()
                await came.wait()
        for price in ("50000", "50100", "51000"):
            await running.market.tick(price)
            await running.post(entry(price))
        assert told(running, Topic.NOTICES_FAIL) == failed
    assert failed[0].severity is Severity.ERROR
    assert failed[0].text.startswith("Notices to JSON do not arrive: A Connection error")
    for file in (tmp_path / "data").rglob("*"):
        if file.is_file():
            assert PASSWORD.encode() not in file.read_bytes(), file


async def test_a_test_notice_says_what_became_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with program(tmp_path, monkeypatch) as running, http_sink() as hook, http_sink(status=403) as refusing:
        notices, stores = running.program.notices, running.program.stores

        async def tested(url: str) -> str:
            return await notices.test(NotificationPage(url=url, events=("error",)), stores)

        assert await tested(hook.url) == "Sent to JSON."
        assert hook.messages[0]["title"] == "ExEngine PAPER: test notice"
        with pytest.raises(UserError, match="did not arrive") as refused:
            await tested(refusing.url)
        assert PASSWORD not in str(refused.value)
        with pytest.raises(UserError, match="no address of a service"):
            await tested("nosuch://service")
        with pytest.raises(UserError, match="not among the secrets"):
            await tested("secret:gone")


async def test_an_address_among_the_secrets_is_found_and_one_that_is_gone_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [to("secret:notification-1", "stopped"), to("secret:gone", "stopped")]
    async with http_sink() as hook:
        async with program(tmp_path, monkeypatch, notifications=places) as running:
            *_, missing = told(running, Topic.NOTICES_FAIL)
            assert 'The address of the notification "gone" is not among the secrets.' in missing.text
            store = next(one for one in running.program.stores if one.origin.value == "vault")
            await asyncio.to_thread(store.set, "notification-1", hook.url)
        async with program(tmp_path, monkeypatch) as running:
            pass
        assert [one["title"] for one in hook.messages] == ["ExEngine PAPER: stopped"]


async def test_a_new_configuration_takes_effect_for_notices_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with http_sink() as before, http_sink() as after:
        async with program(tmp_path, monkeypatch, notifications=[to(before.url, "paused", "stopped")]) as running:
            config = running.program.config
            page = NotificationPage(url=after.url, events=("stopped",))
            await running.program.apply(config.model_copy(update={"notifications": (page,)}))
        assert before.messages == []
        assert [one["title"] for one in after.messages] == ["ExEngine PAPER: stopped"]


def test_doctor_has_a_line_for_each_place_and_sends_nothing(tmp_path: Path) -> None:
    places = [to("json://127.0.0.1:1/", "error", "panic"), to("nosuch://service", "error"), to("secret:gone", "error")]
    config = write_config(tmp_path, notifications=places)
    done = exengine("doctor", "--data-dir", tmp_path / "data", "--config", config, env=environment())
    assert "ok    notifications[0]: JSON; nothing was sent" in done.stdout
    assert "(error, panic)" in done.stdout
    assert "FAIL  notifications[1]: It cannot be sent to" in done.stdout
    assert 'FAIL  notifications[2]: The address of the notification "gone"' in done.stdout
    assert done.returncode == 1


async def test_a_day_is_summed_up_when_it_is_over(tmp_path: Path) -> None:
    world = two_alerts()
    store: DatabaseStore = await stored(tmp_path / "store.sqlite3", world)
    realised = (await store.realised())["USDT"]
    assert realised > 0
    times = iter([world.now_ms, world.now_ms + 3_600_000, world.now_ms + 86_400_000, world.now_ms + 90_000_000])
    notes: list[tuple[Severity, Category, str, Topic | None]] = []

    def note(
        severity: Severity, category: Category, text: str, advice: str = "", *, topic: Topic | None = None
    ) -> None:
        notes.append((severity, category, text, topic))

    async def pause(seconds: float) -> None:
        if len(notes) == 1:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await summary_timer(store, world.state, lambda: next(times), note, pause=pause)
    ((severity, _, text, topic),) = notes
    assert (severity, topic) == (Severity.INFO, Topic.DAILY_SUMMARY)
    money = round(realised, 2)
    assert text == (
        f"2026-01-01: {money} USDT realised after fees, 2 signals, 0 errors, 1 groups open and 0 entries waiting."
    )
    quiet = await summary(store, world.state, "2026-01-02", "2026-01-03")
    assert quiet.startswith("2026-01-02: nothing realised after fees, 0 signals")
    assert money > Decimal("0.01")
    await store.close()
    again = await asyncio.to_thread(open_store, tmp_path / "store.sqlite3")
    await again.close()
