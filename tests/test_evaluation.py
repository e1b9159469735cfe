"""The evaluation: goals, figures beside the published rankers, the report and its plots."""

import json
import math

import numpy as np
import pytest

from self_heal_engine.evaluation import draw, evaluate
from self_heal_engine.evaluation_report import report
from self_heal_engine.figures import COLOURS, MARKS
from self_heal_engine.goals import GOALS
from test_metrics import outcome, table

FAMILIES = ("alder", "birch", "cedar")
PER_CELL = 20
OURS = "models/candidate.json"


def cases(wrong, gone_confidence=0.1, **changes):
    """Return outcomes in every family and difficulty, so many of 20 wrong in each cell; half with full knowledge."""
    rows = []
    for family in FAMILIES:
        for difficulty in ("natural", "masked-1", "masked-2", "masked-3", "mutated-1", "mutated-2", "mutated-3"):
            rows += [
                outcome(
                    2 if number < wrong else 1,
                    family=family,
                    difficulty=difficulty,
                    knowledge=("fingerprint", "baseline", "text", "locator")[number % 4],
                    confidence=0.3 if number < wrong else 0.95,
                )
                for number in range(PER_CELL)
            ]
        rows += [
            outcome(
                gone=True,
                family=family,
                difficulty="deleted",
                knowledge="baseline",
                confidence=gone_confidence,
                healed=False,
            )
        ] * PER_CELL
    places = range(len(rows))
    facts = [
        {
            "pair": f"p{at // 2}",
            "source": f"{row['family']}-{at % 2}",
            "locator_type": ("css", "xpath", "text")[at % 3],
            **row,
        }
        for at, row in zip(places, rows, strict=True)
    ]
    return table(*facts).assign(**changes)


AUDITED = set(cases(0)["pair"])


@pytest.fixture(scope="module")
def tables():
    return {OURS: cases(1), "similo": cases(5, 0.5), "similo++": cases(4, 0.5), "models/baseline.json": cases(2)}


@pytest.fixture(scope="module")
def facts(tables):
    return evaluate(tables, OURS, cases(2), AUDITED, gone_prior=0.05, lost={"other": 21})


def figures(value, path=()):
    """Yield every figure of nested metrics with where it stands."""
    if isinstance(value, dict) and "value" in value:
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from figures(inner, (*path, key))


def test_every_figure_has_an_interval_around_it_and_a_number_of_cases(facts):
    found = list(figures(facts))
    assert len(found) > 100
    for path, figure in found:
        assert set(figure) == {"value", "low", "high", "n"}, path
        assert figure["low"] <= figure["value"] <= figure["high"], path
        assert figure["n"] > 0, path
        assert all(round(end, 4) == end for end in figure.values()), path


def test_metrics_are_plain_json_and_the_same_each_time(tables, facts):
    text = json.dumps(facts, allow_nan=False, sort_keys=True)
    again = evaluate({name: each.copy() for name, each in tables.items()}, OURS, cases(2), AUDITED, 0.05, {"other": 21})
    assert json.dumps(again, allow_nan=False, sort_keys=True) == text


def test_a_model_file_that_moves_makes_no_new_figures(tables, facts):
    moved = {("elsewhere.json" if name == OURS else name): each for name, each in tables.items()}
    assert evaluate(moved, "elsewhere.json", cases(2), AUDITED, 0.05, {"other": 21}) == facts


def test_the_best_baseline_is_a_published_ranker(facts):
    assert facts["best_baseline"] == "similo++"
    assert set(facts["against"]) == {"similo", "similo++", "models/baseline.json"}
    assert facts["against"]["similo++"]["win"] == 3 * 3 * 7
    assert facts["against"]["similo++"]["loss"] == 0
    assert facts["rankers"]["similo++"]["hit_at_1"]["value"] == 0.8


# -- goals ---------------------------------------------------------------------------------------------------------


