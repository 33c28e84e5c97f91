"""What the trader sees where the program cannot start: there is no other window yet."""

import asyncio

from PySide6.QtWidgets import QMessageBox

from exengine.domain.errors import UserError


async def tell_start_fault(error: UserError) -> None:
    """Says what happened, what is safe and what to do; returns once it was read."""
    answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def on_finished(_: int) -> None:
        if not answered.done():
            answered.set_result(None)

    box = QMessageBox(QMessageBox.Icon.Critical, "ExEngine cannot start", error.happened)
    box.setInformativeText(" ".join(part for part in (error.safe, error.remedy) if part))
    box.finished.connect(on_finished)
    box.open()
    await answered
