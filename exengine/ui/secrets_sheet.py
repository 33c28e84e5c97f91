"""The Secrets dialog: where secrets are kept, each made anew or replaced. None is ever shown but a new one."""

from collections.abc import Callable
from typing import Any, Protocol

from PySide6.QtWidgets import QGridLayout, QPushButton, QWidget

from exengine.domain.errors import UserError
from exengine.settings.account_keys import AccountKeys, fault_of
from exengine.settings.rotation import Proof
from exengine.settings.secrets import SecretOrigin
from exengine.settings.secrets_overview import AccountSecret, Revealed, SecretsOverview, VaultState
from exengine.ui import format as fmt
from exengine.ui.icons import Icons
from exengine.ui.loop import spawn
from exengine.ui.pieces import Hairline, Label, Prose, button
from exengine.ui.remark import Remark
from exengine.ui.secret_form import Field, SecretSheet, same
from exengine.ui.secrets_reveal import RevealSheet
from exengine.ui.sheet import Sheet
from exengine.ui.theme import Look, Weight

ORIGINS = {
    SecretOrigin.ENVIRONMENT: "from the environment",
    SecretOrigin.KEYRING: "in the system’s keyring",
    SecretOrigin.VAULT: "in the vault",
    SecretOrigin.THIS_RUN: "for this run only",
}
PROOFS = {Proof.TOKEN: "Webhook token", Proof.SECRET: "Webhook secret"}


class Secrets(Protocol):
    """What the dialog may ask for. Each raises UserError where that is not allowed or not possible."""

    async def overview(self) -> SecretsOverview: ...

    async def rotate(self, proof: Proof) -> Revealed: ...

    async def retire(self, proof: Proof) -> None: ...

    async def keep_account_keys(self, account: str, keys: AccountKeys) -> SecretOrigin: ...

    async def make_vault(self, passphrase: str) -> None: ...

    async def change_vault_passphrase(self, old: str, new: str) -> None: ...

    async def set_lock(self, owner: str, operator: str) -> None: ...

    async def remove_lock(self) -> None: ...


class SecretsSheet(Sheet):
    """Rows of what there is. It is told anew after each change."""

    def __init__(
        self, look: Look, icons: Icons, parent: QWidget, *, copy: Callable[[str, str], None], now_ms: Callable[[], int]
    ) -> None:
        """`copy(what, text)` puts a text on the clipboard."""
        super().__init__(look, icons, parent, name="secrets_sheet", title="Secrets", width=640)
        self._copy, self._now_ms = copy, now_ms
        self.add_heading("What ExEngine keeps for you")
        self.place = Prose(look)
        self.body.addWidget(self.place)
        self.body.addSpacing(8)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(8)
        self._grid.setColumnStretch(1, 1)
        self.body.addLayout(self._grid)
        self.said = Remark(look, icons)
        self.body.addWidget(self.said)
        self.buttons.addStretch(1)
        self.close_button = self.add_cancel("Close")
        self.offers: dict[str, QPushButton] = {}
        """The buttons by what they do: `rotate token`, `retire secret`, `replace main`, `vault`."""
        self.asked: Callable[[str], None] = lambda offer: None
        """Told which of them was pressed."""

    def tell(self, overview: SecretsOverview) -> None:
        """Shows what there is at this moment."""
        self.place.say(_place(overview))
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.offers.clear()
        origins = {Proof.TOKEN: overview.token_origin, Proof.SECRET: overview.secret_origin}
        for proof, origin in origins.items():
            offers = [] if origin is SecretOrigin.ENVIRONMENT else [(f"rotate {proof.value}", "Make a new one…")]
            self._add(PROOFS[proof], ORIGINS[origin], offers, can=overview.can_keep)
            if overview.old_token if proof is Proof.TOKEN else overview.old_secret:
                self._add("", self._old(overview), [(f"retire {proof.value}", "Retire the old one…")])
        for account in overview.accounts:
            self._add_line()
            keys = "Enter keys…" if account.origin is None else "Replace keys…"
            self._add(account.account, _keys(account), [(f"replace {account.account}", keys)],
                      can=overview.can_keep)  # fmt: skip
        self._add_line()
        offer = {VaultState.NONE: "Make a vault…", VaultState.OPEN: "Change passphrase…", VaultState.LOCKED: ""}
        words = {VaultState.NONE: "none is needed where the keyring works" if not overview.keyring else "none",
                 VaultState.OPEN: "open", VaultState.LOCKED: "locked: start again to unlock it"}  # fmt: skip
        self._add("Vault", words[overview.vault], [("vault", offer[overview.vault])] if offer[overview.vault] else [])
        state = "on" if overview.app_lock else "off: whoever is at the window may do everything"
        self._add("App lock", state, [("lock", "Set passphrases…" if overview.app_lock else "Set up…")],
                  can=overview.can_keep)  # fmt: skip
        if overview.app_lock:
            self._add("", "", [("unlock", "Switch off…")])

    def say(self, text: str, token: str = "muted") -> None:
        self.said.say(text, token)

    def _old(self, overview: SecretsOverview) -> str:
        if overview.old_used_at_ms is None:
            return "The old one counts too; no alert has used it since this start"
        ago = fmt.age(max(0, self._now_ms() - overview.old_used_at_ms))
        return f"The old one counts too; an alert used it {ago} ago"

    def _add(self, name: str, state: str, offers: list[tuple[str, str]], *, can: bool = True) -> None:
        row = self._grid.rowCount()
        self._grid.addWidget(Label(self.look, name, weight=Weight.STRONG), row, 0)
        words = Label(self.look, state, token="muted")
        words.setWordWrap(True)
        self._grid.addWidget(words, row, 1)
        for offer, text in offers:
            made = button(self.look, text, small=True)
            made.setAccessibleName(f"{text} {name}".strip())
            made.setEnabled(can)
            if not can:
                made.setToolTip("There is no open place to keep it: make a vault first.")
            made.clicked.connect(lambda _=False, offer=offer: self.asked(offer))
            self._grid.addWidget(made, row, 2)
            self.offers[offer] = made

    def _add_line(self) -> None:
        self._grid.addWidget(Hairline(self.look), self._grid.rowCount(), 0, 1, 3)


