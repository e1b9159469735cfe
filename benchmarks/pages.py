"""The pages of the benchmark: made from npm packages and by a seeded generator, cached, never committed."""

from __future__ import annotations

import contextlib
import random
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from self_heal_engine.parser import read_page

CACHE = Path(".cache/benchmark-pages")

# Bootstrap templates, all MIT: their pages as shipped.
SB_ADMIN_2 = "startbootstrap-sb-admin-2@3.3.7"
SB_ADMIN = "startbootstrap-sb-admin@7.0.7"
ADMIN_LTE_2, ADMIN_LTE_3 = "admin-lte@2.4.18", "admin-lte@3.2.0"

STYLE = re.compile(r'<link[^>]*href="(?P<file>[^":]+\.css)"[^>]*>')
SCRIPT = re.compile(r'<script[^>]*src="(?P<file>[^":]+\.js)"[^>]*>\s*</script>')


@dataclass(frozen=True)
class BenchmarkPage:
    """One page: where it comes from and its HTML."""

    name: str
    source: str
    html: str


def benchmark_pages(quick: bool = False) -> Iterator[BenchmarkPage]:
    """Yield the pages, small to large; ``quick`` leaves out those on which Scrapling takes minutes."""
    yield shipped("a template's page", SB_ADMIN, "dist/index.html")
    yield shipped("a dashboard", ADMIN_LTE_3, "index.html")
    yield shipped("an icon table", SB_ADMIN_2, "pages/icons.html")
    yield saved("the icon table as saved", SB_ADMIN_2, "pages/icons.html")
    yield saved("widgets as saved", ADMIN_LTE_3, "pages/widgets.html")
    yield BenchmarkPage("generated, small", "generator", generated(2_700))
    yield BenchmarkPage("generated, large", "generator", generated(25_000))
    yield BenchmarkPage("template pages in one", ADMIN_LTE_3, composed(25_000))
    if not quick:
        yield shipped("a cheat sheet", ADMIN_LTE_2, "bower_components/Ionicons/cheatsheet.html")
        yield BenchmarkPage("generated, huge", "generator", generated(130_000))


def package(name: str) -> Path:
    """Return the folder of an npm package, fetched with ``npm pack`` the first time; safe to ask twice at once."""
    folder = CACHE / name.replace("/", "_")
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as fetched:
            subprocess.run(["npm", "pack", "--silent", name], cwd=fetched, capture_output=True, check=True)
            (packed,) = Path(fetched).glob("*.tgz")
            with tarfile.open(packed) as archive:
                archive.extractall(fetched, filter="data")
            packed.unlink()
            with contextlib.suppress(OSError):  # another process was first: its copy is the same
                (Path(fetched) / "package").rename(folder)
    return folder


def shipped(name: str, source: str, path: str) -> BenchmarkPage:
    """Return a page as its package ships it."""
    return BenchmarkPage(name, f"{source} {path}", (package(source) / path).read_text("utf-8", "replace"))


def saved(name: str, source: str, path: str) -> BenchmarkPage:
    """Return a page as a browser saves it in one file: the package's own styles and scripts stand inside."""
    page = package(source) / path

    def inlined(tag: str) -> object:
        def replace(match: re.Match[str]) -> str:
            file = page.parent / match["file"]
            body = file.read_text("utf-8", "replace").replace(f"</{tag}", f"<\\/{tag}") if file.is_file() else ""
            return f"<{tag}>{body}</{tag}>"

        return replace

    html = STYLE.sub(inlined("style"), page.read_text("utf-8", "replace"))  # type: ignore[arg-type]
    return BenchmarkPage(name, f"{source} {path} with its styles and scripts", SCRIPT.sub(inlined("script"), html))  # type: ignore[arg-type]


def composed(elements: int) -> str:
    """Return the bodies of a template's pages, one after the other, until there are enough elements."""
    bodies, count = [], 0
    for path in sorted((package(ADMIN_LTE_3) / "pages").rglob("*.html")):
        html = path.read_text("utf-8", "replace")
        body = re.search(r"<body[^>]*>(.*)</body>", html, re.DOTALL)
        if body and count < elements:
            bodies.append(f"<div class='page'>{body[1]}</div>")
            count += len(read_page(html))
    return f"<!doctype html><html><head><title>All</title></head><body>{''.join(bodies)}</body></html>"


WORDS = (
    "account address order cart save delete edit open close search filter item price date user mail list next back"
).split()


def generated(elements: int) -> str:
    """Return a page of sections, cards, tables and forms with about so many elements; the same every time."""
    chance, parts, count = random.Random(elements), [], 0

    def words(many: int) -> str:
        return " ".join(chance.choice(WORDS) for _ in range(many))

    while count < elements:
        number = len(parts)
        rows = "".join(
            f'<tr class="row-{row % 2}"><td class="cell name">{words(3)}</td><td class="cell"><a class="link" '
            f'href="/{chance.choice(WORDS)}/{number}/{row}">{words(2)}</a></td><td class="cell actions">'
            f'<button type="button" class="btn btn-sm" data-row="{row}">{words(1)}</button></td></tr>'
            for row in range(8)
        )
        fields = "".join(
            f'<div class="field"><label for="f{number}-{at}">{words(2)}</label><div class="control">'
            f'<input id="f{number}-{at}" name="{chance.choice(WORDS)}{at}" type="text" class="input"></div></div>'
            for at in range(4)
        )
        parts.append(
            f'<section class="section s{number % 9}" id="section-{number}"><div class="container"><div class="grid">'
            f'<div class="column main"><h2 class="title">{words(4)}</h2><p class="lead">{words(12)}</p>'
            f'<table class="table"><tbody>{rows}</tbody></table></div><div class="column side"><form class="form" '
            f'action="/{number}">{fields}<button type="submit" class="btn btn-primary">{words(2)}</button></form>'
            f"</div></div></div></section>"
        )
        count += 8 * 6 + 4 * 4 + 11
    head = f"<!doctype html><html><head><title>{words(3)}</title></head>"
    return f'{head}<body><main id="main">{"".join(parts)}</main></body></html>'
