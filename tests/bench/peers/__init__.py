"""Other programs that play recorded prices, measured on what our replay is measured on.

Each is installed from PyPI into an environment of its own under build/peers, when a benchmark first asks for it. Their
licences (LGPL, GPL) reach no further than that: nothing of theirs is imported by ExEngine, travels with it, or is
copied here. A `play_….py` is run by its peer's own Python and is never imported.
"""
