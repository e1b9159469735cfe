"""Hostile inputs: what is sent to the service to make it fail, hang, swell or tell, and what must come back.

Each table's rows are a name, what is sent, and the answers that are right: a status where it is no problem of ours
(200, 400), the fixed word of a problem, or ``closed`` for a connection that the server closes without one. Where a row
has several, the first that comes depends on the machine's speed, or several are as good.
"""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import chain, repeat
from uuid import uuid4

from attacks.running import head, posted
from serving import GUIDE

MB = 1_000_000


@dataclass(frozen=True)
class Hostile:
    """One hostile input. ``pieces`` are made with the running service and the id of a heal just made."""

    name: str
    pieces: Callable
    right: frozenset
    method: str = "POST"


def right(words):
    return frozenset(words.split())


def of(value):
    """What a row holds, made now if it is made by a function: large ones are."""
    return value() if callable(value) else value


def to(path, body):
    """The pieces of a POST request with a body of bytes, or of plain data."""

    def pieces(served, request_id):
        data = of(body)
        raw = data if isinstance(data, bytes) else json.dumps(data).encode()
        return [posted(path, raw.replace(b"REQUEST-ID", request_id.encode()), served.token)]

    return pieces


def asking(**changes):
    return {**GUIDE, **changes}


def json_with(member):
    """The guide's body with one more member, spelt as it is."""
    return b'{"html": "<button>Sign In</button>", "original_locator": "#login-btn", ' + member + b"}"


# -- JSON ----------------------------------------------------------------------------------------------------------

JSON = [
    ("nothing at all", b"", "bad_request"),
    ("white space", b" \n\t" * 100_000, "bad_request"),
    ("a lone high surrogate", json_with(b'"locator_type": "\\ud800"'), "bad_request"),
    ("a lone low surrogate in a key", json_with(b'"\\udfff": 1'), "bad_request"),
    ("surrogates in the wrong order", json_with(b'"context": {"visible_text": "\\udc00\\ud800"}'), "bad_request"),
    ("NaN", json_with(b'"max_candidates": NaN'), "bad_request"),
    ("minus infinity", json_with(b'"max_candidates": -Infinity'), "bad_request"),
    ("1e400", json_with(b'"max_candidates": 1e400'), "bad_request"),
    ("an integer of 4,000 digits", json_with(b'"max_candidates": ' + b"9" * 4_000), "bad_request"),
    ("an integer of a million digits", lambda: json_with(b'"max_candidates": ' + b"9" * MB), "bad_request"),
    ("a fraction of a million digits", lambda: json_with(b'"max_candidates": 0.' + b"1" * MB), "bad_request"),
    ("a negative zero", json_with(b'"max_candidates": -0'), "bad_request"),
    ("a boolean for a number", json_with(b'"max_candidates": true'), "bad_request"),
    ("a text for a boolean", json_with(b'"use_llm": "false"'), "bad_request"),
    ("the same key twice", json_with(b'"html": "<button>Sign In</button>"'), "200"),
    ("the same key 100,000 times", lambda: json_with(b",".join([b'"locator_type": "css"'] * 100_000)), "200"),
    ("100,000 unknown keys", lambda: json_with(b",".join(b'"k%d": 1' % n for n in range(100_000))), "bad_request"),
    ("a key of a megabyte", lambda: json_with(b'"' + b"k" * MB + b'": 1'), "bad_request"),
    ("a key of control characters", json_with(b'"\\u0000\\u001b[31m\\n\\u2028": 1'), "bad_request"),
    ("raw control characters in a text", json_with(b'"locator_type": "c\x00\x01\x1bss"'), "bad_request"),
    ("100,000 brackets", b"[" * 100_000, "bad_request"),
    ("100,000 braces", b'{"html":' * 100_000, "bad_request"),
    ("deep nesting inside a known field", lambda: json_with(b'"context": ' + b"[" * 50_000 + b"]" * 50_000), "bad_request"),
    ("a byte order mark", b"\xef\xbb\xbf" + json.dumps(GUIDE).encode(), "bad_request"),
    ("UTF-16", json.dumps(GUIDE).encode("utf-16"), "bad_request"),
    ("no UTF-8", json_with(b'"locator_type": "\xff\xfe"'), "bad_request"),
    ("overlong UTF-8", json_with(b'"locator_type": "\xc0\xaf"'), "bad_request"),
    ("cut in the middle", json.dumps(GUIDE).encode()[:-9], "bad_request"),
    ("cut in an escape", b'{"html": "\\u00', "bad_request"),
    ("two documents", json.dumps(GUIDE).encode() * 2, "bad_request"),
    ("a comment", b"/* hello */" + json.dumps(GUIDE).encode(), "bad_request"),
    ("a list for the page", asking(html=["<p>x"] * 100_000), "bad_request"),
    ("an object for the locator", asking(original_locator={"$ne": ""}), "bad_request"),
    ("prototype pollution", json_with(b'"__proto__": {"html": 1}, "constructor": {}'), "bad_request"),
]  # fmt: skip

# -- pages ---------------------------------------------------------------------------------------------------------

BUTTON = "<button>Sign In</button>"

