"""The files of a sweep: its runs as a table and as JSON, its drawing, and the best run's configuration."""

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from exengine.domain.money import arithmetic, plain
from exengine.replay.output import built, cell, not_written
from exengine.replay.sweep import Run, Sweep
from exengine.replay.sweep_chart import drawing

TABLE, RECORD, DRAWING, BEST = "sweep.csv", "sweep.json", "sweep.svg", "best.json"
FILES = frozenset({TABLE, RECORD, DRAWING, BEST})


def save(out: Path, sweep: Sweep, *, best: str, zone: str) -> None:
    """Writes all of them or none. `best` is the text of the best run's configuration. Raises UserError."""
    ranked = sweep.ranked()
    columns = [sweep.by, *(name for name in ranked[0].figures if name != sweep.by)]
    try:
        with built(out) as building, arithmetic():
            with (building / TABLE).open("w", encoding="utf-8", newline="") as file:
                rows = csv.writer(file, lineterminator="\n")
                rows.writerow(("rank", "run", *sweep.paths, *columns))
                for place, run in enumerate(ranked, start=1):
                    rows.writerow((place, run.number, *run.values, *(_cell(run.figures[name]) for name in columns)))
            text = json.dumps(_record(sweep), indent=2, ensure_ascii=False)
            (building / RECORD).write_text(text + "\n", encoding="utf-8", newline="\n")
            (building / DRAWING).write_text(drawing(sweep, zone), encoding="utf-8", newline="\n")
            (building / BEST).write_text(best, encoding="utf-8", newline="\n")
    except OSError as error:
        raise not_written(out, error) from None


def _cell(value: Any) -> str:
    return "" if value is None else plain(value) if isinstance(value, Decimal) else str(value)


def _record(sweep: Sweep) -> dict[str, Any]:
    def told(place: int, run: Run) -> dict[str, Any]:
        figures = {name: cell(value) for name, value in run.figures.items()}
        settings = dict(zip(sweep.paths, run.values, strict=True))
        return {"rank": place, "run": run.number, "settings": settings, "figures": figures}

    return {
        "ranked_by": sweep.by,
        "runs": [told(place, run) for place, run in enumerate(sweep.ranked(), start=1)],
        "left_out": [
            {"run": number, "settings": dict(zip(sweep.paths, values, strict=True)), "reason": why}
            for number, values, why in sweep.left_out
        ],
    }
