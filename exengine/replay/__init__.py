"""Recorded signals and prices through the same `decide`, with a clock of their own, as fast as the machine allows."""