PAGES = [
    ("white space alone", " \t\n" * 1_000, "empty_page"),
    ("a NUL alone", "\0", "200"),
    ("800,000 NULs", lambda: "\0" * 800_000 + BUTTON, "200"),
    ("NULs inside tags", "<but\0ton i\0d='lo\0gin-btn'>Sign\0 In</but\0ton>", "200"),
    ("every control character", "".join(map(chr, range(1, 160))) + BUTTON, "200"),
    ("right to left and no width", "<button>\u202e\u200b\u2066nI ngiS\u2069\ufeff</button>" * 500, "200"),
    ("combining marks without end", lambda: "<button>S" + "\u0301" * 500_000 + "ign In</button>", "200 page_too_complex"),
    ("<a<a<a", lambda: "<a" * MB, "200 page_too_large page_too_complex"),
    ("<a <a <a", lambda: "<a " * MB, "200 page_too_large page_too_complex"),
    ("a million <", lambda: "<" * MB, "200"),
    ("a million </", lambda: "</" * MB, "200 page_too_complex"),
    ("a million <!", lambda: "<!" * MB, "200 page_too_large page_too_complex"),
    ("a million <?", lambda: "<?" * MB, "200 page_too_large page_too_complex"),
    ("a million </p>", lambda: "<body>" + "</p>" * MB, "page_too_large page_too_complex"),
    ("a million </br>", lambda: "</br>" * 900_000, "page_too_large page_too_complex"),
    ("100,000 unclosed", lambda: "<div><p><b>" * 33_000, "page_too_large page_too_complex"),
    ("60,000 inside each other", lambda: "<div>" * 60_000 + BUTTON, "page_too_large"),
    ("500,000 inside each other", lambda: "<div>" * 500_000 + BUTTON, "page_too_large page_too_complex"),
    ("1,900 inside each other with 2 MB inside", lambda: "<div>" * 1_900 + "x " * MB + BUTTON, "200 page_too_complex"),
    ("1,900 inside each other, each with a text", lambda: "<div>Sign in here " * 1_900 + BUTTON, "200 page_too_complex"),
    ("100,000 attributes at one element", lambda: f"<p {' '.join(f'a{n}' for n in range(100_000))}>", "page_too_large page_too_complex"),
    ("999 attributes at each of 300 elements", lambda: f"<button {' '.join(f'a{n}=v' for n in range(999))}>Sign In</button>" * 300, "200 page_too_complex"),
    ("50,000 html tags that add attributes", lambda: "".join(f"<html a{n}=1>" for n in range(50_000)), "page_too_large page_too_complex"),
    ("an id of a megabyte", lambda: f"<button id='{'x' * MB}'>Sign In</button>", "200"),
    ("an id of 2 MB of quotes", lambda: f"<button id='{chr(34) * 2 * MB}'>Sign In</button>", "200 page_too_complex"),
    ("every attribute of a megabyte", lambda: "<button " + " ".join(f"{n}='{n[0] * 500_000}'" for n in ("id", "name", "class", "title", "data-testid", "aria-label", "href", "value")) + ">Sign In</button>", "200 page_too_complex"),
    ("a test id of 4 MB", lambda: f"<button data-testid='{'t' * 4 * MB}'>Sign In</button>", "200 page_too_complex"),
    ("a placeholder of 4 MB", lambda: f"<input placeholder='{'p' * 4 * MB}'>", "200 page_too_complex"),
    ("five test ids of 900 kB", lambda: "".join(f"<button data-testid='{n * 900_000}'>Sign In</button>" for n in "abcde"), "200 page_too_complex"),
    ("a tag name of a megabyte", lambda: f"<{'a' * MB}>Sign In", "200 page_too_complex"),
    ("a tag name of 5 MB", lambda: f"<{'a' * 5 * MB}>Sign In", "200 page_too_complex"),
    ("an attribute name of a megabyte", lambda: f"<button {'a' * MB}=1>Sign In</button>", "200"),
    ("attributes with names that no selector can name", "<button \"'<==1 [x]=2 :y=3 @z=4 *ngIf=5 \\=6 {{a}}=7>Sign In</button>", "200"),
    ("500,000 classes", lambda: f"<button class='{' '.join(f'c{n}' for n in range(500_000))}'>Sign In</button>", "200 page_too_complex"),
    ("4 MB of text", lambda: BUTTON + "word " * 900_000, "200 page_too_complex"),
    ("a button with 4 MB of text", lambda: f"<button>{'Sign In ' * 500_000}</button>", "200 page_too_complex"),
    ("50,000 candidates alike", lambda: BUTTON * 50_000, "200 page_too_complex"),
    ("50,000 of one id", lambda: "<button id=login-btn class=go>Sign In</button>" * 50_000, "200 page_too_complex"),
    ("59,000 different tags", lambda: "".join(f"<x-{n}>Sign In</x-{n}>" for n in range(59_000)), "200 page_too_complex"),
    ("59,000 different ids and texts", lambda: "".join(f"<a id=i{n} href=/{n}>Sign {n}</a>" for n in range(59_000)), "200 page_too_complex"),
    ("as many references as fit", lambda: "&amp;&#x53;&notin;" * 200_000 + BUTTON, "200"),
    ("references to nowhere", "&#0;&#xD800;&#xDFFF;&#x110000;&#99999999999999999999;&nothing;&" * 1_000 + BUTTON, "200"),
    ("a million ampersands", lambda: "&" * MB + BUTTON, "200"),
    ("a billion laughs", '<!DOCTYPE l [<!ENTITY a "lol">' + "".join(f'<!ENTITY {y} "{f"&{x};" * 10}">' for x, y in zip("abcdefgh", "bcdefghi", strict=True)) + "]><p>&i;</p>" + BUTTON, "200"),
    ("an external entity", '<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]><button>&x;Sign In</button>', "200"),
    ("formatting that is opened again in every paragraph", lambda: "<p>" + "".join(f"<b a={n}>" for n in range(1_000)) + "</p>" + "<p>x</p>" * 20_000, "page_too_large page_too_complex"),
    ("misnested formatting", lambda: "<b><i><u><a><p>" * 3_000 + "</b></i></u></a>" * 3_000, "200 page_too_large page_too_complex"),
    ("misnested links", lambda: "<a><div>" * 10_000, "200 page_too_large page_too_complex"),
    ("text that tables throw out", lambda: "<table>" + "x<tr>y" * 20_000 + BUTTON, "200 page_too_complex"),
    ("tables inside each other", lambda: "<table><tr><td>" * 400 + BUTTON, "200 page_too_large"),
    ("tables that throw out tables", lambda: "<table><a>" * 20_000, "200 page_too_large page_too_complex"),
    ("forms inside each other", lambda: "<form><div>" * 15_000, "200 page_too_large page_too_complex"),
    ("lists inside selects", lambda: "<select><option><optgroup>" * 20_000, "200 page_too_large page_too_complex"),
    ("a million open comments", lambda: "<!--" * MB, "200"),
    ("500,000 comments", lambda: "<!---->" * 500_000 + BUTTON, "200 page_too_complex"),
    ("comments that nearly end", lambda: "<!--" + "--!-" * MB + BUTTON, "200"),
    ("a script without end", lambda: BUTTON + "<script>" + "x" * 4 * MB, "200 page_too_complex"),
    ("a script that nearly ends", lambda: BUTTON + "<script><!--<script>" + "</scrip" * 500_000, "200 page_too_complex"),
    ("plain text without end", lambda: BUTTON + "<plaintext>" + "</plaintext>" * 200_000, "200 page_too_complex"),
    ("50,000 templates inside each other", lambda: "<template>" * 50_000 + BUTTON, "200 page_too_large page_too_complex"),
    ("foreign content that breaks out", lambda: "<svg><foreignObject><math><mi><p>" * 400 + BUTTON, "200 page_too_large page_too_complex"),
    ("foreign content with CDATA", "<svg><![CDATA[" + "<" * 100_000 + "]]></svg>" + BUTTON, "200"),
    ("a page of frames", "<frameset>" + "<frame src=/>" * 1_000 + "</frameset>", "200"),
    ("names that point at each other", "".join(f"<button id=b{n} aria-labelledby='b{(n + 1) % 500} b{(n + 2) % 500}'>Sign In</button>" for n in range(500)), "200 page_too_complex"),
    ("a name of a thousand long parts at a thousand buttons", lambda: "".join(f"<p id=p{n}>{'word ' * 200}</p>" for n in range(1_000)) + f"<button aria-labelledby='{' '.join(f'p{n}' for n in range(1_000))}'>Sign In</button>" * 700, "200 page_too_complex"),
    ("20,000 labels of one field", lambda: "<input id=x>" + "<label for=x>Sign In</label>" * 20_000, "200 page_too_complex"),
    ("labels inside each other", lambda: "<label>Sign <span>" * 900 + "<input>", "200 page_too_complex"),
    ("50,000 headings", lambda: "<h1>Login</h1><h2>x</h2>" * 25_000 + BUTTON, "200 page_too_complex"),
    ("secrets for the redaction to find", lambda: f"<p data-x='{'token=a&' * 300_000}'>{BUTTON}", "200 page_too_complex"),
    ("names that are nearly secrets", lambda: f"<p data-x='{'token' * 600_000}='>{BUTTON}", "200 page_too_complex"),
]  # fmt: skip

