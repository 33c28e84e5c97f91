"""The ladder that an entry would lay now, by a configuration that need not run yet: what the settings show.

The very functions lay it that lay the real one, so that a preview and the orders never differ.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from exengine.domain.capital import exposure_quote, free_quote, pyramid_capital
from exengine.domain.grid import Ladder, plan_ladder
from exengine.domain.group import Leg, LegState
from exengine.domain.instrument import Instrument, MarketType, Side
from exengine.domain.money import HUNDRED, ONE, ZERO, arithmetic, decimals_of, plain
from exengine.domain.routing import rules_for
from exengine.domain.settings import AccountSettings, PyramidPlan, Settings, SizingMode, TakeProfitMode
from exengine.domain.state import State
from exengine.domain.take_profit import target_price

_CENTS = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewLeg:
    """One row."""

    index: int
    price: Decimal
    """The last one where the leg goes in at market."""
    qty: Decimal
    """What is ordered; 0 where the leg is blocked. Contracts on swap."""
    planned_qty: Decimal
    """What its weight comes to before any minimum or maximum."""
    quote: Decimal
    """What is ordered, or was planned where it is blocked, in quote."""
    target: Decimal | None
    """None where the leg is blocked, or nothing rests or is watched for it (trailing)."""
    blocked: str = ""
    """Why nothing is ordered, in words; empty where the order is placed."""
    note: str = ""
    """What the market rules changed of it: raised to the minimum, cut to the maximum."""
    market: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderPreview:
    """One pyramid and what a full group and all slots of it would take. Amounts in quote, positions whole on swap."""

    account: str
    symbol: str
    side: Side
    price: Decimal
    """Of the pretended signal: the last one unless another was asked for."""
    capital: Decimal
    """Of the first pyramid."""
    legs: tuple[PreviewLeg, ...]
    refused: str
    """Why the whole entry would be refused, in words; empty where it would be made."""
    pyramid_quote: Decimal
    group_quote: Decimal
    """All pyramids at this same price, each with its own multiplier and overrides."""
    all_slots_quote: Decimal
    pyramids: int
    slots: int
    unused_percent: Decimal
    """Where legs are blocked, the share of the capital that stays where it is (§3.1), and what rounding leaves."""
    instrument: Instrument
    override: int | None
    """Number, from 1, of the most specific override that has a say; None where there is none."""
    free_quote: Decimal
    """What the account has free at the moment."""
    leverage: Decimal = ONE
    sized_by_signal: bool = False
    """Whether each signal brings its own size, and the capital is only an example."""

    @property
    def base(self) -> str:
        return self.instrument.base

    @property
    def quote(self) -> str:
        return self.instrument.quote

    @property
    def margin(self) -> Decimal:
        """What one pyramid takes of the account's money."""
        return self.pyramid_quote / self.leverage


def ladder_preview(
    settings: Settings,
    state: State,
    *,
    account: str,
    symbol: str,
    side: Side,
    timeframe: str = "15m",
    price: Decimal | None = None,
) -> LadderPreview | None:
    """What `settings` would order for the first pyramid of a new group, at `price` or at the last one.

    None where the account is not there or off, or neither rules nor a price of the symbol are known. Nothing is
    changed. Where `sizing.mode` is `signal` each signal brings its size; then it is shown for `sizing.amount`.
    """
    found = settings.account(account)
    price = state.last(account, symbol) if price is None else price
    if found is None or not found.enabled or price is None:
        return None
    seen = replace(state, settings=settings)
    instrument = rules_for(seen, found, symbol)
    if instrument is None:
        return None
    with arithmetic():
        return _Preview(seen, found, instrument, side, timeframe, price).made()


def _unused_percent(capital: Decimal, ordered: Decimal) -> Decimal:
    if capital <= 0:
        return ZERO
    return max((capital - ordered) / capital * HUNDRED, ZERO).quantize(Decimal("0.1"))


