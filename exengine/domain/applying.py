"""A new configuration takes effect while everything lives on (SPEC §9: apply and restart).

Live groups keep the grid, sizing, targets, stop and trailing that they began with: they carry them as `Group.plans`,
also for pyramids still to come. Everything else is read from `State.settings` whenever it is needed, and so holds for
all from the step on that applies it: pool, queue, risk, safety, execution, signals, routing, market rules, fees and
leverage of accounts, and the grid of groups that begin later, those that wait in the queue included.
"""

from collections.abc import Collection
from decimal import Decimal

from exengine.domain.accounts import NOT_ASKED_YET
from exengine.domain.commands import CancelOrder, OrderCommand, ResolveOrder
from exengine.domain.events import SettingsApplied
from exengine.domain.group import Group
from exengine.domain.journal import Category, Severity
from exengine.domain.order import OrderStatus
from exengine.domain.pool import promote
from exengine.domain.settings import AccountSettings, Settings
from exengine.domain.state import State
from exengine.domain.step import Step

OFF = "account_off"
"""Why an entry has left the queue: its account was removed or switched off."""

_ELSEWHERE = ("exchange", "market_type", "testnet", "server")


def is_elsewhere(before: AccountSettings, after: AccountSettings) -> bool:
    """Whether an account of the same name is another one: its orders and coins are not there."""
    return any(getattr(before, name) != getattr(after, name) for name in _ELSEWHERE)


def in_the_way(state: State, after: Settings) -> dict[str, list[Group]]:
    """The open groups whose account would be gone, switched off or another one, by account: they come before."""
    found: dict[str, list[Group]] = {}
    for group in state.groups.values():
        name = group.key.account
        was, will = state.settings.account(name), after.account(name)
        # One that was off or gone already has lost nothing.
        if was is not None and was.enabled and (will is None or not will.enabled or is_elsewhere(was, will)):
            found.setdefault(name, []).append(group)
    return found


def apply(step: Step, event: SettingsApplied) -> None:
    """Trades by other settings from now on; who waits and has a slot by them goes in at once.

    Where groups are in the way nothing is done at all: the settings stay those before.
    """
    before, after = step.state.settings, event.settings
    if in_the_way(step.state, after):
        return
    step.put_settings(after)
    _capital(step, before, after)
    for account in after.accounts:
        was = before.account(account.name)
        if was is not None and is_elsewhere(was, account):
            step.forget_rules(account.name)
    trading = {account.name for account in after.accounts if account.enabled}
    for waiting in list(step.state.waiting.values()):
        if waiting.key.account not in trading:
            step.remove_waiting(waiting, "removed", OFF)
            text = "Left the queue: its account is no longer there or switched off."
            step.note(Severity.WARNING, Category.WEBHOOK, text, key=waiting.key, signal_id=waiting.signal_id)
    live = {account.name for account in after.accounts if account.enabled and account.is_live}
    for name in set(step.state.unreachable) - live:
        step.find_account(name)
    for name in sorted(live & event.anew):
        step.lose_account(name, NOT_ASKED_YET)
    step.note(Severity.INFO, Category.SYSTEM, event.text)
    promote(step)


def capital(settings: Settings) -> dict[tuple[str, str], Decimal]:
    """(account, currency) to what paper accounts begin with. A live account's is what its exchange says."""
    return {
        (account.name, currency): amount
        for account in settings.accounts
        for currency, amount in account.balances.items()
    }


def _capital(step: Step, before: Settings, after: Settings) -> None:
    was, will = capital(before), capital(after)
    for key in was.keys() - will.keys():
        step.put_start(*key, None)
    for key, amount in will.items():
        if was.get(key) != amount:
            step.put_start(*key, amount)


def in_doubt(state: State, accounts: Collection[str] | None = None) -> list[OrderCommand]:
    """What must be asked about orders whose last answer may never have come, of some accounts or of all.

    What was stored and never sent is asked for as well: it may have gone out just before (FAULTS 25, 26).
    """
    commands: list[OrderCommand] = []
    for order in state.orders.values():
        if accounts is not None and order.account not in accounts:
            continue
        if order.status in (OrderStatus.CREATED, OrderStatus.SENT, OrderStatus.UNKNOWN):
            commands.append(ResolveOrder(order=order))
        if order.is_working and order.cancel_requested:
            commands.append(CancelOrder(order=order))
    return commands
