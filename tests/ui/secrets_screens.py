"""Scenes of the dialogs of secrets and of the lock, for the pictures."""

import asyncio
from typing import TYPE_CHECKING

from exengine.settings.rotation import Proof
from exengine.settings.secrets import SecretOrigin
from exengine.settings.secrets_overview import AccountSecret, Revealed, SecretsOverview, VaultState
from exengine.ui.lock_window import LockWindow
from exengine.ui.secret_form import SecretSheet
from exengine.ui.secrets_reveal import RevealSheet
from exengine.ui.secrets_sheet import SecretsSheet, app_lock_form
from tests.ui import rows

if TYPE_CHECKING:
    from tests.ui.screens import Stage

OVERVIEW = SecretsOverview(
    keyring="the system has no keyring that is known to keep secrets",
    vault=VaultState.OPEN,
    token_origin=SecretOrigin.VAULT,
    secret_origin=SecretOrigin.ENVIRONMENT,
    old_token=True,
    old_secret=False,
    old_used_at_ms=rows.NOW_MS - 190_000,
    accounts=(
        AccountSecret(
            account="main", venue="Binance spot", masked="****B19K", origin=SecretOrigin.VAULT, wants_passphrase=False
        ),
        AccountSecret(account="perp", venue="OKX swap", masked="", origin=None, wants_passphrase=True),
    ),
    app_lock=True,
)


def secrets(stage: "Stage") -> None:
    window = stage.window
    sheet = SecretsSheet(window.look, window.icons, window, copy=lambda what, text: None, now_ms=lambda: rows.NOW_MS)
    sheet.tell(OVERVIEW)
    window.clicks.show(sheet)


def secrets_reveal(stage: "Stage") -> None:
    window = stage.window
    made = Revealed(webhook_url="https://hooks.example.com/webhook/a-new-one", alert_text="{}")
    sheet = RevealSheet(window.look, window.icons, window, Proof.TOKEN, made, copy=lambda what, text: None)
    window.clicks.show(sheet)


def app_lock(stage: "Stage") -> None:
    async def nothing(_: tuple[str, ...]) -> None: ...

    window = stage.window
    sheet = SecretSheet(window.look, window.icons, window, name="set_lock", submit=nothing, **app_lock_form())
    window.clicks.show(sheet)


def locked(stage: "Stage") -> None:
    """The lock stands where the window stood; here it is laid over it, to be in the same picture."""

    async def nobody(_: str) -> None: ...

    lock = LockWindow(stage.window.look, stage.window.icons, nobody)
    lock.form.inputs[0].setText("not the passphrase")
    lock.setParent(stage.window)
    lock.setGeometry(stage.window.rect())
    lock.show()
    asyncio.run(lock.form._try((lock.form.inputs[0].text(),)))
