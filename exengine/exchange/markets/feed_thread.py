"""An event loop in a thread of its own: a thousand markets are parsed there while the window's loop goes on."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

JOIN_S = 5.0


class FeedThread:
    """Runs coroutines elsewhere. The thread begins with the first one, and never keeps the program from ending."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        return self._loop is not None

    async def call(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` returns or raises. Cancelling the call cancels the work."""
        if self._loop is None:
            self._start()
        assert self._loop is not None
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def soon(self, call: Callable[[], None]) -> None:
        """Calls `call` there, whenever its turn comes."""
        if self._loop is None:
            self._start()
        assert self._loop is not None
        self._loop.call_soon_threadsafe(call)

    async def close(self) -> None:
        """Ends what still runs there, and the thread."""
        loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            await asyncio.to_thread(thread.join, JOIN_S)

    def _start(self) -> None:
        # A selector loop on Windows too: it needs no subprocesses, and name resolution wants it.
        loop = asyncio.SelectorEventLoop()
        self._loop = loop
        self._thread = threading.Thread(target=_serve, args=(loop,), name=self._name, daemon=True)
        self._thread.start()


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        asyncio.set_event_loop(None)
        loop.close()
