"""What `exengine doctor` finds out about an account: clock, key, permissions, rules, streams."""

import re
from dataclasses import replace

import pytest

from exengine.exchange.live.check import Finding, examine
from exengine.exchange.live.profiles import PROFILES
from tests.contract.bench import Bench, bench, started

SIX = tuple(PROFILES)


async def examined(there: Bench) -> dict[str, Finding]:
    market_type = there.settings.market_type
    findings = await there.exchange.on_thread(lambda client: examine(client, market_type, stream_s=0.5))
    return {finding.about: finding for finding in findings}


@pytest.mark.parametrize("name", SIX)
async def test_an_account_that_is_fit_is_said_to_be(name: str):
    async with bench(name) as there:
        found = await examined(there)
        assert [about for about, finding in found.items() if not finding.is_well] == []
        assert "10,000 USDT" in found["key"].text
        assert found["permissions"].text == "may trade, may not withdraw"
        assert found["rules"].text == "1 symbol can be traded"


@pytest.mark.parametrize("name", SIX)
async def test_a_key_that_may_withdraw_is_warned_about(name: str):
    async with bench(name) as there:
        there.server.keys.may_withdraw = True
        found = (await examined(there))["permissions"]
        assert (found.is_well, found.warns) == (True, True)
        assert found.text.startswith("The key may withdraw, not only trade.")


@pytest.mark.parametrize("name", SIX)
async def test_a_key_that_may_not_trade_is_not_fit(name: str):
    async with bench(name) as there:
        there.server.keys.may_trade = False
        found = (await examined(there))["permissions"]
        assert not found.is_well
        assert "may not trade" in found.text


@pytest.mark.parametrize("name", SIX)
async def test_a_wrong_secret_is_told_in_words(name: str):
    async with bench(name, secret="wrong") as there:
        found = await examined(there)
        assert not found["key"].is_well
        assert "does not take the key" in found["key"].text
        assert found["clock"].is_well
        assert "wrong" not in "".join(repr(finding) for finding in found.values()).replace("wrong clock", "")


async def test_a_clock_that_is_off_is_told_in_milliseconds():
    async with bench("binance") as there:
        there.faults.clock_skew_ms = 90_000
        found = (await examined(there))["clock"]
        told = re.search(r"its clock is \+([\d,]+) ms", found.text)
        assert told is not None
        assert abs(int(told.group(1).replace(",", "")) - 90_000) < 5_000
        assert "NTP" in found.text
        assert found.warns


async def test_a_server_that_is_not_there_fails_every_look_in_words():
    async with bench("binance") as there:
        gone = replace(there.settings, server="http://127.0.0.1:9")
        async with started(gone, there.server) as nowhere:
            assert not any(finding.is_well for finding in (await examined(nowhere)).values())
