"""Collecting pages: what is asked for is there, whole, once, and what is wrong is named."""

import hashlib
import sys
from base64 import b64encode
from dataclasses import replace

import pytest

from library_imports import ROOT
from self_heal_engine import collection, packages
from self_heal_engine.collection import Workshop, check_pages, collect, make, read_manifest
from self_heal_engine.dataset import open_page
from self_heal_engine.errors import CannotHeal
from self_heal_engine.packages import check_integrity, npm_package
from self_heal_engine.sources import Release, Source, chosen, own_sources, read_sources

PAGE = "<!doctype html><title>A page</title><p>Hello</p>"
RENDERER = 'import sys, pathlib\npathlib.Path(sys.argv[1], "home.html").write_text("<p>" + " ".join(sys.argv[2:]))\n'


@pytest.fixture
def workshop(tmp_path):
    for name in ("renderers", "locks", "own"):
        (tmp_path / name).mkdir()
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Workshop(*(tmp_path / name for name in ("pages", "renderers", "locks", "own", "downloads")), python)


def shipped(workshop, files, **release):
    """An npm source whose package is already in the download folder."""
    folder = workshop.downloads / "npm" / "theme@1.0"
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Source("theme", "themes", "MIT", "theme", "npm", (Release("1.0", integrity="sha512-x", **release),))


def rendered(workshop, script):
    """A PyPI source whose packages are already installed, with its renderer."""
    (workshop.renderers / "app.py").write_text(script)
    lock = workshop.locks / "app-1.0.txt"
    lock.write_text("app==1.0")
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    (workshop.downloads / "pypi" / f"app-1.0-{workshop.python}-{digest}").mkdir(parents=True)
    return Source("app", "apps", "MIT", "app", "pypi", (Release("1.0", options=("dark",)),), render="app.py")


def refused(sources, workshop, **options):
    with pytest.raises(CannotHeal) as refusal:
        list(collect(sources, workshop, **options))
    return str(refusal.value), refusal.value.sentence


def test_the_pages_of_a_package_get_the_names_that_other_releases_give_them(workshop):
    files = {"dist/index.html": PAGE, "dist/pages/login.html": PAGE, "dist/demo/x.html": PAGE, "dist/a.js": "no page"}
    source = shipped(
        workshop, files, root="dist", include=("**/*.html",), exclude=("demo/*",), rename=(("^pages/", ""),)
    )
    assert list(collect([source], workshop)) == ["theme 1.0: 2 pages"]
    manifest = read_manifest(workshop.pages / "theme" / "1.0")
    assert set(manifest.pages) == {"index", "login"}
    assert manifest.pages["login"] == hashlib.sha256(PAGE.encode()).hexdigest()
    assert (manifest.package, manifest.licence, manifest.family) == ("theme", "MIT", "themes")
    check_pages(workshop.pages)


def test_an_application_renders_its_own_pages(workshop):
    assert list(collect([rendered(workshop, RENDERER)], workshop)) == ["app 1.0: 1 pages"]
    assert (workshop.pages / "app" / "1.0" / "home.html").read_text() == "<p>1.0 dark"


def test_what_is_there_is_not_made_again_unless_the_recipe_changed(workshop, monkeypatch):
    source = rendered(workshop, RENDERER)
    list(collect([source], workshop))
    page = workshop.pages / "app" / "1.0" / "home.html"
    monkeypatch.setattr(collection, "render", lambda *_: pytest.fail("made again"))
    list(collect([source], workshop))
    monkeypatch.undo()
    (workshop.renderers / "app.py").write_text(RENDERER.replace("<p>", "<h1>"))
    list(collect([source], workshop))
    assert page.read_text() == "<h1>1.0 dark"


