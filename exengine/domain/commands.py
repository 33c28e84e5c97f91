"""What `decide` wants done at an exchange: each command names an order that is stored before it is carried out."""

from dataclasses import dataclass

from exengine.domain.order import Order


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOrder:
    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveOrder:
    """Ask the exchange by client order id what became of it; send it if it surely is not there (§10)."""

    order: Order


Command = PlaceOrder | CancelOrder | ResolveOrder
