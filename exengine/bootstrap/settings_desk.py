"""What the settings dialog may ask of the running program: what runs, what a draft would do, and to apply it."""

from collections.abc import Callable, Collection
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from exengine.bootstrap.applying import Applied
from exengine.domain.instrument import Side
from exengine.domain.ladder_preview import LadderPreview, ladder_preview
from exengine.domain.state import Quote
from exengine.settings.consequences import Consequence, consequences
from exengine.settings.follow import DiskEdit
from exengine.settings.local_timezone import local_timezone
from exengine.settings.pages import Config
from exengine.settings.plain import trading_settings

if TYPE_CHECKING:
    from exengine.bootstrap.program import Program


class SettingsDesk:
    """Reads the state and changes nothing but by `apply`."""

    def __init__(self, program: "Program") -> None:
        self._program = program
        self._timezone = local_timezone()

    @property
    def config(self) -> Config:
        """What runs."""
        return self._program.config

    @property
    def config_file(self) -> Path:
        return self._program.config_file

    @property
    def edit(self) -> DiskEdit | None:
        """The file on the disk, where it is not what runs."""
        return self._program.file_watch.edit

    def accounts(self, config: Config) -> tuple[str, ...]:
        """The names of a draft's enabled accounts."""
        return tuple(page.name for page in config.effective_accounts() if page.enabled)

    def symbols(self, account: str) -> tuple[str, ...]:
        """What an account lists, Bitcoin first; nothing while that is not loaded."""
        listed = (symbol for name, symbol in self._program.state.instruments if name == account)
        return tuple(sorted(listed, key=lambda symbol: (not symbol.startswith("BTC/"), symbol)))

    def last(self, account: str, symbol: str) -> Quote | None:
        return self._program.state.quotes.get((account, symbol))

    def ladder(
        self,
        config: Config,
        account: str,
        symbol: str,
        side: Side,
        timeframe: str = "15m",
        price: Decimal | None = None,
    ) -> LadderPreview | None:
        """The ladder that a draft would lay; None where the account or a price of the symbol is not there."""
        settings = trading_settings(config, local_timezone=self._timezone)
        state = self._program.state
        return ladder_preview(
            settings, state, account=account, symbol=symbol, side=side, timeframe=timeframe, price=price
        )

    def consequences(self, config: Config, ladder: LadderPreview | None = None) -> tuple[Consequence, ...]:
        """What applying a draft would change, in words; nothing where it would change nothing."""
        program = self._program
        return consequences(program.config, config, program.state, program.clock.now_ms(), ladder)

    async def apply(self, config: Config, *, anew: Collection[str] = ()) -> Applied:
        """Has a draft take effect; accounts `anew` have other keys, and are connected again.

        Raises ConfigError where it is refused, UserError where it was put back, NotAllowed where nothing may be
        changed in the window at the moment.
        """
        access = self._program.access
        if access is not None:
            access.require_settings(self._program.config, config)
        return await self._program.apply(config, anew=anew)

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Calls back when another configuration is in effect, or the file was edited; the result ends that."""
        return self._program.subscribe(callback)
