"""What goes wrong in the window itself is shown, and the engine goes on (FAULTS 34).

An error in one of its slots, or in what a click began, is a defect of ours. A window that computes for seconds keeps
the engine waiting meanwhile, for both live on one thread: what came then is dealt with afterwards, and the trader is
told how long it was.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any

from exengine.domain.journal import Category, Severity, Topic
from exengine.engine.defects import Defects

LOOK_S = 1.0
BUSY_S = 3.0
"""How long the window may keep the engine waiting before the trader is told."""

Note = Callable[..., object]
"""`Engine.note`."""


@asynccontextmanager
async def faults_told(note: Note) -> AsyncIterator[None]:
    """Within it, what goes wrong in the window is logged, and left in the audit trail."""
    defects, loop, hook = Defects(), asyncio.get_running_loop(), sys.excepthook

    def tell(what: str, error: Exception) -> None:
        if defects.is_new(what, error):
            note(
                Severity.ERROR,
                Category.SYSTEM,
                f"A defect in {what}: {type(error).__name__}.",
                "The engine goes on, and nothing of it was lost. Report this with the log; if the window shows "
                "something that cannot be, start the program again.",
                topic=Topic.DEFECT,
            )

    def in_a_slot(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, Exception):
            tell("the window", error.with_traceback(trace))
        else:
            hook(kind, error, trace)

    def in_a_task(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, Exception):
            tell("what the window began", error)
        else:
            loop.default_exception_handler(context)

    handler = loop.get_exception_handler()
    sys.excepthook = in_a_slot
    loop.set_exception_handler(in_a_task)
    watching = asyncio.create_task(_busy_told(note), name="how busy the window is")
    try:
        yield
    finally:
        watching.cancel()
        loop.set_exception_handler(handler)
        sys.excepthook = hook


async def _busy_told(note: Note) -> None:
    time = asyncio.get_running_loop().time
    while True:
        before_s = time()
        await asyncio.sleep(LOOK_S)
        busy_s = time() - before_s - LOOK_S
        if busy_s > BUSY_S:
            note(
                Severity.WARNING,
                Category.SYSTEM,
                f"The window kept the engine waiting for {busy_s:.1f} s; what came meanwhile is being dealt with.",
                "What rests on the exchange was not touched. Is the machine overloaded? Close what else it runs.",
            )
