"""What the documents say is what the code does; what may not stand in the repository does not."""

import re
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = list((ROOT / "src").rglob("*.py"))


def test_the_readmes_example_prints_what_it_says():
    readme = (ROOT / "README.md").read_text("utf-8")
    source, output = re.search(r"```python\n(.*?)```\s+```text\n(.*?)```", readme, re.DOTALL).groups()
    said = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert said.stdout == output
    assert readme.index("```text") < 2_500, "on the first screen"


def test_every_error_word_is_documented_and_no_other():
    words = set()
    for path in SOURCES:
        words |= set(re.findall(r'(?:CannotHeal\(\s*|from_json\([^"]*)"([a-z_0-9]+)"', path.read_text("utf-8")))
    documented = set(
        re.findall(r"^\| `([a-z_0-9]+)` \|", (ROOT / "docs" / "errors.md").read_text("utf-8"), re.MULTILINE)
    )
    assert words == documented


def test_the_readme_names_every_kind_of_locator_and_every_field():
    from self_heal_engine.locators import KINDS, TEST_ID_ATTRIBUTES
    from self_heal_engine.request import HealRequest

    readme = (ROOT / "README.md").read_text("utf-8")
    for name in (*KINDS, *TEST_ID_ATTRIBUTES, *(field.name for field in fields(HealRequest))):
        assert f"`{name}`" in readme, name


def test_every_target_of_the_makefile_is_listed():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    phony = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split())
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    assert phony == targets
    described = set(re.findall(r"^([a-z][a-z-]*):.*## ", makefile, re.MULTILINE))
    assert targets - described == {"check"}, "only the helper of test has no line of its own"


@pytest.mark.parametrize("lock", ["serve", "test", "dev"])
def test_a_lock_has_hashes_and_no_addresses(lock):
    lines = (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8")
    assert "://" not in lines
    pinned = re.findall(r"^[a-z0-9][\w.-]*==\S+(?: ;[^\\]*)? \\\n +--hash=sha256:", lines, re.MULTILINE | re.IGNORECASE)
    names = re.findall(r"^[a-z0-9][\w.-]*==", lines, re.MULTILINE | re.IGNORECASE)
    assert len(pinned) == len(names) > 10


def test_the_locks_hold_what_the_project_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    asked = {
        "serve": project["dependencies"],
        "test": project["dependencies"] + extras["test"],
        "dev": project["dependencies"] + extras["test"] + extras["workbench"],
    }
    for lock, requirements in asked.items():
        lines = (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8").lower()
        for requirement in requirements:
            name = re.match(r"[\w.-]+", requirement)[0].lower()
            assert re.search(rf"^{re.escape(name)}==", lines, re.MULTILINE), (lock, name)


def test_no_tracked_file_names_a_registry_or_a_path_of_one_machine():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("no git checkout: there is nothing tracked to look at")
    forbidden = [
        "pypi" + ".org",
        "pythonhosted" + ".org",
        "npmjs" + ".org",
        "npmjs" + ".com",
        "/ho" + "me/",
        "/wo" + "rk/",
        "/ro" + "ot/",
    ]
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file():
            text = path.read_text("utf-8", "replace")
            assert not [word for word in forbidden if word in text], name
