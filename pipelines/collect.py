"""DVC stage: the pages of every release, fetched and rendered."""

from pathlib import Path

import typer
from rich.progress import track

from self_heal_engine.collection import Workshop, collect, each
from self_heal_engine.errors import at_the_edge
from self_heal_engine.params import read_params
from self_heal_engine.sources import all_sources, chosen


def main(table: Path, own: Path, pages: Path) -> None:
    """Collect what the parameters ask for; a line for each release as it is done."""
    params = read_params(Path("params.yaml")).collect
    sources = chosen(all_sources(table, own), params.only, params.browser)
    here = Path("pipelines/render"), table.parent / "locks", own, Path(".cache/packages")
    done = collect(sources, Workshop(pages, *here, params.python), params.allow_missing, params.workers)
    for line in track(done, "collecting", total=len(each(sources))):
        print(line, flush=True)


if __name__ == "__main__":
    at_the_edge("collect", lambda: typer.run(main))
