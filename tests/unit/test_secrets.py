"""Where the webhook's token and secret come from, and that nothing shows them (SPEC §2.1)."""

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exengine.domain.errors import UserError
from exengine.settings.secrets import (
    KeyringStore,
    SecretOrigin,
    SecretStoreUnavailable,
    WebhookSecrets,
    new_secret,
    system_backend,
    token_origin,
    webhook_secrets,
)
from exengine.settings.vault import Vault, VaultError
from tests.helpers.keyring import CHEAP, MemoryKeyring, no_keyring, store_of

BOTH = {"EXENGINE_WEBHOOK_TOKEN": "token-of-the-environment", "EXENGINE_WEBHOOK_SECRET": "secret-of-the-environment"}


@pytest.fixture
def keyring() -> MemoryKeyring:
    return MemoryKeyring()


@pytest.fixture
def hanging() -> Iterator[Callable[..., str | None]]:
    """A call that does not come back before the test is over."""
    over = threading.Event()

    def hang(*_: object) -> str | None:
        over.wait(30)
        return None

    yield hang
    over.set()


class TestWhereTheyComeFrom:
    def test_the_environment_comes_first(self, keyring: MemoryKeyring) -> None:
        webhook_secrets([store_of(keyring)], environ={})
        calls = keyring.calls

        found = webhook_secrets([store_of(keyring)], environ=BOTH)

        assert (found.token, found.secret) == tuple(BOTH.values())
        assert (found.origin, found.persistent) == (SecretOrigin.ENVIRONMENT, True)
        assert keyring.calls == calls, "the keyring was asked although nothing was wanted of it"

    def test_the_first_start_makes_them_and_the_keyring_keeps_them(self, keyring: MemoryKeyring) -> None:
        first = webhook_secrets([store_of(keyring)], environ={})
        second = webhook_secrets([store_of(keyring)], environ={})

        assert (first.origin, first.persistent) == (SecretOrigin.KEYRING, True)
        assert (first.token, first.secret) == (second.token, second.secret)
        assert first.token != first.secret
        assert sorted(keyring.kept.values()) == sorted([first.token, first.secret])

    def test_one_may_be_given_and_the_other_kept(self, keyring: MemoryKeyring) -> None:
        found = webhook_secrets([store_of(keyring)], environ={"EXENGINE_WEBHOOK_SECRET": " the-traders-own-secret\n"})

        assert found.secret == "the-traders-own-secret"
        assert list(keyring.kept.values()) == [found.token]

    def test_without_a_keyring_they_are_for_this_run_only(self, caplog: pytest.LogCaptureFixture) -> None:
        found = webhook_secrets([KeyringStore(no_keyring)], environ={})

        assert (found.origin, found.persistent) == (SecretOrigin.THIS_RUN, False)
        assert len(found.token) >= 43
        assert "EXENGINE_WEBHOOK_TOKEN" in caplog.text

    def test_an_empty_variable_is_none(self) -> None:
        assert webhook_secrets([], environ={"EXENGINE_WEBHOOK_TOKEN": "  "}).origin is SecretOrigin.THIS_RUN

    def test_the_second_store_helps_where_the_first_is_not_there(self, keyring: MemoryKeyring) -> None:
        found = webhook_secrets([KeyringStore(no_keyring), store_of(keyring)], environ={})

        assert found.persistent
        assert len(keyring.kept) == 2

    def test_a_locked_keyring_is_not_written_over(self, keyring: MemoryKeyring) -> None:
        first = webhook_secrets([store_of(keyring)], environ={})
        keyring.locked = True

        meanwhile = webhook_secrets([store_of(keyring)], environ={})
        keyring.locked = False

        assert not meanwhile.persistent
        assert meanwhile.token != first.token
        assert webhook_secrets([store_of(keyring)], environ={}).token == first.token

    @pytest.mark.parametrize("weakness", ["read_only", "forgetful"])
    def test_a_keyring_that_does_not_keep_is_not_relied_on(self, keyring: MemoryKeyring, weakness: str) -> None:
        setattr(keyring, weakness, True)

        assert not webhook_secrets([store_of(keyring)], environ={}).persistent

    @pytest.mark.parametrize("token", ["with/slash-and-more", "with blank and more", "ümlaut-and-more", "a?b"])
    def test_a_token_that_no_path_can_have_is_refused_unshown(self, token: str) -> None:
        with pytest.raises(UserError) as caught:
            webhook_secrets([], environ={"EXENGINE_WEBHOOK_TOKEN": token})
        assert token not in str(caught.value)
        assert caught.value.safe
        assert caught.value.remedy


