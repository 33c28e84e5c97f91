"""Fixtures that many rooms of the tests use."""

from tests.helpers.postgres import own_postgres as own_postgres
from tests.helpers.postgres import place as place
from tests.helpers.postgres import postgres as postgres
