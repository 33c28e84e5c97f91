"""`exengine keys` as a process: keys go in by stdin or unseen at a terminal, and none of them ever comes out."""

import os
import re
import select
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from exengine.settings.account_keys import AccountKeys, account_keys, keep_keys
from exengine.settings.paths import DataDir
from exengine.settings.secret_places import vault_of
from tests.helpers.program import ROOT, Headless, entry, environment, eventually, exengine, http, write_config

API_KEY = "canary-api-key-4d81c0aa"
SECRET = "canary-api-secret-92b7"
PHRASE = "canary-key-phrase-31ff"
VAULT = "canary vault passphrase"
OPENED = {"EXENGINE_PASSPHRASE": VAULT}
CANARIES = (API_KEY, SECRET, PHRASE, VAULT)

ACCOUNTS = [
    {"name": "main", "exchange": "binance"},
    {"name": "my swaps", "exchange": "okx", "market_type": "swap", "testnet": True},
    {"name": "paper", "exchange": "paper"},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_config(tmp_path, accounts=ACCOUNTS)
    return tmp_path


def keys(
    folder: Path, *arguments: str, given: str | bytes = "", env: Mapping[str, str] = OPENED
) -> subprocess.CompletedProcess[str]:
    """The command on `folder`, with `given` piped in. Nothing secret may be in what it prints."""
    options = ["--data-dir", str(folder / "data"), "--config", str(folder / "config.json")]
    result = subprocess.run(
        [sys.executable, "-m", "exengine", "keys", *arguments, *options],
        cwd=ROOT,
        env=environment(**env),
        input=given if isinstance(given, bytes) else given.encode(),
        capture_output=True,
        check=False,
        timeout=60,
    )
    out, err = result.stdout.decode(), result.stderr.decode()
    assert not [canary for canary in CANARIES if canary in out + err]
    assert "Traceback" not in err
    return subprocess.CompletedProcess(result.args, result.returncode, out, err)


def kept(folder: Path, account: str, passphrase: str = VAULT) -> AccountKeys:
    vault = vault_of(DataDir(folder / "data"), {"EXENGINE_PASSPHRASE": passphrase}, None)
    return account_keys([vault], account)


def test_three_lines_set_an_accounts_keys_and_the_list_shows_where_they_are(folder: Path) -> None:
    result = keys(folder, "set", "MY SWAPS", given=f"{API_KEY}\n{SECRET}\n{PHRASE}\n")
    assert (result.returncode, result.stderr) == (0, "")
    assert "account my swaps (****c0aa) are in the vault" in result.stdout
    assert kept(folder, "my swaps") == AccountKeys(api_key=API_KEY, secret=SECRET, passphrase=PHRASE)

    listed = keys(folder, "list")
    assert listed.returncode == 0
    assert [re.split(" {2,}", line) for line in listed.stdout.splitlines()] == [
        ["main", "binance spot", "-", "no keys"],
        ["my swaps", "okx swap testnet", "vault", "****c0aa"],
    ]
    if os.name != "nt":
        assert stat.S_IMODE((folder / "data" / "secrets.vault").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "given",
    [f"{API_KEY}\n{SECRET}", f" {API_KEY} \r\n{SECRET}\r\n\r\n", f"\ufeff{API_KEY}\n{SECRET}\n\n"],
    ids=["two lines", "of Windows", "with a mark of its encoding"],
)  # fmt: skip
def test_a_key_without_a_passphrase_may_come_as_two_lines(folder: Path, given: str) -> None:
    assert keys(folder, "set", "main", given=given).returncode == 0
    assert kept(folder, "main") == AccountKeys(api_key=API_KEY, secret=SECRET)


@pytest.mark.parametrize(
    ("account", "given", "said"),
    [
        ("main", "", "three lines are needed"),
        ("main", API_KEY, "three lines are needed"),
        ("main", f"{API_KEY}\n{SECRET}\n{PHRASE}\n{PHRASE}", "three lines are needed"),
        ("main", f"\n{SECRET}", "the API key is empty"),
        ("main", f"{API_KEY}\n{SECRET} {SECRET}", "the secret has characters"),
        ("main", f"{API_KEY}é\n{SECRET}", "the API key has characters"),
        ("main", f"{API_KEY}\n{API_KEY}", "the same text"),
        ("main", b"\xff\xfe\n\x00\xff", "the API key has characters"),
        ("main", f"{API_KEY}\n{SECRET}\n".encode() + b"\xff", "cannot be read"),
        ("my swaps", f"{API_KEY}\n{SECRET}", "a key of this exchange has a passphrase"),
        ("paper", f"{API_KEY}\n{SECRET}", "there are: main, my swaps"),
        ("nobody", f"{API_KEY}\n{SECRET}", "no account nobody"),
    ],
)
def test_what_can_be_no_keys_is_refused_and_nothing_is_kept(
    folder: Path, account: str, given: str | bytes, said: str
) -> None:
    result = keys(folder, "set", account, given=given)
    assert result.returncode == 2
    assert said in result.stderr
    assert "Nothing was changed" in result.stderr
    assert not (folder / "data").exists()


def test_keys_on_the_command_line_are_refused_without_being_repeated(folder: Path) -> None:
    result = keys(folder, "set", "main", API_KEY, SECRET)
    assert result.returncode == 2
    assert "never given on the command line" in result.stderr
    assert keys(folder, "set", "main", f"--secret={SECRET}").returncode == 2


@pytest.mark.parametrize("arguments", [[], ["set"], ["delete"], ["show", "main"]])
def test_wrong_use_returns_2_and_says_how_it_is_used(folder: Path, arguments: list[str]) -> None:
    result = keys(folder, *arguments)
    assert result.returncode == 2
    assert "usage: exengine keys" in result.stderr


def test_without_a_keyring_or_a_passphrase_there_is_no_place_for_keys(folder: Path) -> None:
    for arguments in (["set", "main"], ["list"], ["delete", "main"]):
        result = keys(folder, *arguments, given=f"{API_KEY}\n{SECRET}\n", env={})
        assert result.returncode == 1
        assert "no place for keys is open" in result.stderr
        assert "EXENGINE_PASSPHRASE" in result.stderr
    assert not (folder / "data").exists()


def test_a_wrong_passphrase_changes_nothing(folder: Path) -> None:
    keys(folder, "set", "main", given=f"{API_KEY}\n{SECRET}\n")
    before = (folder / "data" / "secrets.vault").read_bytes()
    wrong = {"EXENGINE_PASSPHRASE": "another"}
    for arguments in (["set", "main"], ["list"], ["delete", "main"], ["passphrase"]):
        result = keys(folder, *arguments, given=f"{API_KEY}-2\n{SECRET}-2\n", env=wrong)
        assert result.returncode == 1
        assert "does not open the vault" in result.stderr
    assert (folder / "data" / "secrets.vault").read_bytes() == before


def test_deleted_keys_are_gone(folder: Path) -> None:
    keys(folder, "set", "main", given=f"{API_KEY}\n{SECRET}\n")
    deleted = keys(folder, "delete", "MAIN")
    assert (deleted.returncode, deleted.stderr) == (0, "")
    assert "deleted from the vault" in deleted.stdout
    again = keys(folder, "delete", "main")
    assert again.returncode == 1
    assert "there are no keys of account main" in again.stderr


def test_keys_of_an_account_that_is_configured_no_more_are_listed(folder: Path) -> None:
    keep_keys([vault_of(DataDir(folder / "data"), OPENED, None)], "Old One", AccountKeys(api_key=API_KEY, secret="s"))
    assert "Old One   not configured    vault  ****c0aa" in keys(folder, "list").stdout


def test_with_paper_accounts_only_there_is_nothing_to_list(tmp_path: Path) -> None:
    write_config(tmp_path)
    result = keys(tmp_path, "list", env={})
    assert (result.returncode, result.stderr) == (0, "")
    assert "all of them are on paper" in result.stdout


class TestTheVaultsPassphrase:
    NEW = "canary-new passphrase"

    def test_it_is_changed_by_the_one_of_the_environment(self, folder: Path) -> None:
        keys(folder, "set", "main", given=f"{API_KEY}\n{SECRET}\n")
        result = keys(folder, "passphrase", given=f"{self.NEW}\n")
        assert (result.returncode, result.stderr) == (0, "")
        assert "EXENGINE_PASSPHRASE" in result.stdout
        assert self.NEW not in result.stdout
        assert kept(folder, "main", self.NEW).api_key == API_KEY
        assert keys(folder, "list").returncode == 1

    def test_it_is_changed_by_the_first_line_where_the_environment_has_none(self, folder: Path) -> None:
        keys(folder, "set", "main", given=f"{API_KEY}\n{SECRET}\n")
        assert keys(folder, "passphrase", given=f"{VAULT}\n{self.NEW}\n", env={}).returncode == 0
        assert kept(folder, "main", self.NEW).api_key == API_KEY

    @pytest.mark.parametrize("given", ["", "\n", f"{NEW}\nand more\n"])
    def test_anything_but_one_new_one_is_refused(self, folder: Path, given: str) -> None:
        keys(folder, "set", "main", given=f"{API_KEY}\n{SECRET}\n")
        result = keys(folder, "passphrase", given=given)
        assert result.returncode == 2
        assert "one line with the new passphrase" in result.stderr
        assert kept(folder, "main").api_key == API_KEY

    def test_without_any_the_vault_stays_locked(self, folder: Path) -> None:
        keys(folder, "set", "main", given=f"{API_KEY}\n{SECRET}\n")
        result = keys(folder, "passphrase", env={})
        assert result.returncode == 1
        assert "locked" in result.stderr

    def test_where_there_is_no_vault_it_is_said(self, folder: Path) -> None:
        result = keys(folder, "passphrase", given="new\n")
        assert result.returncode == 1
        assert "There is no vault" in result.stderr


class Terminal:
    """The command at a terminal of its own, where somebody types."""

    def __init__(self, folder: Path, *arguments: str, **env: str) -> None:
        options = ["--data-dir", str(folder / "data"), "--config", str(folder / "config.json")]
        command = [sys.executable, "-m", "exengine", "keys", *arguments, *options]
        spawn = f"import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn({command!r})))"
        self.shown = b""
        self.process = subprocess.Popen(
            [sys.executable, "-c", spawn],
            cwd=ROOT,
            env=environment(**env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def types(self, *answers: tuple[str, str]) -> "Terminal":
        """For each (prompt, answer): waits for the prompt, which comes once typing is unseen, and answers."""
        assert self.process.stdin is not None
        seen = 0
        for prompt, answer in answers:
            eventually(lambda: self._read(prompt.encode() in self.shown[seen:]), what=f"the prompt {prompt}")  # noqa: B023
            seen = len(self.shown)
            self.process.stdin.write(f"{answer}\n".encode())
            self.process.stdin.flush()
        return self

    def ends(self) -> tuple[int, str]:
        """Exit code and all that was seen."""
        eventually(lambda: self._read(self.process.poll() is not None), what="the end")
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.shown += self.process.stdout.read()
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.returncode, self.shown.decode()

    def _read(self, is_there: bool) -> bool:
        assert self.process.stdout is not None
        if not is_there and select.select([self.process.stdout], [], [], 0.05)[0]:
            self.shown += os.read(self.process.stdout.fileno(), 4096)
        return is_there


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals that Python can make")
class TestAtATerminal:
    def test_keys_are_typed_unseen_and_a_vault_is_made_for_them(self, folder: Path) -> None:
        code, shown = (
            Terminal(folder, "set", "my swaps")
            .types(("API key of account my swaps (okx swap testnet): ", API_KEY), ("Secret: ", SECRET),
                   ("Passphrase of the key: ", PHRASE), ("Passphrase for it: ", VAULT), ("Again: ", VAULT))
            .ends()
        )  # fmt: skip
        assert code == 0, shown
        assert "nobody can open it" in shown
        assert not [canary for canary in CANARIES if canary in shown]
        assert kept(folder, "my swaps") == AccountKeys(api_key=API_KEY, secret=SECRET, passphrase=PHRASE)

    def test_a_passphrase_that_is_typed_otherwise_the_second_time_makes_no_vault(self, folder: Path) -> None:
        code, shown = (
            Terminal(folder, "set", "main")
            .types(("API key", API_KEY), ("Secret: ", SECRET), ("Passphrase for it: ", VAULT), ("Again: ", "another"))
            .ends()
        )
        assert (code, "the two differ" in shown) == (2, True)
        assert not (folder / "data").exists()

    def test_the_vaults_passphrase_is_asked_for_once_and_changed(self, folder: Path) -> None:
        keys(folder, "set", "main", given=f"{API_KEY}\n{SECRET}\n")
        code, shown = Terminal(folder, "list").types(("Passphrase of the vault: ", VAULT)).ends()
        assert (code, "****c0aa" in shown, shown.count("Passphrase")) == (0, True, 1)

        code, shown = (
            Terminal(folder, "passphrase")
            .types(("Passphrase of the vault: ", VAULT), ("New passphrase: ", "another"), ("Again: ", "another"))
            .ends()
        )
        assert code == 0, shown
        assert kept(folder, "main", "another").api_key == API_KEY


WITHOUT_TOKEN = {"EXENGINE_WEBHOOK_TOKEN": "", "EXENGINE_WEBHOOK_SECRET": ""}


class TestTheProgramWithAVault:
    """The webhook's token of a server that has no keyring."""

    def test_the_vault_is_made_at_the_first_start_and_the_address_stays(self, tmp_path: Path) -> None:
        write_config(tmp_path)
        env = WITHOUT_TOKEN | OPENED
        addresses = []
        for _ in range(2):
            with Headless(tmp_path, **env).ready() as process:
                told = exengine("signal", *process.options, env=environment(**env))
                (address,) = (line.split()[-1] for line in told.stdout.splitlines() if line.startswith("Webhook URL"))
                assert http(address, entry("20000"))[0] == 202
                assert process.stop() == 0
                assert "for this run only" not in process.output
                assert VAULT not in process.output
            addresses.append(address)
        assert addresses[0] == addresses[1]
        assert (tmp_path / "data" / "secrets.vault").exists()

    def test_a_wrong_passphrase_is_no_start(self, tmp_path: Path) -> None:
        write_config(tmp_path)
        vault_of(DataDir(tmp_path / "data"), OPENED, None).set("webhook-token", "x" * 43)
        wrong = WITHOUT_TOKEN | {"EXENGINE_PASSPHRASE": "canary of another"}
        process = Headless(tmp_path, **wrong)
        with process:
            assert process.process.wait(30) == 1
        assert "does not open the vault" in process.output
        assert "canary" not in process.output

    def test_the_doctor_tells_of_the_vault_and_makes_none(self, tmp_path: Path) -> None:
        write_config(tmp_path)
        options = ["--data-dir", tmp_path / "data", "--config", tmp_path / "config.json"]
        result = exengine("doctor", *options, env=environment(**WITHOUT_TOKEN, **OPENED))
        assert "the webhook’s token comes from the vault" in result.stdout
        assert not (tmp_path / "data").exists()


def test_folders_that_stand_before_the_command_hold(folder: Path) -> None:
    before = ["--data-dir", folder / "data", "--config", folder / "config.json"]
    listed = exengine(*before, "keys", "list", env=environment(**OPENED))
    assert "my swaps" in listed.stdout, listed.stderr
    assert str(folder / "data") in exengine(*before, "doctor").stdout


def test_a_second_word_for_a_folder_is_the_one_that_holds(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    result = exengine("--data-dir", folder / "data", "doctor", "--data-dir", elsewhere)
    assert str(elsewhere) in result.stdout
