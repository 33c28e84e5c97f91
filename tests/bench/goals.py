"""What was measured beside what it must be and what a bare loop takes in the same run: one table, one JSON file."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "build" / "bench"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A figure, in `unit`; `limit` is the most that it may be, `bare` what a bare loop takes, where there is such."""

    what: str
    measured: float
    unit: str
    limit: float | None = None
    bare: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.measured / self.bare if self.bare else None

    @property
    def met(self) -> bool | None:
        return None if self.limit is None else self.measured <= self.limit


def goals_table(title: str, goals: Sequence[Goal]) -> str:
    """A line for each goal; one that falls short says so."""
    lines = [title, f"  {'':46}{'measured':>14}{'limit':>10}{'bare':>10}{'ratio':>9}"]
    for goal in goals:
        figures = f"{goal.measured:>9.2f} {goal.unit:<4}{_told(goal.limit):>10}{_told(goal.bare):>10}"
        ratio = f"{goal.ratio:.2f}x" if goal.ratio is not None else "-"
        lines.append(f"  {goal.what:46}{figures}{ratio:>9}{'  FALLS SHORT' if goal.met is False else ''}")
    return "\n".join(lines)


def keep_goals(name: str, goals: Sequence[Goal]) -> Path:
    """Writes them to `build/bench/NAME.json`, for a later run to be held against."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / f"{name}.json"
    told = [{**asdict(goal), "ratio": goal.ratio, "met": goal.met} for goal in goals]
    file.write_text(json.dumps(told, indent=2) + "\n")
    return file


def _told(figure: float | None) -> str:
    return "-" if figure is None else f"{figure:.2f}"
