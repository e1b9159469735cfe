"""Pages of the GOV.UK Design System, put together from the example HTML that each release of govuk-frontend ships.

Every component of the package has a ``fixtures.json``: named examples with their HTML. A page takes the same examples
by name in every release; an example that a release does not have is left out of its page.
"""

import json
import os
import sys
from html import escape
from pathlib import Path

# A deck is a kind of page: the components from top to bottom, each with the examples that its pages take in turn.
# Examples that share an id with another component of the deck are kept apart.
Deck = dict[str, list[str]]
APPLICANT: Deck = {
    "error-summary": ["default", "mixed with and without links", "with everything", "error list with html link"],
    "input": [
        "default",
        "with hint text",
        "with error message",
        "with autocomplete attribute",
        "with pattern attribute",
        "with prefix",
        "with suffix",
        "with prefix and suffix and error",
        "custom type",
        "with extra letter spacing",
        "with label as page heading",
        "with width-10 class",
    ],
    "date-input": [
        "default",
        "with errors only",
        "with error on day input",
        "with autocomplete values",
        "with values",
        "with input attributes",
        "with nested name",
        "with error on month input",
        "suffixed id",
        "with error on year input",
        "with id on items",
        "with empty items",
    ],
    "radios": [
        "default",
        "inline",
        "with disabled",
        "with legend as page heading",
        "with a divider",
        "without fieldset",
        "with conditional items",
        "with very long option text",
        "small",
        "small inline",
        "with hint and error message",
        "prechecked using value",
    ],
    "password-input": ["default", "with hint text", "with error message", "with new-password autocomplete"],
    "button": ["default", "start", "prevent double click", "name", "input", "value"],
}
APPLICATION: Deck = {
    "input": [
        "with width-20 class",
        "with spellcheck disabled",
        "with error and hint",
        "value",
        "inputmode",
        "with prefix and suffix",
        "with width-5 class",
        "attributes",
    ],
    "character-count": [
        "default",
        "with hint",
        "with default value",
        "with default value exceeding limit",
        "with word count",
        "with threshold",
        "with translations",
        "custom classes with error message",
    ],
    "textarea": [
        "with error message",
        "with default value",
        "with label as page heading",
        "with hint and error message",
    ],
    "select": [
        "default",
        "with hint text and error message",
        "with label as page heading",
        "hint",
        "error",
        "with selected value",
        "attributes on items",
        "with describedBy",
    ],
    "checkboxes": [
        "default",
        "with divider and None",
        "with id and name",
        "with hints on items",
        "with disabled item",
        "with legend as a page heading",
        "with conditional items",
        "small with conditional reveal",
    ],
    "file-upload": ["default", "with hint text", "with error message and hint", "with value", "error"],
    "details": ["default", "expanded", "with html"],
    "button": ["Secondary", "secondary", "start link", "Warning", "warning", "link", "explicit link"],
}
SUMMARY: Deck = {
    "notification-banner": ["default", "with text as html", "with type as success", "with lots of content"],
    "summary-list": [
        "with actions",
        "check-your-answers",
        "with some actions",
        "overridden-widths",
        "actions href",
        "as a summary card with actions",
        "translated",
        "as a summary card with actions plus summary list actions",
    ],
    "task-list": ["default", "with hint text and additional states", "with very long single word tags"],
    "tabs": ["default", "tabs-with-anchor-in-panel", "idPrefix", "html"],
    "table": ["default", "table with head", "table with head and caption"],
    "warning-text": ["default", "multiple lines"],
    "details": ["with html", "default", "id"],
    "button": ["default", "attributes", "link classes", "type", "html"],
    "exit-this-page": ["default", "translated"],
}
GUIDANCE: Deck = {
    "panel": ["default", "custom heading level"],
    "inset-text": ["default", "with html"],
    "accordion": [
        "with focusable elements inside",
        "default",
        "with additional descriptions",
        "with one section open",
        "heading html",
    ],
    "tabs": ["tabs-with-anchor-in-panel", "default", "html as text", "title"],
    "details": ["expanded", "summary html", "classes", "attributes"],
    "pagination": [
        "default",
        "with prev and next only and labels",
        "with many pages",
        "first page",
        "last page",
        "with custom link and item text",
        "with next only",
        "with previous only",
    ],
    "feedback": ["default"],
}
ANSWERS: Deck = {
    "checkboxes": [
        "with conditional item checked",
        "with error message",
        "with very long option text",
        "small",
        "small with error",
        "small with hint",
        "with checked item",
        "fieldset params",
        "multiple hints",
        "with divider, None and conditional items",
    ],
    "radios": [
        "with hints on items",
        "with fieldset and error message",
        "small with hint",
        "small with a divider",
        "with conditional item checked",
        "minimal items and name",
        "small with error",
        "small with long text",
        "fieldset params",
        "with hints on parent and items",
    ],
    "button": ["default", "disabled", "link", "name", "no data-prevent-double-click"],
}
DECKS = {
    "applicant": APPLICANT,
    "application": APPLICATION,
    "summary": SUMMARY,
    "guidance": GUIDANCE,
    "answers": ANSWERS,
}
PAGES = {"applicant": 12, "application": 10, "summary": 8, "guidance": 8, "answers": 10}
FORMS = ("applicant", "application", "answers")

