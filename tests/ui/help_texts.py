"""A bar and an order as TradingView knows them."""

FILLED = {
    "exchange": "BINANCE",
    "ticker": "BTCUSDT",
    "interval": "15",
    "close": "50000",
    "strategy.order.id": "Long",
    "strategy.order.alert_message": "",
    "strategy.order.action": "buy",
    "strategy.market_position": "long",
    "strategy.market_position_size": "1",
    "strategy.prev_market_position": "flat",
    "strategy.prev_market_position_size": "0",
    "strategy.order.price": "50000",
    "strategy.order.contracts": "1",
}
"""What TradingView puts in the place of its placeholders."""
