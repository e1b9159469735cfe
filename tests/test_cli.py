"""The command line: what a person reads, what a script reads, and one sentence for what cannot be done."""

import io
import json
import sys

import pytest

from pages import SHOP_AFTER, SHOP_BEFORE
from self_heal_engine.cli import main


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "old.html").write_text(SHOP_BEFORE, encoding="utf-8")
    (tmp_path / "new.html").write_text(SHOP_AFTER, encoding="utf-8")
    return tmp_path


def run(capsys, monkeypatch, *arguments, stdin=b""):
    """Run the command as a shell would; return its exit code, output and errors."""
    monkeypatch.setattr(sys, "argv", ["self-heal", *map(str, arguments)])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
    with pytest.raises(SystemExit) as end:
        main()
    said = capsys.readouterr()
    return end.value.code or 0, said.out, said.err


@pytest.fixture
def self_heal(capsys, monkeypatch):
    return lambda *arguments, stdin=b"": run(capsys, monkeypatch, *arguments, stdin=stdin)


def test_a_healed_locator_is_shown_with_its_reasons_and_sources(self_heal, shop):
    code, out, _ = self_heal("heal", shop / "new.html", "--css", "#login-btn", "--baseline", shop / "old.html")
    assert code == 0
    assert out.startswith("healed css '#login-btn'")
    assert 'button[name="Log in"]' in out
    assert "because: " in out
    assert 'page.get_by_role("button", name="Log in", exact=True)' in out
    assert "rough" not in out, "the promoted model is calibrated"


def test_json_has_the_fields_of_the_service(self_heal, shop):
    code, out, _ = self_heal(
        "heal", shop / "new.html", "--css", "#login-btn", "--baseline", shop / "old.html", "--json", "--limit", 2
    )
    answer = json.loads(out)
    assert code == 0
    assert answer["decision"] == "healed"
    assert 0 <= answer["confidence"] <= 1
    assert answer["original_matches"] == 0
    assert len(answer["candidates"]) == 2
    first = answer["candidates"][0]
    assert first.keys() == {
        "index", "locator", "locator_type", "score", "tag", "text", "html", "alternatives", "source", "reasons",
    }  # fmt: skip
    assert (first["index"], first["locator"], first["locator_type"]) == (0, 'button[name="Log in"]', "role")
    assert {"css", "xpath"} <= {other["locator_type"] for other in first["alternatives"]}


def test_gone_is_exit_code_3(self_heal, shop):
    code, out, _ = self_heal("heal", shop / "new.html", "--css", "#live-chat", "--baseline", shop / "old.html")
    assert (code, out.split()[0]) == (3, "gone")


def test_unchanged_is_exit_code_0(self_heal, shop):
    code, out, _ = self_heal("heal", shop / "old.html", "--css", "#login-btn", "--baseline", shop / "old.html")
    assert (code, out.split()[0]) == (0, "unchanged")
    assert "the old locator finds one element now; known: the element as it was" in out


def test_the_page_comes_from_standard_input(self_heal, shop):
    code, out, _ = self_heal("heal", "-", "--css", "#login-btn", "--text", "Log in", stdin=SHOP_AFTER.encode())
    assert code == 0
    assert "Log in" in out


def test_a_stored_fingerprint_heals_like_the_baseline_page(self_heal, shop):
    _, stored, _ = self_heal("fingerprint", shop / "old.html", "--css", "#login-btn")
    (shop / "login.json").write_text(stored, encoding="utf-8")
    by = [
        self_heal("heal", shop / "new.html", "--css", "#login-btn", "--json", *options)[1]
        for options in (("--fingerprint", shop / "login.json"), ("--baseline", shop / "old.html"))
    ]
    assert by[0] == by[1]


