"""The page at ``/`` in a headless browser, over a service in a process of its own; nothing of a hostile page runs."""

import json
import re
import time
from base64 import b64encode
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import TimeoutError as NoneCame

from self_heal_engine.access_tokens import create
from self_heal_engine.locators import KINDS
from self_heal_engine.service.page import headers, shop, template
from self_heal_engine.snippets import FRAMEWORKS
from serving import GUIDE
from uvicorn_process import serving

pytestmark = pytest.mark.needs("chromium")


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("page")) as url:
        yield url


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A service that asks for tokens, and two of them."""
    folder = tmp_path_factory.mktemp("guarded")
    file = folder / "data" / "tokens.json"
    tokens = {
        "heal": create(file, "reader", ["heal"], 1),
        "admin": create(file, "all", ["heal", "confirm", "admin"], 1),
    }
    with serving(folder) as url:
        yield url, tokens


@pytest.fixture(scope="module")
def elsewhere():
    """A server of somebody else, and what it was asked."""
    heard = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self):
            heard.append(self.path)
            self.send_error(404)

        do_POST = do_GET

    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", heard
        server.shutdown()


@contextmanager
def opened(browser, url, **wanted):
    """The page, just opened; in the end: nothing was asked of anybody else, and no script of ours failed."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **wanted})
    shell = context.new_page()
    asked, failed, dialogs = [], [], []
    context.on("request", lambda request: asked.append(request))
    shell.on("pageerror", lambda error: failed.append(str(error)))
    shell.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    shell.goto(url)
    yield shell
    abroad = {each.url: each.failure for each in asked if not each.url.startswith((url, "data:", "about:"))}
    assert set(abroad.values()) <= {"csp"}, abroad  # the browser tells of what it then refuses to ask for
    assert (failed, dialogs, context.pages) == ([], [], [shell])
    assert shell.url.partition("#")[0] == f"{url}/"
    context.close()


@pytest.fixture
def shell(browser, service):
    with opened(browser, service) as page:
        yield page


def healed(shell, html, locator="#login-btn", **more):
    """Heal by the form, and wait for the answer and for its frame."""
    shell.fill("#html", html)
    shell.fill("#locator", locator)
    if more:
        shell.evaluate("document.getElementById('more').open = true")
    for field, value in more.items():
        shell.fill(f"#{field}", value)
    shell.click("#heal")
    shell.wait_for_selector("#heal:not([aria-busy])")
    if shell.is_visible("#answered"):
        until(lambda: shell.evaluate("loaded"))


def until(holds, seconds=10.0):
    """Wait: the browser's own waiting makes code of text, which the page's policy forbids."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def focused(shell):
    return shell.evaluate("document.activeElement.id")


def example(shell):
    shell.click("#example")
    shell.locator("#candidates > li").first.wait_for()
    inside(shell).locator(":target").wait_for()


def inside(shell):
    return shell.frame_locator("#frame")


def lit(shell):
    """What is lit in the frame, as its own page writes it."""
    return inside(shell).locator("[data-self-heal]:target")


def asks(shell, body):
    answer = shell.request.post(f"{shell.url.partition('#')[0]}heal", data=body)
    assert answer.ok
    return answer.json()


# -- the page itself ---------------------------------------------------------------------------------------------------


def test_the_page_is_open_to_all_and_runs_no_script_but_its_own(browser, guarded):
    url, _ = guarded
    with opened(browser, url) as shell:
        answer = shell.request.get(url)
        said = answer.headers
        (script,) = re.findall(r"<script>(.*?)</script>", answer.text(), re.DOTALL)
        rules = dict(rule.split(" ", 1) for rule in said["content-security-policy"].split("; "))
        assert rules["script-src"] == f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"
        assert rules["default-src"] == rules["frame-ancestors"] == rules["form-action"] == rules["base-uri"] == "'none'"
        assert rules["connect-src"] == "'self'"
        assert (said["x-content-type-options"], said["referrer-policy"]) == ("nosniff", "no-referrer")
        assert said["cache-control"] == "no-store"
        with pytest.raises(Exception, match="TrustedHTML"):
            shell.evaluate("document.body.innerHTML = '<b>no</b>'")


def test_the_template_is_small_and_asks_nobody_else():
    html = template()
    markup, script = html.partition("</script>")[0].split("<script>")
    style = markup[markup.index("<style>") : markup.index("</style>")]
    assert (len(style.splitlines()) < 250, len(script.splitlines()) < 450) == (True, True)
    assert not re.search(r"innerHTML|outerHTML =|insertAdjacentHTML|document\.write|\beval\(|setTimeout\([^(]", script)
    assert not re.findall(r"""(?:src|href|action)=["']?(?!#|data:)\w+""", markup)
    assert set(re.findall(r"https?://[^'\"/ ]+", html)) == {"http://www.w3.org"}


