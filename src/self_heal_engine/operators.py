"""Draft: a page being edited; and the operators that change one element of it. The one door of beautifulsoup4."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from bs4 import BeautifulSoup
from bs4.dammit import EntitySubstitution
from bs4.element import NavigableString, PreformattedString, Tag
from bs4.formatter import HTMLFormatter

from self_heal_engine.dom import NEVER_SHOWN
from self_heal_engine.files import sha256
from self_heal_engine.locators import TEST_ID_ATTRIBUTES
from self_heal_engine.vocabulary import CONTAINER_CLASSES, UTILITY_CLASSES, reworded, unrelated

# Attributes that hold the ids of other elements: they follow when an id changes, as on a page that still works.
REFERENCES = ("for", "form", "list", "aria-labelledby", "aria-describedby", "aria-controls", "aria-owns")

# What each level of masking hides, the level before included.
MASKED = {
    1: ("id", "name", "href", *TEST_ID_ATTRIBUTES),
    2: ("aria-label", "aria-description", "title", "placeholder", "alt"),
    3: (),  # and the text
}

CONTAINERS = ("div", "section", "main", "article", "aside", "nav", "header", "footer", "form", "fieldset")
INLINE_HOLDERS = ("p", "a", "button", "label", "span", "h1", "h2", "h3", "h4", "h5", "h6", "strong", "em", "summary")
FIXED_PLACE = ("html", "head", "body", "tr", "td", "th", "thead", "tbody", "tfoot", "option", "optgroup", "dt", "dd")
FIELDS = ("input", "select", "textarea")


class InOrder(HTMLFormatter):
    """Writes attributes in the order of the page; beautifulsoup4 alone would sort them, which no release does."""

    def attributes(self, tag: Tag) -> Iterable[tuple[str, Any]]:
        """Return the attributes of one element as they are to be written."""
        return tag.attrs.items()


@dataclass
class Draft:
    """A page being edited: every element with the number it had, and the seeded chance that decides."""

    soup: BeautifulSoup
    chance: random.Random
    marker: str
    targets: dict[int, Tag]
    references: dict[str, list[tuple[Tag, str]]]  # id -> the elements and attributes that refer to it
    operators: dict[int, list[str]] = field(default_factory=dict)

    def elements(self) -> list[Tag]:
        """Return every element that a reader may see, in document order."""
        body = self.soup.body or self.soup
        return [tag for tag in body.find_all(True) if tag.name not in NEVER_SHOWN]

    def others(self) -> list[Tag]:
        """Return the elements that are no targets, hold none and are no part of one."""
        targets = self.targets.values()
        kept = {id(tag) for target in targets for tag in (target, *target.parents, *target.find_all(True))}
        return [tag for tag in self.elements() if id(tag) not in kept]

    def html(self) -> str:
        """Return the page as it is now."""
        return self.soup.decode(formatter=InOrder(EntitySubstitution.substitute_xml))

    def happens(self, rate: float) -> bool:
        """Return True as often as the rate says."""
        return self.chance.random() < rate


def open_draft(html: str, marker: str, targets: Iterable[int], seed: str) -> Draft:
    """Return a draft of a page whose elements say their row in the attribute ``marker``."""
    soup = BeautifulSoup(html, "html.parser", multi_valued_attributes=None)
    wanted = {str(row) for row in targets}
    found: dict[int, Tag] = {}
    references: dict[str, list[tuple[Tag, str]]] = {}
    for tag in soup.find_all(True):  # once: looking for the references of each id anew took half the time
        if tag.get(marker) in wanted:
            found[int(str(tag[marker]))] = tag
        for name in REFERENCES:
            for word in str(tag.get(name) or "").split():
                references.setdefault(word, []).append((tag, name))
    return Draft(soup, random.Random(seed), marker, found, references)


def drawn(shares: Mapping[str, float], chance: random.Random) -> str:
    """Return one of the names, as often as its share says."""
    return chance.choices(list(shares), weights=list(shares.values()))[0]


Operator = Callable[[Draft, Tag], bool]


# -- operators: each returns whether it fits and was done ----------------------------------------------------------


def id_regenerated(draft: Draft, tag: Tag) -> bool:
    """Give the element another id; what refers to it follows."""
    return rename_id(draft, tag, new_name(draft, str(tag["id"]))) if tag.get("id") else False


def rename_id(draft: Draft, tag: Tag, new: str | None) -> bool:
    """Set or drop an id; the attributes that refer to it are kept in step."""
    old = str(tag["id"])
    if new is None:
        del tag["id"]
    else:
        tag["id"] = new
    for other, name in draft.references.pop(old, []):
        words = str(other.get(name) or "").split()
        other[name] = " ".join(new or word if word == old else word for word in words)
        if new is not None:
            draft.references.setdefault(new, []).append((other, name))
        elif name == "for":
            nest_in_label(other, tag)
    return True


def nest_in_label(label: Tag, field_: Tag) -> None:
    """Put a field that lost its id into its label, so that it keeps it."""
    del label["for"]
    if field_ not in label.descendants and label not in field_.parents:
        label.append(field_.extract())


def class_replaced(draft: Draft, tag: Tag) -> bool:
    """Give the element other classes, in words or as a style sheet of utilities has them."""
    if not tag.get("class"):
        return False
    kept = [name for name in str(tag["class"]).split() if draft.happens(0.3)]
    tag["class"] = " ".join([*kept, *draft.chance.sample(UTILITY_CLASSES, draft.chance.randint(1, 4))])
    return True


def css_modules(draft: Draft) -> None:
    """Hash every class of the page, as CSS modules do: the same class becomes the same name everywhere."""
    salt = draft.chance.random()
    for tag in draft.soup.find_all(True, attrs={"class": True}):
        tag["class"] = " ".join(f"{name}_{sha256(f'{name}{salt}')[:5]}" for name in str(tag["class"]).split())


def name_changed(draft: Draft, tag: Tag) -> bool:
    """Give a field another name; radio buttons of one group keep sharing it."""
    old = tag.get("name")
    if not old:
        return False
    new = new_name(draft, str(old))
    group = draft.soup.find_all("input", attrs={"type": "radio", "name": old}) if tag.get("type") == "radio" else [tag]
    for member in group:
        member["name"] = new
    return True


def href_changed(draft: Draft, tag: Tag) -> bool:
    """Let a link lead elsewhere: another folder, another ending, another word."""
    if not tag.get("href"):
        return False
    tag["href"] = new_address(draft, str(tag["href"]))
    return True


def test_id_changed(draft: Draft, tag: Tag) -> bool:
    """Rename or drop the test id."""
    name = next((name for name in TEST_ID_ATTRIBUTES if tag.get(name)), None)
    if name is None:
        return False
    if draft.happens(0.4):
        del tag[name]
    else:
        tag[name] = new_name(draft, str(tag[name]))
    return True


def attribute_dropped(draft: Draft, tag: Tag) -> bool:
    """Drop an attribute that is neither key nor what makes it the kind of element it is."""
    kept = {draft.marker, "id", "class", "name", "href", "type", "value", "role", "for", *TEST_ID_ATTRIBUTES}
    droppable = sorted(set(tag.attrs) - kept)
    if not droppable:
        return False
    del tag[draft.chance.choice(droppable)]
    return True


def text_reworded(draft: Draft, tag: Tag) -> bool:
    """Say the same in other words: in the element, its value, its placeholder and its label."""
    done = False
    for string in shown_strings(tag):
        string.replace_with(reworded(str(string), draft.chance))
        done = True
    for name in ("placeholder", "aria-label", "title", "alt", *(["value"] if tag.get("type") == "submit" else [])):
        if tag.get(name):
            tag[name] = reworded(str(tag[name]), draft.chance)
            done = True
    if tag.name in FIELDS and (label := label_of(draft, tag)) is not None:
        for string in shown_strings(label):
            string.replace_with(reworded(str(string), draft.chance))
            done = True
    return done


def wrapper_inserted(draft: Draft, tag: Tag) -> bool:
    """Put the element, or the one around it, into a box of its own."""
    around = tag.parent
    inner = tag if tag.name not in FIXED_PLACE and tag.name != "li" else None
    if draft.happens(0.4) and around is not None and around.name in (*CONTAINERS, "p", "ul"):
        inner = around
    if inner is None or inner.parent is None:
        return False
    inline = any(parent.name in INLINE_HOLDERS for parent in inner.parents)
    box = draft.soup.new_tag("span" if inline else "div")
    if draft.happens(0.8):
        box["class"] = draft.chance.choice(CONTAINER_CLASSES)
    inner.wrap(box)
    return True


def siblings_reordered(draft: Draft, tag: Tag) -> bool:
    """Shuffle the element among its siblings, or the one around it where it stands alone."""
    for at in (tag, *tag.parents):
        if at.parent is None or at.name in ("html", "body", "head"):
            return False
        siblings = [child for child in at.parent.children if isinstance(child, Tag) and child.name not in NEVER_SHOWN]
        if len(siblings) > 1:
            order = siblings[:]
            draft.chance.shuffle(order)
            places = [draft.soup.new_string("") for _ in siblings]
            for child, place in zip(siblings, places, strict=True):
                child.replace_with(place)
            for child, place in zip(order, places, strict=True):
                place.replace_with(child)
            return order != siblings
    return False


def tag_swapped(draft: Draft, tag: Tag) -> bool:
    """Make the element of another tag for the same use: a link a button, a button a div with a role."""
    if tag.name == "a" and not tag.find(["button", "a", *FIELDS]):
        tag.name = "button"
        tag.attrs.pop("href", None)
        tag["type"] = "button"
    elif tag.name == "button":
        if draft.happens(0.5):
            tag.name, tag["role"], tag["tabindex"] = "div", "button", "0"
        else:
            tag.name, tag["href"] = "a", "#"
        tag.attrs.pop("type", None)
    elif tag.name == "input" and tag.get("type") in ("submit", "button"):
        tag.name = "button"
        tag.string = str(tag.attrs.pop("value", "Submit"))
    elif tag.name == "input" and tag.get("type", "text") == "text":
        tag.name = "textarea"
        tag.string = str(tag.attrs.pop("value", ""))
        tag.attrs.pop("type", None)
    elif tag.name in ("h2", "h3", "h4", "h5"):
        tag.name = f"h{int(tag.name[1]) + draft.chance.choice((-1, 1))}"
    else:
        return False
    tag.can_be_empty_element = False
    return True


def moved(draft: Draft, tag: Tag) -> bool:
    """Move the element to another part of the page: with its label, out of no control, a field within its form."""
    unit = moving_unit(draft, tag)
    if unit is None or any(part in draft.targets.values() for part in unit.parents):
        return False  # what it would leave empty is wanted too
    form = tag.find_parent("form") if tag.name in FIELDS else None
    inside = set(map(id, unit.descendants)) | {id(unit)}
    places = [
        place
        for place in (draft.elements() if form is None else form.find_all(True))
        if place.name in CONTAINERS
        and id(place) not in inside
        and place is not unit.parent
        and not any(parent.name in INLINE_HOLDERS for parent in place.parents)
        and not (unit.find("form") and (place.name == "form" or place.find_parent("form")))
    ]
    if not places:
        return False
    place = draft.chance.choice(places)
    unit.extract()
    place.insert(draft.chance.randint(0, len(place.contents)), unit)
    return True


def moving_unit(draft: Draft, tag: Tag) -> Tag | None:
    """Return what moves with an element: the control it is a part of, or the box it shares with its label alone."""
    control = tag.find_parent(["a", "button"])
    if control is not None:
        return control
    if tag.name in FIXED_PLACE:
        return None
    around = tag.parent
    if around is not None and around.name in ("div", "p", "label") and len(list(around.children)) <= 5:
        held = set(map(id, around.descendants))
        if not any(id(other) in held for other in draft.targets.values() if other is not tag):
            return around
    return tag


def near_duplicate_inserted(draft: Draft, tag: Tag) -> bool:
    """Put a copy of the element beside it that is another thing: other words, other keys."""
    if tag.name in ("html", "head", "body") or tag.find(id=True) is not None:
        return False
    twin = copy(tag)
    for part in (twin, *twin.find_all(True)):
        part.attrs.pop(draft.marker, None)
    told_apart = False
    for string in shown_strings(twin):
        string.replace_with(unrelated(str(string), draft.chance))
        told_apart = True
    for name in ("id", "name", "href", "placeholder", "aria-label", "title", "alt", "value", *TEST_ID_ATTRIBUTES):
        if twin.get(name):
            twin[name] = unrelated(str(twin[name]), draft.chance, spelled=True)
            told_apart = True
    if not told_apart:
        return False
    (tag.insert_before if draft.happens(0.5) else tag.insert_after)(twin)
    return True


def remove(draft: Draft, tag: Tag) -> bool:
    """Take the element off the page, with a label that was only for it."""
    label = label_of(draft, tag) if tag.name in FIELDS else None
    if label is not None and not any(
        target in label.descendants for target in draft.targets.values() if target is not tag
    ):
        label.extract()
    tag.extract()
    return True


OPERATORS: dict[str, Operator] = {
    "id_regenerated": id_regenerated,
    "class_replaced": class_replaced,
    "name_changed": name_changed,
    "href_changed": href_changed,
    "test_id_changed": test_id_changed,
    "attribute_dropped": attribute_dropped,
    "text_reworded": text_reworded,
    "wrapper_inserted": wrapper_inserted,
    "siblings_reordered": siblings_reordered,
    "tag_swapped": tag_swapped,
    "moved": moved,
    "near_duplicate_inserted": near_duplicate_inserted,
}

# What may happen to any element; moving or doubling each of a thousand would leave no page.
AMBIENT_OPERATORS: dict[str, Operator] = {
    "id_regenerated": id_regenerated,
    "class_replaced": class_replaced,
    "name_changed": name_changed,
    "href_changed": href_changed,
    "test_id_changed": test_id_changed,
    "attribute_dropped": attribute_dropped,
    "text_reworded": text_reworded,
    "removed": remove,
}


# -- what the operators share --------------------------------------------------------------------------------------


def mask_element(draft: Draft, tag: Tag, hidden: Iterable[str], text: bool) -> None:
    """Rename or drop the given attributes of one element, and replace its text."""
    for name in hidden:
        if not tag.get(name):
            continue
        dropped = draft.happens(0.4)
        if name == "id":
            rename_id(draft, tag, None if dropped else new_name(draft, str(tag["id"])))
        elif dropped:
            del tag[name]
        elif name == "href":
            tag["href"] = new_address(draft, str(tag["href"]))
        elif name in MASKED[1]:
            tag[name] = new_name(draft, str(tag[name]))
        else:
            tag[name] = unrelated(str(tag[name]), draft.chance)
    if text:
        for string in shown_strings(tag):
            string.replace_with(unrelated(str(string), draft.chance))


def shown_strings(tag: Tag) -> list[NavigableString]:
    """Return the strings in and below an element that a reader sees."""
    return [
        string
        for string in tag.find_all(string=True)
        if string.strip()
        and not isinstance(string, PreformattedString)
        and (string.parent is None or string.parent.name not in NEVER_SHOWN)
    ]


def label_of(draft: Draft, tag: Tag) -> Tag | None:
    """Return the label element of a field, or None."""
    around = tag.find_parent("label")
    refer = draft.references.get(str(tag.get("id")), [])
    return around or next((other for other, name in refer if name == "for"), None)


def new_name(draft: Draft, old: str) -> str:
    """Return another id or name: the same words spelled otherwise, other words, or what a framework generates."""
    words = re.findall(r"[A-Za-z][a-z]*|\d+", old) or [old]
    kind = draft.chance.random()
    if kind < 0.35:
        fresh = words[0].lower() + "".join(word.capitalize() for word in words[1:])
        spelled = fresh if fresh != old else "_".join(map(str.lower, words))
        return spelled if spelled != old else f"{old}-field"
    if kind < 0.65:
        return unrelated(old, draft.chance, spelled=True)
    stem = draft.chance.choice((words[0].lower(), "field", "el", "input", "ctl"))
    return f"{stem}-{draft.chance.getrandbits(24):06x}"


def new_address(draft: Draft, old: str) -> str:
    """Return another address for the same place, or nearly: new folder, no ending, other words."""
    path, mark, rest = old.partition("?")
    kind = draft.chance.random()
    if kind < 0.35 and path.endswith((".html", ".php", "/")):
        return re.sub(r"(\.html|\.php|/)$", "", path) + mark + rest
    if kind < 0.65:
        return f"/{draft.chance.choice(('app', 'v2', 'portal', 'web'))}/{path.lstrip('./#')}{mark}{rest}"
    head, slash, _ = path.rstrip("/").rpartition("/")
    return head + slash + unrelated("page", draft.chance, spelled=True)
