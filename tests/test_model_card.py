"""The card says what a person must know before a model serves them, and the same facts give the same text."""

import copy

from self_heal_engine.model_card import model_card


def number(value, n=900):
    return {"value": value, "low": value - 0.01, "high": value + 0.01, "n": n}


FACTS = {
    "sha256": "ab12" * 16,
    "commit": "0123abc",
    "attributes": {
        "name": "ranker",
        "schema": 3,
        "features": ["a", "b", "c"],
        "decision": {"threshold": 0.62, "budget": 0.05, "gone_prior": 0.25, "trees": '{"learner": 1}'},
        "provenance": {"data_sha256": "cafe", "params": {"max_depth": 6, "eta": 0.08}},
    },
    "metrics": {
        "cases": {"n": 5_100, "gone": 1_200, "pairs": 700, "families": ["django", "moin"]},
        "goals": {
            "masked-1": {"bound": 0.97, "ours": number(0.981), "reached": True},
            "false_heals": {"bound": 0.05, "ours": number(0.071, 1_200), "reached": False},
        },
        "rankers": {"ours": {"headline": number(0.96, 5_000), "at_threshold": {"false_heals": number(0.04, 1_200)}}},
    },
    "verdicts": [("natural", True, "no worse"), ("headline", False, "p 0.4, and at most 0.05 is asked")],
    "overrides": {"headline": "the champion\nis broken | see issue 9"},
}


def with_metrics(metrics):
    return {**FACTS, "metrics": metrics}


def test_the_card_has_every_section_with_its_numbers():
    card = model_card(FACTS)
    assert card.startswith("# Model card: ranker-ab12ab12\n\nGradient-boosted trees (XGBoost) over 3 features")
    for section in ("Intended use", "Data", "Limits", "Gates of promotion", "Provenance"):
        assert f"\n## {section}\n" in card
    assert "| ids, names, hrefs masked | at least 0.97 | 0.981 | 0.971 to 0.991 | 900 | yes |" in card
    assert "| at most 0.05 | 0.071 | 0.061 to 0.081 | 1,200 | no |" in card
    assert "| at threshold, false heals | 0.04 | 0.03 to 0.05 | 1,200 |" in card
    assert "5,100 cases of 700 pairs" in card
    assert "from the families django, moin" in card
    assert "assumes that 0.25 of the wanted elements are gone" in card


def test_the_card_says_where_the_model_came_from():
    card = model_card(FACTS)
    for line in (f"| content (SHA-256 of the file) | `{'ab12' * 16}` |", "| schema of the features | `3` |",
                 "| data_sha256 | `cafe` |", "| commit at promotion | `0123abc` |", "| params/max_depth | `6` |",
                 "| decision/threshold | `0.62` |"):  # fmt: skip
        assert line in card
    assert "learner" not in card, "the trees of the decision are no parameter"


def test_an_override_is_on_record_in_one_line():
    card = model_card(FACTS)
    assert "| natural | passed | no worse |" in card
    assert "| headline | overridden | p 0.4" in card
    assert "- The gate `headline` was overridden: the champion is broken \\| see issue 9\n" in card
    assert "overridden" not in model_card({**FACTS, "overrides": {}})


def test_without_an_evaluation_or_provenance_the_card_says_so():
    card = model_card({**FACTS, "attributes": {}, "metrics": {}})
    assert card.count("No evaluation was at hand") == 2
    assert "| schema of the features | `unknown` |" in card
    assert "None" not in card


def test_metrics_of_another_shape_do_no_harm():
    for metrics in (
        {"goals": []},
        {"rankers": {"ours": 3}},
        {"cases": {"n": 3}},
        {"goals": {"natural": {"ours": None}}},
    ):
        assert model_card(with_metrics(metrics)).endswith("|\n")


def test_the_order_of_the_facts_changes_nothing():
    other = copy.deepcopy(FACTS)
    other["attributes"]["provenance"] = dict(reversed(FACTS["attributes"]["provenance"].items()))
    other["metrics"] = dict(reversed(FACTS["metrics"].items()))
    assert model_card(other) == model_card(FACTS)