def test_every_kind_of_locator_and_every_framework_can_be_chosen(shell):
    assert tuple(shell.locator("#kind option").all_inner_texts()) == KINDS
    values = [option.get_attribute("value") for option in shell.locator("#framework option").all()]
    assert values == list(FRAMEWORKS)


# -- healing -----------------------------------------------------------------------------------------------------------


def test_the_example_says_its_decision_its_confidence_and_its_candidates(shell):
    shell.wait_for_selector("#nothing")
    example(shell)
    assert shell.inner_text("#verdict h2") == "Healed"
    meter = shell.get_by_role("meter", name="Confidence")
    threshold, confidence = meter.locator("b"), meter.locator("i")
    assert re.fullmatch(r"\d\d\.\d %, \w[\w ]+; the threshold is \d\d\.\d %", meter.get_attribute("aria-valuetext"))
    assert confidence.bounding_box()["width"] > threshold.bounding_box()["x"] - meter.bounding_box()["x"]
    cards = shell.locator("#candidates > li")
    assert cards.count() == 5
    assert "Log in" in cards.nth(0).locator("summary").inner_text()
    assert "same role 'button'" in cards.nth(0).locator(".reasons").inner_text()
    assert "main > div > section > form > button" in cards.nth(0).locator(".locators").inner_text()
    assert shell.inner_text("#live").startswith("healed, likely, ")


def test_every_candidate_is_outlined_and_the_one_looked_at_is_lit(shell):
    example(shell)
    assert inside(shell).locator("[data-self-heal]").count() == 5
    assert lit(shell).inner_text() == "Log in"
    shell.hover("#candidates > li:nth-child(2) summary")
    inside(shell).locator("[role=tab]:target").wait_for()
    assert lit(shell).evaluate("node => getComputedStyle(node).outline").startswith("rgb(214, 51, 108) solid 4px")
    assert shell.locator("#candidates > li.lit").count() == 1


def test_arrow_keys_walk_through_the_candidates_and_the_focus_stays(shell):
    example(shell)
    shell.focus("#candidates summary")
    for key, text in (("ArrowDown", "Sign in"), ("ArrowDown", "Forgot"), ("ArrowUp", "Sign in"), ("Home", "Log in")):
        shell.keyboard.press(key)
        inside(shell).locator(":target", has_text=text).wait_for()
        assert text in shell.evaluate("document.activeElement.closest('summary').innerText")
    shell.keyboard.press("End")
    shell.keyboard.press("Enter")
    assert shell.locator("#candidates details[open]").count() == 1
    assert shell.locator("#candidates > li:last-child details").get_attribute("open") is not None


def test_what_stands_far_down_the_page_is_brought_into_view(shell):
    far = "".join(f"<p style='height:200px'>{n}</p>" for n in range(50))
    healed(shell, f"<h1>Login</h1>{far}<button>Sign In</button>{far}", text="Sign In")
    top = lit(shell).evaluate("node => node.getBoundingClientRect().top")
    assert 0 < top < shell.locator("#frame").bounding_box()["height"]


