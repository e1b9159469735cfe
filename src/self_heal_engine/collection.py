"""The pages of each release on disk, with a manifest: fetched, rendered, and left alone when they are there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import ClassVar

from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.files import below, decode, read_html, read_text, sha256, write_json, write_text
from self_heal_engine.packages import npm_package, pypi_release, run, unfinished, uv
from self_heal_engine.sources import Release, Source
from self_heal_engine.validation import STRICT, from_json

MANIFEST = "manifest.json"

# Raised when the code here makes other pages of the same sources.
RECIPE = "1"

# Pages larger than this are documentation in one file or carry their pictures inside: slow, and no more to learn from.
MOST_PAGE_BYTES = 400_000


@dataclass(frozen=True, slots=True)
class Manifest:
    """What lies in the folder of one release: where it came from, and the SHA-256 of every page."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    source: str
    family: str
    package: str
    version: str
    locale: str
    licence: str
    recipe: str  # SHA-256 of all that decides what the pages are: if it changes, they are made again
    pages: dict[str, str]


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where things are while pages are collected."""

    pages: Path  # what is made: <pages>/<source>/<version>/<page>.html
    renderers: Path
    locks: Path
    own: Path  # pages that a team added itself
    downloads: Path  # packages stay here, so that an interrupted run goes on where it stopped
    python: str  # of the renderers: the old releases do not run on later ones


def collect(
    sources: Sequence[Source], workshop: Workshop, allow_missing: Sequence[str] = (), workers: int = 2
) -> Iterator[str]:
    """Make the pages of every release that are not there yet; yield a line for each release, in the order finished.

    CannotHeal ``not_fetched``, ``wrong_hash`` or ``not_rendered`` names a source that failed, after the others were
    made, unless ``allow_missing`` lists it. What no source asks for any more is removed.
    """
    sweep(workshop.pages, sources)
    failed: dict[str, CannotHeal] = {}
    with ThreadPoolExecutor(workers) as pool:  # threads: the work is the network's and that of other processes
        tasks = {pool.submit(make, source, release, workshop): (source, release) for source, release in each(sources)}
        for task in as_completed(tasks):
            source, release = tasks[task]
            error = task.exception()
            if isinstance(error, CannotHeal):
                failed[source.name] = error
                yield f"{source.name} {release.version}: missing"
            else:
                yield f"{source.name} {release.version}: {len(task.result().pages)} pages"
    if missing := sorted(set(failed) - set(allow_missing)):
        refusal = failed[missing[0]]
        raise CannotHeal(str(refusal), f"the source {quoted(missing[0])} is missing: {refusal.sentence}")


def each(sources: Sequence[Source]) -> list[tuple[Source, Release]]:
    """Return every release of every source."""
    return [(source, release) for source in sources for release in source.release]


def sweep(pages: Path, sources: Sequence[Source]) -> None:
    """Remove the folders of releases that no source asks for."""
    wanted = {pages / source.name / release.version for source, release in each(sources)}
    for folder in filter(Path.is_dir, pages.glob("*/*")):
        if folder not in wanted:
            shutil.rmtree(folder)
    for folder in filter(Path.is_dir, pages.glob("*")):
        if not any(folder.iterdir()):
            folder.rmdir()


def make(source: Source, release: Release, workshop: Workshop) -> Manifest:
    """Return the manifest of a release, its pages made unless they are there by the same recipe."""
    folder = workshop.pages / source.name / release.version
    wanted = recipe(source, release, workshop)
    if (folder / MANIFEST).exists():
        manifest = read_manifest(folder)
        if manifest.recipe == wanted:
            return manifest
        shutil.rmtree(folder)
    with unfinished(folder) as work:
        made = work / release.version
        made.mkdir()
        render(source, release, workshop, made)
        pages = {page_name(path, made): sha256(path.read_bytes()) for path in sorted(made.rglob("*.html"))}
        if not pages:
            raise CannotHeal("not_rendered", f"{source.name} {release.version} gave no page")
        facts = (source.name, source.family, source.package, release.version, release.locale, source.licence)
        manifest = Manifest(*facts, recipe=wanted, pages=pages)
        write_json(made / MANIFEST, asdict(manifest))
        made.rename(folder)
    return manifest


def recipe(source: Source, release: Release, workshop: Workshop) -> str:
    """Return the hash of all that decides what the pages of a release are."""
    parts = [RECIPE, workshop.python, repr(replace(source, release=(release,), steps=()))]
    if source.render:
        parts += [read_text(path) for path in scripts(workshop.renderers / source.render)]
    if source.registry == "own":
        parts += [sha256(path.read_bytes()) for path in sorted((workshop.own / source.name).rglob("*.html"))]
    if source.registry == "pypi":
        parts.append(read_text(lock_file(source, release, workshop)))
    return sha256("\0".join(parts))


def scripts(script: Path) -> list[Path]:
    """Return a renderer with the modules beside it that it imports."""
    imported = re.findall(r"^(?:import|from) (\w+)", read_text(script), re.MULTILINE)
    beside = [script.with_name(f"{name}.py") for name in imported]
    return [script, *(path for path in beside if path.exists())]


def lock_file(source: Source, release: Release, workshop: Workshop) -> Path:
    """Return the path of the lock of a PyPI release."""
    return workshop.locks / f"{source.lock_of(release)}.txt"


def render(source: Source, release: Release, workshop: Workshop, folder: Path) -> None:
    """Write the pages of a release into a folder."""
    if source.registry == "own":
        copy_pages(workshop.own / source.name / release.version, replace(release, include=("**/*.html",)), folder)
        return
    environment = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8"}
    if source.registry == "npm":
        spec = f"{source.package}@{release.version}"
        package = npm_package(spec, str(release.integrity), workshop.downloads)
        if source.render is None:
            copy_pages(package, release, folder)
            return
        environment["PACKAGE"] = str(package.resolve())
    else:
        installed = pypi_release(lock_file(source, release, workshop), workshop.downloads, workshop.python)
        environment["PYTHONPATH"] = str(installed.resolve())
    with tempfile.TemporaryDirectory() as home:
        environment |= {"HOME": home, "NODE_MODULES": str(node_modules(source, workshop, Path(home)))}
        script = str((workshop.renderers / str(source.render)).resolve())
        command = [*interpreter(script, source, workshop.python), script, str(folder.resolve()), release.version]
        try:
            run([*command, *release.options], Path(home), f"{source.name} {release.version}", environment)
        except CannotHeal as refusal:
            raise CannotHeal("not_rendered", refusal.sentence) from refusal


def interpreter(script: str, source: Source, python: str) -> list[str]:
    """Return what runs a renderer: Node, the old release's Python without any site-packages, or ours for a browser."""
    if script.endswith(".mjs"):
        return ["node"]
    return [sys.executable] if source.browser else [python_path(python), "-S", "-B"]


