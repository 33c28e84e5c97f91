"""Which errors still want the trader."""

from dataclasses import replace

from exengine.domain.group import LegState
from exengine.engine.rows import LogRow, Severity, Topic
from exengine.engine.unresolved import Unresolved, leg_of
from tests.ui import rows

DOGE = "paper|DOGE/USDT|15m#1"
REFUSED = "Entry of pyramid 1, DCA4 refused by the exchange: too many open orders (too_many)."


def line(
    number: int, text: str, topic: Topic | None, *, group: str = "", severity: Severity = Severity.ERROR
) -> LogRow:
    return replace(rows.log(number, text, severity=severity), topic=topic, group=group)


def doge():
    return next(row for row in rows.sample_groups() if row.id == DOGE)


def test_an_account_that_is_back_takes_its_own_error_away_and_no_other():
    found = Unresolved()
    found.take(
        [
            line(1, "Account main cannot be traded on: timed out.", Topic.ACCOUNT_AWAY),
            line(2, "Account perp cannot be traded on: timed out.", Topic.ACCOUNT_AWAY),
            line(3, "Account main answers, and its orders were compared.", Topic.ACCOUNT_BACK, severity=Severity.INFO),
        ]
    )
    assert len(found) == 1
    assert found.newest.id == 2


def test_the_same_account_away_once_more_is_one_error():
    found = Unresolved()
    found.take([line(1, "Account main cannot be traded on: timed out.", Topic.ACCOUNT_AWAY)])
    found.take([line(2, "Account main cannot be traded on: 502.", Topic.ACCOUNT_AWAY)])
    assert (len(found), found.newest.id) == (1, 2)


def test_a_store_that_takes_again_and_a_new_start_end_what_was_before():
    found = Unresolved()
    found.take([line(1, "The disk is full.", Topic.STORE_TROUBLE), line(2, "Boom", Topic.DEFECT)])
    found.take([line(3, "The store takes transactions again.", Topic.STORE_BACK, severity=Severity.INFO)])
    assert [found.newest.id, len(found)] == [2, 1]
    found.take([line(4, "Account main is stopped: key refused.", Topic.KEY_REFUSED)])
    found.take([line(5, "Started: listening.", Topic.STARTED, severity=Severity.INFO)])
    assert [found.newest.id, len(found)] == [2, 1], "a defect stays until it is dismissed"


def test_a_refused_entry_is_over_once_it_was_placed():
    found, group = Unresolved(), doge()
    refused = line(1, REFUSED, Topic.ORDER_REJECTED, group=DOGE)
    found.take([refused])
    found.look({DOGE: group})
    assert len(found) == 1
    assert leg_of(refused, group) == (0, 4)
    pyramid = group.pyramid_rows[0]
    placed = replace(pyramid, legs=(*pyramid.legs[:4], replace(pyramid.legs[4], state=LegState.OPEN.value)))
    found.look({DOGE: replace(group, pyramid_rows=(placed,))})
    assert len(found) == 0


def test_what_is_about_a_group_that_is_closed_is_over():
    found = Unresolved()
    found.take(
        [line(1, REFUSED, Topic.ORDER_REJECTED, group=DOGE), line(2, "Stopped: coins.", Topic.FROZEN, group=DOGE)]
    )
    found.look({})
    assert len(found) == 0


def test_a_stopped_group_that_goes_on_is_over():
    found, group = Unresolved(), doge()
    found.take([line(2, "Stopped: coins.", Topic.FROZEN, group=DOGE)])
    found.look({DOGE: replace(group, frozen=True)})
    assert len(found) == 1
    found.look({DOGE: group})
    assert len(found) == 0


def test_what_was_dismissed_does_not_come_back():
    found = Unresolved()
    found.take([line(1, "Boom", Topic.DEFECT)])
    assert found.dismiss(1)
    assert not found.dismiss(1)
    again = Unresolved(found.dismissed)
    again.take([line(1, "Boom", Topic.DEFECT)])
    assert len(again) == 0
