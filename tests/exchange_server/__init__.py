"""Local exchanges that the real ccxt clients talk to: six protocols in front of one exact order book."""
