"""The window: the only room that knows Qt; it shows view rows and sends commands, and never touches the state."""

import os

# qasync and pyqtgraph obey these variables before they look at what is imported; another program's choice must not
# reach them.
os.environ["QT_API"] = "pyside6"
os.environ["PYQTGRAPH_QT_LIB"] = "PySide6"
