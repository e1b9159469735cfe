"""The locators that a test might hold for an element, and how each fails on a later page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from self_heal_engine.accessibility import label_texts, roles
from self_heal_engine.accessible_names import names
from self_heal_engine.dom import Page
from self_heal_engine.locators import TEST_ID_ATTRIBUTES, Locator
from self_heal_engine.matching import matches
from self_heal_engine.parser import css_identifier
from self_heal_engine.writing import (
    css_steps,
    css_string,
    css_tag,
    escaped,
    plain,
    xpath_steps,
    xpath_string,
    xpath_test,
)

# How a locator fails: it finds nothing, or silently another element.
Failure = Literal["gone", "wrong_element"]

# Texts longer than this are not written into tests.
LONGEST_TEXT = 60

# The forms in which people and recorders write locators; several are of one kind. "as_sent": as a caller sent it.
FORMS = (
    "css_path", "css_id_path", "css_class", "css_attribute", "absolute_xpath", "id_xpath", "attribute_xpath",
    "text_xpath", "id", "name", "class_name", "tag_name", "link_text", "partial_link_text", "test_id", "role", "text",
    "label", "placeholder", "alt_text", "title", "as_sent",
)  # fmt: skip


def locators_of(page: Page, row: int) -> Iterator[tuple[str, Locator]]:
    """Yield (form, locator) for each form that finds the element, and it alone, on its page."""
    for form, locator in written(page, row):
        if matches(page, locator).tolist() == [row]:
            yield form, locator


def written(page: Page, row: int) -> Iterator[tuple[str, Locator]]:
    """Yield every form in which the element can be written, unique or not."""
    attributes, tag, text = page.attributes(row), page.tag(row), page.text(row)
    yield "css_path", Locator("css", css_steps(page, row, -1))
    yield "absolute_xpath", Locator("xpath", "/" + xpath_steps(page, row, -1))
    yield "tag_name", Locator("tag_name", tag)
    above = next((at for at in page.ancestors(row) if page.value(at, "id")), None)
    if above is not None:
        anchor = page.value(above, "id") or ""
        yield "css_id_path", Locator("css", f"#{css_identifier(anchor)} > {css_steps(page, row, above)}")
        yield "id_xpath", Locator("xpath", f"//*[@id={xpath_string(anchor)}]/{xpath_steps(page, row, above)}")
    classes = list(dict.fromkeys((attributes.get("class") or "").split()))
    if classes:
        yield "css_class", Locator("css", css_tag(tag) + "".join(f".{css_identifier(name)}" for name in classes))
        yield from (("class_name", Locator("class_name", name)) for name in classes[:3])
    for name in ("name", "href", "placeholder", "value", "data-target", "data-toggle"):
        value = attributes.get(name)
        if value and len(value) <= LONGEST_TEXT:
            yield "css_attribute", Locator("css", f"{css_tag(tag)}[{name}={css_string(value)}]")
            if plain(name):
                yield "attribute_xpath", Locator("xpath", f"//{xpath_test(page, row)}[@{name}={xpath_string(value)}]")
    for kind in ("id", "name"):
        if attributes.get(kind):
            yield kind, Locator(kind, attributes[kind])
    for attribute in TEST_ID_ATTRIBUTES:
        if attributes.get(attribute):
            named = "" if attribute == TEST_ID_ATTRIBUTES[0] else f"{attribute}="
            yield "test_id", Locator("test_id", named + attributes[attribute])
    if 0 < len(text) <= LONGEST_TEXT and tag not in ("select", "textarea"):  # their text is a choice or content
        yield from of_text(page, row, tag, text)
    for kind, attribute in (("placeholder", "placeholder"), ("alt_text", "alt"), ("title", "title")):
        if attributes.get(attribute) and len(attributes[attribute]) <= LONGEST_TEXT:
            yield kind, Locator(kind, attributes[attribute])
    for label in label_texts(page).get(row, [])[:1]:
        if 0 < len(label) <= LONGEST_TEXT:
            yield "label", Locator("label", label)
    role, name_ = roles(page)[row], names(page)[row]
    if role and name_ and len(name_) <= LONGEST_TEXT:
        yield "role", Locator("role", f'{role}[name="{escaped(name_)}"]')


def of_text(page: Page, row: int, tag: str, text: str) -> Iterator[tuple[str, Locator]]:
    """Yield the forms that say what the element reads."""
    yield "text", Locator("text", page.text_content(row))
    content = xpath_string(page.text_content(row))
    yield "text_xpath", Locator("xpath", f"//{xpath_test(page, row)}[normalize-space()={content}]")
    if tag == "a":
        yield "link_text", Locator("link_text", text)
        words = text.split()
        if len(words) > 1:
            yield "partial_link_text", Locator("partial_link_text", " ".join(words[: (len(words) + 1) // 2]))


def failure(page: Page, locator: Locator, target: int | None) -> Failure | None:
    """Return how a locator fails on a page where its element is ``target`` (None: removed); None if it still works.

    A test takes the first match: a locator that finds the target first still works.
    """
    found = matches(page, locator)
    if not len(found):
        return "gone"
    return None if int(found[0]) == target else "wrong_element"
