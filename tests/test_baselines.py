"""Each published ranker gives the scores its formula gives, worked out by hand; Scrapling those of the real package."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from scrapling.parser import Selector

from pages import ADMIN, CONTROLS, SHOP_AFTER, SHOP_BEFORE
from self_heal_engine import Fingerprint, fingerprint
from self_heal_engine.baselines import BASELINES, capped_levenshtein, healenium_classes
from self_heal_engine.parser import read_page
from self_heal_engine.similarity import (
    character_jaccard,
    equal,
    equal_ignoring_case,
    levenshtein_50,
    similo_levenshtein,
    similo_words,
    word_jaccard,
)
from test_parser import MARKUP


@pytest.mark.parametrize(
    ("similarity", "wanted", "given", "expected"),
    [
        (equal, "a", ["a", "A", None], [1, 0, 0]),
        (equal_ignoring_case, "a", ["A", "b", ""], [1, 0, 0]),
        # letters and digits only: Signin, Login are 3 apart; the length 7 counts the space: int(4 * 100 / 7) = 57
        (similo_levenshtein, "Sign in", ["Sign in", "Log in", "", None], [1, 0.57, 0, 0]),
        # b-t-n and btn are 0 apart: int(5 * 100 / 5) = 100
        (similo_levenshtein, "b-t-n", ["btn"], [1]),
        # 3 apart, the longer has 7: 1 - 3/7
        (levenshtein_50, "Sign in", ["Sign in", "Log in", None], [1, 1 - 3 / 7, 0]),
        # longer than 50: as words, one of three shared
        (levenshtein_50, "x" * 51 + " a", ["a b"], [1 / 3]),
        # {b,u,t,o,n} and {i,n,p,u,t} share u, t, n of 7
        (character_jaccard, "button", ["input", "button"], [3 / 7, 1]),
        (word_jaccard, "a b c", ["b c d", "x"], [2 / 4, 0]),
        # "Sign" begins "Signing": 4 letters; "in" does not end it; the lengths without spaces: max(6, 7) -> int(400 / 7)
        (similo_words, "Sign in", ["Signing", "Sign in", "xyz"], [0.57, 1, 0]),
    ],
)
def test_the_published_similarities(similarity, wanted, given, expected):
    assert similarity(wanted, given) == pytest.approx(expected)


def score(name, old, new, old_selector="#x", new_selector="[n]"):
    page, before = read_page(new), read_page(old)
    wanted = fingerprint(before, int(before.css(old_selector)[0]))
    return float(BASELINES[name](page, page.css(new_selector), wanted)[0])


OLD = '<body><button id="x" class="b" name="go">Send</button></body>'


@pytest.mark.parametrize(
    ("name", "new", "expected"),
    [
        # Similo, of 10.5: tag 1.5, class .5, name 1.5, id 1.5, paths .5 + .5, is_button .5, text 1.5, neighbours 1.5
        ("similo", '<body><button n id="x" class="b" name="go">Send</button></body>', 9.5 / 10.5),
        # without the id 1.5
        ("similo", '<body><button n class="b" name="go">Send</button></body>', 8.0 / 10.5),
        # Sent for Send: LEV int(3 * 100 / 4) = .75 of 1.5; the only neighbour word is its own: not alike
        ("similo", '<body><button n id="x" class="b" name="go">Sent</button></body>', (9.5 - 1.5 * 0.25 - 1.5) / 10.5),
        # an input: no tag, no is_button, no text, no neighbours; the paths' LEV: 6 apart of 26, int(76.9)
        ("similo", '<body><input n id="x" class="b" name="go"></body>', (0.5 + 1.5 + 1.5 + 2 * 0.5 * 0.76) / 10.5),
        # Similo++, of 17.2: tag .8, name 2.85, id .5, paths .1 + .45, text 2.8, neighbours 1.45, attributes 1.8 * 3/4
        ("similo++", '<body><button n id="x" class="b" name="go">Send</button></body>', (8.95 + 1.35) / 17.2),
        # name got for go: LEV50 1 - 1/3; attributes 2 of 4
        ("similo++", '<body><button n id="x" class="b" name="got">Send</button></body>', (8.95 - 2.85 / 3 + 0.9) / 17.2),
        # no id: -.5; attributes 2 of 3
        ("similo++", '<body><button n class="b" name="go">Send</button></body>', (8.45 + 1.2) / 17.2),
        # a link: tag JAC of {b,u,t,o,n} and {a} is 0, short path JAC 9/12, id path LEV50 1 - 6/26; attributes 3 of 4
        ("similo++", '<body><a n id="x" class="b" name="go">Send</a></body>', (8.95 - 0.8 - 0.1 * 3 / 12 - 0.45 * 6 / 26 + 1.35) / 17.2),
        # PyScrappy: tag 1, id 6, class 2.5, others {name}: (1 + 1) / 2 of 1.5, text 3.5, path 1, sibling 0: all
        ("pyscrappy", OLD.replace("<button", "<button n").replace(" n ", " "), None),
        # no id: 9.5 of 15.5
        ("pyscrappy", '<body><button class="b" name="go">Send</button></body>', 9.5 / 15.5),
        # another class: Jaccard 0
        ("pyscrappy", '<body><button id="x" class="c" name="go">Send</button></body>', 13 / 15.5),
        # Sent for Send: ratio 2 * 3 / 8
        ("pyscrappy", '<body><button id="x" class="b" name="go">Sent</button></body>', (12 + 3.5 * 0.75) / 15.5),
        # another tag while a button is left on the page: 0
        ("pyscrappy", '<body><a id="x" class="b" name="go">Send</a><button></button></body>', 0.0),
        # Healenium, of 350: path 100, tag 100, id 50, text 30, classes 40, others 30
        ("healenium", '<body><button id="x" class="b" name="go">Send</button></body>', 1.0),
        # another id: not on the old path (2 of 3 nodes, but the best there is: 100), id LV: 1 apart > int(1 * .3 + 1)? no: 0
        ("healenium", '<body><button id="y" class="b" name="go">Send</button></body>', 300 / 350),
        # another tag: no 100; the path still has html and body
        ("healenium", '<body><a id="x" class="b" name="go">Send</a></body>', 250 / 350),
        # no attributes but the id: classes 0, the name is missing on one side: 0
        ("healenium", '<body><button id="x">Send</button></body>', 280 / 350),
        # every simple locator finds it: id, name, xpath, text, class (an href it has not)
        ("voting", '<body><button id="x" class="b" name="go">Send</button></body>', 1.0),
        # id and name are gone: xpath .17, text .5, class .5 and the path from an id, here the xpath, .41 of 2.58
        ("voting", '<body><button class="b">Send</button></body>', 1.58 / 2.58),
        # two of the same class and text: only the path and the id path are left
        ("voting", '<body><button class="b">Send</button><button class="b">Send</button></body>', 0.58 / 2.58),
        # it moved: no path
        ("voting", '<body><p></p><div><button id="x" class="b" name="go">Send</button></div></body>', 2.0 / 2.58),
    ],
)  # fmt: skip
def test_a_worked_example(name, new, expected):
    marked = "[n]" if " n " in new else "button, input, a"
    assert score(name, OLD, new, new_selector=marked) == pytest.approx(1.0 if expected is None else expected, abs=1e-4)


def test_healeniums_parts():
    assert capped_levenshtein("Send", "sent", 0.3) == 0.75
    assert capped_levenshtein("Send", "Stop", 0.3) == 0.0  # 3 apart, more than int(4 * .3 + 1)
    assert capped_levenshtein("", "", 0.3) == 1.0
    assert capped_levenshtein(None, "x", 0.3) == 0.0
    # one of three shared; the two that differ, ab and ac, are 1/2 alike: 40 * (1 + 2 * .5) / 3
    assert healenium_classes(frozenset(("x", "ab")), frozenset(("x", "ac"))) == pytest.approx(
        40 * (1 + 2 * (0.5 + 0) / 2) / 3
    )


@pytest.mark.parametrize("old", [SHOP_BEFORE, ADMIN, CONTROLS])
@pytest.mark.parametrize("new", [SHOP_BEFORE, SHOP_AFTER, ADMIN])
def test_scrapling_relocates_what_the_real_package_relocates(old, new):
    # Scrapling reads with lxml, which looks into <noscript>: both read what our parser wrote out.
    old, new = (re.sub("<noscript>.*?</noscript>", "", read_page(html).html(0), flags=re.DOTALL) for html in (old, new))
    before, after = read_page(old), read_page(new)
    real_before, real_after = Selector(old), Selector(new)
    elements = [element for element in real_after._root.iter() if isinstance(element.tag, str)]
    assert len(elements) == len(after)
    rows = np.arange(len(after))
    for selector in ("button", "a", "input", "h1", "h2", "select", "td"):
        for row, real in list(zip(before.css(selector).tolist(), real_before.css(selector), strict=True))[:4]:
            scores = BASELINES["scrapling"](after, rows, fingerprint(before, row))
            best = float(scores.max())
            found = real_after.relocate(real._root, percentage=0)
            assert [elements.index(element) for element in found] == np.flatnonzero(scores == best).tolist()
            assert real_after.relocate(real._root, percentage=round(100 * best, 2) + 0.005) == [], (
                "the score is no higher"
            )
            assert real_after.relocate(real._root, percentage=round(100 * best, 2) - 0.005) == found, "and no lower"


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("html", [SHOP_BEFORE, ADMIN])
def test_the_element_itself_scores_highest_on_its_own_page(name, html):
    page = read_page(html)
    rows = np.arange(len(page))
    for row in page.css("button, input:not([type=hidden]), a").tolist():
        scores = BASELINES[name](page, rows, fingerprint(page, row))
        assert scores[row] == scores.max()


@given(MARKUP, MARKUP)
@settings(max_examples=60, deadline=None)
def test_scores_lie_between_0_and_1_on_any_page(old, new):
    before, after = read_page(old), read_page(new)
    rows = np.arange(len(after))
    for wanted in (fingerprint(before, len(before) - 1), Fingerprint(), Fingerprint(tag="p", text="x")):
        for name, rank in BASELINES.items():
            scores = rank(after, rows, wanted)
            assert scores.shape == rows.shape, name
            assert ((scores >= 0) & (scores <= 1)).all(), name
