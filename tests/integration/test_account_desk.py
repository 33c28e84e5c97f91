"""The Accounts page's other side: keys kept and forgotten in real places, an account tried at a real server."""

from pathlib import Path

import pytest

from exengine.bootstrap.account_desk import AccountDesk
from exengine.bootstrap.program import Program
from exengine.domain.errors import UserError
from exengine.exchange.live.check import Finding
from exengine.settings.account_keys import AccountKeys
from exengine.settings.pages import AccountPage
from exengine.settings.paths import DataDir
from exengine.settings.vault import Vault
from tests.contract.bench import bench
from tests.helpers.keyring import CHEAP

KEYS = AccountKeys(api_key="abcdefghijklB19K", secret="the secret part")


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """One that was not started, with a vault as the only place for secrets."""
    made = Program(DataDir(tmp_path))
    made.stores = [Vault(tmp_path / "secrets.vault", lambda: "a passphrase", cost=CHEAP)]
    return made


async def test_keys_are_kept_and_only_their_end_comes_back(program: Program) -> None:
    desk = AccountDesk(program)
    await desk.keep("main", KEYS)
    assert await desk.endings(["main", "other"]) == {"main": "****B19K in the vault"}
    await desk.forget("main")
    assert await desk.endings(["main"]) == {}


async def test_an_address_is_kept_under_its_name(program: Program) -> None:
    await AccountDesk(program).keep_secret("notification-1", "tgram://bot/chat")
    assert program.stores[0].get("notification-1") == "tgram://bot/chat"


async def test_where_nothing_is_open_a_vault_takes_the_secrets(program: Program, tmp_path: Path) -> None:
    program.stores = []
    desk = AccountDesk(program)
    assert await desk.closed() == "there is none"
    assert not desk.has_vault
    await desk.open_vault("a passphrase")
    await desk.keep("main", KEYS)
    assert desk.has_vault
    again = AccountDesk(Program(DataDir(tmp_path)))
    again._program.stores = []
    with pytest.raises(UserError, match="does not open the vault"):
        await again.open_vault("another")


async def test_a_locked_vault_is_said_to_be_closed(program: Program, tmp_path: Path) -> None:
    program.stores = [Vault(tmp_path / "secrets.vault", lambda: None, cost=CHEAP)]
    why = await AccountDesk(program).closed()
    assert why is None or "locked" in why


async def test_an_account_is_tried_in_a_thread_of_its_own_and_told_line_by_line(program: Program) -> None:
    async with bench("binance") as there:
        there.server.keys.may_withdraw = True
        page = AccountPage.model_validate({"name": "main", "exchange": "binance", "server": there.settings.server})
        keys = AccountKeys(api_key=there.server.keys.api_key, secret=there.server.keys.secret)
        told: list[Finding] = []
        found = await AccountDesk(program).examine(page, keys, told.append)
        assert told == list(found)
        assert [finding.about for finding in told] == ["clock", "key", "permissions", "rules", "streams"]
        assert "may withdraw" in next(finding.text for finding in told if finding.about == "permissions")


async def test_an_account_without_keys_cannot_be_tried(program: Program) -> None:
    page = AccountPage.model_validate({"name": "main", "exchange": "binance", "testnet": True})
    with pytest.raises(UserError, match="main has no keys"):
        await AccountDesk(program).examine(page, None, lambda finding: None)
