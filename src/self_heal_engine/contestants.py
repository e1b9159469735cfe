"""contestant(name) -> Model: the published rankers, the weighted one and model files, to be measured side by side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from self_heal_engine.baselines import BASELINES
from self_heal_engine.dom import Page, Rows
from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.fingerprint import Fingerprint
from self_heal_engine.ranking import WEIGHTED, Model, load_ranker

# From which score on the published healers act by default; Similo and voting always do.
PUBLISHED_THRESHOLDS = {"healenium": 0.6, "scrapling": 0.4, "pyscrappy": 0.55}


@dataclass(frozen=True, slots=True)
class Published:
    """A published ranker's decision: its best score against a fixed threshold."""

    threshold: float
    calibrated: bool = False

    def confidence(self, page: Page, rows: Rows, wanted: Fingerprint, scores: NDArray[np.float64]) -> float:
        """Return the best score; 0 with no candidates."""
        return float(scores.max(initial=0.0))


def contestant(name: str) -> Model:
    """Return the ranker of that name, or the model in that file; CannotHeal ``unknown_ranker`` if it is neither."""
    if name in BASELINES:
        return Model(name, BASELINES[name], Published(PUBLISHED_THRESHOLDS.get(name, 0.0)))
    if name == WEIGHTED.name:
        return WEIGHTED
    if not Path(name).suffix:
        known = ", ".join([WEIGHTED.name, *BASELINES])
        raise CannotHeal("unknown_ranker", f"{quoted(name)} is none of {known}, and no model file")
    return load_ranker(Path(name))
