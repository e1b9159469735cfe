"""Fixtures, and what happens when a tool that only some tests need is missing."""

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

# What each tool is called on the PATH, and how to get it.
TOOLS = {
    "chromium": ("chromium", "apt-get install chromium"),
    "chromedriver": ("chromedriver", "apt-get install chromium-driver"),
    "npm": ("npm", "apt-get install npm"),
    "java": ("javac", "apt-get install default-jdk-headless"),
    "postgres": ("postgres", "apt-get install postgresql"),
    "redis": ("redis-server", "apt-get install redis-server"),
    "python3.11": ("python3.11", "uv python install 3.11, or your system's package of it"),
}
# Debian keeps the PostgreSQL server off the PATH.
SEARCHED = os.pathsep.join([os.environ.get("PATH", ""), *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin")))])
CHROMIUM_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def require(tool):
    """Skip without the tool, with the line that installs it; fail under CI."""
    command, install = TOOLS[tool]
    if shutil.which(command, path=SEARCHED) is None:
        reason = f"{tool} is not installed: {install}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


def pytest_runtest_setup(item):
    for marker in item.iter_markers("needs"):
        require(*marker.args)


def pytest_terminal_summary(terminalreporter):
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2] for report in skipped if isinstance(report.longrepr, tuple))
    for reason, tests in sorted(reasons.items()):
        terminalreporter.write_line(f"NOT TESTED ({tests}): {reason}", red=True, bold=True)


@pytest.fixture(scope="session")
def browser():
    require("chromium")  # also where a test forgot to say so
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def browser_page(browser):
    context = browser.new_context(offline=True)
    yield context.new_page()
    context.close()
