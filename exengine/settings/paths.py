"""Where the program keeps its files."""

from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path


@dataclass(frozen=True, slots=True)
class DataDir:
    """The folder with everything of one installation, and the names in it."""

    path: Path

    @property
    def config_file(self) -> Path:
        return self.path / "config.json"

    @property
    def database_file(self) -> Path:
        return self.path / "exengine.sqlite3"

    @property
    def log_dir(self) -> Path:
        return self.path / "logs"

    @property
    def lock_file(self) -> Path:
        return self.path / "exengine.lock"

    @property
    def vault_file(self) -> Path:
        return self.path / "secrets.vault"

    @property
    def layout_file(self) -> Path:
        return self.path / "layout.ini"

    def create(self) -> "DataDir":
        """Makes the folders that are missing, for their owner only; those that are there keep their permissions."""
        for folder in (self.path, self.log_dir):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self


def default_data_dir() -> DataDir:
    """The platform's user data folder of ExEngine; it is not made yet."""
    return DataDir(user_data_path("ExEngine", appauthor=False))


def chosen_data_dir(option: Path | None, configured: str | None) -> DataDir:
    """`--data-dir` where it is given, else `app.data_dir` of the configuration, else the platform's folder.

    The configuration itself is looked for before `configured` can be known: by `--config`, else in the first or last.
    """
    if option is not None:
        return DataDir(option.expanduser().absolute())
    return DataDir(Path(configured).expanduser()) if configured else default_data_dir()
