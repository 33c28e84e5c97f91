"""Money is exact, never a float, and written plainly."""

from decimal import Decimal, FloatOperation

import pytest

from exengine.domain.money import arithmetic, ceil_step, decimals_of, floor_step, parse, plain


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("1E+3", "1000"),
        ("50000.0700", "50000.07"),
        ("0.0000000000005", "0"),
        ("0.0000000000015", "0.000000000002"),
        ("-0.00000000000049", "0"),
        ("123456789.123456789012", "123456789.123456789012"),
    ],
)
def test_numbers_are_written_without_exponent_or_trailing_zeros_rounded_half_even_to_12_places(value, text):
    assert plain(Decimal(value)) == text


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-inf", "", "ten", "1e9999999", "1e40", "0x10", "1_0.0.0"])
def test_what_money_cannot_be_is_refused(text):
    with pytest.raises(ValueError, match="not a number"):
        parse(text)


def test_a_float_that_touches_money_is_trapped():
    tenth = 0.1
    with arithmetic(), pytest.raises(FloatOperation):
        Decimal(tenth)


def test_a_float_compared_with_money_is_trapped():
    with arithmetic(), pytest.raises(FloatOperation):
        assert Decimal("0.1") > 0.05


def test_quotients_carry_more_than_34_digits():
    with arithmetic():
        third = Decimal(1) / Decimal(3)
    assert len(third.as_tuple().digits) >= 34


def test_rounding_to_a_step_that_is_no_power_of_ten():
    with arithmetic():
        assert floor_step(Decimal("10.9"), Decimal("2.5")) == 10
        assert ceil_step(Decimal("10.1"), Decimal("2.5")) == Decimal("12.5")


def test_a_steps_decimals():
    assert [decimals_of(Decimal(step)) for step in ("0.01", "0.010", "1", "10", "0.5")] == [2, 2, 0, 0, 1]