def _place(overview: SecretsOverview) -> str:
    if not overview.keyring:
        return "Secrets are kept in the **system’s keyring**. What is kept is never shown again, only replaced."
    if overview.vault is VaultState.OPEN:
        return f"Secrets are kept in the **vault**, as the keyring is not used: {overview.keyring}."
    return (
        f"**No place for secrets is open**: the keyring is not used ({overview.keyring}). "
        "Make a vault to keep keys and the webhook’s address from one start to the next."
    )


def _keys(account: AccountSecret) -> str:
    if account.origin is None:
        return f"{account.venue} · no keys"
    return f"{account.venue} · API key {account.masked}, {ORIGINS[account.origin]}"


def app_lock_form() -> dict[str, Any]:
    """What the form of the app lock's passphrases says."""
    return {
        "title": "App lock",
        "heading": "Who may act in this window?",
        "meaning": (
            "The **owner** may do everything. The **operator** sees everything and may change nothing and trade "
            "nothing; where there is none, leave his passphrase empty. The engine and its alerts go on while the "
            "window is locked."
        ),
        "fields": [
            Field(label="Owner’s passphrase", hint="8 characters or more"),
            Field(label="Again"),
            Field(label="Operator’s passphrase", hint="none"),
            Field(label="Again"),
        ],
        "action": "Put the lock on",
    }


