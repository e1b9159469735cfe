"""The command ``patch``: healed locators, written into the tests that use them."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from self_heal_engine.errors import CannotHeal, printable, quoted
from self_heal_engine.files import decode, read_text

if TYPE_CHECKING:
    from self_heal_engine.patching import Patches

app = typer.Typer(rich_markup_mode=None)

SOMETHING_TO_DO = 1

Heals = Annotated[
    str,
    typer.Option("--heals", help="Answers of `self-heal heal --json` or POST /heal: a file, or - for standard input."),
]
Paths = Annotated[list[Path], typer.Argument(metavar="PATH...", help="Test sources, or folders of them.")]
Apply = Annotated[bool, typer.Option("--apply", help="Write the files, all or none, instead of printing a diff.")]
Check = Annotated[
    bool, typer.Option("--check", help="Print no diff; exit 1 if anything would change or needs a person.")
]


def need_patch() -> None:
    """Raise CannotHeal ``no_patch`` where the parsers of the languages are not installed."""
    if find_spec("tree_sitter_typescript") is None:
        raise CannotHeal("no_patch", "tree-sitter is not installed: `pip install 'self-heal-engine[patch]'`")


@app.command("patch")
def patch_command(paths: Paths, heals: Heals, write: Apply = False, check: Check = False) -> None:
    """Print healed locators as a diff of the tests that use them, and list what needs a person."""
    need_patch()
    from self_heal_engine.heal_answers import read_answers
    from self_heal_engine.patching import plan
    from self_heal_engine.source_files import diff_of, write_all

    if write and check:
        raise CannotHeal("apply_or_check", "--apply writes and --check does not: give one of them")
    name = Path(heals)
    text = decode(sys.stdin.buffer.read(), name) if heals == "-" else read_text(name)
    found = plan(read_answers(text, name), paths)
    if write:
        write_all(found.patches)
    elif not check:
        sys.stdout.buffer.write("".join(map(diff_of, found.patches)).encode("utf-8"))
        sys.stdout.flush()
    tell(found, with_edits=write or check, done=write)
    if check and (found.patches or found.left):
        raise typer.Exit(SOMETHING_TO_DO)


def tell(found: Patches, with_edits: bool, done: bool) -> None:
    """Print on standard error what a person must do, what has nothing to patch, and a sum; edits if asked for."""
    for patch in found.patches if with_edits else ():
        for edit in patch.edits:
            say(f"{patch.shown}:{edit.line}: {quoted(edit.old)} -> {quoted(edit.new)}")
    for left in found.left:
        say(f"{left.shown}:{left.line}: left: {quoted(left.value) + ': ' if left.value else ''}{left.why}")
    for note in found.notes:
        say(note)
    edits = sum(len(patch.edits) for patch in found.patches)
    if not edits and not found.left:
        say("nothing to do")
        return
    rewritten = f"{counted(edits, 'literal')} in {counted(len(found.patches), 'file')}"
    say(f"{rewritten} {'rewritten' if done else 'to rewrite'}, {counted(len(found.left), 'place')} left to a person")


def counted(many: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{many} {noun}{'' if many == 1 else 's'}"


def say(line: str) -> None:
    """Print one line on standard error, whatever it quotes."""
    print(printable(line), file=sys.stderr)
