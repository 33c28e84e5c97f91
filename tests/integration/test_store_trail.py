"""The audit trail: everything of one cause from the webhook to the fill, and all of it in an export, by time."""

import asyncio
import csv
from datetime import datetime
from pathlib import Path

import pytest

from exengine.cli.export import moment_ms
from exengine.domain.errors import UserError
from exengine.domain.settings import PoolSettings, Settings
from exengine.domain.step import Step
from exengine.engine.changes import Changes
from exengine.engine.past import TrailKind
from exengine.engine.traces import Traces
from exengine.store.address import Place
from exengine.store.database import DatabaseStore
from exengine.store.export import export
from exengine.store.places import open_store
from tests.helpers.world import World


async def stored(place: Place, world: World) -> DatabaseStore:
    """What the world has decided, transaction by transaction as an engine writes it."""
    store = await asyncio.to_thread(open_store, place)
    await store.commit(Changes(instruments={world.account.name: world.instruments}))
    traces, number = Traces(), 1
    for step in world.steps:
        changes = Changes(traces=traces.of([step]))
        changes.add(step)
        changes.notes = list(enumerate(step.notes, start=number))
        number += len(step.notes)
        await store.commit(changes)
        traces.keep(changes.traces)
    return store


def two_alerts() -> World:
    """One group whose ladder fills in part and leaves with profit, one alert that waits meanwhile."""
    world = World(Settings(pool=PoolSettings(max_open_groups=1)), fees=None)
    world.price("BTC/USDT", "50000")
    world.price("ETH/USDT", "2000")
    world.alert("50000")
    world.alert("2000", tv__symbol="ETHUSDT")
    world.price("BTC/USDT", "49400")
    world.price("BTC/USDT", "52000")
    return world


async def test_one_alert_is_followed_from_the_webhook_to_its_last_fill(place: Place) -> None:
    world = two_alerts()
    store = await stored(place, world)
    rows = await store.trail("signal-1")
    assert [row.at_ms for row in rows] == sorted(row.at_ms for row in rows)
    assert {row.cause for row in rows} == {"signal-1"}
    assert rows[0].text == "Signal received from 127.0.0.1."
    assert rows[1].text == "Decided: opened."
    kinds = [row.kind for row in rows]
    mine = [order for order in world.orders.values() if order.symbol == "BTC/USDT"]
    assert kinds.count(TrailKind.ORDER) == sum(1 + (order.sent_at_ms is not None) for order in mine)
    assert kinds.count(TrailKind.FILL) == len([one for one in world.fills if one.order.symbol == "BTC/USDT"])
    bought = next(row for row in rows if row.kind is TrailKind.FILL)
    assert bought.text.startswith("Fill of the entry order: buy 0.0004 at 50000 (trade ")
    assert bought.client_id in world.orders
    assert any(row.text.startswith("Closed: target reached.") for row in rows)
    assert {row.client_id for row in rows if row.kind is TrailKind.ANSWER} == {one.client_id for one in mine}
    await store.close()


async def test_the_way_through_the_queue_is_told_too(place: Place) -> None:
    store = await stored(place, two_alerts())
    rows = await store.trail("signal-2")
    waited = [row.text for row in rows if row.kind is TrailKind.QUEUE]
    assert waited == [
        "Queue: long paper|ETH/USDT|15m at 2000 queued, pool full.",
        "Queue: long paper|ETH/USDT|15m at 2000 promoted.",
    ]
    assert sum(row.kind is TrailKind.ORDER and " made: buy " in row.text for row in rows) == 5
    await store.close()


async def test_the_end_of_the_group_is_told_of_the_alert_that_opened_it_whatever_ended_it(place: Place) -> None:
    world = World()
    world.price("BTC/USDT", "50000")
    world.alert("50000")
    world.alert("50100", tv__action="sell", execution_intent={"type": "exit"})
    store = await stored(place, world)
    last = (await store.trail("signal-1"))[-1]
    assert (last.text[:12], last.cause) == ("Closed: exit", "signal-2")
    sold = [row for row in await store.trail("signal-2") if row.kind is TrailKind.FILL]
    assert [row.text.startswith("Fill of the close order: sell 0.0004 at 50000, brought ") for row in sold] == [True]
    await store.close()


