"""Newer versions: only what is signed is believed, only while nothing is open, and nothing is asked until it is set."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from exengine import __version__
from exengine.bootstrap.updates import BUSY_S, EVERY_S, FIRST_S, update_timer
from exengine.domain.errors import UserError
from exengine.domain.settings import Settings
from exengine.domain.state import State
from exengine.engine.rows import LogRow
from exengine.notify.releases import MOST_BYTES, MOST_NOTES, Release, announced, is_newer, read_release
from exengine.settings.program_pages import AppPage
from tests.helpers.program import entry, program

MAKER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = base64.b64encode(MAKER.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
LIST = {"version": "9.1.0", "notes": "Ladders are laid faster.", "page": "https://example.com/9.1.0"}


def signed(data: bytes, by: Ed25519PrivateKey = MAKER) -> bytes:
    return base64.b64encode(by.sign(data)) + b"\n"


class Makers:
    """Who announces versions, at an address of this machine."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self.status = 200
        self.say(LIST)

    def say(self, what: Any) -> None:
        self.data = what if isinstance(what, bytes) else json.dumps(what).encode()
        self.signature = signed(self.data)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        return web.Response(body=self.signature if request.path.endswith(".sig") else self.data, status=self.status)


@asynccontextmanager
async def makers() -> AsyncIterator[Makers]:
    one, app = Makers(), web.Application()
    app.router.add_get("/{name}", one.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}/exengine.json"
    try:
        yield one
    finally:
        await runner.cleanup()


# What is believed


@pytest.mark.parametrize(("version", "than"), [("0.2.0", "0.1.9"), ("0.10.0", "0.9.0"), ("1.0.1", "1.0"), ("2", "1.9")])
def test_a_version_is_newer_by_its_numbers(version: str, than: str) -> None:
    assert is_newer(version, than)
    assert not is_newer(than, version)


def test_the_same_version_is_not_newer_however_it_is_written() -> None:
    assert not is_newer("1.0", "1.0.0")
    assert not is_newer("1.0.0", "1.0")


