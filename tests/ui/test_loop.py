"""The contract of the loop: what stock qasync gets wrong, and what a change of qasync may break."""

import asyncio
import gc
import logging
import threading
import time
import weakref
from collections.abc import Callable, Coroutine
from importlib.metadata import version
from typing import Any

import pytest
from aiohttp import ClientSession, web
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication, QDialog

from exengine.ui import loop as loop_module
from exengine.ui.loop import Loop, run, spawn

Main = Callable[[], Coroutine[Any, Any, Any]]


@pytest.fixture
def running(qapp: QApplication) -> Callable[[Main], Any]:
    def go(main: Main) -> Any:
        return run(qapp, main)

    return go


def this_loop() -> Loop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, Loop)
    return loop


def test_qasync_is_the_release_whose_internals_are_subclassed():
    assert version("qasync").startswith("0.28."), "read exengine/ui/loop.py against the new release, then this file"


def test_the_result_of_the_coroutine_is_returned(running):
    async def main() -> int:
        await asyncio.sleep(0)
        return 7

    assert running(main) == 7


def test_an_error_of_the_coroutine_is_raised(running):
    async def main() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        running(main)


@pytest.mark.parametrize("delay_s", [0.0005, 0.003, 0.05, 0.21])
def test_a_timer_is_never_early_and_hardly_late(running, delay_s):
    async def main() -> list[float]:
        taken = []
        for _ in range(5):
            began = time.perf_counter()
            await asyncio.sleep(delay_s)
            taken.append(time.perf_counter() - began)
        return taken

    taken = running(main)
    assert min(taken) >= delay_s
    assert sorted(taken)[len(taken) // 2] < delay_s + 0.02


def test_call_later_and_call_at_return_timer_handles_with_their_moment(running):
    async def main() -> None:
        loop = this_loop()
        when = loop.time() + 30
        at, later = loop.call_at(when, print), loop.call_later(30, print)
        assert isinstance(at, asyncio.TimerHandle)
        assert isinstance(later, asyncio.TimerHandle)
        assert at.when() == when
        assert later.when() == pytest.approx(when, abs=0.5)
        at.cancel()
        later.cancel()

    running(main)


def test_timers_run_in_the_order_of_their_moments_and_equal_ones_as_they_came(running):
    async def main() -> list[int]:
        loop, seen = this_loop(), []
        when = loop.time() + 0.02
        loop.call_at(when + 0.01, seen.append, 9)
        for number in range(5):
            loop.call_at(when, seen.append, number)
        await asyncio.sleep(0.06)
        return seen

    assert running(main) == [0, 1, 2, 3, 4, 9]


def test_a_timer_beyond_qt_s_longest_is_taken(running):
    async def main() -> None:
        this_loop().call_later(90 * 86_400, print).cancel()
        handle = this_loop().call_later(90 * 86_400, print)
        await asyncio.sleep(0.01)
        handle.cancel()

    running(main)


def test_cancelled_timers_are_freed_at_once(running):
    class Big:
        pass

    async def main() -> tuple[bool, int]:
        loop = this_loop()
        big = Big()
        gone = weakref.ref(big)
        loop.call_later(3600, print, big).cancel()
        del big
        handles = [loop.call_later(3600, print) for _ in range(10_000)]
        for handle in handles:
            handle.cancel()
        gc.collect()
        return gone() is None, len(loop._heap)

    freed, left = running(main)
    assert freed
    assert left == 0


def test_a_cancelled_timer_does_not_run_and_its_neighbours_do(running):
    async def main() -> list[str]:
        loop, seen = this_loop(), []
        loop.call_later(0.01, seen.append, "first")
        middle = loop.call_later(0.02, seen.append, "middle")
        loop.call_later(0.03, seen.append, "last")
        middle.cancel()
        await asyncio.sleep(0.06)
        return seen

    assert running(main) == ["first", "last"]


def test_callbacks_run_in_the_order_in_which_they_were_asked_for(running):
    async def main() -> list[int]:
        loop, seen = this_loop(), []
        for number in range(100):
            loop.call_soon(seen.append, number)
        skipped = loop.call_soon(seen.append, -1)
        skipped.cancel()
        await asyncio.sleep(0.02)
        return seen

    assert running(main) == list(range(100))


def test_a_dialog_inside_a_task_leaves_no_other_task_stuck(running):
    async def ticking(seen: list[int]) -> None:
        for number in range(5):
            seen.append(number)
            await asyncio.sleep(0.005)

    async def main() -> tuple[list[int], list[int]]:
        seen: list[int] = []
        other = asyncio.create_task(ticking(seen))
        await asyncio.sleep(0.001)
        dialog = QDialog()
        QTimer.singleShot(60, dialog.accept)
        dialog.exec()
        while_open = list(seen)
        async with asyncio.timeout(2):
            await other
        return while_open, seen

    while_open, seen = running(main)
    assert len(while_open) < 5, "no callback runs inside another"
    assert seen == [0, 1, 2, 3, 4]


def test_a_dialog_opened_by_a_click_lets_tasks_go_on(running):
    async def main() -> int:
        ticks = 0

        async def ticking() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.002)

        task = asyncio.create_task(ticking())
        done = asyncio.get_running_loop().create_future()

        def on_click() -> None:
            nested = QEventLoop()
            QTimer.singleShot(80, nested.quit)
            nested.exec()
            done.set_result(ticks)

        QTimer.singleShot(0, on_click)
        ticks_meanwhile = await done
        task.cancel()
        return ticks_meanwhile

    assert running(main) >= 5


