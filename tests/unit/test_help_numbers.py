"""The worked numbers of the help are those that the engine itself comes to."""

import re
from dataclasses import replace
from decimal import Decimal

from exengine.assets import asset
from exengine.domain import money
from exengine.domain.grid import plan_ladder
from exengine.domain.instrument import Side
from exengine.domain.settings import GridSettings
from exengine.domain.take_profit import target_price
from tests.helpers.world import BTC

D = Decimal
COIN = replace(BTC, step_size=D("0.001"), min_qty=D("0.001"))


def page(name: str) -> str:
    return asset(f"help/{name}.md").read_text(encoding="utf-8")


def ladder():
    with money.arithmetic():
        return plan_ladder(
            grid=GridSettings(), instrument=COIN, side=Side.LONG, signal_price=D(100), group_base=D(100),
            capital=D(100), last=None,
        ).legs  # fmt: skip


def test_the_ladder_of_the_help_is_the_engine_s():
    rows = re.findall(r"\| DCA(\d) \| (\S+) % \| (\S+) \| (\S+) % \| (\S+) \| \+(\S+) % = (\S+) \|", page("ladder"))
    told = [[D(cell.replace("−", "-")) for cell in row] for row in rows]
    with money.arithmetic():
        made = [
            [
                D(leg.index), leg.gap_percent, leg.price, leg.weight_percent, leg.qty, leg.tp_percent,
                target_price(COIN, Side.LONG, leg.price, leg.tp_percent),
            ]
            for leg in ladder()
        ]  # fmt: skip
    assert told == made


def test_the_average_of_the_help_and_its_target_are_the_engine_s():
    with money.arithmetic():
        legs = ladder()
        average = sum(leg.price * leg.qty for leg in legs) / sum(leg.qty for leg in legs)
        target = target_price(COIN, Side.LONG, average, D(1))
    assert f"the average is {average.quantize(D('0.001'))}; with 1 % the target is\n  {target}." in page("ladder")


def test_what_closing_a_winner_brings_is_reckoned_as_the_risk_engine_does():
    text = page("risk")
    fee = D("0.001")
    cost, last, wanted = 100 * (1 + fee), D(110), D(5)
    gain = last - cost - last * fee
    qty = money.ceil_step(wanted / gain, D("0.001"))
    assert f"brings 110 − {cost:.2f} − {last * fee:.2f} = **{gain:.2f}**" in text
    assert f"To pay 5.00 USD, {qty} of it are sold, which brings {qty * gain:.2f}." in text
    assert 0 <= D("0.45") - wanted / last * gain < D("0.01")


def test_the_plan_of_the_help_adds_up():
    brings = [D(one.replace("−", "-")) for one in re.findall(r"\| ([+−]\d+\.\d+) \|", page("risk"))]
    *parts, left = brings
    assert sum(parts) == left
    assert D("307.87") + D("4.69") == -parts[-1]


def test_what_waits_longer_at_a_deeper_loss_goes_first_as_the_help_says():
    text = page("queue")
    for entry, last in re.findall(r"0\.\d{4}", text) and [(D("0.6120"), D("0.5988")), (D("0.4512"), D("0.4479"))]:
        assert f"{(last - entry) / entry * 100:.2f}".replace("-", "−") + " %" in text
