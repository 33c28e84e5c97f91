"""Webhook tokens and secrets made anew: the old one counts until it is retired, also after a restart and a crash."""

import logging

import pytest

from exengine.domain.errors import UserError
from exengine.settings.rotation import Proof, retire, rotate
from exengine.settings.secret_places import probe_keyring
from exengine.settings.secrets import SecretOrigin, SecretStore, SecretStoreUnavailable, webhook_secrets
from exengine.webhook.auth import Authenticator, Standing, WebhookAuth, signature
from tests.helpers.keyring import MemoryKeyring, all_of, no_keyring, store_of

NEW = "a-new-one-of-many-characters"


def kept(keyring: MemoryKeyring) -> list[SecretStore]:
    return [store_of(keyring)]


@pytest.mark.parametrize("proof", list(Proof))
def test_a_new_one_counts_at_once_and_the_old_one_too_until_it_is_retired(proof: Proof) -> None:
    keyring = MemoryKeyring()
    first = webhook_secrets(kept(keyring), environ={})
    made = rotate(kept(keyring), first, proof, environ={}, make=lambda: NEW)
    old = first.token if proof is Proof.TOKEN else first.secret
    assert (made.token if proof is Proof.TOKEN else made.secret) == NEW
    assert (made.old_token if proof is Proof.TOKEN else made.old_secret) == old
    assert webhook_secrets(kept(keyring), environ={}) == made, "the next start has both"

    left = retire(kept(keyring), made, proof)
    assert (left.old_token, left.old_secret) == ("", "")
    assert webhook_secrets(kept(keyring), environ={}) == left
    assert old not in repr(keyring.kept)


def test_made_anew_twice_only_the_last_old_one_counts() -> None:
    keyring = MemoryKeyring()
    first = webhook_secrets(kept(keyring), environ={})
    second = rotate(kept(keyring), first, Proof.TOKEN, environ={})
    third = rotate(kept(keyring), second, Proof.TOKEN, environ={})
    assert (third.old_token, third.token) == (second.token, third.token)
    assert first.token not in repr(keyring.kept)


def test_a_crash_in_between_leaves_what_was() -> None:
    keyring = MemoryKeyring()
    first = webhook_secrets(kept(keyring), environ={})

    class Crashing(MemoryKeyring):
        def set_password(self, service: str, username: str, password: str) -> None:
            if username == "webhook-token":
                raise KeyboardInterrupt
            super().set_password(service, username, password)

    crashing = Crashing()
    crashing.kept = keyring.kept
    store = store_of(crashing)
    with pytest.raises(UserError):
        rotate([_impatient(store)], first, Proof.TOKEN, environ={})
    after = webhook_secrets(kept(keyring), environ={})
    assert after.token == first.token


def _impatient(store: SecretStore) -> SecretStore:
    class Store:
        origin = store.origin
        get = staticmethod(store.get)
        delete = staticmethod(store.delete)

        @staticmethod
        def set(name: str, value: str) -> None:
            if name == "webhook-token":
                raise SecretStoreUnavailable("it broke off")
            store.set(name, value)

    return Store()


def test_what_the_environment_sets_is_not_made_anew_here() -> None:
    environ = {"EXENGINE_WEBHOOK_TOKEN": "zebra-token-of-the-environment", "EXENGINE_WEBHOOK_SECRET": ""}
    keyring = MemoryKeyring()
    secrets = webhook_secrets(kept(keyring), environ=environ)
    with pytest.raises(UserError, match="EXENGINE_WEBHOOK_TOKEN") as caught:
        rotate(kept(keyring), secrets, Proof.TOKEN, environ=environ)
    assert "zebra" not in all_of(caught.value)
    assert rotate(kept(keyring), secrets, Proof.SECRET, environ=environ, make=lambda: NEW).secret == NEW


def test_without_a_place_nothing_is_changed() -> None:
    secrets = webhook_secrets([], environ={})
    assert secrets.origin is SecretOrigin.THIS_RUN
    for work in (lambda: rotate([], secrets, Proof.TOKEN, environ={}), lambda: retire([], secrets, Proof.TOKEN)):
        with pytest.raises(UserError, match="no place for keys is open"):
            work()


@pytest.mark.parametrize("spoilt", ["locked", "read_only", "forgetful"])
def test_a_keyring_that_does_not_go_round_is_not_used_in_this_run(
    spoilt: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    keyring = MemoryKeyring()
    setattr(keyring, spoilt, True)
    store = store_of(keyring)
    assert probe_keyring([store])
    setattr(keyring, spoilt, False)
    with pytest.raises(SecretStoreUnavailable):
        store.set("one", "1")
    assert webhook_secrets([store], environ={}).origin is SecretOrigin.THIS_RUN


def test_a_probe_leaves_nothing_behind() -> None:
    keyring = MemoryKeyring()
    assert probe_keyring(kept(keyring)) == ""
    assert keyring.kept == {}
    assert probe_keyring([store_of(keyring)]) == ""
    from exengine.settings.secrets import KeyringStore

    assert "no keyring" in probe_keyring([KeyringStore(no_keyring)])


class TestProofsOfBoth:
    """The listener takes the new and the old one, and tells which was used."""

    @pytest.mark.parametrize(("token", "standing", "is_old"), [
        (NEW, Standing.PROVEN, False), ("before", Standing.PROVEN, True), ("other", Standing.WRONG, False),
        ("", Standing.WRONG, False),
    ])  # fmt: skip
    def test_tokens(self, token: str, standing: Standing, is_old: bool) -> None:
        judge = Authenticator(WebhookAuth.ANY, _Both())
        assert judge.before_body(token=token, signed=None, raw=b"") is standing
        assert judge.saw_old is is_old

    @pytest.mark.parametrize(("secret", "right", "is_old"), [("new", True, False), ("old", True, True),
                                                             ("other", False, False), ("", False, False)])  # fmt: skip
    def test_secrets_and_signatures(self, secret: str, right: bool, is_old: bool) -> None:
        judge = Authenticator(WebhookAuth.ANY, _Both())
        standing = judge.before_body(token=None, signed=None, raw=b"")
        assert judge.accepts(standing, {"secret": secret}) is right
        assert judge.saw_old is is_old
        signed = judge.before_body(token=None, signed=signature(b"{}", secret), raw=b"{}")
        assert (signed is Standing.PROVEN) is right
        assert judge.saw_old is is_old

    def test_without_an_old_one_nothing_empty_counts(self) -> None:
        judge = Authenticator(WebhookAuth.ANY, _Both(old_token="", old_secret=""))
        assert judge.before_body(token="", signed=None, raw=b"") is Standing.WRONG
        assert judge.before_body(token=None, signed=signature(b"{}", ""), raw=b"{}") is Standing.WRONG
        assert judge.accepts(Standing.UNPROVEN, {"secret": ""}) is False


class _Both:
    def __init__(self, old_token: str = "before", old_secret: str = "old") -> None:
        self.token, self.secret, self.old_token, self.old_secret = NEW, "new", old_token, old_secret
