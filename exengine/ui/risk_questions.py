"""The questions before a forced entry, a plan that is run now, and books that take the exchange's view over."""

from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal

from PySide6.QtWidgets import QWidget

from exengine.engine.panel_rows import PlanLine, PlanView, RiskRow, RiskSummary, WaitingRow
from exengine.engine.rows import EngineRow, GroupRow, Mode
from exengine.ui import format as fmt
from exengine.ui import risk_words, words
from exengine.ui.book import Book
from exengine.ui.icons import Icons
from exengine.ui.panel_dock import note_rows
from exengine.ui.pieces import Label, Prose
from exengine.ui.queue_model import name_of
from exengine.ui.risk_model import PlanModel, plan_rows
from exengine.ui.sheet import Sheet
from exengine.ui.table import Table
from exengine.ui.theme import Look


class ForceSheet(Sheet):
    """One entry more than the pool allows."""

    def __init__(
        self, look: Look, icons: Icons, parent: QWidget, row: WaitingRow, engine: EngineRow, mode: Mode
    ) -> None:
        super().__init__(look, icons, parent, name="force_sheet", title="Force an entry", mode=mode)
        self.row = row
        self.heading = self.add_heading(f"Open {_ordinal(engine.pool_used + 1)} group?")
        self.meaning = Prose(look)
        adds = f"adds up to **{fmt.number(row.capital, fmt.quote_decimals(row.quote))} {row.quote}** now"
        adds = adds if row.capital is not None else "adds as much as its pyramid may spend"
        side = words.SIDES[row.side][0].lower()
        self.meaning.say(
            f"The pool is {engine.pool_limit:,}, and {engine.pool_used:,} groups are open. **{name_of(row)}** {side} "
            f"{adds}, on {row.account}, {words.MODES[mode][0]}. It is flagged in the log."
        )
        self.body.addWidget(self.meaning)
        self.buttons.addWidget(Label(look, "Enter and Esc cancel.", token="muted"), 1)
        self.cancel = self.add_cancel()
        self.action = self.add_action("Force", kind="danger")
        self.cancel.setFocus()


class RunSheet(Sheet):
    """A plan of the risk engine before its timer has run out."""

    def __init__(
        self,
        look: Look,
        icons: Icons,
        parent: QWidget,
        row: RiskRow,
        plan: PlanView,
        about: RiskSummary,
        book: Book,
        mode_of: Callable[[str], Mode],
    ) -> None:
        """`mode_of` says of an account whether its money is real."""
        mode = most_real(mode_of(line.account) for line in plan.lines)
        super().__init__(look, icons, parent, name="run_sheet", title="Run the risk engine", mode=mode, width=560)
        self.loser_id, self._book, self._mode_of = row.id, book, mode_of
        self.heading = self.add_heading("")
        self.meaning = Prose(look)
        self.body.addWidget(self.meaning)
        self.body.addSpacing(4)
        self.model = PlanModel(self)
        self.table = Table(look, icons, self.model, name="run_plan_table", title="What is closed")
        self.table.heading.lie_flat()
        self.body.addWidget(self.table)
        self.buttons.addWidget(Label(look, "Enter and Esc cancel.", token="muted"), 1)
        self.cancel = self.add_cancel()
        self.action = self.add_action("Run plan", kind="danger")
        self.show_plan(row, plan, about)
        self.cancel.setFocus()

    def show_plan(self, row: RiskRow | None, plan: PlanView | None, about: RiskSummary | None) -> None:
        """Shows the numbers of this moment; a plan that is no longer to be had can no longer be run."""
        fits = row is not None and about is not None and about.next_id == self.loser_id
        if not fits or plan is None or plan.loser_id != self.loser_id or not plan.winners:
            self.meaning.say("Prices have moved: this plan is no longer to be had. Nothing was closed.")
            self.action.setEnabled(False)
            return
        assert row is not None
        assert about is not None
        self.action.setEnabled(True)
        name, paid = risk_words.name_of(row), risk_words.counted(len(plan.winners), "winner")
        share = "" if plan.loser is None or plan.loser.whole else "a part of "
        self.heading.setText(f"Close {share}{name} with {paid} now?")
        more = about.candidates - 1
        follow = f" Up to {fmt.count(more, 'further candidate')} may follow at once." if more > 0 else ""
        self.meaning.say(
            f"{self._orders(plan)} The winners are closed first, then the loser by as much as they really bring. "
            f"**{fmt.number(plan.required_usd, 2)} USD** is needed.{follow}"
        )
        self.model.replace(plan_rows(plan), 0)
        lines = self.model.rowCount()
        self.table.setFixedHeight(lines * self.look.row_height() + self.table.heading.sizeHint().height())
        note_rows(self.table)

    def _orders(self, plan: PlanView) -> str:
        """How many orders, how much money they move, and on which accounts of which mode."""
        worth = [self._worth(line) for line in plan.lines]
        known = [usd for usd in worth if usd is not None]
        about = f", about **{fmt.number(sum(known, Decimal(0)), 2)} USD**" if len(known) == len(worth) else ""
        counts = Counter(line.account for line in plan.lines)
        places = [f"on {account}, {words.MODES[self._mode_of(account)][0]}" for account in counts]
        orders = f"**{fmt.count(len(plan.lines), 'market order')}**"
        if len(places) == 1:
            return f"{orders} {places[0]}{about}."
        shares = [f"**{count:,}** {place}" for count, place in zip(counts.values(), places, strict=True)]
        return f"{orders}{about}: {fmt.listed(shares, ', and ')}."

    def _worth(self, line: PlanLine) -> Decimal | None:
        """What the part that is closed is worth now, in USD; None where no price is known."""
        group = self._book.groups.get(line.group_id)
        whole = self._book.notional_usd(group) if group is not None else None
        if group is None or whole is None or not group.holding.net_base:
            return None
        return whole * min(line.qty / abs(group.holding.net_base), Decimal(1))


