"""What `decide` wants done at an exchange: an order that a command names is stored before it is carried out."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadRules:
    """Ask an account's exchange for its market rules anew: it has refused an order for them (§6)."""

    account: str


OrderCommand = PlaceOrder | CancelOrder | ResolveOrder
Command = OrderCommand | ReloadRules