def node_modules(source: Source, workshop: Workshop, home: Path) -> Path:
    """Return a folder with the npm packages that a renderer needs, each under its own name."""
    modules = home / "node_modules"
    modules.mkdir()
    for tool in source.tools:
        spec, integrity = tool.split()
        name = spec.rpartition("@")[0]
        (modules / name).parent.mkdir(exist_ok=True)
        (modules / name).symlink_to(npm_package(spec, integrity, workshop.downloads).resolve())
    return modules


@cache
def python_path(version: str) -> str:
    """Return the interpreter of a Python version; CannotHeal ``no_python`` if there is none."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    found = subprocess.run([uv(), "python", "find", version], capture_output=True, text=True, check=False)
    if found.returncode:
        raise CannotHeal("no_python", f"the old releases need Python {version}, which is not installed")
    return found.stdout.strip()


def copy_pages(package: Path, release: Release, folder: Path) -> None:
    """Copy the pages that a package ships, under names that are the same in every release."""
    root = below(package, release.root)
    left_out = {path for pattern in release.exclude for path in root.glob(pattern)}
    for path in sorted({path for pattern in release.include for path in root.glob(pattern)} - left_out):
        raw = path.read_bytes()
        if not raw.strip() or len(raw) > MOST_PAGE_BYTES:
            continue
        name = page_name(path, root)
        for pattern, instead in release.rename:
            name = re.sub(pattern, instead, name)
        page = below(folder, f"{name}.html")
        if page.exists():
            raise CannotHeal("not_rendered", f"two pages of {release.version} are called {quoted(name)}")
        write_text(page, decode(raw, path))


def page_name(path: Path, root: Path) -> str:
    """Return the name of a page: its path below the root, without the ending."""
    return path.relative_to(root).with_suffix("").as_posix()


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a release's folder; CannotHeal ``bad_manifest`` if it is not one."""
    manifest = from_json(Manifest, read_text(folder / MANIFEST), "bad_manifest")
    for page in manifest.pages:
        below(folder, page)
    return manifest


def check_pages(pages: Path) -> None:
    """Raise CannotHeal ``wrong_hash`` if a collected page is missing or not the one that its manifest names."""
    for path in sorted(pages.glob(f"*/*/{MANIFEST}")):
        for name, expected in read_manifest(path.parent).pages.items():
            page = path.parent / f"{name}.html"
            read_html(page)  # what is wrong with it is said before that it is another one
            found = sha256(page.read_bytes())
            if found != expected:
                raise CannotHeal("wrong_hash", f"{quoted(page)} has the SHA-256 {found}, its manifest says {expected}")