class TestTheVaultAfterTheKeyring:
    def vault(self, folder: Path, passphrase: str = "correct horse") -> Vault:
        return Vault(folder / "secrets.vault", lambda: passphrase, cost=CHEAP)

    def test_it_keeps_them_where_there_is_no_keyring(self, tmp_path: Path) -> None:
        first = webhook_secrets([KeyringStore(no_keyring), self.vault(tmp_path)], environ={})
        second = webhook_secrets([KeyringStore(no_keyring), self.vault(tmp_path)], environ={})

        assert (first.origin, first.persistent) == (SecretOrigin.VAULT, True)
        assert (first.token, first.secret) == (second.token, second.secret)

    def test_it_is_not_made_where_a_keyring_keeps_them(self, tmp_path: Path, keyring: MemoryKeyring) -> None:
        assert webhook_secrets([store_of(keyring), self.vault(tmp_path)], environ={}).origin is SecretOrigin.KEYRING
        assert list(tmp_path.iterdir()) == []

    def test_what_it_has_goes_on_where_a_keyring_comes_later(self, tmp_path: Path, keyring: MemoryKeyring) -> None:
        before = webhook_secrets([self.vault(tmp_path)], environ={})

        after = webhook_secrets([store_of(keyring), self.vault(tmp_path)], environ={})

        assert (after.token, after.origin) == (before.token, SecretOrigin.VAULT)

    def test_the_keyring_comes_first(self, tmp_path: Path, keyring: MemoryKeyring) -> None:
        of_the_vault = webhook_secrets([self.vault(tmp_path)], environ={})
        of_the_keyring = webhook_secrets([store_of(keyring)], environ={})

        assert of_the_vault.token != of_the_keyring.token
        both = [store_of(keyring), self.vault(tmp_path, "a wrong passphrase")]
        assert webhook_secrets(both, environ={}).token == of_the_keyring.token

    def test_the_environment_comes_before_both_and_no_passphrase_is_tried(self, tmp_path: Path) -> None:
        webhook_secrets([self.vault(tmp_path)], environ={})
        wrong = self.vault(tmp_path, "a wrong passphrase")
        assert webhook_secrets([wrong], environ=BOTH).origin is SecretOrigin.ENVIRONMENT

    def test_a_wrong_passphrase_is_no_reason_to_make_another_token(self, tmp_path: Path) -> None:
        webhook_secrets([self.vault(tmp_path)], environ={})
        before = (tmp_path / "secrets.vault").read_bytes()

        with pytest.raises(VaultError):
            webhook_secrets([KeyringStore(no_keyring), self.vault(tmp_path, "a wrong passphrase")], environ={})
        assert (tmp_path / "secrets.vault").read_bytes() == before


class TestWhereTheyWouldComeFrom:
    def test_to_ask_makes_and_keeps_nothing(self, tmp_path: Path, keyring: MemoryKeyring) -> None:
        vault = Vault(tmp_path / "secrets.vault", lambda: "correct horse", cost=CHEAP)

        assert token_origin([store_of(keyring), vault], environ={}) is SecretOrigin.KEYRING
        assert token_origin([KeyringStore(no_keyring), vault], environ={}) is SecretOrigin.VAULT
        assert token_origin([KeyringStore(no_keyring)], environ={}) is SecretOrigin.THIS_RUN
        assert token_origin([KeyringStore(no_keyring)], environ=BOTH) is SecretOrigin.ENVIRONMENT
        assert (keyring.kept, list(tmp_path.iterdir())) == ({}, [])

    def test_one_that_has_it_is_named_before_one_that_could(self, tmp_path: Path, keyring: MemoryKeyring) -> None:
        vault = Vault(tmp_path / "secrets.vault", lambda: "correct horse", cost=CHEAP)
        webhook_secrets([vault], environ={})

        assert token_origin([store_of(keyring), vault], environ={}) is SecretOrigin.VAULT


