"""A replay, put together from inputs that were read and checked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from exengine.bootstrap.paper import paper_fees
from exengine.domain.instrument import Instrument
from exengine.domain.money import ZERO
from exengine.domain.reception import Arrival, IntakeRefusal, arrival_of
from exengine.domain.settings import Settings
from exengine.domain.signal_body import body_secret
from exengine.domain.state import State
from exengine.exchange.paper_book import PaperBook
from exengine.replay.curve import Curve, Point
from exengine.replay.driver import Market, Record, Replay
from exengine.replay.signals_file import Recorded, RecordedSignal
from exengine.replay.tape import Tape
from exengine.webhook.auth import matches

SOURCE = "replay"
"""What stands for the caller's address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayInputs:
    """What a replay is made of, read and checked. It needs no file any more, and can be sent to another process."""

    settings: Settings
    instruments: tuple[Instrument, ...]
    tapes: Mapping[str, Tape]
    """The prices, by exchange id."""
    recorded: Sequence[Recorded]
    secret: str | None
    """What the bodies' secret must be; None = not asked for."""

    @property
    def span_ms(self) -> tuple[int, int] | None:
        """The first price's time and the last one's; None without prices."""
        tapes = [tape for tape in self.tapes.values() if len(tape)]
        return (min(tape.time(0) for tape in tapes), max(tape.time(-1) for tape in tapes)) if tapes else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A replay that has come to its end."""

    state: State
    record: Record
    points: list[Point]
    events: int
    """How many prices, signals and commands it had."""


def play(inputs: ReplayInputs, told: Callable[[int, int], Any] = lambda at_ms, events: None) -> Played:
    """Plays it to its end; `told` hears now and then of the time that it has come to, and of how many events."""
    run, curve = replay(inputs)
    span = inputs.span_ms
    times = [one.at_ms for one in inputs.recorded] + ([] if span is None else [span[0]])
    if times:
        curve.mark(min(times), closed=False)
    last = 0
    for at_ms in run.run(inputs.tapes, inputs.recorded):
        last = at_ms
        told(at_ms, run.events)
    if times:
        curve.mark(last, closed=False)
    return Played(state=run.state, record=run.record, points=curve.points, events=run.events)


def replay(inputs: ReplayInputs) -> tuple[Replay, Curve]:
    """A replay, ready to run: every account is a paper account with a capital and fees of its own (SPEC §14)."""
    settings = inputs.settings
    state = State(instance="replay", settings=settings)
    markets = []
    for account in settings.accounts:
        if not account.enabled:
            continue
        slippage = account.paper_slippage_percent or ZERO
        book = PaperBook(account.name, fees=paper_fees(account), slippage_percent=slippage, leverage=account.leverage)
        listed = tuple(one for one in inputs.instruments if one.type is account.market_type)
        book.list_instruments(listed)
        for currency, amount in account.balances.items():
            state.start[account.name, currency] = amount
            book.deposit(currency, amount)
        markets.append(Market(book=book, instruments=listed))
    record = Record()
    curve = Curve(state=state, record=record)
    return Replay(state, markets, record, partial(received, secret=inputs.secret), curve.mark), curve


def has_secret(recorded: RecordedSignal, secret: str) -> bool:
    """Whether a recorded body has the right secret."""
    return matches(body_secret(recorded.body) or "", secret)


def received(recorded: RecordedSignal, *, secret: str | None) -> Arrival:
    """What the listener would have made of a recorded body."""
    if secret is not None and not has_secret(recorded, secret):
        return Arrival(
            received_at_ms=recorded.at_ms, source_address=SOURCE, body="", refusal=IntakeRefusal.UNAUTHORIZED
        )
    return arrival_of(recorded.body, received_at_ms=recorded.at_ms, source_address=SOURCE)
