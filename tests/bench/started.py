"""How soon the program without a window takes alerts: `python -m tests.bench.started FOLDER` prints it, and ends.

Seconds from the start of the process, imports and all; then those of processor time.
"""

import asyncio
import sys
import time
from pathlib import Path

from exengine.bootstrap.program import Program
from exengine.settings.paths import DataDir
from tests.bench.first_paint import age_s


async def main(folder: Path) -> None:
    program = Program(DataDir(folder / "data"), folder / "config.json")
    await program.start()
    print(f"{age_s():.4f} {time.process_time():.4f}", flush=True)
    await program.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
