"""The command that says whether what is healed still looks like the training data."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from self_heal_engine.errors import CannotHeal, printable

app = typer.Typer(rich_markup_mode=None)

MOVED = 1


def need_drift(workbench: bool) -> None:
    """Raise CannotHeal ``no_serve`` or ``no_workbench`` where what this needs is not installed."""
    if find_spec("sqlalchemy") is None:
        raise CannotHeal("no_serve", "heals are stored by the service: `pip install 'self-heal-engine[serve]'`")
    if workbench and find_spec("mlflow") is None:
        raise CannotHeal("no_workbench", "mlflow is not installed: `pip install 'self-heal-engine[workbench]'`")


@app.command("drift")
def drift_command(
    days: Annotated[float, typer.Option(min=0.01, max=3650, help="How far back to look.")] = 7.0,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="From when on instead, in UTC: 2026-11-24."),
    ] = None,
    reference: Annotated[Path, typer.Option(help="What the training data of the model that serves look like.")] = Path(
        "models/reference.json"
    ),
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all of it as JSON.")] = None,
    figure: Annotated[Path | None, typer.Option(help="Draw what moved as SVG.")] = None,
    track: Annotated[
        bool | None, typer.Option(help="Log an MLflow run; by default where the workbench is installed.")
    ] = None,
) -> None:
    """Compare recent heals with the training data; exit code 1 if something has moved."""
    need_drift(workbench=bool(track) or figure is not None)
    from self_heal_engine.drift import as_data, compare, observe, told
    from self_heal_engine.files import write_json
    from self_heal_engine.reference import read_reference
    from self_heal_engine.storage import settled_store

    known = read_reference(reference)
    start = datetime.now(UTC) - timedelta(days=days) if since is None else since.replace(tzinfo=UTC)
    with closing(settled_store()) as store:
        found = compare(known, *observe(store, start, known.model_sha256[:8]))
    for line in told(found, start).splitlines():
        print(printable(line))
    artifacts = [path for path in (json_file, figure) if path is not None and (found.moves or path is json_file)]
    if json_file is not None:
        write_json(json_file, as_data(found, start))
    if figure is not None and found.moves:
        from self_heal_engine.figures import shares_beside

        drawn = [(f"{move.name}: PSI {move.psi:.2f}", move.bins, move.reference, move.now) for move in found.shown]
        shares_beside(drawn, ("training", "now"), figure)
    if found.moves and (find_spec("mlflow") is not None if track is None else track):
        from self_heal_engine.registry import open_store, tracked

        about = {"model": found.model, "since": start.isoformat(), "moved": ", ".join(m.name for m in found.moved)}
        numbers = {
            "heals": found.heals, "pages": found.pages, "sites": found.sites, "moved": len(found.moved),
            "psi": {move.name: move.psi for move in found.moves}, "p": {move.name: move.p for move in found.moves},
            "mix": found.mix,
        }  # fmt: skip
        tracked(open_store(Path()), "drift", f"drift of {found.model}", about, numbers, artifacts)
    if found.moved:
        raise typer.Exit(MOVED)
