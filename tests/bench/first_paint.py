"""How soon a window is painted: `python -m tests.bench.first_paint bare|opening|window FOLDER` prints it, and ends.

Seconds from the start of the process, imports and all; then those of processor time.
"""

import os
import sys
import time
from pathlib import Path


def age_s() -> float:
    """How old this process is, by the kernel's own count."""
    began = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - began


def main(what: str, folder: str) -> None:
    from PySide6.QtCore import QEvent, QObject
    from PySide6.QtWidgets import QApplication, QMainWindow

    class FirstPaint(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            awaited = watched.objectName() == "opening" if what == "opening" else isinstance(watched, QMainWindow)
            if event.type() is QEvent.Type.Paint and awaited:
                print(f"{age_s():.3f} {time.process_time():.3f}", flush=True)
                os._exit(0)
            return False

    if what == "bare":
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