async def test_of_what_nobody_knows_nothing_is_told(place: Place) -> None:
    store = await stored(place, two_alerts())
    assert await store.trail("signal-99") == await store.trail("trader-1") == await store.trail("") == ()
    await store.close()


async def test_a_signals_times_survive_a_restart_with_its_first_fill(place: Place) -> None:
    world = two_alerts()
    store = await stored(place, world)
    await store.close()
    again = await asyncio.to_thread(open_store, place)
    row = (await again.last_signals(5))[0]
    first = min((order for order in world.orders.values() if order.signal_id == 1), key=lambda one: one.sent_at_ms or 0)
    assert (row.sent_at_ms, row.acknowledged_at_ms) == (first.sent_at_ms, first.acknowledged_at_ms)
    assert row.filled_at_ms == world.fills[0].fill.at_ms
    assert row.received_at_ms <= row.stored_at_ms <= row.decided_at_ms <= row.sent_at_ms <= row.filled_at_ms  # type: ignore[operator]
    await again.close()


async def test_a_later_fill_never_takes_the_first_ones_place_also_where_the_engine_no_longer_knows_it(
    place: Place,
) -> None:
    world = two_alerts()
    store = await stored(place, world)
    before = (await store.last_signals(5))[0]
    late = Step(world.state, world.now_ms + 60_000)
    late.fills = [world.fills[-1]]
    forgetful = Changes(traces=Traces().of([late]))
    assert forgetful.traces
    await store.commit(forgetful)
    assert (await store.last_signals(5))[0].filled_at_ms == before.filled_at_ms
    await store.close()


async def test_a_stored_text_is_found_by_its_number(place: Place) -> None:
    world = two_alerts()
    store = await stored(place, world)
    assert await store.signal_body(1) == world.signals[1].body
    assert await store.signal_body(99) is None
    await store.close()


def exported(place: Place, folder: Path, **span: int) -> list[dict[str, str]]:
    out = folder / "logs.csv"
    export(place, "logs", "csv", out, **span)
    with out.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


async def test_an_export_of_the_logs_has_every_row_of_it_by_time(place: Place, tmp_path: Path) -> None:
    world = two_alerts()
    store = await stored(place, world)
    rows = exported(place, tmp_path)
    assert [int(row["at"]) for row in rows] == sorted(int(row["at"]) for row in rows)
    kinds = [row["kind"] for row in rows]
    assert kinds.count("line") == len(world.notes)
    assert kinds.count("signal") == kinds.count("decision") == 2
    assert kinds.count("fill") == len(world.fills)
    assert kinds.count("queue") == len(world.queue_events)
    assert all(row["cause"] for row in rows)
    assert {row["client_id"] for row in rows if row["kind"] in ("order", "answer", "fill")} == set(world.orders)
    await store.close()


async def test_an_export_is_of_the_time_that_is_asked_for_its_end_not_within(place: Place, tmp_path: Path) -> None:
    store = await stored(place, two_alerts())
    times = sorted({int(row["at"]) for row in exported(place, tmp_path)})
    some = exported(place, tmp_path, since_ms=times[1], until_ms=times[-1])
    assert sorted({int(row["at"]) for row in some}) == times[1:-1]
    out = tmp_path / "orders.csv"
    everything = export(place, "orders", "csv", out)
    assert 0 < export(place, "orders", "csv", out, until_ms=times[3]) < everything
    assert export(place, "trades", "csv", out, since_ms=times[-1] + 1) == 0
    await store.close()


def test_a_day_is_the_traders_own_and_taken_whole() -> None:
    from zoneinfo import ZoneInfo

    berlin = ZoneInfo("Europe/Berlin")
    assert moment_ms("2026-11-29", berlin) == int(datetime(2026, 11, 29, tzinfo=berlin).timestamp() * 1000)
    assert moment_ms("2026-11-29", berlin, is_end=True) == moment_ms("2026-11-30", berlin)
    # A day with 25 hours.
    assert moment_ms("2026-10-25", berlin, is_end=True) - moment_ms("2026-10-25", berlin) == 25 * 3_600_000
    assert moment_ms("2026-11-29T14:30", berlin) == moment_ms("2026-11-29T13:30Z", berlin)


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "29.11.2026", "", "99999-01-01"])
def test_what_is_no_time_is_refused_with_how_to_write_it(text: str) -> None:
    from datetime import UTC

    with pytest.raises(UserError, match="no day and no moment"):
        moment_ms(text, UTC)
