"""What an apply needs before anything is changed: keys, market and port at hand, and nothing in its way (SPEC §9)."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from exengine.bootstrap.accounts import OpenMarket, has_paper, opened_market
from exengine.bootstrap.stages import stage
from exengine.domain.applying import in_the_way
from exengine.domain.errors import UserError
from exengine.domain.settings import AccountSettings, Settings
from exengine.domain.state import State
from exengine.settings.account_keys import AccountKeys, account_keys
from exengine.settings.consequences import market_moves
from exengine.settings.fields import Location
from exengine.settings.pages import Config
from exengine.settings.problems import ConfigError, Problem
from exengine.settings.secret_places import require_place
from exengine.settings.secrets import SecretStore
from exengine.webhook.listener import Listener

if TYPE_CHECKING:
    from exengine.bootstrap.program import Program

_SAFE = "Nothing was changed: all goes on with the configuration before."

_CONNECTED_BY = ("exchange", "market_type", "testnet", "server", "leverage", "margin_mode")
"""What a live account's connection is made of; its fees are only reckoned with."""


def refusals(new: Config, settings: Settings, state: State) -> list[Problem]:
    """Open groups that would lose their account, by the place in the new configuration."""
    places = {page.name: index for index, page in enumerate(new.accounts)}
    problems = []
    for name, groups in in_the_way(state, settings).items():
        named = ", ".join(f"{group.key.symbol} {group.key.timeframe}" for group in groups[:5])
        more = f" and {len(groups) - 5} more" if len(groups) > 5 else ""
        account = settings.account(name)
        field_name = "enabled" if account is not None and not account.enabled else "exchange"
        place: Location = ("accounts", places[name], field_name) if name in places else ("accounts",)
        what = "cannot be switched off" if field_name == "enabled" else "cannot become another one"
        what = what if account is not None else "cannot be removed"
        text = f"{name} {what} while groups are open there: {named}{more}; close them first"
        problems.append(Problem(place=place, message=text))
    return problems


def refused(problems: Sequence[Problem]) -> None:
    """Raises ConfigError where there are any."""
    if problems:
        raise _refusal(*problems)


def _refusal(*problems: Problem) -> ConfigError:
    return ConfigError(
        "This configuration cannot be applied:",
        problems=problems,
        safe=_SAFE,
        remedy="Put it right and apply again.",
    )


@dataclass(slots=True, kw_only=True)
class Ready:
    """All of it at hand; `let_go` where it is not used after all."""

    begins: frozenset[str]
    """Accounts whose exchange is made anew."""
    ends: frozenset[str]
    """Accounts whose exchange is let go of."""
    keys: dict[str, AccountKeys] = field(default_factory=dict)
    moves_market: bool = False
    _market: OpenMarket | None = None
    _program: "Program"
    _listener: Listener | None = None
    """None where it stays as it is."""
    _takes_over: bool = False
    """Whether the new listener answers at the port that is open already."""
    _freed: Listener | None = None
    """The listener before, where it had to let go of its port for the new one."""

    @property
    def touched(self) -> frozenset[str]:
        return self.begins | self.ends

    @classmethod
    async def made(
        cls, program: "Program", new: Config, settings: Settings, anew: frozenset[str], *, everything: bool = False
    ) -> "Ready":
        """Makes ready for `new`; with `everything` each account is connected again. Raises ConfigError by place."""
        there = {exchange.account for exchange in program.accounts.exchanges}
        wanted = {account.name for account in settings.accounts if account.enabled}
        others = _others(program, new, settings) | (wanted if everything else anew & wanted)
        begins = frozenset((wanted - there) | (wanted & others))
        ready = cls(begins=begins, ends=frozenset(there - wanted | (there & begins)), _program=program)
        try:
            await ready._find_keys(new, settings)
            await ready._open_market(new, settings)
            await ready._listen(new)
        except BaseException:
            await ready.let_go()
            raise
        return ready

    async def _find_keys(self, new: Config, settings: Settings) -> None:
        names = [one.name for one in settings.accounts if one.is_live and one.name in self.begins]
        places = {page.name: index for index, page in enumerate(new.accounts)}
        problems = []
        for name in names:
            try:
                self.keys[name] = await asyncio.to_thread(_keys, self._program.stores, name)
            except UserError as error:
                problems.append(_problem(("accounts", places[name], "name"), error))
        refused(problems)
        self._program.keep_out_of_logs(self.keys.values())

    async def _open_market(self, new: Config, settings: Settings) -> None:
        program, accounts = self._program, self._program.accounts
        wants, has = has_paper(settings), accounts.market is not None
        self.moves_market = wants != has or (wants and market_moves(program.config, new))
        if wants and self.moves_market:
            try:
                self._market = await opened_market(new, program.config_file.parent, {}, program.given_market)
            except UserError as error:
                place = ("sim", "recorded" if new.sim.recorded else "market")
                raise _refusal(_problem(place, error)) from error

    def take_market(self) -> OpenMarket | None:
        """The market, that is somebody else's to close from now on."""
        market, self._market = self._market, None
        return market

    async def _listen(self, new: Config) -> None:
        """A listener that hears at the new port already, while the one before still hears at its own."""
        before = self._program.listener
        try:
            after = self._program.listener_for(new)
            if after.settings == before.settings:
                return
            self._takes_over = after.settings.place == before.settings.place
            if not self._takes_over:
                await self._bind(before, after)
        except UserError as error:
            raise _refusal(_problem(("listener", "port"), error)) from error
        self._listener = after

    async def _bind(self, before: Listener, after: Listener) -> None:
        """Where both want the same port, at other addresses, it has to be let go of for a moment."""
        if before.settings.port == after.settings.port:
            await before.stop()
            self._freed = before
        await after.start()

    async def listening(self, before: Listener) -> Listener:
        """The new listener takes the place of the one before; the one that listens from now on."""
        after, self._listener = self._listener, None
        if after is None:
            return before
        after.heard_as(before)
        if self._takes_over:
            after.take_over(before)
        elif self._freed is None:
            await stage("listener before", before.stop())
        self._freed = None
        return after

    async def let_go(self) -> None:
        """Nothing comes of it: what was made ready and not taken is closed."""
        market = self.take_market()
        if market is not None and market.source is not self._program.given_market:
            await stage("market source", market.source.close())
        if self._listener is not None and not self._takes_over:
            await stage("listener", self._listener.stop())
        self._listener = None
        if self._freed is not None:
            await stage("listener before", self._freed.start())


def _others(program: "Program", new: Config, settings: Settings) -> set[str]:
    """Accounts that are there already and whose exchange must be made anew."""
    old = program.config
    paper_differs = old.sim != new.sim
    found = set()
    for account in settings.accounts:
        before = program.settings.account(account.name)
        if before is None:
            continue
        if account.is_live and before.is_live:
            differs = _differs(before, account, _CONNECTED_BY)
        else:
            differs = paper_differs or before != account
        if differs:
            found.add(account.name)
    return found


def _differs(before: AccountSettings, after: AccountSettings, names: Iterable[str]) -> bool:
    return any(getattr(before, name) != getattr(after, name) for name in names)


def _keys(stores: Sequence[SecretStore], name: str) -> AccountKeys:
    require_place(stores, [name])
    return account_keys(stores, name)


def _problem(place: Location, error: UserError) -> Problem:
    return Problem(place=place, message=error.brief)
