"""What the documents say is what the code does; what may not stand in the repository does not."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path
from urllib.request import urlopen

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from self_heal_engine.service.problems import STATUS

ROOT = Path(__file__).parent.parent
SOURCES = [*(ROOT / "src").rglob("*.py"), *(ROOT / "pipelines").glob("*.py")]


def locked(lock):
    """What a lock pins: pairs of name and version."""
    lines = (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8").lower()
    return set(re.findall(r"^([a-z0-9][\w.-]*)==(\S+)", lines, re.MULTILINE))


def test_the_readmes_example_prints_what_it_says():
    readme = (ROOT / "README.md").read_text("utf-8")
    source, output = re.search(r"```python\n(.*?)```\s+```text\n(.*?)```", readme, re.DOTALL).groups()
    said = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert said.stdout == output
    assert readme.index("```text") < 2_500, "on the first screen"


def test_the_readmes_figures_are_those_of_the_evaluation():
    readme = (ROOT / "README.md").read_text("utf-8")
    shown = re.findall(
        r"\d+\.\d %", readme[readme.index("| on applications never seen") : readme.index("## The training data")]
    )
    metrics = json.loads((ROOT / "reports" / "evaluation" / "metrics.json").read_text("utf-8"))
    assert len(shown) >= 15
    assert set(shown) <= {f"{100 * value:.1f} %" for value in values_in(metrics["goals"])}


def values_in(facts):
    """Every figure's value in nested facts."""
    for key, each in facts.items():
        if isinstance(each, dict):
            yield from values_in(each)
        elif key in ("value", "bound") and each is not None:
            yield each


def test_every_error_word_is_documented_and_no_other():
    words = set()
    for path in SOURCES:
        words |= set(
            re.findall(
                r'(?:(?:CannotHeal|TryLater)\(\s*|(?:from_json|read_records|read_yaml)\([^"]*)"([a-z_0-9]+)"',
                path.read_text("utf-8"),
            )
        )
    words |= set(STATUS)
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
    listed = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.findall(r"^([a-z-]+) +[A-Z].*\.$", listed.stdout, re.MULTILINE) == re.findall(
        r"^([a-z][a-z-]*):.*## ", makefile, re.MULTILINE
    )


@pytest.mark.parametrize("lock", ["serve", "dev"])
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
        "serve": project["dependencies"] + extras["serve"],
        "dev": project["dependencies"] + extras["dev"][1:] + extras["workbench"] + extras["serve"] + extras["patch"],
    }
    for lock, requirements in asked.items():
        lines = (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8").lower()
        for requirement in requirements:
            name = re.match(r"[\w.-]+", requirement)[0].lower()
            assert re.search(rf"^{re.escape(name)}==", lines, re.MULTILINE), (lock, name)


@pytest.mark.parametrize("lock", ["serve", "dev"])
def test_a_locked_version_is_one_the_project_allows(lock):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    allowed = {}
    for asked in [*project["dependencies"], *(one for extra in extras.values() for one in extra)]:
        requirement = Requirement(asked)
        allowed[requirement.name.lower()] = requirement.specifier
    for name, version in locked(lock):
        assert version in allowed.get(name, SpecifierSet()), name


def test_the_locks_agree_so_that_run_and_test_share_one_environment():
    assert locked("serve") <= locked("dev")


def test_no_environment_gets_both_builds_of_xgboost():
    lines = (ROOT / "requirements" / "serve.txt").read_text("utf-8")
    markers = dict(re.findall(r"^(xgboost[\w-]*)==\S+ ; (.*) \\$", lines, re.MULTILINE))
    assert markers == {"xgboost": "sys_platform == 'darwin'", "xgboost-cpu": "sys_platform != 'darwin'"}
    for lock in ("serve", "dev"):
        assert not [name for name, _ in locked(lock) if name.startswith("nvidia")], lock


def test_no_tracked_file_names_a_registry_or_a_path_of_one_machine():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("no git checkout: there is nothing tracked to look at")
    forbidden = [
        "pypi" + ".org",
        "pythonhosted" + ".org",
        "npmjs" + ".org",
        "npmjs" + ".com",
        "deb.debian" + ".org",
        "/ho" + "me/",
        "/wo" + "rk/",
        "/ro" + "ot/",
    ]
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file():
            text = path.read_text("utf-8", "replace")
            assert not [word for word in forbidden if word in text], name


def until(word, stream):
    """What a stream says up to the line with the word."""
    said = []
    for line in stream:
        said.append(line)
        if word in line:
            break
    return "".join(said)


@pytest.mark.long
def test_a_fresh_clone_heals_the_example_and_keeps_serving(tmp_path):
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "run"]
    with subprocess.Popen(
        command, cwd=clone, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as run:
        try:
            said = until("Serving at", run.stdout)
            with urlopen("http://127.0.0.1:8000/health", timeout=5) as answer:
                assert answer.read() == b'{"status":"ok"}'
        finally:
            os.killpg(run.pid, signal.SIGINT)
    assert "healed css '#login-btn'" in said
    assert (clone / ".venv" / ".serve").exists()
    assert not list(clone.glob(".venv/lib/*/site-packages/pytest")), "running needs no test tools"
    changed = subprocess.run(["git", "status", "--short"], cwd=clone, capture_output=True, text=True, check=True)
    assert changed.stdout == "", "setting up leaves nothing to commit"


@pytest.mark.long
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize("platform", ["linux", "aarch64-unknown-linux-gnu", "macos", "windows"])
def test_the_serving_lock_installs_without_a_compiler_on(python, platform, tmp_path):
    uv = shutil.which("uv") or shutil.which("uv", path=Path(sys.executable).parent)
    if uv is None:
        pytest.skip("uv is not installed: pip install uv")
    asked = ["--only-binary", ":all:", "--require-hashes", "-r", ROOT / "requirements" / "serve.txt"]
    target = ["--target", tmp_path, "--python-version", python, "--python-platform", platform]
    said = subprocess.run(
        [uv, "pip", "install", "--dry-run", *target, *asked], capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr


@pytest.mark.long
def test_pip_accepts_the_serving_lock_too(tmp_path):
    lock = ROOT / "requirements" / "serve.txt"
    asked = ["install", "--quiet", "--require-hashes", "--target", tmp_path, "-r", lock]
    subprocess.run([sys.executable, "-m", "pip", *asked], check=True)
    assert (tmp_path / "turbohtml").exists()
