"""The paper exchange's matching, as SPEC §11 has it: pure of clocks and tasks, the same live and in replay."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from exengine.domain.events import (
    Event,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
)
from exengine.domain.instrument import Instrument, MarketType, OrderSide
from exengine.domain.money import ZERO, arithmetic, plain
from exengine.domain.order import Fill, Liquidity, Order, OrderType


@dataclass(frozen=True, slots=True, kw_only=True)
class Fees:
    """Shares, not per cent. None = the instrument's own."""

    maker: Decimal | None = None
    taker: Decimal | None = None


@dataclass(slots=True, kw_only=True)
class _Resting:
    order: Order
    instrument: Instrument
    left: Decimal
    trades: int = 0

    def fills_at(self, price: Decimal) -> bool:
        """Whether a price fills it: a market order, any."""
        limit = self.order.price
        return limit is None or _reaches(self.order.side, limit, price)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Position:
    """What an account holds of a perpetual, above zero = long, and what it was entered for."""

    contracts: Decimal = ZERO
    value: Decimal = ZERO


_SHARE = Decimal("1e-24")
"""To this a part of a position's value is rounded, so that the rest stays an exact difference."""


class PaperBook:
    """One paper account's exchange: its orders, what it owns, and fills at the prices that are told to it.

    - A market order, and a limit that crosses when it arrives, fills at once and whole at the last price, as taker.
    - Any other limit rests and fills whole at its own price, as maker, once a tick reaches it.
    - Before a symbol's first tick nothing fills; a market order then fills at that tick.
    """

    def __init__(
        self,
        account: str,
        *,
        fees: Fees | None = None,
        slippage_percent: Decimal = ZERO,
        leverage: Decimal = Decimal(1),
        part_of_fill: Callable[[Order], Decimal | None] | None = None,
    ) -> None:
        """`part_of_fill` may name a quantity smaller than an order's rest: then it fills in parts, tick by tick."""
        self.account = account
        self.leverage = leverage
        self._fees = fees or Fees()
        self._slippage = slippage_percent
        self._part = part_of_fill
        self._instruments: dict[str, Instrument] = {}
        self._last: dict[str, Decimal] = {}
        self._resting: dict[str, dict[str, _Resting]] = {}
        self._locks: dict[str, tuple[Decimal, Decimal]] = {}
        """What rests on a symbol locks of its quote and of its base; not there where the book has changed since."""
        self._bands: dict[str, tuple[Decimal | None, Decimal | None] | None] = {}
        """What `band` has found, as long."""
        self._known: dict[str, str] = {}
        self._totals: dict[str, Decimal] = {}
        self._positions: dict[str, _Position] = {}

    # what an exchange lets one ask -------------------------------------------------------------------------------

    def list_instruments(self, instruments: tuple[Instrument, ...]) -> None:
        """Lists what the market trades, with this account's fees."""
        self._instruments = {instrument.symbol: instrument for instrument in instruments}

    def totals(self) -> dict[str, Decimal]:
        """What the account holds of each currency, free or not."""
        return dict(self._totals)

    def knows(self, client_id: str) -> bool:
        """Whether an order of this id was ever accepted here."""
        return client_id in self._known

    def open_orders(self) -> list[Order]:
        return [resting.order for book in self._resting.values() for resting in book.values()]

    # before trading ------------------------------------------------------------------------------------------------

    def deposit(self, currency: str, amount: Decimal) -> None:
        self._totals[currency] = self._totals.get(currency, ZERO) + amount

    def restore(self, order: Order, instrument: Instrument) -> None:
        """Lays an order that was accepted in an earlier run into the book again, with what it has left.

        Its rules come with it: what is traded may have changed meanwhile.
        """
        self._known[order.client_id] = order.client_id
        if order.is_working:
            self._rest(order, instrument, order.leaves_qty, len(order.trade_ids))

    def restore_position(self, symbol: str, contracts: Decimal, value: Decimal) -> None:
        """A swap position of an earlier run and what it was entered for, both above zero = long."""
        there = self._positions.get(symbol, _Position())
        self._positions[symbol] = _Position(contracts=there.contracts + contracts, value=there.value + value)

    # orders ----------------------------------------------------------------------------------------------------------

    def place(self, order: Order, now_ms: int) -> list[Event]:
        """Takes an order; what an exchange would tell of it at once. A client id that is known changes nothing."""
        with arithmetic():
            if order.client_id in self._known:
                return [OrderAccepted(client_id=order.client_id, exchange_order_id=self._known[order.client_id])]
            refusal = self._refusal(order)
            if refusal is not None:
                return [OrderRejected(client_id=order.client_id, code=refusal[0], text=refusal[1])]
            self._known[order.client_id] = order.client_id
            accepted = OrderAccepted(client_id=order.client_id, exchange_order_id=order.client_id)
            return [accepted, *self._match_on_arrival(order, now_ms)]

    def cancel(self, client_id: str) -> list[Event]:
        """Takes an order out of the book. Nothing for one that is not in it: the fill was faster, or it is unknown."""
        for symbol, book in self._resting.items():
            if book.pop(client_id, None) is not None:
                self._forget(symbol)
                return [OrderCancelled(client_id=client_id)]
        return []

    def tick(self, symbol: str, price: Decimal, now_ms: int) -> Iterator[OrderFilled]:
        """Moves a symbol's price and fills what rests, oldest order first.

        The caller answers each fill before it asks for the next: an order cancelled meanwhile is gone, and one placed
        meanwhile waits for the next tick.
        """
        self._last[symbol] = price
        book = self._resting.get(symbol, {})
        for client_id in [one for one, resting in book.items() if resting.fills_at(price)]:
            resting = book.get(client_id)
            if resting is not None:
                with arithmetic():
                    fill = self._fill_resting(resting, price, now_ms)
                yield fill

    def band(self, symbol: str) -> tuple[Decimal | None, Decimal | None] | None:
        """The highest resting buy and the lowest resting sell of a symbol; None where any price fills something."""
        if symbol not in self._bands:
            self._bands[symbol] = self._band(symbol)
        return self._bands[symbol]

    def _band(self, symbol: str) -> tuple[Decimal | None, Decimal | None] | None:
        buys: list[Decimal] = []
        sells: list[Decimal] = []
        for resting in self._resting.get(symbol, {}).values():
            price = resting.order.price
            if price is None:
                return None
            (buys if resting.order.side is OrderSide.BUY else sells).append(price)
        return max(buys, default=None), min(sells, default=None)

    def holds(self, symbol: str, price: Decimal) -> bool:
        """Whether a price fills nothing."""
        ends = self.band(symbol)
        return ends is not None and (ends[0] is None or price > ends[0]) and (ends[1] is None or price < ends[1])

    def pass_by(self, symbol: str, price: Decimal) -> None:
        """Moves a symbol's price to one that fills nothing."""
        self._last[symbol] = price

    # matching --------------------------------------------------------------------------------------------------------

    def _match_on_arrival(self, order: Order, now_ms: int) -> list[Event]:
        last, instrument = self._last.get(order.symbol), self._instruments[order.symbol]
        if last is None:
            self._rest(order, instrument, order.qty)
            return []
        if order.type is OrderType.MARKET:
            price = self._slipped(order, instrument, last)
            if _is_beyond(order.side, price, order.bound):
                return [OrderExpired(client_id=order.client_id)]
            return [self._filled(_Resting(order=order, instrument=instrument, left=order.qty), price, now_ms, False)]
        assert order.price is not None
        if _reaches(order.side, order.price, last):
            resting = _Resting(order=order, instrument=instrument, left=order.qty)
            return [self._filled(resting, last, now_ms, maker=False)]
        self._rest(order, instrument, order.qty)
        return []

    def _fill_resting(self, resting: _Resting, price: Decimal, now_ms: int) -> OrderFilled:
        order = resting.order
        if order.type is OrderType.MARKET:
            self._unrest(order)
            return self._filled(resting, self._slipped(order, resting.instrument, price), now_ms, maker=False)
        assert order.price is not None
        part = self._part(order) if self._part else None
        if part is not None and 0 < part < resting.left:
            return self._filled(resting, order.price, now_ms, maker=True, qty=part)
        self._unrest(order)
        return self._filled(resting, order.price, now_ms, maker=True)

    def _filled(
        self, resting: _Resting, price: Decimal, now_ms: int, maker: bool, qty: Decimal | None = None
    ) -> OrderFilled:
        order, instrument = resting.order, resting.instrument
        qty = resting.left if qty is None else qty
        resting.left -= qty
        resting.trades += 1
        rate = self._rate(instrument, maker=maker)
        if instrument.type is MarketType.SPOT and order.side is OrderSide.BUY:
            fee, currency = qty * rate, instrument.base
        else:
            fee, currency = instrument.notional(price, qty) * rate, instrument.quote
        fill = Fill(
            client_id=order.client_id,
            trade_id=f"{order.client_id}.{resting.trades}",
            at_ms=now_ms,
            price=price,
            qty=qty,
            fee=fee,
            fee_currency=currency,
            liquidity=Liquidity.MAKER if maker else Liquidity.TAKER,
        )
        self._settle(order, instrument, fill)
        return OrderFilled(fill=fill)

    def _settle(self, order: Order, instrument: Instrument, fill: Fill) -> None:
        sign = 1 if order.side is OrderSide.BUY else -1
        if instrument.type is MarketType.SPOT:
            self.deposit(instrument.base, sign * fill.qty)
            self.deposit(instrument.quote, -sign * fill.qty * fill.price)
        else:
            self._move_position(instrument, sign, fill)
        self.deposit(fill.fee_currency, -fill.fee)

    def _move_position(self, instrument: Instrument, sign: int, fill: Fill) -> None:
        """Adds to a swap position, or takes it down: what that brings goes into the wallet, as one-way mode has it."""
        there = self._positions.get(instrument.symbol, _Position())
        held = abs(there.contracts)
        closing = min(fill.qty, held) if there.contracts * sign < 0 else ZERO
        left = there.value
        if closing:
            left = ZERO if closing == held else (there.value * (held - closing) / held).quantize(_SHARE)
            self.deposit(instrument.quote, -sign * instrument.notional(fill.price, closing) - (there.value - left))
        self._positions[instrument.symbol] = _Position(
            contracts=there.contracts + sign * fill.qty,
            value=left + sign * instrument.notional(fill.price, fill.qty - closing),
        )

    def _rest(self, order: Order, instrument: Instrument, left: Decimal, trades: int = 0) -> None:
        resting = _Resting(order=order, instrument=instrument, left=left, trades=trades)
        self._resting.setdefault(order.symbol, {})[order.client_id] = resting
        locks = self._locks.get(order.symbol)
        self._forget(order.symbol)
        if locks is not None:
            self._locks[order.symbol] = _with_lock(locks, resting)

    def _unrest(self, order: Order) -> None:
        del self._resting[order.symbol][order.client_id]
        self._forget(order.symbol)

    def _forget(self, symbol: str) -> None:
        """The book of a symbol has changed."""
        self._locks.pop(symbol, None)
        self._bands.pop(symbol, None)

    def _rate(self, instrument: Instrument, *, maker: bool) -> Decimal:
        own = self._fees.maker if maker else self._fees.taker
        if own is not None:
            return own
        return instrument.maker_fee if maker else instrument.taker_fee

    def _slipped(self, order: Order, instrument: Instrument, last: Decimal) -> Decimal:
        """The price of a market order, worsened by `sim.slippage_percent`, on the tick."""
        if not self._slippage:
            return last
        return instrument.slipped(last, order.side, self._slippage)

    # rules -----------------------------------------------------------------------------------------------------------

    def _refusal(self, order: Order) -> tuple[str, str] | None:
        """Why a real exchange would not take this order: code and words."""
        instrument = self._instruments.get(order.symbol)
        if instrument is None:
            return "unknown_symbol", f"{order.symbol} is not traded here"
        price = order.price if order.price is not None else self._last.get(order.symbol)
        if order.price is not None and not instrument.on_tick(order.price):
            return "price_filter", f"price {plain(order.price)} is not a multiple of {plain(instrument.tick_size)}"
        if order.qty % instrument.step_size:
            return "lot_size", f"quantity {plain(order.qty)} is not a multiple of {plain(instrument.step_size)}"
        if (
            order.qty <= 0
            or order.qty < instrument.min_qty
            or (instrument.max_qty is not None and order.qty > instrument.max_qty)
        ):
            return "lot_size", f"quantity {plain(order.qty)} is outside of what the exchange takes"
        if price is not None and instrument.is_below_minimum(price, order.qty):
            return "min_notional", f"{plain(order.qty)} at {plain(price)} is below {plain(instrument.min_notional)}"
        last = self._last.get(order.symbol)
        would_take = order.price is not None and last is not None and _reaches(order.side, order.price, last)
        if order.post_only and would_take:
            return "would_take", "a post-only order would have traded at once"
        if price is not None and not self._can_pay(order, instrument, price):
            return "insufficient_balance", "the account’s free balance is too small"
        return None

    def _can_pay(self, order: Order, instrument: Instrument, price: Decimal) -> bool:
        if instrument.type is MarketType.SWAP:
            return True  # margin is the engine's own check; a paper perpetual is never liquidated
        buying = order.side is OrderSide.BUY
        currency = instrument.quote if buying else instrument.base
        needed = instrument.notional(price, order.qty) if buying else order.qty
        return needed <= self._totals.get(currency, ZERO) - self._locked(currency)

    def _locked(self, currency: str) -> Decimal:
        locked = ZERO
        for symbol, book in self._resting.items():
            instrument = self._instruments.get(symbol) or next((one.instrument for one in book.values()), None)
            if instrument is None or instrument.type is MarketType.SWAP:
                continue
            if currency in {instrument.quote, instrument.base}:
                quote, base = self._locks.get(symbol) or self._summed(symbol)
                locked += quote if currency == instrument.quote else base
        return locked

    def _summed(self, symbol: str) -> tuple[Decimal, Decimal]:
        found = (ZERO, ZERO)
        for resting in self._resting[symbol].values():
            found = _with_lock(found, resting)
        self._locks[symbol] = found
        return found


def _with_lock(locks: tuple[Decimal, Decimal], resting: _Resting) -> tuple[Decimal, Decimal]:
    """What is locked of quote and of base, with one order more."""
    quote, base = locks
    if resting.order.side is OrderSide.BUY:
        return quote + resting.instrument.notional(resting.order.price or ZERO, resting.left), base
    return quote, base + resting.left


def _reaches(side: OrderSide, limit: Decimal, price: Decimal) -> bool:
    """Whether a limit order trades at `price`: a buy at or below its limit, a sell at or above."""
    return price <= limit if side is OrderSide.BUY else price >= limit


def _is_beyond(side: OrderSide, price: Decimal, bound: Decimal | None) -> bool:
    if bound is None:
        return False
    return price > bound if side is OrderSide.BUY else price < bound
