"""A configuration that was cut short or spoilt: named at the start, nothing traded on it, the last good one kept."""

import json
from pathlib import Path

import pytest

from exengine.settings.file import load, restore_last_good
from tests.helpers.program import Headless, exengine, program, write_config


def started(folder: Path) -> bytes:
    """A run on a good configuration has been; the configuration's bytes."""
    write_config(folder)
    with Headless(folder).ready() as running:
        assert running.stop() == 0, running.output
    return (folder / "config.json").read_bytes()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.99])
def test_a_file_cut_short_is_refused_at_the_start_and_the_last_good_one_is_beside_it(
    tmp_path: Path, share: float
) -> None:
    good = started(tmp_path)
    config = tmp_path / "config.json"
    store = (tmp_path / "data" / "exengine.sqlite3").read_bytes()
    config.write_bytes(short := good[: int(len(good) * share)])
    refused = exengine("run", "--headless", "--data-dir", tmp_path / "data", "--config", config)
    assert refused.returncode == 1
    assert str(config) in refused.stderr
    assert "config.json.bak" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert config.read_bytes() == short
    assert (tmp_path / "config.json.bak").read_bytes() == good
    assert (tmp_path / "data" / "exengine.sqlite3").read_bytes() == store


def test_a_wrong_value_is_named_with_its_path_and_the_last_good_one_can_be_put_back(tmp_path: Path) -> None:
    good = started(tmp_path)
    config = tmp_path / "config.json"
    config.write_text(json.dumps(json.loads(good) | {"pool": {"max_open_groups": 0}}))
    refused = exengine("run", "--headless", "--data-dir", tmp_path / "data", "--config", config)
    assert refused.returncode == 1
    assert "pool.max_open_groups" in refused.stderr
    assert restore_last_good(config) == load(config)
    assert config.read_bytes() == good
    with Headless(tmp_path).ready() as running:
        assert running.stop() == 0, running.output


async def test_a_file_that_is_spoilt_under_a_running_engine_disturbs_nothing_and_stops_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with program(tmp_path, monkeypatch) as running:
        good = (tmp_path / "config.json").read_bytes()
        (tmp_path / "config.json").write_text('{"schema_version": 1,')
        await running.market.tick("50100")
        assert (await running.get("/health"))[1]["status"] == "running"
    refused = exengine("run", "--headless", "--data-dir", tmp_path / "data", "--config", tmp_path / "config.json")
    assert refused.returncode == 1
    assert str(tmp_path / "config.json") in refused.stderr
    assert (tmp_path / "config.json.bak").read_bytes() == good


def test_a_file_that_is_gone_is_no_first_start(tmp_path: Path) -> None:
    started(tmp_path)
    data, config = tmp_path / "data", tmp_path / "data" / "config.json"
    config.write_bytes((tmp_path / "config.json").read_bytes())
    with Headless(tmp_path).ready():
        pass
    load(config)
    config.unlink()
    refused = exengine("run", "--headless", "--data-dir", data)
    assert refused.returncode == 1
    assert "is gone" in refused.stderr
    assert "config.json.bak" in refused.stderr
