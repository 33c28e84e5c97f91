"""How soon a window is painted: `python -m tests.bench.first_paint bare|imported|opening|window FOLDER [stay]`.

Prints the seconds from the start of the process, imports and all, then those of processor time; and ends, or stays.
`bare` is Qt alone, `imported` has imported the exchanges' library too, the two that the program cannot do without.
"""

import os
import sys
import time
from pathlib import Path


def age_s() -> float:
    """How old this process is, by the kernel's own count."""
    began = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - began


def main(what: str, folder: str, then: str = "end") -> None:
    from PySide6.QtCore import QEvent, QObject
    from PySide6.QtWidgets import QApplication, QMainWindow

    class FirstPaint(QObject):
        is_seen = False

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            awaited = watched.objectName() == "opening" if what == "opening" else isinstance(watched, QMainWindow)
            if event.type() is QEvent.Type.Paint and awaited and not self.is_seen:
                self.is_seen = True
                print(f"{age_s():.3f} {time.process_time():.3f}", flush=True)
                if then == "end":
                    getattr(sys.modules.get("sitecustomize"), "write_profile", lambda: None)()
                    os._exit(0)
            return False

    if what in ("bare", "imported"):
        if what == "imported":
            import ccxt.pro  # noqa: F401  # as exchange/live/client.py has it
        app = QApplication([])
        seen = FirstPaint()
        app.installEventFilter(seen)
        window = QMainWindow()
        window.show()
        app.exec()
        return
    from exengine.ui import app as desktop

    make_app = desktop.make_app

    def watched(*arguments: object) -> QApplication:
        made = make_app(*arguments)
        made.first_paint = FirstPaint()
        made.installEventFilter(made.first_paint)
        return made

    desktop.make_app = watched
    from exengine.__main__ import main as exengine

    exengine(["--data-dir", f"{folder}/data", "--config", f"{folder}/config.json"])


if __name__ == "__main__":
    main(*sys.argv[1:])
