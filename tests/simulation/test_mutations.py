"""Each planted bug is found within a few hundred lives: the simulation looks where such bugs are."""

import pytest

from tests.simulation.life import lived
from tests.simulation.mutations import MUTATIONS, Planted
from tests.simulation.plan import plan_of

ENOUGH = 600


@pytest.mark.timeout(600)
@pytest.mark.parametrize("planted", MUTATIONS, ids=lambda planted: planted.__name__)
def test_a_planted_bug_is_found(planted: Planted):
    with planted():
        assert any(lived(plan_of(seed)).violations for seed in range(ENOUGH))
