"""Notices to the trader's phone, mail or chat: off the trading path, in threads of their own."""
