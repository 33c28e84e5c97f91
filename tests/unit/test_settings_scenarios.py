"""The acceptance scenarios, where they lie beside the repository: the program reads the configuration of each."""

import json
from pathlib import Path
from typing import Any

import pytest

from exengine.settings.file import read
from exengine.settings.pages import Config


@pytest.fixture
def scenarios() -> Path:
    folder = Path(__file__).resolve().parents[3] / "shared" / "scenarios"
    if not folder.is_dir():
        pytest.skip("there are no scenarios beside the repository")
    return folder


def merged(base: Any, extra: Any) -> Any:
    if not (isinstance(base, dict) and isinstance(extra, dict)):
        return extra
    return base | {key: merged(base.get(key), value) for key, value in extra.items()}


def test_every_scenario_has_a_configuration_that_is_accepted(scenarios: Path, tmp_path: Path) -> None:
    for file in sorted(scenarios.glob("*.json")):
        scenario = json.loads(file.read_text(encoding="utf-8"))
        use = scenario.get("use", [])
        config: Any = {}
        for name in [use] if isinstance(use, str) else use:
            config = merged(config, json.loads((scenarios / name).read_text(encoding="utf-8")).get("config", {}))
        path = tmp_path / file.name
        path.write_text(json.dumps(merged(config, scenario.get("config", {}))), encoding="utf-8")
        assert isinstance(read(path, must_exist=True), Config), file.name
