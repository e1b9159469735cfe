"""Feedback: confirmed heals as the lines and pages that models are trained on, out of the database and into it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from self_heal_engine.confirmed import FOLDER, Confirmed, confirmed_case
from self_heal_engine.dataset import write_records
from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.files import lines_of, write_bytes
from self_heal_engine.fingerprint import load_fingerprint
from self_heal_engine.locators import KINDS, Locator
from self_heal_engine.reading import read_locator
from self_heal_engine.records import IMPORTED, Feedback, HealRecord, Verdict, rfc3339
from self_heal_engine.snapshots import compressed, page_html, site
from self_heal_engine.storage import Store
from self_heal_engine.validation import from_json

# Why a confirmation teaches nothing.
EXPIRED, NO_LOCATOR = "its page expired", "the element is there, but no locator was given"
NOT_ALONE, UNREADABLE = "its locator does not find one element on the redacted page", "the pipeline would refuse it"


@dataclass(slots=True)
class Exported:
    """How many lines were written, how many of them stood in the file alone, and why others were left out."""

    lines: int = 0
    kept: int = 0
    left_out: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Imported:
    """How many confirmations were new, and how many were known."""

    new: int
    known: int


# -- out of the database -------------------------------------------------------------------------------------------


def export_feedback(store: Store, file: Path) -> Exported:
    """Write every confirmation that can teach, with its page; what only the file knows stays in it.

    The same database and file give the same bytes. CannotHeal ``other_verdict`` if the two contradict each other.
    """
    known = known_lines(file)
    made, done = {request_id: heal for request_id, (_, heal) in known.items()}, Exported()
    with TemporaryDirectory() as folder:
        for feedback in store.feedback():
            request_id = str(feedback.heal.request_id)
            if request_id in known:
                agreed(*known[request_id], feedback)
            heal, why = taught(feedback, Path(folder))
            if heal is None:
                done.left_out[why] += request_id not in known
                continue
            write_page(file.parent, heal, feedback)
            made[request_id] = heal
            known.pop(request_id, None)
    ordered = sorted(made.values(), key=in_order)
    write_records(file, ordered)
    done.lines, done.kept = len(made), len(known)
    done.left_out = +done.left_out
    return done


def in_order(heal: Confirmed) -> tuple[str, str]:
    """Return by what lines are sorted: the newest comes last."""
    return heal.confirmed_at, heal.request_id


def known_lines(file: Path) -> dict[str, tuple[str, Confirmed]]:
    """Return what a training file holds, by request; nothing where there is none yet."""
    known: dict[str, tuple[str, Confirmed]] = {}
    for where, heal in read_training(file) if file.exists() else iter(()):
        other, same = known.setdefault(heal.request_id, (where, heal))
        if answer_in(same) != answer_in(heal):
            raise CannotHeal("other_verdict", f"{where}: request {quoted(heal.request_id)} is otherwise in {other}")
    return known


def taught(feedback: Feedback, folder: Path) -> tuple[Confirmed | None, str]:
    """Return a confirmation as a line that the pipeline takes, tried out in a folder; or None and why there is none."""
    state, kind, locator = feedback.answer()
    if feedback.page is None:
        return None, EXPIRED
    if state == "there" and locator is None:
        return None, NO_LOCATOR
    try:
        heal = line_of(feedback, kind, locator)
        write_page(folder, heal, feedback)
        if heal.fingerprint is not None:
            load_fingerprint(heal.fingerprint)
        confirmed_case(heal, folder, weight=1.0)
    except CannotHeal as refusal:
        return None, NOT_ALONE if str(refusal) == "bad_training" else f"{UNREADABLE}: {refusal}"
    finally:
        page_path(folder, feedback.page.sha256).unlink(missing_ok=True)
    return heal, ""


def line_of(feedback: Feedback, kind: str | None, locator: str | None) -> Confirmed:
    """Return a confirmation as a line of the training file."""
    heal, page = feedback.heal, feedback.page
    asked = Locator(heal.locator_type, heal.original_locator)
    if heal.decision != IMPORTED:  # as it was sent; one from a file has its one spelling
        asked = read_locator(asked.kind, asked.value)
    return Confirmed(
        request_id=str(heal.request_id),
        confirmed_at=rfc3339(feedback.confirmed_at),
        site=heal.site or site(heal.page_url),
        page_sha256="" if page is None else page.sha256,
        locator_type=asked.kind,
        original_locator=asked.value,
        correct_locator_type=kind,
        correct_locator=locator,
        visible_text=heal.visible_text,
        anchors=heal.anchors,
        action=heal.action,
        fingerprint=heal.fingerprint,
    )


def write_page(data: Path, heal: Confirmed, feedback: Feedback) -> None:
    """Write the page of a confirmation below a data folder, unless it is there."""
    path = page_path(data, heal.page_sha256)
    if feedback.page is not None and not path.exists():
        write_bytes(path, page_html(feedback.page.body).encode("utf-8"))


def page_path(data: Path, sha256: str) -> Path:
    """Return where a page lies below a data folder."""
    return data / FOLDER / f"{sha256}.html"


def agreed(where: str, heal: Confirmed, feedback: Feedback) -> None:
    """Raise CannotHeal ``other_verdict`` if a line of the file says otherwise than the database."""
    if answer_in(heal) != feedback.answer():
        said = f"{where}: request {heal.request_id} is {answer_in(heal)} here"
        raise CannotHeal("other_verdict", f"{said}, and {feedback.answer()} in the database")


# -- into the database ---------------------------------------------------------------------------------------------


def import_feedback(store: Store, file: Path) -> Imported:
    """Store the confirmations of a training file, with their pages; all of them or none, each once.

    CannotHeal names file and line: ``bad_training``, ``wrong_hash`` or ``unreadable_file`` for what the pipeline would
    refuse too, ``other_verdict`` for a request that was confirmed otherwise.
    """
    lines = [checked(where, heal, file.parent) for where, heal in read_training(file)]
    new = store.add_feedback((where, feedback_of(heal, file.parent)) for where, heal in lines)
    return Imported(new, len(lines) - new)


def read_training(file: Path) -> Iterator[tuple[str, Confirmed]]:
    """Yield (file and line, confirmation) for every line of a training file."""
    for number, line in enumerate(lines_of(file), start=1):
        if line.strip():
            where = f"line {number} of {quoted(file)}"
            yield where, from_json(Confirmed, line, "bad_training", where)


def checked(where: str, heal: Confirmed, data: Path) -> tuple[str, Confirmed]:
    """Return a line that the pipeline takes and the database can keep."""
    try:
        moment, _ = datetime.fromisoformat(heal.confirmed_at), UUID(heal.request_id)
    except ValueError as error:
        raise CannotHeal("bad_training", f"{where}: request_id or confirmed_at: {error}") from error
    if moment.tzinfo is None:
        raise CannotHeal("bad_training", f"{where}: confirmed_at {quoted(heal.confirmed_at)} has no time zone")
    for kind in (heal.locator_type, heal.correct_locator_type):
        if kind not in (None, *KINDS):
            raise CannotHeal("bad_training", f"{where}: {quoted(kind)} is not a kind of locator")
    try:
        confirmed_case(heal, data, weight=1.0)
    except CannotHeal as refusal:
        raise CannotHeal(str(refusal), f"{where}: {refusal.sentence}") from refusal
    return where, heal


def feedback_of(heal: Confirmed, data: Path) -> Feedback:
    """Return a line of the training file, with its page, as the database keeps it."""
    moment, (state, kind, locator) = datetime.fromisoformat(heal.confirmed_at), answer_in(heal)
    record = HealRecord(
        request_id=UUID(heal.request_id),
        created_at=moment,
        model="",
        model_version="",
        variant="",
        decision=IMPORTED,
        confidence=0.0,
        threshold=0.0,
        knowledge="fingerprint" if heal.fingerprint else "locator",
        locator_type=heal.locator_type,
        original_locator=heal.original_locator,
        visible_text=heal.visible_text,
        anchors=heal.anchors,
        action=heal.action,
        page_url=None,
        test_session=None,
        fingerprint=heal.fingerprint,
        candidates=[],
        duration_ms=0.0,
        trace_id="",
        site=heal.site,
    )
    verdict = Verdict(None, state == "gone", locator, kind)
    return Feedback(record, verdict, moment, compressed(page_path(data, heal.page_sha256).read_bytes()))


def answer_in(heal: Confirmed) -> tuple[str, str | None, str | None]:
    """Return what a line says of the right element, in the words of ``Feedback.answer``."""
    if heal.correct_locator is None:
        return "gone", None, None
    return "there", heal.correct_locator_type or "css", heal.correct_locator
