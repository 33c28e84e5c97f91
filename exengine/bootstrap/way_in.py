"""The alerts' way in from outside: the tunnel that ExEngine runs where it is asked to, and whether the way is open."""

from collections.abc import Callable

from exengine.bootstrap.listening import Note, PublicAddress
from exengine.bootstrap.stages import stage
from exengine.domain.journal import Category, Severity
from exengine.engine.status import ListenerStatus
from exengine.engine.supervisor import Supervisor
from exengine.settings.pages import Config
from exengine.settings.program_pages import TunnelProgram
from exengine.webhook.listener import Listener
from exengine.webhook.public import Reach, SelfTest
from exengine.webhook.tunnel import Tunnel
from exengine.webhook.tunnel_process import TunnelProcess, TunnelState


class WayIn:
    """Belongs to one running program; `open` begins it, and begins it anew after an apply."""

    def __init__(self, supervisor: Supervisor, note: Note, changed: Callable[[], None]) -> None:
        """`changed` is called where the public address has become another one."""
        self._supervisor, self._note, self._changed = supervisor, note, changed
        self._config: Config | None = None
        self._listener: Listener | None = None
        self._tunnel: TunnelProcess | None = None
        self._public = PublicAddress(lambda: self.url, self._has_seen, note)

    @property
    def url(self) -> str:
        """What TradingView calls: the configured address, else the tunnel's; empty while there is none."""
        if self._config is not None and self._config.listener.public_url:
            return self._config.listener.public_url
        return "" if self._tunnel is None else self._tunnel.state.url

    @property
    def found(self) -> SelfTest | None:
        """What the last call to it came to."""
        return self._public.found

    @property
    def tunnel_words(self) -> str:
        """How it is with the tunnel; empty where ExEngine runs none."""
        return "" if self._tunnel is None else self._tunnel.state.words

    async def open(self, config: Config, listener: Listener) -> None:
        """From now on alerts are to come in at `listener`, as `config` has it."""
        goes_on = self._tunnel is not None and self._config is not None and self._listener is not None
        if goes_on and self._is_same(config, listener):
            listener.reachable_as(self.url)
        else:
            await stage("tunnel", self._supervisor.stop("tunnel"))
            self._tunnel = None
            if config.listener.tunnel is not TunnelProgram.OFF:
                wanted = Tunnel(config.listener.tunnel.value)
                self._tunnel = TunnelProcess(wanted, listener.port, self._on_tunnel)
                self._supervisor.start("tunnel", self._tunnel.run)
        self._config, self._listener = config, listener
        await stage("public address", self._supervisor.stop("public address"))
        self._supervisor.start("public address", self._public.run)

    def _is_same(self, config: Config, listener: Listener) -> bool:
        assert self._config is not None
        assert self._listener is not None
        return config.listener.tunnel is self._config.listener.tunnel and listener.port == self._listener.port

    def _has_seen(self, probe: str) -> bool:
        return self._listener is not None and self._listener.has_seen(probe)

    def _on_tunnel(self, state: TunnelState) -> None:
        if state.url and self._listener is not None:
            self._listener.reachable_as(state.url)
            text = f"The tunnel is up: alerts come in at {state.url}."
            advice = "A quick tunnel has another address at each start: your alerts need the new one then."
            self._note(Severity.INFO, Category.SYSTEM, text, advice if "trycloudflare" in state.url else "")
        elif not state.words.endswith("is starting"):
            self._note(Severity.WARNING, Category.SYSTEM, f"No tunnel: {state.words}.", "No alert can come in by it.")
        self._public.wake()
        self._changed()


def listener_status(url: str | None, way_in: WayIn | None, last_hit_at_ms: int | None) -> ListenerStatus:
    """`url` is where the listener listens, None while it does not; `way_in` None before it was opened."""
    public = None if way_in is None else way_in.found
    return ListenerStatus(
        listening=url is not None,
        address=url or "",
        public_url="" if way_in is None else way_in.url,
        public_state="" if public is None else public.text[0].upper() + public.text[1:],
        is_reached=None if public is None else public.reach is Reach.REACHED,
        tunnel="" if way_in is None else way_in.tunnel_words,
        last_hit_at_ms=last_hit_at_ms,
    )
