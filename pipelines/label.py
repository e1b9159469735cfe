"""DVC stage: which element of a page is which one of its next release."""

from functools import partial
from pathlib import Path

import typer

from self_heal_engine.collection import check_pages
from self_heal_engine.dataset import read_records, write_records
from self_heal_engine.errors import at_the_edge
from self_heal_engine.pairs import Judgement, corrected, label, page_pairs, settle
from self_heal_engine.parallel import in_parallel
from self_heal_engine.params import read_params
from self_heal_engine.sources import all_sources


def main(table: Path, own: Path, pages: Path, judgements: Path, pairs: Path, scheduler: str | None = None) -> None:
    """Label every page that two releases share; the pages' hashes are checked first."""
    params = read_params(Path("params.yaml")).label
    verdicts = list(read_records(judgements, Judgement, "bad_judgement"))
    check_pages(pages)
    jobs = page_pairs(pages, all_sources(table, own))
    found = (pair for members in in_parallel(partial(label, pages), jobs, scheduler) for pair in members)
    write_records(pairs, settle(corrected(found, verdicts, pages), verdicts, params))


if __name__ == "__main__":
    at_the_edge("label", lambda: typer.run(main))
