"""The first-run wizard: where it trades, keys, capital, the webhook, limits. It can be left at any step."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from exengine.domain.errors import UserError
from exengine.engine.rows import Mode
from exengine.settings.first_run import Answers, account_page, answers_of, configured
from exengine.settings.pages import AccountPage, Config
from exengine.settings.problems import ConfigError, Problem
from exengine.ui.actions import Action
from exengine.ui.book import Book
from exengine.ui.first_run_keys import KeysPage
from exengine.ui.first_run_pages import QUOTE, CapitalPage, LimitsPage, WebhookPage, WherePage, WizardPage
from exengine.ui.icons import Icons
from exengine.ui.loop import spawn
from exengine.ui.pieces import Label, Prose, set_kind
from exengine.ui.remark import Remark
from exengine.ui.secrets_place import place_is_open
from exengine.ui.settings_apply import named
from exengine.ui.settings_keys import AccountDesk
from exengine.ui.settings_questions import real_orders
from exengine.ui.setup import Setup
from exengine.ui.sheet import Sheet
from exengine.ui.theme import Look

if TYPE_CHECKING:
    from exengine.ui.window import Window

PAGE_OF = {
    "accounts": 0,
    "sizing": 2,
    "grid": 2,
    "pool": 2,
    "listener": 3,
    "safety": 4,
}
"""On which page a part of the configuration is asked for; the pool's exposure is among the limits."""


class FirstRunDesk(Protocol):
    """The running program, as far as the wizard needs it. All of it raises UserError."""

    @property
    def config(self) -> Config: ...

    async def apply(self, config: Config) -> object:
        """Takes a configuration into force and writes it."""
        ...


