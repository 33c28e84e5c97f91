"""Fixtures that many rooms of the tests use."""

from tests.helpers.postgres import place as place
from tests.helpers.postgres import postgres as postgres
