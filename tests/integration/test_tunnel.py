"""Tunnels as children: scripts that say what cloudflared, ngrok and tailscale say stand in for them."""

import asyncio
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from exengine.webhook.tunnel import KINDS, Tunnel, chosen_tunnel, found_tunnels, missing_words
from exengine.webhook.tunnel_process import TunnelProcess, TunnelState
from tests.helpers.program import eventually, exengine, free_port, http, program, write_config

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are scripts of a Unix shell")

CLOUDFLARED = """
echo "2026-11-29T08:00:00Z INF Thank you for trying Cloudflare Tunnel." >&2
echo "2026-11-29T08:00:00Z INF Requesting new quick Tunnel on trycloudflare.com..." >&2
echo "2026-11-29T08:00:02Z INF +---------------------------------------------------------+" >&2
echo "2026-11-29T08:00:02Z INF |  Your quick Tunnel has been created! Visit it at:       |" >&2
echo "2026-11-29T08:00:02Z INF |  https://calm-river-1234.trycloudflare.com              |" >&2
"""
NGROK = """
echo '{"lvl":"info","msg":"no configuration paths supplied","t":"2026-11-29T08:00:00Z"}'
echo '{"lvl":"info","msg":"starting web service","obj":"web","addr":"127.0.0.1:4040","t":"2026-11-29T08:00:00Z"}'
echo '{"lvl":"info","msg":"started tunnel","obj":"tunnels","name":"command_line",'\\
'"addr":"http://127.0.0.1:8787","url":"https://ab12-34.ngrok-free.app","t":"2026-11-29T08:00:01Z"}'
"""
TAILSCALE = """
echo "Available on the internet:"
echo ""
echo "https://desk.tail1234.ts.net/"
echo "|-- proxy http://127.0.0.1:8787"
echo ""
echo "Press Ctrl+C to exit."
"""
SAYS = {
    Tunnel.CLOUDFLARED: (CLOUDFLARED, "https://calm-river-1234.trycloudflare.com"),
    Tunnel.NGROK: (NGROK, "https://ab12-34.ngrok-free.app"),
    Tunnel.TAILSCALE: (TAILSCALE, "https://desk.tail1234.ts.net"),
}
STAYS = 'echo $$ > "$0.pid"\necho "$@" >> "$0.told"\nexec sleep 600\n'


