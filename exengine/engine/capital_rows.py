"""Where the money is: what each pair holds and has in open entries, and what every account has free (SPEC §13)."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from exengine.domain.capital import DOLLARS, free_quote, usd_of
from exengine.domain.money import HUNDRED, ZERO
from exengine.domain.order import Role
from exengine.domain.state import State
from exengine.engine.condensed import Sums
from exengine.engine.panel_rows import AccountMoney, CapitalRow, ExposureRow


class OpenEntries:
    """What rests unfilled of each group, in quote; summed again only for groups whose orders have changed."""

    def __init__(self) -> None:
        self._quote: dict[str, Decimal] = {}
        self._changed: set[str] = set()

    def note(self, group_ids: Iterable[str]) -> None:
        """Orders of these groups have changed."""
        self._changed.update(group_ids)

    def of(self, state: State) -> dict[str, Decimal]:
        """By group. Call it within `money.arithmetic`."""
        known, changed = self._quote, self._changed
        self._quote = {
            group_id: known[group_id] if group_id in known and group_id not in changed else _resting(state, group_id)
            for group_id in state.groups
        }
        self._changed = set()
        return self._quote


def _resting(state: State, group_id: str) -> Decimal:
    total, contract_size = ZERO, state.groups[group_id].contract_size
    for order in state.orders_for(group_id):
        price = order.price if order.price is not None else order.bound
        if order.role is Role.ENTRY and order.is_working and price is not None:
            total += order.leaves_qty * price * contract_size
    return total


def exposures(
    state: State, sums: Mapping[str, Sums], resting: Mapping[str, Decimal]
) -> tuple[dict[str, ExposureRow], int]:
    """The pairs by symbol, and how many groups are left out for want of a price in USD."""
    filled: dict[str, Decimal] = {}
    rests: dict[str, Decimal] = {}
    groups: dict[str, int] = {}
    missing = 0
    for group_id, one in sums.items():
        usd = usd_of(state, one.group.key.account, one.group.quote)
        if not usd:
            missing += 1
            continue
        symbol = one.group.key.symbol
        filled[symbol] = filled.get(symbol, ZERO) + one.cost * usd
        rests[symbol] = rests.get(symbol, ZERO) + resting.get(group_id, ZERO) * usd
        groups[symbol] = groups.get(symbol, 0) + 1
    total = sum(filled.values(), ZERO) + sum(rests.values(), ZERO)
    rows = {symbol: _exposure(symbol, filled[symbol], rests[symbol], groups[symbol], total) for symbol in filled}
    return rows, missing


def _exposure(symbol: str, filled: Decimal, rests: Decimal, groups: int, total: Decimal) -> ExposureRow:
    deployed = filled + rests
    return ExposureRow(
        symbol=symbol,
        filled=filled,
        open=rests,
        groups=groups,
        share_percent=deployed / total * HUNDRED if total else None,
        locked_percent=rests / deployed * HUNDRED if deployed else None,
    )


def capital_row(state: State, rows: Mapping[str, ExposureRow], missing: int) -> CapitalRow:
    """The sums over all accounts. `state` may be a condensed one."""
    accounts = tuple(_account(state, account.name) for account in state.settings.accounts if account.enabled)
    return CapitalRow(
        filled=sum((row.filled for row in rows.values()), ZERO),
        open=sum((row.open for row in rows.values()), ZERO),
        free=sum((one.free for one in accounts), ZERO),
        accounts=accounts,
        missing=missing,
    )


def _account(state: State, name: str) -> AccountMoney:
    """In dollars, and in whatever else its groups are quoted in."""
    account = state.settings.account(name)
    assert account is not None
    quotes = DOLLARS | {group.quote for group in state.groups.values() if group.key.account == name}
    free = ZERO
    for quote in quotes:
        usd = usd_of(state, name, quote)
        if usd:
            free += free_quote(state, account, quote) * usd
    return AccountMoney(account=name, free=free)
