"""The actions of the window itself; those of dialogs and of docks that come later are added where they are at home."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction

from exengine.domain.events import QueueAction
from exengine.ui import format as fmt
from exengine.ui import risk_words, words
from exengine.ui.actions import GO_TO, Action, Found
from exengine.ui.alert_form import LIVE_REASON
from exengine.ui.arrangement import STOCK
from exengine.ui.positions_deeds import ICONS, Deed, text_of, why_not
from exengine.ui.queue_model import name_of
from exengine.ui.theme import Scheme

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exengine.ui.dock import Dock
    from exengine.ui.queue_dock import QueueDock
    from exengine.ui.theme import Look
    from exengine.ui.window import Window

FONT_SIZES = (8, 9, 10, 11, 12, 13, 14, 16, 18, 20)
PALETTE_KEY = "Ctrl+Shift+P"


def add_actions(window: Window) -> None:
    """Fills a window's registry."""
    for add in (_window, _docks, _layouts, _looks, _engine, _queue, _risk, _positions, _tools):
        add(window)
    window.registry.sources.append(partial(_pairs, window))


def _window(window: Window) -> None:
    add = window.registry.add
    add(
        Action(
            id="quit", text="&Quit", call=window.leaving.ask_quit, menu="File", group="quit", key="Ctrl+Q",
            role=QAction.MenuRole.QuitRole, words="exit stop",
        )
    )  # fmt: skip
    add(
        Action(
            id="palette", text="Commands…", call=window.finder.open, menu="View", group="keyboard", key=PALETTE_KEY,
            icon="search", words="find palette",
        )
    )  # fmt: skip
    about = window.clicks.show_about
    add(
        Action(
            id="about", text="About ExEngine", call=about, menu="Help", group="about",
            role=QAction.MenuRole.AboutRole, words="version licence",
        )
    )  # fmt: skip


def _docks(window: Window) -> None:
    registry = window.registry
    for place, dock in enumerate(window.docks, 1):
        name, title = dock.objectName(), dock.accessibleName()
        registry.know_place(name, dock)
        made = registry.add(
            Action(
                id=f"show_{name}", text=title, call=partial(_switch, dock), menu="View", group="docks",
                checked=dock.toggleViewAction().isChecked, words="show hide dock",
            )
        )  # fmt: skip
        # Not the dock's own action: that one changes its words with the tab's.
        dock.toggleViewAction().toggled.connect(made.setChecked)
        registry.add(
            Action(
                id=f"{GO_TO}{name}", text=f"Go to {title}", call=partial(window.go_to, dock), key=f"Alt+{place}",
                words="dock focus",
            )
        )  # fmt: skip
    for name, text, key, step in (("next", "Next dock", "F6", 1), ("previous", "Previous dock", "Shift+F6", -1)):
        registry.add(
            Action(
                id=f"{name}_dock", text=text, call=partial(window.focus_next_dock, step), menu="View",
                group="keyboard", key=key,
            )
        )  # fmt: skip


def _switch(dock: Dock) -> None:
    shown = not dock.toggleViewAction().isChecked()
    dock.setVisible(shown)
    if shown:
        dock.raise_()


def _layouts(window: Window) -> None:
    for name, stock in STOCK.items():
        window.registry.add(
            Action(
                id=f"layout_{name}", text=f"{stock.title} layout", call=partial(window.put_layout, name),
                menu="View", group="layouts", key=stock.key,
            )
        )  # fmt: skip
    window.registry.add(
        Action(id="reset_layout", text="Reset layout", call=window.reset_layout, menu="View", group="layout")
    )


