"""An order as a fold over what happens to it, through an explicit table of (status, happening) to status (SPEC §5)."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from hashlib import sha256
from typing import Any

from exengine.domain.changed import changed
from exengine.domain.instrument import OrderSide
from exengine.domain.money import ZERO

LegRef = tuple[int, int]
"""(pyramid, leg) within a group."""


def entry_name(ref: LegRef) -> str:
    """A leg's entry as log lines name it: `Entry of pyramid 1, DCA4`."""
    return f"Entry of pyramid {ref[0] + 1}, DCA{ref[1]}"


class Role(Enum):
    """What an order is for."""

    ENTRY = "entry"
    TP = "tp"
    CLOSE = "close"
    RISK = "risk"
    STOP = "stop"

    # A member is the only one of its value: what it is stands for what it says, and is quicker to look up.
    __hash__ = object.__hash__


class OrderType(Enum):
    LIMIT = "limit"
    MARKET = "market"
    """Sent as an IOC limit at `bound` where there is one (§4.3)."""


class OrderStatus(Enum):
    CREATED = "created"
    SENT = "sent"
    OPEN = "open"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNKNOWN = "unknown"

    __hash__ = object.__hash__  # as that of a role

    is_final: bool
    """Whether such an order is done."""

    def __init__(self, name: str) -> None:
        self.is_final = name in ("filled", "cancelled", "rejected", "expired")


class Happening(Enum):
    """What can happen to an order."""

    SEND = "send"
    ACCEPT = "accept"
    REJECT = "reject"
    PART_FILL = "part_fill"
    WHOLE_FILL = "whole_fill"
    CANCEL = "cancel"
    EXPIRE = "expire"
    LOSE = "lose"

    __hash__ = object.__hash__


class Liquidity(Enum):
    MAKER = "maker"
    TAKER = "taker"


class IllegalTransition(Exception):
    """Something happened that the state machine does not know: a defect, never the market's doing (SPEC §5)."""


