"""The second model: from a ranking to the probability that its first candidate is the wanted element."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from self_heal_engine.dom import Page, Rows
from self_heal_engine.features import BASE_FEATURES, BASE_NAMES, base_matrix
from self_heal_engine.fingerprint import Fingerprint

Numbers = NDArray[np.signedinteger]

# How the first candidate stands among its rivals. Scores here are the ranker's margins (log-odds).
STANDING = (
    "score",  # of the first
    "lead",  # over the best rival that is neither inside nor around it: who acts on the one acts on the other
    "lead_over_any",
    "share",  # softmax: of all candidates' evidence
    "close_rivals",  # candidates within 1 of the first
    "candidates",  # log of how many were ranked
    "page_size",  # log of how many elements there are
)
STANDING_DIRECTIONS = (1, 1, 1, 1, -1, 0, 0)

# Depends on which others were ranked beside it, and so is no fact of the candidate alone.
NOT_ALONE = "tokens_shared"
_ALONE = [at for at, name in enumerate(BASE_NAMES) if name != NOT_ALONE]

DECISION_NAMES: tuple[str, ...] = (*STANDING, *(BASE_NAMES[at] for at in _ALONE), "unknown")
_DIRECTIONS = (*(feature.direction for feature in BASE_FEATURES), 1)
DECISION_DIRECTIONS: tuple[int, ...] = (*STANDING_DIRECTIONS, *(_DIRECTIONS[at] for at in _ALONE), 0)

# The lead of one without rivals, in log-odds.
ALONE = 8.0


def standing(rows: Numbers, ends: Numbers, scores: NDArray[np.floating], page_size: int) -> list[float]:
    """Return the figures that ``STANDING`` names, of at least one candidate."""
    best = int(np.argmax(scores))
    others = np.delete(scores, best)
    rivals = scores[~nested(rows, ends, best)]
    first = float(scores[best])
    return [
        first,
        first - float(rivals.max()) if len(rivals) else ALONE,
        first - float(others.max()) if len(others) else ALONE,
        float(1.0 / np.exp(scores - first).sum()),
        float((scores > first - 1.0).sum()),
        float(np.log(len(rows))),
        float(np.log(page_size)),
    ]


def nested(rows: Numbers, ends: Numbers, best: int) -> NDArray[np.bool_]:
    """Return which candidates are the best one, lie inside it or around it."""
    row, end = rows[best], ends[best]
    inside: NDArray[np.bool_] = ((rows >= row) & (rows < end)) | ((rows <= row) & (ends >= end))
    return inside


def decision_features(page: Page, rows: Rows, wanted: Fingerprint, scores: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the one row that ``DECISION_NAMES`` names, for candidates with these margins; there is at least one."""
    best = int(np.argmax(scores))
    own = base_matrix(page, rows[[best]], wanted)[0].astype(np.float32)
    return joined(standing(rows, page.ends[rows], scores, len(page)), own)


def joined(standing: list[float], own: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the figures of a ranking and the base features of its first candidate as one row."""
    alone = own[_ALONE]
    return np.concatenate([standing, alone, [np.isnan(alone).sum()]]).astype(np.float32)
