"""Figures over outcome tables: what they count, how wide they are, and what a pair of rankers differs by."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from self_heal_engine.metrics import (
    MOST_RATIO,
    bin_of,
    brier,
    calibration_error,
    compare,
    decisions,
    false_heals_at_recall,
    headline,
    hit_at,
    mean_reciprocal_rank,
    recall_curve,
    reliability,
    threshold_at_recall,
    wilson,
)


def outcome(place=1, *, family="shops", difficulty="natural", gone=False, confidence=0.9, healed=True, **other):
    return {
        "family": family, "difficulty": difficulty, "gone": gone, "place": 0 if gone else place,
        "confidence": confidence, "healed": healed, **other,
    }  # fmt: skip


def table(*rows):
    found = pd.DataFrame([{"id": f"c{number}", "pair": f"p{number}", **row} for number, row in enumerate(rows)])
    return found.astype({"gone": bool, "healed": bool})


GONE = outcome(gone=True)


# -- intervals -----------------------------------------------------------------------------------------------------


def test_wilson_is_the_interval_of_the_textbook():
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.integers(0, 500), st.integers(1, 500))
def test_wilson_holds_the_rate(happened, more):
    n = happened + more
    low, high = wilson(happened, n)
    assert 0 <= low <= happened / n <= high <= 1


def test_cases_of_one_family_are_no_independent_evidence():
    alike = table(*[outcome(1, family="a")] * 100, *[outcome(2, family="b")] * 100)
    mixed = table(*[outcome(place, family=family) for family in "ab" for place in (1, 2)] * 50)
    assert hit_at(alike, 1)["value"] == hit_at(mixed, 1)["value"] == 0.5
    assert (hit_at(alike, 1)["low"], hit_at(alike, 1)["high"]) == (0.0, 1.0)
    assert 0.4 < hit_at(mixed, 1)["low"] < hit_at(mixed, 1)["high"] < 0.6


def test_within_one_family_pairs_are_drawn():
    apart = table(*[outcome(1 + number % 2) for number in range(200)])
    few = apart.assign(pair=[f"p{number % 4}" for number in range(200)])  # four elements, two of them always right
    assert hit_at(apart, 1)["high"] < 0.6
    assert hit_at(few, 1)["high"] == 1.0


def test_where_all_families_do_as_well_the_interval_is_wilsons():
    found = hit_at(table(*[outcome(1, family=family) for family in "abcde"]), 1)
    assert (found["value"], found["n"]) == (1.0, 5)
    assert found["low"] == pytest.approx(wilson(5, 5)[0])


def test_the_same_table_gives_the_same_figures_to_the_bit():
    cases = table(*[outcome(1 + n % 3, family="abc"[n % 3], confidence=n / 60) for n in range(50)], GONE, GONE)
    for measure in (headline, false_heals_at_recall, calibration_error, brier, mean_reciprocal_rank):
        assert measure(cases) == measure(cases.copy())


def test_of_no_cases_there_is_no_figure():
    nothing, gone = table(outcome()).iloc[:0], table(GONE, GONE)
    for measure in (headline, mean_reciprocal_rank, false_heals_at_recall):
        assert measure(nothing) is None
        assert measure(gone) is None
    assert hit_at(gone, 1) is None
    assert calibration_error(nothing) is None
    assert reliability(nothing) == []
    assert compare(gone, gone)["n"] == 0


# -- ranking -------------------------------------------------------------------------------------------------------


def test_hits_are_counted_among_the_cases_that_have_an_answer():
    cases = table(outcome(1), outcome(3), outcome(6), outcome(0), GONE, GONE)
    assert [hit_at(cases, many)["value"] for many in (1, 5, 10)] == [0.25, 0.5, 0.75]
    assert hit_at(cases, 1)["n"] == 4
    assert mean_reciprocal_rank(cases)["value"] == pytest.approx((1 + 1 / 3 + 1 / 6 + 0) / 4)


def test_every_cell_of_family_and_difficulty_counts_the_same_in_the_headline():
    cases = table(
        *[outcome(1, family="large")] * 98,
        outcome(2, family="large", difficulty="masked-1"),
        outcome(2, family="small"),
        outcome(1, family="small", difficulty="masked-1"),
        GONE,
    )
    assert headline(cases)["value"] == pytest.approx(0.5)
    assert hit_at(cases, 1)["value"] > 0.97
    assert headline(cases)["n"] == 101


# -- the decision --------------------------------------------------------------------------------------------------


def right_heals(many=20):
    return [outcome(1, confidence=0.5 + number / 100) for number in range(many)]


def test_the_threshold_keeps_19_of_20_right_heals():
    assert threshold_at_recall(table(*right_heals())) == pytest.approx(0.51)
    gone = [outcome(gone=True, confidence=sure) for sure in (0.505, 0.51, 0.7, 0.2)]
    found = false_heals_at_recall(table(*right_heals(), *gone))
    assert (found["value"], found["n"]) == (0.5, 4)
    assert found["low"] < 0.5 < found["high"]


def test_wrong_heals_and_the_hardest_cases_do_not_set_the_threshold():
    out_of_scope = [
        outcome(2, confidence=0.01),
        *(outcome(1, difficulty=name, confidence=0.01) for name in ("masked-3", "mutated-3", "mutated-4")),
    ]
    assert threshold_at_recall(table(*right_heals(), *out_of_scope)) == pytest.approx(0.51)
    assert threshold_at_recall(table(*right_heals(), outcome(1, confidence=0.01), outcome(1, confidence=0.02))) < 0.51


def test_the_interval_of_false_heals_knows_that_the_threshold_is_found():
    sure = [outcome(1, family="a", confidence=0.9)] * 40 + [outcome(gone=True, family="a", confidence=0.6)] * 40
    unsure = [outcome(1, family="b", confidence=0.5)] * 40 + [outcome(gone=True, family="b", confidence=0.2)] * 40
    found = false_heals_at_recall(table(*sure, *unsure))
    assert found["value"] == 0.5  # at 0.5, for the sake of family b
    assert (found["low"], found["high"]) == (0.0, pytest.approx(wilson(40, 80)[1]))


def test_the_curve_ends_where_everything_is_healed():
    kept, healed = recall_curve(table(*right_heals(10), *[outcome(gone=True, confidence=sure) for sure in (0.1, 0.55)]))
    assert (kept[-1], healed[-1]) == (1.0, 1.0)
    assert (np.diff(kept) >= 0).all()
    assert (np.diff(healed) >= 0).all()
    assert healed[np.flatnonzero(kept >= 0.5)[0]] == 0.5


def test_what_comes_of_the_own_threshold():
    cases = table(
        outcome(1), outcome(1), outcome(2), outcome(1, healed=False), outcome(3, healed=False),
        GONE, outcome(gone=True, healed=False), outcome(gone=True, healed=False), outcome(gone=True, healed=False),
    )  # fmt: skip
    found = {name: (figure["value"], figure["n"]) for name, figure in decisions(cases).items()}
    assert found == {
        "false_heals": (0.25, 4), "wrong_heals": (0.2, 5), "abstentions": (0.4, 5), "right_heals": (0.4, 5),
    }  # fmt: skip


# -- calibration ---------------------------------------------------------------------------------------------------


def test_the_calibration_error_is_how_far_confidence_is_off():
    six_in_ten = [outcome(1, confidence=0.8)] * 6 + [outcome(2, confidence=0.8)] * 4
    assert calibration_error(table(*six_in_ten))["value"] == pytest.approx(0.2)
    honest = [outcome(1, confidence=1.0)] * 50 + [outcome(2, confidence=0.0)] * 50
    assert calibration_error(table(*honest))["value"] == 0.0
    assert calibration_error(table(*[outcome(2, confidence=1.0)] * 9))["value"] == 1.0


def test_errors_in_opposite_directions_do_not_cancel_out():
    shy, bold = [outcome(1, confidence=0.2)] * 50, [outcome(2, confidence=0.8)] * 50
    assert calibration_error(table(*shy, *bold))["value"] == pytest.approx(0.8)


def test_a_confident_heal_of_a_gone_element_is_an_error_of_calibration():
    assert (
        calibration_error(table(*[outcome(1, confidence=1.0)] * 3, outcome(gone=True, confidence=1.0)))["value"] == 0.25
    )


def test_gone_elements_count_as_much_as_the_prior_says():
    cases = table(*[outcome(1, confidence=0.9)] * 10, *[outcome(gone=True, confidence=0.9)] * 10)
    assert brier(cases)["value"] == pytest.approx(0.5 * 0.01 + 0.5 * 0.81)
    assert brier(cases, gone_prior=0.05)["value"] == pytest.approx(0.95 * 0.01 + 0.05 * 0.81)
    assert calibration_error(cases, gone_prior=0.1)["value"] == pytest.approx(0.0)
    assert reliability(cases, gone_prior=0.05)[0]["right"]["value"] == pytest.approx(0.95)


def test_bins_have_as_many_cases_each_and_equal_confidences_share_one():
    sizes = np.bincount(bin_of(np.linspace(0, 1, 200)))
    assert len(sizes) == 10
    assert max(sizes) - min(sizes) <= 2
    tied = bin_of(np.array([0.1] * 30 + [0.7] * 5 + [1.0] * 65))
    assert [len(set(tied[part])) for part in (slice(0, 30), slice(30, 35), slice(35, 100))] == [1, 1, 1]
    assert tied[-1] != tied[34], "where most are sure, the others do not water them down"
    bins = reliability(table(*[outcome(1 + (n % 10 > 6), confidence=n / 100) for n in range(100)]))
    assert len(bins) == 10
    assert sum(each["right"]["n"] for each in bins) == 100
    assert [each["confidence"] for each in bins] == sorted(each["confidence"] for each in bins)


# -- two rankers ---------------------------------------------------------------------------------------------------


def beside(places, others, **facts):
    return table(*(outcome(place, **facts) for place in places)), table(*(outcome(place, **facts) for place in others))


def test_wins_ties_losses_and_mcnemar():
    found = compare(*beside([1] * 5 + [1, 2, 1, 0], [2] * 5 + [1, 2, 1, 3]))
    assert (found["win"], found["tie"], found["loss"], found["n"]) == (5, 4, 0, 9)
    assert found["mcnemar_p"] == pytest.approx(2 * 0.5**5)
    assert found["difference"]["value"] == pytest.approx(5 / 9)
    back = compare(*reversed(beside([1] * 5 + [1, 2, 1, 0], [2] * 5 + [1, 2, 1, 3])))
    assert (back["win"], back["loss"], back["difference"]["value"]) == (0, 5, pytest.approx(-5 / 9))


def test_gone_elements_are_neither_won_nor_lost():
    ours = table(outcome(1), GONE, GONE)
    assert compare(ours, table(outcome(2), GONE, GONE))["n"] == 1


def test_a_ranker_is_as_good_as_itself():
    cases = table(*[outcome(1 + n % 2, family="abc"[n % 3]) for n in range(30)])
    found = compare(cases, cases)
    assert found["difference"] == {"value": 0.0, "low": 0.0, "high": 0.0, "n": 30}
    assert (found["mcnemar_p"], found["headline_p"]) == (1.0, 1.0)
    assert (found["error_ratio"]["low"], found["error_ratio"]["value"], found["error_ratio"]["high"]) == (1.0, 1.0, 1.0)


def test_half_the_errors_in_every_family_is_half_for_sure():
    ours, theirs = (
        table(*[outcome(2 if n % 10 < wrong else 1, family="abcd"[n // 10]) for n in range(40)]) for wrong in (2, 4)
    )
    found = compare(ours, theirs)
    for end in ("low", "value", "high"):
        assert found["error_ratio"][end] == pytest.approx(0.5)
        assert found["headline_difference"][end] == pytest.approx(0.2)
    assert found["headline_p"] == pytest.approx(1 / 2001)


def test_a_gain_in_one_family_and_a_loss_in_another_prove_nothing():
    families = [family for family in "abcd" for _ in range(25)]
    ours = table(*(outcome(1 if family in "abc" else 2, family=family) for family in families))
    theirs = table(*(outcome(1 if family == "d" else 2, family=family) for family in families))
    found = compare(ours, theirs)
    assert found["mcnemar_p"] < 1e-6, "cases alone would prove it"
    assert found["headline_p"] > 0.05
    assert found["difference"]["low"] <= 0 < found["difference"]["high"]


def test_the_one_sided_bound_lies_between_the_low_end_and_the_value():
    families = [f"f{number // 20:02}" for number in range(240)]
    ours = table(*(outcome(1 if n % 7 else 2, family=family) for n, family in enumerate(families)))
    theirs = table(*(outcome(1 if n % 20 > n // 20 else 2, family=family) for n, family in enumerate(families)))
    found = compare(ours, theirs)
    for what in ("difference", "headline_difference"):
        assert found[what]["low"] < found[f"{what}_at_least"] < found[what]["value"]


def test_where_the_other_makes_no_error_there_is_no_ratio_and_never_an_infinite_one():
    assert compare(*beside([2, 1], [1, 1]))["error_ratio"] is None
    ours = table(outcome(2, family="a"), outcome(2, family="b"))
    theirs = table(outcome(2, family="a"), outcome(1, family="b"))
    found = compare(ours, theirs)["error_ratio"]
    assert (found["value"], found["high"]) == (2.0, MOST_RATIO)
    assert all(math.isfinite(each) for each in found.values())


def test_rankers_are_compared_on_the_same_cases_only():
    ours, theirs = beside([1, 2], [1, 2])
    with pytest.raises(ValueError, match="same cases"):
        compare(ours, theirs.iloc[::-1])