class AdoptSheet(Sheet):
    """A group whose coins are gone is booked as the exchange has it."""

    def __init__(self, look: Look, icons: Icons, parent: QWidget, group: GroupRow, mode: Mode) -> None:
        super().__init__(look, icons, parent, name="adopt_sheet", title="Coins are missing", mode=mode)
        name = f"{fmt.pair(group.symbol)} {group.timeframe}"
        self.heading = self.add_heading(f"Adopt the exchange’s view of {name}?")
        self.meaning = Prose(look)
        self.meaning.say(adopt_meaning(group, mode))
        self.body.addWidget(self.meaning)
        self.buttons.addWidget(Label(look, "Enter and Esc cancel.", token="muted"), 1)
        self.cancel = self.add_cancel()
        self.action = self.add_action("Adopt", kind="danger")
        self.cancel.setFocus()


def adopt_meaning(group: GroupRow, mode: Mode) -> str:
    """What adopting would book, in words."""
    missing = min(max(group.missing_qty or Decimal(0), Decimal(0)), group.net_qty)
    gone = f"**{fmt.trimmed(missing, group.qty_decimals)} {group.base}**"
    why = (group.error or "").rstrip(".")
    said = f"{why[:1].upper()}{why[1:]}. " if why else ""
    cost = group.holding.cost * missing / group.net_qty if group.net_qty else Decimal(0)
    at = f"their cost of about **{fmt.number(cost, fmt.quote_decimals(group.quote))} {group.quote}**"
    return (
        f"{said}Of this group {gone} count as closed by hand, at {at}: the books show neither gain nor loss. "
        f"What is left goes on. No order is sent on {group.account}, {words.MODES[mode][0]}. This cannot be undone."
    )


def most_real(modes: Iterable[Mode]) -> Mode:
    """Real money if any of it is."""
    order = (Mode.PAPER, Mode.TESTNET, Mode.LIVE)
    return max(modes, key=order.index)


def _ordinal(number: int) -> str:
    """`a 7th`, `an 11th`."""
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    article = "an" if str(number).startswith("8") or number in (11, 18) else "a"
    return f"{article} {number:,}{ending}"