def test_a_nested_loop_inside_a_task_does_not_spin(running):
    async def main() -> float:
        this_loop().call_soon(print)
        nested = QEventLoop()
        QTimer.singleShot(100, nested.quit)
        began = time.process_time()
        nested.exec()
        return time.process_time() - began

    assert running(main) < 0.05


def test_sockets_serve(running):
    async def main() -> list[str]:
        async def answer(request: web.Request) -> web.Response:
            return web.Response(text=await request.text())

        app = web.Application()
        app.router.add_post("/", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        try:
            async with ClientSession() as session:

                async def post(number: int) -> str:
                    body = str(number) * 50_000
                    async with session.post(f"http://127.0.0.1:{port}/", data=body) as answer:
                        return (await answer.text())[:1]

                return list(await asyncio.gather(*(post(number) for number in range(8))))
        finally:
            await runner.cleanup()

    assert running(main) == [str(number) for number in range(8)]


def test_other_threads_wake_an_idle_loop(running):
    async def main() -> float:
        loop, done = this_loop(), asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        threading.Timer(0.05, lambda: loop.call_soon_threadsafe(done.set_result, None)).start()
        await done
        return time.perf_counter() - began

    assert 0.05 <= running(main) < 0.5


def test_wake_ups_of_many_threads_are_all_taken(running):
    async def main() -> int:
        loop, seen, done = this_loop(), [], asyncio.Event()

        def take(number: int) -> None:
            seen.append(number)
            if len(seen) == 4_000:
                done.set()

        def send() -> None:
            for number in range(1_000):
                loop.call_soon_threadsafe(take, number)

        threads = [threading.Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        async with asyncio.timeout(10):
            await done.wait()
        for thread in threads:
            thread.join()
        return len(seen)

    assert running(main) == 4_000


def test_work_in_the_executor_returns_and_its_error_too(running):
    def fails() -> None:
        raise OSError("no disk")

    async def main() -> int:
        loop = this_loop()
        with pytest.raises(OSError, match="no disk"):
            await loop.run_in_executor(None, fails)
        return await asyncio.to_thread(threading.get_ident)

    assert running(main) != threading.get_ident()


def test_qt_has_its_turn_while_callbacks_never_end(running):
    async def main() -> int:
        turns = 0

        def on_timer() -> None:
            nonlocal turns
            turns += 1

        timer = QTimer()
        timer.timeout.connect(on_timer)
        timer.start(5)
        until = time.perf_counter() + 0.4
        while time.perf_counter() < until:  # noqa: ASYNC110  # that is the load
            await asyncio.sleep(0)
        timer.stop()
        return turns

    assert running(main) >= 10


def test_a_pass_ends_with_its_budget(running):
    async def main() -> int:
        loop, done = this_loop(), asyncio.Event()
        seen: list[int] = []
        seen_by_qt: list[int] = []

        def work() -> None:
            time.sleep(0.004)
            seen.append(1)
            if len(seen) == 20:
                done.set()

        for _ in range(20):
            loop.call_soon(work)
        QTimer.singleShot(0, lambda: seen_by_qt.append(len(seen)))
        await done.wait()
        return seen_by_qt[0]

    assert running(main) < 10
    assert loop_module.BUDGET_S == 0.008


def test_errors_of_callbacks_are_reported_and_the_loop_goes_on(running):
    async def main() -> list[str]:
        loop, reported = this_loop(), []
        loop.set_exception_handler(lambda _, context: reported.append(str(context["exception"])))
        assert loop.get_exception_handler() is not None
        loop.call_soon(lambda: 1 / 0)
        loop.call_later(0.001, [].pop)
        await asyncio.sleep(0.02)
        return reported

    assert running(main) == ["division by zero", "pop from empty list"]


def test_an_exit_inside_a_callback_ends_the_loop(running):
    def leave() -> None:
        raise SystemExit(3)

    async def main() -> None:
        this_loop().call_soon(leave)
        await asyncio.sleep(5)

    with pytest.raises(SystemExit):
        running(main)


def test_what_still_runs_is_cancelled_at_the_end(running):
    ended: list[str] = []

    async def endless() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append("cleaned up")

    async def main() -> None:
        task = asyncio.create_task(endless())
        await asyncio.sleep(0.001)
        assert not task.done()

    running(main)
    assert ended == ["cleaned up"]


def test_async_generators_left_open_are_closed(running):
    closed: list[bool] = []

    async def numbers():
        try:
            while True:
                yield 1
        finally:
            closed.append(True)

    async def main() -> None:
        async for _ in numbers():
            break
        gc.collect()
        await asyncio.sleep(0.01)

    running(main)
    assert closed == [True]


def test_a_closed_loop_refuses(running, qapp):
    loop = Loop(qapp)
    loop.close()
    with pytest.raises(RuntimeError):
        loop.call_soon(print)
    with pytest.raises(RuntimeError):
        loop.call_soon_threadsafe(print)
    with pytest.raises(RuntimeError):
        loop.call_later(1, print)


def test_debug_mode_names_what_holds_up_the_window(running, caplog):
    async def main() -> None:
        loop = this_loop()
        loop.set_debug(True)
        loop.slow_callback_duration = 0.01
        loop.call_soon(time.sleep, 0.02)
        await asyncio.sleep(0.05)
        loop.set_debug(False)

    with caplog.at_level(logging.WARNING, logger="exengine.ui.loop"):
        running(main)
    assert any("sleep" in message for message in caplog.messages)


def test_spawn_keeps_its_task_and_reports_its_error(running):
    async def fails() -> None:
        await asyncio.sleep(0.001)
        raise ValueError("refused")

    async def main() -> tuple[list[str], list[str]]:
        reported: list[str] = []
        told: list[str] = []
        this_loop().set_exception_handler(lambda _, context: reported.append(context["message"]))
        spawn(fails(), name="close group")
        spawn(fails(), name="pause", on_error=lambda error: told.append(str(error)))
        gc.collect()
        await asyncio.sleep(0.03)
        return reported, told

    reported, told = running(main)
    assert reported == ["task 'close group' failed"]
    assert told == ["refused"]


def test_the_window_stays_smooth_under_a_busy_engine(running):
    async def main() -> list[float]:
        lags = []

        async def engine() -> None:
            while True:
                began = time.perf_counter()
                while time.perf_counter() - began < 0.0003:
                    pass
                await asyncio.sleep(0)

        tasks = [asyncio.create_task(engine()) for _ in range(10)]
        for _ in range(40):
            began = time.perf_counter()
            await asyncio.sleep(0.005)
            lags.append(time.perf_counter() - began - 0.005)
        for task in tasks:
            task.cancel()
        return lags

    lags = sorted(running(main))
    assert lags[len(lags) // 2] < 0.02
