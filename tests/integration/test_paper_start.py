"""A configuration with paper accounts only starts, trades and stops without ccxt and without a network."""

import subprocess
import sys
from pathlib import Path

from tests.helpers.program import ROOT, environment, write_config

START = """
import asyncio, socket, sys
from pathlib import Path

reached = []
connect = socket.socket.connect

def watched(self, address):
    if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
        reached.append(address)
    return connect(self, address)

socket.socket.connect = watched
socket.getaddrinfo = lambda host, *more, **options: reached.append(host) or [
    (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", more[0] if more else 0))
]

async def main(folder):
    from exengine.bootstrap.program import Program
    from exengine.settings.paths import DataDir

    program = Program(DataDir(folder / "data"), folder / "config.json")
    await program.start()
    await program.stop()

asyncio.run(main(Path(sys.argv[1])))
assert not [name for name in sys.modules if name.split(".")[0] == "ccxt"], "ccxt was imported"
assert [host for host in reached if host not in ("127.0.0.1", "localhost")] == [], reached
print("clean")
"""


def test_paper_alone_touches_neither_ccxt_nor_a_network(tmp_path: Path):
    write_config(tmp_path, sim={"market": "generated"})
    started = subprocess.run(
        [sys.executable, "-c", START, str(tmp_path)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (started.returncode, started.stdout.strip()) == (0, "clean"), started.stderr
