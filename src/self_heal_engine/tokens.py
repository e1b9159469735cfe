"""The tokens of an element: every word and number in its attributes and text, and in those of what is inside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import fsum, log

from self_heal_engine.dom import Page, per_page
from self_heal_engine.words import WORD

# A drawing or a card is known by what is inside, a container of many things is not.
MOST_INSIDE = 12

# A longer value is cut: inline images, embedded data.
MOST_VALUE = 200

# What says how an element looks or behaves on any page rather than which one it is.
SILENT = frozenset(("style", "d", "onclick", "xmlns", "viewbox", "tabindex"))

Tokens = frozenset[str]


def split(values: Iterable[str | None]) -> Tokens:
    """Return the words and numbers of some values, in lower case.

    >>> sorted(split(["radio_30", "/v2/newOrder"]))
    ['2', '30', 'new', 'order', 'radio', 'v']
    """
    return frozenset(token.lower() for value in values if value for token in WORD.findall(value[:MOST_VALUE]))


def own_tokens(attributes: Mapping[str, str], text: str | None) -> Tokens:
    """Return the tokens of an element's attributes and text."""
    return split([text, *(value for name, value in attributes.items() if name not in SILENT)])


def tokens(page: Page, row: int) -> Tokens:
    """Return the tokens of one element, those of what is inside it apart."""
    known = _known(page)
    if row not in known:
        known[row] = own_tokens(page.attributes(row), page.text(row))
    return known[row]


def inner_tokens(page: Page, row: int) -> Tokens:
    """Return the tokens of the attributes of what is inside an element; none of a container of much."""
    end = int(page.ends[row])
    if end - row - 1 > MOST_INSIDE:
        return frozenset()
    return frozenset().union(*(own_tokens(page.attributes(at), None) for at in range(row + 1, end)))


def rare_share(wanted: Tokens, given: Sequence[Tokens]) -> list[float]:
    """Return, for each candidate, the share of the wanted tokens it has, a token the more the fewer candidates have it.

    The weight of a token is log(1 + n / (1 + m)) of n candidates and m that have it (inverse document frequency).
    """
    holders = Counter(token for those in given for token in those & wanted)
    weights = {token: log(1 + len(given) / (1 + holders[token])) for token in wanted}
    whole = fsum(weights.values())  # exact, whatever the order of the set
    return [fsum(weights[token] for token in those & wanted) / whole for those in given]


@per_page
def _known(page: Page) -> dict[int, Tokens]:
    """The tokens computed so far."""
    return {}
