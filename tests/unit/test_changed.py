"""A frozen record's copy has what was changed, and nothing that was worked out of the record before."""

from dataclasses import dataclass
from functools import cached_property

import pytest

from exengine.domain.changed import changed, kept


@dataclass(frozen=True, kw_only=True)
class Sizes:
    high: int
    wide: int = 1

    @cached_property
    def area(self) -> int:
        return self.high * self.wide


def test_a_copy_is_the_record_but_for_what_was_changed():
    before = Sizes(high=3, wide=2)
    after = changed(before, high=5)
    assert (after, before) == (Sizes(high=5, wide=2), Sizes(high=3, wide=2))


def test_what_was_worked_out_of_the_record_is_worked_out_anew_of_its_copy():
    before = Sizes(high=3)
    assert before.area == 3
    after = changed(before, wide=7)
    assert after.area == 21
    assert before.area == 3


def test_a_field_that_there_is_not_is_refused():
    with pytest.raises(TypeError, match="Sizes has no deep"):
        changed(Sizes(high=3), deep=1)  # type: ignore[call-arg]


def test_what_is_kept_is_worked_out_again_only_where_it_is_of_something_else():
    record, first, second = Sizes(high=3), object(), object()
    made: list[int] = []

    def work_out() -> int:
        made.append(len(made))
        return len(made)

    assert [kept(record, "_n", (of,), work_out) for of in (first, first, second, second, first)] == [1, 1, 2, 2, 3]
    assert kept(changed(record, wide=4), "_n", (first,), work_out) == 4
