"""Notification addresses carry passwords: the file only names them, they are kept with the other secrets (§14)."""

import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress

from exengine.domain.errors import UserError
from exengine.settings.pages import Config
from exengine.settings.problems import ConfigError, Problem
from exengine.settings.program_pages import NotificationPage
from exengine.settings.secret_places import keep_secret
from exengine.settings.secrets import SecretStore, SecretStoreUnavailable

_PREFIX = "secret:"


def plain_urls(config: Config) -> tuple[str, ...]:
    """The addresses that stand in `config` plainly."""
    return tuple(page.url for page in config.notifications if not _is_name(page))


def keep_urls(config: Config, stores: Sequence[SecretStore]) -> Config:
    """`config` with a name in the place of each address that is in it plainly; they are kept first. It blocks.

    Raises ConfigError, with the places of the addresses, where no place for secrets takes them.
    """
    try:
        return hide_urls(config, lambda name, url: keep_secret(stores, name, url))
    except UserError as error:
        raise ConfigError(
            "The address of a notification cannot be kept with the secrets, and must not stand in the configuration:",
            problems=[
                Problem(place=("notifications", place, "url"), message=error.happened)
                for place, page in enumerate(config.notifications)
                if not _is_name(page)
            ],
            safe="What ran before goes on, and the file is as it was.",
            remedy=error.remedy,
        ) from None


def hide_urls(config: Config, keep: Callable[[str, str], object]) -> Config:
    """`config` with a name in the place of each address that is in it plainly; `keep(name, url)` stores it first."""
    if all(_is_name(page) for page in config.notifications):
        return config
    hidden = []
    for page in config.notifications:
        if _is_name(page):
            hidden.append(page)
            continue
        name = f"notification-{secrets.token_hex(4)}"
        keep(name, page.url)
        hidden.append(page.model_copy(update={"url": _PREFIX + name}))
    return config.model_copy(update={"notifications": tuple(hidden)})


def url_of(page: NotificationPage, secret: Callable[[str], str | None]) -> str:
    """The address itself, by `secret(name)` where the page only names it. Raises UserError when it is gone."""
    if not _is_name(page):
        return page.url
    name = page.url[len(_PREFIX) :]
    url = secret(name)
    if not url:
        raise UserError(
            f'The address of the notification "{name}" is not among the secrets.',
            safe="Trading goes on; only these notifications are not sent.",
            remedy="Enter the address again in Settings, Notifications.",
        )
    return url


def kept_url(page: NotificationPage, stores: Sequence[SecretStore]) -> str:
    """The address itself, from the first place for secrets that has it; it blocks. Raises UserError as `url_of`."""

    def secret(name: str) -> str | None:
        for store in stores:
            with suppress(SecretStoreUnavailable):
                if found := store.get(name):
                    return found
        return None

    return url_of(page, secret)


def _is_name(page: NotificationPage) -> bool:
    return page.url.lower().startswith(_PREFIX)
