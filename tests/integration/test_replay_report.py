"""The page of a replay: one file that needs nothing else, the same bytes each time, and the figures of the summary."""

import json
import re
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

from exengine.assets import asset
from exengine.domain.money import arithmetic
from exengine.replay.chart import Line, chart, thinned
from tests.helpers.scenarios import run_replay
from tests.integration.test_replay import T0, body, prepare, table


class Nesting(HTMLParser):
    """Reads a page strictly: every element is closed by its own end."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        for name, value in attrs:
            assert name not in ("src", "href", "srcset", "onclick"), (tag, name, value)
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def page(folder: Path, **inputs: object) -> tuple[str, Path]:
    out = run_replay(folder, prepare(folder, **inputs))  # type: ignore[arg-type]
    return (out / "report.html").read_text(encoding="utf-8"), out


def test_the_page_is_whole_by_itself_and_asks_for_nothing(tmp_path: Path) -> None:
    text, _ = page(tmp_path)
    read = Nesting()
    read.feed(text)
    assert read.open == []
    assert {"svg", "table", "style"} <= read.seen
    assert not read.seen & {"script", "link", "img", "iframe"}
    assert not re.search(r"https?:|url\(|@import|javascript:", text)


def test_the_page_says_what_the_summary_says(tmp_path: Path) -> None:
    text, out = page(tmp_path)
    summary = json.loads((out / "summary.json").read_text())
    for name in ("end_equity", "realised_pnl", "fees", "max_drawdown_percent"):
        assert format(Decimal(summary[name]).quantize(Decimal("0.01")), ",f") in text, name
    (group,) = table(out / "groups.csv")
    assert group["group"] in text
    assert ">opened<" in text


def test_the_page_has_the_programs_colours_in_light_and_dark(tmp_path: Path) -> None:
    text, _ = page(tmp_path)
    themes = json.loads(asset("tokens.json").read_text(encoding="utf-8"))["themes"]
    light, dark = text.split("@media (prefers-color-scheme:dark)")
    assert f"--surface:{themes['light']['surface']};" in light
    assert f"--surface:{themes['dark']['surface']};" in dark


def test_what_a_signal_brought_along_cannot_write_into_the_page(tmp_path: Path) -> None:
    bad = body(T0 + 1000, "50000") | {"execution_intent": {"type": "<script>alert(1)</script>"}}
    text, out = page(tmp_path, signals=[{"at": T0 + 1000, "body": bad}])
    assert table(out / "signals.csv")[0]["outcome"] == "invalid"
    assert "<script" not in text


def test_a_replay_in_which_nothing_was_traded_has_a_page_too(tmp_path: Path) -> None:
    text, out = page(tmp_path, signals=[{"at": T0 + 1000, "command": "pause"}])
    assert table(out / "groups.csv") == []
    read = Nesting()
    read.feed(text)
    assert "–" in read.texts


def test_a_long_curve_keeps_its_ends_and_its_extremes() -> None:
    series = [(at, Decimal((at * 7919) % 1000)) for at in range(5000)]
    kept = thinned(series, 400)
    assert len(kept) <= 400
    assert (kept[0], kept[-1]) == (series[0], series[-1])
    assert {min(v for _, v in kept), max(v for _, v in kept)} == {min(v for _, v in series), max(v for _, v in series)}
    assert kept == sorted(kept)


def test_a_curve_that_does_not_move_is_drawn_all_the_same() -> None:
    flat = Line(name="flat", style="total", series=[(T0, Decimal(10000)), (T0 + 1000, Decimal(10000))])
    with arithmetic():
        drawn = chart([flat], title="flat", unit="", zone="UTC", height=200)
    assert "10,000" in drawn
    assert "NaN" not in drawn
