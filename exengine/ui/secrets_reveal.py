"""A new token or secret, shown once, with what has to be changed at TradingView."""

from collections.abc import Callable

from PySide6.QtWidgets import QHBoxLayout, QWidget

from exengine.settings.rotation import Proof
from exengine.settings.secrets_overview import Revealed
from exengine.ui.code import Code
from exengine.ui.icons import Icons
from exengine.ui.pieces import Prose, button
from exengine.ui.sheet import Sheet
from exengine.ui.theme import Look

MASK = "•" * 24


class RevealSheet(Sheet):
    """The only place where a secret may be seen, and only after it was asked for there."""

    def __init__(
        self,
        look: Look,
        icons: Icons,
        parent: QWidget,
        proof: Proof,
        made: Revealed,
        *,
        copy: Callable[[str, str], None],
    ) -> None:
        super().__init__(look, icons, parent, name="secrets_reveal", title="Secrets", width=640)
        is_token = proof is Proof.TOKEN
        what = "Webhook URL" if is_token else "Alert text"
        self._text = made.webhook_url if is_token else made.alert_text
        self.add_heading("The new webhook URL" if is_token else "The new alert text")
        meaning = Prose(look)
        meaning.say(
            "Open each of your alerts at TradingView, **Edit alert ▸ Notifications ▸ Webhook URL**, and paste it."
            if is_token
            else "Open each of your alerts that has a secret in it at TradingView, and replace its **Message** by this."
        )
        self.body.addWidget(meaning)
        self.code = Code(look, what)
        self.code.set_text(MASK)
        self.body.addWidget(self.code)
        row = QHBoxLayout()
        row.setSpacing(8)
        self.copy = button(look, "Copy", kind="primary", small=True)
        self.copy.clicked.connect(lambda: copy(what, self._text))
        self.show_it = button(look, "Show it", small=True)
        self.show_it.clicked.connect(self._reveal)
        row.addWidget(self.copy)
        row.addWidget(self.show_it)
        row.addStretch(1)
        self.body.addLayout(row)
        after = Prose(look)
        after.say(
            "It is not shown again; **Copy webhook URL** in the menu has it too. When every alert has the new one, "
            "come back to Secrets and retire the old one: the dialog says when an alert last used it."
        )
        self.body.addWidget(after)
        self.buttons.addStretch(1)
        self.add_cancel("Done").setFocus()

    def _reveal(self) -> None:
        self.code.set_text(self._text)
        self.show_it.setEnabled(False)

    def done(self, result: int) -> None:
        self._text = MASK
        self.code.set_text(MASK)
        super().done(result)
