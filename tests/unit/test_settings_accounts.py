"""What an account on an exchange may be set to: testnet, margin, and a local server in the exchange's place."""

from typing import Any

import pytest

from exengine.domain.settings import MarginMode
from exengine.settings.file import checked
from exengine.settings.pages import AccountPage
from exengine.settings.problems import ConfigError

EXCHANGES = ("binance", "bybit", "okx", "kucoin", "mexc", "gate")


def account(**given: Any) -> AccountPage:
    (page,) = checked({"accounts": [{"name": "main", "exchange": "binance"} | given]}).accounts
    return page


def faults(**given: Any) -> dict[str, str]:
    """What is said of each setting of the account that is refused."""
    with pytest.raises(ConfigError) as refusal:
        account(**given)
    return {problem.path.removeprefix("accounts[0]."): problem.message for problem in refusal.value.problems}


def test_without_a_word_it_is_the_exchange_itself_on_cross_margin() -> None:
    page = account()
    assert (page.testnet, page.margin_mode, page.server) == (False, MarginMode.CROSS, "")


@pytest.mark.parametrize("exchange", [*EXCHANGES, "paper"])
def test_six_exchanges_and_paper_are_known(exchange: str) -> None:
    assert account(exchange=exchange).exchange.value == exchange


@pytest.mark.parametrize("exchange", ["kraken", "kucoinfutures", "binanceusdm", "Binance", "gateio", ""])
def test_and_no_others(exchange: str) -> None:
    assert list(faults(exchange=exchange)) == ["exchange"]


@pytest.mark.parametrize("exchange", ["binance", "bybit", "okx", "gate"])
def test_a_testnet_is_taken_where_the_exchange_has_one(exchange: str) -> None:
    assert account(exchange=exchange, testnet=True).testnet


@pytest.mark.parametrize("exchange", ["kucoin", "mexc"])
def test_where_there_is_none_the_words_say_what_there_is_instead(exchange: str) -> None:
    words = faults(exchange=exchange, testnet=True)
    assert list(words) == ["testnet"]
    assert f"{exchange} has no testnet" in words["testnet"]
    assert "paper account" in words["testnet"]


def test_paper_has_no_testnet_and_no_server() -> None:
    assert set(faults(exchange="paper", testnet=True, server="http://127.0.0.1:8080")) == {"testnet", "server"}


def test_margin_is_of_swap_accounts() -> None:
    assert account(market_type="swap", margin_mode="isolated").margin_mode is MarginMode.ISOLATED
    assert faults(margin_mode="isolated") == {"margin_mode": 'must be "cross" on a spot account'}
    assert list(faults(market_type="swap", margin_mode="both")) == ["margin_mode"]


@pytest.mark.parametrize("server", ["http://127.0.0.1:1", "http://127.8.8.8:65535", "http://[::1]:9"])
def test_a_server_on_this_machine_may_stand_in_for_an_exchange(server: str) -> None:
    assert account(server=server).server == server


@pytest.mark.parametrize(
    "server",
    [
        "https://api.binance.com", "http://api.binance.com:80", "http://localhost:8080", "http://10.0.0.1:8080",
        "http://127.0.0.1", "http://127.0.0.1:0", "http://127.0.0.1:65536", "http://127.0.0.1:8080/",
        "http://127.0.0.1:8080/api", "https://127.0.0.1:8080", "127.0.0.1:8080", "http://127.0.0.1:8080@evil.example",
        "http://127.0.0.1:80@evil.example:80", "http://u:p@127.0.0.1:8080", "http://127.1:8080", "http://0.0.0.0:8080",
        "http://[::]:80", "http://[::ffff:10.0.0.1]:80", "http://127.0.0.1:8080\n", " http://127.0.0.1:8080",
        "http://127.0.0.256:80", "http://0127.0.0.1:80", "http://１27.0.0.1:80", "http://127.0.0.1.evil.example:80",
        "http://127.0.0.1:80?x=1", "http://127.0.0.1:80#x", "http://[fe80::1]:80", "ws://127.0.0.1:80",
    ],
)  # fmt: skip
def test_nothing_else_may(server: str) -> None:
    found = faults(server=server)
    assert list(found) == ["server"]
    assert found["server"].startswith("must be empty, or a server on this machine")
