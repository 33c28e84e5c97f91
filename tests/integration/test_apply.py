"""Apply and restart: a new configuration takes effect and everything that lives goes on (SPEC §9)."""

import asyncio
import json
import urllib.error
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from exengine.bootstrap import accounts as bootstrap_accounts
from exengine.bootstrap.program import Program
from exengine.domain.errors import UserError
from exengine.domain.group import GroupStatus
from exengine.domain.order import Role
from exengine.engine.changes import StoreFailed
from exengine.engine.rows import Mode
from exengine.settings import unconfirmed
from exengine.settings.file import checked, last_good, read
from exengine.settings.pages import Config
from exengine.settings.paths import DataDir
from exengine.settings.problems import ConfigError
from exengine.store.database import DatabaseStore
from tests.helpers.books import check_books
from tests.helpers.program import (
    TOKEN,
    HandMarket,
    InProcess,
    entry,
    environment,
    free_port,
    http,
    program,
    write_config,
)


def changed(config: Config, **pages: Any) -> Config:
    """The configuration with some pages merged over."""
    tree = config.model_dump(mode="json")
    for name, page in pages.items():
        tree[name] = tree[name] | page if isinstance(page, dict) else page
    return checked(tree)


async def opened(running: InProcess, price: str = "50000", **more: Any) -> None:
    assert (await running.post(entry(price, **more)))[0] == 202


async def apply(running: InProcess, **pages: Any):
    return await running.program.apply(changed(running.program.config, **pages))


async def test_groups_queue_and_resting_orders_live_on_and_new_ones_go_by_the_new_settings(tmp_path, monkeypatch):
    async with program(tmp_path, monkeypatch, pool={"max_open_groups": 1}) as running:
        await running.market.tick("50100")
        await running.market.tick("2010", "ETH/USDT")
        await opened(running)
        await opened(running, "2000", tv__symbol="ETHUSDT")
        state, engine, views = running.program.state, running.program.engine, running.program.views
        (before,) = state.groups.values()
        resting = {one.client_id: one for one in state.orders.values()}
        assert len(state.waiting) == 1
        legs = [{"gap_percent": 0, "weight_percent": 100, "tp_percent": 2}]
        await apply(running, pool={"max_open_groups": 2}, grid={"legs": legs, "max_pyramids": 2})
        await engine.settled()
        assert (running.program.engine, running.program.views, running.program.state) == (engine, views, state)
        assert state.groups[before.id] == before
        assert {one: state.orders[one] for one in resting} == resting
        (ether,) = [group for group in state.groups.values() if group.key.symbol == "ETH/USDT"]
        assert (len(before.pyramids[0].legs), len(ether.pyramids[0].legs)) == (5, 1)
        assert (before.max_pyramids, ether.max_pyramids) == (5, 2)
        assert not state.waiting
        await opened(running, "49900", strategy_info={"trade_id": "2"})
        assert len(state.groups[before.id].pyramids[1].legs) == 5
        await running.market.tick("49700")
        assert state.groups[before.id].status is GroupStatus.PARTIALLY_FILLED
        assert views.take().engine.pool_limit == 2
    check_books(tmp_path / "data" / "exengine.sqlite3", slots=2)


async def test_the_file_is_written_whole_and_what_was_before_is_kept(tmp_path, monkeypatch):
    async with program(tmp_path, monkeypatch) as running:
        before = (tmp_path / "config.json").read_bytes()
        await apply(running, pool={"max_open_groups": 3})
        assert read(tmp_path / "config.json") == running.program.config
        assert running.program.config.pool.max_open_groups == 3
        assert last_good(tmp_path / "config.json").read_bytes() == before
        assert not unconfirmed.mark(tmp_path / "config.json").exists()
        (note,) = [row for row in running.program.views.take().log if "in effect" in row.text]
        assert note.text == "A new configuration is in effect. 3 groups may be open at once, not 10."


