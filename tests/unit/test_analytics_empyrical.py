"""The ratios against those of a library that others rely on, where it is installed."""

import numpy as np
import pytest

from exengine.analytics import ratios

empyrical = pytest.importorskip("empyrical", reason="empyrical-reloaded is not installed")


@pytest.fixture(params=range(5))
def returns(request: pytest.FixtureRequest) -> np.ndarray:
    """Two months of daily returns, with days on which nothing closed."""
    chance = np.random.default_rng(request.param)
    found = chance.normal(0.002, 0.011, 61)
    found[chance.random(61) < 0.3] = 0.0
    return found


def test_sharpe_is_the_librarys(returns: np.ndarray) -> None:
    assert ratios.sharpe(returns) == pytest.approx(empyrical.sharpe_ratio(returns, annualization=365))


def test_sortino_is_the_librarys(returns: np.ndarray) -> None:
    assert ratios.sortino(returns) == pytest.approx(empyrical.sortino_ratio(returns, annualization=365))


def test_the_largest_drawdown_is_the_librarys(returns: np.ndarray) -> None:
    totals = 10_000 * np.concatenate(([1.0], np.cumprod(1 + returns)))
    falls = ratios.falls(totals)
    assert falls is not None
    assert -falls.max() / 100 == pytest.approx(empyrical.max_drawdown(returns))
