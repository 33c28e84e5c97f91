"""Before the window is there: the passphrase of the vault, asked for where nothing else has given it."""

import asyncio
from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from exengine.domain.errors import UserError
from exengine.settings.app_lock import Tries
from exengine.ui.icons import Icons
from exengine.ui.secret_form import Field, SecretSheet
from exengine.ui.theme import Look

Opens = Callable[[str], None]
"""Opens the vault with a passphrase, on a thread. Raises UserError where that cannot be done."""


async def unlock_vault(look: Look, opens: Opens, tries: Tries, *, parent: QWidget | None = None) -> str | None:
    """The passphrase that opens the vault; None where the trader goes on without."""
    right: list[str] = []

    async def attempt(typed: tuple[str, ...]) -> None:
        if tries.wait_ms:
            raise UserError(f"Wait {-(-tries.wait_ms // 1000)} s before the next try.")
        try:
            await asyncio.to_thread(opens, typed[0])
        except UserError:
            tries.was_wrong()
            raise
        tries.was_right()
        right.append(typed[0])

    sheet = SecretSheet(
        look,
        Icons(look),
        parent,
        name="unlock_vault",
        title="ExEngine",
        heading="Unlock the vault",
        meaning=(
            "Exchange keys and the webhook’s token are kept in a vault on this machine. Without its passphrase "
            "**no live account starts**; paper accounts do, with a webhook address for this run only."
        ),
        fields=[Field(label="Passphrase")],
        action="Unlock",
        submit=attempt,
        cancel="Start without",
        working="Opening the vault…",
    )
    await sheet.answer()
    return right[0] if right else None