@pytest.mark.parametrize("text", ["", "1.x", "v1", "1..2", "-1", "1.0rc1", "１.0"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no version"):
        is_newer(text, "0.1.0")


async def test_a_signed_list_is_read_with_its_notes() -> None:
    async with makers() as one:
        assert await announced(one.url, KEY) == Release(
            version="9.1.0", notes="Ladders are laid faster.", page="https://example.com/9.1.0"
        )


async def test_a_list_that_another_has_signed_is_not_read() -> None:
    async with makers() as one:
        one.signature = signed(one.data, Ed25519PrivateKey.from_private_bytes(bytes(32)))
        with pytest.raises(UserError, match="not signed by the key that the settings name"):
            await announced(one.url, KEY)


@pytest.mark.parametrize("signature", [b"", b"no base64!", b"AAAA"])
def test_a_broken_signature_is_none(signature: bytes) -> None:
    with pytest.raises(UserError, match="is not signed"):
        read_release(json.dumps(LIST).encode(), signature, KEY)


def test_one_byte_more_than_was_signed_and_nothing_is_believed() -> None:
    data = json.dumps(LIST).encode()
    with pytest.raises(UserError, match="is not signed"):
        read_release(data + b" ", signed(data), KEY)


@pytest.mark.parametrize("said", [b"not json", b"[]", b'{"version": 9}', b'{"version": "soon"}', b'{"notes": "x"}'])
def test_a_signed_list_that_says_nothing_is_told_as_that(said: bytes) -> None:
    with pytest.raises(UserError, match="The list of versions cannot be read"):
        read_release(said, signed(said), KEY)


def test_notes_have_an_end_and_only_a_safe_address_is_passed_on() -> None:
    data = json.dumps({"version": "9", "notes": "x" * 9000, "page": "javascript:alert(1)"}).encode()
    release = read_release(data, signed(data), KEY)
    assert (len(release.notes), release.page) == (MOST_NOTES, "")


async def test_who_does_not_answer_and_who_answers_without_end_are_told() -> None:
    async with makers() as one:
        one.status = 404
        with pytest.raises(UserError, match=r"cannot be had from http://127\.0\.0\.1:\d+/exengine\.json: .*404"):
            await announced(one.url, KEY)
        one.status = 200
        one.say(b" " * (MOST_BYTES + 1))
        with pytest.raises(UserError, match=f"more than {MOST_BYTES} bytes"):
            await announced(one.url, KEY)
        url = one.url
    with pytest.raises(UserError, match="cannot be had"):
        await announced(url, KEY)


# When it is asked


class Enough(Exception):
    """The test has seen what it wanted."""


def pauses(*acts: Callable[[], object]) -> tuple[list[float], Callable[[float], Awaitable[None]]]:
    """Passes time at once; after each pause the next of `acts`, after the last the end."""
    waited: list[float] = []
    left = list(acts)

    async def pause(seconds: float) -> None:
        waited.append(seconds)
        if not left:
            raise Enough
        left.pop(0)()

    return waited, pause


def nothing() -> None: ...


async def run(one: Makers, state: State, *acts: Callable[[], object], version: str = "0.1.0") -> tuple[list, list]:
    """The pauses and the lines of the log."""
    lines: list[tuple[str, str, str]] = []
    waited, pause = pauses(*acts)
    page = AppPage.model_validate({"update_list": one.url, "update_key": KEY})
    with pytest.raises(Enough):
        await update_timer(
            page,
            state,
            lambda severity, _, text, advice="", *, topic=None: lines.append((severity.value, text, advice)),
            version=version,
            pause=pause,
        )
    return waited, lines


async def test_a_newer_version_is_told_once_with_its_notes_and_that_nothing_is_installed() -> None:
    async with makers() as one:
        waited, lines = await run(one, State(instance="test", settings=Settings()), nothing, nothing)
    assert waited == [FIRST_S, EVERY_S, EVERY_S]
    assert lines == [
        (
            "info",
            "ExEngine 9.1.0 is there; this is 0.1.0. What is new: Ladders are laid faster.",
            "Nothing is installed by itself. It is at https://example.com/9.1.0. "
            "Make a backup first: exengine backup FILE.",
        )
    ]


async def test_this_version_or_an_older_one_is_no_news() -> None:
    async with makers() as one:
        _, lines = await run(one, State(instance="test", settings=Settings()), nothing, version="9.1")
        assert lines == []
        assert len(one.asked) == 2


async def test_nobody_is_asked_while_a_group_is_open_and_soon_after_it_has_closed() -> None:
    state = State(instance="test", settings=Settings())
    state.groups["a group"] = object()  # type: ignore[assignment]  # nothing of it is looked at
    async with makers() as one:

        def still_nobody() -> None:
            assert one.asked == []

        waited, lines = await run(one, state, still_nobody, still_nobody, state.groups.clear)
        assert waited == [FIRST_S, BUSY_S, BUSY_S, EVERY_S]
        assert len(lines) == 1


async def test_what_is_not_to_be_believed_is_told_once_and_the_next_day_it_is_asked_again() -> None:
    async with makers() as one:
        one.signature = b"AAAA"
        waited, lines = await run(
            one, State(instance="test", settings=Settings()), nothing, nothing, lambda: one.say(LIST)
        )
    assert [(severity, text.partition(" is ")[0]) for severity, text, _ in lines] == [
        ("warning", "The list of versions"),
        ("info", "ExEngine 9.1.0"),
    ]
    assert waited == [FIRST_S, EVERY_S, EVERY_S, EVERY_S]


async def test_a_program_as_it_comes_asks_nobody(tmp_path, monkeypatch):
    async with program(tmp_path, monkeypatch) as running:
        assert "updates" not in running.program.supervisor.running


async def test_a_program_that_is_told_to_asks_from_the_next_apply_on_and_no_longer_once_it_is_not(
    tmp_path, monkeypatch
):
    async with makers() as one, program(tmp_path, monkeypatch) as running:
        monkeypatch.setattr("exengine.bootstrap.updates.FIRST_S", 0)
        lines, told, before = [], asyncio.Event(), running.program.config

        def hear(row: LogRow) -> None:
            if "is there" in row.text:
                lines.append(row.text)
                told.set()

        running.program.views.hear(hear)
        app = {"update_list": one.url, "update_key": KEY}
        await running.program.apply(before.model_copy(update={"app": AppPage.model_validate(app)}))
        async with asyncio.timeout(30):
            await told.wait()
        assert lines[0].startswith(f"ExEngine 9.1.0 is there; this is {__version__}.")
        await running.program.apply(before)
        assert "updates" not in running.program.supervisor.running
        await running.market.tick("50100")
        assert (await running.post(entry("50000")))[0] == 202
