"""What the window does takes milliseconds of the thread that answers alerts: who waits for an answer goes first."""

from collections.abc import Callable

GIVE_WAY_MS = 2
"""After this it is looked again whether somebody waits."""
MOST_TIMES = 6
"""So often in a row way is given: in a storm of alerts the window goes on, no more than two hundredths late."""


class GivingWay:
    """Asked before something that takes long: whether it should come a little later."""

    def __init__(self, somebody_waits: Callable[[], bool]) -> None:
        self._somebody_waits = somebody_waits
        self._times = 0

    def __call__(self) -> bool:
        """True where it should be asked again after GIVE_WAY_MS; False where it is time."""
        if self._times < MOST_TIMES and self._somebody_waits():
            self._times += 1
            return True
        self._times = 0
        return False
