"""What was measured beside what it must be and what a bare loop takes in the same run: one table, one JSON file."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.bench.measured import percentile

FOLDER = Path(__file__).parents[2] / "build" / "bench"

AREAS = ("webhook", "live", "busy window", "risk", "prices", "replay", "start", "growth")
"""In the order of the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A figure, in `unit`, and what it must be: in itself, or beside `bare`, the same of a bare loop or a peer.

    One that could not be measured is told of all the same, with the reason in `missing`.
    """

    area: str
    what: str
    measured: float | None
    unit: str
    limit: float | None = None
    """The most that it may be; the least where `at_least`."""
    bare: float | None = None
    times: float | None = None
    """How many times `bare` it may be at most; at least where `at_least`."""
    at_least: bool = False
    missing: str = ""
    """Why there is no figure, or no `bare` one to hold it against."""

    @property
    def ratio(self) -> float | None:
        return self.measured / self.bare if self.bare and self.measured is not None else None

    @property
    def met(self) -> bool | None:
        """None where it is told of and has no goal, or could not be measured."""
        held = [(self.measured, self.limit), (self.ratio, self.times)]
        asked = [(found, wanted) for found, wanted in held if found is not None and wanted is not None]
        if not asked:
            return None
        return all(found >= wanted if self.at_least else found <= wanted for found, wanted in asked)


def in_ms(
    area: str,
    what: str,
    samples_s: Sequence[float],
    at: int,
    *,
    bare: Sequence[float] | None = None,
    limit: float | None = None,
    times: float | None = None,
) -> Goal:
    """The percentile `at` of times in seconds, beside the same of the bare ones."""
    return Goal(
        area=area,
        what=what,
        measured=percentile(samples_s, at) * 1000,
        unit="ms",
        limit=limit,
        bare=percentile(bare, at) * 1000 if bare else None,
        times=times,
    )


def goals_table(title: str, goals: Sequence[Goal], before: Mapping[str, float] | None = None) -> str:
    """A line for each figure; one that falls short says so. `before` are an earlier run's, by what they are of."""
    earlier = f"{'before':>12}" if before is not None else ""
    lines = [title, f"  {'':58}{'measured':>14}{'goal':>12}{'bare':>10}{'ratio':>10}{'goal':>9}{earlier}"]
    area = ""
    for goal in sorted(goals, key=lambda goal: AREAS.index(goal.area)):
        if goal.area != area:
            area = goal.area
            lines.append(f"  {area}")
        way = ("≥" if goal.at_least else "≤") + " "
        limit = "-" if goal.limit is None else f"{way}{goal.limit:,.2f}"
        times = "-" if goal.times is None else f"{way}{goal.times:.1f}x"
        ratio = "-" if goal.ratio is None else f"{goal.ratio:,.2f}x"
        bare = "-" if goal.bare is None else f"{goal.bare:,.2f}"
        measured = "-" if goal.measured is None else f"{goal.measured:,.2f}"
        line = f"    {goal.what:56}{measured:>9} {goal.unit:<4}{limit:>12}{bare:>10}{ratio:>10}{times:>9}"
        if before is not None:
            line += f"{_change(goal, before):>12}"
        if goal.missing:
            line += f"  NOT MEASURED: {goal.missing}"
        lines.append(line + ("  FALLS SHORT" if goal.met is False else ""))
    held = [goal.met for goal in goals if goal.met is not None]
    missing = sum(1 for goal in goals if goal.missing)
    lines.append(
        f"  {held.count(True)} of {len(held)} goals are met{f'; {missing} could not be measured' if missing else ''}."
    )
    return "\n".join(lines)


def _change(goal: Goal, before: Mapping[str, float]) -> str:
    was = before.get(_name(goal.area, goal.what))
    if goal.measured is None:
        return "-"
    return f"{(goal.measured / was - 1) * 100:+.0f} %" if was else "new"


def _name(area: str, what: str) -> str:
    """By which the same figure of another run is found."""
    return f"{area}: {what}"


def keep_goals(name: str, goals: Sequence[Goal]) -> Path:
    """Writes them to `build/bench/NAME.json`, for a later run to be held against."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / f"{name}.json"
    told = [{**asdict(goal), "ratio": goal.ratio, "met": goal.met} for goal in goals]
    file.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return file


def kept_goals(file: Path) -> dict[str, float]:
    """What an earlier run measured, by what it is of. Raises OSError and ValueError where there is none such."""
    told: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return {_name(one["area"], one["what"]): float(one["measured"]) for one in told if one["measured"] is not None}
