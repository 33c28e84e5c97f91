"""Exchanges: the protocol, the paper exchange, and what adapts real ones to it."""
