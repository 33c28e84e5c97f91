"""freqtrade's backtesting on a replay's bars: `PYTHON play_freqtrade.py FOLDER`, in its environment; no network.

Its strategy enters where an alert has come in the bar before, at the alert's price; further alerts add pyramids by its
position adjustment; exits are its exit signal, the target of the whole trade its ROI. Fees in both.

Less than ours, all in its favour: one order at a time where a whole ladder rests in ours (the next leg is placed once
the one above it has filled), a bar is looked at once and not as four ticks, one trade a pair (so the alerts are of one
timeframe), no queue, no risk engine, money as floats, and neither protections nor logs nor reports nor files.
The bars are brought into its own format first, which is part of the whole process and not of its engine.
"""

import logging
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import freqtrade
import pandas as pd
from freqtrade.data.history import get_datahandler
from freqtrade.enums import CandleType, RunMode
from freqtrade.exchange import Exchange
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.persistence import LocalTrade
from freqtrade.resolvers import StrategyResolver
from freqtrade.strategy import IStrategy
from given import Alert, Clock, Given, read, tell

PAIR = "BTC/USDT"
NEVER_MINUTES = 10_000_000


class Ladders(IStrategy):
    """Does what the alerts ask for."""

    INTERFACE_VERSION = 3
    timeframe = "1m"
    stoploss = -0.99
    process_only_new_candles = True
    position_adjustment_enable = True
    order_types = {"entry": "limit", "exit": "limit", "stoploss": "market", "stoploss_on_exchange": False}  # noqa: RUF012
    given: Given
    by_bar: dict[datetime, Alert]
    """By the open time of the bar in which it acts: the one after that in which it came."""

    def bot_start(self, **_: Any) -> None:
        self._ladders: dict[int, list[tuple[float, float]]] = {}
        self._pyramids: dict[int, int] = {}
        self._seen: dict[int, datetime] = {}

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict[str, Any]) -> pd.DataFrame:
        return dataframe

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict[str, Any]) -> pd.DataFrame:
        return self._marked(dataframe, "enter_long", is_exit=False)

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict[str, Any]) -> pd.DataFrame:
        return self._marked(dataframe, "exit_long", is_exit=True)

    def _marked(self, bars: pd.DataFrame, column: str, *, is_exit: bool) -> pd.DataFrame:
        """freqtrade acts on a bar's signal in the bar after it."""
        minute = pd.Timedelta(minutes=1)
        at = [pd.Timestamp(bar) - minute for bar, alert in self.by_bar.items() if alert.is_exit is is_exit]
        bars[column] = bars["date"].isin(at).astype(int)
        return bars

    def custom_stake_amount(self, **_: Any) -> float:
        return self.given.amount * self.given.legs[0].weight / 100

    def custom_entry_price(self, trade: Any, current_time: datetime, proposed_rate: float, **_: Any) -> float:
        if trade is None:
            return float(self.by_bar[current_time].price)
        ladder = self._ladders.get(trade.id)
        return ladder[0][0] if ladder else proposed_rate

    def adjust_trade_position(self, trade: Any, current_time: datetime, **_: Any) -> float | None:
        """The stake of the leg that is to rest next."""
        alert = self.by_bar.get(current_time)
        if alert is not None and not alert.is_exit and self._seen.get(trade.id) != current_time:
            self._seen[trade.id] = current_time
            self._add(trade, float(alert.price))
        ladder = self._ladders.get(trade.id)
        if trade.has_open_orders or not ladder:
            return None
        return ladder[0][1]

    def order_filled(self, trade: Any, order: Any, **_: Any) -> None:
        if order.ft_order_side != trade.entry_side:
            return
        if trade.id in self._pyramids:
            del self._ladders[trade.id][0]
        else:
            self._add(trade, order.ft_price)
            del self._ladders[trade.id][0]
            self._seen[trade.id] = order.order_date

    def _add(self, trade: Any, price: float) -> None:
        if self._pyramids.get(trade.id, 0) == self.given.max_pyramids:
            return
        self._pyramids[trade.id] = self._pyramids.get(trade.id, 0) + 1
        ladder = self._ladders.setdefault(trade.id, [])
        ladder += [(price * (1 + leg.gap / 100), self.given.amount * leg.weight / 100) for leg in self.given.legs]
        ladder.sort(reverse=True)


def without_network() -> None:
    """A call to anywhere fails at once, so that none goes unseen."""

    def refused(*_: Any, **__: Any) -> Any:
        raise OSError("no network in a benchmark")

    socket.socket.connect = refused  # type: ignore[method-assign]
    socket.socket.connect_ex = refused  # type: ignore[method-assign]
    socket.getaddrinfo = refused


