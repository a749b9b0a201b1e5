import math

import numpy as np
import pytest
from scipy import stats

from lemnis.engine.monitor.statistics import auc_standard_error


def test_the_error_of_an_auc_shrinks_with_rows_and_needs_both_classes() -> None:
    assert auc_standard_error(0.75, 1_000, 1_000) < auc_standard_error(0.75, 100, 100) < 0.04
    assert math.isnan(auc_standard_error(0.75, 0, 100))
    generator = np.random.default_rng(3)
    drawn = [
        stats.mannwhitneyu(generator.normal(1, 1, 80), generator.normal(0, 1, 120)).statistic / (80 * 120)
        for _ in range(400)
    ]
    assert auc_standard_error(float(np.mean(drawn)), 80, 120) == pytest.approx(float(np.std(drawn)), rel=0.15)
