"""The card of a promoted model, Markdown: what it is for, what it was measured to do, and where it came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from self_heal_engine.goals import AT_MOST, GOALS
from self_heal_engine.markdown import markdown

INTENDED = """\
Heals broken locators of web tests: given a page, a locator that no longer finds its element, and whatever is known of
that element, it ranks the elements of the page and gives the probability that the first one is right. Below the
threshold it says that the element is gone. Meant for test suites of people's own applications, where a person or the
next test run sees what was healed. Not meant to find elements on pages that it was never asked to keep watch over, and
not to act on what cannot be undone (payments, deletions) without a person who confirms.
"""

LIMITS = """\
- Learnt on server-rendered and static pages of open-source applications and templates, mostly English, as their HTML
  stands after loading; shadow roots and frames are not in it, nor is what only a picture or a canvas shows.
- Masked and mutated cases are edits of real releases: what happens when so much changes, not how often it does.
- Where several elements are alike in all that the caller knows, the answer is a guess, and the confidence should be
  low.
- The probability assumes the share of gone elements that is given above. Where elements vanish more often, more of the
  heals are false than it says.
- Cases of one family are alike: intervals come from resampling families, and there are only so many of them.
"""


def model_card(facts: Mapping[str, Any]) -> str:
    """Return the card; the same facts give the same text.

    ``facts``: ``sha256`` of the model file, the ``commit``, the model's ``attributes``, ``metrics`` as the evaluation
    wrote them (or none of them), ``verdicts`` (gate, passed, sentence) and ``overrides`` (gate: why).
    """
    said, metrics = facts["attributes"], facts["metrics"]
    sections = {
        f"Model card: {said.get('name', 'model')}-{facts['sha256'][:8]}": introduction(said),
        "Intended use": INTENDED.splitlines(),
        "Data": data(metrics, said),
        "What it reaches on families never trained, tuned or gated on": reached(metrics),
        "Limits": LIMITS.splitlines(),
        "Gates of promotion": gated(facts["verdicts"], facts["overrides"]),
        "Provenance": provenance(facts, said),
    }
    lines: list[str] = []
    for number, (title, body) in enumerate(sections.items()):
        lines += [f"{'##' if number else '#'} {title}", "", *body, ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def introduction(said: Mapping[str, Any]) -> list[str]:
    """Return what the model is and from where on it heals."""
    features, decision = said.get("features", []), as_mapping(said.get("decision"))
    lines = [
        f"Gradient-boosted trees (XGBoost) over {len(features)} features, with a calibrated decision, in one JSON."
    ]
    if "threshold" in decision:
        lines.append(f"It heals from a confidence of {shown(decision['threshold'])} on.")
    if "gone_prior" in decision:
        lines.append(f"The confidence assumes that {shown(decision['gone_prior'])} of the wanted elements are gone.")
    return lines


def data(metrics: Mapping[str, Any], said: Mapping[str, Any]) -> list[str]:
    """Return what it was measured on; what it was trained on stands under provenance, with its hash."""
    cases = as_mapping(metrics.get("cases"))
    if not cases:
        return ["No evaluation was at hand when it was promoted."]
    families = ", ".join(map(str, cases.get("families", [])))
    return [
        f"Tested on {shown(cases.get('n'))} cases of {shown(cases.get('pairs'))} pairs of old and new elements, in "
        f"{shown(cases.get('gone'))} of which the element is gone, from the families {families}. The other families "
        "trained it. How the cases are made: `docs/data.md`.",
    ]


def reached(metrics: Mapping[str, Any]) -> list[str]:
    """Return the goals and the figures as tables, each figure with its 95 % interval and n."""
    goals = as_mapping(metrics.get("goals"))
    rows = [
        [goal.title, f"{'at most' if name in AT_MOST else 'at least'} {shown(goal.bound)}", *figure(facts.get("ours")),
         "yes" if facts.get("reached") else "no"]
        for name, goal in GOALS.items()
        if (facts := as_mapping(goals.get(name)))
    ]  # fmt: skip
    ours = as_mapping(as_mapping(metrics.get("rankers")).get("ours"))
    figures = [[name.replace("/", ", ").replace("_", " "), *figure(found)] for name, found in figures_in(ours)]
    if not rows and not figures:
        return ["No evaluation was at hand when it was promoted."]
    return [
        *(markdown(["goal", "asked", "value", "95 % interval", "n", "reached"], rows) if rows else []),
        *([""] if rows and figures else []),
        *(markdown(["all test cases", "value", "95 % interval", "n"], figures) if figures else []),
    ]


def gated(verdicts: Sequence[tuple[str, bool, str]], overrides: Mapping[str, str]) -> list[str]:
    """Return each gate with its numbers, and who said why one did not count."""
    rows = [
        [gate, "passed" if passed else "overridden" if gate in overrides else "failed", sentence]
        for gate, passed, sentence in verdicts
    ]
    lines = ["On out-of-fold cases of families that are not tested on.", "", *markdown(["gate", "", "numbers"], rows)]
    if overrides:
        lines += ["", *(f"- The gate `{gate}` was overridden: {oneline(why)}" for gate, why in overrides.items())]
    return lines


def provenance(facts: Mapping[str, Any], said: Mapping[str, Any]) -> list[str]:
    """Return where the model came from: hashes, commit, parameters, schema."""
    told = as_mapping(said.get("decision"))
    decision = {f"decision/{name}": told[name] for name in sorted(told) if isinstance(told[name], (int, float))}
    rows = {
        "content (SHA-256 of the file)": facts["sha256"],
        "commit at promotion": facts["commit"],
        "schema of the features": said.get("schema", "unknown"),
        **dict(values_in(as_mapping(said.get("provenance")))),
        **decision,
    }
    return markdown(["", ""], [[name, f"`{shown(value)}`"] for name, value in rows.items()])


# -- reading what others wrote -------------------------------------------------------------------------------------


def as_mapping(value: object) -> Mapping[str, Any]:
    """Return a mapping as it is; of what is none, an empty one."""
    return value if isinstance(value, Mapping) else {}


def figures_in(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the figures (with value, interval and n) of nested mappings, by the way to them."""
    for name, value in values.items():
        if isinstance(value, Mapping) and {"value", "low", "high", "n"} <= set(value):
            yield above + name, value
        elif isinstance(value, Mapping):
            yield from figures_in(value, f"{above}{name}/")


def values_in(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield what nested mappings hold, by the way to it, in the order of the names."""
    for name, value in sorted(values.items()):
        if isinstance(value, Mapping):
            yield from values_in(value, f"{above}{name}/")
        else:
            yield above + name, value


def figure(found: object) -> list[str]:
    """Return a figure as three cells."""
    facts = as_mapping(found)
    return [
        shown(facts.get("value")),
        f"{shown(facts.get('low'))} to {shown(facts.get('high'))}",
        shown(facts.get("n")),
    ]


def shown(value: object) -> str:
    """Return a value as a table shows it.

    >>> [shown(value) for value in (0.94999, 31_000, None, ["django", "moin"])]
    ['0.95', '31,000', '-', 'django, moin']
    """
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").rstrip(".") or "0"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return ", ".join(map(shown, value)) if isinstance(value, (list, tuple)) else oneline(str(value))


def oneline(text: str) -> str:
    """Return a text in one line that ends no cell of a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("`", "'")
