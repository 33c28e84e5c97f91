"""An address of a notification that somebody wrote into the file by hand does not stay there (SPEC §14)."""

from collections.abc import Sequence
from pathlib import Path

from exengine.settings.file import ONE_WRITER, read, save
from exengine.settings.notification_urls import keep_urls, plain_urls
from exengine.settings.secrets import SecretStore


def move_urls(file: Path, stores: Sequence[SecretStore]) -> str:
    """Moves such addresses to the secrets and writes their names into `file`; what was done, in words, if anything.

    It blocks. Raises ConfigError where `file` cannot be used or written, or no place for secrets takes them; then the
    file is as it was.
    """
    with ONE_WRITER:
        config = read(file)
        count = len(plain_urls(config))
        if not count:
            return ""
        hidden = keep_urls(config, stores)
        save(file, hidden)
    names = ", ".join(page.url for page in hidden.notifications if page not in config.notifications)
    one = "The address of a notification stood" if count == 1 else f"The addresses of {count} notifications stood"
    return f"{one} in {file.name}: kept with the secrets now, and named {names} there."
