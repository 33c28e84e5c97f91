"""Where an account's questions go: to its exchange, to the exchange's place for practice, or to this machine."""

from urllib.parse import urlsplit

import pytest

from exengine.bootstrap.live import venue_of
from exengine.domain.errors import Retryable
from exengine.exchange.live.client import CcxtClient
from exengine.exchange.live.profiles import PROFILES
from exengine.settings.file import checked
from exengine.settings.plain import trading_settings
from tests.contract.bench import bench

WITH_TESTNET = [name for name, profile in PROFILES.items() if profile.has_sandbox]


def client_of(exchange: str, market_type: str, *, testnet: bool) -> CcxtClient:
    account = {"name": "main", "exchange": exchange, "market_type": market_type, "testnet": testnet}
    settings = trading_settings(checked({"accounts": [account]}), local_timezone="UTC")
    return CcxtClient(venue_of(settings.accounts[0]), None)


async def asked_at(exchange: str, market_type: str, *, testnet: bool) -> tuple[set[str], dict[str, str]]:
    """The hosts of the exchange's addresses, and what every request says of itself."""
    client = client_of(exchange, market_type, testnet=testnet)
    try:
        found, said = _hosts(client.ccxt.urls["api"]), dict(client.ccxt.headers or {})
        return {host.replace("{hostname}", client.ccxt.hostname or "") for host in found}, said
    finally:
        await client.close()


def _hosts(urls: object) -> set[str]:
    if isinstance(urls, dict):
        return {host for url in urls.values() for host in _hosts(url)}
    return {urlsplit(str(urls)).netloc}


@pytest.mark.parametrize("market_type", ["spot", "swap"])
@pytest.mark.parametrize("exchange", WITH_TESTNET)
async def test_with_testnet_the_exchanges_place_for_practice_is_asked(exchange: str, market_type: str):
    real, _ = await asked_at(exchange, market_type, testnet=False)
    practice, said = await asked_at(exchange, market_type, testnet=True)
    is_elsewhere = not real & {host for host in practice if "test" in host or "demo" in host} and practice != real
    assert is_elsewhere or said == {"x-simulated-trading": "1"}, "OKX has it at the same address, by a header"


async def test_once_closed_nothing_is_asked_or_opened_any_more():
    client = client_of("binance", "spot", testnet=False)
    opened = client.ccxt
    await client.close()
    with pytest.raises(Retryable, match="closed"):
        await client.ask("fetch_time")
    with pytest.raises(Retryable, match="closed"):
        await opened.fetch_time()  # a question that was still waiting for its turn
    assert opened.session is None


@pytest.mark.parametrize("exchange", PROFILES)
async def test_with_a_server_of_this_machine_nothing_else_is_asked(exchange: str):
    async with bench(exchange) as there:
        assert urlsplit(there.settings.server).hostname == "127.0.0.1"
        before = len(there.server.faults.asked)
        await there.exchange.rules()
        assert len(there.server.faults.asked) > before
