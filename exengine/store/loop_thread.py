"""An event loop in a thread of its own, so that the window's loop neither serves a database nor waits for one."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    """Runs from its making until `stop`."""

    def __init__(self, name: str) -> None:
        self._begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()
        self._loop, self._stopped = self._begun.result()

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            runner.run(self._until_stopped())

    async def _until_stopped(self) -> None:
        stopped = asyncio.Event()
        self._begun.set_result((asyncio.get_running_loop(), stopped))
        await stopped.wait()

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """`work` in the thread, for a caller on another loop. It goes on to its end when the caller is cancelled."""
        return await asyncio.shield(asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop)))

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """`work` in the thread, for a caller that blocks meanwhile; an interrupt breaks it off."""
        asked = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return asked.result()
        except BaseException:
            asked.cancel()
            raise

    def stop(self) -> None:
        """Ends the thread; what is still under way is cancelled. Once more does nothing."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join(timeout=5)
