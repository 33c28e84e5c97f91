"""The program on an exchange's public prices, from a local server that speaks Binance's language."""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

from exengine.bootstrap.program import Program
from exengine.exchange.markets.public import PublicMarket
from exengine.settings.paths import DataDir
from tests.helpers.alerts import alert
from tests.helpers.market_clock import MarketClock
from tests.helpers.program import TOKEN, environment, http, write_config
from tests.helpers.public_binance import public_binance


async def test_a_paper_group_opens_at_an_exchanges_public_price_and_its_symbol_is_watched(
    tmp_path: Path, monkeypatch: Any
) -> None:
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    config = write_config(
        tmp_path, sim={"market": "live"}, grid={"entry_order": "market"}, security={"max_signal_age_seconds": 0}
    )
    async with public_binance() as binance:
        market = PublicMarket("binance", session=binance.session, clock=MarketClock())
        program = Program(DataDir(tmp_path / "data"), config, market=market)
        await program.start()
        try:
            body = alert(tv__symbol="PEPEUSDT", tv__entry_price="0.00001234")
            status, _ = await asyncio.to_thread(http, f"{program.listener.url}/{TOKEN}", body)
            assert status == 202
            async with asyncio.timeout(20):
                while program.state.last("paper", "PEPE/USDT") is None or not _filled(program):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            (group,) = program.state.groups.values()
            assert group.leg((0, 0)).entered_value / group.leg((0, 0)).entered_qty == Decimal("0.00001234")
            assert program.state.last("paper", "BTC/USDT") == Decimal("95000.01")
            assert not any("LUNAUSDT" in asked for asked in binance.asked)
        finally:
            await program.stop()


def _filled(program: Program) -> bool:
    return any(group.has_filled for group in program.state.groups.values())
