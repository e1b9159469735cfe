"""The sequential test: it may be looked at every day, and its error rate holds; shown by simulation."""

import random
from math import sqrt

import pytest

from self_heal_engine.sequential import block_of, evidence, grown, interval

ALPHA = 0.05


def outcomes(chance, rate, many):
    return [chance.random() < rate for _ in range(many)]


def z_ever_significant(champion, challenger):
    """What people do without a sequential test: a z-test of 95 % after every day of ten outcomes each."""
    for many in range(10, len(champion) + 1, 10):
        ones, others = sum(champion[:many]) / many, sum(challenger[:many]) / many
        common = (ones + others) / 2
        spread = sqrt(2 * common * (1 - common) / many)
        if spread and abs(ones - others) / spread > 1.96:
            return True
    return False


@pytest.mark.parametrize("rate", [0.5, 0.8, 0.97])
def test_with_equal_rates_it_is_wrong_in_at_most_five_of_a_hundred_however_often_one_looks(rate):
    chance, runs, many = random.Random(rate), 600, 400
    wrong = peeking = 0
    for _ in range(runs):
        streams = outcomes(chance, rate, many), outcomes(chance, rate, many)
        wrong += evidence(*streams).p <= ALPHA  # the smallest p of all 400 looks
        peeking += z_ever_significant(*streams)
    assert wrong / runs <= ALPHA
    assert peeking / runs > 2 * ALPHA, "the same looks with a plain test would cheat"


def test_with_a_ninth_of_the_traffic_it_holds_too():
    chance, runs = random.Random(9), 400
    wrong = sum(
        evidence(outcomes(chance, 0.8, 1_800), outcomes(chance, 0.8, 200), share=0.1).p <= ALPHA for _ in range(runs)
    )
    assert wrong / runs <= ALPHA


@pytest.mark.parametrize(("one", "other", "many"), [(0.7, 0.9, 200), (0.9, 0.97, 700)])
def test_a_difference_is_found(one, other, many):
    chance, runs = random.Random(1), 200
    found = sum(evidence(outcomes(chance, one, many), outcomes(chance, other, many)).p <= ALPHA for _ in range(runs))
    assert found / runs > 0.8


def test_the_evidence_does_not_look_ahead():
    chance = random.Random(3)
    ones, others = outcomes(chance, 0.7, 100), outcomes(chance, 0.9, 100)
    whole = list(grown(ones, others, 0.5))
    assert whole[:40] == list(grown(ones[:40], others[:40], 0.5))


def test_nothing_seen_says_nothing():
    assert (evidence([], []).p, evidence([True] * 50, []).p, interval(0, 0)) == (1.0, 1.0, (0.0, 1.0))


def test_extremes_stay_finite_or_say_so():
    found = evidence([True] * 5_000, [False] * 5_000)
    assert found.p < 1e-300 or found.p == 0.0
    assert found.blocks == 5_000


@pytest.mark.parametrize("share", [0.5, 0.1, 0.25, 0.9, 0.001, 0.999, 0.37])
def test_a_block_has_some_of_each(share):
    ones, others = block_of(share)
    assert ones >= 1
    assert others >= 1
    assert ones + others <= 10


@pytest.mark.parametrize("rate", [0.05, 0.5, 0.9])
def test_the_truth_stays_inside_the_interval_at_every_look(rate):
    chance, runs, left = random.Random(rate), 200, 0
    for _ in range(runs):
        right = wrong = 0
        for good in outcomes(chance, rate, 200):
            right, wrong = right + good, wrong + (not good)
            low, high = interval(right, wrong)
            if not low <= rate <= high:
                left += 1
                break
    assert left / runs <= ALPHA


def test_an_interval_narrows_and_keeps_its_rate_inside():
    for many in (10, 100, 1_000):
        low, high = interval(9 * many // 10, many // 10)
        assert low < 0.9 < high
    assert interval(900, 100)[1] - interval(900, 100)[0] < interval(9, 1)[1] - interval(9, 1)[0]
    assert interval(5, 0)[1] == 1.0
    assert interval(0, 5)[0] == 0.0
