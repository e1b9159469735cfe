"""What labelling and case making cost per page, and how labelling grows with the page. Writes ``reports/data-cost.md``.

Measured on the small workspace (``make small``) in CPU time, medians; the growth on generated pages.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time

import numpy as np

from benchmarks.pages import generated
from self_heal_engine.cases import jobs, make_cases
from self_heal_engine.dataset import read_records
from self_heal_engine.files import write_text
from self_heal_engine.labels import label_pages
from self_heal_engine.overview import markdown
from self_heal_engine.pairs import Pair, label, page_pairs
from self_heal_engine.params import read_params
from self_heal_engine.parser import CACHE, read_page
from self_heal_engine.sources import read_sources

SIZES = (1_000, 4_000, 16_000, 64_000)


def seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds that some work takes, pages parsed anew."""
    CACHE.clear()
    start = process_time()
    work()
    return process_time() - start


def main(small: Path, report: Path) -> None:
    """Measure and write the table."""
    pages = small / "data" / "pages"
    labelling = [
        seconds(lambda where=where: label(pages, where))
        for where in page_pairs(pages, read_sources(small / "data/sources.toml"))
    ]
    pairs = list(read_records(small / "data" / "pairs.jsonl", Pair, "bad_pair"))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "pages").symlink_to(pages.resolve())
        work = jobs(Path(folder), pairs, read_params(small / "params.yaml").cases)
        making = [seconds(lambda job=job: make_cases(job)) for job in work]
        edited = len(list((Path(folder) / "edited").rglob("*.html")))
    growth = []
    for size in SIZES:
        old, new = (read_page(generated(size).replace("link", name)) for name in ("before", "after"))
        growth.append((len(old), seconds(lambda old=old, new=new: label_pages(old, new))))
    counts, times = np.array(growth).T
    exponent = np.polyfit(np.log(counts), np.log(times), 1)[0]
    text = [
        "# What the data costs",
        "",
        "`make data-cost` writes this page: CPU time on one core, medians over the page pairs of the small workspace.",
        "",
        *markdown(
            ["work", "milliseconds", "per"],
            [
                ["labelling, broken locators included", f"{1e3 * median(labelling):.0f}", "page in two releases"],
                ["making cases", f"{1e3 * median(making):.0f}", "page in two releases that has pairs"],
                ["an edited page", f"{1e3 * sum(making) / max(edited, 1):.0f}", "page, with its cases"],
            ],
        ),
        "",
        f"Labelling two generated pages; the time grows with the elements to the power of {exponent:.2f}.",
        "",
        *markdown(["elements", "milliseconds"], [[f"{many:,}", f"{1e3 * time:.0f}"] for many, time in growth]),
    ]
    write_text(report, "\n".join(text) + "\n")
    print("\n".join(text))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=Path, default=Path(".cache/small"))
    parser.add_argument("--report", type=Path, default=Path("reports/data-cost.md"))
    main(**vars(parser.parse_args()))
