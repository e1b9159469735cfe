"""From candidate to champion and back: what serves changes only here, whole, and never without its gates."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from self_heal_engine import registry
from self_heal_engine.dataset import Case, read_cases
from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.evidence import read_evidence
from self_heal_engine.files import read_text, sha256, write_bytes, write_text
from self_heal_engine.gates import GATES, Evidence, Verdict, cases_to_time, gates, p95_of_a_heal
from self_heal_engine.model_card import model_card
from self_heal_engine.outcomes import outcomes
from self_heal_engine.params import Gates
from self_heal_engine.ranking import WEIGHTED, Model, load_ranker
from self_heal_engine.registry import CARD, EVIDENCE, RANKER, Store, Version

# What `train` writes, in the same folder as what serves.
CANDIDATE, CANDIDATE_EVIDENCE = "candidate.json", "candidate.oof.parquet"
CANDIDATE_REFERENCE, REFERENCE = "candidate.reference.json", "reference.json"  # what drift is measured against

CHAMPION, PREVIOUS = "champion", "previous"

DESCRIBE = ("git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")

# A model that this code cannot load would serve nobody, whatever the reason.
NEVER_OVERRIDDEN = "schema"


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where a promotion finds things: model files, cases with their pages, the evaluation's numbers, the registry."""

    models: Path
    data: Path
    metrics: Path
    store: Store


@dataclass(frozen=True, slots=True)
class Asked:
    """What a promotion asks: the gates, the families that are tested on, how often an element is assumed to be gone."""

    gates: Gates
    test: tuple[str, ...]
    gone_prior: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it, in a sentence, and the verdicts of the gates if they were asked."""

    said: str
    verdicts: tuple[Verdict, ...] = ()


def promote(shop: Workshop, asked: Asked, overrides: Mapping[str, str], dry_run: bool = False) -> Outcome:
    """Make the candidate the champion, or raise CannotHeal ``gate_refused`` naming each gate it fails.

    ``overrides`` maps gates to the reason why they do not count. A dry run asks the gates and changes nothing. The
    aliases move last: a promotion that was interrupted is finished by the next one.
    """
    check_overrides(overrides)
    candidate = shop.models / CANDIDATE
    content = content_of(candidate)
    known = known_champion(shop, content) if dry_run else registered_champion(shop, content)
    if content == (known.sha256 if known else content_of_serving(shop)):
        done = "nothing was moved" if dry_run else restored(shop, known)
        return Outcome(f"the candidate {content[:8]} is the champion already; {done}")
    with tempfile.TemporaryDirectory() as folder:
        verdicts = judged(shop, asked, champion_files(shop, known, Path(folder)))
        if dry_run:
            settle(verdicts, overrides)
            card(shop, candidate, verdicts, overrides)  # a report of another model is refused here, too
            return Outcome(
                f"the candidate {content[:8]} may be promoted; this was a dry run, nothing was moved", verdicts
            )
        version = registry.register(shop.store, candidate, [], {"name": name_of(candidate)})
        registry.label(shop.store, version, gate_tags(verdicts))
        settle(verdicts, overrides)
        write_text(Path(folder) / CARD, card(shop, candidate, verdicts, overrides))
        shutil.copyfile(shop.models / CANDIDATE_EVIDENCE, Path(folder) / EVIDENCE)
        shutil.copyfile(candidate, Path(folder) / RANKER)
        reference = shop.models / CANDIDATE_REFERENCE
        if reference.exists() and content in read_text(reference):  # of this candidate, not of one before
            shutil.copyfile(reference, Path(folder) / REFERENCE)
        for name in (EVIDENCE, CARD, REFERENCE):
            if (Path(folder) / name).exists():
                registry.attach(shop.store, version, Path(folder) / name)
        registry.label(shop.store, version, {f"override.{gate}": why for gate, why in overrides.items()})
        install(Path(folder), shop.models)
    move_aliases(shop.store, version, known)
    return Outcome(f"the candidate {content[:8]} is the champion now, version {version.number}", verdicts)


def restored(shop: Workshop, champion: Version | None) -> str:
    """Return what was done so that the champion serves: nothing, unless its file is missing."""
    if champion is None or (shop.models / RANKER).exists():
        return "nothing was moved"
    with tempfile.TemporaryDirectory() as folder:
        install(registry.fetch(shop.store, champion, Path(folder)), shop.models)
    return "its files were missing, and are back"


def rollback(models: Path, store: Store) -> Outcome:
    """Make the previous champion the champion again, with its evidence and card; the two change places.

    CannotHeal ``no_previous`` if there is none, ``model_schema`` if this code could not load it.
    """
    champion, previous = (registry.alias(store, name) for name in (CHAMPION, PREVIOUS))
    if previous is None:
        raise CannotHeal("no_previous", "no model was champion before this one: there is nothing to go back to")
    with tempfile.TemporaryDirectory() as folder:
        files = registry.fetch(store, previous, Path(folder))
        load_ranker(files / RANKER)
        install(files, models)
    move_aliases(store, previous, champion)
    return Outcome(f"the model {previous.sha256[:8]} is the champion again, version {previous.number}")


def move_aliases(store: Store, champion: Version, previous: Version | None) -> None:
    """Name the champion and the one before it."""
    if previous is not None and previous.number != champion.number:
        registry.set_alias(store, PREVIOUS, previous)
    registry.set_alias(store, CHAMPION, champion)


def install(folder: Path, models: Path) -> None:
    """Bring a version's files to where they serve, each whole, the model last; what it does not have goes."""
    for name in (CARD, EVIDENCE, REFERENCE, RANKER):
        if (folder / name).exists():
            write_bytes(models / name, (folder / name).read_bytes())
        else:
            (models / name).unlink(missing_ok=True)


