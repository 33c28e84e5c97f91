"""The desktop program behind its opening. The window and the engine share one thread and one loop."""

import argparse
import asyncio
import signal
from collections.abc import Callable
from dataclasses import replace

from exengine.bootstrap.account_desk import AccountDesk
from exengine.bootstrap.program import Program
from exengine.bootstrap.status import mode_of, venue_of
from exengine.cli.guarded import Guarded, access_to, ask_for_vault
from exengine.cli.options import folders, given
from exengine.domain.alert_text import AlertTemplate, alert_body, alert_text
from exengine.domain.errors import UserError
from exengine.domain.routing import tv_exchange_of
from exengine.domain.settings import AccountSettings, SlippageAction
from exengine.engine.desk import Desk
from exengine.engine.rows import Mode
from exengine.settings.autostart import autostart
from exengine.store.lock import AlreadyRuns
from exengine.ui.autostart_entry import AutostartEntry
from exengine.ui.bridge import Bridge
from exengine.ui.first_run import offer_first_run
from exengine.ui.layout import LayoutStore
from exengine.ui.look_memory import LookMemory
from exengine.ui.opening import Opening
from exengine.ui.performance_feed import Source
from exengine.ui.replay_entry import ReplayEntry
from exengine.ui.settings_entry import SettingsEntry
from exengine.ui.setup import AccountLabel, Setup
from exengine.ui.start_fault import tell_start_fault
from exengine.ui.theme import Look, Scheme
from exengine.ui.tunnel_entry import TunnelEntry
from exengine.ui.tunnel_sheet import WayInDesk
from exengine.ui.window import Window
from exengine.ui.window_faults import faults_told
from exengine.webhook.tunnel import found_tunnels

MASK = "••••••••••••"


async def show_desktop(look: Look, options: argparse.Namespace, opening: Opening) -> int:
    """Starts the program behind the opening, then shows the window until the trader closes it. Raises UserError."""
    try:
        program = Program(*folders(options))
    except UserError as error:
        await _tell(opening, error)
        raise
    is_first = not program.config_file.exists()
    try:
        await ask_for_vault(look, program)
        await program.start()
    except AlreadyRuns as error:
        opening.done()
        from exengine.cli.look_only import look_only

        return await look_only(look, program, error)
    except UserError as error:
        await _tell(opening, error)
        raise
    _show_look(look, program)
    access = await access_to(program)
    desk = Desk(program.engine, program.clock, program.past, require=access.require)
    bridge = Bridge(program.views, desk, flush_ms=program.config.ui.refresh_ms)
    closed = asyncio.Event()

    async def close() -> None:
        await program.stop()
        closed.set()

    memory = LookMemory(look, program.config_file, locked=lambda: bool(access.why_not))
    source = Source(history=program.history, timezone=program.settings.timezone, log=program.log_pages)
    layouts = LayoutStore(program.data_dir.layout_file)
    window = Window(look, bridge, setup_of(program), layouts, on_close=close, source=source)
    window.show_times(program.config.ui.time.value, program.settings.timezone)
    show_applied(program, look, bridge, window)
    accounts = AccountDesk(program)
    settings = SettingsEntry(window, program.settings_desk, accounts)
    replays = ReplayEntry(window, program.replay_desk, settings)
    TunnelEntry(window, way_in_of(program))
    AutostartEntry(window, autostart(given(options)), why_not=lambda: access.why_not)
    guarded = Guarded(program, look, window, access)
    offer_first_run(window, program.settings_desk, accounts, is_first=is_first)
    _stop_on_signals(window.stop)
    guarded.guard.show()
    opening.done()
    async with faults_told(program.engine.note):
        await closed.wait()
    await replays.close()
    await memory.saved()
    bridge.close()
    window.hide()
    return 0


async def _tell(opening: Opening, error: UserError) -> None:
    opening.done()
    await tell_start_fault(error)


def show_applied(program: Program, look: Look, bridge: Bridge, window: Window) -> None:
    """Has the window show from now on what an apply changes besides the rows: look, dialogs' texts, addresses."""

    def applied() -> None:
        _show_look(look, program)
        bridge.set_flush_ms(program.config.ui.refresh_ms)
        why_not = "" if program.access is None else program.access.why_not
        window.show_setup(replace(setup_of(program), read_only=why_not))
        window.show_times(program.config.ui.time.value, program.settings.timezone)

    program.subscribe(applied)


def way_in_of(program: Program) -> WayInDesk:
    """What the window is told and may ask of the tunnel."""
    return WayInDesk(
        settings=program.settings_desk,
        listener=lambda: program.listener_status,
        installed=lambda: tuple(tunnel.value for tunnel in found_tunnels()),
    )


def _show_look(look: Look, program: Program) -> None:
    """The look as the configuration has it."""
    page = program.config.ui
    wanted = (Scheme(page.theme.value), page.pnl_palette.value.replace("_", "/"), page.font_size)
    if wanted != (look.scheme, look.pnl_palette, look.font_size):
        scheme, palette, size = wanted
        look.choose(scheme=scheme, pnl_palette=palette, font_size=size)


def _stop_on_signals(stop: Callable[[], None]) -> None:
    """SIGTERM and Ctrl-C begin the staged shutdown, without a question. Qt's timers let Python see them."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop())


def setup_of(program: Program) -> Setup:
    """What the window is told besides the rows."""
    settings, secrets = program.settings, program.secrets
    labels = tuple(_label(program, one) for one in settings.accounts if one.enabled)
    url = program.webhook_url
    return Setup(
        accounts=labels,
        webhook_url=url,
        webhook_url_masked=url.replace(secrets.token, MASK),
        alert_text=alert_text(alert_body(AlertTemplate.STRATEGY, secret=secrets.secret)),
        alert_text_masked=alert_text(alert_body(AlertTemplate.STRATEGY, secret=MASK)),
        is_public=bool(program.public_url),
        test_symbols=next((label.symbols for label in labels if label.mode is not Mode.LIVE), ()),
        test_legs=len(settings.grid.legs),
        test_pyramids=settings.grid.max_pyramids,
        test_amount=settings.sizing.amount,
        slippage_percent=settings.execution.max_slippage_percent,
        slippage_forced=settings.execution.slippage_action is SlippageAction.FORCE,
        timezone=settings.timezone,
    )


def _label(program: Program, account: AccountSettings) -> AccountLabel:
    listed = [symbol for name, symbol in program.state.instruments if name == account.name]
    return AccountLabel(
        name=account.name,
        venue=venue_of(account),
        mode=mode_of(account),
        tv_exchange=tv_exchange_of(program.settings, account),
        symbols=tuple(sorted(listed, key=lambda symbol: (not symbol.startswith("BTC/"), symbol))),
    )
