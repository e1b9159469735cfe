"""DVC stage: what the first candidates of the training cases look like, for `self-heal drift`."""

from pathlib import Path

import typer

from self_heal_engine.errors import at_the_edge
from self_heal_engine.params import read_params
from self_heal_engine.reference import write_reference


def main(cases: Path, table: Path, model: Path, path: Path) -> None:
    """Write the reference of the candidate, from what rankers say of families that they were not trained on."""
    write_reference(cases, table, model, path, read_params(Path("params.yaml")).decision.gone_prior)


if __name__ == "__main__":
    at_the_edge("reference", lambda: typer.run(main))