# -- the champion --------------------------------------------------------------------------------------------------


def content_of(ranker: Path) -> str:
    """Return the hash of a model file; CannotHeal ``no_model`` if it cannot be read."""
    try:
        return sha256(ranker.read_bytes())
    except OSError as error:
        raise CannotHeal("no_model", f"the model {quoted(ranker)} cannot be read: {error.strerror}") from error


def content_of_serving(shop: Workshop) -> str | None:
    """Return the hash of the model that serves; None if none does."""
    serving = shop.models / RANKER
    return content_of(serving) if serving.exists() else None


def known_champion(shop: Workshop, content: str) -> Version | None:
    """Return the registry's champion; CannotHeal ``stale_champion`` if another model serves here.

    Unless that is the candidate itself: then an earlier promotion was interrupted.
    """
    champion, serving = registry.alias(shop.store, CHAMPION), content_of_serving(shop)
    if champion is not None and serving not in (None, champion.sha256, content):
        raise CannotHeal(
            "stale_champion",
            f"{quoted(shop.models / RANKER)} is the model {str(serving)[:8]}, but the registry's champion is version "
            f"{champion.number}, {champion.sha256[:8]}: get that one, or put the other back by `self-heal rollback`",
        )
    return champion


def registered_champion(shop: Workshop, content: str) -> Version | None:
    """Return the registry's champion. In a fresh clone it has none: then what stands in git is registered as such."""
    if (champion := known_champion(shop, content)) is not None:
        return champion
    serving = shop.models / RANKER
    if not serving.exists():
        return None
    others = [path for name in (EVIDENCE, CARD, REFERENCE) if (path := shop.models / name).exists()]
    version = registry.register(shop.store, serving, others, {"name": name_of(serving)})
    registry.set_alias(shop.store, CHAMPION, version)
    return version


def champion_files(shop: Workshop, known: Version | None, folder: Path) -> Path | None:
    """Return the folder with the champion's files: the registry's, else those that serve; None without a champion."""
    if known is not None:
        return registry.fetch(shop.store, known, folder / "champion")
    return shop.models if (shop.models / RANKER).exists() else None


# -- the gates -----------------------------------------------------------------------------------------------------


def judged(shop: Workshop, asked: Asked, champion: Path | None) -> tuple[Verdict, ...]:
    """Return the verdicts on the candidate beside the champion, or beside the weighted ranker if there is none."""
    ranker = shop.models / CANDIDATE
    table = read_evidence(shop.models / CANDIDATE_EVIDENCE, ranker)
    cases = list(read_cases(shop.data / "cases.jsonl"))
    ids = set(table["id"])
    same = [case for case in cases if case.id in ids and case.family not in asked.test]
    model, problem = loaded(ranker)
    beside, theirs, serving = champion_evidence(shop, same, champion)
    models = {name: one for name, one in (("candidate", model), (beside, serving)) if one is not None}
    times = p95_of_a_heal(models, shop.data, cases_to_time(cases, asked.test))
    return tuple(
        gates(
            Evidence("the candidate", table, times.get("candidate"), problem),
            Evidence(beside, theirs, times.get(beside)),
            asked.gates,
            asked.test,
            asked.gone_prior,
        )
    )