def test_text_and_anchors_go_with_the_question(shell):
    shops = "<section><h2>Old</h2><button>Buy</button></section><section><h2>New</h2><button>Buy</button></section>"
    with shell.expect_request("**/heal") as sent:
        healed(shell, shops, "#buy", text="Buy", anchors="New\n\n Old ", baseline="<button id=buy>Buy</button>")
    assert json.loads(sent.value.post_data)["context"] == {
        "visible_text": "Buy", "anchors": ["New", "Old"], "baseline_html": "<button id=buy>Buy</button>",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("html", "locator", "decision"),
    [
        ("<button id='go'>Go</button><a href='/x'>Help</a>", "#go", "Unchanged"),
        ("<p>Nothing to press.</p><i>x</i>", "#login-btn", "Gone"),
    ],
)
def test_each_decision_is_said_in_words(shell, html, locator, decision):
    healed(shell, html, locator, text="Go")
    assert shell.inner_text("#verdict h2") == decision
    assert len(shell.inner_text("#verdict p >> nth=0")) > 20


def test_a_refusal_is_shown_in_place_of_the_answer_and_the_next_answer_in_place_of_it(shell):
    healed(shell, "<p>x</p>", "a[[")
    assert "a[[" in shell.inner_text("#problem")
    assert "locator_syntax" in shell.inner_text("#problem")
    healed(shell, GUIDE["html"], text="Sign In")
    assert (shell.is_visible("#problem"), shell.is_visible("#answered")) == (False, True)


def test_a_service_that_is_away_is_a_sentence(shell):
    shell.route("**/heal", lambda route: route.abort())
    healed(shell, GUIDE["html"])
    assert "cannot be reached" in shell.inner_text("#problem")


@pytest.mark.parametrize(("onto", "field"), [("#html", "html"), ("#baseline", "baseline"), ("h1", "html")])
def test_a_dropped_file_is_read(shell, onto, field):
    shell.evaluate("document.getElementById('more').open = true")
    drop = "() => { const held = new DataTransfer(); held.items.add(new File(['<p>é'], 'a.html')); return held }"
    shell.dispatch_event(onto, "drop", {"dataTransfer": shell.evaluate_handle(drop)})
    until(lambda: shell.input_value(f"#{field}") == "<p>é")
    assert shell.inner_text(f"#{field}-size") == "0.0 kB"


def pressed(shell, key, times=5):
    """The file chooser that a key opens; a busy Chromium now and then opens none, and takes the key again."""
    try:
        with shell.expect_file_chooser(timeout=5_000) as chooser:
            shell.keyboard.press(key)
        return chooser.value
    except NoneCame:
        if times == 1:
            raise
        return pressed(shell, key, times - 1)


def test_a_file_can_be_opened_from_the_keyboard(shell, tmp_path):
    (tmp_path / "page.html").write_text(GUIDE["html"], "utf-8")
    shell.get_by_label("Open a file as the page now").focus()
    pressed(shell, "Space").set_files(tmp_path / "page.html")
    until(lambda: shell.input_value("#html") == GUIDE["html"])


# -- hostile pages -----------------------------------------------------------------------------------------------------

