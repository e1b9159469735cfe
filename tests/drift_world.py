"""Sites in two releases, each with its own habits: cases, table and outcomes as training has them, in one process."""

import random
from functools import cache

import numpy as np

from self_heal_engine.dataset import Case
from self_heal_engine.feature_table import Table, rows_of
from self_heal_engine.outcomes import Job, judge, outcome_table
from self_heal_engine.parser import parse_html
from self_heal_engine.reference import in_training, reference_of

WORDS = (
    "Orders Cart Search Account Help Settings Invoices Reports Users Teams Billing Export Import Archive Delete Save Cancel "
    "Refresh Upload Download Share Print Comment Approve Reject Login Logout Profile Calendar Messages"
).split()
FAMILIES, PAGES, ELEMENTS, TARGETS = 8, 8, 12, 5


def site_page(family, number, new):
    """One page of a site, as it was or after a release: every site has its own habits, and its own share of ids."""
    shape, change = random.Random(f"{family} {number}"), random.Random(f"{family} {number} new")
    habits = random.Random(family)
    with_ids, nested = (
        habits.uniform(0.4, 0.9),
        habits.choice(["<div>{}</div>", "<li>{}</li>", "<p><span>{}</span></p>"]),
    )
    parts = []
    for at, word in enumerate(shape.sample(WORDS, ELEMENTS)):
        tag, key = shape.choice(["a", "button", "button"]), word.lower()
        has_id, renamed, reworded, moved = (
            shape.random() < with_ids, change.random() < 0.4, change.random() < 0.15, change.random() < 0.3
        )  # fmt: skip
        name = f"{key}-{'link' if new and renamed else 'item'}"
        text = f"{word} now" if new and reworded else word
        attributes = f' id="{name}"' if has_id else ""
        attributes += f' class="{"control" if new else "btn"} {key}" data-at="{at}"'
        own = f"<{tag}{attributes}>{text}</{tag}>"
        parts.append(f"<section>{nested.format(own)}</section>" if new and moved else nested.format(own))
    return f"<!doctype html><title>{family}</title><main><h1>Page {number}</h1>{''.join(parts)}</main>"


def row_at(html, at):
    (row,) = parse_html(html).css(f'[data-at="{at}"]')
    return int(row)


def write_world(data):
    """Write the pages of some sites in two releases; return the cases of locators that broke in between."""
    made, chance = [], random.Random(5)
    for family in (f"site{number}" for number in range(FAMILIES)):
        for number in range(PAGES):
            old, new = (site_page(family, number, later) for later in (False, True))
            for name, html in (("old", old), ("new", new)):
                path = data / family / f"{number}-{name}.html"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(html)
            for at in chance.sample(range(ELEMENTS), TARGETS):
                knowledge = chance.choice(["fingerprint", "text", "anchors"])
                word = random.Random(f"{family} {number}").sample(WORDS, ELEMENTS)[at]
                said = knowledge != "fingerprint"
                made.append(Case(
                    id=f"{family}-{number}-{at}", pair=f"{family}-{number}-{at}", source=family, family=family,
                    old_version="1", new_version="2", page=str(number), old_page=f"{family}/{number}-old.html",
                    new_page=f"{family}/{number}-new.html", old_row=row_at(old, at), new_row=row_at(new, at), rule="key",
                    difficulty="natural", operators=(), knowledge=knowledge, form="id", locator_type="css",
                    original_locator=f".btn.{word.lower()}", failure="gone", visible_text=word if said else None,
                    anchors=(f"Page {number}",) if knowledge == "anchors" else (),
                ))  # fmt: skip
    return made


def read_world(data, cases):
    """Return the feature table and what the weighted ranker did with each case, without other processes."""
    found = [rows_of(data, number, case) for number, case in enumerate(cases)]
    places, right, features = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    table = Table(tuple(cases), features, *(np.ascontiguousarray(column) for column in places.T), right)
    outcomes = outcome_table(cases, [row["weighted"] for row in judge(Job(data, ("weighted",), tuple(cases)))])
    return table, outcomes


@cache
def world(folder):
    """Return the cases, the table and the outcomes of a folder, which is filled."""
    cases = write_world(folder)
    return cases, *read_world(folder, cases)


def training(data):
    """Return the first candidates of the world's cases."""
    _, table, outcomes = world(data)
    chosen = dict(zip(outcomes["id"], outcomes["chosen"].tolist(), strict=True))
    return in_training(table, chosen, outcomes[["confidence", "healed"]].to_numpy(np.float64))


def reference(data):
    observed = training(data)
    return reference_of(observed, np.ones(len(observed)), "0" * 64)
