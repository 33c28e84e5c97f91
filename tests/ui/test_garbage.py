"""Garbage is collected where the widgets live, and nowhere else."""

import asyncio
import gc
import threading
import weakref

from exengine.ui.garbage import ALL_S, OLD_S, Steps, collected_here, pass_over_what_is_there
from exengine.ui.loop import run


class Node:
    """Garbage that only the collector finds, and that notes who found it."""

    def __init__(self, found: list[int]) -> None:
        self.itself = self
        weakref.finalize(self, lambda: found.append(threading.get_ident()))


def test_another_thread_that_makes_many_objects_collects_nothing(qapp):
    gc.enable()
    found: list[int] = []

    def make_many() -> None:
        kept = [[number] for number in range(200_000)]
        assert kept

    async def main() -> None:
        for _ in range(50):
            Node(found)
        await asyncio.to_thread(make_many)
        kept: list[list[int]] = []
        async with asyncio.timeout(60):
            while len(found) < 50:  # the collector tells nobody
                kept.extend([number] for number in range(1_000))
                await asyncio.sleep(0.01)
        assert set(found) == {threading.get_ident()}

    run(qapp, main)
    assert gc.isenabled()
    gc.disable()


def test_afterwards_the_collector_is_as_it_was(qapp):
    gc.disable()
    with collected_here():
        assert not gc.isenabled()
    assert not gc.isenabled()


def test_what_was_imported_is_passed_over_and_what_comes_later_is_not(qapp):
    found: list[int] = []
    with collected_here():
        pass_over_what_is_there()
        assert gc.get_freeze_count() > 10_000
        Node(found)
        gc.collect()
        assert found == [threading.get_ident()]
    assert gc.get_freeze_count() == 0


def test_what_lived_long_is_looked_at_again_after_some_hours(qapp):
    found: list[int] = []
    with collected_here():
        now = [0.0]
        steps = Steps(lambda: now[0])
        limits = gc.get_threshold()
        gc.set_threshold(limits[0], limits[1], 0)

        def look_at(second: float) -> None:
            now[0] = second
            gc.collect(1)  # the oldest are looked at after the middle ones
            steps.take()

        lives = [Node(found)]
        look_at(OLD_S + 1)
        lives.clear()
        look_at(2 * OLD_S + 2)
        assert found == []
        look_at(ALL_S + 1)
        assert len(found) == 1
        gc.set_threshold(*limits)
