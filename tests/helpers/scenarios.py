"""Runs acceptance scenarios (../shared/scenarios) in this process, with the judge that comes with them."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from exengine.__main__ import main

SCENARIOS = Path(__file__).resolve().parents[3] / "shared" / "scenarios"


def scenario_files() -> list[Path]:
    """The scenarios that are there; none where the project stands alone."""
    return sorted(SCENARIOS.glob("[!_]*.json"))


def judge() -> ModuleType:
    """check.py, its replays run in this process instead of in one of their own."""
    spec = importlib.util.spec_from_file_location("scenario_check", SCENARIOS / "check.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.replay = _replay_with(module)
    return module


def _replay_with(check: ModuleType) -> Any:
    def replay(program: list[str], scenario: dict[str, Any], folder: Path) -> Path:
        folder.mkdir()
        prices = check.write_inputs(scenario, folder)
        return run_replay(folder, prices)

    return replay


def run_replay(folder: Path, prices: list[Path]) -> Path:
    """`exengine replay` on the inputs in `folder`; its output folder."""
    out = folder / "out"
    arguments = ["replay", "--signals", folder / "signals.jsonl", "--prices", *prices]
    arguments += ["--markets", folder / "markets.json", "--config", folder / "config.json", "--out", out, "--no-auth"]
    code = main([str(one) for one in arguments])
    assert code == 0, f"exit code {code}"
    return out
