"""Replay in the whole program: stored before it is acted on, marked, and found again by its cause after a restart."""

from pathlib import Path

import pytest

from exengine.domain.errors import UserError
from exengine.domain.reception import VerdictKind
from exengine.engine.desk import Desk
from exengine.engine.past import TrailKind
from tests.helpers.program import InProcess, entry, program


def desk_of(running: InProcess) -> Desk:
    return Desk(running.program.engine, running.program.clock, running.program.past)


async def test_a_stored_signal_is_taken_again_also_by_the_next_run_and_trades_under_its_own_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with program(tmp_path, monkeypatch) as running:
        await running.market.tick("50000")
        status, answer = await running.post(entry(50000))
        assert (status, answer["status"]) == (202, "accepted")
    async with program(tmp_path, monkeypatch) as running:
        await running.market.tick("50000")
        verdict = await desk_of(running).replay_signal(answer["signal_id"])
        await running.program.engine.settled()
        assert verdict.kind is VerdictKind.ACCEPTED
        assert verdict.signal_id == answer["signal_id"] + 1
        rows = running.program.views
        rows.refresh()
        again = rows.take().signals[-1]
        assert (again.replay_of, again.outcome, again.source) == (answer["signal_id"], "pyramid", "tradingview")
        trail = await desk_of(running).trail(again.cause)
        assert trail[0].text == f"Signal {answer['signal_id']} taken again by the trader."
        made = [row for row in trail if row.kind is TrailKind.ORDER and row.text.startswith("Entry order made")]
        assert len(made) == 5


async def test_it_is_refused_where_the_setting_is_off_and_what_is_not_there_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with program(tmp_path, monkeypatch, logging={"webhook_replay": False}) as running:
        await running.market.tick("50000")
        _, answer = await running.post(entry(50000))
        desk = desk_of(running)
        assert (await desk.replay_signal(answer["signal_id"])).kind is VerdictKind.REFUSED
        with pytest.raises(UserError, match="not in the store"):
            await desk.replay_signal(99)
        rows = running.program.views
        rows.refresh()
        changes = rows.take()
        assert changes.engine is not None
        assert not changes.engine.webhook_replay
        assert changes.signals[-1].reason == "replay_off"
        (group,) = changes.groups.values()
        assert group.pyramids == 1
