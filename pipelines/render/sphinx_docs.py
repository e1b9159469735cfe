"""The handbook of an invented shop program, built by Sphinx with one of its themes.

Option: the theme. Beside the pages there are Sphinx's own: the index, the list of modules and the search.
"""

import steady

# isort: split
import io
import os
import shutil
import sys
import types
from datetime import datetime
from pathlib import Path

# Sphinx 3.5 took Python's union type for what an early 3.10 called it.
types.Union = types.UnionType

from handbook import PAGES, SECTIONS, to_rst  # noqa: E402
from sphinx.application import Sphinx  # noqa: E402

REPOSITORY = "https://code.stallholder.example/stallholder"
HOST = {"github_user": "stallholder", "github_repo": "stallholder", "github_version": "main", "doc_path": "docs"}
THEME_OPTIONS = {
    "alabaster": {"github_user": "stallholder", "github_repo": "stallholder", "github_button": "true"},
    "furo": {"navigation_with_keys": True},
    "pydata_sphinx_theme": {"use_edit_page_button": True, "show_prev_next": True, "github_url": REPOSITORY},
}
CONTEXT = {
    "pydata_sphinx_theme": HOST,
    "sphinx_rtd_theme": {**HOST, "display_github": True, "conf_py_path": "/docs/"},
}
SIDEBARS = {"alabaster": ["about.html", "navigation.html", "relations.html", "searchbox.html", "sourcelink.html"]}


def settings(theme: str) -> dict[str, object]:
    """Return what would stand in ``conf.py``."""
    return {
        "project": "Stallholder",
        "author": "The Stallholder makers",
        "copyright": "2024, the Stallholder makers",
        "version": "2.4",
        "release": "2.4.1",
        "master_doc": "index",  # before release 2 it was "contents"
        "extensions": [theme] if theme in ("sphinx_rtd_theme", "pydata_sphinx_theme") else [],
        "html_theme": theme,
        "html_theme_options": THEME_OPTIONS.get(theme, {}),
        "html_context": CONTEXT.get(theme, {}),
        "html_sidebars": {"**": SIDEBARS[theme]} if theme in SIDEBARS else {},
        "html_last_updated_fmt": None,
        "html_title": "Stallholder 2.4 handbook",
        "html_short_title": "Stallholder",
    }


def write_documents(folder: Path) -> None:
    """Write the handbook, and on its first page the trees of contents."""
    for name, markdown in PAGES.items():
        text = to_rst(markdown)
        if name == "index":
            text += "".join(contents(title, names) for title, names in SECTIONS.items())
        page = folder / f"{name}.rst"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text, encoding="utf-8")
    (folder / "conf.py").write_text("", encoding="utf-8")


def contents(title: str, names: list[str]) -> str:
    """Return the tree of one section."""
    entries = "".join(f"   {name}\n" for name in names)
    return f"\n.. toctree::\n   :caption: {title}\n   :maxdepth: 2\n\n{entries}"


def main(out: Path, theme: str) -> None:
    """Build the site in the folder of work and copy its pages."""
    source, site = Path("docs").resolve(), Path("site").resolve()
    write_documents(source)
    application = Sphinx(
        str(source),
        str(source),
        str(site),
        str(Path("doctrees").resolve()),
        "html",
        confoverrides=settings(theme),
        status=None,
        warning=io.StringIO(),
        freshenv=True,
    )
    application.build(force_all=True)
    for page in sorted(site.rglob("*.html")):
        if "_static" in page.parts:
            continue
        target = out / page.relative_to(site)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(page, target)


if __name__ == "__main__":
    os.environ["SOURCE_DATE_EPOCH"] = str(int(datetime.fromisoformat(steady.NOW).timestamp()))
    main(Path(sys.argv[1]).resolve(), sys.argv[3])