# -- locators ------------------------------------------------------------------------------------------------------

LADDER = "<div>" * 300
FLAT = "<ul>" + "<li>x</li>" * 5_000 + "</ul>"
TREE = "<div><p><a>x</a></p></div>" * 700
LONG_NAME = f"<button>{'a' * 50_000}!</button>"

LOCATORS = [
    ("nested :has", "css", "*" + ":has(* " * 12 + "x" + ")" * 12, LADDER, "page_too_complex 200"),
    ("a chain of siblings", "css", " ~ ".join(["li"] * 12) + " ~ x", FLAT, "page_too_complex 200"),
    ("a chain of descendants", "css", " ".join(["div"] * 60) + " x", LADDER, "page_too_complex 200"),
    ("500 :not inside each other", "css", ":not(" * 500 + "a" + ")" * 500, BUTTON, "200 locator_syntax"),
    ("790 :is inside each other", "css", ":is(" * 790 + "a" + ")" * 790, BUTTON, "200 locator_syntax"),
    ("660 :has inside each other", "css", ":has(" * 660 + "a" + ")" * 660, BUTTON, "200 locator_syntax page_too_complex"),
    ("2,000 alternatives", "css", ",".join("a" * 2_000), FLAT, "200 page_too_complex"),
    ("4,000 opening brackets", "css", "[" * 4_000, BUTTON, "locator_syntax"),
    ("4,000 opening parentheses", "css", "(" * 4_000, BUTTON, "locator_syntax"),
    ("4,000 backslashes", "css", "\\" * 4_000, BUTTON, "locator_syntax 200"),
    ("4,000 quotes", "css", "'\"" * 2_000, BUTTON, "locator_syntax"),
    ("4,000 stars", "css", "*" * 4_000, BUTTON, "locator_syntax"),
    ("2,000 comments", "css", "/**/" * 999 + "a", BUTTON, "200 locator_syntax"),
    ("4,001 characters", "css", "a" * 4_001, BUTTON, "locator_too_long"),
    ("a megabyte", "css", "#" + "a" * MB, BUTTON, "locator_too_long"),
    ("a NUL", "css", "#a\0b", BUTTON, "200 locator_syntax"),
    ("control characters", "css", "#a\x1b[31m\r\n\u2028", BUTTON, "200 locator_syntax"),
    ("a number without end", "css", f"li:nth-child({'9' * 3_000}n + {'9' * 900})", FLAT, "200 locator_syntax"),
    ("an escape beyond Unicode", "css", "#\\ffffff \\d800 \\0 x", BUTTON, "200 locator_syntax"),
    ("pseudo classes of the future", "css", ":host-context(:nth-child(2n of :state(x))):lang('*-x')::part(y)", BUTTON, "200 locator_syntax"),
    ("a call without end", "css", "page.get_by_role(" + "(" * 3_900, BUTTON, "locator_syntax"),
    ("a call of code", "css", "By.id(__import__('os').system('id'))", BUTTON, "200 locator_syntax"),
    ("spaces before a call", "css", "a " * 1_990 + "(", BUTTON, "200 locator_syntax"),
    ("a predicate that counts", "xpath", "//*[count(//*[count(//*) > 1]) > 1]", TREE, "page_too_complex 200"),
    ("predicates that count in predicates", "xpath", "//*[count(//*[count(//*[count(//*) > 1]) > 1]) > 1]", TREE, "page_too_complex 200"),
    ("a chain of following", "xpath", "//*" + "/following::*" * 6, TREE, "page_too_complex 200"),
    ("up and down again", "xpath", "//*" + "/ancestor-or-self::*/descendant-or-self::*" * 20, LADDER, "page_too_complex 200"),
    ("1,300 predicates", "xpath", "//*" + "[1]" * 1_300, BUTTON, "200 locator_syntax"),
    ("2,000 parentheses", "xpath", "(" * 1_990 + "//a" + ")" * 1_990, BUTTON, "200 locator_syntax"),
    ("3,900 minus signs", "xpath", "//a[" + "-" * 3_900 + "1]", BUTTON, "200 locator_syntax"),
    ("1,900 slashes", "xpath", "/" * 3_900 + "a", BUTTON, "locator_syntax"),
    ("a text without end", "xpath", "//a[.='" + "x" * 3_900, BUTTON, "locator_syntax"),
    ("concat in concat", "xpath", "//a[." + "=concat('a'," * 300 + "'b'" + ")" * 300 + "]", BUTTON, "200 locator_syntax"),
    ("a file by XPath", "xpath", "document('file:///etc/passwd')//*", BUTTON, "locator_syntax"),
    ("a network address by XPath", "xpath", "doc('http://169.254.169.254/latest/meta-data')//*", BUTTON, "locator_syntax"),
    ("a file as text by XPath", "xpath", "//a[unparsed-text('/etc/passwd') != '']", BUTTON, "locator_syntax"),
    ("a pattern that backtracks in XPath", "xpath", "//*[matches(., '^(a+)+$')]", LONG_NAME, "200 locator_syntax page_too_complex"),
    ("an XPath that finds no elements", "xpath", "string(//*)", BUTTON, "locator_syntax"),
    ("attributes by XPath", "xpath", "//@*", "<a id=x>y</a>", "200 locator_syntax"),
    ("a division by nothing", "xpath", "//*[1 div 0 > number('x')][-1e308 * 1e308]", BUTTON, "200 locator_syntax"),
    ("a variable", "xpath", "//*[$x]", BUTTON, "locator_syntax"),
    ("a pattern that repeats what repeats", "role", "button[name=/^(a+)+$/]", LONG_NAME, "locator_syntax"),
    ("a pattern of equal choices", "role", "button[name=/^(a|a|aa)*$/]", LONG_NAME, "locator_syntax"),
    ("three stars side by side", "role", "button[name=/a*a*a*$/]", LONG_NAME, "page_too_complex 200"),
    ("a pattern of large counts", "role", "button[name=/(?:a{9999}){9999}x/]", LONG_NAME, "locator_syntax"),
    ("a pattern that counts beyond any number", "role", "button[name=/a{4294967296}/]", LONG_NAME, "200 locator_syntax"),
    ("a pattern that is none", "role", "button[name=/(?P<a(?=[/]", LONG_NAME, "locator_syntax"),
    ("1,900 groups inside each other", "role", "button[name=/" + "(" * 1_900 + "a" + ")" * 1_900 + "/]", LONG_NAME, "200 locator_syntax"),
    ("1,300 conditions", "role", "button" + "[a]" * 1_300, BUTTON, "200 locator_syntax"),
    ("quotes and backslashes", "role", 'button[name="\\"\\\\\\', BUTTON, "locator_syntax"),
    ("a role with a NUL", "role", "but\0ton", BUTTON, "locator_syntax"),
    ("a text of 4,000 quotes", "text", "'" * 4_000, BUTTON, "200"),
    ("an id of CSS", "id", "a\"]:has(*)\\\n{}", BUTTON, "200"),
    ("classes of nothing", "class_name", "\u00a0 . .. \\ 1", BUTTON, "200 locator_syntax"),
    ("a test id of signs", "test_id", "=" * 4_000, BUTTON, "200 locator_syntax"),
    ("a tag that is none", "tag_name", "<script>", BUTTON, "200 locator_syntax"),
    ("a link text with a NUL", "link_text", "\0" * 4_000, BUTTON, "200"),
    ("a label without width", "label", "\u200b\u202e" * 2_000, BUTTON, "200 empty_locator"),
    ("a name in another script", "name", "İ" * 4_000, "<input name=İ>", "200"),
    ("a kind of Python's", "__class__", "a", BUTTON, "unknown_locator_kind"),
    ("a kind of a megabyte", "x" * MB, "a", BUTTON, "unknown_locator_kind"),
    ("a kind of a megabyte of spaces", "cs" + " " * MB + "s", "a", BUTTON, "unknown_locator_kind"),
    ("no kind", "", "a", BUTTON, "unknown_locator_kind"),
]  # fmt: skip

