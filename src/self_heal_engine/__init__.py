"""Heal broken test locators: from a page and a broken locator to verified replacements, or "gone"."""

from self_heal_engine.dom import Page
from self_heal_engine.errors import CannotHeal
from self_heal_engine.fingerprint import (
    Fingerprint,
    baseline_fingerprint,
    dump_fingerprint,
    fingerprint,
    guess_fingerprint,
    load_fingerprint,
)
from self_heal_engine.healer import Healing, HealResult, heal, heal_all
from self_heal_engine.locators import Locator
from self_heal_engine.parser import parse_html
from self_heal_engine.reading import read_locator

__all__ = [
    "CannotHeal",
    "Fingerprint",
    "HealResult",
    "Healing",
    "Locator",
    "Page",
    "baseline_fingerprint",
    "dump_fingerprint",
    "fingerprint",
    "guess_fingerprint",
    "heal",
    "heal_all",
    "load_fingerprint",
    "parse_html",
    "read_locator",
]
