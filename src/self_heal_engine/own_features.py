"""Features of what a candidate says itself: its tag, role, attributes, texts and words beside the wanted ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from self_heal_engine.accessibility import roles
from self_heal_engine.comparison import Comparison, Numbers
from self_heal_engine.dom import gather
from self_heal_engine.generated import is_generated
from self_heal_engine.identity import identity
from self_heal_engine.locators import TEST_ID_ATTRIBUTES
from self_heal_engine.tokens import inner_tokens, rare_share
from self_heal_engine.words import contradict, shared, words, words_of

# Tags and input types that a redesign exchanges for one another.
KINDS_OF_CONTROL = {
    **dict.fromkeys(("a", "button", "summary"), "press"),
    **dict.fromkeys(("input", "textarea", "select"), "enter"),
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "heading"),
    **dict.fromkeys(("div", "span", "p", "section", "article", "li", "td", "label"), "text"),
    **dict.fromkeys(("img", "svg", "i", "picture"), "picture"),
}
PRESSED_INPUTS = ("submit", "button", "reset", "image")

# The roles that fit what a test does with the element.
ROLES_FOR = {
    "click": frozenset("button link menuitem tab checkbox radio option switch treeitem menuitemcheckbox".split()),
    "type": frozenset("textbox searchbox spinbutton combobox".split()),
    "select": frozenset("combobox listbox option radio".split()),
    "check": frozenset("checkbox radio switch menuitemcheckbox menuitemradio".split()),
    "read": frozenset("heading cell listitem status alert paragraph img row".split()),
}
TYPED_INPUTS = frozenset("password date time month week datetime-local file color".split())  # have no role

# Attributes that have a feature of their own, or that say how an element looks or behaves rather than which it is.
OWN_FEATURE = frozenset(
    ("id", "class", "name", "href", "type", "value", "placeholder", "title", "alt", "src", "aria-label", "style")
) | frozenset(TEST_ID_ATTRIBUTES)


def kind_of_control(tag: str | None, kind: str | None) -> str | None:
    """Return what sort of thing an element is to a user: pressed, entered into, read or looked at."""
    return "press" if tag == "input" and kind in PRESSED_INPUTS else KINDS_OF_CONTROL.get(tag or "")


def tag_same(c: Comparison) -> Numbers:
    """1 if the tag is the wanted one."""
    return c.same(c.page.tags, c.wanted.tag)


def control_same(c: Comparison) -> Numbers:
    """1 if it is the same sort of control: a link may have become a button."""
    wanted = kind_of_control(c.wanted.tag, c.wanted.value("type"))
    if wanted is None:
        return c.unknown
    kinds = c.values("type")
    return np.array([kind_of_control(tag, kind) == wanted for tag, kind in zip(c.tags, kinds, strict=True)], float)


def role_same(c: Comparison) -> Numbers:
    """1 if the accessible role is the wanted one."""
    return c.same(roles(c.page), c.wanted.role)


def type_same(c: Comparison) -> Numbers:
    """1 if the ``type`` attribute is the wanted one."""
    return c.attribute_same("type")


def test_id_alike(c: Comparison) -> Numbers:
    """Likeness of the attribute that was set for tests."""
    known = next((name for name in TEST_ID_ATTRIBUTES if c.wanted.value(name)), None)
    return c.attribute_alike(known) if known else c.unknown


def href_same(c: Comparison) -> Numbers:
    """1 if the link leads to the very same address."""
    return c.attribute_same("href")


def class_overlap(c: Comparison) -> Numbers:
    """Share of the known classes (of both sides', if the fingerprint is complete) that agree; generated ones apart."""
    known = c.wanted.lasting_classes()
    if not known:
        return c.unknown

    def overlap(value: str | None) -> float:
        given = frozenset(name for name in (value or "").split() if not is_generated(name))
        return len(known & given) / len(known | given if c.wanted.complete else known)

    return np.array([overlap(value) for value in c.values("class")])


def text_same(c: Comparison) -> Numbers:
    """1 if the text a reader sees is the very same."""
    return c.same(c.page.texts, c.wanted.text)


def text_words(c: Comparison) -> Numbers:
    """Share of the words of the wanted text that the candidate's names and texts say."""
    known = words_of([c.wanted.text, c.wanted.name])
    return np.array([shared(known, given) for given in c.said]) if known else c.unknown


def words_shared(c: Comparison) -> Numbers:
    """Share of the words of all wanted names and texts, ids too, that the candidate's names and texts say."""
    return np.array([shared(c.wanted_words, given) for given in c.said]) if c.wanted_words else c.unknown


def words_contradict(c: Comparison) -> Numbers:
    """1 if the words ask for what excludes the wanted: delete and edit, user name and password."""
    return np.array([contradict(c.wanted_words, given) for given in c.said], float) if c.wanted_words else c.unknown


def other_attributes(c: Comparison) -> Numbers:
    """Share of the remaining wanted attributes that the candidate has with the same value."""
    known = [name for name in c.wanted.attributes if name not in OWN_FEATURE]
    if not known:
        return c.unknown
    return np.mean([c.attribute_same(name) for name in known], axis=0, dtype=np.float64)


def parts_found(c: Comparison) -> Numbers:
    """Share of the partly known values (``[href^="/login"]``) that the candidate contains."""
    if not c.wanted.parts:
        return c.unknown
    found = [
        [part in (value or "") for value in (gather(c.page.texts, c.rows) if name == "text" else c.values(name))]
        for name, part in c.wanted.parts.items()
    ]
    return np.mean(found, axis=0, dtype=np.float64)


def action_fits(c: Comparison) -> Numbers:
    """1 if a user can do with it what the test does: click, type, select, check or read."""
    fitting = ROLES_FOR.get(c.wanted.action or "")
    if fitting is None:
        return c.unknown
    kinds = c.values("type")
    typed = [
        c.wanted.action == "type" and tag == "input" and kind in TYPED_INPUTS
        for tag, kind in zip(c.tags, kinds, strict=True)
    ]
    return np.array(
        [role in fitting or types for role, types in zip(gather(roles(c.page), c.rows), typed, strict=True)], float
    )


def old_share(what: str) -> Callable[[Comparison], Numbers]:
    """Return a feature: how alone the wanted element's value was on its own page, 1 / how many had it."""

    def share(c: Comparison) -> Numbers:
        count = c.wanted.shares.get(what)
        return np.full(len(c.rows), 1.0 / count) if count else c.unknown

    return share


def called_alike(c: Comparison) -> Numbers:
    """Likeness of the wanted text, or else accessible name, to the nearest of all that a person would call it by."""
    known = c.wanted.text or c.wanted.name
    return np.max([c.alike(given, known) for given in c.called], axis=0) if known else c.unknown


def called_same(c: Comparison) -> Numbers:
    """1 if a person would call it exactly by the wanted text, or else accessible name."""
    known = (c.wanted.text or c.wanted.name or "").casefold()
    if not known:
        return c.unknown
    return np.max([[(value or "").casefold() == known for value in given] for given in c.called], axis=0).astype(float)


def words_strange(c: Comparison) -> Numbers:
    """Share of words that the wanted text or name lacks, in that of its own texts and names which has the fewest."""
    known = words_of([c.wanted.text, c.wanted.name])
    if not known:
        return c.unknown
    given = [[words(value) for value in values if value] for values in zip(*c.called, strict=True)]
    return np.array([min((len(own - known) / len(own) for own in texts if own), default=1.0) for texts in given])


def tokens_shared(c: Comparison) -> Numbers:
    """Share of the words and numbers in the wanted attributes and text that it has, rare ones weighing more."""
    return np.array(rare_share(c.wanted_tokens, c.tokens)) if c.wanted_tokens else c.unknown


def tokens_strange(c: Comparison) -> Numbers:
    """Share of its own words and numbers that the complete fingerprint lacks."""
    if not c.wanted.complete:
        return c.unknown
    return np.array([len(own - c.wanted_tokens) / len(own) if own else 0.0 for own in c.tokens])


def inside_shared(c: Comparison) -> Numbers:
    """Share of the words in the attributes of what was inside the wanted element, such as its icon (Jaccard)."""
    known = frozenset(c.wanted.inside)
    if not known:
        return c.unknown
    given = [inner_tokens(c.page, row) for row in c.rows.tolist()]
    return np.array([len(known & inside) / len(known | inside) for inside in given])


def claimed(c: Comparison) -> Numbers:
    """Share of what tells it from others that belonged to another element of the old page: it is that one."""
    if not c.wanted.complete:
        return c.unknown
    taken = frozenset(c.wanted.others)
    return c.per_row(lambda row: len(identity(c.page, row) & taken) / max(len(identity(c.page, row)), 1))
