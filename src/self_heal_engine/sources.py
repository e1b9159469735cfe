"""The real applications and templates whose successive releases we render: ``data/sources.toml`` as records."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, Literal

from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.files import read_text
from self_heal_engine.validation import STRICT, from_json

# A source's and a release's name become folders.
FOLDER_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True, slots=True)
class Release:
    """One release of a package, and which of its pages we take.

    An npm release names its ``integrity`` (SHA-512, as npm prints it); a PyPI release what it ``requires``, pinned and
    hashed in the lock file ``lock`` (by default ``<source>-<version>``). A renderer gets ``options``.
    """

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    version: str  # the package's version, and how it was rendered: "5.2.19-de"
    locale: str = "en"
    # npm
    integrity: str | None = None
    root: str = ""  # the folder of the package that page names are relative to
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    rename: tuple[tuple[str, str], ...] = ()  # so that the same page has the same name in every release
    # PyPI
    requires: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    lock: str | None = None
    # both
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """One site: an application or a template, with the releases we render, oldest first."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    name: str
    family: str  # sites that share code, the unit of every split
    licence: str  # SPDX
    package: str
    registry: Literal["npm", "pypi", "own"]
    release: tuple[Release, ...]
    render: str | None = None  # a script of pipelines/render/; None: the package's own .html files are the pages
    tools: tuple[str, ...] = ()  # further npm packages that the renderer needs: "nunjucks@3.2.4 sha512-..."
    browser: bool = False  # rendered in Chromium, and so only on request
    steps: tuple[tuple[str, str], ...] = ()  # from which release to which; by default from each to the next

    def pairs(self) -> list[tuple[Release, Release]]:
        """Return which releases are compared with which, old and new."""
        if not self.steps:
            return list(pairwise(self.release))
        versions = {release.version: release for release in self.release}
        return [(versions[old], versions[new]) for old, new in self.steps]

    def lock_of(self, release: Release) -> str:
        """Return the name of the lock file with what a PyPI release installs."""
        return release.lock or f"{self.name}-{release.version}"


@dataclass(frozen=True, slots=True)
class SourceList:
    """The table of sources as the file holds it."""

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    source: tuple[Source, ...]


def read_sources(path: Path) -> list[Source]:
    """Return the sources of a table; CannotHeal ``bad_sources`` names what does not fit."""
    try:
        table = tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise CannotHeal("bad_sources", f"{quoted(path)} is not TOML: {error}") from error
    sources = list(from_json(SourceList, json.dumps(table, default=str), "bad_sources", quoted(path)).source)
    for source in sources:
        check(source)
    names = [source.name for source in sources]
    for name in names:
        if names.count(name) > 1:
            raise CannotHeal("bad_sources", f"two sources are called {quoted(name)}")
    return sources


def all_sources(table: Path, own: Path) -> list[Source]:
    """Return the sources of the table and a team's own sites; CannotHeal ``bad_sources`` if they clash."""
    sources = read_sources(table)
    sites = own_sources(own)
    for site in sites:
        check(site)
        if site.name in {source.name for source in sources}:
            raise CannotHeal("bad_sources", f"the site {quoted(site.name)} is called like a source of the table")
    return sources + sites


def own_sources(folder: Path) -> list[Source]:
    """Return the sites whose pages a team added itself (``<folder>/<site>/old`` and ``new``), each its own family."""
    sites = sorted(path.name for path in folder.iterdir() if path.is_dir())
    releases = (Release("old"), Release("new"))
    return [Source(site, own_family(site), "not stated", site, "own", releases) for site in sites]


def own_family(site: str) -> str:
    """Return the family of a team's own site: its added pages and its confirmed heals, and nothing of the table."""
    return f"own-{site}"


def check(source: Source) -> None:
    """Raise CannotHeal ``bad_sources`` if a source contradicts itself."""
    versions = [release.version for release in source.release]
    for name in (source.name, *versions):
        if not FOLDER_NAME.fullmatch(name):
            raise CannotHeal("bad_sources", f"{quoted(name)} cannot be the name of a folder")
    for old, new in source.steps:
        if not {old, new} <= set(versions):
            raise CannotHeal("bad_sources", f"{source.name}: the step {quoted(old)} to {quoted(new)} names no release")
    if len(set(versions)) < len(versions):
        raise CannotHeal("bad_sources", f"{source.name} lists a release twice")
    if source.registry == "pypi" and source.render is None:
        raise CannotHeal("bad_sources", f"{source.name} has no script that renders it")
    for release in source.release:
        if source.registry == "npm" and not release.integrity:
            raise CannotHeal("bad_sources", f"{source.name} {release.version} has no integrity")


def chosen(sources: list[Source], only: Mapping[str, tuple[str, ...]], browser: bool) -> list[Source]:
    """Return the sources to collect: all, or ``only`` those named with the versions named; browsers on request."""
    unknown = set(only) - {source.name for source in sources}
    if unknown:
        raise CannotHeal("bad_params", f"collect.only names {quoted(min(unknown))}, which is no source")
    for source in sources:
        if missing := set(only.get(source.name, ())) - {release.version for release in source.release}:
            raise CannotHeal("bad_params", f"collect.only names {source.name} {quoted(min(missing))}, no release of it")
    wanted = [
        source
        for source in sources
        if (browser or not source.browser) and (not only or source.name in only or source.registry == "own")
    ]
    return [
        replace(source, steps=(), release=tuple(r for r in source.release if r.version in only[source.name]))
        if only.get(source.name)
        else source
        for source in wanted
    ]