HOSTILE = {
    "scripts": "<script>top.hacked = 1; alert(1); fetch('{0}/a')</script><script src='{0}/b'></script>",
    "handlers": "<img src=x onerror='top.hacked=1'><body onload='top.hacked=1'><svg onload='top.hacked=1'></svg>",
    "what loads": "<img src='{0}/i'><iframe src='{0}/f'></iframe><video src='{0}/v' poster='{0}/p'></video>"
    "<object data='{0}/o'></object><embed src='{0}/e'><style>@import '{0}/s'; b {{ background: url('{0}/u') }}</style>"
    "<link rel=stylesheet href='{0}/l'><link rel=preconnect href='{0}'><b style='background:url({0}/w)'>b</b>",
    "the end of what is around it": "</style></title></iframe></textarea><script>top.hacked=1</script>\"'>--><img src=x onerror=top.hacked=1>",
    "refresh and base": "<meta http-equiv=refresh content='0;url={0}/r'><base href='{0}/' target=_top>",
    "its own policy": "<meta http-equiv=Content-Security-Policy content='default-src *'><img src='{0}/i'>",
    "a form": "<form action='{0}/form' target=_top id=f><input autofocus onfocus='top.hacked=1'></form>",
    "a frame in the frame": "<iframe srcdoc=\"<script>top.hacked=1</script><img src='{0}/n'>\"></iframe>",
    "frames": "<frameset onload='top.hacked=1'><frame src='{0}/frame'></frameset>",
    "mutation": "<svg><style><img src=x title='</style><img src=x onerror=top.hacked=1>'></svg>"
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=x onerror=top.hacked=1&gt;'>",
}
LURES = (
    "<a href='{0}/away' target=_top style='position:fixed;inset:0;z-index:9;background:#eee'>x</a>"
    "<a href='javascript:top.hacked=1' style='position:fixed;inset:0'>y</a><a href='{0}/self'>z</a>"
)


@pytest.mark.parametrize("trick", HOSTILE)
def test_nothing_of_a_hostile_page_runs_or_loads(shell, elsewhere, trick):
    address, heard = elsewhere
    heard.clear()
    healed(shell, f"{HOSTILE[trick]}<button>Sign In</button>".format(address), text="Sign In")
    assert shell.is_visible("#frame")
    shell.wait_for_timeout(100)
    assert shell.evaluate("window.hacked") is None
    assert shell.frames[1].url.startswith("about:srcdoc")
    assert shell.is_visible("h1")
    assert heard == []  # and no dialog opened: that is looked at wherever the page is opened


def test_the_links_of_a_hostile_page_lead_nowhere(shell, elsewhere):
    address, heard = elsewhere
    heard.clear()
    healed(shell, f"<button>Sign In</button>{LURES}".format(address), text="Sign In")
    box = shell.locator("#frame").bounding_box()
    for button in ("left", "middle"):
        shell.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, button=button)
    shell.wait_for_timeout(200)
    assert (shell.evaluate("window.hacked"), len(shell.context.pages)) == (None, 1)
    assert shell.frames[1].url.startswith("about:srcdoc")
    assert heard == []


def test_a_frame_stays_shut_even_if_what_is_in_it_could_be_pressed(shell):
    healed(shell, f"<button>Sign In</button>{LURES}".format("http://elsewhere.invalid"), text="Sign In")
    assert shell.locator("#frame").get_attribute("sandbox") == ""
    frame = shell.locator("#frame").element_handle().content_frame()
    assert inside(shell).locator("a").evaluate_all("all => all.map(one => one.getAttribute('href'))") == ["#"] * 3
    assert frame.locator("meta").first.get_attribute("content").startswith("default-src 'none'")
    with pytest.raises(Exception, match="Blocked a frame"):
        shell.evaluate("document.getElementById('frame').contentWindow.document.title")


def test_texts_and_locators_of_a_hostile_page_stay_text(shell):
    evil = "&lt;/style&gt;&lt;img src=x onerror=hacked=1&gt;"
    page = f"<button id='{evil}' aria-label='{evil}' name='a\"]{{}}*{{display:none}}'>{evil}</button><p>Sign In</p>"
    healed(shell, page, "button", text="Sign In")
    assert "</style><img src=x onerror=hacked=1>" in shell.inner_text("#candidates")
    assert shell.locator("main img").count() == 0
    assert shell.evaluate("window.hacked") is None
    shell.locator("#candidates > li", has_text="onerror").first.hover()
    inside(shell).locator("button:target").wait_for()
    assert lit(shell).inner_text() == "</style><img src=x onerror=hacked=1>"


def test_the_style_of_a_hostile_page_hides_no_outline(shell):
    style = "<style>*, #b, [data-self-heal] { outline: none !important; box-shadow: none !important }</style>"
    healed(shell, f"{style}<button id=b>Sign In</button>", "#login-btn", text="Sign In")
    assert lit(shell).evaluate("node => getComputedStyle(node).outlineStyle") == "solid"