def champion_evidence(shop: Workshop, cases: Sequence[Case], folder: Path | None) -> tuple[str, Any, Model | None]:
    """Return the name, outcomes and model of whom to beat.

    Without a champion, or with one that has no evidence and that this code cannot load, that is the weighted ranker.
    A champion without evidence is tried on the same cases now; it may have been trained on them, to its favour.
    """
    model = None if folder is None else loaded(folder / RANKER)[0]
    if folder is not None and (folder / EVIDENCE).exists():
        return "the champion", read_evidence(folder / EVIDENCE, folder / RANKER), model
    name = WEIGHTED.name if folder is None or model is None else str(folder / RANKER)
    said = "the weighted ranker" if model is None else "the champion"
    return said, outcomes(shop.data, cases, [name])[name], model or WEIGHTED


def loaded(ranker: Path) -> tuple[Model | None, str | None]:
    """Return the model, or why it is not one for this code."""
    try:
        return load_ranker(ranker), None
    except CannotHeal as refusal:
        return None, refusal.sentence


def paired(given: Sequence[str], reasons: Sequence[str]) -> dict[str, str]:
    """Return the gates to be overridden, each with its reason; CannotHeal ``bad_override`` if one has none."""
    if len(given) != len(reasons):
        raise CannotHeal(
            "bad_override",
            f"{len(given)} gates are to be overridden and {len(reasons)} reasons are given: each needs one",
        )
    if len(set(given)) < len(given):
        raise CannotHeal("bad_override", f"a gate is named twice: {', '.join(map(quoted, given))}")
    return dict(zip(given, reasons, strict=True))


def check_overrides(overrides: Mapping[str, str]) -> None:
    """Raise CannotHeal ``bad_override`` for a gate that is unknown or cannot be overridden, or without a reason."""
    for gate, why in overrides.items():
        if gate not in GATES:
            raise CannotHeal("bad_override", f"{quoted(gate)} is no gate; there are {', '.join(GATES)}")
        if gate == NEVER_OVERRIDDEN:
            raise CannotHeal(
                "bad_override", f"the gate {gate} cannot be overridden: this code could not load the model"
            )
        if not why.strip():
            raise CannotHeal("bad_override", f"the gate {gate} is to be overridden without a reason: --why is empty")


def settle(verdicts: Sequence[Verdict], overrides: Mapping[str, str]) -> None:
    """Raise CannotHeal ``gate_refused``, with the numbers of each gate that is failed and not overridden."""
    failed = [verdict for verdict in verdicts if not verdict.passed and verdict.gate not in overrides]
    if failed:
        raise CannotHeal("gate_refused", "; ".join(f"gate {verdict.gate}: {verdict.sentence}" for verdict in failed))


def gate_tags(verdicts: Sequence[Verdict]) -> dict[str, str]:
    """Return verdicts as the registry keeps them beside a version."""
    words = {True: "passed", False: "failed"}
    return {f"gate.{verdict.gate}": f"{words[verdict.passed]}: {verdict.sentence}" for verdict in verdicts}


# -- the card ------------------------------------------------------------------------------------------------------


def card(shop: Workshop, ranker: Path, verdicts: Sequence[Verdict], overrides: Mapping[str, str]) -> str:
    """Return the model card of a candidate; CannotHeal ``stale_report`` if the evaluation was of another model."""
    content = content_of(ranker)
    metrics = json.loads(read_text(shop.metrics)) if shop.metrics.exists() else {}
    if metrics and (of := metrics.get("model_sha256")) != content:
        raise CannotHeal(
            "stale_report",
            f"{quoted(shop.metrics)} is of the model {quoted(str(of)[:8])}, not of {content[:8]}: "
            "`dvc repro evaluate` writes it anew",
        )
    return model_card(
        {
            "sha256": content,
            "commit": commit_of(shop.models),
            "attributes": attributes(ranker),
            "metrics": metrics,
            "verdicts": [(verdict.gate, verdict.passed, verdict.sentence) for verdict in verdicts],
            "overrides": dict(overrides),
        }
    )


def commit_of(folder: Path) -> str:
    """Return the commit that is checked out, ``-dirty`` with changes to it; ``unknown`` where that cannot be told.

    It is asked for when a model is promoted: in the model itself, each commit would make another file of it.
    """
    try:
        said = subprocess.run(DESCRIBE, cwd=folder, capture_output=True, text=True, check=True)  # noqa: S603 - fixed words
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return said.stdout.strip()


def attributes(ranker: Path) -> dict[str, Any]:
    """Return what a model file says of itself, read as JSON where it is; nothing if it is no such file."""
    try:
        said = json.loads(read_text(ranker))["learner"]["attributes"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return {key: decoded(value) for key, value in said.items()}


def decoded(value: str) -> Any:
    """Return the JSON value of an attribute, or its text if it is none."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def name_of(ranker: Path) -> str:
    """Return what the model file is called in itself."""
    return str(attributes(ranker).get("name", "model"))
