"""`exengine backup` and `exengine restore` as processes: beside a running engine, without secrets, and back again."""

import json
import zipfile
from pathlib import Path

import pytest

from exengine.settings import unconfirmed
from exengine.settings.account_keys import AccountKeys, keep_keys
from exengine.settings.paths import DataDir
from exengine.settings.secret_places import vault_of
from exengine.store import restore_moves
from tests.helpers.books import check_books, read_books
from tests.helpers.postgres import PASSWORD, Server
from tests.helpers.program import SECRET, TOKEN, Headless, entry, environment, eventually, exengine, write_config

PASSPHRASE = "canary-passphrase-7d1f"
KEY = "canary-api-key-44c1"
NOTICE = "mailto://trader:canary-mail-9a31@example.com"


def options(folder: Path) -> list[str]:
    return ["--data-dir", str(folder / "data"), "--config", str(folder / "config.json")]


def parts(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def traded(tmp_path: Path) -> Path:
    """A folder whose engine was killed with a ladder at rest."""
    folder = tmp_path / "first"
    write_config(folder)
    with Headless(folder).ready() as running:
        assert running.post(entry("20000"))[0] == 202
        eventually(lambda: None not in read_books(running.database).outcomes.values() or None)
        eventually(lambda: len(read_books(running.database).orders) == 5)
    return folder


def test_a_running_engine_is_backed_up_and_goes_on_on_another_machine(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    write_config(first)
    with Headless(first).ready() as running:
        assert running.post(entry("20000"))[0] == 202
        eventually(lambda: len(read_books(running.database).orders) == 5)
        made = exengine("backup", tmp_path / "b.zip", *options(first))
        assert (made.returncode, made.stderr) == (0, "")
        assert str(tmp_path / "b.zip") in made.stdout
        assert running.health() == "running"
        refused = exengine("restore", tmp_path / "b.zip", "--replace", *options(first))
        assert refused.returncode == 1
        assert "already runs on this data" in refused.stderr
        assert running.health() == "running"
        before = read_books(running.database)
    back = exengine("restore", tmp_path / "b.zip", *options(second))
    assert (back.returncode, back.stderr) == (0, "")
    assert (second / "config.json").read_bytes() == (first / "config.json").read_bytes()
    assert [one.name for one in (second / "data" / "logs").iterdir()] == ["exengine.log"]
    with Headless(second).ready() as running:
        assert running.post(entry("20000", tv__timeframe="60"))[0] == 202
        eventually(lambda: len(read_books(running.database).orders) == 10)
        assert running.stop() == 0
    books = check_books(second / "data" / "exengine.sqlite3")
    assert set(before.orders) < set(books.orders)


def test_no_secret_is_in_a_backup(tmp_path: Path) -> None:
    write_config(tmp_path, logging={"level": "debug"}, notifications=[{"url": NOTICE, "events": ["error"]}])
    data = DataDir(tmp_path / "data").create()
    vault_place = vault_of(data, {"EXENGINE_PASSPHRASE": PASSPHRASE}, None)
    keep_keys([vault_place], "main", AccountKeys(api_key=KEY, secret=KEY))
    with Headless(tmp_path, EXENGINE_PASSPHRASE=PASSPHRASE).ready() as running:
        running.post(entry("20000", secret=SECRET))
        running.post(b"not json " + SECRET.encode())
        running.post({"secret": SECRET, "source": TOKEN})
        made = exengine("backup", tmp_path / "b.zip", *options(tmp_path), env=environment())
        assert made.returncode == 0, made.stderr
    found = parts(tmp_path / "b.zip")
    assert set(found) >= {"manifest.json", "config.json", "logs/exengine.log", "store/groups.jsonl"}
    assert not [name for name in found if "vault" in name or "lock" in name or "layout" in name]
    vault = data.vault_file.read_bytes()
    for word in (TOKEN, SECRET, PASSPHRASE, KEY, "canary-mail-9a31"):
        assert not [name for name, text in found.items() if word.encode() in text]
    assert not [name for name, text in found.items() if vault[:64] in text]
    assert json.loads(found["config.json"])["notifications"][0]["url"].startswith("secret:")
    assert exengine("restore", tmp_path / "b.zip", "--replace", *options(tmp_path)).returncode == 0
    assert data.vault_file.read_bytes() == vault


def test_where_there_is_something_it_is_refused_and_with_replace_kept(traded: Path, tmp_path: Path) -> None:
    unconfirmed.mark(traded / "config.json").write_text("{}")  # of an apply that was broken off
    assert exengine("backup", tmp_path / "b.zip", *options(traded)).returncode == 0
    refused = exengine("restore", tmp_path / "b.zip", *options(traded))
    assert refused.returncode == 1
    assert "There is something already" in refused.stderr
    assert "--replace" in refused.stderr
    done = exengine("restore", tmp_path / "b.zip", "--replace", *options(traded))
    assert done.returncode == 0
    (kept,) = (traded / "data").glob("replaced-*")
    assert f"What was there is kept in {kept}." in done.stdout
    assert not unconfirmed.mark(traded / "config.json").exists()
    assert {one.name for one in kept.iterdir()} >= {"config.json", "exengine.sqlite3", "logs"}
    assert read_books(kept / "exengine.sqlite3").orders == read_books(traded / "data" / "exengine.sqlite3").orders


def test_a_backup_of_defaults_has_them_written_out(tmp_path: Path) -> None:
    data = ["--data-dir", str(tmp_path / "data")]
    write_config(tmp_path)
    with Headless(tmp_path).ready():
        pass
    assert exengine("backup", tmp_path / "b.zip", *data).returncode == 0
    assert json.loads(parts(tmp_path / "b.zip")["config.json"])["schema_version"] == 1
    assert exengine("restore", tmp_path / "b.zip", "--data-dir", tmp_path / "other").returncode == 0
    assert (tmp_path / "other" / "config.json").exists()


@pytest.mark.parametrize("name", ["", "missing/b.zip", "data/exengine.sqlite3", "data/secrets.vault", "config.json"])
def test_a_file_that_cannot_be_a_backup_is_wrong_use(traded: Path, name: str) -> None:
    before = {path: path.read_bytes() for path in traded.rglob("*") if path.is_file()}
    wrong = exengine("backup", traded / name, *options(traded))
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("exengine: ")
    assert {path: path.read_bytes() for path in traded.rglob("*") if path.is_file()} == before


def test_what_is_no_backup_is_told_by_the_exit_code(tmp_path: Path) -> None:
    write_config(tmp_path)
    assert exengine("restore", tmp_path / "missing.zip", *options(tmp_path)).returncode == 2
    assert exengine("restore", tmp_path, *options(tmp_path)).returncode == 2
    assert exengine("restore").returncode == 2
    assert exengine("backup").returncode == 2
    (tmp_path / "b.zip").write_text("nonsense")
    damaged = exengine("restore", tmp_path / "b.zip", *options(tmp_path))
    assert damaged.returncode == 1
    assert "cannot be used" in damaged.stderr
    assert "Traceback" not in damaged.stderr
    empty = exengine("backup", tmp_path / "c.zip", *options(tmp_path))
    assert empty.returncode == 1
    assert "nothing to back up" in empty.stderr
    assert not (tmp_path / "c.zip").exists()


def test_a_start_ends_a_restore_that_was_broken_off(traded: Path, tmp_path: Path) -> None:
    data, staging = traded / "data", traded / "data" / ".restore-x"
    staging.mkdir()
    (data / "exengine.sqlite3").rename(staging / "exengine.sqlite3")
    for beside in data.glob("exengine.sqlite3-*"):
        beside.rename(staging / beside.name)
    move = {"source": str(staging / "exengine.sqlite3"), "target": str(data / "exengine.sqlite3")}
    beside_too = [{"source": str(path), "target": str(data / path.name)} for path in staging.glob("exengine.sqlite3-*")]
    plan = {"staging": str(staging), "moves": [*beside_too, move]}
    (data / restore_moves.MARKER).write_text(json.dumps(plan))
    with Headless(traded).ready() as running:
        assert len(read_books(running.database).orders) == 5
        assert running.stop() == 0
    assert not (data / restore_moves.MARKER).exists()
    assert not staging.exists()


def test_a_move_to_postgres_is_a_backup_and_a_restore_under_another_configuration(
    postgres: Server, traded: Path, tmp_path: Path
) -> None:
    env = environment(EXENGINE_DATABASE_PASSWORD=PASSWORD)
    database = postgres.empty_database()
    assert exengine("backup", tmp_path / "b.zip", *options(traded)).returncode == 0
    second = tmp_path / "second"
    write_config(second, app={"database_url": str(database)})
    done = exengine("restore", tmp_path / "b.zip", "--keep-config", *options(second), env=env)
    assert (done.returncode, done.stderr) == (0, "")
    with Headless(second, EXENGINE_DATABASE_PASSWORD=PASSWORD).ready() as running:
        refused = exengine("restore", tmp_path / "b.zip", "--keep-config", "--replace", *options(second), env=env)
        assert refused.returncode == 1
        assert "already runs" in refused.stderr
        assert running.stop() == 0
    assert len(check_books(database).orders) == 5
    made = exengine("backup", tmp_path / "c.zip", *options(second), env=env)
    assert made.returncode == 0
    assert PASSWORD.encode() not in b"".join(parts(tmp_path / "c.zip").values())