def test_a_page_of_three_megabytes_is_healed_and_its_field_stays_quick(shell):
    rows = "".join(f"<div class=row{n}><p>Row {n} {'of a long page ' * 10}</p></div>" for n in range(16_000))
    page = f"{rows}<button class=go>Sign In</button>"
    assert len(page) > 2_900_000
    shell.evaluate("html => put('html', html)", page)
    shell.fill("#locator", "#login-btn")
    assert len(shell.input_value("#html")) < 10_000
    began = time.monotonic()
    shell.click("#heal")
    shell.locator("#candidates > li").first.wait_for()
    inside(shell).locator("button:target").wait_for()
    assert time.monotonic() - began < 15
    shell.click("#html-clear")
    assert (shell.input_value("#html"), shell.get_attribute("#html", "readonly")) == ("", None)


# -- confirming and copying --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("press", "said"),
    [
        ("#candidates > li:nth-child(1) [data-index]", "Recorded: candidate 1 is right."),
        ("#none", "Recorded: none of these is right."),
        ("#gone", "Recorded: the element is gone."),
    ],
)
def test_what_is_right_is_recorded_once_and_another_word_is_refused(shell, press, said):
    healed(shell, GUIDE["html"], text="Sign In")
    shell.click(press)
    until(lambda: shell.inner_text("#said") == said)
    assert shell.get_attribute(press, "aria-pressed") == "true"
    shell.click(press)
    until(lambda: shell.inner_text("#said") == said.replace("Recorded", "Recorded before"))
    shell.click("#gone" if press == "#none" else "#none")
    shell.locator("#refused").wait_for()
    assert "other_verdict" in shell.inner_text("#refused")
    assert shell.get_attribute(press, "aria-pressed") == "true"


def test_a_heal_that_was_not_stored_cannot_be_confirmed(shell):
    shell.route("**/heal", lambda route: route.fulfill(json=route.fetch().json() | {"confirmable": False}))
    healed(shell, GUIDE["html"], text="Sign In")
    assert not shell.is_visible("#closing")
    assert not shell.is_visible("#candidates [data-index]")
    assert "it could not be stored" in shell.inner_text("#verdict")


def test_the_locator_is_copied_for_the_framework_that_was_chosen_before(browser, service):
    with opened(browser, service, permissions=["clipboard-read", "clipboard-write"]) as shell:
        shell.select_option("#framework", "cypress") if shell.is_visible("#framework") else None
        healed(shell, GUIDE["html"], text="Sign In")
        assert shell.inner_text("#candidates pre >> nth=0").startswith("driver.find_element(By.")
        shell.select_option("#framework", "playwright_typescript")
        shell.click("#candidates button:has-text('Copy')")
        copied = shell.evaluate("navigator.clipboard.readText()")
        assert copied == 'page.getByRole("button", { name: "Sign In", exact: true })'
        shell.reload()
        healed(shell, GUIDE["html"], text="Sign In")
        assert shell.inner_text("#candidates pre >> nth=0") == copied


# -- recent heals ------------------------------------------------------------------------------------------------------


def test_recent_heals_are_filtered_and_shown_again(shell):
    asks(shell, GUIDE | {"context": {"visible_text": "Sign In", "test_session": "night 7"}})
    asks(shell, {"html": "<p>x</p><i>y</i>", "original_locator": "#gone-btn", "context": {"test_session": "night 7"}})
    shell.fill("#by-session", "night 7")
    shell.keyboard.press("Enter")
    lines = shell.locator("#heals li")
    until(lambda: lines.count() == 2)
    shell.select_option("#by-decision", "gone")
    until(lambda: lines.count() == 1)
    assert "#gone-btn" in lines.inner_text()
    shell.select_option("#by-confidence", "0.95-1")
    shell.wait_for_selector("#heals-empty:has-text('No heal is like that.')")
    shell.select_option("#by-confidence", "0-1")
    shell.select_option("#by-decision", "healed")
    shell.wait_for_selector("#heals li:has-text('#login-btn')")
    lines.locator("button").click()
    inside(shell).locator("button:target", has_text="Sign In").wait_for()
    assert shell.inner_text("#verdict h2") == "Healed"
    assert "night 7" in shell.inner_text("#verdict")
    assert focused(shell) == "answer"
    shell.click("#candidates > li:first-child [data-index]")
    shell.wait_for_selector("#heals li:has-text('the first was right')")


