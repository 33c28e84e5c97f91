"""Whole lives of the real engine against a faulty exchange, store, network and clock, each from one seed."""