def _looks(window: Window) -> None:
    look, add = window.look, window.registry.add
    for scheme in Scheme:
        add(
            Action(
                id=f"theme_{scheme.value}", text=scheme.value.capitalize(), menu="View/Theme", group="choices",
                call=partial(look.choose, scheme=scheme), checked=partial(_has, look, "scheme", scheme),
                one_of=True, words="theme colours",
            )
        )  # fmt: skip
    for palette in look.tokens.pnl_palettes:
        add(
            Action(
                id=f"pnl_{palette}", text=palette.capitalize(), menu="View/Profit and loss colours", group="choices",
                call=partial(look.choose, pnl_palette=palette), one_of=True, words="profit loss colours palette",
                checked=partial(_has, look, "pnl_palette", palette),
            )
        )  # fmt: skip
    for size in FONT_SIZES:
        add(
            Action(
                id=f"font_{size}", text=str(size), menu="View/Font size", group="choices", one_of=True,
                call=partial(look.choose, font_size=size), checked=partial(_has, look, "font_size", size),
                words="font size text",
            )
        )  # fmt: skip


def _has(look: Look, what: str, value: object) -> bool:
    return bool(getattr(look, what) == value)


def _engine(window: Window) -> None:
    book, ribbon, add = window.book, window.ribbon, window.registry.add

    def paused() -> bool:
        return book.engine is not None and book.engine.paused

    def starting() -> str:
        return words.STARTING if book.engine is None else ""

    add(
        Action(
            id="pause", text=lambda: "Resume" if paused() else "Pause", call=ribbon.pause.click, menu="Engine",
            group="state", key="Ctrl+Shift+E", icon=lambda: "run" if paused() else "pause", why_not=starting, acts=True,
            trades=True, words="engine stop go on pause resume",
        )
    )  # fmt: skip
    add(
        Action(
            id="panic", text="Panic…", call=window.clicks.ask_panic, menu="Engine", group="panic", key="Ctrl+Shift+X",
            icon="panic", token="error", why_not=starting, acts=True, trades=True,
            words="close all groups cancel everything entries only emergency",
        )
    )  # fmt: skip


def _queue(window: Window) -> None:
    dock = window.queue
    for action, name, icon, key, text in (
        (QueueAction.PROMOTE, "promote_entry", "promote", "Ctrl+Up", "Promote {}"),
        (QueueAction.FORCE, "force_entry", "force", "Ctrl+Shift+Up", "Force {}…"),
        (QueueAction.REMOVE, "remove_entry", "close", "Ctrl+Del", "Remove {} from the queue"),
    ):

        def say(text: str = text) -> str:
            waiting = dock.current
            return text.format(name_of(waiting) if waiting is not None else "waiting entry")

        window.registry.add(
            Action(
                id=name, text=say, call=partial(dock.ask, action), menu="Engine", group="queue", key=key,
                where="queue", icon=icon, acts=True, trades=True, words="queue",
                why_not=partial(_why_not_queue, dock, action),
            )
        )  # fmt: skip


def _why_not_queue(dock: QueueDock, action: QueueAction) -> str:
    return dock.why_not(action, dock.current)


def _risk(window: Window) -> None:
    dock = window.risk

    def name(otherwise: str) -> str:
        return risk_words.name_of(dock.current) if dock.current is not None else otherwise

    def run() -> str:
        return f"Run the plan of {name('')} now…" if dock.current is not None else "Run the risk engine now…"

    def block() -> str:
        blocked = dock.current is not None and dock.current.blocked
        return f"{'Unblock' if blocked else 'Block'} {name('group')}"

    for made in (
        Action(
            id="run_risk", text=run, call=dock.ask_run, icon="run", key="Ctrl+R", trades=True,
            why_not=lambda: dock.why_not_run(dock.current), menu="Engine", group="risk", where="risk", acts=True,
            words="risk engine offset",
        ),
        Action(
            id="skip_group", text=lambda: f"Skip {name('group')} once", call=dock.ask_skip, icon="skip", key="Ctrl+K",
            why_not=lambda: dock.why_not_skip(dock.current), menu="Engine", group="risk", where="risk", acts=True,
            words="risk engine",
        ),
        Action(
            id="block_group", text=block, call=dock.ask_block, icon="block", key="Ctrl+B",
            why_not=lambda: "" if dock.current is not None else "Choose a group in Risk", menu="Engine", group="risk",
            where="risk", acts=True, words="risk engine",
        ),
    ):  # fmt: skip
        window.registry.add(made)


