"""The weighted ranker as somebody else's healer."""

from self_heal_engine.healers import answered
from self_heal_engine.ranking import WEIGHTED


def heal(question):
    return answered(question, WEIGHTED)
