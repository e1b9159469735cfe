"""The subcommands of ``self-heal db``, ``feedback`` and ``snapshots``: what an operator does with storage."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

db = typer.Typer(help="The database's schema, up and down.", no_args_is_help=True, rich_markup_mode=None)
feedback = typer.Typer(
    help="Confirmed heals, out to the training file and in.", no_args_is_help=True, rich_markup_mode=None
)
snapshots = typer.Typer(help="The pages that heals were asked on.", no_args_is_help=True, rich_markup_mode=None)

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(db, name="db")
app.add_typer(feedback, name="feedback")
app.add_typer(snapshots, name="snapshots")


@db.command("upgrade")
def upgrade_command(
    revision: Annotated[str, typer.Argument(help="Up to which revision; by default the newest.")] = "head",
) -> None:
    """Bring the database's schema up to this version; what is stored stays."""
    from self_heal_engine.settings import read_settings
    from self_heal_engine.storage import upgrade

    print(f"schema {upgrade(read_settings().database_url, revision)}")


@db.command("downgrade")
def downgrade_command(
    revision: Annotated[str, typer.Argument(help="Down to which revision; `base` drops everything that is stored.")],
) -> None:
    """Bring the database's schema down to an earlier revision; what that cannot hold is dropped."""
    from self_heal_engine.settings import read_settings
    from self_heal_engine.storage import downgrade

    print(f"schema {downgrade(read_settings().database_url, revision)}")


@feedback.command("export")
def export_command(
    file: Annotated[Path | None, typer.Argument(help="The training file; by default the settings' one.")] = None,
) -> None:
    """Write the confirmed heals as training data, their redacted pages beside it; `dvc repro` then trains on them."""
    from self_heal_engine.feedback import export_feedback
    from self_heal_engine.settings import read_settings
    from self_heal_engine.storage import settled_store

    path = file or read_settings().training_file
    with closing(settled_store()) as store:
        done = export_feedback(store, path)
    print(f"{done.lines} confirmed heals in {path}, {done.kept} of them not from this database")
    for why, many in sorted(done.left_out.items()):
        print(f"{many} left out: {why}")


@feedback.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="A training file, its pages in the folder `training` beside it.")],
) -> None:
    """Store the confirmed heals of a training file, all or none; what is stored already stays as it is."""
    from self_heal_engine.feedback import import_feedback
    from self_heal_engine.storage import settled_store

    with closing(settled_store()) as store:
        done = import_feedback(store, file)
    print(f"{done.new} confirmed heals imported, {done.known} known before")


@snapshots.command("expire")
def expire_command() -> None:
    """Remove the pages that are older than the settings allow."""
    from datetime import UTC, datetime

    from self_heal_engine.storage import settled_store

    with closing(settled_store()) as store:
        print(f"{store.expire(datetime.now(UTC))} pages removed")
