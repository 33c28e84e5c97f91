"""The vault: what it keeps it gives back, to the right passphrase only, and whatever was done to its file."""

import hashlib
import logging
import os
import stat
import subprocess
import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.exceptions import UnsupportedAlgorithm

from exengine.settings import vault_format
from exengine.settings.secrets import SecretOrigin, SecretStoreUnavailable
from exengine.settings.vault import Vault, VaultDamaged, VaultError, WrongPassphrase
from exengine.settings.vault_format import KdfCost
from tests.helpers.keyring import CHEAP, all_of

PASSPHRASE = "zebra-of-a-passphrase"
SECRET = "zebra-of-a-secret"
HEADER = vault_format._HEADER

VERSION_1 = bytes.fromhex(
    "4578456e67696e65207661756c74000100000040000000010000000192cbffd3500f488f3c5e9cbd864c6b5926a3bc7fb376"
    "174dda5c6c472dc8bef274c7b4649429b5ebb41648dd15b95205ffe1346cf76cea4c3e227f0568145831c163d68e4d2ce1a5"
    "7e59da62c7804a85a177cf16118bb5966e48eb544662876eb954c4a25abe4355c422742d65faa276e5beef6e6ad8581501d9"
    "d8723fa8afc4376e30c846c7"
)
"""Made by the first version, with PASSPHRASE: every later one opens it."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "secrets.vault"


@pytest.fixture
def vault(file: Path) -> Vault:
    """One that has a secret in it."""
    made = vault_at(file)
    made.set("name", SECRET)
    return made


def vault_at(file: Path, passphrase: str | None = PASSPHRASE, cost: KdfCost = CHEAP) -> Vault:
    return Vault(file, lambda: passphrase, cost=cost)


def header(file: Path) -> dict[str, object]:
    names = ("magic", "version", "memory_kib", "passes", "lanes", "salt", "check", "nonce")
    return dict(zip(names, HEADER.unpack_from(file.read_bytes()), strict=True))


def with_header(data: bytes, **changes: object) -> bytes:
    """The file with other values in its header, and with a digest that fits: what an attacker can do."""
    names = ("magic", "version", "memory_kib", "passes", "lanes", "salt", "check", "nonce")
    values = dict(zip(names, HEADER.unpack_from(data), strict=True)) | changes
    return forged(HEADER.pack(*values.values()) + data[HEADER.size :])


def forged(data: bytes) -> bytes:
    return data[:-32] + hashlib.sha256(data[:-32]).digest()


class TestKeeping:
    def test_what_is_kept_is_there_the_next_time(self, file: Path, vault: Vault) -> None:
        vault.set("other", "ümläut 🦓 \ud800")
        again = vault_at(file)

        assert (again.get("name"), again.get("other"), again.get("third")) == (SECRET, "ümläut 🦓 \ud800", None)
        assert again.names() == ["name", "other"]
        assert again.origin is SecretOrigin.VAULT

    def test_what_is_kept_anew_replaces_what_was(self, file: Path, vault: Vault) -> None:
        vault.set("name", "another")
        assert vault_at(file).get("name") == "another"

    def test_what_is_deleted_is_gone_and_to_delete_nothing_is_nothing(self, file: Path, vault: Vault) -> None:
        vault.set("other", "1")
        vault.delete("name")
        before = file.read_bytes()
        vault.delete("name")

        assert vault_at(file).names() == ["other"]
        assert file.read_bytes() == before

    def test_to_look_for_something_makes_no_vault(self, file: Path) -> None:
        empty = vault_at(file)
        assert (empty.get("name"), empty.names()) == (None, [])
        empty.delete("name")
        assert not file.parent.exists()

    @pytest.mark.skipif(os.name == "nt", reason="Windows keeps permissions otherwise")
    def test_it_is_for_its_owner_alone(self, file: Path, vault: Vault) -> None:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        file.chmod(0o644)
        vault.set("other", "1")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_no_two_writes_share_a_nonce(self, file: Path, vault: Vault) -> None:
        nonces = set()
        for number in range(50):
            (vault if number % 2 else vault_at(file)).set("name", str(number))
            nonces.add(header(file)["nonce"])
        assert len(nonces) == 50

    def test_what_two_programs_write_is_all_kept(self, file: Path) -> None:
        vaults = [vault_at(file) for _ in range(4)]
        vaults[0].set("first", "1")
        with ThreadPoolExecutor(8) as threads:
            for number in range(40):
                threads.submit(vaults[number % 4].set, f"name {number}", str(number))
        assert len(vault_at(file).names()) == 41

    def test_a_write_that_fails_leaves_the_old_file(
        self, file: Path, vault: Vault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "replace", fail)
        with pytest.raises(SecretStoreUnavailable, match="No space left"):
            vault.set("name", "another")
        monkeypatch.undo()

        assert vault_at(file).get("name") == SECRET
        assert sorted(path.name for path in file.parent.iterdir()) == ["secrets.vault", "secrets.vault.lock"]

    def test_what_the_first_version_wrote_opens(self, file: Path) -> None:
        file.parent.mkdir()
        file.write_bytes(VERSION_1)
        assert vault_at(file).get("name") == SECRET


class TestThePassphrase:
    def test_another_does_not_open_it(self, file: Path, vault: Vault) -> None:
        before = file.read_bytes()
        other = vault_at(file, "another")
        for use in (lambda: other.get("name"), lambda: other.set("name", "1"), lambda: other.delete("name")):
            with pytest.raises(WrongPassphrase) as caught:
                use()
            assert caught.value.safe
            assert caught.value.remedy
        assert file.read_bytes() == before

    @pytest.mark.parametrize("passphrase", [None, "", "\r\n"])
    def test_without_one_it_is_locked(self, file: Path, vault: Vault, passphrase: str | None) -> None:
        with pytest.raises(SecretStoreUnavailable, match="EXENGINE_PASSPHRASE"):
            vault_at(file, passphrase).get("name")

    def test_without_one_none_is_made(self, file: Path) -> None:
        with pytest.raises(SecretStoreUnavailable):
            vault_at(file, None).set("name", "1")
        assert not file.parent.exists()

    def test_it_is_asked_for_once_and_only_when_it_is_needed(self, file: Path, vault: Vault) -> None:
        asked = []
        lazy = Vault(file, lambda: asked.append(1) or PASSPHRASE, cost=CHEAP)  # type: ignore[func-returns-value]
        assert asked == []
        assert [lazy.get("name"), lazy.get("name")] == [SECRET, SECRET]
        lazy.set("other", "1")
        assert asked == [1]

    def test_it_is_the_same_however_its_letters_are_composed(self, file: Path) -> None:
        vault_at(file, unicodedata.normalize("NFC", "prüfung-é")).set("name", "1")
        assert vault_at(file, unicodedata.normalize("NFD", "prüfung-é")).get("name") == "1"
        assert vault_at(file, "prüfung-é\n").get("name") == "1"

    def test_bytes_that_are_no_text_can_be_one(self, file: Path) -> None:
        odd = os.fsdecode(b"\xff\xfe-zebra")
        vault_at(file, odd).set("name", "1")
        assert vault_at(file, odd).get("name") == "1"

    def test_a_changed_one_takes_the_place_of_the_old(self, file: Path, vault: Vault) -> None:
        old = header(file)
        elsewhere = vault_at(file)
        assert elsewhere.get("name") == SECRET
        vault_at(file, cost=KdfCost(memory_kib=128, passes=2, lanes=2)).change_passphrase("the new one\n")

        assert vault_at(file, "the new one").get("name") == SECRET
        new = header(file)
        assert (new["memory_kib"], new["passes"], new["lanes"]) == (128, 2, 2)
        assert all(new[name] != old[name] for name in ("salt", "check", "nonce"))
        for stale in (vault_at(file), elsewhere):
            with pytest.raises(WrongPassphrase):
                stale.get("name")

    def test_who_changed_it_goes_on(self, file: Path, vault: Vault) -> None:
        vault.change_passphrase("the new one")
        vault.set("other", "1")
        assert vault_at(file, "the new one").names() == ["name", "other"]

    def test_it_is_changed_by_who_knows_it_and_to_something(self, file: Path, vault: Vault) -> None:
        with pytest.raises(WrongPassphrase):
            vault_at(file, "another").change_passphrase("the new one")
        with pytest.raises(VaultError, match="needs a passphrase"):
            vault.change_passphrase("\n")
        with pytest.raises(VaultError, match="There is no vault"):
            vault_at(file.with_name("nowhere")).change_passphrase("the new one")
        assert vault_at(file).get("name") == SECRET

    def test_a_short_one_is_remarked_on(self, file: Path, caplog: pytest.LogCaptureFixture) -> None:
        vault_at(file, "short").set("name", "1")
        assert "guessed" in caplog.text


class TestTheCost:
    def test_a_guess_costs_64_mib_three_passes_and_four_lanes(self, file: Path) -> None:
        Vault(file, lambda: PASSPHRASE).set("name", "1")
        made = header(file)
        assert (made["memory_kib"], made["passes"], made["lanes"]) == (65536, 3, 4)
        assert vault_at(file).get("name") == "1", "the file's own cost counts, not that of new ones"

    @pytest.mark.parametrize(
        "cost",
        [
            {"memory_kib": 2**32 - 1}, {"memory_kib": 1024 * 1024 + 1}, {"passes": 2**32 - 1}, {"lanes": 17},
            {"memory_kib": 1024 * 1024, "passes": 9}, {"passes": 0}, {"lanes": 0}, {"memory_kib": 7}, {"lanes": 9},
        ],
    )  # fmt: skip
    def test_one_that_no_vault_has_is_refused_unpaid(
        self, file: Path, vault: Vault, cost: dict[str, int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def pay(*_: object) -> None:
            raise AssertionError("it was about to be paid")

        file.write_bytes(with_header(file.read_bytes(), **cost))
        monkeypatch.setattr("exengine.settings.vault.derived", pay)
        with pytest.raises(VaultDamaged, match="to be opened"):
            vault_at(file).get("name")

    @pytest.mark.parametrize("error", [MemoryError(), UnsupportedAlgorithm("no argon2")])
    def test_a_machine_that_cannot_pay_has_no_vault_for_now(
        self, file: Path, vault: Vault, error: Exception, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise error

        monkeypatch.setattr("exengine.settings.vault.derived", fail)
        with pytest.raises(SecretStoreUnavailable):
            vault_at(file).get("name")


class TestADamagedFile:
    def test_no_changed_byte_goes_unseen(self, file: Path, vault: Vault) -> None:
        sound = file.read_bytes()
        for place in range(len(sound)):
            file.write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :])
            with pytest.raises(VaultDamaged):
                vault.get("name")

    def test_no_cut_goes_unseen(self, file: Path, vault: Vault) -> None:
        sound = file.read_bytes()
        for length in range(len(sound)):
            file.write_bytes(sound[:length])
            with pytest.raises(VaultDamaged):
                vault.get("name")

    def test_what_was_tampered_with_opens_for_nobody(self, file: Path, vault: Vault) -> None:
        """The digest is made to fit as well: then the key's check and the seal have to tell."""
        sound = file.read_bytes()
        start = len(vault_format._MAGIC) + 2
        for place in range(start, len(sound) - 32):
            file.write_bytes(forged(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :]))
            with pytest.raises(VaultError) as caught:
                vault_at(file).get("name")
            if place >= HEADER.size - 12:
                assert isinstance(caught.value, VaultDamaged), "a right passphrase is not said to be wrong"
                assert "the passphrase is right" in str(caught.value)

    def test_one_sealed_with_the_key_and_another_header_is_not_taken(self, file: Path, vault: Vault) -> None:
        sound = file.read_bytes()
        vault.set("name", "another")
        body = sound[HEADER.size : -32]
        file.write_bytes(forged(file.read_bytes()[: HEADER.size] + body + b"\0" * 32))
        with pytest.raises(VaultDamaged, match="tampered"):
            vault_at(file).get("name")

    def test_one_of_a_newer_version_is_told_as_that(self, file: Path, vault: Vault) -> None:
        file.write_bytes(with_header(file.read_bytes(), version=2) + b"and more")
        with pytest.raises(VaultDamaged, match="version 2") as caught:
            vault_at(file).get("name")
        assert "newer" in caught.value.remedy

    @pytest.mark.parametrize("data", [b"", b"{}", b"\0" * 500, b"x" * (5 * 1024 * 1024)])
    def test_something_else_is_no_vault_and_is_not_written_over(self, file: Path, data: bytes) -> None:
        file.parent.mkdir()
        file.write_bytes(data)
        with pytest.raises(VaultDamaged):
            vault_at(file).set("name", "1")
        assert file.read_bytes() == data

    def test_a_folder_of_that_name_is_said_to_be_none(self, file: Path) -> None:
        file.mkdir(parents=True)
        with pytest.raises(VaultError, match="cannot be read"):
            vault_at(file).get("name")

    @pytest.mark.parametrize("inner", [b"[]", b"zebra", b'{"secrets": {"zebra": 1}}', b'{"secrets": "zebra"}', b"\xff"])
    def test_something_else_under_the_seal_is_not_shown(
        self, file: Path, vault: Vault, inner: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(vault_format.json, "dumps", lambda _: inner.decode("latin-1"))
        vault.set("name", "another")
        monkeypatch.undo()
        with pytest.raises(VaultDamaged, match="something else in it") as caught:
            vault_at(file).get("name")
        assert "zebra" not in all_of(caught.value)


class TestNothingShowsThem:
    def test_the_file_has_neither_names_nor_secrets_nor_the_passphrase(self, file: Path, vault: Vault) -> None:
        vault.set("zebra-name", SECRET)
        assert b"zebra" not in file.read_bytes()

    def test_repr_and_str_show_nothing(self, file: Path, vault: Vault) -> None:
        key = vault_format.new_key(PASSPHRASE, CHEAP)
        sealed = vault_format.taken_apart(file.read_bytes())
        shown = f"{vault!r} {vault} {key!r} {key} {sealed!r} {sealed} {[vault, key, sealed]}"
        assert "zebra" not in shown
        assert repr(key.key) not in shown
        assert key.key.hex() not in shown

    def test_no_error_and_no_log_line_has_any(
        self, file: Path, vault: Vault, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        caplog.set_level(logging.DEBUG)
        sound = file.read_bytes()
        wrong = vault_at(file, "zebra-of-another-passphrase")
        told = [failure(lambda: wrong.get("name")), failure(lambda: wrong.set("name", SECRET))]
        file.write_bytes(sound[:-1])
        told.append(failure(lambda: vault.set("name", SECRET)))
        file.write_bytes(forged(sound[:-40] + bytes([sound[-40] ^ 1]) + sound[-39:]))
        told.append(failure(lambda: vault.get("name")))
        file.write_bytes(sound)
        with monkeypatch.context() as broken:
            broken.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
            told.append(failure(lambda: vault.set("name", f"{SECRET} 2")))
        told.append(failure(lambda: vault_at(file.with_name("nowhere")).change_passphrase(PASSPHRASE)))
        vault_at(file.with_name("other"), PASSPHRASE[:5]).set("name", SECRET)

        assert "zebra" not in "".join(told)
        assert "guessed" in caplog.text
        assert "zebra" not in caplog.text


def failure(use: object) -> str:
    """All that the error of `use` could tell."""
    with pytest.raises((VaultError, SecretStoreUnavailable)) as caught:
        use()  # type: ignore[operator]
    return all_of(caught.value)


def test_cryptography_is_not_imported_before_it_is_needed(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from exengine.settings.secret_places import secret_stores;"
        "from exengine.settings.paths import DataDir;"
        f"places = secret_stores(DataDir(Path({str(tmp_path)!r})), {{'EXENGINE_PASSPHRASE': 'x'}});"
        "print(len(places), places[1].get('a'), 'cryptography' in sys.modules, 'keyring' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "2 None False False\n"
