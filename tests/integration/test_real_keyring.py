"""The real thing: GNOME's keyring on a session bus of its own, asked through the program's own store."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from exengine.settings.account_keys import AccountKeys, account_keys, delete_keys, keep_keys
from exengine.settings.paths import DataDir
from exengine.settings.secret_places import require_place, secret_stores
from exengine.settings.secrets import KeyringStore, SecretOrigin, webhook_secrets
from tests.helpers.program import ROOT, Headless, environment, eventually, exengine, write_config

PROGRAMS = ("dbus-daemon", "gnome-keyring-daemon")
MISSING = [name for name in PROGRAMS if shutil.which(name) is None]

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or (bool(MISSING) and not os.environ.get("CI")),
    reason=f"needs {' and '.join(MISSING or PROGRAMS)} (Linux, packages dbus and gnome-keyring)",
)

BACKEND = "keyring.backends.SecretService.Keyring"
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>
"""
"""A bus that starts no service by itself: what answers on it is what the test has started."""


@pytest.fixture(scope="module")
def bus() -> Iterator[str]:
    """The address of a session bus with an unlocked, empty keyring; its password is empty.

    Where CI is set the tests do not pass for want of it.
    """
    if MISSING:
        pytest.fail(f"{' and '.join(MISSING)} is not there")
    with tempfile.TemporaryDirectory(prefix="keyring-") as name:
        home = Path(name)
        (home / "bus.conf").write_text(BUS.format(socket=home / "bus"))
        env = {key: value for key, value in os.environ.items() if not key.startswith(("DBUS_", "GNOME_", "XDG_"))}
        env |= {"HOME": name, "XDG_RUNTIME_DIR": name, "XDG_DATA_HOME": name, "XDG_CONFIG_HOME": name}
        env["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={home / 'bus'}"
        daemon = subprocess.Popen(
            ["dbus-daemon", f"--config-file={home / 'bus.conf'}", "--nofork", "--nopidfile"],
            env=env, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            eventually((home / "bus").exists, what="the session bus")
            keyring = subprocess.Popen(
                ["gnome-keyring-daemon", "--unlock", "--foreground", "--components=secrets"],
                env=env, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            try:
                assert keyring.stdin is not None
                keyring.stdin.write(b"\n")
                keyring.stdin.close()
                eventually(lambda: is_open(env["DBUS_SESSION_BUS_ADDRESS"]), what="the keyring")
                yield env["DBUS_SESSION_BUS_ADDRESS"]
            finally:
                ended(keyring)
        finally:
            ended(daemon)


def ended(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def is_open(address: str) -> bool:
    import secretstorage

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        with closing(secretstorage.dbus_init()) as connection:
            try:
                return not secretstorage.get_default_collection(connection).is_locked()
            except secretstorage.exceptions.SecretStorageException:
                return False


@pytest.fixture
def session(bus: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """This process in that session."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus)
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND", raising=False)
    return bus


def test_what_is_kept_is_there_for_the_next_and_what_is_deleted_is_not(session: str) -> None:
    store = KeyringStore(service="round trip")
    store.set("one", 'ümläut 🦓 and a "quote"')
    store.set("two", "2" * 4000)
    store.set("one", "another")

    again = KeyringStore(service="round trip")
    assert (again.get("one"), again.get("two"), again.get("three")) == ("another", "2" * 4000, None)
    again.delete("one")
    again.delete("one")
    again.delete("three")
    assert (store.get("one"), store.get("two")) == (None, "2" * 4000)
    assert KeyringStore(service="another program").get("two") is None


def test_the_webhooks_secrets_are_kept_there_and_no_vault_is_made(session: str, tmp_path: Path) -> None:
    environ = {"EXENGINE_PASSPHRASE": "not needed here"}
    first, second = (webhook_secrets(secret_stores(DataDir(tmp_path), environ), environ={}) for _ in range(2))
    assert (first.origin, first.persistent) == (SecretOrigin.KEYRING, True)
    assert (first.token, first.secret) == (second.token, second.secret)
    assert list(tmp_path.iterdir()) == []


def test_an_accounts_keys_are_kept_there(session: str, tmp_path: Path) -> None:
    stores = secret_stores(DataDir(tmp_path), {})
    keys = AccountKeys(api_key="key", secret="secret", passphrase="pass ümläut")
    require_place(stores, ["Main"])
    assert keep_keys(stores, "Main", keys) is SecretOrigin.KEYRING
    assert account_keys(secret_stores(DataDir(tmp_path), {}), "main") == keys
    assert delete_keys(stores, "main") == [SecretOrigin.KEYRING]


@pytest.mark.timeout(300)
def test_the_commands_and_the_program_share_it(bus: str, tmp_path: Path) -> None:
    write_config(tmp_path, accounts=[{"name": "main", "exchange": "binance", "enabled": False},
                                     {"name": "paper", "exchange": "paper"}])  # fmt: skip
    env = {"DBUS_SESSION_BUS_ADDRESS": bus, "PYTHON_KEYRING_BACKEND": BACKEND}
    env |= {"EXENGINE_WEBHOOK_TOKEN": "", "EXENGINE_WEBHOOK_SECRET": ""}
    options = ["--data-dir", tmp_path / "data", "--config", tmp_path / "config.json"]
    with Headless(tmp_path, **env).ready() as process:
        assert process.stop() == 0
        assert "for this run only" not in process.output
    given = subprocess.run(
        [sys.executable, "-m", "exengine", "keys", "set", "main", *map(str, options)],
        cwd=ROOT, env=environment(**env), input="canary-key-1234567\ncanary-secret\n", capture_output=True, text=True,
        check=True, timeout=60,
    )  # fmt: skip
    assert given.stdout == "The keys of account main (****4567) are in the keyring.\n"
    assert "keyring  ****4567" in exengine("keys", "list", *options, env=environment(**env)).stdout
    told = exengine("doctor", *options, env=environment(**env)).stdout
    assert "the webhook’s token comes from the keyring" in told
    sent = ["signal", "--symbol", "BTCUSDT", "--timeframe", "15", "--price", "64000", "--send"]
    with Headless(tmp_path, **env).ready() as process:
        first = exengine(*sent, *options, env=environment(**env))
        assert first.stdout.startswith("202 "), "the next run and the command have the same token, from the keyring"
        assert process.stop() == 0
    assert exengine("keys", "delete", "main", *options, env=environment(**env)).returncode == 0
    assert not (tmp_path / "data" / "secrets.vault").exists()


ASKED_TWICE = """
from exengine.settings.secrets import KeyringStore, SecretStoreUnavailable
store = KeyringStore(service="locked", answer_s=5)
for use in (lambda: store.get("one"), lambda: store.set("one", "2")):
    try:
        use()
    except SecretStoreUnavailable:
        print("not there")
"""


def test_a_locked_one_that_nobody_unlocks_is_given_up(session: str) -> None:
    """There is nobody here to answer its question. Last in this file, for it stays locked; and in a process of its
    own, for keyring leaves the connection open where it fails."""
    import secretstorage

    KeyringStore(service="locked").set("one", "1")
    with closing(secretstorage.dbus_init()) as connection:
        secretstorage.get_default_collection(connection).lock()
    asked = subprocess.run(
        [sys.executable, "-c", ASKED_TWICE], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert asked.stdout == "not there\nnot there\n"
