"""Replays on a Dask cluster, for who outgrows one machine: signals and prices travel to its workers, files do not.

The workers need this very version of ExEngine, and nothing else of this machine. What they send back is the same to the
last digit, wherever it was played.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from secrets import token_hex
from types import TracebackType
from typing import Any, Self

from exengine import __version__
from exengine.bootstrap.replay import ReplayInputs, has_secret
from exengine.bootstrap.replay_work import Job, Ran, work
from exengine.domain.errors import UserError
from exengine.domain.signal_body import SECRET, scrubbed, without_secrets
from exengine.replay.signals_file import Recorded, RecordedSignal

CONNECT_S = 10
AHEAD = 3
"""So many jobs a worker's thread are sent ahead, so that none waits for the next one."""
_SAFE = "Nothing was written, and nothing was traded."


class Cluster:
    """The workers of one scheduler. Use it as a context: what it has asked of them ends with it."""

    def __init__(self, inputs: ReplayInputs, address: str) -> None:
        """`address` is the scheduler's, as tcp://10.0.0.5:8786."""
        self._inputs, self._address = _sealed(inputs), address
        self._client: Any = None
        self.workers = 0
        self.threads = 0

    def __enter__(self) -> Self:
        """Connects. Raises UserError without the library, the scheduler, workers, or where they are of another
        version."""
        try:
            from distributed import Client
        except ImportError:
            raise UserError(
                "A cluster needs Dask, which is not installed.",
                safe=_SAFE,
                remedy="Install it with: pip install 'exengine[cluster]'.",
            ) from None
        # What it says of lost connections, the trader is told in our own words.
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        try:
            self._client = Client(self._address, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise UserError(
                f"There is no Dask scheduler at {self._address}: {' '.join(str(error).split()) or 'no answer'}.",
                safe=_SAFE,
                remedy="Start one with `dask scheduler`, and give its address as tcp://HOST:8786.",
            ) from None
        try:
            self._meet()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of what was asked for, and of the connection."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _meet(self) -> None:
        found = self._client.scheduler_info(n_workers=-1)["workers"]
        if not found:
            raise UserError(
                f"The scheduler at {self._address} has no workers.",
                safe=_SAFE,
                remedy=f"Start some with `dask worker {self._address}`.",
            )
        self.workers, self.threads = len(found), sum(one["nthreads"] for one in found.values())
        try:
            versions = self._client.run(_version)
        except Exception as error:  # noqa: BLE001  # whatever a worker says that has no ExEngine
            raise self._other(f"cannot load it ({type(error).__name__}: {error})") from None
        other = next((version for version in versions.values() if version != __version__), None)
        if other is not None:
            raise self._other(f"have {other}")

    def _other(self, what: str) -> UserError:
        return UserError(
            f"This is ExEngine {__version__}, and workers of {self._address} {what}.",
            safe=_SAFE,
            remedy="Install the same version, with the extra exengine[cluster], where the workers run.",
        )

    def run(self, jobs: Iterable[Job]) -> Iterator[Ran]:
        """Does all jobs, and gives what came of each as it comes. Raises UserError."""
        from distributed import as_completed

        rest = iter(jobs)
        try:
            inputs = self._client.scatter(self._inputs, broadcast=True, hash=False)
            under = as_completed(loop=self._client.loop, with_results=True)
            for _ in range(self.threads * AHEAD):
                self._send(under, inputs, next(rest, None))
            for _, ran in under:
                self._send(under, inputs, next(rest, None))
                yield ran
        except UserError:
            raise
        except Exception as error:
            raise UserError(
                f"The cluster at {self._address} could not do its work: {type(error).__name__}: {error}.",
                safe=_SAFE,
                remedy="Look into what its workers say: they may have run out of memory.",
            ) from error

    def _send(self, under: Any, inputs: Any, job: Job | None) -> None:
        if job is not None:
            under.add(self._client.submit(work, inputs, job, key=f"replay-{id(self)}-{job.number}", pure=False))


def _sealed(inputs: ReplayInputs) -> ReplayInputs:
    """No secret leaves this machine: where a body has the right one, a word of this run takes its place."""
    word = token_hex(16)

    def sealed(one: Recorded) -> Recorded:
        if not isinstance(one, RecordedSignal):
            return one
        is_right = inputs.secret is not None and has_secret(one, inputs.secret)
        body = without_secrets(scrubbed(one.body, [inputs.secret] if inputs.secret is not None else []))
        return replace(one, body=body | {SECRET: word} if is_right else body)

    return replace(
        inputs,
        recorded=tuple(sealed(one) for one in inputs.recorded),
        secret=word if inputs.secret is not None else None,
    )


def _version() -> str:
    """Of a worker, asked there."""
    from exengine import __version__ as theirs

    return theirs
