"""The self-heal command."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from self_heal_engine import (
    cli_data,
    cli_drift,
    cli_live,
    cli_models,
    cli_patch,
    cli_service,
    cli_storage,
    cli_tokens,
)
from self_heal_engine.cli_service import need_service, serve
from self_heal_engine.errors import CannotHeal, at_the_edge, printable, quoted
from self_heal_engine.files import decode, read_text
from self_heal_engine.fingerprint import Fingerprint, baseline_fingerprint, dump_fingerprint
from self_heal_engine.healer import HealResult, heal, heal_all
from self_heal_engine.locators import KINDS
from self_heal_engine.ranking import Model, load_ranker, packaged
from self_heal_engine.reading import read_locator
from self_heal_engine.request import MOST_CANDIDATES, HealRequest, as_data, read_page, read_request
from self_heal_engine.snippets import snippets

EXIT_CODES = {"healed": 0, "unchanged": 0, "gone": 3}

app = typer.Typer(
    help="Heal broken test locators. Exit codes: healed or unchanged 0, gone 3, bad input 2.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

app.add_typer(cli_data.app, name="data")
app.add_typer(cli_tokens.app, name="token")
app.add_typer(cli_storage.app)
app.add_typer(cli_models.app)  # without a name: its commands stand beside heal
app.add_typer(cli_service.app)
app.add_typer(cli_live.app)
app.add_typer(cli_patch.app)
app.add_typer(cli_drift.app)

PageFile = Annotated[
    str, typer.Argument(metavar="PAGE", help="The page's HTML as it is now: a file, or - for standard input.")
]
Css = Annotated[str | None, typer.Option("--css", help="The broken locator, a CSS selector.")]
XPath = Annotated[str | None, typer.Option("--xpath", help="The broken locator, an XPath.")]
Value = Annotated[str | None, typer.Option("--locator", help="The broken locator, of the kind that --kind names.")]
Kind = Annotated[
    str, typer.Option("--kind", help=f"The kind of --locator: {', '.join(KINDS)}; Selenium's words work too.")
]
Text = Annotated[str | None, typer.Option("--text", help="The text that was visible in the element.")]
Anchor = Annotated[list[str] | None, typer.Option("--anchor", help="A text that stood near it; may be repeated.")]
Action = Annotated[str | None, typer.Option("--action", help="What the test does: click, type, select, check or read.")]
Baseline = Annotated[
    str | None, typer.Option("--baseline", help="The last page on which the locator worked: a file or -.")
]
Stored = Annotated[str | None, typer.Option("--fingerprint", help="A file with a stored fingerprint of the element.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=MOST_CANDIDATES, help="How many candidates to return.")]
ModelFile = Annotated[Path | None, typer.Option("--model", help="A trained model, one JSON file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, the same fields as the service answers.")]
Remote = Annotated[bool, typer.Option("--remote", help="Ask the service at HEALING_API_URL instead of healing here.")]
All = Annotated[str | None, typer.Option("--all", help="Heal many: a file or - with a JSON object per line.")]


@app.command("heal")
def heal_command(
    page: PageFile, css: Css = None, xpath: XPath = None, locator: Value = None, kind: Kind = "css", text: Text = None,
    anchor: Anchor = None, action: Action = None, baseline: Baseline = None, fingerprint: Stored = None,
    limit: Limit = 5, model: ModelFile = None, as_json: AsJson = False, every: All = None, remote: Remote = False,
) -> None:  # fmt: skip
    """Find replacements for a broken locator, or say that its element is gone."""
    if remote and (every is not None or model is not None):
        raise CannotHeal("not_remote", "--remote goes with neither --all nor --model")
    if every is not None:
        heal_many(page, every, load_ranker(model) if model else packaged(), limit, as_json)
        return
    request = one_request(css, xpath, locator, kind, text, anchor, action, baseline, fingerprint)
    if remote:
        result = asked_remotely(read_input(page), request, limit)
    else:
        ranker = load_ranker(model) if model else packaged()
        result = heal(read_page(read_input(page)), request.wanted(), ranker, limit)
    if as_json:
        print(json.dumps(as_data(result, request), indent=2, ensure_ascii=False))
    else:
        show(result, request)
    raise typer.Exit(EXIT_CODES[result.decision])


@app.command("explain")
def explain_command(
    page: PageFile, css: Css = None, xpath: XPath = None, locator: Value = None, kind: Kind = "css", text: Text = None,
    anchor: Anchor = None, action: Action = None, baseline: Baseline = None, fingerprint: Stored = None,
    model: ModelFile = None,
) -> None:  # fmt: skip
    """Say why the winner won: what matched, what did not, and where the runner-up fell behind."""
    request = one_request(css, xpath, locator, kind, text, anchor, action, baseline, fingerprint)
    parsed, wanted = read_page(read_input(page)), request.wanted()
    result = heal(parsed, wanted, load_ranker(model) if model else packaged(), limit=2)
    show_decision(result, request)
    for title, healing in zip(("winner", "runner-up"), result.candidates, strict=False):
        console.print(f"\n[bold]{title}[/bold] {escape(healing.locators[0].value)}  score {healing.score:.2f}")
        for reason in healing.reasons:
            say(f"  {reason}")
    raise typer.Exit(EXIT_CODES[result.decision])


@app.command("fingerprint")
def fingerprint_command(
    page: PageFile, css: Css = None, xpath: XPath = None, locator: Value = None, kind: Kind = "css"
) -> None:
    """Print the fingerprint of an element while its locator still works, to store beside the test."""
    value, kind = one_locator(css, xpath, locator, kind)
    known = baseline_fingerprint(read_page(read_input(page)), read_locator(kind, value))
    if known is None:
        raise CannotHeal("not_found", f"the {kind} locator {quoted(value)} finds nothing on the page")
    print(dump_fingerprint(known))


@app.command("demo")
def demo_command(
    and_serve: Annotated[bool, typer.Option("--serve", help="Heal through the service, and keep serving.")] = False,
) -> None:
    """Heal locators that a redesign of the bundled example shop broke, and say why."""
    if and_serve:
        need_service()
        from self_heal_engine.settings import read_settings

        if read_settings().log_file is None:
            os.environ["SELF_HEAL_LOG_FILE"] = DEMO_LOG
        serve(host="127.0.0.1", then=demo_of_a_service)
    else:
        demo(lambda html, request: heal(read_page(html), request.wanted(), limit=2))


def demo(healed: Callable[[str, HealRequest], HealResult]) -> None:
    """Show what comes of the example's locators."""
    shop = files("self_heal_engine") / "examples"
    old, new = ((shop / name).read_text("utf-8") for name in ("shop_before.html", "shop_after.html"))
    say(f"The bundled shop was redesigned ({len(read_page(new))} elements now). Three locators of its tests, healed:")
    for request in DEMO:
        console.print()
        show(healed(new, replace(request, baseline_html=old)), request)


