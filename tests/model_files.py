"""Tiny models, and what they are said to have done with some cases."""

import numpy as np
import xgboost

from self_heal_engine.dataset import write_cases
from self_heal_engine.decision import DECISION_NAMES
from self_heal_engine.evidence import write_evidence
from self_heal_engine.features import FEATURE_NAMES
from self_heal_engine.outcomes import Outcome, outcome_table
from self_heal_engine.ranking import Calibrated, save_ranker


def write_model(path, seed=1):
    """Write a model file whose trees learnt on chance; another seed gives another file."""
    decision = Calibrated(trees(DECISION_NAMES, seed), 1.0, 0.0, threshold=0.5, budget=0.05, gone_prior=0.25)
    save_ranker(trees(FEATURE_NAMES, seed), decision, "ranker", path, {"commit": f"commit {seed}"})
    return path


def trees(names, seed):
    """Return a few trees over so many features."""
    chance = np.random.default_rng(seed)
    matrix, right = chance.random((200, len(names))), chance.integers(0, 2, 200).astype(float)
    data = xgboost.DMatrix(matrix, right, feature_names=list(names))
    return xgboost.train({"objective": "binary:logistic", "max_depth": 2, "nthread": 1, "seed": seed}, data, 3)


def made(cases, wrong=(), healed_gone=(), sure=1.0):
    """Return the outcomes of a ranker that is right but in the cases of these positions, and as sure as that."""
    rows = []
    for at, case in enumerate(cases):
        gone = case.new_row is None
        right = not gone and at not in wrong
        healed = right or at in healed_gone
        rows.append(Outcome(0 if gone else 1 if right else 2, 9, 5, sure if healed else 0.0, healed))
    return outcome_table(cases, rows)


def write_candidate(models, cases, seed=1, name="candidate", **outcomes):
    """Write a model file and its evidence."""
    ranker = write_model(models / f"{name}.json", seed)
    write_evidence(made(cases, **outcomes), ranker, models / f"{name}.oof.parquet")
    return ranker.read_bytes()


def write_data(data, cases):
    """Write the cases where the commands look for them."""
    write_cases(data / "cases.jsonl", cases)
