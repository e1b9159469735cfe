"""check_trees(model): whether trees of an untrusted file can be walked; XGBoost itself does not look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAF = -1


def check_trees(model: Mapping[str, Any], width: int) -> None:
    """Raise ValueError unless the model is one boosted score over so many features whose every walk ends.

    XGBoost 3.2 reads children and features of a tree as they are: a child far away is a crash, a loop never ends. In
    every tree that it writes children stand after their parent, so that a walk only goes forward. KeyError and
    TypeError if it is no model at all.
    """
    learner = model["learner"]
    booster, shape = learner["gradient_booster"], learner["learner_model_param"]
    if booster["name"] != "gbtree" or int(shape["num_class"]) > 1 or int(shape.get("num_target", 1)) > 1:
        raise ValueError("not one score of boosted trees")
    if int(shape["num_feature"]) != width:
        raise ValueError(f"trees over {shape['num_feature']} features, not {width}")
    trees = booster["model"]["trees"]
    told = booster["model"]["gbtree_model_param"]
    if len(trees) != int(told["num_trees"]) or set(booster["model"]["tree_info"]) - {0}:
        raise ValueError("not as many trees as it says")
    for tree in trees:
        check_tree(tree, width)


def check_tree(tree: Mapping[str, Any], width: int) -> None:
    """Raise ValueError unless every walk through the tree goes forward and ends, by features that there are."""
    left, right = whole(tree["left_children"]), whole(tree["right_children"])
    split = whole(tree["split_indices"])
    many, places = len(left), np.arange(len(left))
    arrays = (right, split, *(tree[name] for name in ("split_conditions", "default_left", "base_weights")))
    if not many or any(len(array) != many for array in arrays) or int(tree["tree_param"]["num_nodes"]) != many:
        raise ValueError("a tree whose parts are not as long as each other")
    if tree.get("categories") or any(tree.get("split_type", ())):
        raise ValueError("a tree that splits by categories")
    inner = left != LEAF
    if (inner != (right != LEAF)).any():
        raise ValueError("a node with one child")
    for children in (left[inner], right[inner]):
        if ((children <= places[inner]) | (children >= many)).any():
            raise ValueError("a child that does not come after its parent")
    if ((split < 0) | (split >= width)).any():
        raise ValueError("a split by a feature that there is not")


def whole(values: object) -> NDArray[np.int64]:
    """Return a list of whole numbers as an array; ValueError if it is not one."""
    array = np.asarray(values)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise ValueError("not a list of whole numbers")
    return array.astype(np.int64)