async def test_alerts_that_come_meanwhile_are_answered_and_acted_on_once(tmp_path, monkeypatch):
    async with program(tmp_path, monkeypatch, pool={"max_open_groups": 50}) as running:
        await running.market.tick("50100")
        bodies = [entry("50000", tv__timeframe=str(minutes)) for minutes in (1, 3, 5, 15, 30, 45, 60, 120, 180, 240)]

        async def post(body: dict[str, Any]) -> int:
            return (await asyncio.to_thread(http, f"{running.program.listener.url}/{TOKEN}", body))[0]

        async def apply_often() -> None:
            for slots in range(40, 50):
                # Its fees differ too, so that the account is connected anew.
                account = {"name": "paper", "exchange": "paper", "maker_fee_percent": f"0.{slots}"}
                await apply(running, pool={"max_open_groups": slots}, accounts=[account])

        applying = asyncio.create_task(apply_often())
        answers = await asyncio.gather(*(post(body) for body in bodies))
        await applying
        await running.program.engine.settled()
        assert answers == [202] * 10
        assert len(running.program.state.groups) == 10
        assert all(order.status.value == "open" for order in running.program.state.orders.values())
        await running.market.tick("49000")
        assert all(group.net_qty > 0 for group in running.program.state.groups.values())
        fees = {order.client_id for order in running.program.state.orders.values() if order.role is Role.ENTRY}
        assert len(fees) == 50
    check_books(tmp_path / "data" / "exengine.sqlite3", slots=50)


async def test_new_fees_and_capital_of_a_paper_account_count_from_then_on(tmp_path, monkeypatch):
    async with program(tmp_path, monkeypatch) as running:
        await running.market.tick("50100")
        await opened(running)
        account = {"name": "paper", "exchange": "paper", "maker_fee_percent": "1", "balances": {"USDT": "777"}}
        await apply(running, accounts=[account])
        await running.market.tick("50000")
        (leg, *_) = running.program.state.groups["paper|BTC/USDT|15m#1"].pyramids[0].legs
        assert leg.entry_fees_base == leg.entered_qty / 100
        assert running.program.state.start == {("paper", "USDT"): 777}


async def test_a_port_moves_and_the_old_one_is_free(tmp_path, monkeypatch):
    async with program(tmp_path, monkeypatch) as running:
        await running.market.tick("50100")
        old, new = running.program.config.listener.port, free_port()
        await apply(running, listener={"port": new})
        assert f":{new}/" in running.program.listener.url
        await opened(running)
        with pytest.raises(urllib.error.URLError):
            await asyncio.to_thread(http, f"http://127.0.0.1:{old}/health")
        await apply(running, listener={"port": old})
        await opened(running, "49900", strategy_info={"trade_id": "2"})


async def test_the_same_port_at_another_address_is_let_go_of_for_a_moment(tmp_path, monkeypatch):
    async with program(tmp_path, monkeypatch) as running:
        await running.market.tick("50100")
        await apply(running, listener={"host": "localhost"})
        await opened(running)
        with pytest.raises(ConfigError):
            await apply(running, listener={"host": "192.0.2.1"})
        await opened(running, "49900", strategy_info={"trade_id": "2"})


async def test_limits_and_proof_of_the_listener_change_while_connections_stay(tmp_path, monkeypatch):
    async with program(tmp_path, monkeypatch) as running:
        await apply(running, security={"webhook_auth": "hmac"})
        assert (await running.post(entry("50000")))[0] == 401
        await apply(running, security={"webhook_auth": "any"}, listener={"allowed_sources": ["10.0.0.0/8"]})
        assert (await running.post(entry("50000")))[0] == 403


# refused -------------------------------------------------------------------------------------------------------------


async def refusal(running: InProcess, **pages: Any) -> list[str]:
    """Why it is refused, by path; nothing has changed."""
    program, file = running.program, running.program.config_file
    before = (program.config, program.settings, program.state.settings, program.listener, file.read_bytes())
    with pytest.raises(ConfigError) as caught:
        await apply(running, **pages)
    assert (program.config, program.settings, program.state.settings, program.listener, file.read_bytes()) == before
    assert not unconfirmed.mark(file).exists()
    return [str(problem) for problem in caught.value.problems]


async def test_an_account_with_open_groups_is_neither_removed_nor_switched_off_nor_moved(tmp_path, monkeypatch):
    account = {"name": "paper", "exchange": "paper"}
    async with program(tmp_path, monkeypatch, accounts=[account]) as running:
        await running.market.tick("50100")
        await opened(running)
        named = "while groups are open there: BTC/USDT 15m; close them first"
        off = [account | {"enabled": False}, {"name": "other", "exchange": "paper"}]
        assert await refusal(running, accounts=off) == [f"accounts[0].enabled: paper cannot be switched off {named}"]
        gone = [{"name": "other", "exchange": "paper"}]
        assert await refusal(running, accounts=gone) == [f"accounts: paper cannot be removed {named}"]
        moved = [account | {"market_type": "swap"}]
        told = f"accounts[0].exchange: paper cannot become another one {named}"
        assert await refusal(running, accounts=moved) == [told]


