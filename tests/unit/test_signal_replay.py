"""A stored signal that the trader takes again: a new one, marked, and traded like any other (UI: Signals dock)."""

import json

import pytest

from exengine.domain.events import SignalArrived, SignalStored
from exengine.domain.reception import Outcome, SignalRecord, Verdict, VerdictKind, arrival_of
from exengine.domain.settings import Settings, SignalSettings
from exengine.domain.signal_body import parse_body
from tests.helpers.alerts import ABSENT, alert
from tests.helpers.world import World

HOUR_MS = 3_600_000


def trading(*, allowed: bool = True) -> World:
    world = World(Settings(signals=SignalSettings(replay=allowed)))
    world.price("BTC/USDT", "70000")
    return world


def taken_again(world: World, record: SignalRecord) -> tuple[Verdict, SignalRecord]:
    arrival = arrival_of(
        parse_body(record.body), received_at_ms=world.now_ms, source_address="this window", replay_of=record.id
    )
    step = world.tell(SignalArrived(arrival=arrival))
    assert step.verdict is not None
    if step.verdict.kind is VerdictKind.ACCEPTED:
        world.tell(SignalStored(signal_id=step.verdict.signal_id))
    return step.verdict, world.signals[max(world.signals)]


def test_it_is_a_new_signal_with_its_own_id_and_tells_whose_it_is():
    world = trading()
    _, first = world.post(alert(timestamp=world.now_ms))
    verdict, again = taken_again(world, first)
    assert (verdict.kind, verdict.signal_id) == (VerdictKind.ACCEPTED, again.id)
    assert (again.id, again.replay_of, again.outcome) == (first.id + 1, first.id, Outcome.PYRAMID)
    assert "secret" not in json.loads(again.body)
    said = [note for note in world.notes if note.signal_id == again.id]
    assert said[0].text == f"Signal {first.id} is taken again by the trader."


def test_however_old_it_is_it_is_traded():
    world = trading()
    _, first = world.post(alert(timestamp=world.now_ms))
    world.now_ms += 5 * HOUR_MS
    assert taken_again(world, first)[1].outcome is Outcome.PYRAMID


def test_a_stale_one_is_traded_once_the_trader_takes_it_again():
    world = trading()
    _, stale = world.post(alert(timestamp=world.now_ms - HOUR_MS))
    assert (stale.outcome, stale.reason) == (Outcome.REFUSED, "stale")
    assert taken_again(world, stale)[1].outcome is Outcome.OPENED


def test_what_tradingview_sends_after_it_is_no_resend_of_it():
    world = trading()
    body = alert(timestamp=ABSENT)
    _, first = world.post(body)
    world.now_ms += 59_000
    taken_again(world, first)
    world.now_ms += 2_000
    assert world.post(body)[1].outcome is Outcome.PYRAMID


def test_switched_off_it_is_refused_and_that_is_written_down():
    world = trading(allowed=False)
    _, first = world.post(alert(timestamp=world.now_ms))
    verdict, again = taken_again(world, first)
    assert verdict.kind is VerdictKind.REFUSED
    assert (again.outcome, again.reason, again.replay_of) == (Outcome.REFUSED, "replay_off", first.id)
    assert len(world.groups["paper|BTC/USDT|15m#1"].pyramids) == 1
    assert world.notes[-1].signal_id == again.id


@pytest.mark.parametrize("changes", [{"tv__action": ABSENT}, {"tv__symbol": "NOSUCHUSDT"}])
def test_what_was_no_valid_signal_is_none_the_second_time(changes):
    world = trading()
    _, first = world.post(alert(timestamp=world.now_ms, **changes))
    verdict, again = taken_again(world, first)
    assert verdict.kind is VerdictKind.INVALID
    assert again.outcome in (Outcome.INVALID, Outcome.REFUSED)
    assert world.groups == {}
