"""Accounts on real exchanges, through ccxt: every difference between them is data in `profiles`."""