def market(given: Given) -> dict[str, Any]:
    """The replay's market in the form in which ccxt loads it."""
    told = given.market
    limits = {name: {"min": None, "max": None} | _numbers(one) for name, one in told["limits"].items()}
    return {
        "id": told["id"],
        "symbol": PAIR,
        "base": told["base"],
        "quote": told["quote"],
        "baseId": told["base"],
        "quoteId": told["quote"],
        "active": True,
        "type": "spot",
        "spot": True,
        "margin": False,
        "swap": False,
        "future": False,
        "option": False,
        "contract": False,
        "linear": None,
        "inverse": None,
        "settle": None,
        "contractSize": None,
        "maker": float(told["maker"]),
        "taker": float(told["taker"]),
        "precision": _numbers(told["precision"]),
        "limits": {"price": {"min": None, "max": None}, "leverage": {"min": None, "max": None}} | limits,
        "info": {},
    }


def _numbers(texts: dict[str, str]) -> dict[str, float]:
    return {name: float(text) for name, text in texts.items()}


def configuration(folder: Path, given: Given) -> dict[str, Any]:
    data = folder / "freqtrade"
    (data / "data").mkdir(parents=True, exist_ok=True)
    fee = float(given.market["maker"])
    return {
        "user_data_dir": data,
        "datadir": data / "data",
        "runmode": RunMode.BACKTEST,
        "dry_run": True,
        "dry_run_wallet": float(given.balance),
        "trading_mode": "spot",
        "margin_mode": "",
        "candle_type_def": CandleType.SPOT,
        "stake_currency": "USDT",
        "stake_amount": given.amount * given.legs[0].weight / 100,
        "tradable_balance_ratio": 0.99,
        "max_open_trades": 1,
        "timeframe": "1m",
        "fee": fee,
        "minimal_roi": {"0": given.target_percent / 100 - 2 * fee},
        "unfilledtimeout": {"entry": NEVER_MINUTES, "exit": NEVER_MINUTES, "exit_timeout_count": 0, "unit": "minutes"},
        "entry_pricing": {"price_side": "same", "use_order_book": False, "price_last_balance": 0.0},
        "exit_pricing": {"price_side": "same", "use_order_book": False},
        "exchange": {"name": "binance", "pair_whitelist": [PAIR], "pair_blacklist": []},
        "pairlists": [{"method": "StaticPairList"}],
        "strategy": "Ladders",
        "dataformat_ohlcv": "feather",
        "dataformat_trades": "feather",
        "export": "none",
        "backtest_cache": "none",
        "original_config": {},
    }


def prepare(config: dict[str, Any], given: Given) -> int:
    """Puts the bars where freqtrade looks for them, and the strategy and the market before it; the number of bars."""
    bars = pd.read_csv(given.prices).rename(columns={"timestamp": "date"})
    bars["date"] = pd.to_datetime(bars["date"], unit="ms", utc=True)
    handler = get_datahandler(config["datadir"], "feather")
    handler.ohlcv_store(PAIR, "1m", bars[["date", "open", "high", "low", "close", "volume"]], CandleType.SPOT)
    Ladders.given = given
    Ladders.by_bar = {_bar(alert.at_ms): alert for alert in given.alerts}
    StrategyResolver._load_strategy = staticmethod(lambda *_, **__: Ladders(config))
    listed = market(given)

    def load(self: Exchange, *_: Any, **__: Any) -> None:
        self._api.set_markets([listed])
        self._api_async.set_markets([listed])
        self._markets = self._api.markets

    Exchange.reload_markets = load
    return len(bars)


def _bar(at_ms: int) -> datetime:
    """The open time of the bar after that in which an alert came."""
    return datetime.fromtimestamp(at_ms // 60_000 * 60 + 60, tz=UTC)


def fills(trades: list[Any]) -> int:
    return sum(1 for trade in trades for order in trade.orders if order.filled)


def main(folder: Path) -> None:
    without_network()
    logging.disable(logging.CRITICAL)
    given = read(folder)
    config = configuration(folder, given)
    bars = prepare(config, given)
    backtesting = Backtesting(config)
    data, timerange = backtesting.load_bt_data()
    with Clock() as clock:
        backtesting.backtest_one_strategy(backtesting.strategylist[0], data, timerange)
    tell(
        version=freqtrade.__version__,
        events=bars,
        fills=fills(LocalTrade.bt_trades + LocalTrade.bt_trades_open),
        engine=clock,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
