"""What is heard of an account as a whole: away and back, its market rules, coins that are missing (SPEC §6, §9)."""

from dataclasses import replace
from decimal import Decimal
from typing import assert_never

from exengine.domain import rules_refused
from exengine.domain.events import AccountFound, AccountLost, AccountNews
from exengine.domain.group import Group
from exengine.domain.instrument import Instrument, MarketType
from exengine.domain.journal import Category, Severity, Topic
from exengine.domain.lifecycle import cancel_entries
from exengine.domain.money import ZERO, plain
from exengine.domain.pool import promote, rules_arrived
from exengine.domain.state import State
from exengine.domain.step import Step

NOT_ASKED_YET = "the exchange has not been asked yet"


def away(state: State) -> dict[str, str]:
    """The accounts that do not answer, and why; those that are only still to be asked are not among them."""
    return {account: why for account, why in state.unreachable.items() if why != NOT_ASKED_YET}


def heard(step: Step, news: AccountNews) -> None:
    """Holds the entries of an account that cannot be seen, and lets them go on when it is back (§9)."""
    match news:
        case AccountLost():
            if step.state.unreachable.get(news.account) == news.why:
                return
            step.lose_account(news.account, news.why)
            stays = "Its entries wait in the queue, what rests on the exchange stays there."
            what, then, topic = "cannot be traded on", "It is asked again.", Topic.ACCOUNT_AWAY
            if news.for_good:
                what, then = "is stopped", "Nothing more is asked of it: check its key, then start again."
                topic = Topic.KEY_REFUSED
            text = f"Account {news.account} {what}: {news.why}."
            step.note(Severity.ERROR, Category.SYSTEM, text, advice=f"{stays} {then}", topic=topic)
        case AccountFound():
            if news.account in step.state.unreachable:
                step.find_account(news.account)
                step.note(
                    Severity.INFO,
                    Category.SYSTEM,
                    f"Account {news.account} answers, and its orders were compared with the books.",
                    topic=Topic.ACCOUNT_BACK,
                )
                promote(step)
        case _:
            assert_never(news)


def rules_loaded(step: Step, account: str, instruments: tuple[Instrument, ...]) -> None:
    """Takes an account's market rules over: who waited for them goes on, and what is no longer traded is let be."""
    settings = step.state.settings.account(account)
    step.put_instruments(account, instruments)
    rules_arrived(step, account)
    if settings is not None and settings.is_live:
        traded = {instrument.symbol for instrument in instruments}
        for group in groups_of(step.state, account):
            if group.key.symbol not in traded:
                _halted(step, group)
    rules_refused.make_again(step, account)


def groups_of(state: State, account: str) -> list[Group]:
    """The open groups of an account."""
    return [group for group in state.groups.values() if group.key.account == account]


def _halted(step: Step, group: Group) -> None:
    """A symbol was halted or delisted: its ladder is cancelled, the group is left to the trader (FAULTS 43)."""
    if group.frozen:
        return
    why = f"{group.key.symbol} is not traded on the exchange any more, for now or for ever"
    cancelled = cancel_entries(step, group.id)
    step.put_group(step.fail(replace(step.group(group.id), frozen=why), why))
    step.note(
        Severity.ERROR,
        Category.SYSTEM,
        f"Left to you: {why}. {cancelled} unfilled entries are being cancelled.",
        group=group,
        advice=f"{plain(group.net_qty)} {group.base} are held. Close the group when it is traded again.",
        topic=Topic.FROZEN,
    )


def held(state: State, account: str) -> dict[str, Decimal]:
    """What an account's groups hold by their own fills: by coin; on swap by symbol, in contracts, below zero short."""
    total: dict[str, Decimal] = {}
    for group in groups_of(state, account):
        if group.market_type is MarketType.SWAP:
            what, qty = group.key.symbol, group.net_qty * group.side.sign
        else:
            what, qty = group.base, group.net_qty
        total[what] = total.get(what, ZERO) + qty
    return total


def holdings_short(step: Step, account: str, currency: str, there: Decimal) -> None:
    """Freezes the groups of a coin that the account no longer has all of, and shows the difference (FAULTS 45)."""
    ours = held(step.state, account).get(currency, ZERO)
    for group in groups_of(step.state, account):
        on_swap = group.market_type is MarketType.SWAP
        if (group.key.symbol if on_swap else group.base) != currency or group.short_of_coins or group.net_qty <= 0:
            continue  # also one that was frozen for something else: the trader must be able to settle it
        unit = "contracts" if on_swap else currency
        why = f"the account holds {plain(there)} {unit}, its groups bought {plain(ours)} {unit}"
        step.put_group(step.fail(replace(group, frozen=why, short_of_coins=True), why))
        step.note(
            Severity.ERROR,
            Category.ORDER,
            f"Stopped: {why}.",
            group=group,
            advice="Was it sold by hand? Close the group to sell what is still there, or adopt the exchange’s view.",
            topic=Topic.FROZEN,
        )
