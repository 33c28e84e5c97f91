"""The trader's hand on one group, on the running program: a part closed, a stop set, both there after a restart."""

from decimal import Decimal

import pytest

from exengine.domain.errors import UserError
from exengine.engine.desk import Desk
from tests.helpers.program import InProcess, entry, program

GROUP = "paper|BTC/USDT|15m#1"
ONE_LEG = {"legs": [{"gap_percent": "0", "weight_percent": "100", "tp_percent": "50"}], "max_pyramids": 1}


def desk_of(running: InProcess) -> Desk:
    made = running.program
    return Desk(made.engine, made.clock, made.past)


async def test_a_part_and_a_stop_are_kept_over_a_restart_and_the_stop_then_closes(tmp_path, monkeypatch):
    sections = {"grid": ONE_LEG, "sizing": {"amount": "1000"}}
    async with program(tmp_path, monkeypatch, **sections) as running:
        await running.market.tick("50000")
        await running.post(entry("50000"))
        desk, held = desk_of(running), running.program.state.groups[GROUP].net_qty
        assert "asked by the trader" in await desk.close_part(GROUP, held / 2)
        await running.program.engine.settled()
        half = running.program.state.groups[GROUP].net_qty
        assert Decimal("0.4") < half / held < Decimal("0.6")
        with pytest.raises(UserError, match="stands below the last price"):
            await desk.set_stop(GROUP, Decimal(60000))
        assert await desk.set_stop(GROUP, Decimal(48000)) == "Stop set to 48000 by the trader."
    async with program(tmp_path, monkeypatch, **sections) as running:
        group = running.program.state.groups[GROUP]
        assert (group.net_qty, group.stop_price) == (half, Decimal(48000))
        await running.market.tick("47900")
        await running.program.engine.settled()
        assert running.program.state.groups == {}


async def test_what_the_group_cannot_bear_is_refused_in_words_and_changes_nothing(tmp_path, monkeypatch):
    async with program(tmp_path, monkeypatch, grid=ONE_LEG) as running:
        await running.market.tick("50000")
        await running.post(entry("50000"))
        desk, before = desk_of(running), running.program.state.groups[GROUP]
        with pytest.raises(UserError, match="less than the step"):
            await desk.close_part(GROUP, Decimal("0.0000001"))
        with pytest.raises(UserError, match="none of these entries is refused any more"):
            await desk.place_again(GROUP, ((0, 0),))
        assert running.program.state.groups[GROUP] == before
        assert await desk.set_stop(GROUP, None) == "There was nothing to change."
