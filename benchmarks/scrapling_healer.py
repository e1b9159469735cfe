"""Scrapling's real package as a healer of the benchmark: its adaptive ``relocate``, at its own threshold.

``self-heal bench --healer benchmarks.scrapling_healer:heal --name "Scrapling (package)"`` gives it its row;
``python -m benchmarks.scrapling_healer`` writes ``reports/scrapling.md``: how often it and our own writing of its formula
choose the same element.

Without a page on which the locator worked it has nothing to look for, and says so. Scrapling knows CSS and XPath only,
so our engine finds the old element; it is carried over to Scrapling's tree, and what Scrapling finds carried back, as
the n-th element of its tag: the two parsers build different trees (tables without ``tbody``), but rarely other elements.
"""

from __future__ import annotations

import argparse
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
from lxml.html import HtmlElement
from scrapling.core.utils import _StorageTools
from scrapling.parser import Selector

from self_heal_engine.benchmark import run_healer
from self_heal_engine.candidates import candidates
from self_heal_engine.contest import chosen
from self_heal_engine.dataset import Case, open_page, read_cases, wanted
from self_heal_engine.dom import Page
from self_heal_engine.files import write_text
from self_heal_engine.goals import FULL
from self_heal_engine.markdown import markdown
from self_heal_engine.matching import matches
from self_heal_engine.metrics import wilson
from self_heal_engine.outcomes import outcomes
from self_heal_engine.params import read_params
from self_heal_engine.parser import parse_html
from self_heal_engine.reading import read_locator

PERCENTAGE = 40  # relocate's own default

# What stands in these is text to a browser with scripts, and elements to Scrapling's parser, or the other way round.
APART = "not(ancestor::noscript or ancestor::template)"


def heal(question: dict[str, Any]) -> dict[str, Any] | None:
    """Return Scrapling's answer as /heal answers, None if it has none."""
    baseline = question["context"]["baseline_html"]
    known = None if baseline is None else old_element(baseline, question["locator_type"], question["original_locator"])
    if known is None:
        return None
    page = Selector(question["html"])
    found = page.relocate(known, percentage=PERCENTAGE)
    # relocate returns the elements that score highest, in their order, and keeps the score to itself.
    score = page._Selector__calculate_similarity_score
    return {
        "decision": "healed" if found else "gone",
        "confidence": score(_StorageTools.element_to_dict(known), found[0]) / 100 if found else 0.0,
        "candidates": [{"locator": numbered(at), "locator_type": "xpath"} for at in found],
    }


def old_element(html: str, kind: str, value: str) -> HtmlElement | None:
    """Return the element of Scrapling's tree that a locator finds on the page where it worked."""
    page = parse_html(html)
    rows = matches(page, read_locator(kind, value)).tolist()
    if not rows:
        return None
    found = Selector(html)._root.xpath(nth(page.tag(rows[0]), number_of(page, rows[0])))
    return found[0] if found else None


def number_of(page: Page, row: int) -> int:
    """Return which of the elements of its tag a row is, the first being 1."""
    alike = matches(page, read_locator("xpath", f"//{page.tag(row)}[{APART}]"))
    return alike.tolist().index(row) + 1


def numbered(element: HtmlElement) -> str:
    """Return an element of Scrapling's tree as an XPath that finds it in a browser's too."""
    alike = element.getroottree().xpath(f"//{element.tag}[{APART}]")
    return nth(str(element.tag), alike.index(element) + 1)


def nth(tag: str, number: int) -> str:
    """Return the XPath of the n-th element of a tag.

    >>> nth("a", 3)
    '(//a[not(ancestor::noscript or ancestor::template)])[3]'
    """
    return f"(//{tag}[{APART}])[{number}]"


# -- beside our own writing of its formula -------------------------------------------------------------------------


def main(data: Path, sample: int, report: Path) -> None:
    """Run both on the same test cases and write how they agree."""
    split = read_params(Path("params.yaml")).split
    cases = [case for case in chosen(read_cases(data / "cases.jsonl"), "test", split, sample) if case.knowledge in FULL]
    ours = outcomes(data, cases, ["scrapling"])["scrapling"]
    package = run_healer("benchmarks.scrapling_healer:heal", cases, data, seconds=60.0)
    text = [
        "# Scrapling, the package and the formula",
        "",
        f"Scrapling {version('scrapling')}'s own `relocate` beside the baseline `scrapling`, which is its formula written on our table",
        f"(`baselines.py`), on {len(cases):,} test cases in which the whole fingerprint is known. Rates with 95 % Wilson intervals.",
        "`python -m benchmarks.scrapling_healer` writes this page.",
        "",
        *markdown(["", "cases", "of", "share"], agreement(cases, ours, package.table, data)),
        "",
        "The package ranks every element of the page, hidden ones and those that no test acts on too; the formula ranks our",
        f"candidates only. The package has no answer in {sum(package.problems.values())} cases.",
    ]
    write_text(report, "\n".join(text) + "\n")
    print("\n".join(text))


def agreement(cases: list[Case], ours: pd.DataFrame, theirs: pd.DataFrame, data: Path) -> list[list[str]]:
    """Return how often both do the same, and where the package's choice was when they do not."""
    same, there = ours["chosen"] == theirs["chosen"], ~ours["gone"]
    apart = [(case, row) for case, row, alike in zip(cases, theirs["chosen"], same, strict=True) if not alike]
    none = sum(row < 0 for _, row in apart)
    outside = sum(row >= 0 and row not in candidate_rows(case, data) for case, row in apart)
    counts = [
        ("both choose the same element", int(same.sum()), len(cases)),
        ("both heal, or both do not", int((ours["healed"] == theirs["healed"]).sum()), len(cases)),
        ("right element first, formula", int((ours["place"][there] == 1).sum()), int(there.sum())),
        ("right element first, package", int((theirs["place"][there] == 1).sum()), int(there.sum())),
        ("gone, and healed by the formula", int(ours["healed"][~there].sum()), int((~there).sum())),
        ("gone, and healed by the package", int(theirs["healed"][~there].sum()), int((~there).sum())),
        ("they differ: the package names none, its best being below 40 %", none, len(apart)),
        ("they differ: the package's is none of our candidates", outside, len(apart)),
        ("they differ: both are candidates", len(apart) - none - outside, len(apart)),
    ]
    return [[what, f"{many:,}", f"{of:,}", share(many, of)] for what, many, of in counts]


def candidate_rows(case: Case, data: Path) -> list[int]:
    """Return the elements that the baselines rank."""
    return candidates(open_page(data, case.new_page), wanted(case, data)).tolist()


def share(many: int, of: int) -> str:
    """Return a share in per cent with its interval."""
    if not of:
        return "-"
    low, high = wilson(many, of)
    return f"{many / of:.1%} [{low:.1%}, {high:.1%}]"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--sample", type=int, default=600, help="test cases, about half of which are of use")
    parser.add_argument("--report", type=Path, default=Path("reports/scrapling.md"))
    main(**vars(parser.parse_args()))
