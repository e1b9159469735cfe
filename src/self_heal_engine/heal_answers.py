"""read_answers(text, path): what heals answered, from a file of the service's or the command's JSON."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.locators import Locator
from self_heal_engine.reading import kind_of, read_locator, read_role
from self_heal_engine.validation import from_json

# Every field of exactly its type; what else an answer says is not needed here.
LENIENT: dict[str, object] = {"extra": "ignore", "strict": True}


@dataclass(frozen=True, slots=True)
class Proposed:
    """A locator that an answer proposes."""

    __pydantic_config__: ClassVar[dict[str, object]] = LENIENT

    locator: str
    locator_type: str


@dataclass(frozen=True, slots=True)
class ProposedElement:
    """An element that an answer proposes, with all its locators."""

    __pydantic_config__: ClassVar[dict[str, object]] = LENIENT

    locator: str
    locator_type: str
    alternatives: tuple[Proposed, ...] = ()

    def locators(self) -> list[Locator]:
        """Return the locators, the most stable first."""
        others = [Locator(kind_of(other.locator_type), other.locator) for other in self.alternatives]
        return [Locator(kind_of(self.locator_type), self.locator), *others]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, as far as a patch needs it."""

    __pydantic_config__: ClassVar[dict[str, object]] = LENIENT

    original_locator: str
    locator_type: str
    decision: Literal["healed", "unchanged", "gone"]
    candidates: tuple[ProposedElement, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """All answers for one broken locator, in whatever spelling; ``numbers`` are their places in the file, from 1."""

    locator: Locator
    numbers: tuple[int, ...]
    answers: tuple[Answer, ...]

    def decisions(self) -> list[str]:
        """Return the different decisions, in their order."""
        return list(Counter(answer.decision for answer in self.answers))


@dataclass(frozen=True, slots=True)
class Choice:
    """The locator to write, or why there is none."""

    value: str = ""
    trouble: str = ""


def read_answers(text: str, path: Path) -> list[Answer]:
    """Return the answers in a JSON list, an object with ``answers``, a single answer, or lines of them.

    CannotHeal ``bad_heals`` names the entry, the first being 1, and the field.
    """
    answers = []
    for number, entry in enumerate(entries(text, path), start=1):
        named = f"entry {number} of {quoted(path)}"
        answer = from_json(Answer, json.dumps(entry), "bad_heals", named)
        check(answer, named)
        answers.append(answer)
    return answers


def entries(text: str, path: Path) -> list[Any]:
    """Return what the file holds, an entry to an answer."""
    try:
        try:
            found = json.loads(text)
        except json.JSONDecodeError:
            lines = [line for line in text.split("\n") if line.strip()]
            if len(lines) < 2:
                raise
            found = [json.loads(line) for line in lines]
    except json.JSONDecodeError as error:
        raise CannotHeal("bad_heals", f"{quoted(path)} is neither JSON nor lines of JSON: {error}") from error
    except (RecursionError, ValueError) as error:  # nested too deep, or a number too long
        raise CannotHeal("bad_heals", f"{quoted(path)} cannot be read: {error}") from error
    if isinstance(found, dict):
        found = found.get("answers", [found])
    if not isinstance(found, list):
        raise CannotHeal("bad_heals", f"{quoted(path)} holds no list of answers but {quoted(found)}")
    return found


def check(answer: Answer, named: str) -> None:
    """Raise CannotHeal ``bad_heals`` if an answer cannot be what a heal answers."""
    if answer.decision == "healed" and not answer.candidates:
        raise CannotHeal("bad_heals", f"{named}: candidates: it is healed and proposes nothing")
    field = "original_locator"
    try:
        read_locator(answer.locator_type, answer.original_locator)
        for at, candidate in enumerate(answer.candidates):
            field = f"candidates.{at}"
            for locator in candidate.locators():
                if not locator.value:
                    raise CannotHeal("empty_locator", f"a {locator.kind} locator is empty")
                if locator.kind == "role":
                    read_role(locator.value)
    except CannotHeal as refusal:
        raise CannotHeal("bad_heals", f"{named}: {field}: {refusal.sentence}") from refusal


def grouped(answers: list[Answer]) -> list[Group]:
    """Return the answers by the locator that they were asked for."""
    found: dict[Locator, list[int]] = {}
    for at, answer in enumerate(answers):
        found.setdefault(read_locator(answer.locator_type, answer.original_locator), []).append(at)
    return [
        Group(locator, tuple(at + 1 for at in where), tuple(answers[at] for at in where))
        for locator, where in found.items()
    ]


def chosen(group: Group) -> Choice:
    """Return the locator of the group's own kind that all its answers agree on."""
    if len(group.decisions()) > 1:
        said = ", ".join(
            f"{answer.decision} in entry {at}" for at, answer in zip(group.numbers, group.answers, strict=True)
        )
        return Choice(trouble=f"the heals differ: {said}")
    values: dict[str, int] = {}
    for at, answer in zip(group.numbers, group.answers, strict=True):
        kinds = {locator.kind: locator.value for locator in reversed(answer.candidates[0].locators())}
        value = kinds.get(group.locator.kind)
        if value is None:
            has = ", ".join(reversed(kinds))
            return Choice(trouble=f"the healed element has no {group.locator.kind} locator; it has {has}")
        values.setdefault(value, at)
    if len(values) > 1:
        return Choice(trouble=f"entries {' and '.join(map(str, values.values()))} healed it to different elements")
    return Choice(next(iter(values)))


def also_found(group: Group, value: str) -> str | None:
    """Return the locator of another candidate that contains the value, which a call that finds by a part finds too."""
    for answer in group.answers:
        for candidate in answer.candidates[1:]:
            for locator in candidate.locators():
                if locator.kind == group.locator.kind and value.casefold() in name_of(locator).casefold():
                    return locator.value
    return None


def name_of(locator: Locator) -> str:
    """Return what a call that finds by a part looks for it in."""
    return role_and_name(locator.value)[1] or "" if locator.kind == "role" else locator.value


def role_and_name(value: str) -> tuple[str, str | None, bool]:
    """Return a role locator's role, its name if it is a text, and whether it says more than that."""
    role, conditions = read_role(value)
    names = [text for key, text in conditions if key == "name" and isinstance(text, str)]
    return role, names[0] if names else None, len(conditions) != len(names) or len(names) > 1
