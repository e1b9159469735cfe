"""Fingerprint: all that is known of the wanted element."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from self_heal_engine.locators import Locator, Step


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """All that is known of the wanted element. ``None`` and empty mean unknown, unless ``complete``.

    ``complete``: it was read off a page, so that an attribute it lacks is known to be lacking.
    """

    locator: Locator | None = None
    complete: bool = False
    tag: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)  # exact values, e.g. {"id": "login", "class": "a b"}
    parts: Mapping[str, str] = field(default_factory=dict)  # only a part of the value is known: [href^="/login"]
    role: str | None = None
    name: str | None = None  # accessible name
    label: str | None = None
    text: str | None = None  # as a reader sees it, white space collapsed
    own_text: str | None = None
    anchors: tuple[str, ...] = ()  # texts that stood near it
    neighbour_text: str | None = None
    path: tuple[Step, ...] = ()  # from the outermost known ancestor down to its parent
    rooted: bool = False  # the path begins at the root and leaves no element out
    index: int | None = None  # among its siblings of the same tag, the first being 1
    siblings: int | None = None  # how many siblings of the same tag there were, itself among them
    sibling_tags: tuple[str, ...] = ()
    parent_attributes: Mapping[str, str] = field(default_factory=dict)
    parent_text: str | None = None  # directly inside the parent
    child_tags: tuple[str, ...] = ()
    action: str | None = None  # click, type, select, check or read
    shares: Mapping[str, int] = field(default_factory=dict)  # property -> how many elements of the old page had its value
    rectangle: tuple[float, float, float, float] | None = None  # x, y, width, height
