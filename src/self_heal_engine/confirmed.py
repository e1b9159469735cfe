"""Confirmed: a heal that a user confirmed, as a line of ``data/training.jsonl``; and the case that it becomes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from self_heal_engine.breaking import failure
from self_heal_engine.dataset import Case, open_page, read_records
from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.files import sha256
from self_heal_engine.locators import Locator
from self_heal_engine.matching import matches
from self_heal_engine.sources import own_family
from self_heal_engine.validation import STRICT

# Where the redacted pages lie, below the data folder, each named by its own SHA-256.
FOLDER = "training"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """One confirmed heal. ``correct_locator`` finds the right element, and it alone, on the page; None: it is gone.

    ``page_sha256`` names the redacted page, ``data/training/<page_sha256>.html``. ``fingerprint`` is what the caller
    knew of the element, as ``dump_fingerprint`` writes it, or None. ``site`` is the unit of the split.
    """

    __pydantic_config__: ClassVar[dict[str, object]] = STRICT

    request_id: str
    confirmed_at: str  # RFC 3339
    site: str
    page_sha256: str
    locator_type: str
    original_locator: str
    correct_locator_type: str | None
    correct_locator: str | None
    visible_text: str | None = None
    anchors: tuple[str, ...] = ()
    action: str | None = None
    fingerprint: str | None = None


def confirmed_cases(path: Path, weight: float) -> list[Case]:
    """Return the confirmed heals of a file as cases; CannotHeal ``bad_training`` names what does not fit."""
    made = (confirmed_case(heal, path.parent, weight) for heal in read_records(path, Confirmed, "bad_training"))
    return [case for case in made if case is not None]


def confirmed_case(heal: Confirmed, data: Path, weight: float) -> Case | None:
    """Return a confirmed heal as a case, or None where its locator works on the page as it was stored.

    CannotHeal ``wrong_hash`` if the page is not the one that was stored, ``bad_training`` if the right element is not
    there once.
    """
    file = f"{FOLDER}/{heal.page_sha256}.html"
    page = open_page(data, file)
    if sha256((data / file).read_bytes()) != heal.page_sha256:
        raise CannotHeal("wrong_hash", f"{quoted(data / file)} does not have the SHA-256 that names it")
    row = None
    if heal.correct_locator is not None:
        found = matches(page, Locator(heal.correct_locator_type or "css", heal.correct_locator))
        if len(found) != 1:
            raise CannotHeal(
                "bad_training",
                f"request {quoted(heal.request_id)}: {quoted(heal.correct_locator)} finds {len(found)} elements",
            )
        row = int(found[0])
    fails = failure(page, Locator(heal.locator_type, heal.original_locator), row)
    if fails is None:
        return None
    return Case(
        id=sha256(heal.request_id)[:12],
        pair=heal.request_id,
        source=heal.site,
        family=own_family(heal.site),
        old_version="",
        new_version=heal.confirmed_at,
        page=heal.page_sha256[:12],
        old_page=None,
        new_page=file,
        old_row=None,
        new_row=row,
        rule="confirmed",
        difficulty="natural",
        operators=(),
        knowledge=knowledge_of(heal),
        form="as_sent",
        locator_type=heal.locator_type,
        original_locator=heal.original_locator,
        failure=fails,
        visible_text=heal.visible_text,
        anchors=heal.anchors,
        action=heal.action,
        fingerprint=heal.fingerprint,
        weight=weight,
    )


def knowledge_of(heal: Confirmed) -> str:
    """Return how much the caller knew, one of ``dataset.KNOWLEDGE``."""
    if heal.fingerprint:
        return "fingerprint"
    return "anchors" if heal.anchors else "text" if heal.visible_text else "locator"
