"""The app lock and read-only: who may act in the window, and who guesses is slowed down."""

import logging

import pytest

from exengine.domain.errors import UserError
from exengine.settings import file
from exengine.settings.access import Access, NotAllowed
from exengine.settings.app_lock import AppLock, HashCost, Role, Tries, find_lock, keep_lock, new_lock
from exengine.settings.pages import Config
from tests.helpers.keyring import MemoryKeyring, all_of, store_of

CHEAP = HashCost(memory_kib=64, passes=1)
OWNER, OPERATOR = "zebra of the owner", "zebra of the operator"


@pytest.fixture(scope="module")
def lock() -> AppLock:
    return new_lock(OWNER, OPERATOR, CHEAP)


class Now:
    def __init__(self) -> None:
        self.ms = 0

    def __call__(self) -> int:
        return self.ms


def config(**security: object) -> Config:
    return file.checked({"security": security})


def access(lock: AppLock | None, now: Now | None = None, **security: object) -> Access:
    return Access(config(**security), lock, now or Now())


class TestPassphrases:
    def test_each_opens_its_role_and_no_other_opens_any(self, lock: AppLock) -> None:
        assert lock.role_of(OWNER) is Role.OWNER
        assert lock.role_of(f"{OPERATOR}\n") is Role.OPERATOR
        assert [lock.role_of(one) for one in ("", "zebra", OWNER + "x", OWNER.upper(), "\ud800")] == [None] * 5

    def test_of_them_only_hashes_are_kept(self, lock: AppLock) -> None:
        keyring = MemoryKeyring()
        keep_lock([store_of(keyring)], lock)
        assert "zebra" not in repr(keyring.kept) + repr(lock) + repr(lock.owner)
        assert "$argon2id$" in repr(keyring.kept)
        found = find_lock([store_of(keyring)])
        assert found == lock

    def test_without_an_operator_nobody_is_one(self) -> None:
        assert new_lock(OWNER, "", CHEAP).role_of("") is None

    @pytest.mark.parametrize(("owner", "operator"), [("short", ""), (OWNER, "short"), (OWNER, OWNER), ("", OPERATOR)])
    def test_what_would_not_do_is_refused(self, owner: str, operator: str) -> None:
        with pytest.raises(UserError) as caught:
            new_lock(owner, operator, CHEAP)
        assert "zebra" not in all_of(caught.value)

    def test_where_nothing_is_kept_there_is_none_and_junk_is_told(self) -> None:
        keyring = MemoryKeyring()
        assert find_lock([store_of(keyring)]) is None
        store_of(keyring).set("app-lock", '{"owner": "plain zebra"}')
        with pytest.raises(UserError, match="cannot be read") as caught:
            find_lock([store_of(keyring)])
        assert "zebra" not in all_of(caught.value)
        keyring.locked = True
        with pytest.raises(UserError, match="cannot be looked up"):
            find_lock([store_of(keyring)])


class TestWhoMayAct:
    def test_without_a_lock_whoever_is_there_is_the_owner(self) -> None:
        access(None).require()

    def test_a_lock_that_is_on_is_locked_at_first(self, lock: AppLock) -> None:
        it = access(lock, app_lock=True)
        with pytest.raises(NotAllowed, match="locked"):
            it.require()
        assert it.unlock("wrong") is None
        role = it.unlock(OWNER)
        assert role is Role.OWNER
        it.enter(role)
        it.require()
        it.lock()
        assert it.role is None

    def test_an_operator_may_nothing(self, lock: AppLock) -> None:
        it = access(lock, app_lock=True)
        it.enter(Role.OPERATOR)
        with pytest.raises(NotAllowed, match="operator"):
            it.require()
        with pytest.raises(NotAllowed):
            it.require_settings(config(read_only=True), config())

    def test_a_lock_that_is_on_and_has_no_passphrase_lets_nobody_act(self) -> None:
        it = access(None, app_lock=True)
        with pytest.raises(NotAllowed):
            it.require()
        it.lock()
        assert it.role is Role.OPERATOR, "it could not be opened again"

    def test_read_only_holds_the_owner_back_too_but_from_switching_it_off(self) -> None:
        it = access(None, read_only=True)
        with pytest.raises(NotAllowed, match="Read-only"):
            it.require()
        on, off = config(read_only=True), config(read_only=False)
        it.require_settings(on, off)
        with pytest.raises(NotAllowed):
            it.require_settings(on, file.checked({"pool": {"max_open_groups": 3}}))
        it.follow(off)
        it.require()

    def test_changes_are_told(self, lock: AppLock) -> None:
        told: list[str] = []
        it = access(lock, app_lock=True)
        it.enter(Role.OWNER)
        end = it.subscribe(lambda: told.append(it.why_not))
        it.lock()
        it.enter(Role.OPERATOR)
        it.follow(config(read_only=True, app_lock=True))
        end()
        it.enter(Role.OWNER)
        assert [one.split()[0] for one in told] == ["ExEngine", "You", "You"]


class TestGuessing:
    def test_from_the_third_wrong_one_on_each_doubles_the_wait_up_to_a_minute(self) -> None:
        now = Now()
        tries = Tries(now)
        waits = []
        for _ in range(12):
            tries.was_wrong()
            waits.append(tries.wait_ms)
            now.ms += tries.wait_ms
        assert waits == [0, 0, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000, 60000]
        tries.was_right()
        assert tries.wait_ms == 0

    def test_too_soon_is_not_even_looked_at(self, lock: AppLock, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        now = Now()
        it = access(lock, now, app_lock=True)
        for _ in range(3):
            assert it.unlock("zebra?") is None
        with pytest.raises(UserError, match="wait 1 s"):
            it.unlock(OWNER)
        now.ms += 1000
        assert it.unlock(OWNER) is Role.OWNER
        assert "zebra" not in caplog.text
