"""`exengine --smoke`: what it prints and returns where all works, and what it says where this copy lacks something."""

import re
import subprocess
import sys

import pytest

from tests.helpers.program import ROOT, environment

DESKTOP = {"QT_QPA_PLATFORM": "a platform that is not there"}
"""The command chooses its own: on a server there is no screen."""


def smoke(broken: str = "") -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, after what is `broken` there by Python's own means."""
    begin = f"import sys; {broken}\nfrom exengine.__main__ import main; sys.exit(main(['--smoke']))"
    return subprocess.run(
        [sys.executable, "-c", begin],
        check=False,
        cwd=ROOT,
        env=environment(**DESKTOP),
        capture_output=True,
        text=True,
        timeout=200,
    )


def test_a_whole_copy_trades_one_alert_to_its_end_and_says_so():
    told = smoke()
    assert told.returncode == 0, told.stderr
    parts = [line.split()[1] for line in told.stdout.splitlines() if line.startswith("ok ")]
    assert parts == ["libraries", "window", "health", "alert", "group", "store"]
    assert re.search(r"(?m)^ok  store +tp, [01]\.\d+ USDT$", told.stdout)
    assert told.stdout.endswith("smoke: all is well\n")
    assert told.stderr == ""


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (
            "sys.modules['asyncpg.pgproto.pgproto'] = None",
            "Libraries are missing: asyncpg.pgproto.pgproto (import of asyncpg.pgproto.pgproto halted",
        ),
        (
            "from pathlib import Path; import exengine.store.migrate as of; of.SCRIPTS = Path('/not/here')",
            "The program failed: CommandError: Path doesn't exist",
        ),
        ("import exengine.cli.smoke as of; of.LIMIT_S = 0", "The smoke test had not ended after 0 s."),
        ("import exengine.cli.smoke as of; of.PRICE = of.Decimal(0)", "The alert was answered 422"),
    ],
    ids=["a library", "the migrations", "time", "a price"],
)
def test_a_broken_copy_fails_with_what_it_was_in_words(broken: str, said: str):
    told = smoke(broken)
    assert told.returncode == 1
    assert f"exengine: {said}" in told.stderr
    assert "all is well" not in told.stdout
