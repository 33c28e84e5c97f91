"""Finds what somebody means by a few letters: `clsol` finds `Close SOL/USDT 1h…`."""

from typing import NamedTuple

START, NEXT, LETTER = 10, 6, 1
"""What a letter counts at the start of a word, right after the last found letter, and anywhere else."""
LATE = 0.1
"""What each letter before the first found one takes away."""


class Match(NamedTuple):
    score: float
    places: tuple[int, ...]
    """Of the letters found, in the text."""


def find(wanted: str, text: str) -> Match | None:
    """The best way to find the letters of `wanted` in `text` in their order; None where they are not there.

    Blanks in `wanted` are left out. Starts of words and runs of letters count more than letters here and there.
    """
    letters, low = wanted.lower().replace(" ", ""), text.lower()
    best: dict[int, Match] = {-1: Match(0.0, ())}
    for letter in letters:
        # The best match so far by the place of its last letter: each letter looks back at all of them.
        found: dict[int, Match] = {}
        for place, here in enumerate(low):
            if here != letter:
                continue
            ways = [_with(before, last, place, low) for last, before in best.items() if last < place]
            if ways:
                found[place] = max(ways, key=lambda way: way.score)
        best = found
    return max(best.values(), key=lambda way: way.score, default=None)


def _with(before: Match, last: int, place: int, low: str) -> Match:
    worth: float = LETTER
    if place == 0 or not low[place - 1].isalnum():
        worth = START
    elif last == place - 1 and before.places:
        worth = NEXT
    if not before.places:
        worth -= LATE * place
    return Match(before.score + worth, (*before.places, place))
