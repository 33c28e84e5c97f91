"""The accounts' keys: whole or not at all, in one place, found by the account's name, and never shown (SPEC §2.1)."""

import json
import logging
from pathlib import Path

import pytest

from exengine.domain.errors import UserError
from exengine.settings.account_keys import (
    AccountKeys,
    account_keys,
    account_of,
    delete_keys,
    entry_of,
    find_keys,
    keep_keys,
)
from exengine.settings.paths import DataDir
from exengine.settings.secret_places import require_place, secret_stores
from exengine.settings.secrets import KeyringStore, SecretOrigin
from exengine.settings.vault import Vault, WrongPassphrase
from tests.helpers.keyring import CHEAP, MemoryKeyring, all_of, no_keyring, store_of

KEYS = AccountKeys(api_key="zebra-key-0123456789", secret="zebra-secret", passphrase="zebra-passphrase")
OTHER = AccountKeys(api_key="zebra-key-abcdefghij", secret="zebra-secret-2")
NO_KEYRING = KeyringStore(no_keyring)


@pytest.fixture
def keyring() -> MemoryKeyring:
    return MemoryKeyring()


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return vault_in(tmp_path)


def vault_in(folder: Path, passphrase: str | None = "correct horse battery") -> Vault:
    return Vault(folder / "secrets.vault", lambda: passphrase, cost=CHEAP)


class TestKeeping:
    def test_what_is_kept_is_found_by_the_accounts_name(self, keyring: MemoryKeyring) -> None:
        assert keep_keys([store_of(keyring)], "main", KEYS) is SecretOrigin.KEYRING
        keep_keys([store_of(keyring)], "second", OTHER)

        assert account_keys([store_of(keyring)], "main") == KEYS
        assert account_keys([store_of(keyring)], "second") == OTHER

    def test_capitals_do_not_tell_accounts_apart(self, keyring: MemoryKeyring) -> None:
        keep_keys([store_of(keyring)], "Main", KEYS)
        assert account_keys([store_of(keyring)], "MAIN") == KEYS

    def test_the_keys_of_an_account_are_one_entry(self, keyring: MemoryKeyring) -> None:
        keep_keys([store_of(keyring)], "main", KEYS)
        keep_keys([store_of(keyring)], "main", OTHER)

        ((_, text),) = keyring.kept.items()
        assert json.loads(text) == {
            "account": "main",
            "api_key": OTHER.api_key,
            "secret": OTHER.secret,
            "passphrase": None,
        }

    @pytest.mark.parametrize("weakness", ["locked", "read_only", "forgetful"])
    def test_where_the_keyring_does_not_keep_them_the_vault_does(
        self, keyring: MemoryKeyring, vault: Vault, weakness: str
    ) -> None:
        setattr(keyring, weakness, True)
        assert keep_keys([store_of(keyring), vault], "main", KEYS) is SecretOrigin.VAULT
        assert account_keys([NO_KEYRING, vault], "main") == KEYS

    def test_new_keys_are_in_one_place_only(self, keyring: MemoryKeyring, vault: Vault) -> None:
        keep_keys([vault], "main", KEYS)
        assert keep_keys([store_of(keyring), vault], "main", OTHER) is SecretOrigin.KEYRING
        assert find_keys([vault], "main") is None

    @pytest.mark.parametrize("weakness", ["read_only", "forgetful"])
    def test_old_keys_that_would_be_found_first_are_not_left_beside_new_ones(
        self, keyring: MemoryKeyring, vault: Vault, weakness: str
    ) -> None:
        keep_keys([store_of(keyring)], "main", KEYS)
        setattr(keyring, weakness, True)
        with pytest.raises(UserError, match="keyring has keys of account main"):
            keep_keys([store_of(keyring), vault], "main", OTHER)
        assert account_keys([store_of(keyring), vault], "main") == KEYS
        assert find_keys([vault], "main") is None

    def test_with_no_place_open_they_are_not_kept(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="Account main: no place for keys is open") as caught:
            keep_keys([NO_KEYRING, vault_in(tmp_path, None)], "main", KEYS)
        assert "EXENGINE_PASSPHRASE" in caught.value.remedy
        assert list(tmp_path.iterdir()) == []


class TestFinding:
    def test_without_keys_the_account_is_named_and_the_command(self, keyring: MemoryKeyring) -> None:
        with pytest.raises(UserError, match="Account my main has no keys") as caught:
            account_keys([store_of(keyring)], "my main")
        assert 'exengine keys set "my main"' in caught.value.remedy
        assert caught.value.safe

    def test_a_place_that_could_not_be_asked_is_told(self, vault: Vault) -> None:
        with pytest.raises(UserError, match="the system has no keyring"):
            account_keys([NO_KEYRING, vault], "main")

    def test_a_wrong_passphrase_is_told_as_that(self, vault: Vault, tmp_path: Path) -> None:
        keep_keys([vault], "main", KEYS)
        with pytest.raises(WrongPassphrase):
            account_keys([NO_KEYRING, vault_in(tmp_path, "another")], "main")

    @pytest.mark.parametrize(
        "text",
        ["zebra", "[]", "{}", '{"api_key": "zebra", "secret": ""}', '{"api_key": 1, "secret": "zebra"}',
         '{"api_key": "zebra", "secret": "zebra", "passphrase": 5}', ""],
    )  # fmt: skip
    def test_what_is_no_keys_is_told_and_not_shown(self, keyring: MemoryKeyring, text: str) -> None:
        store_of(keyring).set(entry_of("main"), text)
        with pytest.raises(UserError, match="main are there and cannot be read") as caught:
            account_keys([store_of(keyring)], "main")
        assert "zebra" not in all_of(caught.value)

    def test_an_entry_tells_whose_it_is(self, keyring: MemoryKeyring) -> None:
        keep_keys([store_of(keyring)], "My Main", KEYS)
        ((_, entry), text), *_ = keyring.kept.items()
        assert account_of(entry, text) == "My Main"
        assert account_of(entry, "zebra") == "my main"
        assert account_of("webhook-token", text) is None