class TestNothingShowsThem:
    def test_repr_and_str_have_neither(self) -> None:
        found = WebhookSecrets(token="zebra-1", secret="zebra-2", persistent=True, origin=SecretOrigin.KEYRING)

        assert "zebra" not in f"{found!r} {found} {[found]}"

    def test_no_log_line_has_either(self, keyring: MemoryKeyring, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        keyring.read_only = True
        made = iter(("zebra-of-a-token-1", "zebra-of-a-secret-2"))
        webhook_secrets([store_of(keyring)], environ={}, make=lambda: next(made))
        webhook_secrets([], environ={"EXENGINE_WEBHOOK_TOKEN": "zebra"})

        assert len(caplog.records) > 3
        assert "zebra" not in caplog.text

    def test_each_is_made_anew_and_may_stand_in_a_url(self) -> None:
        made = {new_secret() for _ in range(100)}

        assert len(made) == 100
        assert all(len(one) == 43 and one.replace("-", "").replace("_", "").isalnum() for one in made)


class TestTheKeyring:
    def test_one_that_hangs_when_looked_for_is_given_up(self, hanging: Callable[..., None]) -> None:
        store = KeyringStore(hanging, probe_s=0.05)  # type: ignore[arg-type]

        with pytest.raises(SecretStoreUnavailable, match="did not answer"):
            store.get("a")

    def test_one_that_hangs_when_asked_is_given_up_and_not_asked_again(
        self, keyring: MemoryKeyring, hanging: Callable[..., str | None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(keyring, "get_password", hanging)
        store = KeyringStore(lambda: keyring, answer_s=0.05)
        with pytest.raises(SecretStoreUnavailable):
            store.get("a")
        monkeypatch.undo()

        with pytest.raises(SecretStoreUnavailable, match="did not answer"):
            store.get("a")
        assert keyring.calls == 0

    def test_what_is_deleted_is_gone_and_to_delete_nothing_is_nothing(self, keyring: MemoryKeyring) -> None:
        store = store_of(keyring)
        store.set("a", "1")
        store.set("b", "2")

        store.delete("a")
        store.delete("a")

        assert (store.get("a"), store.get("b")) == (None, "2")

    def test_its_errors_are_told_by_their_kind_alone(self, keyring: MemoryKeyring) -> None:
        keyring.read_only = True

        with pytest.raises(SecretStoreUnavailable) as caught:
            store_of(keyring).set("a", "zebra")
        assert "PermissionError" in str(caught.value)
        assert "zebra" not in str(caught.value)

    @pytest.mark.parametrize(
        "chosen",
        [
            "keyring.backends.null.Keyring",
            "keyring.backends.fail.Keyring",
            "keyring.backends.chainer.ChainerBackend",
            "keyrings.alt.file.PlaintextKeyring",
            "keyrings.alt.file.EncryptedKeyring",
            "tests.helpers.keyring.MemoryKeyring",
        ],
    )
    @pytest.mark.parametrize("platform", ["linux", "win32", "darwin"])
    def test_only_the_systems_own_are_taken(self, platform: str, chosen: str) -> None:
        with pytest.raises(SecretStoreUnavailable):
            system_backend(platform, {"PYTHON_KEYRING_BACKEND": chosen})

    def test_the_keyring_of_another_system_is_not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
        for platform in ("linux", "win32"):
            with pytest.raises(SecretStoreUnavailable):
                system_backend(platform, {})
