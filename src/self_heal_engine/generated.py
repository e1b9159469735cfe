"""is_generated(value): whether an id or class looks made by a machine, and so will not outlive the next build."""

from __future__ import annotations

import re
from functools import lru_cache

# Shapes that frameworks and build tools give: the comment names one that does.
SHAPES = re.compile(
    r"""
    ^:[\w-]*:$ | ^«\w*»$ | ^_r_\w+_$             # React's useId
    | ^(?:css|sc|jsx|emotion|makeStyles|jss)-?[A-Za-z]*-?\w*\d\w*(?:-[\w-]+)?$   # Emotion, styled-jsx, JSS
    | ^sc-(?=[a-z]*[A-Z])[A-Za-z]{4,}(?:-\d+)?$                  # styled-components
    | ^(?:ember|yui_|gwt-uid-|ext-gen|isc_|dojo_|dijit_\w+_|ui-id-|uid|mat-\w+(?:-\w+)*-|cdk-\w+-|p-?\w*id_|vs\d+__
        |radix-|headlessui-|react-select-|downshift-|mui-|rc[-_]\w+[-_]|el-id-|v-)[\w:-]*\d[\w:-]*$
    | ^ng-tns-\w+ | ^_ng(?:content|host)- | ^svelte-[a-z0-9]{5,} | ^data-v-[0-9a-f]{6,}
    | ^[A-Za-z][\w-]*_[A-Za-z][\w-]*__[\w-]{5,}$   # CSS modules: Button_root__x1Yz7
    | ^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$             # UUID
    | ^_[A-Za-z0-9]{5,6}_\w{5,}(?:_\d+)?$ | ^_\w+_[a-z0-9]{5}_\d+$              # Vite's CSS modules
    """,
    re.VERBOSE,
)
# Three digits may be a measure (w-100, gray-500), four are a number of something.
COUNTER = re.compile(r"(?:^|[-_:.])\d{4,}$|[A-Za-z]\d{4,}$|^\d+$")
CHUNK = re.compile(r"[^-_:.\s]+")
HEX = re.compile(r"^(?=.*\d)[0-9a-f]{8,}$", re.IGNORECASE)
VOWEL = re.compile(r"[aeiouy]", re.IGNORECASE)


@lru_cache(maxsize=20_000)
def is_generated(value: str) -> bool:
    """Return whether an id or class looks generated: a framework's prefix, a hash, a counter.

    >>> is_generated("css-1x2y3z"), is_generated(":r1:"), is_generated("btn-primary"), is_generated("col-md-6")
    (True, True, False, False)
    """
    if SHAPES.search(value) or COUNTER.search(value):
        return True
    return any(looks_random(chunk) for chunk in CHUNK.findall(value))


def looks_random(chunk: str) -> bool:
    """Return whether a run of letters and digits reads like a hash rather than like words.

    >>> [looks_random(chunk) for chunk in ("9f2c1a7b", "kJ3xQ9", "bdVaJa", "button", "h264", "loginBtn2")]
    [True, True, True, False, False, False]
    """
    if len(chunk) < 5 or not chunk.isascii():
        return False
    if HEX.match(chunk):
        return True
    letters_to_digits = len(re.findall(r"[A-Za-z]\d|\d[A-Za-z]", chunk))
    if letters_to_digits >= 3:
        return True
    # Capitals in the middle of words: camelCase has whole words between them, a hash has one or two letters.
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+|\d+", chunk)
    short = sum(len(word) <= 2 for word in words)
    if len(words) >= 3 and short >= 2 and short > len(words) / 2:
        return True
    return len(chunk) >= 7 and not VOWEL.search(chunk) and any(c.isdigit() for c in chunk)
