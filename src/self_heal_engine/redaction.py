"""Which names speak of a secret, and a text without the values that such names introduce."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

# Parts of a name that give it away, however it is spelt: csrf_token, XSRF-TOKEN, ccNumber.
PARTS = (
    "token", "csrf", "xsrf", "secret", "passw", "passphrase", "passcode", "apikey", "onetimecode", "ccnumber", "cccsc",
    "cardnumber", "securitycode", "credential", "sessionid", "sessid", "nonce",
)  # fmt: skip
# What is part of innocent words too, and so must stand alone: pin, but not spinner.
WORDS = frozenset(("otp", "totp", "pwd", "pass", "pin", "cvv", "cvc", "csc", "jwt"))

# What stands between the words of a name.
BETWEEN = re.compile(r"[^A-Za-z]+")
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")

# No one gives a longer name to anything; a hostile page might.
LONGEST_NAME = 200

# token=..., "apiKey": "...", as in an address, in JSON or in a script; each start meets its own end, so that the
# time is linear. An unquoted value ends where the next part of an address or a script begins.
GIVEN = re.compile(
    r"""((?:(?:token|csrf|xsrf|secret|passw|passphrase|passcode|api[-_]?key|session[-_]?id|sessid|nonce|credential)[\w.\]-]{0,60}+
    |(?<![a-z])(?:t?otp|pwd|pass|pin|cv[vc]|csc|jwt))(?:\\?["'])?+\s{0,3}+[=:])
    (?:(\s{0,3}(\\?["']))((?:(?!\3).)*)\3|[^\s&;\#"'<>,})\\]+)""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
HINTS = (
    "token", "csrf", "xsrf", "secret", "pass", "key", "sess", "nonce", "credential", "otp", "pwd", "pin", "cv", "csc",
    "jwt",
)  # fmt: skip

# What stands in the place of a value in the middle of a text.
REMOVED = "removed"


def is_secret(name: str) -> bool:
    """Return whether a name speaks of a secret.

    >>> [is_secret(name) for name in ("csrfmiddlewaretoken", "user[apiKey]", "loginPIN", "spinner", "passenger")]
    [True, True, True, False, False]
    """
    return _is_secret(name[:LONGEST_NAME])


@lru_cache(maxsize=10_000)
def _is_secret(name: str) -> bool:
    joined = BETWEEN.sub("", name).lower()
    return any(part in joined for part in PARTS) or any(word.lower() in WORDS for word in WORD.findall(name))


# What holds what a user types or a server hands out, and which of its attributes name it.
FIELDS = ("input", "textarea", "button", "meta", "param")
NAMING = ("name", "id", "autocomplete", "property")


def is_secret_field(tag: str | None, attributes: Mapping[str, str | None]) -> bool:
    """Return whether what an element holds is a secret: a password, what is hidden, or what is named so.

    >>> is_secret_field("textarea", {"name": "secret"}), is_secret_field("input", {"name": "city"})
    (True, False)
    """
    if tag not in FIELDS:
        return False
    kind = (attributes.get("type") or "").strip().lower()
    return kind in ("hidden", "password") or any(is_secret(said) for name in NAMING if (said := attributes.get(name)))


def without_secrets(text: str) -> str:
    """Return a text with the values removed that a name of a secret introduces.

    >>> without_secrets("/reset?user=7&token=a8f3#top"), without_secrets('{"apiKey": "a8f3"}')
    ('/reset?user=7&token=removed#top', '{"apiKey": "removed"}')
    """
    if ("=" not in text and ":" not in text) or not any(hint in text.lower() for hint in HINTS):
        return text
    return GIVEN.sub(lambda found: f"{found[1]}{found[2] or ''}{REMOVED}{found[3] or ''}", text)
