"""The commands about access tokens: token create, list, revoke."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from self_heal_engine.errors import printable

app = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help="Create, list and revoke the tokens that the service asks for."
)

File = Annotated[Path | None, typer.Option("--file", help="The file of the hashes; by default the settings' one.")]


def tokens_file(file: Path | None) -> Path:
    """Return the file that is meant."""
    if file is not None:
        return file
    from self_heal_engine.settings import read_settings

    return read_settings().tokens_file


@app.command("create")
def create_command(
    name: Annotated[str, typer.Option(help="Whose token it is, for the list and the logs.")],
    scope: Annotated[
        list[str] | None, typer.Option(help="heal, confirm or admin; may be repeated. By default heal and confirm.")
    ] = None,
    days: Annotated[int, typer.Option(help="How long it is valid.")] = 90,
    file: File = None,
) -> None:
    """Print a new token, this once: only its hash is kept."""
    from self_heal_engine.access_tokens import create, read_tokens

    path = tokens_file(file)
    text = create(path, name, scope or ("heal", "confirm"), days)
    print(text)
    made = read_tokens(path)[-1]
    until = f"{made.expires:%Y-%m-%d}"
    print(f"token {made.id} may {', '.join(made.scopes)} until {until}; it is not shown again", file=sys.stderr)


@app.command("list")
def list_command(file: File = None) -> None:
    """List the tokens, without the tokens themselves."""
    from self_heal_engine.access_tokens import read_tokens

    path = tokens_file(file)
    tokens = read_tokens(path)
    if not tokens:
        print(f"no token in {path}", file=sys.stderr)
    for token in tokens:
        state = "expired" if token.expires <= datetime.now(UTC) else "until"
        scopes = ",".join(token.scopes)
        print(f"{token.id}  {state:7} {token.expires:%Y-%m-%d}  {scopes:18} {printable(token.name)}")


@app.command("revoke")
def revoke_command(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="The id that `list` shows.")], file: File = None
) -> None:
    """Revoke a token; a running service refuses it within a second."""
    from self_heal_engine.access_tokens import revoke

    gone = revoke(tokens_file(file), token_id)
    print(f"revoked: {gone.id} {printable(gone.name)}")
