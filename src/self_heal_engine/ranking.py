"""Rankers and the decision: the weighted ranker, model files, and from which confidence on to heal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from self_heal_engine.comparison import Comparison
from self_heal_engine.dom import Page, Rows
from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.features import BASE_FEATURES, FEATURE_NAMES, SCHEMA, feature_matrix
from self_heal_engine.fingerprint import Fingerprint

if TYPE_CHECKING:
    import xgboost

Ranker = Callable[[Page, Rows, Fingerprint], NDArray[np.float64]]

# What each feature adds to the weighted ranker's score, as a share of the weights of all features that are known.
# Chosen by hand near Similo's and Similo++'s published weights, for use until a trained model exists.
WEIGHTS = {
    "test_id_alike": 3.0, "id_alike": 1.2, "name_alike": 2.0, "href_alike": 0.8, "href_same": 1.0,
    "aria_label_alike": 1.5, "placeholder_alike": 1.5, "title_alike": 1.0, "alt_alike": 1.2, "value_alike": 0.6,
    "src_alike": 0.6, "type_same": 0.8, "tag_same": 0.6, "control_same": 0.8, "role_same": 1.2, "class_overlap": 0.6,
    "text_alike": 1.5, "text_same": 0.4, "text_words": 2.4, "accessible_name_alike": 0.6, "label_alike": 2.0,
    "words_shared": 1.5, "other_attributes": 1.2, "parts_found": 1.5, "action_fits": 1.0, "path_alike": 0.6,
    "place_same": 0.5, "ancestor_ids": 0.6, "ancestor_classes": 0.4, "index_same": 0.2, "sibling_tags_alike": 0.2,
    "child_tags_alike": 0.3, "parent_alike": 0.4, "neighbour_words": 1.5, "anchor_near": 1.2,
}  # fmt: skip
PENALTIES = {"words_contradict": 0.25}
# Stands for what is not known: where little is known, little can be explained, and the score stays low.
UNKNOWN = 4.0

# Only these are computed for it: Similo's scores and the standing among rivals are for trained models.
WEIGHED = [feature for feature in BASE_FEATURES if feature.name in {*WEIGHTS, *PENALTIES}]
_WEIGHTS = np.array([WEIGHTS.get(feature.name, 0.0) for feature in WEIGHED])
_PENALTIES = np.array([PENALTIES.get(feature.name, 0.0) for feature in WEIGHED])

# A model file larger than this is refused before it is parsed.
MOST_MODEL_BYTES = 50_000_000


def weighted(page: Page, rows: Rows, wanted: Fingerprint) -> NDArray[np.float64]:
    """Score by the weighted share of what is known that each candidate explains; no training needed."""
    if not len(rows):
        return np.empty(0)
    comparison = Comparison(page, rows, wanted)
    matrix = np.column_stack([feature.compute(comparison) for feature in WEIGHED])
    known = np.where(np.isnan(matrix), 0.0, _WEIGHTS)
    figures = np.nan_to_num(matrix)
    explained = (figures * known).sum(axis=1) / (known.sum(axis=1) + UNKNOWN)
    return np.clip(explained - (figures * _PENALTIES).sum(axis=1), 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Decision:
    """From scores to a confidence, and from a confidence to "heal" or "gone".

    ``budget`` is the share of gone elements that may be healed; ``threshold`` is the confidence that keeps to it.
    ``calibrated`` is False while the figures were set by hand: the confidence is then only an order.
    """

    bias: float
    score: float
    margin: float
    threshold: float
    budget: float
    calibrated: bool

    def confidence(self, page: Page, rows: Rows, scores: NDArray[np.float64]) -> float:
        """Return the probability that the best candidate is the wanted element; 0 with none.

        What lies inside or around the best candidate is no rival: a user who acts on the one acts on the other.
        """
        if not len(rows):
            return 0.0
        best = int(np.argmax(scores))
        row, end = rows[best], page.ends[rows[best]]
        nested = ((rows >= row) & (rows < end)) | ((rows <= row) & (page.ends[rows] >= end))
        rival = float(scores[~nested].max(initial=0.0))
        return float(sigmoid(self.bias + self.score * scores[best] + self.margin * (scores[best] - rival)))


# A logistic curve over score and margin, set on pairs of successive releases of nine page templates so that about one
# in five deleted elements would still be healed. No more than that: a trained model brings its own, calibrated.
ROUGH = Decision(bias=-12.9, score=23.1, margin=12.9, threshold=0.5, budget=0.2, calibrated=False)


@dataclass(frozen=True, slots=True)
class Model:
    """A ranker with its decision, and where they came from."""

    name: str
    rank: Ranker
    decision: Decision


WEIGHTED = Model("weighted", weighted, ROUGH)


def sigmoid(figure: float | NDArray[np.floating]) -> float | NDArray[np.float64]:
    """Return 1 / (1 + exp(-figure)), without overflow."""
    answer: float | NDArray[np.float64] = 0.5 * (1.0 + np.tanh(0.5 * np.asarray(figure, dtype=np.float64)))
    return answer


# -- model files ---------------------------------------------------------------------------------------------------


def save_ranker(booster: xgboost.Booster, decision: Decision, name: str, path: Path) -> None:
    """Write one JSON file that holds the trees, the features they expect, and the decision."""
    booster.set_attr(
        name=name,
        schema=str(SCHEMA),
        features=json.dumps(FEATURE_NAMES),
        decision=json.dumps(asdict(decision), sort_keys=True),
    )
    path.write_bytes(booster.save_raw("json"))


def load_ranker(path: Path) -> Model:
    """Return the model in a file; CannotHeal ``bad_model`` or ``model_schema`` if it is not one for this code."""
    import xgboost  # 0.5 s, and the weighted ranker needs none of it

    raw = _read(path)
    said = _attributes(raw, path)
    if said.get("schema") != str(SCHEMA) or json.loads(said.get("features", "[]")) != list(FEATURE_NAMES):
        raise CannotHeal(
            "model_schema",
            f"the model {quoted(path)} was trained on schema {quoted(said.get('schema'))} "
            f"of the features; this code computes schema {SCHEMA}",
        )
    booster = xgboost.Booster({"nthread": 1})
    try:
        booster.load_model(bytearray(raw))
    except xgboost.core.XGBoostError as error:
        raise CannotHeal("bad_model", f"XGBoost cannot read the model {quoted(path)}") from error
    decision = Decision(**json.loads(said["decision"]))
    name = f"{said.get('name', 'model')}-{hashlib.sha256(raw).hexdigest()[:8]}"
    return Model(name, partial(boosted, booster), decision)


def boosted(booster: xgboost.Booster, page: Page, rows: Rows, wanted: Fingerprint) -> NDArray[np.float64]:
    """Score with the trees of a trained model."""
    if not len(rows):
        return np.empty(0)
    margins = booster.inplace_predict(feature_matrix(page, rows, wanted), predict_type="margin")
    return np.asarray(sigmoid(margins), dtype=np.float64)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_MODEL_BYTES:
            raise CannotHeal("bad_model", f"the model {quoted(path)} is larger than {MOST_MODEL_BYTES} bytes")
        return path.read_bytes()
    except OSError as error:
        raise CannotHeal("no_model", f"the model {quoted(path)} cannot be read: {error.strerror}") from error


def _attributes(raw: bytes, path: Path) -> dict[str, str]:
    """Return what :func:`save_ranker` wrote beside the trees."""
    try:
        attributes: dict[str, str] = json.loads(raw)["learner"]["attributes"]
        decision = json.loads(attributes["decision"])
        json.loads(attributes.get("features", "[]"))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CannotHeal("bad_model", f"the file {quoted(path)} is not a model of this engine") from error
    expected = {"bias", "score", "margin", "threshold", "budget"}
    if set(decision) != {*expected, "calibrated"} or not all(
        isinstance(decision[name], (int, float)) for name in expected
    ):
        raise CannotHeal("bad_model", f"the decision in the model {quoted(path)} is not complete")
    return attributes
