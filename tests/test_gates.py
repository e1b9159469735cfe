"""Each gate holds back what it is for, and says its numbers."""

from dataclasses import replace

import pytest

from model_files import made, write_model
from self_heal_engine.gates import GATES, Evidence, cases_to_time, gates, p95_of_a_heal
from self_heal_engine.params import Gates
from self_heal_engine.ranking import WEIGHTED, load_ranker
from test_dataset import CASE
from workspace import write_pages

ASKED = Gates(natural_loss=0.0, headline_p=0.05, false_heal_budget=0.05, most_ece=0.03, most_p95_ms=100.0)
CASES = [
    replace(CASE, id=f"{kind}-{family}-{at}", pair=f"{family}-{at}", family=f"family{family}", difficulty=kind,
            new_row=None if kind == "deleted" else 4)
    for kind in ("natural", "masked-1", "deleted")
    for family in range(8)
    for at in range(10)
]  # fmt: skip
NATURAL, MASKED, GONE = range(80), range(80, 160), range(160, 240)

# The champion errs in every fourth masked case; nothing else is wrong with it.
CHAMPION = Evidence("the champion", made(CASES, wrong=MASKED[::4]), 20.0)
BETTER = Evidence("the candidate", made(CASES, wrong=MASKED[::20]), 21.0)


def failed(candidate, champion=CHAMPION, asked=ASKED, test=(), gone_prior=None):
    """Return the sentences of the gates that are not passed."""
    found = gates(candidate, champion, asked, test, gone_prior)
    assert tuple(verdict.gate for verdict in found) == GATES
    return {verdict.gate: verdict.sentence for verdict in found if not verdict.passed}


def with_outcomes(**outcomes):
    return replace(BETTER, table=made(CASES, **outcomes))


def test_a_better_candidate_passes_every_gate():
    assert failed(BETTER) == {}


def test_a_candidate_that_is_worse_on_natural_cases_is_held_back_however_good_it_is_elsewhere():
    said = failed(with_outcomes(wrong=NATURAL[::8]))
    assert set(said) == {"natural"}
    assert "0.8750" in said["natural"]
    assert "0 won, 10 lost" in said["natural"]
    assert "n 80" in said["natural"]


def test_the_margin_of_the_natural_gate_is_what_the_bound_may_lose():
    lost = with_outcomes(wrong=[3])
    assert "natural" in failed(lost)
    assert "natural" not in failed(lost, asked=replace(ASKED, natural_loss=0.05))


def test_as_many_won_as_lost_on_natural_cases_is_no_proof_that_it_is_not_worse():
    champion = replace(CHAMPION, table=made(CASES, wrong=[*MASKED[::4], 0, 10, 20, 30]))
    said = failed(with_outcomes(wrong=[40, 50, 60, 70]), champion)
    assert "4 won, 4 lost" in said["natural"]
    assert failed(with_outcomes(wrong=[40, 50, 60, 70]), champion, replace(ASKED, natural_loss=0.1)) == {}


def test_a_candidate_like_the_champion_is_no_worse_and_no_better():
    said = failed(replace(CHAMPION, name="the candidate"))
    assert set(said) == {"headline"}
    assert "p 1.0000, and at most 0.0500 is asked" in said["headline"]


def test_a_gain_in_one_family_alone_may_be_chance():
    one_family = [at for at in MASKED[::4] if CASES[at].family != "family0"]
    assert set(failed(with_outcomes(wrong=one_family))) == {"headline"}


def test_too_many_gone_elements_healed():
    said = failed(with_outcomes(healed_gone=GONE[::10], wrong=MASKED[::20]))
    assert said["false_heals"].startswith("false heals at the shipped threshold 0.1000")
    assert "at most 0.0500" in said["false_heals"]
    assert "false_heals" not in failed(with_outcomes(healed_gone=GONE[::20], wrong=MASKED[::20]))


def test_a_confidence_that_is_not_what_it_says():
    said = failed(with_outcomes(sure=0.9))
    assert set(said) == {"calibration"}
    assert said["calibration"].startswith("ECE 0.0667")


def test_the_calibration_is_judged_at_the_share_of_gone_elements_that_it_assumes():
    heals = {"healed_gone": GONE[::25], "wrong": MASKED[::20]}
    often, rare = (gates(with_outcomes(**heals), CHAMPION, ASKED, (), prior)[5].sentence for prior in (0.9, 0.01))
    assert "ECE 0.045" in often
    assert "ECE 0.000" in rare


def test_a_slow_one_and_one_that_could_not_be_loaded():
    assert "p95 of a heal 100.1 ms" in failed(replace(BETTER, p95_ms=100.1))["time"]
    said = failed(replace(BETTER, p95_ms=None, problem="trained on schema '0'"))
    assert said == {
        "schema": "trained on schema '0'",
        "time": "no heal could be timed: this code cannot load the model",
    }


def test_cases_of_test_families_count_for_nothing():
    wrong_in_tested = [at for at in NATURAL if CASES[at].family == "family3"]
    assert "natural" in failed(with_outcomes(wrong=wrong_in_tested))
    assert failed(with_outcomes(wrong=wrong_in_tested), test=["family3"]) == {}


def test_both_are_compared_on_the_cases_that_both_had_whatever_their_order():
    few = replace(CHAMPION, table=CHAMPION.table[::-1].reset_index(drop=True))
    assert failed(BETTER, few) == {}
    said = failed(BETTER, replace(CHAMPION, table=CHAMPION.table[:100]))
    assert said["same_cases"].startswith("100 of the candidate's 240 cases are the champion's too")
    said = failed(BETTER, replace(CHAMPION, table=CHAMPION.table[:0]))
    assert set(said) == {"same_cases", "natural", "headline"}


def test_where_nothing_is_known_nothing_is_passed():
    empty = replace(BETTER, table=BETTER.table[:0])
    assert {"same_cases", "natural", "headline", "false_heals", "calibration"} <= set(failed(empty))


def test_pages_to_time_are_natural_ones_of_no_test_family_spread_over_all():
    many = [replace(CASE, id=str(at), new_page=f"pages/{at:03}.html", family=f"f{at % 5}") for at in range(100)]
    found = cases_to_time([*many, *many, replace(CASE, difficulty="masked-1", new_page="edited.html")], ["f0"], 10)
    assert len({case.new_page for case in found}) == 10
    assert "f0" not in {case.family for case in found}
    assert found[-1].new_page > "pages/085.html"


def test_a_heal_takes_time_whoever_ranks(tmp_path):
    write_pages(tmp_path)
    cases = [replace(CASE, old_page="pages/shop/1.0/orders.html", new_page="pages/shop/2.0/orders.html")]
    model = load_ranker(write_model(tmp_path / "model.json"))
    times = p95_of_a_heal({"weighted": WEIGHTED, "trained": model}, tmp_path, cases)
    assert set(times) == {"weighted", "trained"}
    assert all(0.1 < taken < 2_000 for taken in times.values())


@pytest.mark.parametrize("gate", ["natural", "headline", "false_heals", "calibration", "time"])
def test_each_sentence_has_the_number_and_what_is_asked(gate):
    (verdict,) = (one for one in gates(BETTER, CHAMPION, ASKED, ()) if one.gate == gate)
    assert "asked" in verdict.sentence
    assert any(letter.isdigit() for letter in verdict.sentence)