def _table() -> dict[tuple[OrderStatus, Happening], OrderStatus]:
    s, h = OrderStatus, Happening
    return {
        (s.CREATED, h.SEND): s.SENT,
        # Found on the exchange at start-up, though the process died before it noted that it had sent it.
        (s.CREATED, h.ACCEPT): s.OPEN,
        (s.CREATED, h.REJECT): s.REJECTED,
        (s.CREATED, h.LOSE): s.UNKNOWN,
        (s.CREATED, h.PART_FILL): s.PARTIALLY_FILLED,
        (s.CREATED, h.WHOLE_FILL): s.FILLED,
        # Withdrawn by us before it was ever sent.
        (s.CREATED, h.CANCEL): s.CANCELLED,
        (s.CREATED, h.EXPIRE): s.EXPIRED,
        # Sent once more under the same id, after the exchange surely did not have it.
        (s.SENT, h.SEND): s.SENT,
        (s.SENT, h.ACCEPT): s.OPEN,
        (s.SENT, h.REJECT): s.REJECTED,
        (s.SENT, h.LOSE): s.UNKNOWN,
        (s.SENT, h.PART_FILL): s.PARTIALLY_FILLED,
        (s.SENT, h.WHOLE_FILL): s.FILLED,
        (s.SENT, h.CANCEL): s.CANCELLED,
        (s.SENT, h.EXPIRE): s.EXPIRED,
        (s.UNKNOWN, h.SEND): s.SENT,
        (s.UNKNOWN, h.ACCEPT): s.OPEN,
        (s.UNKNOWN, h.REJECT): s.REJECTED,
        (s.UNKNOWN, h.LOSE): s.UNKNOWN,
        (s.UNKNOWN, h.PART_FILL): s.PARTIALLY_FILLED,
        (s.UNKNOWN, h.WHOLE_FILL): s.FILLED,
        (s.UNKNOWN, h.CANCEL): s.CANCELLED,
        (s.UNKNOWN, h.EXPIRE): s.EXPIRED,
        # The stream was faster than our own note of the sending, or poll and stream both told it.
        (s.OPEN, h.SEND): s.OPEN,
        (s.OPEN, h.ACCEPT): s.OPEN,
        (s.OPEN, h.PART_FILL): s.PARTIALLY_FILLED,
        (s.OPEN, h.WHOLE_FILL): s.FILLED,
        (s.OPEN, h.CANCEL): s.CANCELLED,
        (s.OPEN, h.EXPIRE): s.EXPIRED,
        # Acknowledged first, refused afterwards: bybit and okx do that.
        (s.OPEN, h.REJECT): s.REJECTED,
        # An answer lost after the stream had told of the order changes nothing.
        (s.OPEN, h.LOSE): s.OPEN,
        (s.PARTIALLY_FILLED, h.SEND): s.PARTIALLY_FILLED,
        (s.PARTIALLY_FILLED, h.ACCEPT): s.PARTIALLY_FILLED,
        (s.PARTIALLY_FILLED, h.PART_FILL): s.PARTIALLY_FILLED,
        (s.PARTIALLY_FILLED, h.WHOLE_FILL): s.FILLED,
        (s.PARTIALLY_FILLED, h.CANCEL): s.CANCELLED,
        (s.PARTIALLY_FILLED, h.EXPIRE): s.EXPIRED,
        (s.PARTIALLY_FILLED, h.LOSE): s.PARTIALLY_FILLED,
        # More filled than ordered: the real amount counts (FAULTS 18).
        (s.FILLED, h.WHOLE_FILL): s.FILLED,
        # Late news of an order that is done.
        (s.FILLED, h.SEND): s.FILLED,
        (s.FILLED, h.ACCEPT): s.FILLED,
        (s.FILLED, h.CANCEL): s.FILLED,
        (s.FILLED, h.EXPIRE): s.FILLED,
        (s.FILLED, h.LOSE): s.FILLED,
        (s.CANCELLED, h.SEND): s.CANCELLED,
        (s.CANCELLED, h.ACCEPT): s.CANCELLED,
        (s.CANCELLED, h.CANCEL): s.CANCELLED,
        (s.CANCELLED, h.EXPIRE): s.CANCELLED,
        (s.CANCELLED, h.LOSE): s.CANCELLED,
        # The fill was on its way when the cancel was confirmed (FAULTS 15, 16).
        (s.CANCELLED, h.PART_FILL): s.CANCELLED,
        (s.CANCELLED, h.WHOLE_FILL): s.FILLED,
        (s.EXPIRED, h.SEND): s.EXPIRED,
        (s.EXPIRED, h.ACCEPT): s.EXPIRED,
        (s.EXPIRED, h.CANCEL): s.EXPIRED,
        (s.EXPIRED, h.EXPIRE): s.EXPIRED,
        (s.EXPIRED, h.LOSE): s.EXPIRED,
        (s.EXPIRED, h.PART_FILL): s.EXPIRED,
        (s.EXPIRED, h.WHOLE_FILL): s.FILLED,
        (s.REJECTED, h.SEND): s.REJECTED,
        # The answer that acknowledged it came after the stream had told of the refusal.
        (s.REJECTED, h.ACCEPT): s.REJECTED,
        (s.REJECTED, h.REJECT): s.REJECTED,
        (s.REJECTED, h.CANCEL): s.REJECTED,
        (s.REJECTED, h.EXPIRE): s.REJECTED,
        (s.REJECTED, h.LOSE): s.REJECTED,
        # The exchange said no and filled it all the same: money moved, so it counts.
        (s.REJECTED, h.PART_FILL): s.PARTIALLY_FILLED,
        (s.REJECTED, h.WHOLE_FILL): s.FILLED,
    }


