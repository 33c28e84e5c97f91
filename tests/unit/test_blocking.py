"""The detector of blocking calls sees what keeps the loop to itself, and nothing else."""

import asyncio
import contextlib
import socket
import time

import pytest

from tests.helpers.blocking import Blocked, no_blocking


async def blocks() -> None:
    time.sleep(0.15)  # noqa: ASYNC251  # the very thing


async def test_a_call_that_blocks_the_loop_fails_the_test_and_is_named() -> None:
    with pytest.raises(Blocked, match=r"time\.sleep in .*blocks"), no_blocking():
        await asyncio.create_task(blocks())


async def test_a_call_that_waits_is_named_however_short_it_was() -> None:
    async def naps() -> None:
        time.sleep(0.001)  # noqa: ASYNC251

    async def connects() -> None:
        with contextlib.suppress(OSError), socket.socket() as one:
            one.connect(("127.0.0.1", 1))

    for work, named in ((naps, r"time\.sleep in .*naps"), (connects, r"a connection that is waited for in .*connects")):
        with pytest.raises(Blocked, match=named), no_blocking():
            await asyncio.create_task(work())


async def computes() -> None:
    end_s = time.thread_time() + 0.15
    while time.thread_time() < end_s:
        pass


async def test_a_call_that_computes_for_long_is_named_too() -> None:
    with pytest.raises(Blocked, match=r"ms in .*computes"), no_blocking():
        await asyncio.create_task(computes())


async def test_what_waits_as_it_should_is_fine() -> None:
    with no_blocking() as found:
        await asyncio.sleep(0.15)
        await asyncio.to_thread(time.sleep, 0.15)
    assert found == []


async def test_work_of_a_thread_of_its_own_does_not_count_though_it_has_a_loop() -> None:
    with no_blocking():
        await asyncio.to_thread(lambda: asyncio.run(blocks()))


async def test_what_the_test_itself_does_is_its_own_affair() -> None:
    with no_blocking():
        await asyncio.sleep(0)
        time.sleep(0.15)  # noqa: ASYNC251
        await asyncio.sleep(0)


async def test_nothing_is_watched_afterwards() -> None:
    with no_blocking():
        await asyncio.sleep(0)
    await asyncio.create_task(blocks())


async def test_another_error_is_not_hidden() -> None:
    async def fails() -> None:
        with no_blocking():
            await asyncio.create_task(blocks())
            raise KeyError("the test's own")

    with pytest.raises(KeyError):
        await fails()
