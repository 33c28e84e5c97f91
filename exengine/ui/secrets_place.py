"""Sees to it that there is a place for secrets before any is to be kept: a vault is offered where no keyring opens."""

from collections.abc import Callable

from exengine.domain.errors import UserError
from exengine.ui.settings_keys import AccountDesk
from exengine.ui.settings_questions import VaultSheet
from exengine.ui.sheet import Sheet


async def place_is_open(over: Sheet, desk: AccountDesk) -> bool:
    """Whether secrets can be kept; False where the trader does not want the vault that is offered over a dialog."""
    why = await desk.closed()
    while why is not None:
        sheet = VaultSheet(over.look, over.icons, over, exists=desk.has_vault, why=why)
        passphrase: list[str] = []
        sheet.accepted.connect(_remember(sheet, passphrase))
        if not await sheet.answer():
            return False
        try:
            await desk.open_vault(passphrase[0])
            return True
        except UserError as error:
            why = error.happened.rstrip(".")
    return True


def _remember(sheet: VaultSheet, passphrase: list[str]) -> Callable[[], None]:
    # The sheet is gone by the time its answer is looked at.
    return lambda: passphrase.append(sheet.passphrase.text())
