"""Pairs of elements: labelled, each once, judged, and no more than so many of a source."""

from dataclasses import replace

import pytest

from self_heal_engine.dataset import open_page
from self_heal_engine.errors import CannotHeal
from self_heal_engine.pairs import Judgement, audited, corrected, label, page_pairs, settle
from self_heal_engine.sources import Release, Source
from test_dataset import CASE
from workspace import LABEL, NEW, OLD, write_pages, write_release

SHOP = Source("shop", "shop", "MIT", "shop", "npm", (Release("1.0"), Release("2.0"), Release("3.0")))


@pytest.fixture
def pages(tmp_path):
    write_pages(tmp_path)
    return tmp_path / "pages"


@pytest.fixture
def pairs(pages):
    (job,) = page_pairs(pages, [SHOP])
    return label(pages, job)


def test_a_page_in_two_releases_is_labelled(pairs):
    assert {(pair.text, pair.rule) for pair in pairs} == {
        ("Home", "A2"),
        ("Orders", "A2"),
        ("Fax us", "R0"),
        ("Your orders", "T1"),
        ("", "A2"),
        ("Pay order", "A2"),
    }, "a button whose id stays but whose text shares no word is no pair: 'Search', 'Find'"


def test_a_release_that_is_missing_or_the_same_gives_no_page_pair(pages):
    assert [(job.old_version, job.new_version) for job in page_pairs(pages, [SHOP])] == [("1.0", "2.0")]
    write_release(pages, "3.0", NEW)
    assert [(job.old_version, job.new_version) for job in page_pairs(pages, [SHOP])] == [("1.0", "2.0")]


def test_a_pair_that_no_locator_misses_is_none(pages):
    write_release(pages, "2.0", OLD.replace("</body>", "<p>more</p></body>"))
    (job,) = page_pairs(pages, [SHOP])
    assert label(pages, job) == []


def test_the_rows_of_a_pair_are_those_of_its_pages(pages, pairs):
    for pair in pairs:
        old = open_page(pages, f"shop/1.0/{pair.page}.html")
        assert old.xpath(pair.old_path).tolist() == [pair.old_row]
        assert old.text(pair.old_row) == pair.text
        if pair.new_row is not None:
            assert open_page(pages, f"shop/2.0/{pair.page}.html").xpath(pair.new_path).tolist() == [pair.new_row]


def test_a_pair_that_repeats_on_every_page_counts_once(pairs):
    again = [replace(pair, id=f"{pair.id}x", page="other") for pair in pairs]
    assert len(settle([*pairs, *again], [], LABEL)) == len(pairs)
    moved = [replace(pair, old_path="/html/body/a") for pair in again]
    assert len(settle([*pairs, *moved], [], LABEL)) > len(pairs)


def test_no_source_gives_more_than_its_share(pairs):
    many = [replace(pairs[0], id=f"{number:012}", text=str(number)) for number in range(50)]
    other = [replace(pair, source="other") for pair in many]
    kept = settle([*many, *other], [], replace(LABEL, most_per_step=10))
    assert [sum(pair.source == name for pair in kept) for name in ("shop", "other")] == [10, 10]
    assert len(settle(many, [], replace(LABEL, most_per_source=7))) == 7
    assert len(settle([*many, *other], [], replace(LABEL, most_per_family=9))) == 9


def test_which_pairs_stay_does_not_hang_on_other_sources(pairs):
    many = [replace(pairs[0], id=f"{number:012}", text=str(number)) for number in range(50)]
    others = [replace(pair, id=f"o{pair.id}", source="other", family="others") for pair in many]
    few = replace(LABEL, most_per_step=10)
    alone = settle(many, [], few)
    assert [pair for pair in settle([*others, *many], [], few) if pair.source == "shop"] == alone
    assert settle(many, [], replace(few, seed=2)) != alone


def test_the_many_links_of_a_page_do_not_crowd_out_its_fields(pairs):
    links = [replace(pairs[0], id=f"{number:012}", text=str(number), kind="link") for number in range(50)]
    fields = [replace(pair, id=f"f{pair.id}", kind="textbox") for pair in links[:5]]
    kept = settle([*links, *fields], [], replace(LABEL, most_per_step=10))
    assert sum(pair.kind == "textbox" for pair in kept) == 5


def test_a_verdict_overrules_the_rules(pages, pairs):
    home, pay = (next(pair for pair in pairs if pair.text == text) for text in ("Home", "Pay order"))
    wrong = Judgement(home.id, "wrong", home.rule, "natural", "me")
    right = Judgement(pay.id, "right", pay.rule, "natural", "me")
    kept = settle(corrected(pairs, [wrong, right], pages), [wrong, right], replace(LABEL, most_per_step=1))
    assert [pair.text for pair in kept if pair.new_row is not None] == ["Pay order"], "right ones are kept first"


def test_a_verdict_can_name_the_right_element(pages, pairs):
    home = next(pair for pair in pairs if pair.text == "Home")
    verdict = Judgement(home.id, "wrong", home.rule, "natural", "me", new_path="//a[@href='/orders']")
    kept = settle(corrected(pairs, [verdict], pages), [verdict], LABEL)
    (mended,) = [pair for pair in kept if pair.rule == "J1"]
    assert (mended.text, open_page(pages, "shop/2.0/orders.html").text(mended.new_row)) == ("Home", "Orders")
    assert home.id not in {pair.id for pair in kept}


def test_a_page_that_is_not_the_one_collected_is_refused(pages):
    from self_heal_engine.collection import check_pages

    check_pages(pages)
    (pages / "shop" / "2.0" / "orders.html").write_text("<p>tampered</p>")
    with pytest.raises(CannotHeal, match="wrong_hash") as refusal:
        check_pages(pages)
    assert "orders.html" in refusal.value.sentence


def test_the_audited_cases_are_natural_and_were_called_right():
    cases = [replace(CASE, pair=pair, difficulty=how) for pair in "abc" for how in ("natural", "masked-1")]
    verdicts = [Judgement("a", "right", "A2", "natural", "me"), Judgement("b", "wrong", "A2", "natural", "me")]
    assert [(case.pair, case.difficulty) for case in audited(cases, verdicts)] == [("a", "natural")]
