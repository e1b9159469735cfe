"""The handbook of an invented shop program, built by MkDocs with one of its themes.

Option: the theme. Beside the pages there are the theme's own: not found, and the search where it has one.
"""

import steady

# isort: split
import collections
import logging
import os
import shutil
import sys
from collections import abc
from datetime import datetime
from importlib import metadata
from pathlib import Path

# MkDocs before 1.2 takes it from where Python had it until 3.9.
collections.Sequence = abc.Sequence

from handbook import PAGES, SECTIONS  # noqa: E402
from mkdocs.commands import build  # noqa: E402
from mkdocs.config import load_config  # noqa: E402

EXTENSIONS = ["admonition", {"toc": {"permalink": True}}]
FEATURES = ["navigation.tabs", "navigation.footer", "navigation.top", "content.code.copy", "search.suggest"]


def theme_of(name: str) -> dict[str, object]:
    """Return the settings of a theme."""
    if name == "material":
        if int(metadata.version("mkdocs-material").split(".")[0]) < 7:  # day and night came with release 7
            return {"name": name, "palette": {"primary": "teal"}, "feature": {"tabs": True}, "features": FEATURES}
        return {"name": name, "features": FEATURES, "palette": [palette("default"), palette("slate")]}
    return {"name": name}


def palette(scheme: str) -> dict[str, object]:
    """Return the colours of Material for MkDocs for day or night, with the button that leads to the other."""
    other = {"default": "Switch to night", "slate": "Switch to day"}[scheme]
    return {"scheme": scheme, "primary": "teal", "toggle": {"icon": "material/brightness-6", "name": other}}


def settings(theme: str) -> dict[str, object]:
    """Return what would stand in ``mkdocs.yml``."""
    return {
        "site_name": "Stallholder",
        "site_url": "https://docs.stallholder.example/",
        "site_author": "The Stallholder makers",
        "site_description": "How to run a web shop with Stallholder",
        "copyright": "2024, the Stallholder makers",
        "repo_url": "https://code.stallholder.example/stallholder",
        "repo_name": "Repository",
        "edit_uri": "edit/main/docs/",
        "nav": [{"Home": "index.md"}, *({title: entries(names)} for title, names in SECTIONS.items())],
        "theme": theme_of(theme),
        "markdown_extensions": EXTENSIONS,
        "docs_dir": str(Path("docs").resolve()),
        "site_dir": str(Path("site").resolve()),
    }


def entries(names: list[str]) -> list[str]:
    """Return the pages of a section."""
    return [f"{name}.md" for name in names]


def write_documents(folder: Path) -> None:
    """Write the handbook, its links made relative to each page."""
    for name, markdown in PAGES.items():
        page = folder / f"{name}.md"
        page.parent.mkdir(parents=True, exist_ok=True)
        up = "../" * name.count("/")
        for other in PAGES:
            markdown = markdown.replace(f"]({other}.md)", f"]({up}{other}.md)")
        page.write_text(markdown.strip() + "\n", encoding="utf-8")


def main(out: Path, theme: str) -> None:
    """Build the site in the folder of work and copy its pages."""
    write_documents(Path("docs"))
    # Only the command line of MkDocs reads a file; here an empty one fixes the folder that paths are relative to.
    Path("mkdocs.yml").write_text("site_name: Stallholder\n", encoding="utf-8")
    config = load_config(str(Path("mkdocs.yml").resolve()), **settings(theme))
    plugins = config["plugins"]
    for event in ("startup", "on_startup"):
        if hasattr(plugins, event):
            getattr(plugins, event)(command="build", dirty=False)
    build.build(config)
    site = Path("site")
    for page in sorted(site.rglob("*.html")):
        target = out / page.relative_to(site)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(page, target)


if __name__ == "__main__":
    os.environ["SOURCE_DATE_EPOCH"] = str(int(datetime.fromisoformat(steady.NOW).timestamp()))
    logging.disable(logging.WARNING)
    main(Path(sys.argv[1]).resolve(), sys.argv[3])