class FirstRun(Sheet):
    """Nothing is written before the last step; leaving it earlier changes nothing."""

    done_well = Signal(str)
    """It is applied; what to tell, in words."""

    def __init__(
        self,
        look: Look,
        icons: Icons,
        parent: QWidget,
        desk: FirstRunDesk,
        keys: AccountDesk,
        *,
        setup: Setup,
        book: Book,
    ) -> None:
        super().__init__(look, icons, parent, name="first_run", title="Set up ExEngine", width=760)
        self._desk, self._keys = desk, keys
        self.step_words = Label(look, token="muted")
        self.body.addWidget(self.step_words)
        self.heading = self.add_heading("")
        self.meaning = Prose(look)
        self.body.addWidget(self.meaning)
        self.body.addSpacing(8)
        answers = answers_of(desk.config)
        self.where = WherePage(look, icons, answers)
        self.keys_page = KeysPage(look, icons, keys, self._account)
        self.capital = CapitalPage(look, answers, desk.config)
        self.webhook = WebhookPage(look, icons, answers, setup, book)
        self.limits = LimitsPage(look, answers)
        self.pages: tuple[WizardPage, ...] = (
            self.where, self.keys_page, self.capital, self.webhook, self.limits,
        )  # fmt: skip
        self._stack = QStackedWidget()
        for page in self.pages:
            self._stack.addWidget(page)
            page.changed.connect(self._refresh)
        self.body.addWidget(self._stack)
        self._say = Remark(look, icons)
        self.body.addWidget(self._say)
        self._busy = False
        self.skip = self.add_cancel("Skip setup", default=False)
        self.buttons.insertStretch(1, 1)
        self.back = self.add_action("Back", kind="")
        self.next = self.add_action("Next", kind="primary")
        for made, call in ((self.back, self.go_back), (self.next, self.go_on)):
            made.clicked.disconnect()
            made.clicked.connect(call)
        self.go_to(0)

    # Steps

    @property
    def at(self) -> int:
        return self._stack.currentIndex()

    @property
    def answers(self) -> Answers:
        """Everything that was answered so far."""
        found = Answers()
        for page in self.pages:
            found = replace(found, **page.answers())
        return found

    def _account(self) -> AccountPage:
        return account_page(self.answers)

    def _steps(self) -> list[int]:
        """The pages that there are: paper has no keys."""
        return [place for place in range(len(self.pages)) if place != 1 or not self.answers.is_paper]

    def go_to(self, place: int) -> None:
        self._stack.setCurrentIndex(place)
        page = self.pages[place]
        self.heading.setText(page.heading)
        self.meaning.say(page.meaning)
        page.begin(self.answers)
        self._tell("")
        self._refresh()
        page.first_field.setFocus()

    def go_back(self) -> None:
        steps = self._steps()
        here = steps.index(self.at)
        if here > 0:
            self.go_to(steps[here - 1])

    def go_on(self) -> None:
        """To the next step; from the last one, takes it all into force."""
        steps = self._steps()
        here = steps.index(self.at)
        if here < len(steps) - 1:
            self.go_to(steps[here + 1])
        else:
            self._finish()

    def _refresh(self) -> None:
        steps = self._steps()
        here = steps.index(self.at)
        is_last = here == len(steps) - 1
        is_live = is_last and self.answers.is_live
        self.show_mode(Mode.LIVE if is_live else None)
        self.limits.ask_word(self.answers.name if is_live else "", self._orders() if is_live else "")
        why = self.pages[self.at].why_not()
        self.step_words.setText(f"Step {here + 1} of {len(steps)}")
        self.back.setEnabled(here > 0 and not self._busy)
        self.next.setText(self._last_words() if is_last else "Next")
        self.next.setEnabled(not why and not self._busy)
        self.next.setToolTip(why)
        # Enter goes on to the next question; what takes it all into force wants a click.
        self.next.setDefault(not is_last)
        set_kind(self.next, "danger" if is_live else "primary")

    def _orders(self) -> str:
        """What will be placed, as far as the answers tell; what is wrong with them is said when they are taken."""
        try:
            orders = real_orders(configured(self._desk.config, self.answers), QUOTE)
        except ConfigError:
            orders = "New alerts will place real orders."
        return orders if self.keys_page.findings else f"{orders} Its connection was never tested: step 2 does that."

    def _last_words(self) -> str:
        return "Trade real money" if self.answers.is_live else "Start"

    # The end

    def _finish(self) -> None:
        answers = self.answers
        try:
            config = configured(self._desk.config, answers)
        except ConfigError as error:
            self._refused(error.problems)
            return
        self._busy = True
        self._refresh()
        spawn(self._apply(config, answers), name="first run", on_error=self._on_error)

    async def _apply(self, config: Config, answers: Answers) -> None:
        keys = self.keys_page.keys
        if keys is not None and not answers.is_paper:
            if not await place_is_open(self, self._keys):
                self._busy = False
                self._refresh()
                self._tell("The keys were not kept, and nothing was changed: there is no place for them yet.")
                return
            await self._keys.keep(answers.name.strip(), keys)
        await self._desk.apply(config)
        where = "paper money" if answers.is_paper else answers.name.strip()
        self.done_well.emit(f"ExEngine is set up: it trades {where} and waits for alerts")
        self.accept()

    def _refused(self, problems: tuple[Problem, ...]) -> None:
        """Goes to the page of the first thing that is wrong."""
        first = problems[0]
        part = str(first.place[0]) if first.place else ""
        place = 4 if first.path == "pool.max_exposure" else PAGE_OF.get(part, self.at)
        self.go_to(place)
        self._tell("; ".join(named(problem) for problem in problems[:3]) + ".")

    def _on_error(self, error: BaseException) -> None:
        self._busy = False
        self._refresh()
        if isinstance(error, ConfigError) and error.problems:
            self._refused(error.problems)
            return
        self._tell(str(error) if isinstance(error, UserError) else f"It could not be applied: {error}")

    def _tell(self, text: str) -> None:
        self._say.say(text)


SEEN = "window_ways/first_run_seen"


def offer_first_run(window: Window, desk: FirstRunDesk, keys: AccountDesk, *, is_first: bool) -> None:
    """Puts the wizard into the Help menu and the first steps; at a first start it comes up by itself, once."""

    def ask() -> None:
        sheet = FirstRun(window.look, window.icons, window, desk, keys, setup=window.clicks.setup, book=window.book)
        window.clicks.serve(sheet.webhook.form)
        sheet.done_well.connect(lambda words: window.toasts.say(words, "success"))
        window.clicks.show(sheet)

    window.registry.add(
        Action(
            id="first_run", text="Set up ExEngine…", call=ask, menu="Help", group="first", acts=True,
            words="wizard first start account keys paper exchange",
        )
    )  # fmt: skip
    steps = window.positions.first_steps
    steps.account_asked.connect(ask)
    steps.offer_account()
    if is_first and not window.layouts.flag(SEEN, False):
        window.layouts.save(SEEN, True)
        QTimer.singleShot(0, window, ask)
