"""docs/integrate.md: its examples, run in Chromium against the service, on a shop that was redesigned."""

import json
import os
import re
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs
from urllib.request import Request, urlopen

import playwright
import pytest

from conftest import CHROMIUM_FLAGS
from library_imports import ROOT
from pages import SHOP_AFTER, SHOP_BEFORE
from self_heal_engine.access_tokens import create
from uvicorn_process import BESIDE, environment, serving

GUIDE = (ROOT / "docs" / "integrate.md").read_text("utf-8")
FOUND = re.findall(r"<!-- (example|use): (\w+) -->\n```\w+\n(.*?)```", GUIDE, re.DOTALL)
BLOCKS = {(what, whose): code for what, whose, code in FOUND}
PATIENCE, LITTLE = "3_000", "100"  # milliseconds, and so many where a test knows that it would wait in vain
PYTHON = ["selenium", "playwright"]
DRIVER = Path(playwright.__file__).parent / "driver"  # Playwright's Python package is its JavaScript one, and a Node


# -- the shop and the service ------------------------------------------------------------------------------------------


class Shop(BaseHTTPRequestHandler):
    """The bundled shop, before its redesign and after; what was sent to it is kept."""

    redesigned = False
    signed_in: ClassVar[list] = []

    def do_GET(self):
        self.answer(SHOP_AFTER if Shop.redesigned else SHOP_BEFORE, 200 if self.path == "/" else 404)

    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        Shop.signed_in.append(
            (self.path, {name: value for name, (value,) in form.items() if name in ("email", "password")})
        )
        self.answer("<title>Your account</title><h1>Welcome, Ann</h1>", 200)

    def answer(self, html, status):
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(html.encode() if status == 200 else b"")

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def shop():
    Shop.redesigned, Shop.signed_in = False, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    """Where tokens lie, a tester's token and an operator's."""
    file = tmp_path_factory.mktemp("tokens") / "tokens.json"
    return file, create(file, "tests", ["heal", "confirm"], 1), create(file, "operator", ["admin"], 1)


@pytest.fixture(scope="module")
def url(tokens, tmp_path_factory):
    with serving(tmp_path_factory.mktemp("service"), SELF_HEAL_TOKENS_FILE=str(tokens[0])) as started:
        yield started


def confirmed(url, tokens):
    """How many confirmations the service holds, and how many of them say that its first choice was right."""
    request = Request(f"{url}/stats", headers={"Authorization": f"Bearer {tokens[2]}"})
    with urlopen(request) as answer:
        stats = json.load(answer)
    return stats["total_records"], stats["acceptance_rate"]


@pytest.fixture
def helper(url, tokens, tmp_path, monkeypatch):
    """An example's function, loaded as a tester's own module would be."""
    monkeypatch.setenv("HEALING_API_URL", url)
    monkeypatch.setenv("SELF_HEAL_TOKEN", tokens[1])
    (tmp_path / "pages").mkdir()
    monkeypatch.chdir(tmp_path)

    def load(whose, patience=PATIENCE):
        names = {"Path": Path}
        exec(BLOCKS["example", whose].replace(PATIENCE, patience), names)
        return names

    return load


# -- the browsers ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def driver():
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in [*CHROMIUM_FLAGS, "--headless=new"]:
        options.add_argument(flag)
    started = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    yield started
    started.quit()


@pytest.fixture
def in_selenium(driver):
    """Open a page; find how many elements a selector has; the name and value by which the example knows the browser."""
    return driver.get, lambda css: len(driver.find_elements("css selector", css)), {"driver": driver}


@pytest.fixture
def in_playwright(browser):
    context = browser.new_context()
    page = context.new_page()
    yield page.goto, lambda css: page.locator(css).count(), {"page": page}
    context.close()


@pytest.fixture(params=PYTHON)
def opened(request):
    """Each browser, with whose it is."""
    return request.param, *request.getfixturevalue(f"in_{request.param}")


pytestmark = [pytest.mark.needs("chromium"), pytest.mark.needs("chromedriver")]
TYPED = {"email": "ann@example.org", "password": "tent-and-boots"}


# -- the examples ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whose", [*PYTHON, "javascript"])
def test_an_example_is_short(whose):
    assert len(BLOCKS["example", whose].splitlines()) <= 25
    assert max(map(len, BLOCKS["example", whose].splitlines())) <= 120


def test_a_test_survives_the_redesign_and_confirms_what_worked(opened, shop, url, tokens, helper):
    whose, visit, count, browser = opened
    names = helper(whose) | browser
    visit(shop)
    exec(BLOCKS["use", whose], names)
    assert Shop.signed_in == [("/login", TYPED)]
    records, _ = confirmed(url, tokens)

    Shop.redesigned = True
    visit(shop)
    assert [count(css) for css in ("#login-email", "#login-password", "#login-btn")] == [0, 0, 0]
    with pytest.warns(UserWarning, match="is broken") as warned:
        exec(BLOCKS["use", whose], helper(whose, LITTLE) | browser)
    broken = [str(warning.message).partition(";")[0] for warning in warned]
    assert broken == ["#login-email is broken", "#login-password is broken", "#login-btn is broken"]
    assert Shop.signed_in[1:] == [("/api/session", TYPED)]
    assert confirmed(url, tokens) == (records + 3, 1.0)


