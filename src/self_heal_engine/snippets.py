"""A locator as source text: what to paste into a Selenium, Playwright or Cypress test."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from self_heal_engine.locators import Locator, test_id_of
from self_heal_engine.parser import css_identifier
from self_heal_engine.reading import clues

# Selenium's By constants by kind; kinds it does not have are missing.
SELENIUM = {
    "css": "CSS_SELECTOR",
    "xpath": "XPATH",
    "id": "ID",
    "name": "NAME",
    "class_name": "CLASS_NAME",
    "tag_name": "TAG_NAME",
    "link_text": "LINK_TEXT",
    "partial_link_text": "PARTIAL_LINK_TEXT",
}
JAVA = {
    "css": "cssSelector",
    "xpath": "xpath",
    "id": "id",
    "name": "name",
    "class_name": "className",
    "tag_name": "tagName",
    "link_text": "linkText",
    "partial_link_text": "partialLinkText",
}
JAVASCRIPT = {**JAVA, "css": "css"}
PLAYWRIGHT = {
    "test_id": "get_by_test_id",
    "text": "get_by_text",
    "label": "get_by_label",
    "placeholder": "get_by_placeholder",
    "alt_text": "get_by_alt_text",
    "title": "get_by_title",
}


def snippets(locators: list[Locator]) -> dict[str, str]:
    """Return, for each framework, the first of the locators that it can express.

    >>> snippets([Locator("role", 'button[name="Sign in"]'), Locator("css", "#go")])["selenium_python"]
    'driver.find_element(By.CSS_SELECTOR, "#go")'
    """
    written = {name: next(filter(None, map(write, locators)), None) for name, write in FRAMEWORKS.items()}
    return {name: source for name, source in written.items() if source}


def selenium_python(locator: Locator) -> str | None:
    """Return the call in Selenium's Python binding."""
    if by := SELENIUM.get(locator.kind):
        return f"driver.find_element(By.{by}, {quote(locator.value)})"
    return None


def selenium_java(locator: Locator) -> str | None:
    """Return the call in Selenium's Java binding."""
    if by := JAVA.get(locator.kind):
        return f"driver.findElement(By.{by}({quote(locator.value)}));"
    return None


def selenium_javascript(locator: Locator) -> str | None:
    """Return the call in Selenium's JavaScript binding."""
    if by := JAVASCRIPT.get(locator.kind):
        return f"await driver.findElement(By.{by}({quote(locator.value)}));"
    return None


def playwright_python(locator: Locator) -> str | None:
    """Return the call in Playwright's Python binding."""
    if locator.kind == "role":
        said = clues(locator)
        named = f", name={quote(said.name)}, exact=True" if said.name else ""
        return f"page.get_by_role({quote(said.role or '')}{named})"
    if (method := PLAYWRIGHT.get(locator.kind)) and not names_its_attribute(locator):
        exact = "" if locator.kind == "test_id" else ", exact=True"
        return f"page.{method}({quote(locator.value)}{exact})"
    selector = selector_of(locator)
    return f"page.locator({quote(selector)})" if selector else None


def playwright_typescript(locator: Locator) -> str | None:
    """Return the call in Playwright's TypeScript binding."""
    if locator.kind == "role":
        said = clues(locator)
        named = f", {{ name: {quote(said.name)}, exact: true }}" if said.name else ""
        return f"page.getByRole({quote(said.role or '')}{named})"
    if (method := PLAYWRIGHT.get(locator.kind)) and not names_its_attribute(locator):
        camel = re.sub(r"_(\w)", lambda match: match[1].upper(), method)
        exact = "" if locator.kind == "test_id" else ", { exact: true }"
        return f"page.{camel}({quote(locator.value)}{exact})"
    selector = selector_of(locator)
    return f"page.locator({quote(selector)})" if selector else None


def names_its_attribute(locator: Locator) -> bool:
    """Return whether it is a test id in an attribute that Playwright does not look at unless told to."""
    return locator.kind == "test_id" and len(test_id_of(locator.value)[0]) == 1


def cypress(locator: Locator) -> str | None:
    """Return the call in Cypress, which finds by CSS alone."""
    selector = selector_of(locator)
    return f"cy.get({quote(selector)})" if selector and locator.kind != "xpath" else None


def selector_of(locator: Locator) -> str | None:
    """Return the locator as a CSS selector, or as ``xpath=...``, where it can be one."""
    kind, value = locator.kind, locator.value
    if kind == "test_id":
        attributes, wanted = test_id_of(value)
        return f"[{attributes[0]}={quote(wanted)}]"
    if kind in ("name", "placeholder", "alt_text", "title"):
        return f"[{kind.removesuffix('_text')}={quote(value)}]"
    if kind == "id":
        return f"#{css_identifier(value)}"
    if kind == "class_name":
        return f".{css_identifier(value)}"
    if kind == "xpath":
        return f"xpath={value}"
    return value if kind in ("css", "tag_name") else None


def quote(value: str) -> str:
    """Return a string literal that Python, Java, JavaScript and CSS read alike."""
    return json.dumps(value, ensure_ascii=False)


FRAMEWORKS: dict[str, Callable[[Locator], str | None]] = {
    "selenium_python": selenium_python,
    "selenium_java": selenium_java,
    "selenium_javascript": selenium_javascript,
    "playwright_python": playwright_python,
    "playwright_typescript": playwright_typescript,
    "cypress": cypress,
}
