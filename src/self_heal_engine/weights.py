"""The weighted ranker's weights, chosen by hand, and the share of what is known that they say is explained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

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


def explained(figures: NDArray[np.floating], names: Sequence[str]) -> NDArray[np.float64]:
    """Return, for each row of features so named, the weighted share of what is known that it explains, 0 to 1."""
    weights = np.array([WEIGHTS.get(name, 0.0) for name in names])
    penalties = np.array([PENALTIES.get(name, 0.0) for name in names])
    known = np.where(np.isnan(figures), 0.0, weights)
    given = np.nan_to_num(figures)
    share = (given * known).sum(axis=1) / (known.sum(axis=1) + UNKNOWN)
    return np.clip(share - (given * penalties).sum(axis=1), 0.0, 1.0)
