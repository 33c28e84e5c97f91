"""What the window last heard from the engine: groups, prices, the engine's own row, and what they add up to in USD."""

from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import NamedTuple

from exengine.domain.capital import DOLLARS
from exengine.domain.money import ONE, ZERO
from exengine.engine.rows import EngineRow, GroupRow, Quote, ViewChanges


class UsdSum(NamedTuple):
    """A sum over groups. `missing` counts those left out because no price in USD is known for them."""

    value: Decimal
    missing: int


_NONE: dict[str, GroupRow] = {}


def _summed(worths: Collection[Decimal | None]) -> UsdSum:
    known = [worth for worth in worths if worth is not None]
    return UsdSum(sum(known, ZERO), len(worths) - len(known))


class Book:
    """One copy of the rows for the ribbon, the dialogs and the Positions table."""

    def __init__(self) -> None:
        self.groups: dict[str, GroupRow] = {}
        self.quotes: dict[tuple[str, str], Quote] = {}
        self.engine: EngineRow | None = None
        self._of_market: dict[tuple[str, str], dict[str, GroupRow]] = {}
        """The groups that trade a symbol of an account."""
        self._in_coins: dict[str, GroupRow] = {}
        """Groups whose quote is worth what other prices say."""
        self._worth: dict[str, Decimal | None] = {}
        """What each group that holds something has not realised, in USD; None where a price is missing."""
        self._unrealised: UsdSum | None = None

    def apply(self, changes: ViewChanges) -> None:
        if changes.groups or changes.gone_groups or changes.quotes:
            self._unrealised = None
        self.quotes.update(changes.quotes)
        for gone in changes.gone_groups:
            self._drop(gone)
        for group in changes.groups.values():
            self._put(group)
        for market, quote in changes.quotes.items():
            for group in self._of_market.get(market, _NONE).values():
                self._value(group, quote)
        if changes.quotes:
            for group in self._in_coins.values():
                self._value(group, self.quote(group))
        if changes.engine is not None:
            self.engine = changes.engine

    def _put(self, group: GroupRow) -> None:
        self.groups[group.id] = group
        self._of_market.setdefault((group.account, group.symbol), {})[group.id] = group
        if group.quote not in DOLLARS:
            self._in_coins[group.id] = group
        self._value(group, self.quote(group))

    def _drop(self, group_id: str) -> None:
        group = self.groups.pop(group_id, None)
        if group is None:
            return
        market = (group.account, group.symbol)
        del self._of_market[market][group_id]
        if not self._of_market[market]:
            del self._of_market[market]
        self._in_coins.pop(group_id, None)
        self._worth.pop(group_id, None)

    def _value(self, group: GroupRow, quote: Quote | None) -> None:
        """Keeps what a group is worth at this price."""
        if not group.holding.net_base:
            self._worth.pop(group.id, None)
            return
        worth = group.holding.unrealised(quote.price) if quote is not None else None
        if worth is not None and group.quote not in DOLLARS:
            rate = self.usd_rate(group.account, group.quote)
            worth = worth * rate if rate is not None else None
        self._worth[group.id] = worth

    def quote(self, group: GroupRow) -> Quote | None:
        return self.quotes.get((group.account, group.symbol))

    def last(self, group: GroupRow) -> Decimal | None:
        quote = self.quote(group)
        return quote.price if quote is not None else None

    def usd_rate(self, account: str, currency: str) -> Decimal | None:
        """USD for one unit of a quote currency: 1 for dollars, else the account's own last price (SPEC §1)."""
        if currency in DOLLARS:
            return ONE
        for dollar in ("USDT", "USDC", "USD", "FDUSD"):
            for symbol in (f"{currency}/{dollar}", f"{currency}/{dollar}:{dollar}"):
                quote = self.quotes.get((account, symbol))
                if quote is not None:
                    return quote.price
        return None

    def unrealised_usd(self) -> UsdSum:
        """Unrealised PnL of all groups; each is valued when its price or holding changes, and summed where asked."""
        if self._unrealised is None:
            self._unrealised = _summed(self._worth.values())
        return self._unrealised

    def unrealised_usd_of(self, groups: Iterable[str]) -> UsdSum:
        """The same of these groups alone."""
        return _summed([self._worth[group] for group in groups if group in self._worth])

    def result_usd_of(self, group: GroupRow) -> Decimal | None:
        """What closing the group now would bring or cost, after the fee of closing it."""
        pnl, rate = group.after_fees(self.last(group)), self.usd_rate(group.account, group.quote)
        return None if pnl is None or rate is None else pnl * rate

    def notional_usd(self, group: GroupRow) -> Decimal | None:
        """What the group's holding is worth now; None where no price is known."""
        if group.holding.net_base == 0:
            return ZERO
        last, rate = self.last(group), self.usd_rate(group.account, group.quote)
        return None if last is None or rate is None else abs(group.holding.net_base) * last * rate
