"""Sees what keeps the event loop to itself: one callback that runs too long, so that nothing else can."""

import asyncio
import gc
import socket
import sys
import threading
import time
from asyncio import events
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LIMIT_S = 0.1
WAITING_LIMIT = 50
"""How many times as long a callback may wait as it may compute: whether it waits for a file or for another thread of
the program, which the machine does not let run, cannot be told apart. What surely waits is told by its name."""

_SLEEP = time.sleep
_SCHEDSTAT = Path("/proc/thread-self/schedstat")


def _waited_s() -> float:
    """How long this thread has been ready to run and was not let: the machine's doing, not the program's."""
    try:
        return int(_SCHEDSTAT.read_bytes().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


class Blocked(AssertionError):
    """A callback kept the loop for too long."""


class _Watched(threading.local):
    """What the running callback of this thread's loop has called that waits; None where nothing is watched."""

    calls: list[str] | None = None


_watched = _Watched()


def _on_call(event: str, arguments: tuple[Any, ...]) -> None:
    calls = _watched.calls
    if calls is None:
        return
    if event == "socket.connect":
        there: socket.socket = arguments[0]
        if there.gettimeout() != 0:
            calls.append("a connection that is waited for")
    elif event in ("sqlite3.connect", "socket.getaddrinfo"):
        calls.append(event)


sys.addaudithook(_on_call)


def _sleep(seconds: float) -> None:
    """`time.sleep`, which tells an audit hook of itself from Python 3.13 on only."""
    if _watched.calls is not None:
        _watched.calls.append("time.sleep")
    _SLEEP(seconds)


def _task_of(callback: Any) -> asyncio.Task[Any] | None:
    """The task whose step a callback is; asyncio itself tells nobody."""
    return next((one for one in gc.get_referents(callback) if isinstance(one, asyncio.Task)), None)


def _who(callback: Any) -> str:
    task = _task_of(callback)
    return repr(callback) if task is None else f"{task.get_name()}: {task.get_coro()}"


@contextmanager
def no_blocking(limit_s: float = LIMIT_S) -> Iterator[list[str]]:
    """Fails where one callback of this thread's loop takes longer than `limit_s`; gives what was found so far.

    Where it sleeps, opens a database, looks a name up or connects and waits for that, it fails however short that was.

    Time in which other programs had the processor, and the interpreter's own collection of garbage, do not count; nor
    does what the test does in its own task, as building a window.
    """
    own = asyncio.current_task()
    found: list[str] = []
    loop, run, collected_s, began_s = asyncio.get_running_loop(), events.Handle._run, 0.0, 0.0

    def on_collection(phase: str, _: Any) -> None:
        nonlocal collected_s, began_s
        if phase == "start":
            began_s = time.perf_counter()
        else:
            collected_s += time.perf_counter() - began_s

    def timed(handle: events.Handle) -> None:
        if handle._loop is not loop:
            run(handle)
            return
        before_s, busy_s, waited_s, swept_s = time.perf_counter(), time.thread_time(), _waited_s(), collected_s
        callback = handle._callback
        _watched.calls = calls = []
        try:
            run(handle)
        finally:
            _watched.calls = None
        if calls and _task_of(callback) is not own:
            found.append(f"{', '.join(calls)} in {_who(callback)}")
        took_s = time.perf_counter() - before_s
        if took_s > limit_s:
            swept_s = collected_s - swept_s
            took_s -= (_waited_s() - waited_s) + swept_s
            computed_s = time.thread_time() - busy_s - swept_s
            too_long = computed_s > limit_s or took_s > limit_s * WAITING_LIMIT
            if too_long and _task_of(callback) is not own:
                found.append(f"{took_s * 1000:.0f} ms in {_who(callback)}")

    events.Handle._run = timed  # type: ignore[method-assign]
    time.sleep = _sleep
    gc.callbacks.append(on_collection)
    try:
        yield found
    finally:
        events.Handle._run = run  # type: ignore[method-assign]
        time.sleep = _SLEEP
        gc.callbacks.remove(on_collection)
    if found:
        raise Blocked("the loop was blocked: " + "; ".join(found[:5]))