TRANSITIONS = _table()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution of an order. Quantity in contracts on swap; `fee` in `fee_currency`, above zero = paid."""

    client_id: str
    trade_id: str
    at_ms: int
    price: Decimal
    qty: Decimal
    fee: Decimal
    fee_currency: str
    liquidity: Liquidity


@dataclass(frozen=True, kw_only=True)
class Order:
    """One order, from its decision to its end. Prices in quote, quantities in contracts on swap."""

    client_id: str
    group_id: str
    account: str
    symbol: str
    role: Role
    pyramid: int | None = None
    leg: int | None = None
    covers: tuple[LegRef, ...] = ()
    """The legs that a closing order takes from; an entry has none."""
    takes: tuple[Decimal, ...] = ()
    """How much of each covered leg, in order; empty = pro rata to what each holds."""
    side: OrderSide
    type: OrderType
    price: Decimal | None = None
    """The limit; None for market orders."""
    bound: Decimal | None = None
    """The worst price at which a market order may fill; None = any."""
    qty: Decimal
    post_only: bool = False
    signal_id: int | None = None
    """The alert that it goes back to, where it is one."""
    cause: str = ""
    """What it goes back to, whatever that is: see `domain.cause`."""
    created_at_ms: int
    status: OrderStatus = OrderStatus.CREATED
    cancel_requested: bool = False
    exchange_order_id: str | None = None
    filled_qty: Decimal = ZERO
    filled_value: Decimal = ZERO
    """Σ price × quantity of its fills."""
    trade_ids: tuple[str, ...] = ()
    sent_at_ms: int | None = None
    acknowledged_at_ms: int | None = None
    closed_at_ms: int | None = None
    error: str | None = None

    @property
    def leaves_qty(self) -> Decimal:
        """What may still fill."""
        if self.status.is_final:
            return ZERO
        left = self.qty - self.filled_qty
        return left if left > 0 else ZERO

    @property
    def average_price(self) -> Decimal | None:
        return self.filled_value / self.filled_qty if self.filled_qty else None

    @property
    def slot(self) -> str:
        """What it is of in its group: an order that is made again stands in the same place."""
        return f"{self.role.value} {self.pyramid} {self.leg}"

    @property
    def is_working(self) -> bool:
        """Whether the exchange has it, or may have it, or soon will."""
        return not self.status.is_final

    def after(self, happening: Happening, now_ms: int, **more: Any) -> "Order":
        """The order after `happening`, with `more` of its fields as that has told them; itself where nothing differs.

        Raises IllegalTransition where the table has no such arrow.
        """
        status = TRANSITIONS.get((self.status, happening))
        if status is None:
            raise IllegalTransition(f"order {self.client_id}: {self.status.value} cannot {happening.value}")
        if happening is Happening.SEND:
            if self.sent_at_ms is None:
                more["sent_at_ms"] = now_ms
        elif self.acknowledged_at_ms is None and happening is not Happening.LOSE:
            more["acknowledged_at_ms"] = now_ms
        if status is not self.status:
            more["status"] = status
            more["closed_at_ms"] = now_ms if status.is_final else None
        elif status.is_final and self.closed_at_ms is None:
            more["closed_at_ms"] = now_ms
        return changed(self, **more) if more else self

    def filled(self, fill: Fill) -> "Order":
        """The order after `fill`; the same order where that trade was applied before (FAULTS 13)."""
        if fill.trade_id in self.trade_ids:
            return self
        if fill.qty <= 0 or fill.price <= 0:
            raise IllegalTransition(f"order {self.client_id}: a fill of {fill.qty} at {fill.price}")
        filled_qty = self.filled_qty + fill.qty
        happening = Happening.WHOLE_FILL if filled_qty >= self.qty else Happening.PART_FILL
        return self.after(
            happening,
            fill.at_ms,
            filled_qty=filled_qty,
            filled_value=self.filled_value + fill.price * fill.qty,
            trade_ids=(*self.trade_ids, fill.trade_id),
        )


_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS = [first + second for second in _ALPHABET for first in _ALPHABET]


def _base62(data: bytes, length: int) -> str:
    """The lowest digits, the lowest one first."""
    number, text = int.from_bytes(data, "big") % 62**length, ""
    for _ in range(0, length, 2):
        number, digits = divmod(number, 62 * 62)
        text += _PAIRS[digits]
    return text[:length]


@lru_cache(maxsize=16)
def own_prefix(instance: str) -> str:
    """The first five characters of every client order id that the engine with this store has ever made.

    A store that came back from a backup is called after the one that it was, with a `~` and something new behind it:
    orders of the history that was lost are still known as its own, though their ids are never made again.
    """
    return "x" + _base62(sha256(instance.partition("~")[0].encode()).digest(), 4)


def client_order_id(instance: str, key: str) -> str:
    """The client order id of the order `key`: always the same one, so that a re-sent order is the same order (§10).

    `x`, four characters that tell this store's orders from another's, and 21 of the key's digest (125 bits).
    """
    return own_prefix(instance) + _base62(sha256(f"{instance}\n{key}".encode()).digest(), 21)