# -- tokens ------------------------------------------------------------------------------------------------------------


def test_the_token_is_asked_for_kept_in_the_tab_and_nowhere_else(browser, guarded):
    url, tokens = guarded
    with opened(browser, url) as shell:
        shell.wait_for_selector("#access:not([hidden])")
        assert "send your token" in shell.inner_text("#token-problem")
        shell.click("#example")
        until(lambda: focused(shell) == "token")
        shell.keyboard.type("she_guess")
        shell.keyboard.press("Enter")
        shell.wait_for_selector("#token-problem:has-text('unknown_token')")
        shell.fill("#token", tokens["admin"])
        shell.keyboard.press("Enter")
        shell.wait_for_selector("#access", state="hidden")
        example(shell)
        assert shell.evaluate("[sessionStorage.length, localStorage.length, document.cookie]") == [1, 0, ""]
        assert tokens["admin"] not in shell.url + shell.content()
        shell.reload()
        shell.wait_for_selector("#heals li")
        shell.click("#token-shown")
        shell.click("#token-forget")
        shell.wait_for_selector("#token-problem:has-text('no_token')")
        assert shell.locator("#heals li").count() == 0


def test_who_may_only_heal_is_told_what_else_a_token_would_need(browser, guarded):
    url, tokens = guarded
    with opened(browser, url) as shell:
        shell.fill("#token", tokens["heal"])
        shell.keyboard.press("Enter")
        healed(shell, GUIDE["html"], text="Sign In")
        shell.click("#none")
        shell.wait_for_selector("#refused:has-text('has not the scope confirm')")
        shell.click("#heals li:first-child button")
        shell.wait_for_selector("#recent-problem:has-text('shown to those whose token may admin')")
        assert shell.is_visible("#answered")


# -- for everybody -----------------------------------------------------------------------------------------------------

CONTROLS = "a[href], button, input, select, textarea, summary, iframe"


def test_everything_is_reached_by_tab_and_has_a_name_and_a_visible_focus(shell):
    example(shell)
    shell.wait_for_selector("#heals li")
    wanted = shell.evaluate(
        "all => [...document.querySelectorAll(all)].filter(one => one.checkVisibility()).map((one, at) => one.dataset.stop = at)",
        CONTROLS,
    )
    shell.focus(".skip")
    reached, bare = [0], []
    for _ in range(len(wanted) + 5):
        shell.keyboard.press("Tab")
        at, ring, what = shell.evaluate(
            "(now => [now.dataset.stop ?? null, getComputedStyle(now.closest('.file') ?? now).outlineStyle, now.outerHTML.slice(0, 80)])(document.activeElement)"
        )
        reached += [] if at is None else [int(at)]
        bare += [what] if ring == "none" and "<iframe" not in what and "<body" not in what else []
    assert set(reached) == set(wanted)
    assert bare == []
    assert list(dict.fromkeys(reached)) == wanted  # in the order in which they stand; the frame may take two steps
    nameless = [
        control.evaluate("node => node.outerHTML.slice(0, 80)")
        for control in shell.locator(CONTROLS).all()
        if control.is_visible() and not re.search(r'^- \w+ "[^"]+', control.aria_snapshot().replace("'", ""))
    ]
    assert [each for each in nameless if not each.startswith(("<summary", "<iframe"))] == []
    assert shell.locator("#frame").get_attribute("title")


