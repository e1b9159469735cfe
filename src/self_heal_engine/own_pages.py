"""A team's own pages: an old and a new state of one, labelled by the same rules and kept as a source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import Path

from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.files import read_html, write_text
from self_heal_engine.labels import label_pages
from self_heal_engine.parser import parse_html
from self_heal_engine.sources import FOLDER_NAME

LONGEST_NAME = 80


def add_pages(old: Path, new: Path, site: str, page: str | None, folder: Path, taken: Collection[str]) -> Counter[str]:
    """Keep two states of a page under ``<folder>/<site>/old`` and ``new``; return how many pairs each rule makes.

    CannotHeal ``bad_site`` if the site cannot be called so or another source is, ``same_page`` if nothing changed,
    ``no_pairs`` if no element can be recognised; then nothing is kept.
    """
    name = page or new.stem
    for what, given in (("site", site), ("page", name)):
        if not FOLDER_NAME.fullmatch(given) or len(given) > LONGEST_NAME:
            allowed = f"letters, digits, . _ and -; name it with --{what}"
            raise CannotHeal("bad_site", f"the {what} cannot be called {quoted(given)}: {allowed}")
    if site in taken:
        raise CannotHeal("bad_site", f"{quoted(site)} is already the name of a source")
    before, after = read_html(old), read_html(new)
    if before == after:
        raise CannotHeal("same_page", f"{quoted(old)} and {quoted(new)} are the same page")
    rules = Counter(match.rule for match in label_pages(parse_html(before), parse_html(after)))
    if not rules.total() - rules["R0"]:
        raise CannotHeal("no_pairs", f"no element of {quoted(old)} can be recognised in {quoted(new)}")
    write_text(folder / site / "old" / f"{name}.html", before)
    write_text(folder / site / "new" / f"{name}.html", after)
    return rules
