"""ExEngine: lays, manages and leaves DCA positions for TradingView alerts, on the trader's own machine."""

__version__ = "0.1.0"
