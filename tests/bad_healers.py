"""Healers that go wrong in every way that one can, and one that is right, for the benchmark to outlive."""

import os
import time

from self_heal_engine.healers import answered

GONE = {"decision": "gone", "confidence": 0.1, "candidates": []}


def right(question):
    print("noise that is no part of the benchmark's output")
    return answered(question)


def silent(question):
    return None


def raises(question):
    raise KeyError("no such thing")


def raises_unprintably(question):
    class Unprintable(Exception):
        def __str__(self):
            raise ValueError

    raise Unprintable


def hangs(question):
    time.sleep(60)


def dies(question):
    os._exit(3)


def leaves(question):
    raise SystemExit(0)


def not_json(question):
    return {"decision": {1, 2}}


def no_answer(question):
    return ["healed"]


def no_decision(question):
    return {**GONE, "decision": "perhaps"}


def too_sure(question):
    return {**GONE, "confidence": 1.5}


def not_a_number(question):
    return {**GONE, "confidence": float("nan")}


def text_for_number(question):
    return {**GONE, "confidence": "0.5"}


def half_a_locator(question):
    return {**GONE, "candidates": [{"locator": "#go"}]}


def moody(question):
    """Fails in one way or another at most locators."""
    return MOODS[len(question["original_locator"]) % 4](question)


MOODS = (right, raises, right, dies)
NOT_CALLABLE = 5
