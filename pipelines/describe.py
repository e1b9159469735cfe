"""DVC stage: what the data holds, as a table, plots and numbers; fails if the split leaks."""

from pathlib import Path

import typer

from self_heal_engine.dataset import read_cases, read_records
from self_heal_engine.errors import at_the_edge
from self_heal_engine.files import write_json, write_text
from self_heal_engine.overview import closest_across_sides, plot, summary, table
from self_heal_engine.pairs import Judgement, Pair
from self_heal_engine.params import read_params


def main(data: Path, report: Path, scheduler: str | None = None) -> None:
    """Write ``summary.json``, ``README.md`` and the plots."""
    split = read_params(Path("params.yaml")).split
    pairs = list(read_records(data / "pairs.jsonl", Pair, "bad_pair"))
    verdicts = list(read_records(data / "judgements.jsonl", Judgement, "bad_judgement"))
    cases = list(read_cases(data / "cases.jsonl"))
    facts = summary(pairs, cases, verdicts, split) | closest_across_sides(data / "pages", split, scheduler)
    write_json(report / "summary.json", facts)
    write_text(report / "README.md", table(facts))
    plot(facts, report)


if __name__ == "__main__":
    at_the_edge("describe", lambda: typer.run(main))