def demo_of_a_service(url: str) -> None:
    """Show the example through a service, and where that is."""
    from self_heal_engine import remote
    from self_heal_engine.settings import read_settings

    settings = read_settings()
    token = settings.api_token.get_secret_value() if settings.api_token else None
    try:
        demo(lambda html, request: remote.heal_remotely(url, token, html, request, limit=2))
    except CannotHeal as refusal:  # tokens were created here, and SELF_HEAL_TOKEN holds none of them
        say(f"The example is not healed: {refusal}: {refusal.sentence}")
    console.print()
    say(f"Serving at {url} (what it takes and answers: {url}/openapi.json), the log in {settings.log_file}.")
    say("Open it in a browser to try it on a page of yours; Ctrl-C ends it.")
    sys.stdout.flush()  # it may be read by a program, and nothing else is said


DEMO_LOG = "logs/self_heal_engine.log"

DEMO = (
    HealRequest("#login-btn", action="click"),
    HealRequest("/html/body/div/div[2]/div[1]/button", "xpath", action="click"),
    HealRequest("live-chat", "id", action="click"),
)


# -- input ---------------------------------------------------------------------------------------------------------


def one_request(
    css: str | None, xpath: str | None, locator: str | None, kind: str, text: str | None, anchors: list[str] | None,
    action: str | None, baseline: str | None, fingerprint: str | None,
) -> HealRequest:  # fmt: skip
    """Return the options as a request."""
    value, kind = one_locator(css, xpath, locator, kind)
    return HealRequest(
        original_locator=value,
        locator_type=kind,
        visible_text=text,
        anchors=tuple(anchors or ()),
        action=action,
        baseline_html=None if baseline is None else read_input(baseline),
        fingerprint=None if fingerprint is None else read_input(fingerprint),
    )


