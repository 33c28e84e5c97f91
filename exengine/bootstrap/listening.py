"""The listener as the configuration wants it, and whether it can be reached from where TradingView is."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from exengine.domain.journal import Category, Severity
from exengine.settings.pages import Config
from exengine.settings.program_pages import TunnelProgram
from exengine.webhook.auth import WebhookAuth
from exengine.webhook.exposure import Exposure, warnings_of
from exengine.webhook.listener import ListenerSettings
from exengine.webhook.public import Reach, SelfTest, self_test

log = logging.getLogger(__name__)

LOOK_S = 300.0
"""How often the way round is tried while it is well."""
LOOK_AGAIN_S = 30.0
"""And while it is not."""

LOOPBACK = ("127.0.0.1", "::1")

Note = Callable[[Severity, Category, str, str], object]


def listener_settings(config: Config) -> ListenerSettings:
    """`listener` and `security.webhook_auth` of the configuration, as the listener takes them."""
    page = config.listener
    return ListenerSettings(
        host=page.host,
        port=page.port,
        trusted_proxies=(*page.trusted_proxies, *(LOOPBACK if has_own_tunnel(config) else ())),
        allowed_sources=page.allowed_sources,
        allowed_hosts=page.allowed_hosts,
        public_url=page.public_url,
        rate_per_minute=page.rate_per_minute,
        burst=page.burst,
        webhook_auth=WebhookAuth(config.security.webhook_auth.value),
        tls=(Path(page.tls_certificate), Path(page.tls_key)) if page.tls_certificate else None,
    )


def has_own_tunnel(config: Config) -> bool:
    """Whether ExEngine runs a tunnel itself: what comes from this machine then is taken for what it brings."""
    return config.listener.tunnel is not TunnelProgram.OFF


def exposure_of(config: Config) -> Exposure:
    """Where the listener stands in the network, by the configuration."""
    page = config.listener
    return Exposure(
        host=page.host,
        public_url=page.public_url,
        trusted_proxies=page.trusted_proxies,
        allowed_sources=page.allowed_sources,
        has_tls=bool(page.tls_certificate),
        has_own_tunnel=has_own_tunnel(config),
    )


def warn_of_exposure(config: Config) -> None:
    """Writes into the log what the trader should know of the listener's settings."""
    for text in warnings_of(exposure_of(config)):
        log.warning("webhook: %s", text)


class PublicAddress:
    """Tries the way round by the public address again and again, and tells where that changes."""

    def __init__(
        self, url: Callable[[], str], has_seen: Callable[[str], bool], note: Note, *, look_s: float = LOOK_S
    ) -> None:
        """`url` is the public address of the moment, empty where there is none; `has_seen` is the listener's."""
        self._url = url
        self._has_seen = has_seen
        self._note = note
        self._look_s = look_s
        self._woken = asyncio.Event()
        self.found: SelfTest | None = None
        """What the last try came to; None before the first, and where there is no public address."""

    async def run(self) -> None:
        while True:
            await self.look()
            is_well = self.found is None or self.found.reach is Reach.REACHED
            self._woken.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._look_s if is_well else min(self._look_s, LOOK_AGAIN_S)):
                    await self._woken.wait()

    def wake(self) -> None:
        """Has it tried again now: the address is another one."""
        self._woken.set()

    async def look(self) -> SelfTest | None:
        """Tries it now."""
        url, before = self._url(), self.found
        self.found = await self_test(url, has_seen=self._has_seen) if url else None
        if self.found is not None and (before is None or before.reach is not self.found.reach):
            self._tell(self.found)
        return self.found

    def _tell(self, found: SelfTest) -> None:
        if found.reach is Reach.REACHED:
            self._note(Severity.INFO, Category.SYSTEM, f"The public address is {found.text}.", "")
            return
        text = f"The public address is not TradingView’s way in: {found.text}."
        self._note(Severity.WARNING, Category.SYSTEM, text, "Open positions are looked after; no alert can come in.")
