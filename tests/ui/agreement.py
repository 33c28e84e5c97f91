"""What the window shows, laid beside what the store has: the store is read anew, as a start would read it."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from exengine.bootstrap.program import Program
from exengine.domain import money
from exengine.domain.state import State
from exengine.engine.capital_rows import OpenEntries, exposures
from exengine.engine.changes import restored
from exengine.engine.condensed import summed
from exengine.engine.panel_rows import ACCOUNT_AWAY, GROUP_STOPPED
from exengine.engine.row_builder import group_row
from exengine.settings.file import read
from exengine.ui.layout import LayoutStore
from exengine.ui.window import Window

MOST = 500

AWAITED = (ACCOUNT_AWAY, GROUP_STOPPED)


class Agreement:
    """The differences between a window and the store of its program, by part of the window."""

    def __init__(self, window: Window, program: Program, layout_file: Path) -> None:
        self._window, self._program, self._layout_file = window, program, layout_file
        self.compared: set[str] = set()
        """The parts that were laid beside the store at some time: a dock that nobody looks at is not computed."""

    async def stored(self) -> State:
        """The state that a start would make of the store as it is on the disk now."""
        loaded = await self._program._store.load()
        state = State(instance=loaded.instance, settings=self._program.settings)
        restored(state, loaded)
        return state

    async def differences(self) -> list[str]:
        """What the window shows otherwise than the store has it; empty where all is the same."""
        state, found = await self.stored(), []
        parts: dict[str, Callable[[State], dict[str, tuple[object, object]]]] = {
            "positions": self._positions, "ribbon": self._ribbon, "queue": self._queue, "risk": self._risk,
            "capital": self._capital, "look": self._look,
        }  # fmt: skip
        with money.arithmetic():
            told = {name: part(state) for name, part in parts.items()}
        told["streams"] = await self._streams()
        told["closed"] = await self._closed(state)
        for name, pairs in told.items():
            self.compared |= {name} if pairs else set()
            for what, (shown, kept) in pairs.items():
                found.extend(f"{name}: {line}" for line in unlike(shown, kept, what))
        return found

    def _positions(self, state: State) -> dict[str, tuple[object, object]]:
        model = self._window.positions.model
        tops = [model.group_at(model.index(place, 0)) for place in range(model.rowCount())]
        shown = {group.id: group for group in tops if group is not None}
        return {"groups": (shown, {group.id: group_row(state, group) for group in state.groups.values()})}

    def _ribbon(self, state: State) -> dict[str, tuple[object, object]]:
        ribbon, engine = self._window.ribbon, self._window.book.engine
        assert engine is not None
        limit = state.settings.pool.max_open_groups
        return {
            "pool": (ribbon.pool.text(), f"{len(state.groups)} / {limit}"),
            "full": (ribbon.full.isVisible(), len(state.groups) >= limit),
            "queued": (ribbon.queued.text(), str(len(state.waiting))),
            "realised": (engine.realised_total, state.ledger.realised_total),
            "today": (engine.realised_today, state.ledger.realised_today),
            "paused": (ribbon.pause.text() == "Resume", state.control.paused),
        }

    def _queue(self, state: State) -> dict[str, tuple[object, object]]:
        dock = self._window.queue
        if not dock.is_seen:
            return {}
        # Stored is how it was turned away; the window says what really keeps it.
        reasons = {row.key: "paused" if row.reason in AWAITED else row.reason for row in dock.model.rows()}
        shown = {
            row.key: (reasons[row.key], row.price, row.replacements, row.queued_at_ms) for row in dock.model.rows()
        }
        kept = {
            f"{one.key}|{one.side.value}": (one.reason, one.signal.price, one.replacement_count, one.queued_at_ms)
            for one in state.waiting.values()
        }
        return {"waiting": (shown, kept)}

    def _risk(self, state: State) -> dict[str, tuple[object, object]]:
        dock = self._window.risk
        if not dock.is_seen:
            return {}
        shown = {row.id: (row.blocked, row.skip_once) for row in dock.model.rows()}
        return {"groups": (shown, {group.id: (group.blocked, group.skip_once) for group in state.groups.values()})}

    def _capital(self, state: State) -> dict[str, tuple[object, object]]:
        dock = self._window.capital
        if not dock.is_seen:
            return {}
        sums = {group.id: summed(group) for group in state.groups.values()}
        kept, _ = exposures(state, sums, OpenEntries().of(state))
        return {"pairs": ({row.symbol: row for row in dock.model.rows()}, kept)}

    async def _streams(self) -> dict[str, tuple[object, object]]:
        window, store = self._window, self._program._store
        signals, log = await store.last_signals(MOST), await store.last_log(MOST)
        offsets = [replace(row, id=0) for row in await store.last_offsets(MOST)]
        pairs: dict[str, tuple[object, object]] = {
            "signals": (_rows(window.signals.model), {row.id: row for row in signals}),
            "log": (_rows(window.log.model), {row.id: row for row in log}),
        }
        if window.risk.is_seen:
            shown = sorted((replace(row, id=0) for row in window.risk.history.rows()), key=lambda row: row.at_ms)
            pairs["offsets"] = (shown, offsets)
        return pairs

    async def _closed(self, state: State) -> dict[str, tuple[object, object]]:
        """How many have closed, and what that came to, in the ribbon's row and in the figures."""
        engine, dock, closed = (
            self._window.book.engine,
            self._window.performance,
            await self._program._store.closed_groups(),
        )
        pairs: dict[str, tuple[object, object]] = {"groups": (engine.closed_groups if engine else None, closed)}
        if dock is not None and dock.is_looked_at and dock.report is not None:
            pairs["figures"] = (dock.report.figures.closed, closed)
            pairs["realised"] = (round(dock.report.realised.all, 9), round(state.ledger.realised_total, 9))
            self.compared.add("performance")
        return pairs

    def _look(self, _: State) -> dict[str, tuple[object, object]]:
        """The look is kept in the configuration, the layouts in a file of their own."""
        page, look, own = read(self._program.config_file).ui, self._window.look, self._window.own_layouts
        kept = LayoutStore(self._layout_file)
        names = [(kept.texts(f"layouts/{number}/name") or [""])[0] for number in kept.integers("layouts/numbers")]
        current = own.current.number if own.current is not None else 0
        return {
            "theme": (look.scheme.value, page.theme.value),
            "layouts": ([one.name for one in own.all], names),
            "current": (current, kept.integer("layouts/current", 0)),
        }


def _rows(model: Any) -> dict[int, Any]:
    shown = [model.row_at(model.index(place, 0)) for place in range(model.rowCount())]
    return {row.id: row for row in shown}


def unlike(shown: Any, kept: Any, where: str = "") -> list[str]:
    """Where two rows differ, field by field."""
    if is_dataclass(shown) and type(shown) is type(kept):
        pairs = [(one.name, getattr(shown, one.name), getattr(kept, one.name)) for one in fields(shown)]
    elif isinstance(shown, dict) and isinstance(kept, dict):
        pairs = [(str(key), shown.get(key), kept.get(key)) for key in sorted({*shown, *kept}, key=str)]
    elif isinstance(shown, tuple | list) and type(shown) is type(kept) and len(shown) == len(kept):
        pairs = [(str(place), *pair) for place, pair in enumerate(zip(shown, kept, strict=True))]
    else:
        return [] if shown == kept else [f"{where}: shown {shown}, stored {kept}"]
    return [line for name, one, other in pairs for line in unlike(one, other, f"{where}.{name}".lstrip("."))]
