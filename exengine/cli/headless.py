"""`exengine run --headless`: engine and listener without a window; signals stop it cleanly, SIGHUP applies the file."""

import argparse
import asyncio
import gc
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from exengine.bootstrap.following import apply_file
from exengine.bootstrap.program import Program
from exengine.cli.options import folders
from exengine.domain.errors import UserError
from exengine.domain.journal import Category, Severity

YOUNG_BEFORE_A_LOOK = 5_000
"""How many objects more than before set garbage collection off: a burst of alerts makes more than Python's 700."""


def run_headless(options: argparse.Namespace) -> int:
    """Runs until it is told to stop. Raises UserError where it cannot begin."""
    data_dir, config_file = folders(options)
    asyncio.run(_run(Program(data_dir, config_file)))
    return 0


async def _run(program: Program) -> None:
    asked = asyncio.Event()
    _stop_on_signals(asked)
    if not await _started(program, asked):
        print("ExEngine was stopped before it had started.", flush=True)
        return
    try:
        _introduce(program)
        _pass_over_what_is_there()
        with _applying_on_signal(program):
            await asked.wait()
    finally:
        await program.stop()
    print("ExEngine has stopped. Open positions keep; the next start goes on with them.", flush=True)


async def _started(program: Program, asked: asyncio.Event) -> bool:
    """Starts the program; False where it was to stop before that was done. Then nothing of it runs any more."""
    starting = asyncio.create_task(program.start(), name="start")
    stopping = asyncio.create_task(asked.wait(), name="stop asked")
    await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not starting.done():
        starting.cancel()
    try:
        await starting
    except asyncio.CancelledError:
        return False
    return True


@contextmanager
def _applying_on_signal(program: Program) -> Iterator[None]:
    """SIGHUP has the configuration file take effect, where there is such a signal."""
    if sys.platform == "win32":
        yield
        return
    loop, tasks = asyncio.get_running_loop(), set[asyncio.Task[None]]()

    def begin() -> None:
        task = asyncio.create_task(_apply(program), name="apply")
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    loop.add_signal_handler(signal.SIGHUP, begin)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # its default would end a stop half-way


async def _apply(program: Program) -> None:
    try:
        told = await apply_file(program)
    except UserError as error:
        told = f"{program.config_file} was not applied: {error}"
        program.engine.note(Severity.ERROR, Category.SYSTEM, told)
    print(told, flush=True)


def _pass_over_what_is_there() -> None:
    """Keeps what was imported and loaded out of all later collections of garbage: it stays to the end.

    Looking through all of it again and again takes tenths of a second, while an alert waits for its answer.
    """
    gc.collect()  # what is garbage by now would never be found again
    gc.freeze()
    gc.set_threshold(YOUNG_BEFORE_A_LOOK, *gc.get_threshold()[1:])


def _introduce(program: Program) -> None:
    print(f"ExEngine is running on {program.data_dir.path}")
    print(f"  trades   {program.markets}")
    print(f"  listens  {program.listener.url}")
    if not program.secrets.persistent:
        # Shown once: nothing on this machine can keep it (SPEC §2.1).
        print(f"  webhook  {program.webhook_url}  (for this run only)")
    sys.stdout.flush()


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows: the loop has no signal handlers
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
