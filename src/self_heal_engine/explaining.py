"""Why a candidate was chosen: its properties beside the wanted ones, and where the rival fell behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rapidfuzz.distance import Indel

from self_heal_engine.accessibility import labels, roles
from self_heal_engine.accessible_names import names
from self_heal_engine.candidates import anchor_nearness, at_path, wanted_words
from self_heal_engine.dom import Page
from self_heal_engine.errors import quoted
from self_heal_engine.fingerprint import Fingerprint
from self_heal_engine.neighbourhood import neighbour_text
from self_heal_engine.words import contradict, words_of

# Likenesses from which on two values are called the same, or similar.
SAME, SIMILAR = 0.999, 0.6

# A lead in likeness smaller than this explains nothing.
LEAST_LEAD = 0.05

# Values longer than this are cut in a sentence.
LONGEST = 50


@dataclass(frozen=True, slots=True)
class Compared:
    """One property of the wanted element beside the candidate's."""

    what: str
    wanted: str
    found: str | None
    likeness: float

    def sentence(self) -> str:
        """Return the comparison in words."""
        wanted, found = quoted(self.wanted, LONGEST), quoted(self.found or "", LONGEST)
        if self.likeness >= SAME:
            return f"same {self.what} {found}"
        if self.found is None:
            return f"no {self.what}, wanted {wanted}"
        return f"{'similar' if self.likeness >= SIMILAR else 'other'} {self.what} {found}, wanted {wanted}"


def compare(page: Page, row: int, wanted: Fingerprint) -> list[Compared]:
    """Return every known property of the wanted element beside the candidate's, the most telling kinds first."""
    return [
        Compared(what, known, found, likeness(known, found))
        for what, known, found in _properties(page, row, wanted)
        if known
    ]


def _properties(page: Page, row: int, wanted: Fingerprint) -> Iterator[tuple[str, str | None, str | None]]:
    attributes = page.attributes(row)
    yield "text", wanted.text, page.text(row)
    yield "role", wanted.role, roles(page)[row]
    if wanted.name != wanted.text:
        yield "accessible name", wanted.name, names(page)[row]
    yield "label", wanted.label, labels(page)[row]
    for name, value in wanted.attributes.items():
        if name != "style":
            yield name, value, attributes.get(name)
    yield "tag", wanted.tag, page.tag(row)
    if wanted.classes and "class" not in wanted.attributes:
        yield "class", " ".join(wanted.classes), attributes.get("class")
    yield "neighbouring words", wanted.neighbour_text, neighbour_text(page, row)


def likeness(wanted: str, found: str | None) -> float:
    """Return how alike two values are, upper and lower case apart."""
    return 0.0 if found is None else Indel.normalized_similarity(wanted.casefold(), found.casefold())


def reasons(page: Page, row: int, wanted: Fingerprint) -> list[str]:
    """Return what speaks for and against a candidate, a sentence each."""
    return [*(compared.sentence() for compared in compare(page, row, wanted)), *_circumstances(page, row, wanted)]


def _circumstances(page: Page, row: int, wanted: Fingerprint) -> Iterator[str]:
    for name, part in wanted.parts.items():
        value = page.text(row) if name == "text" else page.attributes(row).get(name, "")
        yield f"{name} {'contains' if part in value else 'lacks'} {quoted(part, LONGEST)}"
    for anchor in wanted.anchors:
        near = float(anchor_nearness(page, (anchor,))[row])
        yield f"stands {'near' if near > SIMILAR else 'away from'} {quoted(anchor, LONGEST)}"
    if wanted.rooted:
        yield "stands in the same place" if at_path(page, wanted) == row else "stands in another place"
    own = words_of([page.text(row), names(page)[row], *page.attributes(row).values()])
    known = wanted_words(wanted)
    if contradict(known, own):
        yield "its words ask for something else"
    elif known & own:
        yield "shares the words " + ", ".join(sorted(known & own))
    if page.hidden[row]:
        yield "is hidden by the markup"


def why_lost(page: Page, winner: int, rival: int, wanted: Fingerprint) -> list[str]:
    """Return where the runner-up falls behind the winner, a sentence each."""
    pairs = zip(compare(page, winner, wanted), compare(page, rival, wanted), strict=True)
    return [
        f"lost by its {ours.what}: {_shown(theirs.found)} is further from {quoted(ours.wanted, LONGEST)} "
        f"than {_shown(ours.found)}"
        for ours, theirs in pairs
        if ours.likeness > theirs.likeness + LEAST_LEAD
    ] or ["lost by its place and surroundings: its own properties are as close"]


def _shown(found: str | None) -> str:
    return "none" if found is None else quoted(found, LONGEST)
