"""What all parts of the settings dialog share: the draft, who hears of its changes, and whether it may be changed."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Protocol

from PySide6.QtCore import QObject, Signal

from exengine.domain.instrument import Side
from exengine.domain.ladder_preview import LadderPreview
from exengine.domain.state import Quote
from exengine.settings.consequences import Consequence
from exengine.settings.draft import Draft
from exengine.settings.fields import Location
from exengine.settings.follow import DiskEdit
from exengine.settings.pages import Config
from exengine.settings.problems import Problem


class Applied(Protocol):
    """What became of an apply that succeeded."""

    @property
    def at_next_start(self) -> tuple[str, ...]:
        """The paths of settings that need a real restart."""
        ...


class SettingsDesk(Protocol):
    """The running program, as far as its configuration is concerned."""

    @property
    def config(self) -> Config: ...

    @property
    def config_file(self) -> Path: ...

    @property
    def edit(self) -> DiskEdit | None:
        """The file on the disk, where it is not what runs."""
        ...

    def accounts(self, config: Config) -> tuple[str, ...]: ...

    def symbols(self, account: str) -> tuple[str, ...]: ...

    def last(self, account: str, symbol: str) -> Quote | None: ...

    def ladder(self, config: Config, account: str, symbol: str, side: Side) -> LadderPreview | None: ...

    def consequences(self, config: Config, ladder: LadderPreview | None = None) -> tuple[Consequence, ...]: ...

    async def apply(self, config: Config, *, anew: Collection[str] = ()) -> Applied:
        """Raises ConfigError where it is refused, UserError where it was put back. `anew` have other keys."""
        ...

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]: ...


class Editing(QObject):
    """The draft, for the widgets: whoever changes it does so here, and all of them look at it again."""

    changed = Signal()

    def __init__(self, running: Config, *, locked: str = "") -> None:
        """`locked` is why nothing may be changed, in words; empty where it may."""
        super().__init__()
        self.draft = Draft(running)
        self.locked = locked

    def put(self, place: Location, value: Any) -> None:
        self.draft.put(place, value)
        self.changed.emit()

    def remove(self, place: Location) -> None:
        self.draft.remove(place)
        self.changed.emit()

    def insert(self, place: Location, index: int, value: Any) -> None:
        self.draft.insert(place, index, value)
        self.changed.emit()

    def move(self, place: Location, from_index: int, to_index: int) -> None:
        self.draft.move(place, from_index, to_index)
        self.changed.emit()

    def reset(self, section: str) -> None:
        self.draft.reset(section)
        self.changed.emit()

    def take(self, config: Config) -> None:
        self.draft.take(config)
        self.changed.emit()

    def refuse(self, problems: tuple[Problem, ...]) -> None:
        """Shows what the engine had against the draft, until it is changed."""
        self.draft.problems = problems
        self.changed.emit()

    def lock(self, why: str) -> None:
        """Says that nothing may be changed any more, or with an empty text that it may."""
        if why != self.locked:
            self.locked = why
            self.changed.emit()