def one_locator(css: str | None, xpath: str | None, locator: str | None, kind: str) -> tuple[str, str]:
    """Return the broken locator's value and kind; exactly one must be given."""
    given = [(value, of) for value, of in ((css, "css"), (xpath, "xpath"), (locator, kind)) if value is not None]
    if len(given) != 1:
        raise CannotHeal("one_locator", f"exactly one of --css, --xpath and --locator must be given, not {len(given)}")
    return given[0]


def read_input(name: str) -> str:
    """Return a file's text, or standard input's for ``-``."""
    return decode(sys.stdin.buffer.read(), Path(name)) if name == "-" else read_text(Path(name))


def asked_remotely(html: str, request: HealRequest, limit: int) -> HealResult:
    """Return the answer of the service that the settings name."""
    need_service()
    from self_heal_engine.remote import heal_remotely
    from self_heal_engine.settings import read_settings

    settings = read_settings()
    token = settings.api_token.get_secret_value() if settings.api_token else None
    return heal_remotely(settings.api_url, token, html, request, limit)


def requests_in(name: str) -> list[HealRequest]:
    """Return the requests of a JSON Lines file; a bad line is refused with its number."""
    requests = []
    for number, line in enumerate(read_input(name).splitlines(), start=1):
        if line.strip():
            try:
                requests.append(read_request(line))
            except CannotHeal as refusal:
                raise CannotHeal(
                    str(refusal), f"line {number} of {quoted(Path(name))}: {refusal.sentence}"
                ) from refusal
    return requests


# -- output --------------------------------------------------------------------------------------------------------

console = Console(highlight=False, soft_wrap=False)


def heal_many(page: str, every: str, model: Model, limit: int, as_json: bool) -> None:
    """Heal every locator of a JSON Lines file, no element twice, and print a line each."""
    requests = requests_in(every)
    wanted: list[Fingerprint] = [request.wanted() for request in requests]
    results = heal_all(read_page(read_input(page)), wanted, model, limit)
    if as_json:
        for request, result in zip(requests, results, strict=True):
            print(json.dumps(as_data(result, request), ensure_ascii=False))
    else:
        table = Table("broken locator", "decision", "confidence", "replacement", box=None, pad_edge=False)
        for request, result in zip(requests, results, strict=True):
            best = result.candidates[0].locators[0] if result.candidates and result.decision != "gone" else None
            said = f"{best.kind}: {best.value}" if best else "-"
            table.add_row(*map(escape, (request.original_locator, result.decision, f"{result.confidence:.2f}", said)))
        console.print(table)
    raise typer.Exit(max((EXIT_CODES[result.decision] for result in results), default=0))


def show_decision(result: HealResult, request: HealRequest) -> None:
    """Print the decision in two lines."""
    colour = {"healed": "green", "unchanged": "cyan", "gone": "red"}[result.decision]
    rough = "" if result.calibrated else ", rough: no trained model"
    console.print(
        f"[bold {colour}]{result.decision}[/] {escape(request.locator_type)} {escape(quoted(request.original_locator))}"
        f"  confidence {result.confidence:.2f} (heals from {result.threshold:.2f}{rough})",
        soft_wrap=True,
    )
    many = {0: "nothing", 1: "one element"}.get(result.original_matches or 0, f"{result.original_matches} elements")
    known = {"fingerprint": "the element as it was", "locator": "only the locator and its context"}[result.knowledge]
    say(f"the old locator finds {many} now; known: {known}")


def show(result: HealResult, request: HealRequest) -> None:
    """Print the answer so that a person can read it: all locators of the first candidate, the best of the others."""
    show_decision(result, request)
    table = Table("", "score", "element", "locator", "kind", box=None, pad_edge=False)
    table.columns[3].overflow = "fold"  # a locator cut short is worse than one on two lines
    for index, healing in enumerate(result.candidates):
        element = f"<{healing.tag}> {healing.text[:30]}"
        for at, locator in enumerate(healing.locators if index == 0 else healing.locators[:1]):
            first = (str(index), f"{healing.score:.2f}", element) if at == 0 else ("", "", "")
            table.add_row(*(escape(printable(cell)) for cell in (*first, locator.value, locator.kind)))
    console.print(table)
    if result.candidates and result.decision == "healed":
        say("because: " + "; ".join(result.candidates[0].reasons[:6]))
        for framework, source in snippets(result.candidates[0].locators).items():
            say(f"  {framework:22} {source}")


def say(line: str) -> None:
    """Print one line as it is, however long."""
    console.print(escape(printable(line)), soft_wrap=True)


def main() -> None:
    """Run the command; bad input ends in one sentence and exit code 2."""
    at_the_edge("self-heal", app)