class TestDeleting:
    def test_they_are_gone_from_everywhere(self, keyring: MemoryKeyring, vault: Vault) -> None:
        keep_keys([store_of(keyring)], "main", KEYS)
        keep_keys([vault], "main", OTHER)
        keep_keys([vault], "second", OTHER)
        stores = [store_of(keyring), vault]

        assert delete_keys(stores, "MAIN") == [SecretOrigin.KEYRING, SecretOrigin.VAULT]
        assert find_keys(stores, "main") is None
        assert delete_keys(stores, "main") == []
        assert account_keys(stores, "second") == OTHER

    def test_with_no_place_open_it_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="no place for keys is open"):
            delete_keys([NO_KEYRING], "main")


class TestThePlaces:
    def origins(self, tmp_path: Path, environ: dict[str, str]) -> list[SecretOrigin]:
        return [store.origin for store in secret_stores(DataDir(tmp_path), environ)]

    def test_the_keyring_comes_before_the_vault(self, tmp_path: Path) -> None:
        opened = {"EXENGINE_PASSPHRASE": "correct horse battery"}
        assert self.origins(tmp_path, opened) == [SecretOrigin.KEYRING, SecretOrigin.VAULT]
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("environ", [{}, {"EXENGINE_PASSPHRASE": ""}, {"EXENGINE_PASSPHRASE": "\n"}])
    def test_without_a_passphrase_a_vault_is_there_where_its_file_is(
        self, tmp_path: Path, environ: dict[str, str]
    ) -> None:
        assert self.origins(tmp_path, environ) == [SecretOrigin.KEYRING]
        vault_in(tmp_path).set("name", "1")
        assert self.origins(tmp_path, environ) == [SecretOrigin.KEYRING, SecretOrigin.VAULT]

    def test_the_passphrase_is_that_of_the_environment_or_is_asked_for(self, tmp_path: Path) -> None:
        vault_in(tmp_path).set("name", "1")
        given = secret_stores(DataDir(tmp_path), {"EXENGINE_PASSPHRASE": "correct horse battery\n"}, ask=lambda: "no")
        typed = secret_stores(DataDir(tmp_path), {}, ask=lambda: "correct horse battery")
        assert [stores[1].get("name") for stores in (given, typed)] == ["1", "1"]


class TestLiveAccountsNeedAPlace:
    def test_an_open_keyring_is_one(self, keyring: MemoryKeyring) -> None:
        require_place([store_of(keyring)], ["main"])
        assert keyring.kept == {}

    def test_an_opened_vault_is_one_also_before_it_is_made(self, vault: Vault, tmp_path: Path) -> None:
        require_place([NO_KEYRING, vault], ["main"])
        assert list(tmp_path.iterdir()) == []

    def test_neither_is_none(self, keyring: MemoryKeyring, vault: Vault, tmp_path: Path) -> None:
        vault.set("name", "1")
        keyring.locked = True
        for stores in ([], [NO_KEYRING], [store_of(keyring)], [NO_KEYRING, vault_in(tmp_path, None)]):
            with pytest.raises(UserError, match="Account main, second: no place for keys is open") as caught:
                require_place(stores, ["main", "second"])
            assert "keyring" in caught.value.remedy
            assert "EXENGINE_PASSPHRASE" in caught.value.remedy

    def test_a_wrong_passphrase_is_told_as_that(self, vault: Vault, tmp_path: Path) -> None:
        vault.set("name", "1")
        with pytest.raises(WrongPassphrase):
            require_place([NO_KEYRING, vault_in(tmp_path, "another")], ["main"])

    def test_paper_accounts_need_none(self, keyring: MemoryKeyring) -> None:
        require_place([store_of(keyring)], [])
        require_place([], [])
        assert keyring.calls == 0


class TestNothingShowsThem:
    def test_repr_and_str_do_not(self) -> None:
        assert "zebra" not in f"{KEYS!r} {KEYS} {[KEYS]} {KEYS.masked}"
        assert KEYS.masked == "****6789"

    def test_what_is_found_does_not(self, keyring: MemoryKeyring) -> None:
        keep_keys([store_of(keyring)], "main", KEYS)
        assert "zebra" not in repr(find_keys([store_of(keyring)], "main"))

    @pytest.mark.parametrize("key", ["z", "zebr", "zebra-key-a"])
    def test_of_a_short_key_nothing_is_shown(self, key: str) -> None:
        assert AccountKeys(api_key=key, secret="x").masked == "****"

    def test_no_error_and_no_log_line_does(
        self, keyring: MemoryKeyring, vault: Vault, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        keep_keys([store_of(keyring), vault], "main", KEYS)
        keep_keys([vault], "second", KEYS)
        keep_keys([store_of(keyring), vault_in(tmp_path, "another")], "second", KEYS)
        keyring.read_only = True
        told = []
        for stores, account in (([store_of(keyring)], "main"), ([store_of(keyring)], "third"), ([NO_KEYRING], "main")):
            with pytest.raises(UserError) as caught:
                keep_keys(stores, account, OTHER)
            told.append(all_of(caught.value))

        assert "may have older keys" in caplog.text
        assert "zebra" not in "".join(told)
        assert "zebra" not in caplog.text
