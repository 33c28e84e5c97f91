"""The questions of the settings: real money, what was typed and not applied, an account that is to go, a vault."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from exengine.domain.settings import SizingMode
from exengine.engine.rows import Mode
from exengine.settings.pages import AccountPage, Config, ExchangeName
from exengine.ui import format as fmt
from exengine.ui.icons import Icons
from exengine.ui.pieces import Label, Prose
from exengine.ui.remark import Remark, sentence
from exengine.ui.settings_keys import Doubt
from exengine.ui.sheet import Sheet
from exengine.ui.theme import Look

WORD = "LIVE"
LEAST_PASSPHRASE = 12


def going_live(running: Config, wanted: Config) -> tuple[AccountPage, ...]:
    """The accounts that trade real money with `wanted` and do not yet."""
    now = {account.name for account in running.accounts if _is_live(account)}
    return tuple(account for account in wanted.accounts if _is_live(account) and account.name not in now)


def _is_live(account: AccountPage) -> bool:
    real = account.exchange is not ExchangeName.PAPER and not account.server
    return account.enabled and real and not account.testnet


class _Question(Sheet):
    """A heading, a meaning, and an action that costs something: Enter does not press it unless that is said."""

    def __init__(
        self,
        look: Look,
        icons: Icons,
        parent: QWidget,
        *,
        name: str,
        title: str,
        heading: str,
        meaning: str,
        action: str,
        kind: str = "danger",
        cancel: str = "Cancel",
        mode: Mode | None = None,
        enter_cancels: bool = True,
    ) -> None:
        """`enter_cancels` is false where nothing is lost or spent: then Enter presses the action."""
        super().__init__(look, icons, parent, name=name, title=title, mode=mode)
        self.heading = self.add_heading(heading)
        self.meaning = Prose(look)
        self.meaning.say(meaning)
        self.body.addWidget(self.meaning)
        keys = "Enter and Esc cancel." if enter_cancels else "Esc cancels."
        self.buttons.addWidget(Label(look, keys, token="muted"), 1)
        self.cancel = self.add_cancel(cancel)
        self.action = self.add_action(action, kind=kind)
        if not enter_cancels:
            self.action.setDefault(True)
            self.cancel.setProperty("kind", "")
        self.cancel.setFocus()

    def add_line(self, words: str, name: str, *, secret: bool = False) -> QLineEdit:
        """A line to type into, with what is wanted before it."""
        row = QHBoxLayout()
        typing = Prose(self.look, token="text")
        typing.setWordWrap(False)
        typing.say(words)
        line = QLineEdit()
        line.setAccessibleName(name)
        line.setFixedWidth(self.look.scaled(240))
        if secret:
            line.setEchoMode(QLineEdit.EchoMode.Password)
        row.addWidget(typing, 1)
        row.addWidget(line)
        self.body.addSpacing(4)
        self.body.addLayout(row)
        return line


class GoLiveSheet(_Question):
    """Before the first order with real money: who, how much, and a typed word."""

    def __init__(
        self,
        look: Look,
        icons: Icons,
        parent: QWidget,
        accounts: tuple[AccountPage, ...],
        config: Config,
        doubts: Sequence[Doubt] = (),
    ) -> None:
        """`doubts` are what tests of the accounts say."""
        names = " and ".join(account.name for account in accounts)
        super().__init__(
            look, icons, parent, name="go_live", title="Go live", heading=f"Trade real money on {names}?",
            meaning=real_orders(config), action="Go live", mode=Mode.LIVE,
        )  # fmt: skip
        self.doubts = [Remark(look, icons) for _ in doubts]
        for remark, doubt in zip(self.doubts, doubts, strict=True):
            remark.say(doubt.text, doubt.token)
            self.body.addWidget(remark)
        self.word = self.add_line(f"Type **{WORD}** to confirm", f"Type {WORD} to confirm")
        self.word.setMaxLength(2 * len(WORD))
        self.word.textChanged.connect(self._on_typed)
        self._on_typed()
        self.word.setFocus()

    def _on_typed(self) -> None:
        self.action.setEnabled(self.word.text() == WORD)


def real_orders(config: Config, quote: str = "") -> str:
    """What alerts will do once it trades real money, as a sentence; `quote` is the coin that a fixed amount is in."""
    most, slots = _largest_sizings(config), config.pool.max_open_groups
    is_known = most.keys() == {SizingMode.FIXED} and slots > 1
    in_all = f": **{fmt.number(most[SizingMode.FIXED] * slots, 2)}** in all" if is_known else ""
    groups = fmt.count(slots, "group")
    return f"New alerts will place real orders of up to {_at_most(most, quote)}, **{groups}**{in_all}."


def _at_most(most: Mapping[SizingMode, Decimal], quote: str) -> str:
    """What a full group takes at most, in the terms of each sizing in use."""
    if SizingMode.SIGNAL in most:
        return "what each signal says"
    parts = []
    for mode, share in most.items():
        if mode is SizingMode.FIXED:
            amount = fmt.number(share, fmt.quote_decimals(quote) if quote else 2)
            parts.append(f"**{amount} {quote or 'of the pair’s quote coin'}**")
        else:
            of = "equity" if mode is SizingMode.PERCENT_EQUITY else "free balance"
            parts.append(f"**{fmt.percent(share)}** of the {of}")
    return f"{' or '.join(parts)} a group"


def _largest_sizings(config: Config) -> dict[SizingMode, Decimal]:
    """By mode, the largest amount that a rule or the page itself gives it, times the most pyramids of any rule.

    A rule that sets the mode alone and another that sets the amount alone are not put together.
    """
    rules = config.grid.overrides
    grids = [config.grid, *(rule.grid.over(config.grid) for rule in rules)]
    pyramids = max(_pyramids(one.max_pyramids, other.pyramid_multipliers) for one in grids for other in grids)
    most: dict[SizingMode, Decimal] = {}
    for sizing in (config.sizing, *(rule.sizing.over(config.sizing) for rule in rules)):
        most[sizing.mode] = max(most.get(sizing.mode, Decimal(0)), sizing.amount * pyramids)
    return most


def _pyramids(count: int, multipliers: Sequence[Decimal]) -> Decimal:
    """How many times the first amount a group of `count` pyramids takes; without a multiplier it is once."""
    return sum(multipliers[:count], Decimal(max(0, count - len(multipliers))))


class DiscardSheet(_Question):
    """Before what was typed is lost."""

    def __init__(self, look: Look, icons: Icons, parent: QWidget, pages: tuple[str, ...]) -> None:
        where = fmt.listed(pages, "** and **")
        super().__init__(
            look, icons, parent, name="discard_settings", title="Settings", heading="Leave without applying?",
            meaning=f"What was changed on **{where}** is given up. The engine goes on as it runs now.",
            action="Discard changes", cancel="Keep editing",
        )  # fmt: skip


class RemoveAccountSheet(_Question):
    """Before an account goes: what becomes of its groups, its orders and its keys."""

    def __init__(self, look: Look, icons: Icons, parent: QWidget, name: str, meaning: str, mode: Mode | None) -> None:
        super().__init__(
            look, icons, parent, name="remove_account", title="Remove account", heading=f"Remove {name}?",
            meaning=meaning, action="Remove account", mode=mode,
        )  # fmt: skip


class VaultSheet(_Question):
    """Where the system has no keyring: an encrypted vault, opened by a passphrase."""

    def __init__(self, look: Look, icons: Icons, parent: QWidget, *, exists: bool, why: str) -> None:
        heading = "Open the vault" if exists else "Make a vault for the secrets?"
        meaning = (
            f"{sentence(why)} "
            + ("The secrets of this folder lie in its vault." if exists else "An encrypted file in the data folder "
            "takes its place. Its passphrase is asked for at each start, and nobody can bring it back.")
        )  # fmt: skip
        super().__init__(
            look, icons, parent, name="vault", title="Secrets", heading=heading, meaning=meaning,
            action="Open vault" if exists else "Make vault", kind="primary", enter_cancels=False,
        )  # fmt: skip
        self._exists = exists
        self.passphrase = self.add_line("Passphrase", "Passphrase", secret=True)
        self.again = QLineEdit()
        if not exists:
            self.again = self.add_line("Again", "Passphrase again", secret=True)
        self.hint = Label(look, token="muted")
        self.body.addWidget(self.hint)
        for line in (self.passphrase, self.again):
            line.textChanged.connect(self._on_typed)
        self._on_typed()
        self.passphrase.setFocus()

    def _on_typed(self) -> None:
        first, second = self.passphrase.text(), self.again.text()
        if self._exists:
            said, good = "", bool(first)
        elif len(first) < LEAST_PASSPHRASE:
            said, good = f"{LEAST_PASSPHRASE} characters or more.", False
        else:
            said, good = ("", True) if first == second else ("The two differ.", False)
        self.hint.setText(said)
        self.action.setEnabled(good)
