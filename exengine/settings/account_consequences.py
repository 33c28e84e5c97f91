"""What applying does to accounts, in words: added, switched on or off, going live, changed."""

from collections.abc import Iterator
from typing import Literal

from exengine.domain.state import State
from exengine.settings.change_words import changed_fields, changed_words
from exengine.settings.pages import AccountPage, Config, ExchangeName
from exengine.settings.program_pages import EXCHANGES

Said = Iterator[tuple[Literal["info", "warning", "danger"], str]]


def accounts(old: Config, new: Config, state: State) -> Said:
    """Weight and sentence of each change, in the order of the new accounts."""
    before = {page.name: page for page in old.effective_accounts()}
    after = {page.name: page for page in new.effective_accounts()}
    for name, page in after.items():
        was = before.get(name)
        if page.enabled and (was is None or not was.enabled or elsewhere(was, page)):
            yield from _begins(page)
        elif was is not None and was.enabled and not page.enabled:
            yield from _ends(name, "switched off", state)
        elif was is None:
            yield "info", f"Account {name} is added and switched off."
        if was is not None:
            for field in changed_fields(was, page):
                if field not in ("enabled", "exchange", "market_type", "testnet", "server"):
                    yield "info", f"{name}: {changed_words(was, page, field)}"
    for name, page in before.items():
        if name not in after and page.enabled:
            yield from _ends(name, "removed", state)
        elif name not in after:
            yield "info", f"Account {name} is removed."


def elsewhere(was: AccountPage, page: AccountPage) -> bool:
    """Whether an account of the same name is another one: another exchange, market or server."""
    return any(getattr(was, name) != getattr(page, name) for name in ("exchange", "market_type", "testnet", "server"))


def _begins(page: AccountPage) -> Said:
    if page.exchange is ExchangeName.PAPER:
        yield "info", f"Account {page.name} trades on paper from now on."
        return
    place = f"{EXCHANGES[page.exchange.value]} {page.market_type.value}"
    if page.server:
        yield "warning", f"Account {page.name} trades on the local server {page.server} from now on."
    elif page.testnet:
        yield "warning", f"Account {page.name} trades on the testnet of {place} from now on."
    else:
        yield "danger", f"Account {page.name} trades real money on {place} from now on."


def _ends(name: str, how: str, state: State) -> Said:
    groups = sum(group.key.account == name for group in state.groups.values())
    waits = sum(key.account == name for key, _ in state.waiting)
    if groups:
        are = "group is" if groups == 1 else "groups are"
        yield "warning", f"Account {name} cannot be {how} while {groups} {are} open there: close first."
        return
    yield "info", f"Account {name} is {how}: it takes no more alerts."
    if waits:
        yield "warning", f"{waits} of its entries leave{'s' if waits == 1 else ''} the queue."