def test_landmarks_headings_and_a_way_past_the_form(shell):
    for role, name in (("banner", None), ("navigation", "Parts of this page"), ("main", None), ("form", "A broken locator"), ("region", "Answer"), ("region", "Recent heals"), ("form", "Which heals are shown")):  # fmt: skip
        assert shell.get_by_role(role, **({"name": name} if name else {})).count() == 1, role
    assert shell.get_by_role("heading", level=1).count() == 1
    assert shell.locator("html").get_attribute("lang") == "en"
    shell.keyboard.press("Tab")
    assert shell.evaluate("document.activeElement.textContent") == "Skip to the answer"
    assert shell.locator(".skip").bounding_box()["width"] > 50
    shell.keyboard.press("Enter")
    assert focused(shell) == "answer"


def test_control_and_enter_heal_from_any_field(shell):
    shell.fill("#html", GUIDE["html"])
    shell.fill("#locator", "#login-btn")
    shell.keyboard.press("Control+Enter")
    shell.wait_for_selector("#candidates > li")
    assert focused(shell) == "locator"
    assert re.match(r"(healed|gone|unchanged), .*\d %; 3 candidates\.$", shell.text_content("#live"))


def test_an_empty_form_is_sent_to_nobody(shell):
    asked = []
    shell.on("request", lambda request: asked.append(request.url))
    shell.click("#heal")
    assert focused(shell) == "html"
    assert asked == []


# What stands on what, and how far apart they must be: WCAG 2.2, 1.4.3 and 1.4.11.
PAIRS = [
    *((text, ground, 4.5) for text in ("ink", "muted", "accent", "alarm") for ground in ("panel", "sunk", "ground")),
    ("on-accent", "accent", 4.5), ("ink", "tint", 4.5), ("accent", "tint", 4.5), ("muted", "tint", 4.5),
    ("alarm", "tint", 4.5), ("ink", "alarm-tint", 4.5), ("alarm", "alarm-tint", 4.5), ("muted", "alarm-tint", 4.5),
    ("border", "panel", 3), ("border", "sunk", 3), ("accent", "line", 3), ("alarm", "line", 3),
]  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(scheme):
    light, dark = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in re.findall(r":root \{(.*?)\}", template(), re.DOTALL))  # fmt: skip
    colours = light if scheme == "light" else light | dark
    assert set(light) == set(dark)
    low = {
        (text, ground): round(contrast(colours[text], colours[ground]), 2)
        for text, ground, least in PAIRS
        if contrast(colours[text], colours[ground]) < least
    }
    assert low == {}


def contrast(one, other):
    """https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour):
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_drawn_in_the_scheme_that_is_preferred_and_without_motion(browser, service, scheme):
    with opened(browser, service, color_scheme=scheme, reduced_motion="reduce") as shell:
        ground = shell.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (min(map(int, re.findall(r"\d+", ground))) > 200) == (scheme == "light")
        example(shell)
        moving = shell.evaluate(
            "[...document.querySelectorAll('*')].filter(one => getComputedStyle(one).transitionDuration !== '0s').length"
        )
        assert moving == 0


def test_no_width_scrolls_sideways(browser, service):
    long = "x" * 400
    page = f"<button class='{long}' title='{long}'>{long}</button><a href='/{long}'>Sign In</a>"
    with opened(browser, service) as shell:
        for width in (320, 375, 700, 704, 768, 991, 992, 1100, 1311, 1312, 1600):
            shell.set_viewport_size({"width": width, "height": 800})
            assert shell.evaluate("document.documentElement.scrollWidth") <= width, f"empty, {width}"
        healed(shell, page, f"#{long}", text=long)
        shell.click("#none")
        shell.wait_for_selector("#said:not(:empty)")
        shell.click("#token-shown")
        for width in (320, 375, 700, 704, 768, 991, 992, 1100, 1311, 1312, 1600):
            shell.set_viewport_size({"width": width, "height": 800})
            assert shell.evaluate("document.documentElement.scrollWidth") <= width, f"answered, {width}"


def test_the_example_and_the_headers_are_made_once():
    assert shop() is shop()
    assert headers(template()) is headers(template())
