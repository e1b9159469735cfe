"""How often each property of the right element differs from the old one, by difficulty. Writes ``reports/change-rates.md``.

What stands beside it was measured on two public sites over five years, by hand: severity 2 is meant to be near that.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

from self_heal_engine.dataset import DIFFICULTIES, Case, open_page, read_cases
from self_heal_engine.files import write_text
from self_heal_engine.overview import markdown
from self_heal_engine.parallel import in_parallel
from self_heal_engine.paths import short_path

PUBLIC = {"path": "100", "class": "20-100", "href": "63", "text": "0-19", "id": "10-75", "tag": "0-14"}
PROPERTIES = ("path", "class", "href", "text", "id", "name", "tag")


def changed(case: Case) -> dict[str, bool]:
    """Return whether each property that the old element has is another one on the new page."""
    old, new = open_page(Path("data"), str(case.old_page)), open_page(Path("data"), case.new_page)
    before, after = int(case.old_row or 0), int(case.new_row or 0)
    ours, theirs = old.attributes(before), new.attributes(after)
    found = {name: value != theirs.get(name) for name, value in ours.items() if name in PROPERTIES and value}
    found |= {"tag": old.tag(before) != new.tag(after), "path": short_path(old, before) != short_path(new, after)}
    return found | ({"text": old.text(before) != new.text(after)} if old.text(before) else {})


def main(report: Path) -> None:
    """Count over all cases whose element is still there and write the table."""
    cases = [case for case in read_cases(Path("data/cases.jsonl")) if case.new_row is not None and case.old_page]
    seen: defaultdict[tuple[str, str], list[bool]] = defaultdict(list)
    for case, properties in zip(cases, in_parallel(changed, cases), strict=True):
        for name, differs in properties.items():
            seen[case.difficulty, name].append(differs)
    rows = [
        [
            difficulty,
            *(f"{sum(found) / len(found):.0%}" if (found := seen[difficulty, name]) else "-" for name in PROPERTIES),
        ]
        for difficulty in DIFFICULTIES
        if difficulty != "deleted"
    ]
    text = [
        "# How much changes",
        "",
        f"Of {len(cases):,} cases whose element is still there: how often each property that it had is another one now. The last",
        "line is what was found on hand-labelled pairs of two public sites over five years, in per cent.",
        "`make change-rates` writes this page.",
        "",
        *markdown(
            ["difficulty", *PROPERTIES], [*rows, ["public sites", *(PUBLIC.get(name, "-") for name in PROPERTIES)]]
        ),
    ]
    write_text(report, "\n".join(text) + "\n")
    print("\n".join(text))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", type=Path, default=Path("reports/change-rates.md"))
    main(**vars(parser.parse_args()))
