"""How fast an exchange is asked: bursts within its limit, the urgent first, silence where it wants silence."""

import asyncio

from exengine.exchange.live.pace import Pace, Urgency


class Time:
    """Time that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.now_s += seconds


def pace(time: Time, *, unit_ms: float = 100, burst: float = 2) -> Pace:
    return Pace(unit_ms=unit_ms, burst=burst, now_s=time, sleep=time.sleep)


async def test_a_burst_goes_at_once_and_the_rest_by_the_rate():
    time, went = Time(), []
    limit = pace(time)

    async def ask(number: int) -> None:
        await limit.take(1, Urgency.ENTRY)
        went.append((number, round(time.now_s, 3)))

    await asyncio.gather(*(ask(number) for number in range(5)))
    assert went == [(0, 0.0), (1, 0.0), (2, 0.1), (3, 0.2), (4, 0.3)]


async def test_exits_go_before_targets_and_targets_before_entries_that_waited_longer():
    time, went = Time(), []
    limit = pace(time, burst=1)
    await limit.take(1, Urgency.ROUTINE)

    async def ask(urgency: Urgency) -> None:
        await limit.take(1, urgency)
        went.append(urgency)

    await asyncio.gather(*(ask(each) for each in (Urgency.ENTRY, Urgency.ENTRY, Urgency.TARGET, Urgency.LEAVING)))
    assert went == [Urgency.LEAVING, Urgency.TARGET, Urgency.ENTRY, Urgency.ENTRY]


async def test_while_the_exchange_wants_silence_nothing_goes_out_not_even_an_exit():
    time = Time()
    limit = pace(time)
    limit.be_quiet(120)
    assert limit.quiet_for_s == 120
    await limit.take(1, Urgency.LEAVING)
    assert time.now_s >= 120


async def test_who_has_gone_away_is_passed_over():
    time = Time()
    limit = pace(time, burst=1)
    await limit.take(1, Urgency.ENTRY)
    gone = asyncio.create_task(limit.take(1, Urgency.ENTRY))
    await asyncio.sleep(0)
    gone.cancel()
    await limit.take(1, Urgency.ENTRY)
    assert round(time.now_s, 3) == 0.1


async def test_what_weighs_more_than_the_bucket_holds_waits_for_a_full_one():
    time = Time()
    limit = pace(time)
    await limit.take(10, Urgency.ROUTINE)
    await limit.take(1, Urgency.ROUTINE)
    assert round(time.now_s, 3) == 0.9
