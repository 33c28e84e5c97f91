"""Replays in processes of their own: they take the machine's idle cores and none of the engine's time.

Each has a pipe. A worker whose parent is gone reads the end of its pipe and ends; one that the parent ends, or that the
system has ended for want of memory, is known by the same.
"""

import os
import pickle
import signal
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Self

from exengine.bootstrap.replay import ReplayInputs
from exengine.bootstrap.replay_work import Files, Job, Ran, work
from exengine.domain.errors import UserError

TELL_S = 0.1
"""How often a worker tells how far it has come."""
END_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Under:
    """A job is under way: so much of it is done, 0 to 1."""

    number: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A job that could not be done: what to tell, and whether that is for the trader or a defect."""

    number: int
    text: str
    is_defect: bool


class Stopped(Exception):
    """The workers were ended while they worked."""


def cores() -> int:
    """How many this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed is not None else os.cpu_count() or 1


class Workers:
    """Some processes that replay the same signals and prices. Use it as a context: at its end none is left."""

    def __init__(self, inputs: ReplayInputs | Files, count: int) -> None:
        """Files are read by the workers, each for itself."""
        self._inputs = inputs
        self._count = count
        self._processes: list[tuple[SpawnProcess, Connection]] = []
        self._stopped = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def run(self, jobs: Iterable[Job]) -> Iterator[Under | Ran]:
        """Does all jobs, and tells of each as it comes. Raises UserError, or Stopped after `stop`."""
        rest = iter(jobs)
        idle = deque(self._start())
        busy: dict[Connection, int] = {}
        try:
            while True:
                while idle and (job := next(rest, None)) is not None:
                    pipe = idle.popleft()
                    pipe.send(job)
                    busy[pipe] = job.number
                if not busy:
                    return
                for ready in connection.wait(list(busy)):
                    assert isinstance(ready, Connection)
                    said = ready.recv()
                    if isinstance(said, Failed):
                        raise _told(said)
                    if isinstance(said, Ran):
                        del busy[ready]
                        idle.append(ready)
                    yield said
        except (EOFError, OSError):
            if self._stopped:
                raise Stopped from None
            raise UserError(
                "A process that replays has ended before its work was done.",
                safe="Nothing was written, and nothing was traded.",
                remedy="The system may have run out of memory: try fewer workers, or a shorter time.",
            ) from None

    def _start(self) -> list[Connection]:
        """The processes' pipes; they are loading while the inputs are written to them."""
        context = get_context("spawn")
        for _ in range(self._count):
            if self._stopped:
                raise Stopped
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs,), name="exengine replay", daemon=True)
            with _deaf_to_ctrl_c():
                process.start()
            theirs.close()
            self._processes.append((process, ours))
        if self._stopped:
            raise Stopped
        data = pickle.dumps(self._inputs)
        for _, pipe in self._processes:
            pipe.send_bytes(data)
        return [pipe for _, pipe in self._processes]

    def stop(self) -> None:
        """Ends all of them at once; may be called from another thread than `run`."""
        self._stopped = True
        for process, _ in list(self._processes):
            process.terminate()

    def close(self) -> None:
        self.stop()
        for process, pipe in self._processes:
            process.join(END_S)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
            pipe.close()
        self._processes.clear()


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Ctrl-C goes to every process of a terminal; the parent ends its workers. They inherit that from their first
    moment on, before they could say so themselves."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _told(failed: Failed) -> Exception:
    if not failed.is_defect:
        return UserError(failed.text)
    return UserError(
        f"Run {failed.number} failed because of a defect: {failed.text}.",
        safe="Nothing was written, and nothing was traded.",
        remedy="Report it, with the signals, prices and settings that it was played with.",
    )


# in the worker --------------------------------------------------------------------------------------------------------


def _serve(pipe: Connection) -> None:
    """Takes the inputs, then one job after the other, until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _yield_to_others()
    with suppress(EOFError, OSError):
        given: ReplayInputs | Files = pickle.loads(pipe.recv_bytes())
        while True:
            job: Job = pipe.recv()
            try:
                if isinstance(given, Files):
                    given = given.read(job.settings)
                said: Ran | Failed = _done(pipe, given, job)
            except UserError as error:
                said = Failed(number=job.number, text=str(error), is_defect=False)
            except (EOFError, OSError):
                raise  # the pipe: nobody listens any more
            except Exception as error:  # noqa: BLE001  # whatever it is, the parent tells it
                said = Failed(number=job.number, text=f"{type(error).__name__}: {error}", is_defect=True)
            pipe.send(said)


def _done(pipe: Connection, inputs: ReplayInputs, job: Job) -> Ran:
    last_s = time.monotonic()

    def share(done: float) -> None:
        nonlocal last_s
        if time.monotonic() - last_s >= TELL_S:
            last_s = time.monotonic()
            pipe.send(Under(number=job.number, share=done))

    return work(inputs, job, share)


def _yield_to_others() -> None:
    """The engine and the window come first."""
    if sys.platform == "win32":
        import ctypes

        below_normal = 0x4000
        ctypes.windll.kernel32.SetPriorityClass(ctypes.windll.kernel32.GetCurrentProcess(), below_normal)
    else:
        os.nice(10)