# -- what is known beside the locator ------------------------------------------------------------------------------

# As deep as JSON is read.
DEEP = json.loads("[" * 150 + "]" * 150)


def known(**fields):
    """A fingerprint's stored form."""
    return {"context": {"fingerprint": {"version": 2, "known": {"complete": True, "tag": "button", **fields}}}}


CONTEXT = [
    ("an anchor of a megabyte", {"context": {"anchors": ["x " * 500_000]}}, "200 page_too_complex"),
    ("50 anchors of 80,000 characters", {"context": {"anchors": ["Login " * 13_000] * 50}}, "200 page_too_complex"),
    ("anchors of nothing", {"context": {"anchors": ["", "\0", "\u200b", " "], "visible_text": "\0"}}, "200"),
    ("a visible text of 4 MB", {"context": {"visible_text": "Sign In " * 500_000}}, "200 page_too_complex"),
    ("a fingerprint that is a list", {"context": {"fingerprint": [1]}}, "bad_request"),
    ("a fingerprint as deep as JSON goes", {"context": {"fingerprint": {"version": 2, "known": DEEP}}}, "bad_fingerprint bad_request"),
    ("a fingerprint of a megabyte of nonsense", {"context": {"fingerprint": "{" * MB}}, "bad_fingerprint"),
    ("a fingerprint with half a character", {"context": {"fingerprint": '{"version": 2, "known": {"tag": "\\ud800"}}'}}, "bad_fingerprint"),
    ("a fingerprint of numbers beyond bounds", known(index=-(10**30), siblings=10**30, number=10**300, others=[10**200, -1]), "200 bad_fingerprint"),
    ("a fingerprint of an integer of 5,000 digits", lambda: json_with(b'"context": {"fingerprint": {"version": 2, "known": {"index": ' + b"9" * 5_000 + b"}}}"), "bad_fingerprint bad_request"),
    ("a fingerprint with places off the page", known(place=-1e308, rectangle=[1e308, -1e308, 1e308, 0.0], shares={"tag": -5, "text": 0, "id": 10**18}), "200 bad_fingerprint"),
    ("a fingerprint with 1e400", json_with(b'"context": {"fingerprint": {"version": 2, "known": {"complete": true, "place": 1e400}}}'), "bad_fingerprint bad_request"),
    ("a fingerprint with NaN as text", {"context": {"fingerprint": '{"version": 2, "known": {"complete": true, "place": NaN}}'}}, "bad_fingerprint"),
    ("a fingerprint of 200,000 classes and tags", lambda: known(classes=["c"] * 200_000, child_tags=["a"] * 200_000, sibling_tags=["b"] * 200_000), "200 page_too_complex"),
    ("a fingerprint with a path of 50,000 steps", lambda: known(path=[{"tag": "div", "id": None, "classes": ["a"], "index": -1}] * 50_000, rooted=True), "200 page_too_complex"),
    ("a fingerprint with texts of a megabyte", lambda: known(text="Sign " * 200_000, name="In " * 300_000, neighbour_text="x y " * 250_000, attributes={"class": "a " * 400_000, "href": "/" * MB}), "200 page_too_complex"),
    ("a fingerprint with 100,000 attributes", lambda: known(attributes={f"a{n}": "v" for n in range(100_000)}, parent_attributes={f"b{n}": "v" for n in range(100_000)}), "200 page_too_complex"),
    ("a fingerprint with attributes of no name", known(attributes={"": "", "\0": "\0", "a b": "'\"]", "[": "x"}, parts={"": "", "*": "*"}), "200"),
    ("a fingerprint with a hostile locator", known(locator={"kind": "css", "value": "*" + ":has(* " * 12 + "x" + ")" * 12}), "200"),
    ("a fingerprint of another version", {"context": {"fingerprint": {"version": 10**18, "known": {}}}}, "bad_fingerprint"),
    ("a baseline of 60,000 boxes inside each other", lambda: {"context": {"baseline_html": "<div>" * 60_000}}, "page_too_large"),
    ("a baseline on which the locator hangs", {"original_locator": "*" + ":has(* " * 12 + "x" + ")" * 12, "context": {"baseline_html": LADDER}}, "page_too_complex 200"),
    ("a baseline of white space", {"context": {"baseline_html": "\n" * 1_000}}, "empty_page"),
    ("a baseline with huge attributes", lambda: {"context": {"baseline_html": f"<button id=login-btn data-x='{'y' * 4 * MB}'>Sign In</button>"}}, "200 page_too_complex"),
    ("a page address of JavaScript", {"context": {"page_url": "javascript:fetch('//evil.example')"}}, "200"),
    ("a page address of a file", {"context": {"page_url": "file:///etc/passwd"}}, "200"),
    ("a page address with credentials", {"context": {"page_url": "https://ann:hunter2@shop.example/?token=hunter2"}}, "200"),
    ("a page address of the cloud's own", {"context": {"page_url": "http://169.254.169.254/latest/meta-data/"}}, "200"),
    ("a page address that is none", {"context": {"page_url": "http://[::1:%zz\0\n/../..//\\\\x"}}, "200"),
    ("a page address of 4,001 characters", {"context": {"page_url": "x" * 4_001}}, "bad_request"),
    ("a session of control characters", {"context": {"test_session": "\0\r\n\x1b[31m\u2028../../etc"}}, "200"),
    ("a session of 201 characters", {"context": {"test_session": "x" * 201}}, "bad_request"),
    ("an action of a megabyte", {"context": {"action": "x" * MB}}, "unknown_action"),
]  # fmt: skip

