"""Runs a tunnel as a child of ours: its address is read from what it says, it is begun anew when it ends, and it ends
with us."""

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from exengine.webhook.tunnel import KINDS, Tunnel, chosen_tunnel, found_tunnels, missing_words

log = logging.getLogger(__name__)

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
STEADY_S = 60.0
"""A tunnel that ran so long begins again with the shortest wait."""
ADDRESS_S = 60.0
"""How long a tunnel may take to tell its address before it is begun anew."""
END_S = 5.0
LINE_LENGTH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelState:
    """How it is with the tunnel, in words for the Status dock."""

    words: str
    url: str = ""
    """The public address; empty while there is none."""


class TunnelProcess:
    """One tunnel for one port, for as long as `run` runs."""

    def __init__(
        self,
        wanted: Tunnel,
        port: int,
        on_change: Callable[[TunnelState], None],
        *,
        which: Callable[[str], str | None] = shutil.which,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`on_change` is told whenever its state is another one."""
        self._wanted, self._port, self._on_change, self._which, self._sleep = wanted, port, on_change, which, sleep
        self._process: Process | None = None
        self.state = TunnelState(words="starting")

    async def run(self) -> None:
        """Runs it until cancelled. Where none is installed it says so, and waits for nothing more."""
        wait_s = FIRST_WAIT_S
        while True:
            tunnel = chosen_tunnel(self._wanted, found_tunnels(self._which))
            if tunnel is None:
                self._say(TunnelState(words=missing_words(self._wanted)))
                await asyncio.Event().wait()
                return
            loop = asyncio.get_running_loop()
            began_s = loop.time()
            why = await self._once(tunnel)
            if loop.time() - began_s >= STEADY_S:
                wait_s = FIRST_WAIT_S
            self._say(TunnelState(words=f"{tunnel.value} ended ({why}); begun again in {wait_s:.0f} s"))
            await self._sleep(wait_s)
            wait_s = min(LONGEST_WAIT_S, 2 * wait_s)

    async def _once(self, tunnel: Tunnel) -> str:
        """One life of it; why it ended."""
        kind = KINDS[tunnel]
        program = self._which(kind.program)
        assert program is not None
        self._say(TunnelState(words=f"{tunnel.value} is starting"))
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                program, *kind.arguments(self._port), stdin=subprocess.DEVNULL, stdout=PIPE, stderr=STDOUT, **_apart()
            )
        except OSError as error:
            return f"it cannot be started: {error.strerror or error}"
        try:
            return await self._listened_to(tunnel, process)
        finally:
            await self._ended(process)

    async def _listened_to(self, tunnel: Tunnel, process: Process) -> str:
        kind, trouble = KINDS[tunnel], ""
        assert process.stdout is not None
        try:
            async with asyncio.timeout(ADDRESS_S) as patience:
                while line := await _line(process.stdout):
                    url = kind.url_in(line)
                    trouble = kind.trouble_in(line) or trouble
                    if url is not None and url != self.state.url:
                        patience.reschedule(None)
                        self._say(TunnelState(words=f"{tunnel.value} is up", url=url))
        except TimeoutError:
            return _short(f"it told no address within {ADDRESS_S:.0f} s; {trouble}".rstrip("; "))
        code = await process.wait()
        return _short(trouble) or f"exit code {code}"

    async def _ended(self, process: Process) -> None:
        """Asks it to end, and then makes it, with whatever it has started."""
        ended = asyncio.ensure_future(process.wait())
        for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
            if process.returncode is not None:
                break
            _signal(process, number)
            # No `asyncio.timeout`: in a task that is being cancelled Python 3.11.2, Debian 12's, ends it as cancelled.
            await asyncio.wait([ended], timeout=END_S)
        ended.cancel()
        self._process = None

    def _say(self, state: TunnelState) -> None:
        if state != self.state:
            self.state = state
            log.info("tunnel: %s", state.words)
            self._on_change(state)


async def _line(stream: asyncio.StreamReader) -> str:
    """The next line; empty at the end. One that is too long is passed over."""
    while True:
        try:
            data = await stream.readline()
        except ValueError:
            continue
        text = data.decode(errors="replace")
        if text.strip() or not data:
            return text


def _short(text: str) -> str:
    return text if len(text) <= LINE_LENGTH else text[: LINE_LENGTH - 1] + "…"


def _apart() -> dict[str, Any]:
    """A group of its own: Ctrl-C on our terminal is ours to hand on.

    Where we are killed nobody ends it, but nobody reads it either: Go programs die of the next line that they say.
    """
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def _signal(process: Process, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.terminate()
        else:
            os.killpg(process.pid, number)