# Around the deck, taken in turn as well.
FRAME: Deck = {
    "cookie-banner": ["default", "accepted confirmation banner", "client-side implementation", "link", "with html"],
    "header": [
        "with service name and navigation",
        "with navigation",
        "with service name",
        "with product name",
        "with large navigation",
        "default",
    ],
    "phase-banner": ["default", "text"],
    "breadcrumbs": ["default", "without the home section", "with one level", "with last breadcrumb as current page"],
    "back-link": ["default", "classes"],
    "footer": ["with navigation", "with meta", "default", "with meta links and meta content", "Three equal columns"],
}
# Release 6 took the service's name and its navigation out of the header, into a component of its own.
AFTER_HEADER = {
    "with service name and navigation": "with service name and navigation",
    "with navigation": "default",
    "with service name": "with service link",
    "with large navigation": "with large navigation",
}

PAGE = """<!DOCTYPE html>
<html lang="en" class="govuk-template">
<head>
<meta charset="utf-8">
<title>{title} - Permits and licences - GOV.UK</title>
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<link rel="stylesheet" href="/assets/permits.css">
</head>
<body class="govuk-template__body">
{top}
<div class="govuk-width-container">
{before}
<main class="govuk-main-wrapper" id="main-content" role="main">
<div class="govuk-grid-row">
<div class="govuk-grid-column-two-thirds">
<h1 class="govuk-heading-xl">{title}</h1>
{main}
</div>
</div>
</main>
</div>
{bottom}
<script src="/assets/permits.js"></script>
</body>
</html>
"""

Examples = dict[str, dict[str, str]]


def main(out: Path) -> None:
    """Write every page."""
    examples = read_examples(Path(os.environ["PACKAGE"]))
    pages = [(deck, number) for deck, count in PAGES.items() for number in range(count)]
    for turn, (deck, number) in enumerate(pages):
        page = out / f"{deck}-{number + 1:02}.html"
        page.write_text(compose(examples, deck, number, turn), encoding="utf-8")


def read_examples(package: Path) -> Examples:
    """Return the HTML of every example, by component and name."""
    files = sorted(package.rglob("fixtures.json"))
    if not files:
        raise ValueError(f"no examples in {package}")
    return {
        file.parent.name: {each["name"]: each["html"] for each in json.loads(file.read_text("utf-8"))["fixtures"]}
        for file in files
    }


def compose(examples: Examples, deck: str, number: int, turn: int) -> str:
    """Return one page."""

    def around(component: str) -> str:
        names = FRAME[component]
        return example(examples, component, names[turn % len(names)])

    parts = [example(examples, component, names[number % len(names)]) for component, names in DECKS[deck].items()]
    main_part = "\n".join(part for part in parts if part)
    if deck in FORMS:
        action = f"/permits/apply/{deck}/{number + 1}"
        main_part = f'<form action="{action}" method="post" novalidate>\n{main_part}\n</form>'
    top = [example(examples, "skip-link", "default"), around("cookie-banner"), header(examples, turn)]
    # A question has the link back to the one before; other pages have the trail from the home page.
    before = [around("phase-banner"), around("back-link" if deck in FORMS else "breadcrumbs")]
    return PAGE.format(
        title=escape(f"{deck.capitalize()}, part {number + 1}"),
        top="\n".join(top),
        before="\n".join(before),
        main=main_part,
        bottom=around("footer"),
    )


def header(examples: Examples, turn: int) -> str:
    """Return the header, with the service's navigation inside or after it."""
    names = FRAME["header"]
    name = names[turn % len(names)]
    if name in examples["header"]:
        return examples["header"][name]
    after = AFTER_HEADER[name]
    return examples["header"]["default"] + "\n" + examples["service-navigation"][after]


def example(examples: Examples, component: str, name: str) -> str:
    """Return the HTML of an example; empty if this release does not have it."""
    return examples.get(component, {}).get(name, "")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