_ID = {Deed.BLOCK: "block_position"}
"""The Risk dock blocks a group as well, under the plain name."""
_KEYS = {
    Deed.CLOSE: "Ctrl+Shift+Del", Deed.PART: "Ctrl+Shift+C", Deed.CANCEL: "Ctrl+Del", Deed.STOP: "Ctrl+Shift+S",
    Deed.LOG: "Ctrl+L",
}  # fmt: skip
"""They work while the keyboard is in Positions."""
_WORDS = {
    Deed.CLOSE: "sell buy back market exit", Deed.PART: "partial sell share per cent", Deed.CANCEL: "orders legs",
    Deed.STOP: "loss price", Deed.AGAIN: "rejected order retry", Deed.BLOCK: "unblock risk engine",
    Deed.ADOPT: "missing coins difference settle", Deed.LOG: "lines history audit",
}  # fmt: skip


def _positions(window: Window) -> None:
    dock, add = window.positions, window.registry.add

    def ask(deed: Deed) -> None:
        dock.ask(deed, dock.current_group)

    def text(deed: Deed) -> str:
        return text_of(deed, dock.current_group)

    def why_off(deed: Deed) -> str:
        return why_not(deed, dock.current_group)

    for deed, searched in _WORDS.items():
        key, acts = _KEYS.get(deed, ""), deed is not Deed.LOG
        add(
            Action(
                id=_ID.get(deed, deed.value), text=partial(text, deed), call=partial(ask, deed), menu="Positions",
                group="group", key=key, where="positions" if key else "", icon=ICONS[deed][0], token=ICONS[deed][1],
                trades=acts, acts=acts, why_not=partial(why_off, deed), words=searched,
            )
        )  # fmt: skip
    for made in (
        Action(
            id="copy_rows", text="Copy rows", call=dock.table.copy, icon="copy", menu="Positions", group="copy",
            why_not=lambda: why_not(Deed.COPY, dock.current_group), words="clipboard",
        ),
        Action(
            id="expand_all", text="Expand all", call=dock.table.expandAll, menu="Positions", group="tree",
            key="Ctrl+Shift+Right", where="positions",
        ),
        Action(
            id="collapse_all", text="Collapse all", call=dock.table.collapseAll, menu="Positions", group="tree",
            key="Ctrl+Shift+Left", where="positions",
        ),
    ):  # fmt: skip
        add(made)


def _tools(window: Window) -> None:
    book, clicks, add = window.book, window.clicks, window.registry.add

    def why_no_test() -> str:
        if book.engine is None:
            return words.STARTING
        return "" if clicks.setup.harmless else LIVE_REASON

    add(
        Action(
            id="send_test_alert", text="Send test alert…", call=clicks.ask_test_alert, menu="Tools", group="test",
            key="Ctrl+T", icon="send", why_not=why_no_test, acts=True, trades=True, words="signal webhook tradingview",
        )
    )  # fmt: skip
    add(
        Action(
            id="copy_alert_text", text="Copy alert text", menu="Tools", group="copy", icon="copy", acts=True,
            call=lambda: clicks.copy("Alert text", clicks.setup.alert_text), words="tradingview message json",
        )
    )  # fmt: skip
    add(
        Action(
            id="copy_webhook_url", text="Copy webhook URL", menu="Tools", group="copy", icon="copy", acts=True,
            call=lambda: clicks.copy("Webhook URL", clicks.setup.webhook_url), words="tradingview address token",
        )
    )  # fmt: skip


def _pairs(window: Window) -> Iterator[Found]:
    """Every live group, to be gone to."""
    for group in window.book.groups.values():
        if group.status == "closed":
            continue
        name = f"{fmt.pair(group.symbol)} {group.timeframe}"
        yield Found(name, f"{group.side.value} on {group.account}", partial(window.show_group, group.id))