def test_what_is_gone_fails_with_a_sentence_and_is_not_confirmed(opened, shop, url, tokens, helper):
    whose, visit, _, browser = opened
    names = helper(whose) | browser
    step = next(code for code in BLOCKS["use", whose].split("with ") if "#login-btn" in code)
    chat = "with " + re.sub("login-btn", "live-chat", step).split("\n")[0] + "\n    assert not gone"
    visit(shop)
    exec(chat, names | {"gone": False})
    Shop.redesigned = True
    visit(shop)
    records = confirmed(url, tokens)
    with pytest.raises(AssertionError, match="#live-chat is gone: nothing on the page 'Sign in"):
        exec(chat, helper(whose, LITTLE) | browser | {"gone": True})
    assert confirmed(url, tokens) == records


def test_a_step_that_fails_is_not_confirmed(opened, shop, url, tokens, helper):
    whose, visit, _, browser = opened
    names = helper(whose, LITTLE)
    Shop.redesigned = True  # and no page was kept
    visit(shop)
    records = confirmed(url, tokens)
    healed = names["found"](*browser.values(), "button.btn-primary[type=submit]", Path("pages/none.html"))
    with pytest.raises(ZeroDivisionError), pytest.warns(UserWarning, match="broken"), healed:
        1 / 0
    assert confirmed(url, tokens) == records


# -- JavaScript --------------------------------------------------------------------------------------------------------

OPENED = """
import {{ chromium }} from "playwright-core";
import {{ found }} from "./healing.mjs";
const browser = await chromium.launch({{ executablePath: {chromium}, args: {flags} }});
const page = await browser.newPage();
const shop = {shop};
await page.goto(shop);
try {{
{step}
}} finally {{
  await browser.close();
}}
"""


@pytest.fixture
def in_node(shop, url, tokens, tmp_path):
    """Run a step of a test in Node, with Playwright's own package."""
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "playwright-core").symlink_to(DRIVER / "package")
    (tmp_path / "pages").mkdir()
    given = {"chromium": shutil.which("chromium"), "flags": CHROMIUM_FLAGS, "shop": shop}

    def run(step, patience=PATIENCE):
        (tmp_path / "healing.mjs").write_text(BLOCKS["example", "javascript"].replace(PATIENCE, patience), "utf-8")
        script = OPENED.format(step=step, **{name: json.dumps(value) for name, value in given.items()})
        (tmp_path / "test.mjs").write_text(script, "utf-8")
        env = environment(HEALING_API_URL=url, SELF_HEAL_TOKEN=tokens[1])
        return subprocess.run(
            [DRIVER / "node", "test.mjs"],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_the_javascript_example_survives_the_redesign(in_node, url, tokens):
    step = BLOCKS["use", "javascript"]
    chat = 'await found(page, "#live-chat", "pages/live-chat.html", async () => {});\n'
    said = in_node(chat + step)
    assert (said.returncode, said.stderr) == (0, "")
    records, _ = confirmed(url, tokens)

    Shop.redesigned = True
    said = in_node(step + "await page.goto(shop);\n" + chat, LITTLE)
    assert said.returncode == 1
    assert "Error: #live-chat is gone: nothing on the page is like it" in said.stderr
    assert said.stderr.count("is broken; write page.") == 3
    assert Shop.signed_in == [("/login", TYPED), ("/api/session", TYPED)]
    assert confirmed(url, tokens) == (records + 3, 1.0)


# -- by hand -----------------------------------------------------------------------------------------------------------


def test_the_commands_heal_through_the_service(helper, url, tokens, tmp_path):
    (tmp_path / "page.html").write_text(SHOP_AFTER, "utf-8")
    (tmp_path / "pages" / "login-btn.html").write_text(SHOP_BEFORE, "utf-8")
    command, curl = re.findall(r"```bash\n(.*?)```", GUIDE, re.DOTALL)
    path = os.pathsep.join([str(BESIDE), os.environ["PATH"]])
    env = environment(HEALING_API_URL=url, SELF_HEAL_TOKEN=tokens[1], PATH=path)

    def said(script):
        asked = ["bash", "-euc", script.replace("http://localhost:8000", url)]
        done = subprocess.run(asked, cwd=tmp_path, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert said(command).startswith("healed css '#login-btn'")
    assert json.loads(said(curl))["candidates"][0]["text"] == "Sign In"
    stored = json.loads(said("self-heal fingerprint pages/login-btn.html --css '#login-btn'"))
    body = {"html": SHOP_AFTER, "original_locator": "#login-btn", "context": {"fingerprint": stored}}
    answer = helper("selenium")["ask"]("/heal", body)
    assert (answer["knowledge"], answer["candidates"][0]["text"]) == ("fingerprint", "Log in")
