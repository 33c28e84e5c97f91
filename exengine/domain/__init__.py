"""The trading rules: pure functions and frozen values, standard library only, no clock, no IO, no randomness."""