async def test_an_account_without_groups_goes_and_its_waiting_entries_with_it(tmp_path, monkeypatch):
    accounts = [{"name": "paper", "exchange": "paper"}, {"name": "other", "exchange": "paper"}]
    routing = [{"tv_exchange": "OKX", "account": "other"}]
    pages = {"accounts": accounts, "routing": routing, "pool": {"max_open_groups": 1}}
    async with program(tmp_path, monkeypatch, **pages) as running:
        await running.market.tick("50100")
        await opened(running)
        await opened(running, tv__exchange="OKX")
        assert [key.account for key, _ in running.program.state.waiting] == ["other"]
        await apply(running, accounts=accounts[:1], routing=[])
        assert not running.program.state.waiting
        assert list(running.program.accounts.paper) == ["paper"]
        await opened(running, tv__exchange="OKX", tv__timeframe="60")
        assert {key.account for key, _ in running.program.state.waiting} == {"paper"}
        await apply(running, accounts=accounts, routing=routing, pool={"max_open_groups": 5})
        await opened(running, tv__exchange="OKX", strategy_info={"trade_id": "2"})
        await running.market.tick("49990")
        other = running.program.state.groups["other|BTC/USDT|15m#1"]
        assert other.net_qty > 0


async def test_a_port_that_is_taken_is_refused_by_its_path(tmp_path, monkeypatch):
    async with program(tmp_path, monkeypatch) as running:
        taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        with closing(taken):
            port = taken.sockets[0].getsockname()[1]
            (told,) = await refusal(running, listener={"port": port})
        assert told.startswith(f"listener.port: The webhook cannot listen on 127.0.0.1 port {port}")
        await running.market.tick("50100")
        await opened(running)


async def test_a_live_account_without_keys_or_a_place_for_them_is_refused(tmp_path, monkeypatch):
    accounts = [{"name": "paper", "exchange": "paper"}, {"name": "main", "exchange": "binance"}]
    async with program(tmp_path, monkeypatch) as running:
        (told,) = await refusal(running, accounts=accounts)
        assert told.startswith("accounts[1].name: ")
        assert running.program.views.take().engine.mode is Mode.PAPER


async def test_recorded_prices_that_are_not_there_are_refused(tmp_path, monkeypatch):
    write_config(tmp_path)
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    real = Program(DataDir(tmp_path / "data"), tmp_path / "config.json")
    await real.start()
    try:
        running = InProcess(program=real, market=HandMarket())
        (told,) = await refusal(running, sim={"market": "recorded", "recorded": ["BTCUSDT.csv"]})
        assert told.startswith("sim.recorded: ")
        source, state = real.accounts.market.source, real.state
        await opened(running, str(state.last("paper", "BTC/USDT") or 95000), tv__timeframe="60")
        resting = set(state.orders)
        await apply(running, sim={"seed": 7})
        assert real.accounts.market.source is not source
        assert resting <= set(state.orders)
        at_ms = real.clock.now_ms()
        async with asyncio.timeout(20):
            while not any(quote.at_ms > at_ms for quote in state.quotes.values()):  # noqa: ASYNC110  # it tells nobody
                await asyncio.sleep(0.05)
    finally:
        await real.stop()


# when it goes wrong --------------------------------------------------------------------------------------------------


async def test_a_group_that_opens_while_it_is_applied_keeps_its_account(tmp_path, monkeypatch):
    accounts = [{"name": "paper", "exchange": "paper"}, {"name": "other", "exchange": "paper"}]
    async with program(tmp_path, monkeypatch, accounts=accounts) as running:
        await running.market.tick("50100")
        begin = unconfirmed.begin

        def begin_late(path: Path, config: Config) -> None:
            body = entry("50000")
            status, _ = http(f"{running.program.listener.url}/{TOKEN}", body)
            assert status == 202
            begin(path, config)

        monkeypatch.setattr(unconfirmed, "begin", begin_late)
        told = await refusal(running, accounts=accounts[1:])
        assert told == ["accounts: paper cannot be removed while groups are open there: BTC/USDT 15m; close them first"]
        await running.market.tick("49990")
        assert running.program.state.groups["paper|BTC/USDT|15m#1"].net_qty > 0