# -- batches -------------------------------------------------------------------------------------------------------


def batch(*locators, html=BUTTON):
    return {"html": html, "locators": [{"original_locator": locator} for locator in locators]}


BATCHES = [
    ("100,000 locators", lambda: batch(*["#a"] * 100_000), "bad_request page_too_complex"),
    ("a hundred answers with test ids of 300 kB", lambda: batch(*[f"#a{n}" for n in range(100)], html="".join(f"<button data-testid='{n * 300_000}'>Sign In</button>" for n in "abcdefghij")), "200 page_too_complex"),
    ("a hundred equal locators of 5,000 equal elements", lambda: batch(*["#a"] * 100, html=BUTTON * 5_000), "200 page_too_complex"),
    ("a hundred locators that hang", lambda: batch(*["*" + ":has(* " * 12 + "x" + ")" * 12] * 100, html=LADDER), "page_too_complex 200"),
    ("sixty baselines", lambda: {"html": BUTTON, "locators": [{"original_locator": "#a", "context": {"baseline_html": f"<p>{n}" * 5_000}} for n in range(60)]}, "200 page_too_complex"),
    ("fifty candidates each for a hundred", lambda: {**batch(*[f"#a{n}" for n in range(100)], html="".join(f"<a id=b{n} title='{'t' * 5_000}'>Sign {n}</a>" for n in range(300))), "max_candidates": 50}, "200 page_too_complex"),
]  # fmt: skip

