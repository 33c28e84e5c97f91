"""A sweep on a Dask cluster of this machine's loopback: the same bytes as of processes, and no file shared."""

import json
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from exengine.__main__ import main
from exengine.bootstrap.cluster import Cluster
from exengine.settings.secrets import SECRET_VARIABLE
from tests.helpers.program import eventually, free_port
from tests.integration.test_sweep import FILES, asked, laid

pytest.importorskip("distributed")

DASK = [sys.executable, "-m", "dask"]


@contextmanager
def process(folder: Path, *arguments: str) -> Iterator[None]:
    """A process of Dask's own, in a folder of its own."""
    folder.mkdir()
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen([*DASK, *arguments], cwd=folder, stdout=log, stderr=log) as running,
    ):
        try:
            yield
        finally:
            running.kill()


@contextmanager
def scheduler(folder: Path) -> Iterator[str]:
    """The address of a scheduler on this machine."""
    told = folder / "scheduler.json"
    named = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(told))
    with process(folder / "scheduler", "scheduler", *named):
        eventually(lambda: told.exists() and told.read_text().rstrip().endswith("}"), what="the scheduler")
        yield str(json.loads(told.read_text())["address"])


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A scheduler and a worker that have nothing in common with the test but the loopback."""
    folder = tmp_path_factory.mktemp("cluster")
    with scheduler(folder) as address:
        named = ("--host", "127.0.0.1", "--nworkers", "1", "--nthreads", "2", "--no-nanny", "--no-dashboard")
        with process(folder / "worker", "worker", address, *named):
            log = folder / "worker" / "log"
            eventually(lambda: "Registered to" in log.read_text(), what="the worker", within_s=60)
            yield address


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return laid(tmp_path_factory.mktemp("sweep"), count=1500)


def test_the_bytes_of_a_cluster_are_those_of_processes(
    cluster: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(asked(folder, tmp_path / "here", "--workers", "1")) == 0
    assert main(asked(folder, tmp_path / "there", "--scheduler", cluster)) == 0
    assert f"4 runs (2 × 2 × 1) on the cluster at {cluster}" in capsys.readouterr().err
    for name in FILES:
        assert (tmp_path / "there" / name).read_bytes() == (tmp_path / "here" / name).read_bytes(), name


def test_no_secret_leaves_the_machine_and_yet_only_alerts_with_the_right_one_count(
    cluster: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, stray = "the-right-secret-of-mine", "a-secret-of-another"
    lines = [json.loads(line) for line in (folder / "signals.jsonl").read_text().splitlines()]
    for number, line in enumerate(lines):
        line["body"] |= {"secret": secret if number % 3 else stray, "note": f"it is {secret}"}
    mine = laid(tmp_path / "mine", count=1500)
    (mine / "signals.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    monkeypatch.setenv(SECRET_VARIABLE, secret)
    sent: list[bytes] = []
    monkeypatch.setattr(Cluster, "_meet", watched(sent, Cluster._meet))
    for out, named in (("here", ("--workers", "1")), ("there", ("--scheduler", cluster))):
        given = [one for one in asked(mine, tmp_path / out, *named) if one != "--no-auth"]
        assert main(given) == 0
    for name in FILES:
        assert (tmp_path / "there" / name).read_bytes() == (tmp_path / "here" / name).read_bytes(), name
    (inputs,) = sent
    assert b"BTCUSDT" in inputs
    assert secret.encode() not in inputs
    assert stray.encode() not in inputs


def watched(sent: list[bytes], meet: Callable[[Cluster], None]) -> Callable[[Cluster], None]:
    """Writes down what the workers are about to be given."""

    def met(cluster: Cluster) -> None:
        sent.append(pickle.dumps(cluster._inputs))
        meet(cluster)

    return met


def test_workers_of_another_version_are_refused(
    cluster: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exengine.bootstrap.cluster.__version__", "9.9.9")
    assert main(asked(folder, tmp_path / "out", "--scheduler", cluster)) == 1
    assert "This is ExEngine 9.9.9, and workers of" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_scheduler_without_workers_is_told(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with scheduler(tmp_path) as address:
        assert main(asked(folder, tmp_path / "out", "--scheduler", address)) == 1
        assert (
            f"has no workers. Nothing was written, and nothing was traded. Start some with `dask worker {address}`"
            in (capsys.readouterr().err)
        )


def test_a_scheduler_that_is_not_there_is_told(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exengine.bootstrap.cluster.CONNECT_S", 0.5)
    address = f"tcp://127.0.0.1:{free_port()}"
    assert main(asked(folder, tmp_path / "out", "--scheduler", address)) == 1
    assert f"There is no Dask scheduler at {address}" in capsys.readouterr().err


def test_without_the_extra_its_name_is_told(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert main(asked(folder, tmp_path / "out", "--scheduler", "tcp://127.0.0.1:1")) == 1
    assert "pip install 'exengine[cluster]'" in capsys.readouterr().err
