"""What the data holds, and that no page stands on two sides of the split."""

from dataclasses import replace

import numpy as np
import pytest

from self_heal_engine.errors import CannotHeal
from self_heal_engine.near_identical import closest, page_signature
from self_heal_engine.overview import closest_across_sides, plot, summary, table
from self_heal_engine.pairs import Judgement, Pair
from self_heal_engine.params import Split
from self_heal_engine.parser import read_page
from test_dataset import CASE
from workspace import OLD, write_release

PAIR = Pair("p", "shop", "shops", "1.0", "2.0", "cart", "button", "Save", 3, 4, "/html/a", "/html/b", "A2", ("id",))
PAIRS = [PAIR, replace(PAIR, id="q", source="site", family="sites"), replace(PAIR, id="r", new_row=None, rule="R0")]
CASES = [
    *[replace(CASE, id=f"a{number}", locator_type="css", form="css_path") for number in range(6)],
    replace(CASE, id="b", source="site", family="sites", difficulty="mutated-1", operators=("moved",)),
    replace(CASE, id="c", difficulty="deleted", new_row=None),
    replace(CASE, id="e", source="third", family="others"),
    replace(CASE, id="d", rule="confirmed", source="intranet", family="intranet", weight=2.0),
]
SPLIT = Split(test=("shops",), validation="others")
VERDICTS = [Judgement("p", "right", "A2", "natural", "me"), Judgement("q", "wrong", "A2", "natural", "me")]


@pytest.fixture
def facts():
    found = summary(PAIRS, CASES, VERDICTS, SPLIT)
    return found | {"pages": 4, "closest_across_sides": {"likeness": 0.1, "pages": ["a", "b"]}}


def test_the_numbers(facts):
    assert (facts["pairs"], facts["removed"], facts["cases"], facts["confirmed"]) == (2, 1, 9, 1)
    assert (facts["sources"], facts["families"], facts["gone_share"]) == (3, 3, 0.1111)
    assert facts["by_split"] == {"test": 7, "train": 1, "validation": 1}
    assert facts["by_kind"] == {"css": 6, "id": 3}
    assert facts["by_operator"] == {"moved": 1}
    assert facts["by_source"]["site"] == {"family": "sites", "split": "train", "pairs": 1, "cases": 1}
    assert facts["largest_training_share"] == {"site": 1.0}
    assert facts["audited"] == {"A2": {"right": 1, "wrong": 1}}
    assert facts["families_by_split"] == {"train": ["sites"], "validation": ["others"], "test": ["shops"]}


def test_the_same_numbers_give_the_same_table_and_pictures(facts, tmp_path):
    for folder in ("one", "other"):
        plot(facts, tmp_path / folder)
    for name in ("cases.svg", "sources.svg"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()
    assert "| site | sites | train | 1 | 1 |" in table(facts)
    assert "| A2 | 2 | 2 | 1 | 1 | 0 |" in table(facts)


def test_a_page_that_stands_on_two_sides_fails_the_stage(tmp_path):
    long = OLD.replace("</main>", "".join(f"<p>Order <b>{number}</b></p>" for number in range(50)) + "</main>")
    write_release(tmp_path, "1.0", long, source="shops")
    write_release(tmp_path, "1.0", long.replace("Your orders", "My orders"), source="copy-of-shops")
    with pytest.raises(CannotHeal, match="bad_split") as refusal:
        closest_across_sides(tmp_path, SPLIT)
    assert "copy-of-shops/1.0/orders.html" in refusal.value.sentence


def test_pages_of_one_family_may_be_alike_and_others_may_differ(tmp_path):
    write_release(tmp_path, "1.0", OLD, source="shops")
    write_release(tmp_path, "2.0", OLD, source="shops")
    write_release(tmp_path, "1.0", "<main>" + "<p>Quite <b>another</b> page</p>" * 9, source="site")
    found = closest_across_sides(tmp_path, SPLIT)
    assert found["pages"] == 3
    assert found["closest_across_sides"]["likeness"] < 0.3


def test_likeness_estimates_the_jaccard_index():
    lines = [f"<p>line {number}</p>" for number in range(300)]
    whole, half = (page_signature(read_page("".join(part))) for part in (lines, lines[:150]))
    likeness, _, _ = closest(np.array([whole]), np.array([half]))
    assert 0.35 < likeness < 0.65
    assert closest(np.array([whole]), np.array([half, whole])) == (1.0, 0, 1)


def test_a_split_that_names_no_family_of_the_cases_is_refused():
    with pytest.raises(CannotHeal, match="bad_split") as refusal:
        summary(PAIRS, CASES, [], Split(test=("shops", "shoops"), validation="others"))
    assert "'shoops'" in refusal.value.sentence
