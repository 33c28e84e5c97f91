"""Fixtures that many rooms of the tests use."""

from collections.abc import Iterator
from decimal import DefaultContext, localcontext

import pytest

from tests.helpers.postgres import place as place
from tests.helpers.postgres import postgres as postgres


@pytest.fixture(autouse=True)
def _rounding_as_python_has_it() -> Iterator[None]:
    """ccxt changes how its thread rounds, and in tests of the local exchanges that thread is everybody's."""
    with localcontext(DefaultContext):
        yield
