"""What is traded in the lives: symbols with their rules and first prices."""

from decimal import Decimal
from typing import Any

from tests.exchange_server.venue import VenueMarket

D = Decimal


def _market(name: str, tick: str, step: str, **more: Any) -> VenueMarket:
    own: dict[str, Any] = {"min_qty": D(step), "min_notional": D(5)} | more
    return VenueMarket(id=f"{name}USDT", base=name, quote="USDT", tick=D(tick), step=D(step), **own)


SPOT = {
    "BTC": (_market("BTC", "0.01", "0.00001"), D(50000)),
    "ETH": (_market("ETH", "0.01", "0.0001"), D(2000)),
    "XRP": (_market("XRP", "0.0001", "1"), D("0.5")),
    "SOL": (_market("SOL", "0.01", "0.01", max_qty=D(3)), D(150)),
}
FEE_COIN = (_market("BNB", "0.01", "0.001"), D(600))
SWAP = {
    "BTC": (_market("BTC", "0.1", "0.001", type="swap"), D(50000)),
    "ETH": (_market("ETH", "0.05", "1", type="swap", contract_size=D("0.01")), D(2000)),
}