def test_goals_on_masked_and_mutated_cases_are_about_full_knowledge(tables):
    mine = tables[OURS].copy()
    poor = ~mine["knowledge"].isin(["baseline", "fingerprint"])
    mine.loc[poor & ~mine["gone"], "place"] = 2
    mine.loc[~poor & ~mine["gone"], "place"] = 1
    goal = evaluate({OURS: mine}, OURS)["goals"]["masked-1"]
    assert (goal["ours"]["value"], goal["ours"]["n"]) == (1.0, 3 * PER_CELL // 2)
    assert goal["all_knowledge"]["value"] == 0.5
    assert goal["reached"]


def test_the_goal_on_natural_cases_is_about_audited_pairs(tables):
    mine, audited = tables[OURS].copy(), {"p0", "p1"}
    mine.loc[~mine["gone"], "place"] = np.where(mine["pair"].isin(audited), 1, 2)[~mine["gone"]]
    goal = evaluate({OURS: mine}, OURS, audited=audited)["goals"]["natural"]
    assert (goal["ours"]["value"], goal["ours"]["n"]) == (1.0, 2)
    assert "natural" not in evaluate({OURS: mine}, OURS)["goals"], "of no audited cases there is no figure"


def test_natural_cases_must_not_be_below_the_best_baseline():
    many = 400
    facts = {"family": "alder", "knowledge": "baseline", "source": "s", "locator_type": "css"}
    one_lost = table(*(outcome(2 if n == 0 else 1, **facts) for n in range(many)))
    none_lost = table(*(outcome(1, **facts) for _ in range(many)))
    goals = [
        evaluate({OURS: one_lost, **others}, OURS, audited=set(one_lost["pair"]))["goals"]["natural"]
        for others in ({}, {"similo": none_lost})
    ]
    assert [goal["ours"]["value"] >= goal["bound"] for goal in goals] == [True, True]
    assert [goal["reached"] for goal in goals] == [True, False]


def test_text_only_cases_are_a_goal_of_their_own(tables):
    mine = tables[OURS].copy()
    mine.loc[(mine["knowledge"] == "text") & ~mine["gone"], "place"] = 3
    goal = evaluate({OURS: mine}, OURS)["goals"]["text"]
    assert (goal["ours"]["value"], goal["ours"]["n"], goal["reached"]) == (0.0, 3 * PER_CELL // 4, False)


def test_half_the_errors_of_the_best_baseline_is_the_goal(facts, tables):
    goal = facts["goals"]["errors"]
    assert (goal["ours"]["value"], goal["reached"], goal["baseline_name"]) == (0.25, True, "similo++")
    worse = evaluate({**tables, OURS: cases(3)}, OURS)["goals"]["errors"]
    assert (worse["ours"]["value"], worse["reached"]) == (0.75, False)


def test_few_errors_by_chance_reach_no_goal():
    ours, theirs = cases(0), cases(0)
    for mine, many, family in ((ours, 3, "alder"), (theirs, 10, "birch"), (theirs, 1, "cedar")):
        rows = mine.index[(mine["family"] == family) & (mine["difficulty"] == "natural")][:many]
        mine.loc[rows, "place"] = 2
    goal = evaluate({OURS: ours, "similo": theirs}, OURS)["goals"]["errors"]
    assert goal["ours"]["value"] < 0.5
    assert goal["ours"]["high"] > 1
    assert not goal["reached"]


def test_false_heals_and_calibration_are_reached_from_below(facts, tables):
    assert facts["goals"]["false_heals"]["ours"]["value"] == 0.0
    assert facts["goals"]["false_heals"]["reached"]
    bold = {**tables, OURS: cases(1, gone_confidence=0.99)}
    goals = evaluate(bold, OURS)["goals"]
    assert (goals["false_heals"]["ours"]["value"], goals["false_heals"]["reached"]) == (1.0, False)
    assert not goals["calibration"]["reached"]


# -- the report ----------------------------------------------------------------------------------------------------


def test_the_report_begins_with_every_goal_beside_what_is_reached(facts):
    text = report(json.loads(json.dumps(facts, sort_keys=True)))
    assert text == report(facts)
    before, _, after = text.partition("## Ranking")
    for goal in GOALS.values():
        (line,) = [line for line in before.splitlines() if line.startswith(f"| {goal.title} |")]
        assert "reached" in line or "missed by" in line
        assert "[" in line
    assert "| similo++ | 80.0 % [" in after
    assert "families alder, birch, cedar" in before


def test_the_report_says_by_how_much_a_goal_is_missed(facts):
    (line,) = [line for line in report(facts).splitlines() if line.startswith("| also aria")]
    assert "| ≥ 95 % | 90.0 % [" in line
    assert "missed by 5.0 points" in line


def test_the_report_shows_every_group_beside_the_best_baseline(facts):
    text = report(facts)
    for name, rate in {"masked-3": 95, "fingerprint": 80, "cedar": 95, "cedar-1": 100, "xpath": 95}.items():
        assert any(line.startswith(f"| {name} | {rate}.0 % [") and "similo" in line for line in text.splitlines()), name
    rows = [line.split(" | ")[0] for line in text.splitlines()]
    assert rows.index("| natural") < rows.index("| masked-1") < rows.index("| mutated-3"), "not by the alphabet"
    for what in ("Every family left out once", "models/baseline.json", "| other | 21 |", "McNemar", "ECE", "Brier"):
        assert what in text


def test_groups_without_an_answer_have_no_row(facts):
    assert "deleted" not in facts["by"]["difficulty"]
    assert "nan" not in report(facts)


def test_a_report_needs_neither_baselines_nor_left_out_families():
    text = report(evaluate({OURS: cases(1)}, OURS))
    assert "left out" not in text
    assert "Case by case" not in text


# -- plots ---------------------------------------------------------------------------------------------------------


def test_the_same_tables_give_the_same_pictures(tables, facts, tmp_path):
    for folder in ("one", "other"):
        draw(tables, OURS, facts, tmp_path / folder)
    drawn = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert drawn == ["difficulty.svg", "false-heals.svg", "families.svg", "reliability.svg"]
    for name in drawn:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


def test_nine_rankers_look_different():
    assert len({(colour, MARKS[turn % len(MARKS)]) for turn, colour in enumerate(COLOURS)}) == len(set(COLOURS)) == 9
    assert len(set(MARKS)) == 8
    light = [math.fsum(int(colour[at : at + 2], 16) for at in (1, 3, 5)) / 3 for colour in COLOURS]
    assert max(light) < 190, "legible on white"