def test_an_interrupted_release_leaves_nothing_and_is_made_whole_the_next_time(workshop, monkeypatch):
    source = shipped(workshop, {"a.html": PAGE, "b.html": PAGE}, include=("*.html",))
    real, calls = collection.write_text, []

    def interrupted(path, text):
        calls.append(path)
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(path, text)

    monkeypatch.setattr(collection, "write_text", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make(source, source.release[0], workshop)
    assert not list(workshop.pages.rglob("*.html"))
    monkeypatch.undo()
    assert len(make(source, source.release[0], workshop).pages) == 2


def test_what_no_source_asks_for_any_more_is_removed(workshop):
    source = shipped(workshop, {"a.html": PAGE}, include=("*.html",))
    list(collect([source], workshop))
    assert list(collect([], workshop)) == []
    assert not list(workshop.pages.rglob("*.html"))


def test_a_source_that_fails_is_named_after_the_others_were_made(workshop):
    good = shipped(workshop, {"a.html": PAGE}, include=("*.html",))
    bad = rendered(workshop, "raise SystemExit('the shop did not open')")
    word, sentence = refused([bad, good], workshop)
    assert word == "not_rendered"
    assert "'app'" in sentence
    assert "the shop did not open" in sentence
    assert (workshop.pages / "theme" / "1.0" / "a.html").exists()
    assert not list((workshop.pages / "app").iterdir())


def test_a_source_may_be_missing_by_permission(workshop):
    bad = rendered(workshop, "raise SystemExit(1)")
    assert list(collect([bad], workshop, allow_missing=["app"])) == ["app 1.0: missing"]


@pytest.mark.parametrize(
    ("word", "content"),
    [("not_utf8", b"<p>Gr\xfc\xdfe</p>"), ("not_rendered", b"  \n ")],
)
def test_a_page_that_is_none_is_named(workshop, word, content):
    said, sentence = refused([shipped(workshop, {"odd.html": content}, include=("*.html",))], workshop)
    assert said == word
    assert "odd.html" in sentence or "gave no page" in sentence


@pytest.mark.parametrize(
    ("word", "content"),
    [("empty_page", b" "), ("binary_file", b"\x89PNG\r\n\x00\x00"[1:]), ("not_utf8", b"\xff\xfe<\x00"), ("file_too_large", b"x" * 50_000_000)],
)  # fmt: skip
def test_a_collected_page_that_went_bad_is_named(workshop, word, content):
    source = shipped(workshop, {"a.html": PAGE}, include=("*.html",))
    list(collect([source], workshop))
    (workshop.pages / "theme" / "1.0" / "a.html").write_bytes(content)
    with pytest.raises(CannotHeal, match=word) as refusal:
        check_pages(workshop.pages)
    assert "a.html" in refusal.value.sentence


def test_a_damaged_manifest_is_named(workshop):
    source = shipped(workshop, {"a.html": PAGE}, include=("*.html",))
    list(collect([source], workshop))
    manifest = workshop.pages / "theme" / "1.0" / "manifest.json"
    manifest.write_text(manifest.read_text()[:-30])
    with pytest.raises(CannotHeal, match="bad_manifest"):
        check_pages(workshop.pages)


def test_a_package_with_another_hash_is_refused(tmp_path):
    packed = tmp_path / "a.tgz"
    packed.write_bytes(b"content")
    right = "sha512-" + b64encode(hashlib.sha512(b"content").digest()).decode()
    check_integrity(packed, right, "a@1")
    packed.write_bytes(b"tampered")
    with pytest.raises(CannotHeal, match="wrong_hash"):
        check_integrity(packed, right, "a@1")


@pytest.mark.needs("npm")
def test_a_real_package_with_another_hash_than_the_tables_is_refused_and_not_kept(tmp_path):
    with pytest.raises(CannotHeal, match="wrong_hash") as refusal:
        npm_package("startbootstrap-creative@6.0.5", "sha512-other", tmp_path)
    assert "startbootstrap-creative@6.0.5" in refusal.value.sentence
    assert not list((tmp_path / "npm").iterdir())


def test_a_client_that_is_missing_or_fails_is_one_sentence(tmp_path):
    with pytest.raises(CannotHeal, match="not_fetched"):
        packages.run(["no-such-client"], tmp_path, "a@1")
    with pytest.raises(CannotHeal, match="not_fetched") as refusal:
        packages.run(["sh", "-c", "echo first; echo no network >&2; exit 1"], tmp_path, "a@1")
    assert refusal.value.sentence == "a@1: sh failed and said 'no network'"


def test_a_python_that_is_not_there_is_named():
    with pytest.raises(CannotHeal, match="no_python"):
        collection.python_path("2.3")


def test_own_pages_are_a_source_like_any_other(workshop):
    for version in ("old", "new"):
        folder = workshop.own / "intranet" / version
        folder.mkdir(parents=True)
        (folder / "cart.html").write_text(f"<p>{version}")
    (source,) = own_sources(workshop.own)
    assert sorted(collect([source], workshop)) == ["intranet new: 1 pages", "intranet old: 1 pages"]
    assert (workshop.pages / "intranet" / "new" / "cart.html").read_text() == "<p>new"
    assert (source.family, source.pairs()[0][1].version) == ("own-intranet", "new")


# -- the table -----------------------------------------------------------------------------------------------------

TABLE = """
[[source]]
name = "theme"
family = "themes"
licence = "MIT"
package = "theme"
registry = "npm"
  [[source.release]]
  version = "1.0"
  integrity = "sha512-x"
  [[source.release]]
  version = "2.0"
  integrity = "sha512-y"
"""


def test_releases_are_compared_with_the_next_or_as_the_table_says(tmp_path):
    (tmp_path / "a.toml").write_text(TABLE)
    (source,) = read_sources(tmp_path / "a.toml")
    assert [(old.version, new.version) for old, new in source.pairs()] == [("1.0", "2.0")]
    back = replace(source, steps=(("2.0", "1.0"),))
    assert [(old.version, new.version) for old, new in back.pairs()] == [("2.0", "1.0")]


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('name = "theme"', 'name = "../theme"', "'../theme'"),
        ('version = "2.0"', 'version = "2/0"', "'2/0'"),
        ('integrity = "sha512-y"', "", "theme 2.0 has no integrity"),
        ('licence = "MIT"', "", "licence"),
        ('registry = "npm"', 'registry = "ftp"', "registry"),
        ('registry = "npm"', 'registry = "npm"\nsteps = [["1.0", "9.0"]]', "'9.0'"),
        ("[[source]]", "[[source", "not TOML"),
        (TABLE, TABLE + TABLE, "two sources are called 'theme'"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(tmp_path, old, new, named):
    (tmp_path / "a.toml").write_text(TABLE.replace(old, new))
    with pytest.raises(CannotHeal, match="bad_sources") as refusal:
        read_sources(tmp_path / "a.toml")
    assert named in refusal.value.sentence


def test_the_parameters_choose_among_the_sources(tmp_path):
    (tmp_path / "a.toml").write_text(TABLE)
    (theme,) = sources = read_sources(tmp_path / "a.toml")
    browser = replace(theme, name="spa", browser=True)
    assert chosen([theme, browser], {}, browser=False) == [theme]
    assert chosen([theme, browser], {}, browser=True) == [theme, browser]
    assert [r.version for r in chosen(sources, {"theme": ("2.0",)}, browser=False)[0].release] == ["2.0"]
    for only, named in (({"them": ()}, "'them'"), ({"theme": ("9.9",)}, "'9.9'")):
        with pytest.raises(CannotHeal, match="bad_params") as refusal:
            chosen(sources, only, browser=False)
        assert named in refusal.value.sentence


def test_npm_and_uv_are_asked_as_a_person_would(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(packages, "run", lambda command, *_, **__: asked.append(command))
    with pytest.raises(CannotHeal, match="not_fetched"):
        npm_package("a@1", "sha512-x", tmp_path)
    assert asked == [["npm", "pack", "--silent", "a@1"]]


@pytest.mark.needs("npm")
@pytest.mark.needs("chromium")
def test_a_single_page_application_comes_with_what_the_browser_measured(tmp_path):
    table = read_sources(ROOT / "data" / "sources.toml")
    (source,) = chosen(table, {"swagger-ui": ("5.29.0",)}, browser=True)
    renderers, locks, downloads = ROOT / "pipelines/render", ROOT / "data/locks", ROOT / ".cache/packages"
    manifest = make(source, source.release[0], Workshop(tmp_path, renderers, locks, tmp_path, downloads, "3.11"))
    assert set(manifest.pages) == {"home", "operation", "authorize", "schemas"}
    page = open_page(tmp_path, "swagger-ui/5.29.0/home.html")
    (button,) = page.css("button.authorize")
    x, _, width, height = page.rectangle(int(button))
    assert 0 < x < 1280
    assert width > 50 < height + 30
    assert not page.hidden[button]
    assert page.hidden[page.css("script")].all()
