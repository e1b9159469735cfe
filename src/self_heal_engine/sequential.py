"""Sequential tests: whether one rate is higher than another, looked at as often as one likes without cheating."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import exp, inf, lgamma, log, log1p

# The prior of each rate: two pseudo-observations in all, half of them right.
RIGHT, WRONG = 1.0, 1.0

# Blocks of at most so many outcomes: a share of 0.31 becomes 3 to 7.
MOST_IN_BLOCK = 10


@dataclass(frozen=True, slots=True)
class Evidence:
    """What two streams of outcomes say against "both rates are the same".

    ``e`` is the evidence now, ``most`` the highest it ever was; under equal rates the chance that ``most`` ever reaches
    1/alpha is at most alpha, however often one looks. ``blocks`` is how many blocks of outcomes it is made of.
    """

    e: float
    most: float
    blocks: int

    @property
    def p(self) -> float:
        """A p-value that holds at every look."""
        return min(1.0, 1 / self.most)


def evidence(champion: Sequence[bool], challenger: Sequence[bool], share: float = 0.5) -> Evidence:
    """Return the evidence that two streams, each in the order in which it came, have different rates.

    The outcomes are taken in blocks of so many of each stream as ``share``, the challenger's share of the traffic,
    says. A block multiplies the evidence by the likelihood of its outcomes under the two rates that the blocks before
    it suggest, over that under their common mean: on average at most 1 if the rates are equal, whatever they are.
    Turner, Ly, Grünwald, "Generic E-variables for exact sequential k-sample tests that allow for optional stopping",
    Journal of Statistical Planning and Inference 230, 2024, theorem 1; the bound is Ville's inequality.
    """
    now = most = 0.0  # logarithms
    blocks = 0
    for now in grown(champion, challenger, share):
        most, blocks = max(most, now), blocks + 1
    return Evidence(power(now), power(most), blocks)


def grown(champion: Sequence[bool], challenger: Sequence[bool], share: float) -> Iterator[float]:
    """Yield the logarithm of the evidence after each block."""
    ones, others = block_of(share)
    total, right = 0.0, [RIGHT, RIGHT]
    seen = [RIGHT + WRONG, RIGHT + WRONG]
    for block in zip(parts(champion, ones), parts(challenger, others), strict=False):
        rates = [good / many for good, many in zip(right, seen, strict=True)]
        common = (ones * rates[0] + others * rates[1]) / (ones + others)
        for arm, outcomes in enumerate(block):
            good, bad = sum(outcomes), len(outcomes) - sum(outcomes)
            total += good * log(rates[arm] / common) + bad * log((1 - rates[arm]) / (1 - common))
            right[arm] += good
            seen[arm] += len(outcomes)
        yield total


def block_of(share: float) -> tuple[int, int]:
    """Return how many outcomes of each stream make a block.

    >>> block_of(0.5), block_of(0.1), block_of(0.001)
    ((1, 1), (9, 1), (9, 1))
    """
    near = Fraction(share).limit_denominator(MOST_IN_BLOCK)
    near = min(max(near, Fraction(1, MOST_IN_BLOCK)), 1 - Fraction(1, MOST_IN_BLOCK))
    return near.denominator - near.numerator, near.numerator


def parts(outcomes: Sequence[bool], size: int) -> Iterable[Sequence[bool]]:
    """Return the outcomes in parts of a size, what is left over apart."""
    return (outcomes[at : at + size] for at in range(0, len(outcomes) - size + 1, size))


def interval(right: int, wrong: int, alpha: float = 0.05) -> tuple[float, float]:
    """Return between which rates the truth lies, with an error of alpha over all looks together.

    The rates p for which the mixture of all rates explains the outcomes less than 1/alpha times as well as p does.
    Robbins, "Statistical methods related to the law of the iterated logarithm", 1970, with a uniform mixture.
    """
    if not right + wrong:
        return 0.0, 1.0
    mixed = lgamma(RIGHT + right) + lgamma(WRONG + wrong) - lgamma(RIGHT + WRONG + right + wrong)
    middle = right / (right + wrong)

    def excluded(rate: float) -> bool:
        if rate <= 0.0 or rate >= 1.0:
            return (right > 0 if rate <= 0.0 else wrong > 0) or mixed > -log(alpha)
        return mixed - right * log(rate) - wrong * log1p(-rate) > -log(alpha)

    return edge(0.0, middle, excluded), edge(1.0, middle, excluded)


def edge(outside: float, inside: float, excluded: Callable[[float], bool]) -> float:
    """Return where a rate begins to be excluded, between one that may be and one that is not."""
    if not excluded(outside):
        return outside
    for _ in range(60):
        middle = (outside + inside) / 2
        if excluded(middle):
            outside = middle
        else:
            inside = middle
    return outside


def power(logarithm: float) -> float:
    """Return e to a power, infinite where that is no float any more."""
    return exp(logarithm) if logarithm < 700 else inf
