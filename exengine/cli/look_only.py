"""`exengine` where another engine has the data: the window, to look at what that one does (SPEC §9)."""

import asyncio

from exengine.bootstrap.program import Program
from exengine.bootstrap.read_only import NoCommands, ReadOnlyProgram
from exengine.bootstrap.status import mode_of, venue_of
from exengine.domain.errors import UserError
from exengine.domain.settings import SlippageAction
from exengine.ui import format as fmt
from exengine.ui.bridge import Bridge
from exengine.ui.layout import LayoutStore
from exengine.ui.performance_feed import Source
from exengine.ui.read_only import offer_read_only
from exengine.ui.setup import AccountLabel, Setup
from exengine.ui.start_fault import tell_start_fault
from exengine.ui.theme import Look, Scheme
from exengine.ui.window import Closing, Window

UNKNOWN = "known to the ExEngine that runs"


async def look_only(look: Look, refused: Program, error: UserError) -> int:
    """Offers it, and shows the window until the trader closes it; 1 where the trader does not want to."""
    if not await offer_read_only(error):
        return 1
    program = ReadOnlyProgram(refused.data_dir, refused.config_file)
    try:
        await program.start()
    except UserError as fault:
        await tell_start_fault(fault)
        raise
    page = program.config.ui
    look.choose(
        scheme=Scheme(page.theme.value),
        pnl_palette=page.pnl_palette.value.replace("_", "/"),
        font_size=page.font_size,
    )
    closed = asyncio.Event()

    async def close() -> None:
        await program.stop()
        closed.set()

    bridge = Bridge(program.feed, NoCommands(error.happened, program.past), flush_ms=page.refresh_ms)
    fmt.show_times(page.time.value, program.settings.timezone)
    window = look_window(look, bridge, program, error.happened, on_close=close)
    window.show()
    await closed.wait()
    bridge.close()
    window.hide()
    return 0


def look_window(look: Look, bridge: Bridge, program: ReadOnlyProgram, why: str, *, on_close: Closing) -> Window:
    """The window on a store that is only looked at."""
    source = Source(history=program.history, timezone=program.settings.timezone, log=program.log_pages)
    layouts = LayoutStore(program.data_dir.layout_file)
    return Window(look, bridge, look_setup(program, why), layouts, on_close=on_close, source=source)


def look_setup(program: ReadOnlyProgram, why: str) -> Setup:
    """What the window is told besides the rows: nothing secret, for it is not asked for."""
    settings = program.settings
    return Setup(
        accounts=tuple(
            AccountLabel(name=one.name, venue=venue_of(one), mode=mode_of(one))
            for one in settings.accounts
            if one.enabled
        ),
        webhook_url=UNKNOWN,
        webhook_url_masked=UNKNOWN,
        alert_text=UNKNOWN,
        alert_text_masked=UNKNOWN,
        is_public=bool(program.config.listener.public_url),
        test_symbols=(),
        test_legs=len(settings.grid.legs),
        test_pyramids=settings.grid.max_pyramids,
        test_amount=settings.sizing.amount,
        slippage_percent=settings.execution.max_slippage_percent,
        slippage_forced=settings.execution.slippage_action is SlippageAction.FORCE,
        read_only=f"{why} What you see is read from its store every few seconds; prices are not.",
    )
