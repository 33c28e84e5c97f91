"""nautilus_trader's backtest engine on a replay's ticks: `PYTHON play_nautilus_trader.py FOLDER`, in its environment.

The same orders as ours: at an entry's time a ladder of limit orders for each pyramid, for each leg that fills a limit
order at its target, at an exit everything cancelled and sold at market; the group ends when it is flat. Fees in both.

Less than ours, all in its favour: no risk engine (its losers are left alone), no queue, no equity curve, no files
written, no logs, no checks of balances before an order, money as machine numbers of 8 or 16 decimals instead of exact
decimals, and the ticks are read by pandas and not checked. It takes fees in quote, so that it sells whole legs. More:
it keeps positions and an account's balances at each fill, and looks at each tick.
"""

import sys
from collections import deque
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Any

import nautilus_trader
import pandas as pd
from given import Alert, Clock, Given, read, tell
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.config import LoggingConfig, RiskEngineConfig
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.persistence.wranglers import TradeTickDataWrangler
from nautilus_trader.trading.strategy import Strategy

VENUE = Venue("BINANCE")
DEEP = 1000.0
"""BTC a tick: an order fills whole at the first price that reaches it, as in a replay of ours."""


class Group:
    """The orders of one timeframe's trade."""

    def __init__(self) -> None:
        self.pyramids = 0
        self.targets: dict[str, Decimal] = {}
        """Of each entry, by its id, the target in percent."""
        self.working: dict[str, Any] = {}
        self.held = Decimal(0)


class Ladders(Strategy):
    """Places what the alerts ask for; it sees its own fills and nothing else of the market."""

    def __init__(self, given: Given, instrument: CurrencyPair) -> None:
        super().__init__()
        self._given = given
        self._pair = instrument
        self._tick, self._step = Decimal(str(instrument.price_increment)), Decimal(str(instrument.size_increment))
        self._alerts: deque[Alert] = deque(given.alerts)
        self._groups: dict[str, Group] = {}
        self._of: dict[str, tuple[str, Group]] = {}
        self.fills = 0

    def on_start(self) -> None:
        self._wait()

    def _wait(self) -> None:
        if self._alerts:
            at = pd.Timestamp(self._alerts[0].at_ms * 1_000_000 + 1, tz="UTC")  # prices of its time come first
            self.clock.set_time_alert(f"alert {len(self._alerts)}", at, self._due)

    def _due(self, _: Any) -> None:
        alert = self._alerts.popleft()
        while True:
            self._act(alert)
            if not self._alerts or self._alerts[0].at_ms != alert.at_ms:
                break
            alert = self._alerts.popleft()
        self._wait()

    def _act(self, alert: Alert) -> None:
        group = self._groups.get(alert.timeframe)
        if alert.is_exit:
            if group is not None:
                self._leave(alert.timeframe, group)
            return
        if group is None:
            group = self._groups[alert.timeframe] = Group()
        if group.pyramids == self._given.max_pyramids:
            return
        group.pyramids += 1
        base = Decimal(alert.price)
        for leg in self._given.legs:
            price = self._on_tick(base * (1 + Decimal(str(leg.gap)) / 100), ROUND_FLOOR)
            quote = Decimal(str(self._given.amount)) * Decimal(str(leg.weight)) / 100
            quantity = (quote / price / self._step).to_integral_value(ROUND_FLOOR) * self._step
            order = self._limit(OrderSide.BUY, quantity, price)
            group.targets[order.client_order_id.value] = Decimal(str(leg.target))
            self._send(order, alert.timeframe, group)

    def _leave(self, timeframe: str, group: Group) -> None:
        del self._groups[timeframe]
        self._cancel(group)
        if group.held:
            quantity = Quantity(group.held, self._pair.size_precision)
            self._send(self.order_factory.market(self._pair.id, OrderSide.SELL, quantity), timeframe, group)

    def _cancel(self, group: Group) -> None:
        for order in list(group.working.values()):
            self.cancel_order(order)
        group.working.clear()

    def _limit(self, side: OrderSide, quantity: Decimal, price: Decimal) -> Any:
        return self.order_factory.limit(
            self._pair.id,
            side,
            Quantity(quantity, self._pair.size_precision),
            Price(price, self._pair.price_precision),
        )

    def _send(self, order: Any, timeframe: str, group: Group) -> None:
        client_id = order.client_order_id.value
        self._of[client_id] = (timeframe, group)
        group.working[client_id] = order
        self.submit_order(order)

    def _on_tick(self, price: Decimal, rounding: str) -> Decimal:
        return (price / self._tick).to_integral_value(rounding) * self._tick

    def on_order_filled(self, event: Any) -> None:
        self.fills += 1
        client_id = event.client_order_id.value
        timeframe, group = self._of.pop(client_id)
        group.working.pop(client_id, None)
        quantity = event.last_qty.as_decimal()
        percent = group.targets.pop(client_id, None)
        if percent is None:
            group.held -= quantity
            if not group.held and self._groups.get(timeframe) is group:
                del self._groups[timeframe]
                self._cancel(group)
            return
        group.held += quantity
        price = self._on_tick(event.last_px.as_decimal() * (1 + percent / 100), ROUND_CEILING)
        self._send(self._limit(OrderSide.SELL, quantity, price), timeframe, group)


def instrument(market: dict[str, Any]) -> CurrencyPair:
    tick, step = market["precision"]["price"], market["precision"]["amount"]
    return CurrencyPair(
        instrument_id=InstrumentId(Symbol(market["id"]), VENUE),
        raw_symbol=Symbol(market["id"]),
        base_currency=BTC,
        quote_currency=USDT,
        price_precision=-Decimal(tick).as_tuple().exponent,
        size_precision=-Decimal(step).as_tuple().exponent,
        price_increment=Price.from_str(tick),
        size_increment=Quantity.from_str(step),
        ts_event=0,
        ts_init=0,
        maker_fee=Decimal(market["maker"]),
        taker_fee=Decimal(market["taker"]),
    )


def ticks(path: Path, pair: CurrencyPair) -> list[Any]:
    read_prices = pd.read_csv(path)
    index = pd.to_datetime(read_prices["timestamp"], unit="ms", utc=True)
    frame = pd.DataFrame(
        {"price": read_prices["price"].to_numpy(), "quantity": DEEP, "trade_id": range(len(read_prices))}, index=index
    )
    return TradeTickDataWrangler(pair).process(frame)


def main(folder: Path) -> None:
    given = read(folder)
    pair = instrument(given.market)
    prices = ticks(given.prices, pair)
    engine = BacktestEngine(
        BacktestEngineConfig(
            logging=LoggingConfig(bypass_logging=True), risk_engine=RiskEngineConfig(bypass=True), run_analysis=False
        )
    )
    engine.add_venue(
        VENUE,
        oms_type=OmsType.NETTING,
        account_type=AccountType.CASH,
        base_currency=None,
        starting_balances=[Money(given.balance, USDT)],
    )
    engine.add_instrument(pair)
    engine.add_data(prices)
    strategy = Ladders(given, pair)
    engine.add_strategy(strategy)
    with Clock() as clock:
        engine.run()
    tell(version=nautilus_trader.__version__, events=len(prices), fills=strategy.fills, engine=clock)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
