"""An address of a notification that is written into the file by hand is moved to the secrets: at the start, by the
signal to apply, and as soon as the edit is noticed (SPEC §14)."""

import json
from pathlib import Path
from typing import Any

import pytest

from exengine.bootstrap import following
from exengine.bootstrap.following import apply_file
from exengine.bootstrap.program import Program
from exengine.settings.file import last_good, load, save
from exengine.settings.pages import Config
from exengine.settings.paths import DataDir
from exengine.settings.problems import ConfigError
from exengine.settings.program_pages import NotificationPage
from exengine.settings.secret_places import vault_of
from tests.helpers.keyring import CHEAP
from tests.helpers.program import InProcess, environment, program, write_config
from tests.integration.test_apply_file import told

PASSWORD = "sesame-open-4711"
URL = f"json://bot:{PASSWORD}@127.0.0.1:9/hook"
VAULT = {"EXENGINE_PASSPHRASE": "a passphrase of the vault"}
PLAIN = [{"url": URL, "events": ["stopped"]}]


@pytest.fixture(autouse=True)
def _cheap_and_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exengine.settings.vault.KdfCost", lambda: CHEAP)
    monkeypatch.setattr(following, "FOLLOW_S", 0.02)


def nothing_plain_below(folder: Path) -> bool:
    return not [path for path in folder.rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()]


def kept(folder: Path) -> list[str | None]:
    """The addresses that the vault has for the names in the file."""
    vault = vault_of(DataDir(folder / "data"), VAULT, None)
    named = json.loads((folder / "config.json").read_text())["notifications"]
    return [vault.get(one["url"].removeprefix("secret:")) for one in named]


def log_of(running: InProcess) -> list[str]:
    running.program.views.refresh()
    return [row.text for row in running.program.views.take().log]


def write_plain(file: Path) -> None:
    tree: dict[str, Any] = json.loads(file.read_text())
    file.write_text(json.dumps(tree | {"notifications": PLAIN}))


async def test_at_the_start_it_is_moved_and_said_and_no_copy_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_config(tmp_path, notifications=PLAIN, pool={"max_open_groups": 3})
    async with program(tmp_path, monkeypatch, given=VAULT) as running:
        assert kept(tmp_path) == [URL]
        assert running.program.config.pool.max_open_groups == 3
        (said,) = [text for text in log_of(running) if "notification" in text]
        assert said.startswith("The address of a notification stood in config.json: kept with the secrets now")
        assert last_good(file).read_bytes() == file.read_bytes()
        assert nothing_plain_below(tmp_path)
    assert nothing_plain_below(tmp_path)


async def test_in_an_edit_it_is_moved_as_soon_as_it_is_noticed_and_the_edit_is_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with program(tmp_path, monkeypatch, given=VAULT) as running:
        write_plain(running.program.config_file)
        await told(running)
        assert kept(tmp_path) == [URL]
        edit = running.program.file_watch.edit
        assert edit is not None
        assert edit.config is not None
        assert edit.config.notifications[0].url.startswith("secret:")
        assert running.program.config.notifications == ()
        assert len([text for text in log_of(running) if "stood in config.json" in text]) == 1
        await apply_file(running.program)
        assert running.program.config == edit.config
        assert nothing_plain_below(tmp_path)


async def test_to_apply_the_file_moves_it_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FOLLOW_S", 600)
    async with program(tmp_path, monkeypatch, given=VAULT) as running:
        write_plain(running.program.config_file)
        await apply_file(running.program)
        assert kept(tmp_path) == [URL]
        assert running.program.config.notifications[0].url.startswith("secret:")
        assert nothing_plain_below(tmp_path)


async def test_whoever_applies_one_plainly_has_it_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with program(tmp_path, monkeypatch, given=VAULT) as running:
        page = NotificationPage(url=URL, events=("stopped",))
        await running.program.apply(running.program.config.model_copy(update={"notifications": (page,)}))
        assert kept(tmp_path) == [URL]
        assert nothing_plain_below(tmp_path)


async def test_where_no_place_for_secrets_is_open_the_start_is_refused_with_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_config(tmp_path, notifications=PLAIN)
    before = file.read_bytes()
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=r"notifications\[0\].url: No place for secrets is open") as refused:
        await Program(DataDir(tmp_path / "data"), file).start()
    assert "EXENGINE_PASSPHRASE" in refused.value.remedy
    assert PASSWORD not in str(refused.value)
    assert file.read_bytes() == before
    assert not last_good(file).exists()


async def test_where_none_is_open_neither_an_edit_nor_an_apply_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with program(tmp_path, monkeypatch) as running:
        write_plain(running.program.config_file)
        await told(running)
        edit = running.program.file_watch.edit
        assert edit is not None
        assert edit.config is None
        assert "No place for secrets is open" in edit.fault
        with pytest.raises(ConfigError, match="No place for secrets is open"):
            await apply_file(running.program)
        page = NotificationPage(url=URL, events=("stopped",))
        with pytest.raises(ConfigError, match="No place for secrets is open"):
            await running.program.apply(running.program.config.model_copy(update={"notifications": (page,)}))
        assert running.program.config.notifications == ()
        assert all(PASSWORD not in text for text in log_of(running))


def test_no_copy_of_an_old_file_has_it(tmp_path: Path) -> None:
    """However it is spelled there."""
    file = tmp_path / "config.json"
    spelled = json.dumps(URL).replace("/", "\\/").replace("j", "\\u006a")
    file.write_text(f'{{"schema_version": 1, "sizing": {{"amount": 2.5}}, "notifications": [{{"url": {spelled}}}]}}')
    config = load(file, migrations=[lambda tree: tree])
    assert config.notifications[0].url == URL
    old = json.loads((tmp_path / "config.v1.json").read_text())
    assert (old["sizing"], old["notifications"]) == ({"amount": "2.5"}, [{"url": "secret:moved"}])
    assert not last_good(file).exists()


def test_a_save_over_one_keeps_no_copy_of_it(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"schema_version": 1, "notifications": PLAIN}))
    save(file, Config())
    assert nothing_plain_below(tmp_path)
