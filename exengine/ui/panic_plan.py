"""What Panic would do, account by account, counted from the rows before the trader is asked."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from exengine.domain.money import ZERO
from exengine.engine.rows import GroupRow, Mode
from exengine.ui.book import Book
from exengine.ui.setup import Setup


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPart:
    """One account's share. Sums in USD leave out what has no price; `unpriced` counts it."""

    account: str
    venue: str
    mode: Mode
    groups: int
    held: int
    """Groups with something to sell or buy back: as many market orders."""
    entries: int
    waiting: int
    """Groups that have any of these entries."""
    targets: int
    notional: Decimal
    pnl: Decimal
    """After the fees of closing."""
    unpriced: int

    @property
    def orders(self) -> int:
        """Orders to cancel."""
        return self.entries + self.targets


@dataclass(frozen=True, slots=True, kw_only=True)
class PanicPlan:
    mode: Mode
    parts: tuple[AccountPart, ...]
    queued: int
    open_quote: Decimal
    """What would be paid if all entries filled."""

    def _sum(self, field: str) -> int:
        return sum(getattr(part, field) for part in self.parts)

    @property
    def groups(self) -> int:
        return self._sum("groups")

    @property
    def held(self) -> int:
        return self._sum("held")

    @property
    def entries(self) -> int:
        return self._sum("entries")

    @property
    def waiting(self) -> int:
        return self._sum("waiting")

    @property
    def orders(self) -> int:
        return self._sum("orders")

    @property
    def unpriced(self) -> int:
        return self._sum("unpriced")

    @property
    def notional(self) -> Decimal:
        return sum((part.notional for part in self.parts), ZERO)

    @property
    def pnl(self) -> Decimal:
        return sum((part.pnl for part in self.parts), ZERO)


def panic_plan(book: Book, setup: Setup) -> PanicPlan:
    """Counts what is open now."""
    mode = book.engine.mode if book.engine is not None else Mode.PAPER
    by_account: dict[str, list[GroupRow]] = {}
    for group in book.groups.values():
        if group.status != "closed":
            by_account.setdefault(group.account, []).append(group)
    parts = tuple(
        _part(account, by_account[account], book, setup.venue_of(account), setup.mode_of(account) or mode)
        for account in sorted(by_account)
    )
    return PanicPlan(
        mode=mode,
        parts=parts,
        queued=book.engine.queued if book.engine is not None else 0,
        open_quote=book.engine.open_quote if book.engine is not None else ZERO,
    )


def _part(account: str, groups: list[GroupRow], book: Book, venue: str, mode: Mode) -> AccountPart:
    notionals = [book.notional_usd(group) for group in groups]
    held = [group for group in groups if group.holding.net_base != 0]
    pnls = [book.result_usd_of(group) for group in held]
    return AccountPart(
        account=account,
        venue=venue,
        mode=mode,
        groups=len(groups),
        held=len(held),
        entries=sum(group.open_entries for group in groups),
        waiting=sum(1 for group in groups if group.open_entries),
        targets=sum(group.open_targets for group in groups),
        # As they are shown: a table must add up for who adds up what he sees.
        notional=round(_total(notionals), 2),
        pnl=round(_total(pnls), 2),
        unpriced=sum(1 for value in notionals if value is None),
    )


def _total(values: Iterable[Decimal | None]) -> Decimal:
    return sum((value for value in values if value is not None), ZERO)
