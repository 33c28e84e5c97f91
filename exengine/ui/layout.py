"""Where the trader's arrangement of the window is kept: an INI file of its own, by version."""

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

VERSION = 1
"""Raised when docks or columns change so that an older arrangement no longer fits; it is then left out, not bent."""

KEPT = ("alerts", "layouts", "window_ways")
"""Dismissed alerts, the trader's own layouts, and what closing the window does: no reset touches them."""


class LayoutStore:
    """Window, docks, columns and dismissed alerts. What cannot be read is as if it had never been written."""

    def __init__(self, path: Path) -> None:
        self._settings = QSettings(str(path), QSettings.Format.IniFormat)

    def save(self, name: str, value: QByteArray | list[str] | bool | int) -> None:
        self._settings.setValue(self._key(name), value)

    def flush(self) -> None:
        """Writes the file now."""
        self._settings.sync()

    def state(self, name: str) -> QByteArray | None:
        value = self._settings.value(self._key(name))
        return value if isinstance(value, QByteArray) and not value.isEmpty() else None

    def flag(self, name: str, default: bool) -> bool:
        value = self._settings.value(self._key(name))
        return default if value is None else str(value).lower() == "true"

    def integer(self, name: str, default: int) -> int:
        try:
            return int(str(self._settings.value(self._key(name), default)))
        except ValueError:
            return default

    def integers(self, name: str) -> list[int]:
        value = self._settings.value(self._key(name))
        # QSettings gives a list of one back as the one.
        texts = value if isinstance(value, list) else [] if value is None else [value]
        return [int(text) for text in map(str, texts) if text.lstrip("-").isdigit()]

    def texts(self, name: str) -> list[str] | None:
        """None where it was never written."""
        value = self._settings.value(self._key(name))
        return None if value is None else list(map(str, value)) if isinstance(value, list) else [str(value)]

    def forget(self, name: str = "") -> None:
        """Forgets what is kept under a name; without one the whole arrangement, but none of `KEPT`."""
        if name:
            self._settings.remove(self._key(name))
            return
        prefix = f"v{VERSION}"
        self._settings.beginGroup(prefix)
        groups = [group for group in self._settings.childGroups() if group not in KEPT]
        self._settings.endGroup()
        for group in groups:
            self._settings.remove(f"{prefix}/{group}")

    @staticmethod
    def _key(name: str) -> str:
        return f"v{VERSION}/{name}"
