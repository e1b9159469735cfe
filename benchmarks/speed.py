"""How long a heal takes, beside the bare parse and Scrapling's real ``relocate``, on the same pages in one run.

``python -m benchmarks.speed [--quick]`` writes reports/speed.md and reports/speed.json.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import turbohtml
from scrapling.parser import Selector

from benchmarks.pages import BenchmarkPage, benchmark_pages
from self_heal_engine import Fingerprint, Locator, fingerprint, heal
from self_heal_engine.accessibility import labels, roles
from self_heal_engine.accessible_names import names
from self_heal_engine.candidates import candidates
from self_heal_engine.dom import Page
from self_heal_engine.explaining import reasons
from self_heal_engine.matching import matches
from self_heal_engine.parser import read_page
from self_heal_engine.ranking import weighted
from self_heal_engine.writing import unique_locators

REPORTS = Path("reports")
TARGETS = 5  # elements healed on each page, evenly spread
GOALS = {"scrapling": 25.0, "1,700": 6.0, "25,000": 12.0}


def broken(page: Page) -> list[Fingerprint]:
    """Return the fingerprints of some elements that a test would use, their id and name no longer on the page."""
    rows = [row for row in page.css("a, button, input, select").tolist() if not page.hidden[row]]
    rows = [rows[int(at)] for at in np.linspace(0, len(rows) - 1, TARGETS + 2)[1:-1]]
    return [
        replace(
            known,
            locator=Locator("css", "#no-longer-there"),
            attributes={**known.attributes, "id": "no-longer-there"},
        )
        for known in (fingerprint(page, row) for row in rows)
    ]


def seconds(work: Callable[[], object]) -> float:
    """Return the CPU time of one call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def measure(page: BenchmarkPage, runs: int, peer_runs: int) -> dict[str, object]:
    """Return the medians of one page; ours and the peer take turns, so that a noisy machine hits both."""
    parsed = read_page(page.html)
    wanted = broken(parsed)
    elements = list(Selector(page.html).css("a, button, input, select"))
    times: dict[str, list[float]] = {"parse": [], "heal": [], "cached": [], "scrapling": []}
    for run in range(runs):
        known = wanted[run % TARGETS]
        times["parse"].append(seconds(lambda: turbohtml.parse(page.html, scripting=True, positions=False)))
        times["heal"].append(seconds(lambda known=known: heal(read_page(page.html), known)))
        warm = read_page(page.html)
        heal(warm, known)
        times["cached"].append(seconds(lambda known=known, warm=warm: heal(warm, known)))
        if run < peer_runs:
            old = elements[(run % TARGETS + 1) * len(elements) // (TARGETS + 2)]
            times["scrapling"].append(seconds(lambda old=old: Selector(page.html).relocate(old._root, percentage=0)))
    medians = {name: statistics.median(found) for name, found in times.items()}
    quartiles = statistics.quantiles(times["heal"], n=4)
    return {
        "page": page.name,
        "source": page.source,
        "elements": len(parsed),
        "megabytes": round(len(page.html.encode()) / 1e6, 2),
        **{f"{name}_ms": round(1e3 * median, 2) for name, median in medians.items()},
        "heal_quartiles_ms": [round(1e3 * quartiles[0], 2), round(1e3 * quartiles[2], 2)],
        "heal_over_parse": round(medians["heal"] / medians["parse"], 1),
        "scrapling_over_heal": round(medians["scrapling"] / medians["heal"], 1),
        "stages_ms": stages(page.html, wanted[0], runs),
        "peak_megabytes": peak_memory(page.html),
    }


def stages(html: str, known: Fingerprint, runs: int) -> dict[str, float]:
    """Return where the time goes: the stages called in their order, each timed alone, medians."""
    found: dict[str, list[float]] = {}

    def timed(stage: str, work: Callable[[], object]) -> object:
        began = time.process_time()
        answer = work()
        found.setdefault(stage, []).append(time.process_time() - began)
        return answer

    for _ in range(max(3, runs // 3)):
        timed("parse", lambda: turbohtml.parse(html, scripting=True, positions=False))
        page = timed("parse and table", lambda: read_page(html))
        timed("texts", lambda: page.texts)  # noqa: B023
        timed("roles, names, labels", lambda: (roles(page), names(page), labels(page)))  # noqa: B023
        rows = timed("candidates", lambda: candidates(page, known))  # noqa: B023
        scores = timed("ranking", lambda: weighted(page, rows, known))  # noqa: B023
        best = rows[np.argsort(-scores, kind="stable")[:5]].tolist()
        timed("old locator", lambda: matches(page, known.locator))  # noqa: B023
        timed("locators", lambda: [unique_locators(page, row) for row in best])  # noqa: B023
        timed("reasons", lambda: [reasons(page, row, known) for row in best])  # noqa: B023
    return {stage: round(1e3 * statistics.median(times), 2) for stage, times in found.items()}


MEMORY = """
import sys
from pathlib import Path
from benchmarks.speed import broken
from self_heal_engine import heal
from self_heal_engine.parser import read_page
def kilobytes(what):
    return int(Path("/proc/self/status").read_text().split(what + ":")[1].split()[0])
html = sys.stdin.read()
small = read_page("<p><a>x</a>" * 9); heal(small, broken(small)[0])
Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew from what is in use now
before = kilobytes("VmRSS")
page = read_page(html); heal(page, broken(page)[0])
print(kilobytes("VmHWM") - before)
"""


def peak_memory(html: str) -> float:
    """Return how many megabytes one heal in a fresh process needs at most beside what was in use (Linux only)."""
    done = subprocess.run([sys.executable, "-c", MEMORY], input=html, capture_output=True, text=True, check=True)
    return round(int(done.stdout) / 1024, 1)


def slope(results: list[dict[str, object]]) -> float:
    """Return the exponent of the heal's time over the elements of the generated pages: 1 is linear."""
    made = [(result["elements"], result["heal_ms"]) for result in results if result["source"] == "generator"]
    logs = [(math.log(elements), math.log(took)) for elements, took in made]  # type: ignore[arg-type]
    return round(float(np.polyfit(*zip(*logs, strict=True), 1)[0]), 2)


def verdicts(results: list[dict[str, object]]) -> list[tuple[str, str, str, str]]:
    """Return (what, goal, result, met or missed by how much)."""
    rows = []
    for result in results:
        goal, reached = GOALS["scrapling"], float(result["scrapling_over_heal"])  # type: ignore[arg-type]
        said = "met" if reached >= goal else f"missed: {reached / goal:.0%} of it"
        rows.append((f"faster than Scrapling: {result['page']}", f">= {goal:g}x", f"{reached:g}x", said))
    for size, low, high in (("1,700", 1_400, 2_100), ("25,000", 22_000, 32_000)):
        for result in results:
            if low <= int(result["elements"]) <= high:  # type: ignore[call-overload]
                goal, reached = GOALS[size], float(result["heal_over_parse"])  # type: ignore[arg-type]
                said = "met" if reached <= goal else f"missed: {reached / goal:.1f} times it"
                rows.append(
                    (f"heal over parse, about {size}: {result['page']}", f"<= {goal:g}x", f"{reached:g}x", said)
                )
    return rows


def report(results: list[dict[str, object]]) -> str:
    """Return the report as Markdown."""
    lines = [
        "# Speed",
        "",
        "Made by `make bench` (`python -m benchmarks.speed`). CPU milliseconds, medians; one run, ours and the peer taking",
        f"turns, on {platform.machine()} with Python {platform.python_version()}. *Heal*: from the HTML string to five",
        "candidates, each with verified locators and reasons, nothing cached; *cached*: the page's table is known.",
        "*Scrapling*: the real package's `Selector(html).relocate(...)`, which returns the element only. Absolute figures",
        "move with the machine; the ratios matter.",
        "",
        "| page | elements | MB | parse | heal (quartiles) | cached | Scrapling | heal / parse | Scrapling / heal | peak MB |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for result in results:
        low, high = result["heal_quartiles_ms"]  # type: ignore[misc]
        lines.append(
            f"| {result['page']} | {result['elements']:,} | {result['megabytes']} | {result['parse_ms']} | "
            f"{result['heal_ms']} ({low}-{high}) | {result['cached_ms']} | {result['scrapling_ms']} | "
            f"{result['heal_over_parse']} | {result['scrapling_over_heal']} | {result['peak_megabytes']} |"
        )
    lines += ["", "## Goals", "", "| what | goal | result | verdict |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for row in verdicts(results)]
    lines += [f"| cost over elements, generated pages | exponent about 1 | {slope(results)} | |", ""]
    lines += [
        "## Where the time goes, ms",
        "",
        "Each stage called alone, in order; a stage's own memory of a page is warm for the next.",
        "",
    ]
    named = list(results[0]["stages_ms"])  # type: ignore[call-overload]
    lines += [f"| page | {' | '.join(named)} |", "|---" * (len(named) + 1) + "|"]
    for result in results:
        took = result["stages_ms"]
        lines.append(f"| {result['page']} | {' | '.join(str(took[stage]) for stage in named)} |")  # type: ignore[index]
    lines += ["", "## Sources", "", *(f"- {result['page']}: {result['source']}" for result in results), ""]
    return "\n".join(lines)


def main() -> None:
    """Measure every page and write the report."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="fewer runs, and not the largest pages")
    quick = options.parse_args().quick
    results = []
    for page in benchmark_pages(quick):
        large = len(page.html) > 900_000
        results.append(measure(page, runs=5 if large else 15, peer_runs=1 if large else 3 if quick else 5))
        print(
            json.dumps(
                {name: results[-1][name] for name in ("page", "elements", "heal_over_parse", "scrapling_over_heal")}
            )
        )
    REPORTS.mkdir(exist_ok=True)
    (REPORTS / "speed.md").write_text(report(results), "utf-8")
    (REPORTS / "speed.json").write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    main()
