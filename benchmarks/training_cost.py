"""What training costs after the cases are made, on 10, 30 and 100 % of them. Writes ``reports/training-cost.md``.

Every stage runs as ``dvc repro`` runs it, in a folder of its own: seconds by the clock, with all cores of the machine
(nothing else should run), and the peak memory of its largest process.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

from self_heal_engine.dataset import Case, read_cases, write_cases
from self_heal_engine.files import write_text
from self_heal_engine.markdown import markdown

ROOT = Path(__file__).parents[1]
SHARES = (10, 30, 100)

# So many cases stand together, so that a part has as many a page as the whole; the parts are spread over all families.
RUN = 64

TRAINED = ["models/best_params.json", "models/candidate.json"]
STAGES = {
    "features": ["data", "data/features"],
    "tune": ["data/cases.jsonl", "data/features", TRAINED[0]],
    "train": ["data/cases.jsonl", "data/features", *TRAINED],
    "evaluate": ["data", "data/features", *TRAINED, "models/baseline.json", "reports/evaluation"],
}


def main(data: Path, report: Path, stages: list[str]) -> None:
    """Measure some stages and write the table."""
    cases, found = list(read_cases(data / "cases.jsonl")), {}
    for share in SHARES:
        some = [case for at, case in enumerate(cases) if at // RUN * 37 % 100 < share]
        with tempfile.TemporaryDirectory() as folder:
            lay_out(data.resolve(), Path(folder), some)
            found[share] = {stage: measured(stage, Path(folder)) for stage in stages} | {"cases": (len(some), 0)}
        print(share, found[share], flush=True)
    rows = []
    for stage in stages:
        counts, seconds, gigabytes = np.array([(found[share]["cases"][0], *found[share][stage]) for share in SHARES]).T
        exponent = np.polyfit(np.log(counts), np.log(seconds), 1)[0]
        memory = gigabytes[-1] + (gigabytes[-1] - gigabytes[0]) / (counts[-1] - counts[0]) * (1e5 - counts[-1])
        shown = [f"{found[share][stage][0]:.0f} s, {found[share][stage][1]:.1f} GB" for share in SHARES]
        rows.append([stage, *shown, f"{seconds[-1] / counts[-1] * 1e5:.0f} s, {memory:.1f} GB", f"{exponent:.2f}"])
    total = sum(found[100][stage][0] for stage in stages)
    heads = [f"{share} %: {found[share]['cases'][0]:,} cases" for share in SHARES]
    text = [
        "# What training costs",
        "",
        f"`make training-cost` writes this page: seconds by the clock on {os.cpu_count()} cores, and the peak memory of the largest",
        f"process (there is one a core); of 100,000 cases memory is drawn out in a straight line. Of all cases {', '.join(stages)} take {total / 60:.1f} minutes.",
        "",
        *markdown(["stage", *heads, "per 100,000 cases", "time grows with the power"], rows),
    ]
    write_text(report, "\n".join(text) + "\n")


def lay_out(data: Path, folder: Path, cases: list[Case]) -> None:
    """Make a workspace with some of the cases; their pages stay where they are."""
    for name in ("params.yaml", "pipelines", "models/baseline.json"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).symlink_to(ROOT / name)
    (folder / "data").mkdir()
    for name in ("pages", "edited", "training", "judgements.jsonl"):
        (folder / "data" / name).symlink_to(data / name)
    write_cases(folder / "data" / "cases.jsonl", cases)


def measured(stage: str, folder: Path) -> tuple[float, float]:
    """Return the seconds that a stage takes and the gigabytes of its largest process."""
    start = perf_counter()
    command = [sys.executable, f"pipelines/{stage}.py", *STAGES[stage]]
    with subprocess.Popen(command, cwd=folder) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return perf_counter() - start, used.ru_maxrss / 1e6


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--report", type=Path, default=Path("reports/training-cost.md"))
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=list(STAGES))
    main(**vars(parser.parse_args()))
