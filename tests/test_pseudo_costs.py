"""What an answer is expected to cost: the mean of what it cost before, by the distance to it."""

from __future__ import annotations

import numpy as np
import pytest

from model.node import Answer, Count
from model.pseudo_costs import PseudoCosts

COUNT, OTHER = Count(np.array([0, 1])), Count(np.array([2]))


def test_both_answers_must_have_been_followed_twice():
    costs = PseudoCosts()
    for side in (0, 1, 0):
        costs.learn(Answer(COUNT, side, 0.5, 100.0), 102.0)
        assert costs.rises(COUNT, (0.5, 0.5)) is None
    costs.learn(Answer(COUNT, 1, 0.5, 100.0), 102.0)
    assert costs.rises(COUNT, (0.5, 0.5)) == (pytest.approx(2.0), pytest.approx(2.0))
    assert costs.rises(OTHER, (0.5, 0.5)) is None


def test_a_rise_grows_with_the_distance_and_is_the_mean():
    costs = PseudoCosts()
    for rise, distance in ((1.0, 0.25), (3.0, 0.25)):
        costs.learn(Answer(COUNT, 0, distance, 100.0), 100.0 + rise)
        costs.learn(Answer(COUNT, 1, distance, 100.0), 99.0)
    assert costs.rises(COUNT, (0.5, 0.5)) == (pytest.approx(4.0), 0.0), "a bound never falls"


def test_a_copy_goes_its_own_way():
    costs = PseudoCosts()
    for side in (0, 1, 0, 1):
        costs.learn(Answer(COUNT, side, 1.0, 0.0), 1.0)
    copy = costs.copy()
    copy.learn(Answer(COUNT, 0, 1.0, 0.0), 7.0)
    assert costs.rises(COUNT, (1.0, 1.0)) == (1.0, 1.0)
    assert copy.rises(COUNT, (1.0, 1.0)) == (3.0, 1.0)