def test_many_locators_at_once(self_heal, shop):
    lines = [
        {"original_locator": "#login-email", "baseline_html": SHOP_BEFORE},
        {"original_locator": "#newsletter-email", "baseline_html": SHOP_BEFORE},
        {"original_locator": "live-chat", "locator_type": "id", "baseline_html": SHOP_BEFORE},
    ]
    (shop / "all.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n\n", encoding="utf-8")
    code, out, _ = self_heal("heal", shop / "new.html", "--all", shop / "all.jsonl", "--json")
    answers = [json.loads(line) for line in out.splitlines()]
    assert code == 3, "the worst of them"
    assert answers[2]["decision"] == "gone"
    assert answers[0]["candidates"][0]["html"] != answers[1]["candidates"][0]["html"]
    code, out, _ = self_heal("heal", shop / "new.html", "--all", shop / "all.jsonl")
    assert [line.split()[0] for line in out.splitlines()[1:4]] == ["#login-email", "#newsletter-email", "live-chat"]


def test_explain_says_why_the_runner_up_lost(self_heal, shop):
    code, out, _ = self_heal("explain", shop / "new.html", "--css", "#login-btn", "--baseline", shop / "old.html")
    assert code == 0
    for part in ("winner", "same type 'submit'", "runner-up", "lost by its role: 'tab' is further from 'button'"):
        assert part in out


def test_the_demo_heals_two_and_finds_one_gone(self_heal):
    code, out, _ = self_heal("demo")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines() if "confidence" in line] == ["healed", "healed", "gone"]


@pytest.mark.parametrize(
    ("word", "quoted", "arguments"),
    [
        ("unreadable_file", "nofile.html", ["heal", "nofile.html", "--css", "#a"]),
        ("unreadable_file", "nofile.html", ["heal", "{new}", "--css", "#a", "--baseline", "nofile.html"]),
        ("one_locator", "not 0", ["heal", "{new}"]),
        ("one_locator", "not 2", ["heal", "{new}", "--css", "#a", "--xpath", "//a"]),
        ("locator_syntax", "'a['", ["heal", "{new}", "--css", "a["]),
        ("unknown_locator_kind", "'cs'", ["heal", "{new}", "--kind", "cs", "--locator", "a"]),
        ("unknown_action", "'hover'", ["heal", "{new}", "--css", "a", "--action", "hover"]),
        ("empty_locator", "''", ["heal", "{new}", "--css", ""]),
        ("no_model", "nomodel.json", ["heal", "{new}", "--css", "#a", "--model", "nomodel.json"]),
        ("bad_model", "new.html", ["heal", "{new}", "--css", "#a", "--model", "{new}"]),
        ("bad_fingerprint", "Invalid JSON", ["heal", "{new}", "--css", "#a", "--fingerprint", "{new}"]),
        ("not_found", "'#nowhere'", ["fingerprint", "{new}", "--css", "#nowhere"]),
        ("bad_request", "line 1", ["heal", "{new}", "--all", "{new}"]),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(self_heal, shop, word, quoted, arguments):
    code, out, err = self_heal(*(argument.format(new=shop / "new.html") for argument in arguments))
    assert (code, out) == (2, "")
    assert err.startswith(f"self-heal: {word}: ")
    assert quoted in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("word", "page"), [("empty_page", b""), ("empty_page", b" \n "), ("not_utf8", b"<p>\xff\xfe\x00")]
)
def test_a_page_that_is_none_is_refused(self_heal, word, page):
    code, _, err = self_heal("heal", "-", "--css", "#a", stdin=page)
    assert code == 2
    assert err.startswith(f"self-heal: {word}: ")


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '{"locator": "a"}',
        '{"original_locator": 3}',
        '{"original_locator": "a", "anchors": "b"}',
        '{"original_locator": "a", "x": 1}',
    ],
)
def test_a_bad_line_is_refused_with_its_number(self_heal, shop, line):
    (shop / "all.jsonl").write_text('{"original_locator": "#a"}\n' + line, encoding="utf-8")
    code, out, err = self_heal("heal", shop / "new.html", "--all", shop / "all.jsonl")
    assert (code, out) == (2, "")
    assert "line 2" in err


def test_hostile_text_reaches_the_terminal_harmlessly(self_heal, shop):
    page = '<button id=b>\x1b[31mred [bold]not bold[/bold] "quoted" &#xD800;</button>'
    _, out, _ = self_heal("heal", "-", "--css", "#a", "--text", "red", stdin=page.encode())
    assert "\x1b" not in out
    assert "[bold]not bold" in out
