"""unique_locators(page, row): the locators that find one element and nothing else, most stable first."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from self_heal_engine.accessibility import label_texts, roles
from self_heal_engine.accessible_names import names
from self_heal_engine.dom import Column, Page, per_page
from self_heal_engine.generated import is_generated
from self_heal_engine.locators import TEST_ID_ATTRIBUTES, Locator
from self_heal_engine.matching import matches
from self_heal_engine.parser import css_identifier

# Attributes that say what an element is for, the most lasting first.
TELLING_ATTRIBUTES = ("name", "aria-label", "placeholder", "alt", "title", "for", "href", "type", "value", "src")

# An element and those around it that have no other text: more have the text elsewhere too, and need not be compared.
MOST_WITH_ONE_TEXT = 12

WORDED = frozenset(("aria-label", "placeholder", "alt", "title", "type", "value"))

# A locator longer than this is no longer readable in a test.
LONGEST_TEXT = 60
LONGEST_VALUE = 100

# Landmarks: a page has few, and tests may well start from them.
LANDMARKS = ("main", "nav", "header", "footer", "aside", "form", "dialog", "table")


def unique_locators(page: Page, row: int, own_kind: str | None = None) -> list[Locator]:
    """Return the locators that match this element alone, at most one of a kind, most stable first.

    One CSS and one XPath are always among them; one of ``own_kind`` (what the caller's test uses) where the element
    allows it. CSS and XPath were run by the parser's engine, the other kinds by :mod:`self_heal_engine.matching`.
    """
    found: dict[str, Locator] = {}
    for locator in (*semantic_locators(page, row), *own_locators(page, row, own_kind)):
        if locator.kind not in found and is_unique(page, locator, row):
            found[locator.kind] = locator
    css = next(locator for locator in css_locators(page, row) if is_unique(page, locator, row))
    xpath = next(locator for locator in xpath_locators(page, row) if is_unique(page, locator, row))
    return [*found.values(), css, xpath]


def is_unique(page: Page, locator: Locator, row: int) -> bool:
    """Return whether the locator finds the element and nothing else."""
    if locator.kind == "css":
        return page.engine.css_alone(locator.value, row)
    if locator.kind == "xpath":
        return page.engine.xpath_alone(locator.value, row)
    return bool(matches(page, locator).tolist() == [row])


def semantic_locators(page: Page, row: int) -> Iterator[Locator]:
    """Yield what a reader of the page would say, in the order in which it tends to last."""
    attributes = page.attributes(row)
    for attribute in TEST_ID_ATTRIBUTES:
        if attributes.get(attribute):
            named = "" if attribute == TEST_ID_ATTRIBUTES[0] else f"{attribute}="
            yield Locator("test_id", named + attributes[attribute])
    role, name = roles(page)[row], names(page)[row]
    if role and name and len(name) <= LONGEST_TEXT:
        yield Locator("role", f'{role}[name="{escaped(name)}"]')
    for label in label_texts(page).get(row, []):
        if len(label) <= LONGEST_TEXT:
            yield Locator("label", label)
    if attributes.get("placeholder"):
        yield Locator("placeholder", attributes["placeholder"])
    if lasting(attributes.get("id")):
        yield Locator("id", attributes["id"])
    if lasting(attributes.get("name")):
        yield Locator("name", attributes["name"])
    for kind, attribute in (("alt_text", "alt"), ("title", "title")):
        if attributes.get(attribute) and len(attributes[attribute]) <= LONGEST_TEXT:
            yield Locator(kind, attributes[attribute])
    if 0 < page.solid_lengths[row] <= LONGEST_TEXT and text_counts(page)[page.texts.codes[row]] <= MOST_WITH_ONE_TEXT:
        yield Locator("text", page.text_content(row))


def own_locators(page: Page, row: int, kind: str | None) -> Iterator[Locator]:
    """Yield locators of the kinds that only Selenium has, when the caller's test uses one."""
    if kind in ("link_text", "partial_link_text") and page.tag(row) == "a" and page.text(row):
        yield Locator(kind, page.text(row))
    if kind == "class_name":
        for name in lasting_classes(page, row):
            yield Locator(kind, name)
    if kind == "tag_name":
        yield Locator(kind, page.tag(row))


def escaped(name: str) -> str:
    """Return an accessible name as it stands between the double quotes of a role locator."""
    return name.replace("\\", "\\\\").replace('"', '\\"')


def lasting(value: str | None) -> bool:
    """Return whether an id, name or class is likely to outlive a release."""
    return bool(value) and len(value or "") <= LONGEST_VALUE and not is_generated(value or "")


def lasting_classes(page: Page, row: int) -> list[str]:
    """Return the classes that do not look generated, the rarest on the page first."""
    classes = dict.fromkeys((page.value(row, "class") or "").split())
    shares = class_counts(page)
    return sorted(filter(lasting, classes), key=lambda name: shares[name])


@per_page
def text_counts(page: Page) -> list[int]:
    """Return how many elements have each text."""
    counts: list[int] = page.texts.counts().tolist()
    return counts


@per_page
def class_counts(page: Page) -> dict[str, int]:
    """Return how many elements have each class."""
    column = page.attribute("class")
    counts: dict[str, int] = {}
    for value, share in zip(column.values, column.counts().tolist(), strict=True):
        for name in set(value.split()):
            counts[name] = counts.get(name, 0) + share
    return counts


# -- CSS -----------------------------------------------------------------------------------------------------------


def css_locators(page: Page, row: int) -> Iterator[Locator]:
    """Yield CSS selectors, the most stable first; the last one always finds the element alone."""
    for selector in css_of_itself(page, row):
        yield Locator("css", selector)
    for above in page.ancestors(row):
        if start := css_anchor(page, above):
            for inner in (page.tag(row), *css_of_itself(page, row)):
                yield Locator("css", f"{start} {css_tag(inner) if inner == page.tag(row) else inner}")
            yield Locator("css", f"{start} > {css_steps(page, row, above)}")
    yield Locator("css", css_steps(page, row, -1))


def css_of_itself(page: Page, row: int) -> Iterator[str]:
    """Yield selectors of the element's own attributes and classes that may be unique."""
    attributes, tag = page.attributes(row), css_tag(page.tag(row))
    for name in TEST_ID_ATTRIBUTES:
        if attributes.get(name):
            yield f"[{name}={css_string(attributes[name])}]"
    if lasting(attributes.get("id")):
        yield f"#{css_identifier(attributes['id'])}"
    telling = telling_attributes(attributes)
    for name in telling:
        if is_alone_of_tag(page, row, page.attribute(name)):
            yield f"{tag}[{name}={css_string(attributes[name])}]"
    classes = lasting_classes(page, row)[:4]
    for size in (1, 2):
        for names_ in combinations(classes, size):
            yield tag + "".join(f".{css_identifier(name)}" for name in names_)
    for first, second in combinations(telling[:4], 2):
        yield f"{tag}[{first}={css_string(attributes[first])}][{second}={css_string(attributes[second])}]"


def telling_attributes(attributes: dict[str, str]) -> list[str]:
    """Return the names of the attributes that say which element it is: the known ones, then a site's own data."""
    own = [name for name in attributes if name.startswith("data-") and name not in TEST_ID_ATTRIBUTES and plain(name)]
    named = [name for name in (*TELLING_ATTRIBUTES, *own) if attributes.get(name)]
    return [name for name in named if lasting_value(name, attributes[name])]


def lasting_value(name: str, value: str) -> bool:
    """Return whether an attribute's value is short and, unless people read it, does not look generated.

    A number in a site's own ``data-`` attribute is the key of a record, not a counter of the page.
    """
    return len(value) <= LONGEST_VALUE and (
        name in WORDED or lasting(value) or (name.startswith("data-") and value.isdigit())
    )


def css_anchor(page: Page, row: int) -> str | None:
    """Return a short selector of an ancestor to start from, or None if it has none that lasts."""
    attributes, tag = page.attributes(row), page.tag(row)
    for name in TEST_ID_ATTRIBUTES:
        if attributes.get(name) and is_alone(page, name, attributes[name]):
            return f"[{name}={css_string(attributes[name])}]"
    if lasting(attributes.get("id")) and is_alone(page, "id", attributes["id"]):
        return f"#{css_identifier(attributes['id'])}"
    if tag in LANDMARKS and int(page.is_tag(tag).sum()) == 1:
        return tag
    alone = next((name for name in lasting_classes(page, row) if class_counts(page)[name] == 1), None)
    return f".{css_identifier(alone)}" if alone else None


def is_alone(page: Page, attribute: str, value: str) -> bool:
    """Return whether only one element has this value."""
    return len(page.attribute(attribute).rows_with(value)) == 1


def is_alone_of_tag(page: Page, row: int, column: Column) -> bool:
    """Return whether no other element of the tag has the element's value: a cheap look before a selector is run."""
    return int(((column.codes == column.codes[row]) & (page.tags.codes == page.tags.codes[row])).sum()) == 1


def css_steps(page: Page, row: int, above: int) -> str:
    """Return the child steps from an ancestor (-1: from the root itself) down to the element."""

    def step(at: int) -> str:
        which, many = page.position(at)
        return css_tag(page.tag(at)) + (f":nth-of-type({which})" if many > 1 else "")

    return " > ".join(map(step, steps_down(page, row, above)))


def steps_down(page: Page, row: int, above: int) -> list[int]:
    """Return the elements from below ``above`` (-1: from the root) down to ``row``."""
    rows = [row]
    for at in page.ancestors(row):
        if at == above:
            break
        rows.append(at)
    return rows[::-1]


def css_tag(tag: str) -> str:
    """Return a tag name as a type selector."""
    return tag if tag.isalnum() and tag.isascii() else css_identifier(tag)


def css_string(value: str) -> str:
    """Return a value as a CSS string in double quotes."""
    body = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\{ord(c):x} " for c in body) + '"'


# -- XPath ---------------------------------------------------------------------------------------------------------


def xpath_locators(page: Page, row: int) -> Iterator[Locator]:
    """Yield XPath expressions, the most stable first; the last one always finds the element alone."""
    for expression in xpath_of_itself(page, row):
        yield Locator("xpath", expression)
    for above in page.ancestors(row):
        if start := xpath_anchor(page, above):
            yield Locator("xpath", f"{start}/{xpath_steps(page, row, above)}")
    yield Locator("xpath", "/" + xpath_steps(page, row, -1))


def xpath_of_itself(page: Page, row: int) -> Iterator[str]:
    """Yield expressions of the element's own attributes and text that may be unique."""
    attributes, tag = page.attributes(row), xpath_test(page, row)
    sure = [name for name in (*TEST_ID_ATTRIBUTES, "id") if lasting(attributes.get(name))]
    for name in (*sure, *telling_attributes(attributes)):
        if is_alone_of_tag(page, row, page.attribute(name)):
            yield f"//{join_test(tag)}@{name}={xpath_string(attributes[name])}]"
    if 0 < page.solid_lengths[row] <= LONGEST_TEXT and is_alone_of_tag(page, row, page.texts):
        yield f"//{join_test(tag)}normalize-space()={xpath_string(page.text_content(row))}]"


def xpath_anchor(page: Page, row: int) -> str | None:
    """Return an expression of an ancestor to start from, or None if it has nothing lasting and unique."""
    attributes, tag = page.attributes(row), xpath_test(page, row)
    for name in (*TEST_ID_ATTRIBUTES, "id"):
        value = attributes.get(name)
        if value and lasting(value) and is_alone(page, name, value):
            return f"//{join_test(tag)}@{name}={xpath_string(value)}]"
    return None


def xpath_steps(page: Page, row: int, above: int) -> str:
    """Return the child steps from an ancestor (-1: from the root itself) down to the element."""

    def step(at: int) -> str:
        which, many = page.position(at)
        return xpath_test(page, at) + (f"[{which}]" if many > 1 else "")

    return "/".join(map(step, steps_down(page, row, above)))


def xpath_test(page: Page, row: int) -> str:
    """Return the node test of an element; SVG and MathML have a namespace, which only ``local-name()`` overlooks."""
    tag = page.tag(row)
    return tag if plain(tag) and not foreign(page)[row] else f"*[local-name()={xpath_string(tag)}]"


@per_page
def foreign(page: Page) -> list[bool]:
    """Return which elements stand in an SVG or MathML island."""
    flags: list[bool] = page.within(page.is_tag("svg", "math")).tolist()
    return flags


def join_test(test: str) -> str:
    """Return a node test ready to take one more condition: ``a[`` or ``*[local-name()='svg' and ``."""
    return f"{test[:-1]} and " if test.endswith("]") else f"{test}["


def plain(name: str) -> bool:
    """Return whether a tag or attribute name may stand in an XPath as it is."""
    return name.isascii() and name.replace("-", "").replace("_", "").isalnum() and not name[0].isdigit()


def xpath_string(value: str) -> str:
    """Return a value as an XPath 1.0 string, which has no escapes.

    >>> xpath_string("it's")
    '"it\\'s"'
    """
    if "'" not in value:
        return f"'{value}'"
    if '"' not in value:
        return f'"{value}"'
    return "concat(" + ', "\'", '.join(f"'{part}'" for part in value.split("'")) + ")"
