"""A frozen record's copy has what was changed, and of what was worked out of the record only what still holds."""

from dataclasses import dataclass

import pytest

from exengine.domain.changed import changed, kept, worked_out


@dataclass(frozen=True, kw_only=True)
class Sizes:
    high: int
    wide: int = 1
    name: str = ""

    ASIDE = frozenset({"name"})

    @worked_out
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

    assert [kept(record, "_n", of, work_out) for of in (first, first, second, second, first)] == [1, 1, 2, 2, 3]
    assert kept(changed(record, wide=4), "_n", first, work_out) == 4


def test_a_copy_that_differs_in_no_more_than_what_is_aside_keeps_what_was_worked_out():
    record, of = Sizes(high=3, wide=2), object()
    assert (record.area, kept(record, "_n", of, object)) == (6, kept(record, "_n", of, object))
    renamed = changed(record, name="the table")
    assert renamed.__dict__["area"] == 6
    assert kept(renamed, "_n", of, object) is kept(record, "_n", of, object)
    wider = changed(renamed, name="another", wide=3)
    assert "area" not in wider.__dict__
    assert kept(wider, "_n", of, object) is not kept(record, "_n", of, object)
