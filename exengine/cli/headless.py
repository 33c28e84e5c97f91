"""`exengine run --headless`: engine and listener without a window; SIGTERM and Ctrl-C stop it cleanly."""

import argparse
import asyncio
import signal
import sys

from exengine.bootstrap import Program
from exengine.cli.options import folders
from exengine.program_log import log_to_files


def run_headless(options: argparse.Namespace) -> int:
    data_dir, config_file = folders(options)
    program = Program(data_dir, config_file)
    log_to_files(data_dir.create().log_dir)
    asyncio.run(_run(program))
    return 0


async def _run(program: Program) -> None:
    stop = asyncio.Event()
    _stop_on_signals(stop)
    await program.start()
    try:
        print(f"ExEngine is running on {program.data_dir.path}", flush=True)
        print(
            f"  trades   {', '.join(one.name for one in program.settings.accounts)} (paper), {program.market.description}"
        )
        print(f"  listens  {program.listener.url}")
        if not program.secrets.persistent:
            # Shown once: nothing on this machine can keep it (SPEC §2.1).
            print(f"  webhook  {program.webhook_url}  (for this run only)")
        sys.stdout.flush()
        await stop.wait()
    finally:
        await program.stop()
    print("ExEngine has stopped. Open positions keep; the next start goes on with them.", flush=True)


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows: the loop has no signal handlers
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
