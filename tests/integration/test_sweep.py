"""A sweep of a configuration's settings: every combination replayed, ranked, written and drawn (SPEC §11, §12)."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from exengine.__main__ import _parser, main
from exengine.assets import asset
from exengine.bootstrap.replay import ReplayInputs
from exengine.bootstrap.replay_work import Job
from exengine.bootstrap.workers import Stopped, Workers
from exengine.cli.sweep import _left
from exengine.domain.errors import UserError
from exengine.replay import ranking
from exengine.replay.ranking import rank, with_profit
from exengine.settings.file import read
from exengine.settings.pages import Config
from exengine.settings.plain import replay_settings
from exengine.settings.variants import MOST_RUNS, read_grid, with_changes
from tests.bench.replay_inputs import alerts, config, walk, write
from tests.helpers.scenarios import run_replay

GRID: dict[str, Any] = {
    "grid.max_pyramids": [1, 3],
    "take_profit.percent": {"from": "0.5", "to": "1", "step": "0.5"},
    "take_profit.mode": ["aggregate"],
}
FILES = ("best.json", "sweep.csv", "sweep.json", "sweep.svg")


def laid(folder: Path, grid: Any = GRID, count: int = 4000) -> Path:
    """The inputs of a sweep over some hours of a walking price."""
    prices = walk(count, seed=3, every_ms=60_000)
    write(folder, signals=alerts(prices, 40, seed=1), settings=config(), prices=prices)
    (folder / "grid.json").write_text(grid if isinstance(grid, str) else json.dumps(grid))
    return folder


def asked(folder: Path, out: Path, *more: str) -> list[str]:
    named = {"signals": "signals.jsonl", "prices": "BTCUSDT.csv", "markets": "markets.json", "config": "config.json"}
    given = [part for name, file in named.items() for part in (f"--{name}", str(folder / file))]
    return ["replay", *given, "--grid", str(folder / "grid.json"), "--out", str(out), "--no-auth", *more]


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "sweep.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return laid(tmp_path_factory.mktemp("sweep"))


@pytest.fixture(scope="module")
def swept(folder: Path) -> Path:
    """What a sweep in one process has written."""
    assert main(asked(folder, folder / "out", "--workers", "1")) == 0
    return folder / "out"


def test_every_combination_is_run_and_the_best_comes_first(swept: Path) -> None:
    found = rows(swept)
    assert [row["rank"] for row in found] == ["1", "2", "3", "4"]
    combined = {(row["grid.max_pyramids"], row["take_profit.percent"]) for row in found}
    assert combined == {("1", "0.5"), ("1", "1"), ("3", "0.5"), ("3", "1")}
    ratios = [Decimal(row["profit_over_drawdown"]) for row in found]
    assert ratios == sorted(ratios, reverse=True)
    assert len(set(ratios)) > 1


def test_a_run_of_a_sweep_is_the_replay_of_its_configuration(folder: Path, swept: Path, tmp_path: Path) -> None:
    for name in ("signals.jsonl", "markets.json", "BTCUSDT.csv"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "config.json").write_bytes((swept / "best.json").read_bytes())
    summary = json.loads((run_replay(tmp_path, [tmp_path / "BTCUSDT.csv"]) / "summary.json").read_text())
    best = rows(swept)[0]
    assert {name: best[name] for name in summary} == {
        name: "" if value is None else str(value) for name, value in summary.items()
    }


def test_the_bytes_are_the_same_whatever_the_number_of_workers(folder: Path, swept: Path, tmp_path: Path) -> None:
    assert main(asked(folder, tmp_path / "out", "--workers", "3")) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(FILES)
    for name in FILES:
        assert (tmp_path / "out" / name).read_bytes() == (swept / name).read_bytes(), name


def test_the_record_and_the_drawing_tell_the_same_runs(swept: Path) -> None:
    record = json.loads((swept / "sweep.json").read_text())
    best = rows(swept)[0]
    assert record["ranked_by"] == "profit_over_drawdown"
    assert record["runs"][0]["run"] == int(best["run"])
    assert record["runs"][0]["settings"]["take_profit.percent"] == best["take_profit.percent"]
    assert record["left_out"] == []
    drawn = ElementTree.fromstring((swept / "sweep.svg").read_text())
    space = "{http://www.w3.org/2000/svg}"
    spots = [one for one in drawn.iter(f"{space}circle") if one.get("class") != "middle"]
    assert len(spots) == 4
    titles = [one.text for one in drawn.iter(f"{space}text") if one.get("class") == "title"]
    # Of the mode there is one value only: nothing to compare.
    assert titles == [
        "Net profit in USD against the largest drawdown in %",
        "profit_over_drawdown by grid.max_pyramids",
        "profit_over_drawdown by take_profit.percent",
        "Equity of the best runs, USD",
    ]


def test_another_figure_can_decide_and_a_terminal_shows_how_far_it_is(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main(asked(folder, tmp_path / "out", "--rank", "max_drawdown_percent")) == 0
    falls = [Decimal(row["max_drawdown_percent"]) for row in rows(tmp_path / "out")]
    assert falls == sorted(falls)
    steps = capsys.readouterr().err.split("\r")
    assert any("100 %  4 of 4 runs  0:00 left" in step for step in steps)
    assert steps[-2].strip() == steps[-1] == ""


@pytest.mark.parametrize(
    ("seconds", "words"), [(None, ""), (0.4, "0:00 left"), (75, "1:15 left"), (3720, "1 h 2 min left")]
)
def test_the_time_that_is_left_is_told_as_a_person_says_it(seconds: float | None, words: str) -> None:
    assert _left(seconds) == words


@pytest.mark.parametrize("option", [("--workers", "2"), ("--scheduler", "tcp://127.0.0.1:1")])
def test_options_of_many_replays_need_a_grid(
    folder: Path, tmp_path: Path, option: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    given = asked(folder, tmp_path / "out", *option)
    del given[given.index("--grid") : given.index("--grid") + 2]
    with pytest.raises(SystemExit) as ended:
        main(given)
    assert ended.value.code == 2
    assert "they need a --grid" in capsys.readouterr().err


def test_the_runs_are_told_before_they_begin_and_the_best_ones_after(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(asked(folder, tmp_path / "out", "--workers", "2")) == 0
    said = capsys.readouterr()
    assert "4 runs (2 × 2 × 1) on 2 processes, ranked by profit_over_drawdown" in said.err
    assert "grid.max_pyramids" in said.out
    assert "4 runs in" in said.out


def test_what_cannot_go_together_is_left_out_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = {"grid.legs[0].weight_percent": ["20", "30"], "grid.legs[1].weight_percent": ["20", "10"]}
    assert main(asked(laid(tmp_path, weights), tmp_path / "out")) == 0
    assert "2 combinations are left out: run 2 (grid.legs: the weights must sum to 100" in capsys.readouterr().err
    assert sorted(row["run"] for row in rows(tmp_path / "out")) == ["1", "4"]
    assert len(json.loads((tmp_path / "out" / "sweep.json").read_text())["left_out"]) == 2


@pytest.mark.parametrize(
    ("grid", "told"),
    [
        ({"grid.leg": [1]}, "grid.leg: is not known here; did you mean legs?"),
        ({"gird.max_pyramids": [1]}, "gird: is not known here; did you mean grid?"),
        ({"grid.legs[7].tp_percent": ["1"]}, "grid.legs[7].tp_percent: is not there: grid.legs has 5"),
        ({"ui.theme": ["dark"]}, "ui.theme: changes nothing in a replay"),
        ({"listener.port": [80]}, "listener.port: changes nothing in a replay"),
        ({"take_profit.percent": ["1", "-1"]}, "take_profit.percent: must be above 0 (it is -1)"),
        ({"take_profit.percent": ["1", "1.0", "1"]}, "take_profit.percent: has 1 twice"),
        ({"take_profit.percent": {"from": "2", "to": "1"}}, "from must be the smaller one"),
        ({"take_profit.percent": {"from": "1", "to": "2", "step": "0"}}, "it must be above 0"),
        ({"take_profit.percent": {"from": "1", "to": "x"}}, "take_profit.percent: to must be a number"),
        ({"take_profit.percent": {"from": "1", "by": "1"}}, "must be a range as"),
        ({"take_profit.percent": "1"}, "must be a list of values, or a range as"),
        ({"sizing.amount.x": ["1"]}, "sizing.amount.x: is not the path of a setting"),
        ({"grid max": [1]}, "is not the path of a setting"),
        ({"grid": [{}], "grid.max_pyramids": [1]}, "grid.max_pyramids: is a part of grid, which is varied as well"),
        ({"grid.legs[0].weight_percent": ["30", "40"]}, "None of the 2 combinations of the grid can be used"),
        ({}, "is not an object with a setting or more"),
        ('{"grid.max_pyramids": [1', "is not valid JSON"),
        ('{"grid.max_pyramids": [1], "grid.max_pyramids": [2]}', "is there twice"),
        ({"sim.slippage_percent": {"from": "0", "to": "99", "step": "0.001"}}, "at most 10,000 are tried"),
        (
            {"take_profit.percent": {"from": "1", "to": "200"}, "sizing.amount": {"from": "1", "to": "200"}},
            "asks for 40,000 runs (200 × 200), and 10,000 is the limit",
        ),
    ],
)
def test_a_grid_that_cannot_be_used_is_told_and_nothing_is_run(
    tmp_path: Path, grid: Any, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(asked(laid(tmp_path, grid, count=50), tmp_path / "out")) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_every_fault_of_a_grid_is_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grid = {"grid.leg": [1], "take_profit.percent": ["0", "x"], "ui.theme": ["dark"]}
    assert main(asked(laid(tmp_path, grid, count=50), tmp_path / "out")) == 2
    said = capsys.readouterr().err
    for path in ("grid.leg:", "(it is 0)", '(it is "x")', "ui.theme:"):
        assert path in said


def test_a_limit_can_be_raised_and_a_figure_must_be_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    laid(tmp_path, count=50)
    assert main(asked(tmp_path, tmp_path / "out", "--most", "3")) == 2
    assert "asks for 4 runs" in capsys.readouterr().err
    assert main(asked(tmp_path, tmp_path / "out", "--rank", "luck")) == 2
    assert "Runs cannot be ranked by luck." in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_page_of_the_help_tells_options_and_a_grid_that_there_are(tmp_path: Path) -> None:
    page = asset("help/sweep.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```json G\.json\n(.*?)^```$", page, re.M | re.S)
    (tmp_path / "G.json").write_text(example)
    grid = read_grid(tmp_path / "G.json", Config())
    assert f"here {grid.runs} of them" in page
    told = {*re.findall(r"--[a-z]+", page)}
    assert told == {"--grid", "--out", "--rank", "--workers", "--most", "--scheduler"}
    options = _parser().parse_args(asked(tmp_path, tmp_path / "out"))
    assert (options.rank, options.most) == (ranking.DEFAULT, MOST_RUNS)
    assert f"default is {MOST_RUNS:,}" in page
    assert f"Default is `{ranking.DEFAULT}`" in page
    assert with_changes(Config(), "take_profit.percent = 1.5").take_profit.percent == Decimal("1.5")


def test_undefined_figures_come_last_and_a_profit_without_a_fall_first() -> None:
    def figures(end: str, fall: str | None, sharpe: str | None = None) -> dict[str, Any]:
        known = {"start_equity": Decimal(100), "end_equity": Decimal(end)}
        return with_profit(
            known
            | {
                "max_drawdown_percent": None if fall is None else Decimal(fall),
                "sharpe": None if sharpe is None else Decimal(sharpe),
            }
        )

    runs = [figures("100", "0"), figures("110", "5"), figures("105", "0"), figures("120", "40"), figures("90", None)]
    order = sorted(range(5), key=lambda number: rank(runs[number], "profit_over_drawdown", number))
    assert order == [2, 1, 3, 0, 4]
    by_sharpe = [figures("100", "1", "2"), figures("100", "1"), figures("100", "1", "3"), figures("100", "1", "2")]
    order = sorted(range(4), key=lambda number: rank(by_sharpe[number], "sharpe", number))
    assert order == [2, 0, 3, 1]


# the processes --------------------------------------------------------------------------------------------------------


def inputs(folder: Path) -> ReplayInputs:
    return ReplayInputs(
        settings=replay_settings(read(folder / "config.json")), instruments=(), tapes={}, recorded=[], secret=None
    )


def job(number: int, **more: Any) -> Job:
    return Job(number=number, settings=replay_settings(Config()), **more)


def test_a_worker_that_is_ended_by_the_system_is_told(folder: Path) -> None:
    with Workers(inputs(folder), 1) as workers:
        runs = workers.run(job(number) for number in range(1, 4))
        next(runs)
        for process, _ in workers._processes:
            process.kill()
        with pytest.raises(UserError, match="has ended before its work was done"):
            list(runs)


def test_workers_can_be_stopped_while_they_work(folder: Path) -> None:
    with Workers(inputs(folder), 2) as workers:
        runs = workers.run(job(number) for number in range(1, 100))
        next(runs)
        workers.stop()
        with pytest.raises(Stopped):
            list(runs)


def test_what_a_worker_cannot_do_is_told_as_it_happened(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with Workers(inputs(folder), 1) as workers, pytest.raises(UserError, match="could not be written"):
        list(workers.run([job(1, out=tmp_path / "file")]))


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal's Ctrl-C is sent otherwise there")
def test_ctrl_c_ends_a_sweep_and_all_its_processes_and_writes_nothing(tmp_path: Path) -> None:
    many = {"take_profit.percent": {"from": "1", "to": "500"}}
    command = [sys.executable, "-m", "exengine", *asked(laid(tmp_path, many), tmp_path / "out", "--workers", "2")]
    # What a shell starts in the background has SIGINT ignored, and so have the children of these tests there.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        assert process.stderr is not None
        assert "500 runs" in process.stderr.readline()
        os.killpg(process.pid, signal.SIGINT)
        # Every process of the sweep holds the pipe of the errors: at its end none is left.
        out, errors = process.communicate()
    assert process.returncode == 130
    assert (out, errors) == ("", "")
    assert not (tmp_path / "out").exists()