class _Preview:
    def __init__(
        self,
        state: State,
        account: AccountSettings,
        instrument: Instrument,
        side: Side,
        timeframe: str,
        price: Decimal,
    ) -> None:
        self._state, self._account, self._instrument = state, account, instrument
        self._side, self._timeframe, self._price = side, timeframe, price
        self._last = state.last(account.name, instrument.symbol)

    def made(self) -> LadderPreview:
        state, instrument = self._state, self._instrument
        plan = self._plan(0)
        capital, ladder = self._ladder(plan, 0)
        pyramids = [self._ladder(self._plan(index), index)[1] for index in range(1, plan.grid.max_pyramids)]
        one = self._ordered(ladder)
        group = one + sum((self._ordered(other) for other in pyramids), ZERO)
        slots = state.settings.pool.max_open_groups
        blocked = [leg for leg in ladder.legs if leg.state is LegState.BLOCKED]
        return LadderPreview(
            account=self._account.name,
            symbol=instrument.symbol,
            side=self._side,
            price=self._price,
            capital=capital,
            legs=tuple(self._rows(plan, ladder, capital)),
            refused=self._refused(ladder, one),
            pyramid_quote=one,
            group_quote=group,
            all_slots_quote=group * slots,
            pyramids=plan.grid.max_pyramids,
            slots=slots,
            unused_percent=_unused_percent(capital, one) if blocked else ZERO,
            instrument=instrument,
            override=self._override(),
            free_quote=free_quote(state, self._account, instrument.quote),
            leverage=state.leverage(self._account.name),
            sized_by_signal=plan.sizing.mode is SizingMode.SIGNAL,
        )

    def _plan(self, pyramid: int) -> PyramidPlan:
        return self._state.settings.plan(
            account=self._account.name,
            symbol=self._instrument.symbol,
            timeframe=self._timeframe,
            side=self._side,
            pyramid=pyramid,
        )

    def _override(self) -> int | None:
        fits = []
        for number, rule in enumerate(self._state.settings.overrides, start=1):
            score = rule.match.score(
                account=self._account.name,
                symbol=self._instrument.symbol,
                timeframe=self._timeframe,
                side=self._side,
                pyramid=0,
            )
            if score is not None:
                fits.append((score, number))
        return max(fits)[1] if fits else None

    def _ladder(self, plan: PyramidPlan, index: int) -> tuple[Decimal, Ladder]:
        capital = pyramid_capital(self._state, self._account, self._instrument, plan, index, None)
        if capital is None:
            capital = plan.sizing.amount * plan.grid.multiplier(index)
        ladder = plan_ladder(
            grid=plan.grid,
            instrument=self._instrument,
            side=self._side,
            signal_price=self._price,
            group_base=self._price,
            capital=capital,
            last=self._last,
        )
        return capital, ladder

    def _worth(self, leg: Leg) -> Decimal:
        """The price that a leg's quantity is reckoned at."""
        return self._last if leg.market and self._last is not None else leg.price

    def _ordered(self, ladder: Ladder) -> Decimal:
        return ladder.needed_quote(self._instrument.contract_size, self._last)

    def _rows(self, plan: PyramidPlan, ladder: Ladder, capital: Decimal) -> list[PreviewLeg]:
        notes = dict(warning.split(": ", 1) for warning in ladder.warnings)
        together = self._target_of_all(plan, ladder)
        rows = []
        for leg in ladder.legs:
            price, size = self._worth(leg), self._instrument.contract_size
            planned = ZERO
            if price > 0:
                planned = self._instrument.qty_floor(capital * leg.weight_percent / HUNDRED / (price * size))
            is_blocked = leg.state is LegState.BLOCKED
            rows.append(
                PreviewLeg(
                    index=leg.index,
                    price=price,
                    qty=leg.qty,
                    planned_qty=planned,
                    quote=(planned if is_blocked else leg.qty) * price * size,
                    target=None if is_blocked else self._target(plan, leg, together),
                    blocked=self._why_blocked(leg, planned, price) if is_blocked else "",
                    note="" if is_blocked else notes.get(f"DCA{leg.index}", ""),
                    market=leg.market,
                )
            )
        return rows

    def _target(self, plan: PyramidPlan, leg: Leg, together: Decimal | None) -> Decimal | None:
        if plan.take_profit.trailing_percent is not None:
            return None
        if plan.take_profit.mode in (TakeProfitMode.LEG, TakeProfitMode.HYBRID):
            return target_price(self._instrument, self._side, self._worth(leg), leg.tp_percent)
        return together

    def _target_of_all(self, plan: PyramidPlan, ladder: Ladder) -> Decimal | None:
        """The one target of the pyramid once all that is placed has filled."""
        qty = sum((leg.qty for leg in ladder.legs), ZERO)
        if not qty:
            return None
        average = sum((leg.qty * self._worth(leg) for leg in ladder.legs), ZERO) / qty
        return target_price(self._instrument, self._side, average, plan.take_profit.percent)

    def _why_blocked(self, leg: Leg, planned: Decimal, price: Decimal) -> str:
        rules = self._instrument
        unit = "contracts" if rules.type is MarketType.SWAP else rules.base
        worth = rules.notional(price, planned)
        if price <= 0 or (rules.max_qty is not None and planned > rules.max_qty):
            return leg.error or ""
        if planned <= 0:
            return f"It is too little for one step of {plain(rules.step_size)} {unit}"
        if planned < rules.min_qty:
            return f"{plain(planned)} {unit} is under the minimum quantity of {plain(rules.min_qty)}"
        least = f"{rules.min_notional:.{max(2, decimals_of(rules.min_notional))}f}"
        return f"{_cents(worth)} {rules.quote} is under the minimum notional of {least}"

    def _refused(self, ladder: Ladder, needed: Decimal) -> str:
        """Why `entry.enter` would say no, in the order of its checks; pool, queue and pause aside: they pass."""
        state, account, quote = self._state, self._account, self._instrument.quote
        if self._side is Side.SHORT and account.market_type is MarketType.SPOT:
            return "A spot account cannot go short"
        if ladder.reject:
            all_blocked = all(leg.state is LegState.BLOCKED for leg in ladder.legs)
            return "Every leg is under the exchange’s minimum" if all_blocked else "A leg is under the minimum"
        free = free_quote(state, account, quote)
        if needed / state.leverage(account.name) > free:
            return f"{account.name} has {plain(free.quantize(_CENTS))} {quote} free"
        limit = state.settings.pool.max_exposure
        if limit is not None and exposure_quote(state) + needed > limit:
            return f"It would pass the most exposure of {plain(limit)}"
        return ""


def _cents(amount: Decimal) -> str:
    """`5.00`: with both cents; less than one of them with all its digits."""
    return f"{amount:.2f}" if not amount or amount >= _CENTS else plain(amount)