class SecretsDialogs:
    """Opens the dialog and what hangs on it, one at a time."""

    def __init__(
        self,
        look: Look,
        icons: Icons,
        parent: QWidget,
        desk: Secrets,
        *,
        copy: Callable[[str, str], None],
        now_ms: Callable[[], int],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """`changed` is called where the webhook's address or text has become another."""
        self._look, self._icons, self._parent, self._desk = look, icons, parent, desk
        self._copy, self._now_ms, self._changed = copy, now_ms, changed
        self.sheet: SecretsSheet | None = None
        self.asking: Sheet | None = None
        """The question that lies over it."""

    async def show(self) -> None:
        """Shows it; returns once it is closed."""
        sheet = SecretsSheet(self._look, self._icons, self._parent, copy=self._copy, now_ms=self._now_ms)
        sheet.tell(await self._desk.overview())
        self.sheet = sheet
        sheet.asked = self._on_asked
        await sheet.answer()
        self.sheet = None

    def _on_asked(self, offer: str) -> None:
        spawn(self._serve(offer), name="secrets", on_error=self._on_error)

    def _on_error(self, error: BaseException) -> None:
        if self.sheet is not None:
            self.sheet.say(str(error), "error")

    async def _serve(self, offer: str) -> None:
        verb, _, what = offer.partition(" ")
        assert self.sheet is not None
        overview = await self._desk.overview()
        self.sheet.say("")
        match verb:
            case "rotate":
                await self._rotate(Proof(what))
            case "retire":
                await self._retire(Proof(what))
            case "replace":
                account = next(one for one in overview.accounts if one.account == what)
                await self._replace(account)
            case "lock":
                await self._set_lock()
            case "unlock":
                await self._remove_lock()
            case "vault" if overview.vault is VaultState.OPEN:
                await self._change_vault()
            case _:
                await self._make_vault()
        if self.sheet is not None:
            self.sheet.tell(await self._desk.overview())

    async def _rotate(self, proof: Proof) -> None:
        what = PROOFS[proof].lower()
        agreed = await self._confirm(
            f"Make a new {what}?",
            f"A new {what} counts at once. **The old one counts too** until you retire it, so that no alert is lost "
            "while you change them at TradingView.",
            "Make a new one",
            kind="primary",
        )
        if agreed:
            made = await self._desk.rotate(proof)
            self._changed()
            await self._opened(RevealSheet(self._look, self._icons, self._over, proof, made, copy=self._copy))

    async def _retire(self, proof: Proof) -> None:
        what = PROOFS[proof].lower()
        agreed = await self._confirm(
            f"Retire the old {what}?",
            f"Alerts that still have the old {what} are **refused from now on**: their entries and exits are not made.",
            "Retire it",
            kind="danger",
        )
        if agreed:
            await self._desk.retire(proof)
            if self.sheet is not None:
                self.sheet.say(f"The old {what} counts no more.", "success")

    async def _replace(self, account: AccountSecret) -> None:
        fields = [Field(label="API key"), Field(label="Secret")]
        if account.wants_passphrase:
            fields.append(Field(label="Passphrase of the key"))

        async def keep(typed: tuple[str, ...]) -> None:
            api_key, secret, *rest = (one.strip() for one in typed)
            keys = AccountKeys(api_key=api_key, secret=secret, passphrase=rest[0] if rest else None)
            fault = fault_of(keys, wants_passphrase=account.wants_passphrase)
            if fault:
                raise UserError(f"{fault[0].upper()}{fault[1:]}.")
            await self._desk.keep_account_keys(account.account, keys)

        kept = await self._ask(
            "replace_keys",
            title=f"Keys of {account.account}",
            heading=f"New keys for {account.account}",
            meaning=(
                f"Make a key at the exchange that **may trade and may not withdraw**. It takes the place of "
                f"{account.masked or 'what is kept'} and is used at once: the account is connected anew and keeps its "
                "positions. Delete the old one at the exchange after that."
            ),
            fields=fields,
            action="Replace keys",
            submit=keep,
        )
        if kept and self.sheet is not None:
            self.sheet.say(f"The keys of {account.account} are replaced and in use.", "success")

    async def _change_vault(self) -> None:
        async def change(typed: tuple[str, ...]) -> None:
            await self._desk.change_vault_passphrase(typed[0], same(typed[1], typed[2]))

        changed = await self._ask(
            "vault_passphrase",
            title="Vault",
            heading="Change the vault’s passphrase",
            meaning="Everything is sealed anew. Where it starts without a window, set EXENGINE_PASSPHRASE to it.",
            fields=[Field(label="Passphrase now"), Field(label="New passphrase"), Field(label="New one again")],
            action="Change passphrase",
            submit=change,
        )
        if changed and self.sheet is not None:
            self.sheet.say("The vault has a new passphrase.", "success")

    async def _make_vault(self) -> None:
        async def make(typed: tuple[str, ...]) -> None:
            await self._desk.make_vault(same(typed[0], typed[1]))

        made = await self._ask(
            "make_vault",
            title="Vault",
            heading="Make a vault",
            meaning="A file that only its passphrase opens. **Without it nobody can, you included**: keep it well.",
            fields=[Field(label="Passphrase", hint="12 characters or more"), Field(label="Again")],
            action="Make the vault",
            submit=make,
        )
        if made and self.sheet is not None:
            self.sheet.say("The vault is open; it is asked for at each start.", "success")

    async def _set_lock(self) -> None:
        async def put_on(typed: tuple[str, ...]) -> None:
            await self._desk.set_lock(same(typed[0], typed[1]), same(typed[2], typed[3]))

        done = await self._ask("set_lock", submit=put_on, **app_lock_form())
        if done and self.sheet is not None:
            self.sheet.say("The app lock is on: Lock now is in the File menu.", "success")

    async def _remove_lock(self) -> None:
        meaning = "Whoever is at this machine can change and trade **everything** in this window from now on."
        if await self._confirm("Switch the app lock off?", meaning, "Switch it off", kind="danger"):
            await self._desk.remove_lock()

    @property
    def _over(self) -> QWidget:
        return self.sheet or self._parent

    async def _ask(self, name: str, **what: Any) -> bool:
        return await self._opened(SecretSheet(self._look, self._icons, self._over, name=name, **what))

    async def _opened(self, asking: Sheet) -> bool:
        self.asking = asking
        try:
            return await asking.answer()
        finally:
            self.asking = None

    async def _confirm(self, heading: str, meaning: str, action: str, *, kind: str) -> bool:
        asking = Sheet(self._look, self._icons, self._over, name="secrets_confirm", title="Secrets")
        asking.add_heading(heading)
        prose = Prose(self._look)
        prose.say(meaning)
        asking.body.addWidget(prose)
        asking.buttons.addStretch(1)
        asking.add_cancel().setFocus()
        asking.action = asking.add_action(action, kind=kind)  # type: ignore[attr-defined]
        return await self._opened(asking)
