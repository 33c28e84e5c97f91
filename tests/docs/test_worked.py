"""The worked numbers and the pictures of the help are what the engine does today."""

import re
from decimal import Decimal

import pytest

from exengine.domain.money import plain
from exengine.ui.help_text import settings_page
from tests.docs.blocks import HELP, ROOT, pages
from tests.docs.made import SHOTS, WORKED
from tests.docs.pictures import DRAWN, draw
from tests.docs.worked import MODES, Played, ladder, offset, taking_profit

D = Decimal


def page(name: str) -> str:
    return (HELP / f"{name}.md").read_text(encoding="utf-8")


def signed(value: Decimal, places: str = "0.01") -> str:
    return f"{value.quantize(D(places)):+f}".replace("-", "−")


def test_the_ladders_table_is_the_ladder_that_is_laid(tmp_path):
    orders = ladder(tmp_path).tables["orders"]
    entries = [row for row in orders if row["role"] == "entry"]
    targets = {row["leg"]: row for row in orders if row["role"] == "tp"}
    gaps, percents = ("0.0", "−0.5", "−1.0", "−1.5", "−2.0"), ("1.0", "0.5", "2.0", "1.5", "1.0")
    for entry, gap, percent in zip(entries, gaps, percents, strict=True):
        price, target = D(entry["price"]), D(targets[entry["leg"]]["price"])
        assert D(entry["price"]) == (100 * (1 + D(gap.replace("−", "-")) / 100)).quantize(D("0.01"))
        bought = f"| DCA{entry['leg']} | {gap} % | {price:.2f} | 20 % | {D(entry['qty']):.3f} |"
        assert f"{bought} +{percent} % = {target:.2f} |" in page("ladder")


@pytest.fixture(scope="module")
def modes(tmp_path_factory) -> dict[str, Played]:
    return {mode: taking_profit(tmp_path_factory.mktemp(mode), mode) for mode in MODES}


def test_the_ways_to_take_profit_bring_what_the_page_says(modes):
    text = page("ladder")
    for mode, played in modes.items():
        sold = [row for row in played.tables["orders"] if row["role"] == "tp" and row["status"] == "filled"]
        last = max(sold, key=lambda row: int(row["closed_at"]))
        (line,) = [one for one in text.splitlines() if one.startswith(f"| {mode} |") and "+" in one]
        _, _, count, closes, result, _ = (cell.strip() for cell in line.split("|"))
        assert result == signed(D(played.summary["realised_pnl"]))
        assert closes.startswith(f"{D(last['average']):.2f}")
        resting = sum(row["type"] == "limit" for row in sold)
        assert count.startswith(f"{resting}")
        assert played.summary["groups_closed"] == 1
    prices = [
        f"{D(row['price']):.2f}" for row in modes["pyramid"].tables["orders"] if row["role"] == "tp" and row["price"]
    ]
    assert "2, at 98.84 and 99.99" in text
    assert {"98.84", "99.99"} <= set(prices)


def test_the_averages_on_the_page_are_those_of_the_fills(modes):
    def average(*pyramids: str) -> str:
        rows = [row for row in modes["leg"].entries() if row["status"] == "filled" and row["pyramid"] in pyramids]
        total = sum(D(row["filled"]) for row in rows)
        return f"{sum(D(row['average']) * D(row['filled']) for row in rows) / total:.2f}"

    said = f"{average('0')} for the\nfirst pyramid, {average('1')} for the second and {average('0', '1')} for both"
    assert said in page("ladder")


def test_the_offset_on_the_page_is_the_one_that_the_engine_makes(tmp_path):
    played, text = offset(tmp_path), page("risk")
    steps, groups = played.tables["risk"], {row["symbol"]: row for row in played.tables["groups"]}
    required = D(steps[0]["required"])
    assert f"**{required:.2f} USD** are required" in text
    for step in steps:
        symbol = step["winner"].split("|")[1]
        whole = groups[symbol]["status"] == "closed"
        held = D(step["qty"]) + D(groups[symbol]["qty_open"])
        what = f"all {plain(held)}" if whole else f"{plain(D(step['qty']))} of {plain(held)}"
        assert f"| {symbol} 1h | {what} | {signed(D(step['realised']))} |" in text
    loser = groups["SOL/USDT"]
    assert f"| SOL/USDT 1h | all 9.99 | {signed(D(loser['realised_pnl']))} |" in text
    left = sum(D(step["realised"]) for step in steps) + D(loser["realised_pnl"])
    assert f"| left over | | {signed(left)} |" in text
    assert [groups[symbol]["reason"] for symbol in ("SOL/USDT", "BTC/USDT", "ETH/USDT")] == ["risk_offset"] * 2 + [""]
    assert f"ETH keeps {groups['ETH/USDT']['qty_open']} coins" in text


def test_what_stands_before_the_offset_is_what_the_rules_make_of_it(tmp_path):
    """The table of the three groups: quantities less the fee, gains by SPEC §8's formula."""
    fee = D("0.001")
    for symbol, bought, qty, last in (("BTC", 500, "1.998", 530), ("ETH", 200, "4.995", 210)):
        unit_cost = D(bought) / (1 - fee)
        gain = (last - unit_cost - last * fee) * D(qty)
        assert f"| {symbol}/USDT 1h | {qty} | {bought}.00 | {last}.00 | {signed(gain)} after" in page("risk")
    cost = D(100) / (1 - fee) * D("9.99")
    loss = D("92.5") * D("9.99") - cost
    assert f"{signed(loss)[:6]}, which is {signed(loss / cost * 100)} %" in page("risk")
    assert f"costs {D('92.5') * D('9.99') * fee:.2f} USD in fees" in page("risk")


def test_the_small_example_of_a_winner_is_reckoned_right():
    unit_cost, fee = D("100.10"), D("110") * D("0.001")
    gain = 110 - unit_cost - fee
    assert f"110 − 100.10 − {fee:.2f} = **{gain:.2f}**" in page("risk")
    assert f"{(5 / gain).quantize(D('0.001'))} of it are sold" in page("risk")
    assert f"no more than {(5 / D(110) * gain).quantize(D('0.001'))}" in page("risk")


def test_the_pictures_are_those_that_the_engine_makes_today():
    for name, text in draw().items():
        assert (HELP / "pictures" / name).read_text(encoding="utf-8") == text, "python3 packaging/dev.py docs"


def test_every_picture_is_small_and_shown_and_every_one_that_is_shown_is_there():
    there = {path.name: path.stat().st_size for path in (HELP / "pictures").iterdir()}
    worked = [f"{name}{ending}" for name in WORKED for ending in ("", "-light")]
    assert set(there) == {f"{name}.svg" for name in DRAWN} | {f"{name}.png" for name in (*SHOTS, *worked)}
    assert max(there.values()) < 300_000
    texts = "".join(path.read_text(encoding="utf-8") for path in pages())
    # In the light theme a light one takes the place of the one that a page names.
    assert [name for name in there if f"pictures/{name.replace('-light', '')})" not in texts] == []


def test_the_page_of_settings_in_the_repository_is_the_one_in_the_program():
    assert page("settings") == settings_page() + "\n", "python3 packaging/dev.py docs"


def test_every_link_between_pages_leads_to_a_page():
    for path in pages():
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            assert ((ROOT if path.name == "README.md" else HELP) / target).is_file(), (path.name, target)
