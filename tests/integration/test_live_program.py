"""A real run on a Binance account, whose host is a local server: alert in, ladder out, fills, targets, exit."""

import signal
from decimal import Decimal
from pathlib import Path

from tests.helpers.live_program import OURS, live_run
from tests.helpers.program import entry

D = Decimal


async def test_an_alert_becomes_a_ladder_its_fill_a_target_and_an_exit_leaves_nothing(tmp_path: Path):
    async with live_run(tmp_path) as run:
        status, _ = await run.post(entry("46300.07"))
        assert status == 202
        await run.until(lambda: len(run.open("buy")) == 4, "the ladder")
        entries = [order for order in run.venue.orders.values() if order.side == "buy"]  # the target may be there too
        ladder = sorted((order.price or D(0) for order in entries), reverse=True)
        assert ladder == [D("46300.07"), D("46068.56"), D("45837.06"), D("45605.56"), D("45374.06")]
        assert all(OURS.fullmatch(order.client_id or "") for order in run.venue.orders.values())
        await run.until(lambda: run.open("sell"), "the first leg's target")
        (target,) = run.open("sell")
        assert (target.price, target.qty) == (D("46763.08"), D("0.00042"))

        run.venue.tick("BTCUSDT", D("46068.00"))
        await run.until(lambda: len(run.open("sell")) == 2, "the second leg's target")

        status, _ = await run.post(entry("46068.00", execution_intent__type="exit"))
        assert status == 202
        await run.until(lambda: not run.venue.open_orders() and run.venue.amounts("BTC")[0] < D("0.00002"), "the exit")
        assert await run.stop() == 0

        (trade,) = run.exported("trades")
        assert (trade["status"], trade["reason"], trade["account"]) == ("closed", "exit", "main")
        fills = run.exported("fills")
        assert sorted(fill["client_id"] for fill in fills) == sorted(
            one.order.client_id or "" for one in run.venue.trades
        )
        assert {D(fill["fee"]) for fill in fills} == {one.fee for one in run.venue.trades}
        held = run.venue.total["USDT"] - D(10000)
        booked = sum(
            (-1 if one.order.side == "buy" else 1) * one.price * one.qty
            - (one.fee if one.fee_currency == "USDT" else 0)
            for one in run.venue.trades
        )
        assert held == booked


async def test_what_fills_while_the_program_is_dead_gets_its_target_at_the_next_start(tmp_path: Path):
    async with live_run(tmp_path) as run:
        await run.post(entry("46000"))
        await run.until(lambda: len(run.open("buy")) == 5, "the ladder")
        await run.stop(number=signal.SIGKILL)
        run.venue.tick("BTCUSDT", D("45999"))
        assert len(run.open("buy")) == 4
        await run.start()
        await run.until(lambda: run.open("sell"), "the missed fill's target")
        (target,) = run.open("sell")
        assert target.price == D(46460)
        assert len(run.venue.orders) == 6
        assert await run.stop() == 0
