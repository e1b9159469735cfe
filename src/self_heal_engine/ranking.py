"""Rankers and the decision: the weighted ranker, model files, and from which confidence on to heal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from self_heal_engine.comparison import Comparison
from self_heal_engine.decision import DECISION_NAMES, decision_features, nested
from self_heal_engine.dom import Page, Rows
from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.features import BASE_FEATURES, FEATURE_NAMES, SCHEMA, feature_matrix
from self_heal_engine.files import write_bytes
from self_heal_engine.fingerprint import Fingerprint
from self_heal_engine.trees import check_trees
from self_heal_engine.weights import PENALTIES, WEIGHTS, explained

if TYPE_CHECKING:
    import xgboost

Ranker = Callable[[Page, Rows, Fingerprint], NDArray[np.float64]]

# Only these are computed for it: Similo's scores and the standing among rivals are for trained models.
WEIGHED = [feature for feature in BASE_FEATURES if feature.name in {*WEIGHTS, *PENALTIES}]

# The promoted model, in a wheel and in a checkout.
PACKAGED = (Path(__file__).with_name("ranker.json"), Path(__file__).parents[2] / "models" / "ranker.json")

# A model file larger than this is refused before it is parsed.
MOST_MODEL_BYTES = 50_000_000


def weighted(page: Page, rows: Rows, wanted: Fingerprint) -> NDArray[np.float64]:
    """Score by the weighted share of what is known that each candidate explains; no training needed."""
    if not len(rows):
        return np.empty(0)
    comparison = Comparison(page, rows, wanted)
    matrix = np.column_stack([feature.compute(comparison) for feature in WEIGHED])
    return explained(matrix, [feature.name for feature in WEIGHED])


class Decision(Protocol):
    """From a ranking to a confidence; what is below ``threshold`` is not healed."""

    @property
    def threshold(self) -> float:
        """The confidence from which on to heal."""

    @property
    def calibrated(self) -> bool:
        """Whether the confidence is a probability, or only an order."""

    def confidence(self, page: Page, rows: Rows, wanted: Fingerprint, scores: NDArray[np.float64]) -> float:
        """Return the probability that the best candidate is the wanted element; 0 with none."""


@dataclass(frozen=True, slots=True)
class Rough:
    """A logistic curve over score and lead, set by hand: its confidence is only an order."""

    bias: float
    score: float
    lead: float
    threshold: float
    calibrated: bool = False

    def confidence(self, page: Page, rows: Rows, wanted: Fingerprint, scores: NDArray[np.float64]) -> float:
        """Return the probability that the best candidate is the wanted element; 0 with none.

        What lies inside or around the best candidate is no rival: a user who acts on the one acts on the other.
        """
        if not len(rows):
            return 0.0
        best = int(np.argmax(scores))
        rival = float(scores[~nested(rows, page.ends[rows], best)].max(initial=0.0))
        return float(sigmoid(self.bias + self.score * scores[best] + self.lead * (scores[best] - rival)))


# Set on pairs of successive releases of nine page templates so that about one in five deleted elements would still be
# healed. No more than that: a trained model brings its own, calibrated.
ROUGH = Rough(bias=-12.9, score=23.1, lead=12.9, threshold=0.5)


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Trees over ``decision.DECISION_NAMES``, then a logistic curve on families that neither model trained on.

    Platt, "Probabilistic outputs for support vector machines", 1999. ``gone_prior`` is the share of gone elements among
    broken locators that the probability assumes; ``budget`` is the share of gone elements that may be healed, and
    ``threshold`` the confidence that keeps to it.
    """

    trees: xgboost.Booster
    slope: float
    intercept: float
    threshold: float
    budget: float
    gone_prior: float

    @property
    def calibrated(self) -> bool:
        """Its confidence is a probability."""
        return True

    def confidence(self, page: Page, rows: Rows, wanted: Fingerprint, scores: NDArray[np.float64]) -> float:
        """Return the probability that the best candidate is the wanted element; 0 with none."""
        if not len(rows):
            return 0.0
        told = decision_features(page, rows, wanted, logit(scores))
        return float(self.probability(self.trees.inplace_predict(told[None], predict_type="margin"))[0])

    def probability(self, margins: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return what the trees' margins say as probabilities."""
        return np.asarray(sigmoid(self.slope * margins.astype(np.float64) + self.intercept))


@dataclass(frozen=True, slots=True)
class Model:
    """A ranker with its decision, and where they came from."""

    name: str
    rank: Ranker
    decision: Decision
    provenance: Mapping[str, Any] = field(default_factory=dict)  # data, commit, parameters: what the card tells


WEIGHTED = Model("weighted", weighted, ROUGH)


def logit(shares: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the log-odds of probabilities, those of 0 and 1 at the ends of what a float can tell apart."""
    inside = np.clip(shares.astype(np.float64), 1e-12, 1 - 1e-12)
    odds: NDArray[np.float64] = np.log(inside) - np.log1p(-inside)
    return odds


def sigmoid(figure: float | NDArray[np.floating]) -> float | NDArray[np.float64]:
    """Return 1 / (1 + exp(-figure)), without overflow."""
    answer: float | NDArray[np.float64] = 0.5 * (1.0 + np.tanh(0.5 * np.asarray(figure, dtype=np.float64)))
    return answer


# -- model files ---------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def packaged() -> Model:
    """Return the promoted model that comes with the package; the weighted ranker where none was promoted yet."""
    found = packaged_file()
    return load_ranker(found) if found else WEIGHTED


def packaged_file() -> Path | None:
    """Return the file of the promoted model that comes with the package, if one was promoted yet."""
    return next((path for path in PACKAGED if path.exists()), None)


# What a decision holds beside its trees, and from where to where it may go.
BOUNDS = {
    "slope": (0.0, 100.0), "intercept": (-100.0, 100.0), "threshold": (0.0, 1.0), "budget": (0.0, 1.0),
    "gone_prior": (0.0, 1.0),
}  # fmt: skip


def save_ranker(
    booster: xgboost.Booster, decision: Calibrated, name: str, path: Path, provenance: Mapping[str, Any] | None = None
) -> None:
    """Write one JSON file that holds the trees, the features they expect, the decision and where they came from."""
    told = {name: getattr(decision, name) for name in BOUNDS}
    told |= {"features": list(DECISION_NAMES), "trees": decision.trees.save_raw("json").decode("utf-8")}
    booster.set_attr(
        name=name,
        schema=str(SCHEMA),
        features=json.dumps(FEATURE_NAMES),
        decision=json.dumps(told, sort_keys=True),
        provenance=json.dumps(provenance or {}, sort_keys=True),
    )
    write_bytes(path, bytes(booster.save_raw("json")))


def load_ranker(path: Path) -> Model:
    """Return the model in a file; CannotHeal ``bad_model`` or ``model_schema`` if it is not one for this code."""
    return read_ranker(model_bytes(path), path)


def read_ranker(raw: bytes, path: Path) -> Model:
    """Return the model that a file held; CannotHeal as of :func:`load_ranker`, which names the path."""
    try:
        said = _Attributes(**{name: json.loads(raw)["learner"]["attributes"][name] for name in _Attributes.__slots__})
        told, features = json.loads(said.decision), json.loads(said.features)
        provenance = dict(json.loads(said.provenance))
        figures = {name: float(told[name]) for name in BOUNDS}
        trees = told["trees"].encode("utf-8")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CannotHeal("bad_model", f"the file {quoted(path)} is not a model of this engine") from error
    if said.schema != str(SCHEMA) or features != list(FEATURE_NAMES) or told.get("features") != list(DECISION_NAMES):
        raise CannotHeal(
            "model_schema",
            f"the model {quoted(path)} was trained on schema {quoted(said.schema)} "
            f"of the features; this code computes schema {SCHEMA}",
        )
    for name, (low, high) in BOUNDS.items():
        if not low <= figures[name] <= high:
            raise CannotHeal("bad_model", f"the decision in {quoted(path)} has the {name} {figures[name]}")
    booster = _booster(raw, len(FEATURE_NAMES), path)
    decision = Calibrated(_booster(trees, len(DECISION_NAMES), path), **figures)
    name = f"{said.name}-{hashlib.sha256(raw).hexdigest()[:8]}"
    return Model(name, partial(boosted, booster), decision, provenance)


@dataclass(frozen=True, slots=True)
class _Attributes:
    """What :func:`save_ranker` wrote beside the trees."""

    name: str
    schema: str
    features: str
    decision: str
    provenance: str


def _booster(raw: bytes, width: int, path: Path) -> xgboost.Booster:
    import xgboost  # 0.5 s, and the weighted ranker needs none of it

    try:
        check_trees(json.loads(raw), width)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CannotHeal("bad_model", f"the trees in {quoted(path)} are damaged: {error}") from error
    booster = xgboost.Booster({"nthread": 1})
    try:
        with xgboost.config_context(nthread=1):  # or loading starts threads, which do not survive a fork
            booster.load_model(bytearray(raw))
    except xgboost.core.XGBoostError as error:
        raise CannotHeal("bad_model", f"XGBoost cannot read the model {quoted(path)}") from error
    return booster


def boosted(booster: xgboost.Booster, page: Page, rows: Rows, wanted: Fingerprint) -> NDArray[np.float64]:
    """Score with the trees of a trained model."""
    if not len(rows):
        return np.empty(0)
    margins = booster.inplace_predict(feature_matrix(page, rows, wanted), predict_type="margin")
    return np.asarray(sigmoid(margins), dtype=np.float64)


def model_bytes(path: Path) -> bytes:
    """Return what a model file holds; CannotHeal ``no_model`` or ``bad_model`` if it cannot be read or is too large."""
    try:
        if path.stat().st_size > MOST_MODEL_BYTES:
            raise CannotHeal("bad_model", f"the model {quoted(path)} is larger than {MOST_MODEL_BYTES} bytes")
        return path.read_bytes()
    except OSError as error:
        raise CannotHeal("no_model", f"the model {quoted(path)} cannot be read: {error.strerror}") from error
