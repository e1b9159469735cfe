"""page(report) -> str: the report of a test session as one file of HTML that loads nothing and runs nothing."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files

from self_heal_engine.errors import ascii_safe
from self_heal_engine.locators import Locator
from self_heal_engine.session_data import Advice
from self_heal_engine.session_report import (
    GONE,
    HEALED,
    LOST,
    NEEDS_PERSON,
    SECTIONS,
    UNCHANGED,
    Answered,
    Asked,
    Element,
    SessionReport,
    counted,
)  # fmt: skip

# Texts of pages can be as long as pages.
MOST_TEXT, MOST_REASONS, MOST_RIVALS, MOST_PAGES = 160, 12, 4, 2

# What steers a terminal or a reader's eye instead of being seen: control characters, and those that turn text around.
STEERING = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

FRAMEWORKS = {
    "selenium_python": "Selenium, Python", "selenium_java": "Selenium, Java",
    "selenium_javascript": "Selenium, JavaScript", "playwright_python": "Playwright, Python",
    "playwright_typescript": "Playwright, TypeScript", "cypress": "Cypress",
}  # fmt: skip
TITLES = {NEEDS_PERSON: "Needs a person", HEALED: "Healed", GONE: "Gone", UNCHANGED: "Unchanged"}
STATES = {HEALED: "healed", GONE: "gone", UNCHANGED: "unchanged", LOST: "somewhere else"}
SAID = {"right": "confirmed", "wrong": "corrected by a person", "contradicted": "people disagree"}
LEADS = {
    NEEDS_PERSON: "Look at these before you trust the run. Confirming the right element settles one.",
    HEALED: "The element was found again; the new locator finds it alone.",
    GONE: "No element of the page is likely enough to be the wanted one: the test, or the application, has to change.",
    UNCHANGED: "The old locator still finds the right element: the test failed for another reason.",
}


def page(
    found: SessionReport,
    advice: Advice | None = None,
    policy: Sequence[str] = (),
    failed: Mapping[str, str] | None = None,
) -> str:
    """Return the report; nothing in it is a script, and its policy forbids any."""
    style = files("self_heal_engine").joinpath("session_report.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    allowed = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    sections = "\n".join(section(found, name) for name in SECTIONS if found.section(name))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{allowed}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>Test session {shown(found.session)}</title>\n<style>{style}</style></head>\n<body>\n"
        f'<a class="skip" href="#main">To the locators</a>\n{head(found)}\n<main id="main">\n'
        f"{judgement(policy, failed or {})}{sections}\n{patches(advice)}</main>\n"
        f"<footer>Confidence is the probability that the answered element is the right one; below "
        f"{found.least:.2f} a person should look.</footer>\n</body></html>\n"
    )


def head(found: SessionReport) -> str:
    """Return the title, the facts of the run, and the four counts, each a link to its section."""
    tiles = "".join(
        f'<li class="{name if many else "none"}"><a href="#{name if many else "main"}"><b>{many:,}</b> '
        f"<span>{SECTIONS[name]}</span></a></li>"
        for name, many in found.counts().items()
    )
    begin, end = (f"{moment:%Y-%m-%d %H:%M}" for moment in (found.first, found.last))
    when = begin if begin == end else f"{begin} to {end.removeprefix(begin[:11])}"
    what = f"{counted(found.heals, 'heal')} of {counted(len(found.asked), 'locator')}"
    meta = f"{what} · {when} UTC · {shown(', '.join(found.models))}"
    return (
        f'<header><p class="kicker">Test session</p><h1><bdi>{shown(found.session)}</bdi></h1>'
        f'<p class="meta">{meta}</p><ul class="tiles">{tiles}</ul></header>'
    )


def judgement(policy: Sequence[str], failed: Mapping[str, str]) -> str:
    """Return what the policy says of the run; nothing without one."""
    if not policy:
        return ""
    if not failed:
        return f'<p class="policy"><strong>Passed.</strong> Nothing is {shown(", ".join(policy))}.</p>\n'
    said = "".join(f"<li>{shown(sentence)}</li>" for sentence in failed.values())
    return f'<div class="policy failed"><strong>Failed.</strong><ul>{said}</ul></div>\n'


def section(found: SessionReport, name: str) -> str:
    """Return one section: cards where there is a before and after, a table where there is not."""
    some = found.section(name)
    if name == GONE:
        titles = ["Locator", "Visible text", "Came nearest", "Confidence", "Asked", "Page"]
        body = table("Locators whose element is gone", titles, [gone_row(asked, found.least) for asked in some])
    elif name == UNCHANGED:
        titles = ["Locator", "Element", "Confidence", "Asked", "Page"]
        body = table("Locators that still work", titles, [unchanged_row(asked, found.least) for asked in some])
    else:
        body = "\n".join(card(asked, found.least) for asked in some)
    title = f'<h2 id="{name}-title">{TITLES[name]} <span>{len(some):,}</span></h2>'
    return f'<section id="{name}" aria-labelledby="{name}-title">{title}<p>{LEADS[name]}</p>\n{body}</section>'


def gone_row(asked: Asked, least: float) -> list[str]:
    """Return the cells of a locator whose element is gone."""
    answer = asked.answers[0]
    told = [quoted_text(asked.visible_text), nearest(answer), confidence(answer, least)]
    return [kind_and_value(asked.locator), *told, f"{asked.times:,}", pages_of(asked)]


def unchanged_row(asked: Asked, least: float) -> list[str]:
    """Return the cells of a locator that still works."""
    answer = asked.answers[0]
    told = [named(answer.element), confidence(answer, least)]
    return [kind_and_value(asked.locator), *told, f"{asked.times:,}", pages_of(asked)]


# -- one locator -----------------------------------------------------------------------------------------------------


def card(asked: Asked, least: float) -> str:
    """Return one locator with its answers."""
    why = "".join(f"<li>{shown(sentence, 400)}</li>" for _, sentence in asked.needs)
    answers = "".join(answer_of(asked, answer, least) for answer in asked.answers)
    return f'<article class="card">{f"<ul class=why>{why}</ul>" if why else ""}{answers}</article>'


def answer_of(asked: Asked, answer: Answered, least: float) -> str:
    """Return one answer: before and after, the facts, and what can be unfolded."""
    old = kind_and_value(asked.locator)
    new = f'<dd><span class="badge {answer.state}">{STATES[answer.state]}</span></dd>'
    facts = [f"confidence {confidence(answer, least)}"]
    if answer.element is not None and answer.state in (HEALED, UNCHANGED):
        facts.insert(0, named(answer.element))
    if answer.element is not None and answer.state == HEALED:
        new = f'<dd class="new">{kind_and_value(answer.element.after(asked.locator.kind))}</dd>'
    facts += [f"asked {answer.times:,} times"] if answer.times > 1 else []
    facts += [f"on {shown(each)}" for each in answer.pages[:MOST_PAGES]]
    facts += others(len(answer.pages))
    facts += [f'<span class="badge {answer.said}">{SAID[answer.said]}</span>'] if answer.said else []
    listed = "".join(f"<li>{fact}</li>" for fact in facts)
    more = source(answer) + reasons(answer) + rivals(asked, answer)
    return (
        f'<div class="answer"><dl class="change"><dt>before</dt><dd class="old">{old}</dd><dt>after</dt>{new}</dl>'
        f'<ul class="facts">{listed}</ul><div class="more">{more}</div></div>'
    )


def source(answer: Answered) -> str:
    """Return the locator as source text for each framework, to be unfolded."""
    if answer.element is None or answer.state != HEALED:
        return ""
    written = answer.element.source()
    rows = [(FRAMEWORKS[name], f"<code>{shown(text, 400)}</code>") for name, text in written.items()]
    rows += [(f"as {shown(each.kind)}", f"<code>{shown(each.value, 400)}</code>") for each in answer.element.locators]
    listed = table("The new locator in each framework", ("Framework", "Source"), rows, style="plain")
    return unfolded("Source for your test", listed)


def reasons(answer: Answered) -> str:
    """Return why the element was chosen, to be unfolded."""
    if answer.element is None or not answer.element.reasons:
        return ""
    listed = "".join(f"<li>{shown(reason, 300)}</li>" for reason in answer.element.reasons[:MOST_REASONS])
    return unfolded("Why this element", f"<ul>{listed}</ul>")


def rivals(asked: Asked, answer: Answered) -> str:
    """Return the candidates where a person has to choose."""
    if not asked.needs or len(answer.candidates) < (1 if answer.state in (GONE, LOST) else 2):
        return ""
    rows = [
        (f"{at}", named(each), kind_and_value(each.after(asked.locator.kind)), score(each))
        for at, each in enumerate(answer.candidates[:MOST_RIVALS])
    ]
    listed = table("The candidates of this answer", ("Index", "Element", "Locator", "Score"), rows, style="plain")
    ids = f"<p>To confirm one: request <code>{shown(answer.request_ids[-1])}</code></p>"
    return unfolded("All candidates", listed + ids)


def score(element: Element) -> str:
    """Return how well a candidate scored."""
    return "-" if element.score is None else f"{element.score:.2f}"


def unfolded(title: str, body: str) -> str:
    """Return what a reader may unfold."""
    return f"<details><summary>{title}</summary>{body}</details>"


def kind_and_value(locator: Locator) -> str:
    """Return a locator."""
    return f'<span class="kind">{shown(locator.kind)}</span><code>{shown(locator.value, 500)}</code>'


def named(element: Element | None) -> str:
    """Return an element as its tag and text."""
    if element is None:
        return "-"
    tag = f"&lt;{shown(element.tag)}&gt; " if element.tag else ""
    return f"{tag}{quoted_text(element.text)}" if element.text.strip() else tag or "-"


def nearest(answer: Answered) -> str:
    """Return what came nearest to an element that is gone, or what was answered before a person said so."""
    if not answer.candidates:
        return "nothing"
    corrected = "" if answer.said != "wrong" else ' <span class="badge wrong">answered, but wrong</span>'
    return named(answer.candidates[0]) + corrected


def pages_of(asked: Asked) -> str:
    """Return on which pages a locator was asked for."""
    pages = list(dict.fromkeys(each for answer in asked.answers for each in answer.pages))
    return " ".join([", ".join(map(shown, pages[:MOST_PAGES])), *others(len(pages))]) or "-"


def others(pages: int) -> list[str]:
    """Return how many pages are not named, if any."""
    return [f"and {counted(pages - MOST_PAGES, 'other page')}"] if pages > MOST_PAGES else []


def confidence(answer: Answered, least: float) -> str:
    """Return a confidence as a bar with the least one marked, and as a number."""
    state, width = "sure" if answer.confidence >= least else "unsure", f"{100 * answer.confidence:.0f}"
    return (
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="all" width="100" height="8"/><rect class="{state}" width="{width}" height="8"/>'
        f'<rect class="least" x="{100 * least:.0f}" width="1.5" height="8"/></svg>{answer.confidence:.2f}'
    )


# -- patches ---------------------------------------------------------------------------------------------------------


def patches(advice: Advice | None) -> str:
    """Return the suggested patches; nothing if none were asked for."""
    if advice is None:
        return ""
    parts = []
    if advice.diff:
        lines = "".join(map(diff_line, advice.diff.split("\n")[:-1]))
        parts.append(f'<pre class="diff" tabindex="0" aria-label="Suggested patch">{lines}</pre>')
    if advice.left:
        rows = [
            (f"<code>{shown(f'{file}:{line}')}</code>", f"<code>{shown(value) or '-'}</code>", shown(why, 400))
            for file, line, value, why in advice.left
        ]
        listed = table("Places that were not changed", ("Place", "Locator", "Why"), rows)
        parts.append(f"<h3>Left to a person</h3>{listed}")
    said = "Only what needs no person is changed." if parts else "The tests that were looked at have nothing to change."
    title = '<h2 id="patches-title">Suggested patches</h2>'
    return f'<section id="patches" aria-labelledby="patches-title">{title}<p>{said}</p>{"".join(parts)}</section>\n'


def diff_line(line: str) -> str:
    """Return a line of a diff."""
    kind = "file" if line.startswith(("+++", "---")) else {"+": "add", "-": "cut", "@": "at"}.get(line[:1], "same")
    return f'<span class="{kind}">{shown(line.rstrip(chr(13)), 2_000) or " "}</span>'


# -- HTML ------------------------------------------------------------------------------------------------------------


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], style: str = "stack") -> str:
    """Return a table of cells that are HTML; the first of a row is its head."""
    titles = "".join(f'<th scope="col">{title}</th>' for title in head)
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>'
        + "".join(f'<td data-of="{title}">{cell}</td>' for title, cell in zip(head[1:], row[1:], strict=True))
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="wide"><table class="{style}"><caption>{caption}</caption><thead><tr>{titles}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def quoted_text(text: str | None) -> str:
    """Return a text of a page in quotation marks, set apart from the direction of what surrounds it."""
    return "-" if text is None else f"<bdi>“{shown(' '.join(text.split()))}”</bdi>"


def shown(text: str, most: int = MOST_TEXT) -> str:
    """Return a text as it may stand in HTML, cut, with what would steer the reader's eye made visible.

    >>> shown('<b>\\u202e"')
    '&lt;b&gt;\\\\u202e&quot;'
    """
    cut = text if len(text) <= most else text[:most] + "…"
    return html.escape(ascii_safe(STEERING.sub(lambda match: match[0].encode("unicode_escape").decode(), cut)))