async def test_a_store_that_takes_nothing_leaves_everything_as_it_was(tmp_path, monkeypatch):
    async with program(tmp_path, monkeypatch) as running:
        await running.market.tick("50100")
        await opened(running)
        file = (tmp_path / "config.json").read_bytes()
        with monkeypatch.context() as patched:

            async def full(store: DatabaseStore, changes: object) -> None:
                raise StoreFailed("the disk is full")

            patched.setattr(DatabaseStore, "commit", full)
            with pytest.raises(UserError, match="the disk is full"):
                await apply(running, pool={"max_open_groups": 3}, sim={"slippage_percent": "1"})
        assert (tmp_path / "config.json").read_bytes() == file
        assert running.program.state.settings.pool.max_open_groups == 10
        await running.market.tick("49990")
        assert running.program.state.groups["paper|BTC/USDT|15m#1"].net_qty > 0


async def test_what_fails_half_way_is_put_back_by_itself_and_said(tmp_path, monkeypatch):
    async with program(tmp_path, monkeypatch) as running:
        await running.market.tick("50100")
        await opened(running)
        config, file = running.program.config, (tmp_path / "config.json").read_bytes()
        build, left = bootstrap_accounts.paper_exchange, [1]

        def fails_once(*arguments: Any) -> Any:
            if left:
                left.pop()
                raise RuntimeError("a planted defect")
            return build(*arguments)

        monkeypatch.setattr(bootstrap_accounts, "paper_exchange", fails_once)
        told: list[int] = []
        running.program.subscribe(lambda: told.append(running.program.config.pool.max_open_groups))
        new = {"pool": {"max_open_groups": 3}, "sim": {"slippage_percent": "1"}, "listener": {"port": free_port()}}
        with pytest.raises(UserError, match="a planted defect"):
            await apply(running, **new)
        assert (running.program.config, (tmp_path / "config.json").read_bytes()) == (config, file)
        assert running.program.state.settings.pool.max_open_groups == 10
        assert told == [10]
        await opened(running, "49900", strategy_info={"trade_id": "2"})
        await running.market.tick("49800")
        assert len(running.program.state.groups["paper|BTC/USDT|15m#1"].pyramids) == 2
        assert running.program.state.groups["paper|BTC/USDT|15m#1"].net_qty > 0
        notes = [row.text for row in running.program.views.take().log]
        assert "A new configuration could not be applied; the one before is in effect again." in notes
    check_books(tmp_path / "data" / "exengine.sqlite3", slots=10)


async def test_a_kill_before_it_proved_itself_comes_back_with_the_new_one_where_that_starts(tmp_path, monkeypatch):
    old = read(write_config(tmp_path))
    unconfirmed.begin(tmp_path / "config.json", old)
    (tmp_path / "config.json").write_text(json.dumps(json.loads((tmp_path / "config.json").read_text())
                                                     | {"pool": {"max_open_groups": 3}}))  # fmt: skip
    async with program(tmp_path, monkeypatch) as running:
        assert running.program.settings.pool.max_open_groups == 3
        assert not unconfirmed.mark(tmp_path / "config.json").exists()


async def test_a_kill_before_it_proved_itself_comes_back_with_the_one_before_where_it_does_not(tmp_path, monkeypatch):
    file = write_config(tmp_path, pool={"max_open_groups": 4})
    unconfirmed.begin(file, read(file))
    before = file.read_bytes()
    live = json.loads(before) | {"accounts": [{"name": "main", "exchange": "binance"}]}
    file.write_text(json.dumps(live))
    async with program(tmp_path, monkeypatch) as running:
        assert (running.program.settings.pool.max_open_groups, file.read_bytes()) == (4, before)
        assert json.loads(unconfirmed.refused(file).read_text()) == live
        assert any("cannot be started with" in row.text for row in running.program.views.take().log)
        await running.market.tick("50100")
        await opened(running)


async def test_a_start_that_fails_with_nothing_being_applied_changes_no_file(tmp_path, monkeypatch):
    file = write_config(tmp_path, accounts=[{"name": "main", "exchange": "binance"}])
    before = file.read_bytes()
    with pytest.raises(UserError):
        async with program(tmp_path, monkeypatch):
            raise AssertionError("it started")
    assert file.read_bytes() == before


async def test_nothing_is_applied_once_it_is_stopped(tmp_path, monkeypatch):
    async with program(tmp_path, monkeypatch) as running:
        pass
    with pytest.raises(UserError, match="stopped"):
        await running.program.apply(running.program.config)
