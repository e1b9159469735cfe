"""DVC stage: cases to the feature table that the ranker is trained on."""

from pathlib import Path

import typer

from self_heal_engine.dataset import read_cases
from self_heal_engine.errors import at_the_edge
from self_heal_engine.feature_table import write_table


def main(data: Path, folder: Path, scheduler: str | None = None) -> None:
    """Write the features of every candidate of every case."""
    cases = list(read_cases(data / "cases.jsonl"))
    print(f"{write_table(data, cases, folder, scheduler)} candidates of {len(cases)} cases")


if __name__ == "__main__":
    at_the_edge("features", lambda: typer.run(main))