def stand_in(folder: Path, name: str, script: str) -> Path:
    """An executable by this name that runs `script`."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file


def finder(folder: Path) -> Callable[[str], str | None]:
    return lambda name: str(folder / name) if (folder / name).exists() else None


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def told_by(file: Path) -> str:
    """What a stand-in was called with."""
    return str(eventually(lambda: Path(f"{file}.told").exists() and Path(f"{file}.told").read_text()))


def pid_of(file: Path) -> int:
    return int(eventually(lambda: Path(f"{file}.pid").exists() and Path(f"{file}.pid").read_text().strip()))


class Watched:
    """A tunnel that runs in the background, and every state that it told."""

    def __init__(self, folder: Path, wanted: Tunnel = Tunnel.AUTO) -> None:
        self.states: list[TunnelState] = []
        self.slept: list[float] = []
        self._changed = asyncio.Event()
        self.tunnel = TunnelProcess(wanted, 8787, self._told, which=finder(folder), sleep=self._sleep)
        self.task = asyncio.create_task(self.tunnel.run())

    def _told(self, state: TunnelState) -> None:
        self.states.append(state)
        self._changed.set()

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    async def until(self, what: Callable[[], object]) -> None:
        async with asyncio.timeout(60):
            while not what():
                self._changed.clear()
                await self._changed.wait()

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@pytest.mark.parametrize("tunnel", list(SAYS))
async def test_its_address_is_read_from_what_it_says_and_it_ends_with_us(tunnel: Tunnel, tmp_path: Path) -> None:
    said, url = SAYS[tunnel]
    file = stand_in(tmp_path, KINDS[tunnel].program, said + STAYS)
    it = Watched(tmp_path, tunnel)
    await it.until(lambda: it.tunnel.state.url)
    assert it.states == [
        TunnelState(words=f"{tunnel.value} is starting"), TunnelState(words=f"{tunnel.value} is up", url=url)
    ]  # fmt: skip
    assert "8787" in await asyncio.to_thread(told_by, file)
    pid = await asyncio.to_thread(pid_of, file)
    assert is_alive(pid)
    await it.stop()
    assert not is_alive(pid)


async def test_one_that_ends_is_begun_again_later_and_later(tmp_path: Path) -> None:
    error = (
        'echo "2026-11-29T08:00:00Z ERR failed to request quick Tunnel: https://api.trycloudflare.com" >&2\nexit 1\n'
    )
    stand_in(tmp_path, "cloudflared", error)
    it = Watched(tmp_path)
    await it.until(lambda: len(it.slept) >= 8)
    await it.stop()
    assert it.slept[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert it.states[1].words == (
        "cloudflared ended (failed to request quick Tunnel: https://api.trycloudflare.com); begun again in 1 s"
    )
    assert [state.url for state in it.states if state.url] == []


async def test_one_that_cannot_be_asked_to_end_is_made_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exengine.webhook.tunnel_process.END_S", 0.3)
    file = stand_in(
        tmp_path, "ngrok", "trap '' TERM INT\n" + NGROK + 'echo $$ > "$0.pid"\nwhile true; do sleep 0.1; done\n'
    )
    it = Watched(tmp_path)
    await it.until(lambda: it.tunnel.state.url)
    pid = await asyncio.to_thread(pid_of, file)
    await it.stop()
    await asyncio.to_thread(eventually, lambda: not is_alive(pid), what="its end")


async def test_without_an_address_it_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exengine.webhook.tunnel_process.ADDRESS_S", 0.3)
    stand_in(tmp_path, "tailscale", 'echo "Funnel is not enabled on your tailnet."\nexec sleep 600\n')
    it = Watched(tmp_path)
    await it.until(lambda: it.slept)
    await it.stop()
    assert "it told no address" in it.states[1].words
    assert "Funnel is not enabled on your tailnet." in it.states[1].words


async def test_where_there_is_none_it_says_so_and_what_to_install(tmp_path: Path) -> None:
    it = Watched(tmp_path)
    await it.until(lambda: it.states)
    assert it.states == [TunnelState(words="there is no tunnel program: install cloudflared, ngrok or tailscale")]
    await it.stop()
    assert missing_words(Tunnel.NGROK) == "ngrok is not installed, or not on the PATH"


def test_auto_takes_the_first_that_is_there(tmp_path: Path) -> None:
    stand_in(tmp_path, "tailscale", "")
    stand_in(tmp_path, "ngrok", "")
    found = found_tunnels(finder(tmp_path))
    assert found == (Tunnel.NGROK, Tunnel.TAILSCALE)
    assert chosen_tunnel(Tunnel.AUTO, found) is Tunnel.NGROK
    assert chosen_tunnel(Tunnel.CLOUDFLARED, found) is None
    assert chosen_tunnel(Tunnel.AUTO, ()) is None


@pytest.mark.parametrize(
    ("tunnel", "line"),
    [
        (Tunnel.CLOUDFLARED, "2026-11-29T08:00:00Z ERR Post https://api.trycloudflare.com/tunnel: no route"),
        (Tunnel.CLOUDFLARED, "https://developers.cloudflare.com/cloudflare-one"),
        (Tunnel.NGROK, '{"msg":"started tunnel","url":"http://ab12.ngrok.app"}'),
        (Tunnel.NGROK, '{"msg":"client session established","url":"https://x.ngrok.app"}'),
        (Tunnel.NGROK, "no json https://x.ngrok.app"),
        (Tunnel.TAILSCALE, "To enable it, visit: https://login.tailscale.com/f/funnel?node=x"),
        (Tunnel.TAILSCALE, "|-- proxy http://127.0.0.1:8787"),
    ],
)
def test_other_addresses_in_what_it_says_are_none_of_ours(tunnel: Tunnel, line: str) -> None:
    assert KINDS[tunnel].url_in(line) is None


async def test_the_program_runs_it_trusts_it_and_gives_its_address_to_the_trader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = stand_in(tmp_path / "bin", "cloudflared", CLOUDFLARED + STAYS)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    async with program(tmp_path, monkeypatch, listener={"port": free_port(), "tunnel": "auto"}) as running:
        async with asyncio.timeout(60):
            while not running.program.public_url:  # noqa: ASYNC110  # told by another process
                await asyncio.sleep(0.02)
        assert running.program.webhook_url.startswith("https://calm-river-1234.trycloudflare.com/webhook/")
        status = running.program._status().listener
        assert status is not None
        assert status.tunnel == "cloudflared is up"
        headers = {"Host": "calm-river-1234.trycloudflare.com", "X-Forwarded-For": "52.89.214.238"}
        root = running.program.listener.url.removesuffix("/webhook")
        assert (await asyncio.to_thread(http, f"{root}/health", None, headers=headers))[0] == 200
        pid = await asyncio.to_thread(pid_of, file)
    assert not is_alive(pid)


def test_the_doctor_says_plainly_when_there_is_none(tmp_path: Path) -> None:
    from tests.helpers.program import environment

    write_config(tmp_path, listener={"tunnel": "ngrok"})
    options = ["--data-dir", tmp_path / "data", "--config", tmp_path / "config.json"]
    told = exengine("doctor", *options, env=environment(PATH=str(tmp_path)))
    assert told.returncode == 1
    assert "FAIL  tunnel: ngrok is not installed, or not on the PATH." in told.stdout
