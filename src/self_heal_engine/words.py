"""The words in names and texts, brought to one spelling, and what they ask for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from math import fsum

# Words run together or apart in names: loginBtn, login-btn, login_btn, "Log in".
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_]+")

# The two-word spellings of one thing, joined before anything else is compared.
JOINED = {
    ("log", "in"): "login",
    ("log", "on"): "login",
    ("sign", "in"): "login",
    ("log", "out"): "logout",
    ("log", "off"): "logout",
    ("sign", "out"): "logout",
    ("sign", "up"): "register",
    ("pass", "word"): "password",
    ("user", "name"): "username",
    ("e", "mail"): "email",
    ("check", "out"): "checkout",
}

# Abbreviations and synonyms as they stand in ids, names and test ids.
SPELLINGS = {
    "btn": "button",
    "pwd": "password",
    "passwd": "password",
    "pass": "password",
    "usr": "username",
    "user": "username",
    "uname": "username",
    "mail": "email",
    "signin": "login",
    "logon": "login",
    "signout": "logout",
    "logoff": "logout",
    "signup": "register",
    "registration": "register",
    "nav": "navigation",
    "img": "image",
    "pic": "image",
    "msg": "message",
    "addr": "address",
    "tel": "phone",
    "mobile": "phone",
    "qty": "quantity",
    "num": "number",
    "lnk": "link",
    "chk": "checkbox",
    "cb": "checkbox",
    "txt": "text",
    "lbl": "label",
    "sel": "select",
    "ddl": "select",
    "dropdown": "select",
    "basket": "cart",
    "bag": "cart",
    "find": "search",
    "query": "search",
    "q": "search",
    "remove": "delete",
    "del": "delete",
    "trash": "delete",
    "modify": "edit",
    "update": "edit",
    "create": "add",
    "new": "add",
    "prev": "previous",
    "desc": "description",
    "cfg": "settings",
    "config": "settings",
    "preferences": "settings",
    "fname": "firstname",
    "lname": "lastname",
    "zip": "postcode",
    "zipcode": "postcode",
    "postal": "postcode",
    "dob": "birthday",
}

# Words that say what sort of widget it is, not which one.
WIDGETS = frozenset(
    "button link input field text box checkbox select label form div span icon image container wrapper item "
    "list".split()
)

# Words of one line exclude each other: a delete button is not the edit button.
RIVAL_INTENTS = (
    frozenset("delete edit add save cancel view copy download upload print share".split()),
    frozenset("login logout register".split()),
    frozenset("password username email phone search firstname lastname address city postcode country".split()),
    frozenset("next previous first last".split()),
    frozenset("open close".split()),
    frozenset("yes no".split()),
    frozenset("accept reject decline".split()),
    frozenset("enable disable".split()),
    frozenset("start stop pause".split()),
    frozenset("expand collapse".split()),
    frozenset("increase decrease".split()),
)


@lru_cache(maxsize=20_000)
def words(text: str) -> frozenset[str]:
    """Return the words of a name or text, in one spelling.

    >>> sorted(words("signInBtn")), sorted(words("Log in!")), sorted(words("user_pwd2"))
    (['button', 'login'], ['login'], ['2', 'password', 'username'])
    """
    found = [word.lower() for word in WORD.findall(text[:400])]
    spelled, at = [], 0
    while at < len(found):
        joined = JOINED.get((found[at], found[at + 1])) if at + 1 < len(found) else None
        spelled.append(joined or SPELLINGS.get(found[at], found[at]))
        at += 2 if joined else 1
    return frozenset(spelled)


def words_of(texts: Iterable[str | None]) -> frozenset[str]:
    """Return the words of several names and texts."""
    return frozenset().union(*(words(text) for text in texts if text))


def hint(wanted: frozenset[str]) -> re.Pattern[str]:
    """Return a pattern that every text with one of the words matches: a cheap look before ``words`` takes it apart."""
    raw = {first for (first, _), joined in JOINED.items() if joined in wanted}
    raw |= {spelling for spelling, word in SPELLINGS.items() if word in wanted}
    return re.compile("|".join(map(re.escape, sorted(wanted | raw))), re.IGNORECASE)


def shared(wanted: frozenset[str], given: frozenset[str]) -> float:
    """Return the share of the wanted words that are given; words that only name a widget weigh a fifth.

    >>> shared(words("loginBtn"), words("Sign in")) > 0.8
    True
    """
    whole = fsum(
        map(weight, wanted)
    )  # exact: a plain sum of a set hangs on its order, which is another in each process
    return fsum(map(weight, wanted & given)) / whole if whole else 0.0


def weight(word: str) -> float:
    """Return how much a word says about which element it is."""
    return 0.2 if word in WIDGETS or len(word) == 1 or word.isdigit() else 1.0


def contradict(wanted: frozenset[str], given: frozenset[str]) -> bool:
    """Return whether the words ask for things that exclude each other.

    >>> contradict(words("delete-user"), words("Edit user")), contradict(words("delete"), words("Delete or edit"))
    (True, False)
    """
    return any(wanted & rivals and given & rivals and not wanted & given & rivals for rivals in RIVAL_INTENTS)
