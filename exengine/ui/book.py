"""What the window last heard from the engine: groups, prices, the engine's own row, and what they add up to in USD."""

from decimal import Decimal
from typing import NamedTuple

from exengine.domain.capital import DOLLARS
from exengine.domain.money import ONE, ZERO
from exengine.engine.rows import EngineRow, GroupRow, Quote, ViewChanges


class UsdSum(NamedTuple):
    """A sum over groups. `missing` counts those left out because no price in USD is known for them."""

    value: Decimal
    missing: int


class Book:
    """One copy of the rows for the ribbon, the dialogs and the Positions table."""

    def __init__(self) -> None:
        self.groups: dict[str, GroupRow] = {}
        self.quotes: dict[tuple[str, str], Quote] = {}
        self.engine: EngineRow | None = None
        self._unrealised: UsdSum | None = None

    def apply(self, changes: ViewChanges) -> None:
        self._unrealised = None
        self.groups.update(changes.groups)
        for gone in changes.gone_groups:
            self.groups.pop(gone, None)
        self.quotes.update(changes.quotes)
        if changes.engine is not None:
            self.engine = changes.engine

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
        """Unrealised PnL of all groups; computed once for each flush, however many ask."""
        if self._unrealised is None:
            self._unrealised = self._summed()
        return self._unrealised

    def _summed(self) -> UsdSum:
        total, missing = ZERO, 0
        rates: dict[tuple[str, str], Decimal | None] = {}
        for group in self.groups.values():
            holding = group.holding
            if not holding.net_base:
                continue
            quote = self.quotes.get((group.account, group.symbol))
            pnl = holding.unrealised(quote.price) if quote is not None else None
            if pnl is not None and group.quote in DOLLARS:
                total += pnl
                continue
            money = (group.account, group.quote)
            if money not in rates:
                rates[money] = self.usd_rate(*money)
            rate = rates[money]
            if pnl is None or rate is None:
                missing += 1
            else:
                total += pnl * rate
        return UsdSum(total, missing)

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