# -- confirmations -------------------------------------------------------------------------------------------------


def confirming(**fields):
    return {"request_id": "REQUEST-ID", "accepted_index": None, **fields}


CONFIRM = [
    ("metadata as deep as JSON goes", confirming(metadata={"a": DEEP}), "200"),
    ("metadata deeper than that", b'{"request_id": "REQUEST-ID", "gone": true, "metadata": {"a": ' + b"[" * 9_000 + b"]" * 9_000 + b"}}", "bad_request"),
    ("metadata larger than a confirmation", lambda: confirming(metadata={"a": "x" * 70_000}), "body_too_large"),
    ("metadata with 51 keys", confirming(metadata={str(n): n for n in range(51)}), "bad_request"),
    ("metadata with NUL in text and key", confirming(metadata={"a\0b": "\0", "\0": {"\0": ["\0"]}}), "200"),
    ("metadata with half a character", b'{"request_id": "REQUEST-ID", "gone": true, "metadata": {"a": "\\ud800"}}', "bad_request"),
    ("metadata with NaN", b'{"request_id": "REQUEST-ID", "gone": true, "metadata": {"a": NaN}}', "bad_request"),
    ("metadata with 1e400", b'{"request_id": "REQUEST-ID", "gone": true, "metadata": {"a": 1e400}}', "bad_request"),
    ("metadata with an integer of 4,000 digits", b'{"request_id": "REQUEST-ID", "gone": true, "metadata": {"a": ' + b"9" * 4_000 + b"}}", "200 bad_request"),
    ("metadata with an integer of 5,000 digits", b'{"request_id": "REQUEST-ID", "gone": true, "metadata": {"a": ' + b"9" * 5_000 + b"}}", "bad_request"),
    ("metadata of 15,000 empty lists", lambda: confirming(metadata={"a": [[]] * 15_000}), "200"),
    ("an id that is a path", confirming(request_id="../../../etc/passwd"), "bad_request"),
    ("an id in every other spelling", confirming(request_id="{" + str(uuid4()).upper() + "}"), "unknown_request bad_request"),
    ("an id that is a statement", confirming(request_id="'; DROP TABLE heals; --"), "bad_request"),
    ("an index of 10^30", confirming(accepted_index=10**30), "bad_request"),
    ("a right locator that hangs", confirming(correct_locator="*" + ":has(* " * 300 + "x" + ")" * 300), "200 locator_syntax"),
    ("a right locator of 570 :has", confirming(correct_locator=":has(" * 570 + "a" + ")" * 570), "200 locator_syntax"),
    ("a right locator of 790 :is", confirming(correct_locator=":is(" * 790 + "a" + ")" * 790), "200 locator_syntax"),
    ("a right locator of 1,900 parentheses", confirming(correct_locator="(" * 1_900 + "//a" + ")" * 1_900, correct_locator_type="xpath"), "200 locator_syntax"),
    ("a right locator of 3,900 minus signs", confirming(correct_locator="//a[" + "-" * 3_900 + "1]", correct_locator_type="xpath"), "200 locator_syntax"),
    ("a right locator whose pattern is deep", confirming(correct_locator="button[name=/" + "(" * 1_900 + "a" + ")" * 1_900 + "/]", correct_locator_type="role"), "200 locator_syntax"),
    ("a right locator with a NUL", confirming(correct_locator="\0", correct_locator_type="text"), "200 empty_locator"),
    ("a right locator of spaces before a call", confirming(correct_locator="a " * 1_990 + "("), "200 locator_syntax"),
]  # fmt: skip

# -- HTTP itself ---------------------------------------------------------------------------------------------------

