"""Back up and restore: the configuration as a file of the trader's choice. Secrets are never in it (SPEC §14)."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from exengine.settings.atomic import replace_file
from exengine.settings.fields import FOLDER
from exengine.settings.file import read, text_of
from exengine.settings.pages import Config
from exengine.settings.problems import ConfigError

_FILTER = "Configuration (*.json);;All files (*)"


def back_up(config: Config, config_file: Path, to: Path) -> None:
    """Copies the configuration file as it is, or what runs where there is none yet. Raises ConfigError."""
    try:
        data = config_file.read_bytes() if config_file.exists() else text_of(config).encode()
        replace_file(to, data)
    except OSError as error:
        raise ConfigError(
            f"{to} cannot be written: {error.strerror or error}.",
            safe="No backup was made; the configuration is as it was.",
            remedy="Choose another folder, or see that the disk has room.",
        ) from error


def restored(source: Path) -> Config:
    """The configuration in a backup, an older version's migrated. Nothing is changed by it. Raises ConfigError."""
    return read(source, must_exist=True)


def choose_backup(parent: QWidget, folder: Path, chosen: Callable[[Path], None]) -> QFileDialog:
    """Asks where a backup is to be written."""
    dialog = QFileDialog(parent, "Back up the configuration", str(folder), _FILTER)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix("json")
    dialog.selectFile("exengine-backup.json")
    return _opened(dialog, chosen)


def choose_restore(parent: QWidget, folder: Path, chosen: Callable[[Path], None]) -> QFileDialog:
    """Asks for the backup that is to be looked at."""
    dialog = QFileDialog(parent, "Restore a configuration", str(folder), _FILTER)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    return _opened(dialog, chosen)


def choose_files(parent: QWidget, title: str, wanted: str, chosen: Callable[[list[str]], None]) -> QFileDialog:
    """Asks for files that a setting is to name, of the kinds `wanted`, or for a folder."""
    dialog = QFileDialog(parent, title, "", "" if wanted == FOLDER else wanted)
    dialog.setFileMode(QFileDialog.FileMode.Directory if wanted == FOLDER else QFileDialog.FileMode.ExistingFiles)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly, wanted == FOLDER)
    dialog.filesSelected.connect(chosen)
    return _opened(dialog)


def _opened(dialog: QFileDialog, chosen: Callable[[Path], None] | None = None) -> QFileDialog:
    if chosen is not None:
        dialog.fileSelected.connect(lambda name: chosen(Path(name)))
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
    return dialog
