import numpy as np
import pytest

from zero_shot_emotion.association import by_chance, cramers_v, cross_table


def test_the_table_counts_pairs():
    assert cross_table(np.array([0, 2, 2, 1]), np.array([1, 0, 0, 1])).tolist() == [[0, 1], [0, 1], [2, 0]]


def test_cramers_v_is_that_of_the_definition():
    table = np.random.default_rng(0).integers(1, 30, (7, 4))
    expected = np.outer(table.sum(1), table.sum(0)) / table.sum()
    chi2 = ((table - expected) ** 2 / expected).sum()
    assert cramers_v(table) == pytest.approx(np.sqrt(chi2 / table.sum() / 3), rel=1e-12)


def test_chance_makes_of_independent_categories_what_the_chi_square_distribution_says():
    rows, columns = np.random.default_rng(1).integers(0, (6, 4), (400, 2)).T
    v = cramers_v(cross_table(rows, columns))
    found = by_chance(v, rows, columns, 2000, seed=0)
    from scipy.stats import chi, chi2

    freedom, scale = 5 * 3, 400 * 3
    assert found.mean == pytest.approx(chi.mean(freedom) / np.sqrt(scale), rel=0.03)
    assert found.p == pytest.approx(chi2.sf(v**2 * scale, freedom), abs=0.05)
    assert by_chance(v, rows, columns, 2000, seed=0) == found


def test_what_is_told_wholly_is_not_reached_by_chance():
    rows = np.repeat(np.arange(5), 20)
    assert by_chance(1.0, rows, rows % 3, 99, seed=0).p == pytest.approx(0.01)
    nothing = np.tile(np.arange(2), 50)
    assert by_chance(0.0, rows, nothing, 99, seed=0).p == 1