WHOLE = json.dumps(GUIDE).encode()
HALF = WHOLE[: len(WHOLE) // 2]


def sent(*pieces):
    """Pieces as they are, with TOKEN for the token; a number is a pause; of a function, the pieces that it returns."""
    return lambda served, request_id: (
        piece.replace(b"TOKEN", served.token.encode()) if isinstance(piece, bytes) else piece
        for piece in chain.from_iterable(one() if callable(one) else (one,) for one in pieces)
    )


def start(method="POST", path="/heal", *, token="TOKEN", **headers):
    """The head of a request with a JSON body."""
    return head(method, path, **{"Content-Type": "application/json", "Authorization": f"Bearer {token}"} | headers)


def raw_start(*lines):
    """A head whose lines may contradict each other."""
    return (
        b"\r\n".join(
            [
                b"POST /heal HTTP/1.1",
                b"Host: 127.0.0.1",
                b"Authorization: Bearer TOKEN",
                b"Content-Type: application/json",
                *lines,
            ]
        )
        + b"\r\n\r\n"
    )


def endless():
    return repeat(b"10000\r\n" + b" " * 0x10000 + b"\r\n", 2_000)  # 131 MB, if nobody stops it


def chunks(size):
    return (
        b"".join(
            b"%x\r\n%s\r\n" % (len(part), part) for at in range(0, len(WHOLE), size) if (part := WHOLE[at : at + size])
        )
        + b"0\r\n\r\n"
    )


HTTP = [
    ("a chunked body without end", "POST", sent(start(Transfer_Encoding="chunked"), endless), "body_too_large"),
    ("a body in chunks of one byte", "POST", sent(start(Transfer_Encoding="chunked"), lambda: [chunks(1)]), "200"),
    ("a chunk longer than any", "POST", sent(start(Transfer_Encoding="chunked") + b"f" * 40 + b"\r\nx"), "400 closed"),
    ("a chunk of no number", "POST", sent(start(Transfer_Encoding="chunked") + b"xyz\r\n" + WHOLE), "400 closed bad_request"),
    ("a chunk with a megabyte of extensions", "POST", sent(start(Transfer_Encoding="chunked") + b"1;" + b"a" * MB, b"\r\n{\r\n0\r\n\r\n"), "400 bad_request closed"),
    ("a body that comes byte by byte", "POST", sent(start(Content_Length=100), lambda: chain.from_iterable((b" ", 0.05) for _ in range(100))), "body_too_slow"),
    ("a body that stops half way", "POST", sent(start(Content_Length=len(WHOLE)) + HALF, 10), "body_too_slow"),
    ("a body that never comes", "POST", sent(start(Content_Length=100), 10), "body_too_slow"),
    ("a body that never comes to /confirm", "POST", sent(start(path="/confirm", Content_Length=100), 10), "body_too_slow"),
    ("a length of nothing", "POST", sent(start(Content_Length="") + WHOLE), "400 closed bad_request"),
    ("a negative length", "POST", sent(start(Content_Length=-1) + WHOLE), "400 closed"),
    ("a length beyond any number", "POST", sent(start(Content_Length="9" * 40) + WHOLE), "400 closed body_too_large"),
    ("a length beyond the limit", "POST", sent(start(Content_Length=10**12) + HALF), "body_too_large"),
    ("two lengths", "POST", sent(raw_start(b"Content-Length: %d" % len(WHOLE), b"Content-Length: 3") + WHOLE), "400 closed"),
    ("a length and chunks", "POST", sent(raw_start(b"Content-Length: 3", b"Transfer-Encoding: chunked") + chunks(50)), "400 closed 200"),
    ("an encoding of the transfer that is unknown", "POST", sent(start(Transfer_Encoding="gzip, chunked") + chunks(50)), "400 closed 200 bad_request"),
    ("gzip that would burst", "POST", sent(lambda: [start(Content_Encoding="gzip", Content_Length=len(bomb())) + bomb()]), "not_json"),
    ("gzip in capitals", "POST", sent(start(Content_Encoding="GZip", Content_Length=0)), "not_json"),
    ("another kind of content", "POST", sent(start(Content_Type="text/xml; " + "x" * 5_000, Content_Length=0)), "not_json"),
    ("a form with files", "POST", sent(start(Content_Type="multipart/form-data; boundary=x", Content_Length=0)), "not_json"),
    ("5,000 headers", "GET", sent(start("GET", "/health") [:-2] + b"".join(b"X-H%d: v\r\n" % n for n in range(5_000)) + b"\r\n"), "200 400 closed"),
    ("a header of a megabyte", "GET", sent(start("GET", "/health", X_Long="x" * MB)), "200 400 closed"),
    ("a header without a name", "GET", sent(start("GET", "/health")[:-2] + b": v\r\n\r\n"), "400 closed"),
    ("a header with a NUL", "GET", sent(start("GET", "/health")[:-2] + b"X: a\0b\r\n\r\n"), "400 closed"),
    ("a line break in a header's value", "GET", sent(start("GET", "/health")[:-2] + b"X: a\rSet-Cookie: b\r\n\r\n"), "400 closed"),
    ("a path out of the snapshots", "GET", sent(start("GET", "/snapshots/..%2f..%2f..%2fetc%2fpasswd")), "no_route bad_request"),
    ("a path out of the snapshots, spelt out", "GET", sent(start("GET", "/snapshots/../../../../etc/passwd")), "no_route"),
    ("a path out of the snapshots, spelt twice", "GET", sent(start("GET", "/snapshots/%252e%252e%252fself_heal.db")), "bad_request"),
    ("a NUL in the path", "GET", sent(start("GET", "/snapshots/%00")), "bad_request"),
    ("no UTF-8 in the path", "GET", sent(start("GET", "/%ff%fe%c0%af")), "no_route"),
    ("a path of 60,000 characters", "GET", sent(start("GET", "/" + "a/" * 30_000)), "no_route 400 closed"),
    ("a query of 60,000 characters", "GET", sent(start("GET", "/health?" + "a=b&" * 15_000)), "200 400 closed"),
    ("a slash too many", "POST", sent(start(path="/heal/", Content_Length=len(WHOLE)) + WHOLE), "no_route"),
    ("a slash too many at a host that is none", "POST", sent(start(path="/heal/", Host="[", Content_Length=0)), "no_route"),
    ("no route at a host that is none", "GET", sent(start("GET", "/nothing", Host="[::1")), "no_route"),
    ("a wrong method at a host that is none", "DELETE", sent(start("DELETE", "/heal", Host="]x[:99999999")), "wrong_method"),
    ("no host at all", "GET", sent(b"GET /nothing HTTP/1.1\r\nAuthorization: Bearer TOKEN\r\n\r\n"), "no_route 400 closed"),
    ("a heal at a host that is none", "POST", sent(start(Host="[", Content_Length=len(WHOLE)) + WHOLE), "200"),
    ("another site's address as the target", "GET", sent(start("GET", "http://evil.example/health")), "200"),
    ("a target that is no path", "GET", sent(start("GET", "*")), "400 closed no_route"),
    ("a method of another protocol", "PROPFIND", sent(start("PROPFIND", "/heal")), "wrong_method"),
    ("a method that nobody knows", "BREW", sent(start("BREW", "/heal")), "400 closed"),
    ("a method that only asks for headers", "HEAD", sent(start("HEAD", "/heal")), "405"),
    ("a tunnel", "CONNECT", sent(b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n"), "400 closed no_route"),
    ("an upgrade to a WebSocket", "GET", sent(start("GET", "/heal", Connection="Upgrade", Upgrade="websocket", Sec_WebSocket_Version=13, Sec_WebSocket_Key="eA==")), "400 closed wrong_method no_route 403"),
    ("a preamble of HTTP/2", "GET", sent(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "400 closed"),
    ("TLS where none is spoken", "GET", sent(bytes.fromhex("16030100c8010000c40303") + b"\0" * 200), "400 closed"),
    ("a megabyte of nonsense", "GET", sent(b"\xff\x00" * 500_000), "400 closed"),
    ("a token of a megabyte", "POST", sent(start(token="x" * MB, Content_Length=0)), "unknown_token 400 closed"),
    ("a token of other letters", "POST", sent(start(token="\xe9\xff\xa0", Content_Length=0)), "unknown_token no_token"),
    ("no token", "POST", sent(start(Authorization="Bearer ", Content_Length=0)), "no_token"),
    ("another way to say who one is", "POST", sent(start(Authorization="Basic YTpi", Content_Length=0)), "no_token"),
    ("a token that has expired", "POST", lambda served, _: [start(token=served.expired, Content_Length=0)], "expired_token"),
    ("two tokens, the second right", "POST", sent(raw_start(b"Content-Length: 0").replace(b"Bearer TOKEN", b"Bearer x, Bearer TOKEN")), "unknown_token"),
    ("garbage for the address of a caller", "POST", sent(start(X_Forwarded_For="'; --, ::::, 999.1.1.1, [" + "1" * 5_000, X_Real_IP="\xff", Forwarded="for=_;;;", Content_Length=len(WHOLE)) + WHOLE), "200"),
    ("garbage for a trace", "POST", sent(start(Traceparent="00-" + "\xff" * 3_000, Content_Length=len(WHOLE)) + WHOLE), "200"),
    ("a promise that is never kept", "POST", sent(start(Expect="100-continue", Content_Length=100), 10), "body_too_slow"),
]  # fmt: skip


@cache
def bomb():
    """A hundred megabytes as a hundred kilobytes."""
    return gzip.compress(b" " * 100 * MB, 9)


def page(html):
    return lambda: asking(html=of(html))


def heal_with(changes):
    """The guide's body with some changes, or a body as it is."""

    def made():
        found = of(changes)
        return found if isinstance(found, bytes) else asking(**found)

    return made


def locator(kind, value, html):
    return asking(html=html, original_locator=value, locator_type=kind)


ROWS = [
    *(Hostile(f"JSON: {name}", to("/heal", body), right(words)) for name, body, words in JSON),
    *(Hostile(f"page: {name}", to("/heal", page(html)), right(words)) for name, html, words in PAGES),
    *(Hostile(f"locator: {name}", to("/heal", locator(*three)), right(words)) for name, *three, words in LOCATORS),
    *(Hostile(f"context: {name}", to("/heal", heal_with(more)), right(words)) for name, more, words in CONTEXT),
    *(Hostile(f"batch: {name}", to("/heal/batch", body), right(words)) for name, body, words in BATCHES),
    *(Hostile(f"confirm: {name}", to("/confirm", body), right(words)) for name, body, words in CONFIRM),
    *(Hostile(f"HTTP: {name}", pieces, right(words), method) for name, method, pieces, words in HTTP),
]

# What the service did wrong once: 500, no answer, an answer of 30 MB, a redirect to wherever the caller said, ...
ONCE_WRONG = frozenset(
    (
        "page: a test id of 4 MB",
        "page: five test ids of 900 kB",
        "page: a tag name of 5 MB",
        "locator: a pattern that counts beyond any number",
        "locator: 1,900 groups inside each other",
        "context: a fingerprint of numbers beyond bounds",
        "context: a fingerprint with places off the page",
        "batch: a hundred answers with test ids of 300 kB",
        "confirm: metadata with NaN",
        "confirm: metadata with 1e400",
        "confirm: a right locator whose pattern is deep",
        "HTTP: a chunk longer than any",
        "HTTP: a slash too many",
        "HTTP: a slash too many at a host that is none",
    )
)

# One in so many of the others is sent in the short run.
EACH = 8

SHORT = [row for at, row in enumerate(ROWS) if at % EACH == 0 or row.name in ONCE_WRONG]
