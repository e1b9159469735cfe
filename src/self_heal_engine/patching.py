"""plan(answers, paths) -> Patches: healed locators in the test sources that use them, and what a person must do."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.heal_answers import Answer, Group, also_found, chosen, grouped, role_and_name
from self_heal_engine.literals import STRINGS, Literal, Node, Source, rewritten, text_of, walk
from self_heal_engine.locator_calls import SELECTOR, Call, Use, declares, reference, use_of
from self_heal_engine.locators import Locator
from self_heal_engine.reading import read_locator
from self_heal_engine.source_files import Edit, Left, Patch, parsed, read_files, sources_below

# How a selector of Playwright may name its language; without one it is CSS, or XPath where it begins with // or ..
ENGINE = re.compile(r"(css|xpath|text|role|id|data-[\w-]+)=")

LOCATOR_LANGUAGES = ("css", "xpath")

# Which languages may use each other's constants.
FAMILIES = {
    "python": "python",
    "java": "java",
    "javascript": "javascript",
    "typescript": "javascript",
    "tsx": "javascript",
}


@dataclass(frozen=True, slots=True)
class Patches:
    """What comes of a file of heals: the files that change, the places left to a person, and what was not asked for.

    ``notes`` are heals that no source uses, and those that have nothing to patch.
    """

    patches: tuple[Patch, ...]
    left: tuple[Left, ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class Wanted:
    """The broken locators to look for."""

    by_locator: dict[Locator, Group] = field(default_factory=dict)
    by_value: dict[str, list[Group]] = field(default_factory=dict)
    tokens: set[bytes] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal that has a name, in the file where it stands."""

    source: Source
    literal: Literal
    use: Use


@dataclass(frozen=True, slots=True)
class Place:
    """Where a constant's value or its name is used: as a locator of a kind, or (None) as another value."""

    source: Source
    line: int
    kind: str | None
    member: bool = True  # behind what it belongs to


@dataclass(slots=True)
class Found:
    """What was found on the way: edits by file, places left, constants yet to be settled, and where these are used."""

    edits: dict[Path, list[Edit]] = field(default_factory=lambda: defaultdict(list))
    left: list[Left] = field(default_factory=list)
    constants: list[Constant] = field(default_factory=list)
    values: dict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))
    names: dict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))
    declared: set[tuple[Path, str]] = field(default_factory=set)  # names that a file gives to a value itself
    healed: set[Locator] = field(default_factory=set)  # of which there is a literal

    def leave(self, source: Source, literal: Literal, why: str, value: str | None = None) -> None:
        """Leave a literal to a person."""
        self.left.append(Left(source.shown, literal.line, literal.value or value or "", why))

    def rewrite(self, source: Source, literal: Literal, new: str) -> None:
        """Give a literal another value, if it is another."""
        if new != literal.value:
            written = rewritten(literal, new, source.language)
            made = Edit(literal.line, literal.start, literal.end, written, literal.value or "", new)
            self.edits[source.path].append(made)


def plan(answers: list[Answer], paths: Iterable[Path]) -> Patches:
    """Return what the answers change in the sources at or below the paths; nothing is written."""
    groups = grouped(answers)
    wanted, found = wanted_of(groups), Found()
    files = read_files(sources_below(paths))
    sources = {source.path: source for source in parsed(files, wanted.tokens, found.left)}
    for source in sources.values():
        for literal in source.literals:
            look_at(source, literal, wanted, found)
    names = {constant.use.name for constant in found.constants}
    others = [file for file in files if file[0] not in sources]  # they may use a constant all the same
    refer([*sources.values(), *parsed(others, {name.encode() for name in names}, [])], names, found)
    settle(wanted, found)
    patches = (
        Patch(source.path, source.shown, source.raw, tuple(sorted(set(edits), key=lambda edit: edit.start)))
        for source in sources.values()
        if (edits := found.edits.get(source.path))
    )
    left = sorted(dict.fromkeys(found.left), key=lambda one: (one.shown, one.line))
    return Patches(tuple(patches), tuple(left), tuple(notes(groups, found)))


def wanted_of(groups: list[Group]) -> Wanted:
    """Return what to look for: the locators with a heal among their answers."""
    wanted = Wanted()
    for group in groups:
        if "healed" not in group.decisions():
            continue
        wanted.by_locator[group.locator] = group
        words = re.findall(r"[A-Za-z0-9_-]+", group.locator.value)
        wanted.tokens.add(max(words, key=len, default="").encode())  # any spelling of it holds this one
        for value in {group.locator.value, *(answer.original_locator.strip() for answer in group.answers)}:
            wanted.by_value.setdefault(value, []).append(group)
    return wanted


# -- literals --------------------------------------------------------------------------------------------------------


def look_at(source: Source, literal: Literal, wanted: Wanted, found: Found) -> None:
    """Add what one literal comes to: an edit, a place left, a constant to be settled, or nothing."""
    use = use_of(literal.node)
    if literal.value is None:
        if inside := built_of(literal, use, wanted):
            found.healed.add(inside.locator)
            found.leave(source, literal, NOT_PLAIN, inside.locator.value)
    elif use.place == "locator" and use.kind == "role":
        by_role(source, literal, literal.value, use, wanted, found)
    elif use.place == "locator":
        in_call(source, literal, literal.value, use, wanted, found)
    elif use.place in ("constant", "value") and (meant := wanted.by_value.get(literal.value.strip(), [])):
        found.healed |= {each.locator for each in meant}
        if use.place == "constant":
            found.constants.append(Constant(source, literal, use))
        else:
            found.values[literal.value.strip()].append(Place(source, literal.line, None))
            found.leave(source, literal, "it is a plain value here, not the argument of a known locator call")


NOT_PLAIN = "no plain literal: the value is put together, or spans lines"


def in_call(source: Source, literal: Literal, old: str, use: Use, wanted: Wanted, found: Found) -> None:
    """Add what a literal in a locator call comes to."""
    value = old.strip()
    found.values[value].append(Place(source, literal.line, use.kind))
    if group := spelled(use.kind, value, wanted):
        found.healed.add(group.locator)
        new, trouble = new_value(group, use.kind, old, use)
        if trouble:
            found.leave(source, literal, trouble)
        else:
            found.rewrite(source, literal, new)
    elif meant := wanted.by_value.get(value):
        found.healed |= {each.locator for each in meant}
        kinds = f"{read_kind(use.kind, value)} locator here, and the heal is of a {meant[0].locator.kind}"
        found.leave(source, literal, f"it is a {kinds}")
    elif longer := part_of(value, use.kind, wanted):
        found.healed.add(longer.locator)
        found.leave(source, literal, f"it contains {quoted(longer.locator.value)}, which was healed")


def spelled(kind: str, value: str, wanted: Wanted) -> Group | None:
    """Return the heals of a literal in a locator call, however the call spells it."""
    try:
        return wanted.by_locator.get(read_locator("css" if kind == SELECTOR else kind, value))
    except CannotHeal:
        return None  # what this engine cannot read it has not healed


def read_kind(kind: str, value: str) -> str:
    """Return the kind in words of the heals."""
    if kind != SELECTOR:
        return kind
    try:
        return read_locator("css", value).kind
    except CannotHeal:
        return "css"


def part_of(text: str, kind: str, wanted: Wanted) -> Group | None:
    """Return the heals of a CSS or XPath locator that stands in a longer text, no name cut in two."""
    if kind not in (*LOCATOR_LANGUAGES, SELECTOR):
        return None
    for value, groups in wanted.by_value.items():
        group = next((group for group in groups if group.locator.kind in LOCATOR_LANGUAGES), None)
        if group and value in text and re.search(rf"(?<![\w-]){re.escape(value)}(?![\w-])", text):
            return group
    return None


def built_of(literal: Literal, use: Use, wanted: Wanted) -> Group | None:
    """Return the heals of a locator that a string put together at run time holds."""
    text = "".join("\0" if piece is None else piece for piece in literal.pieces)
    if use.place == "locator" and use.kind != "role" and (group := spelled(use.kind, text, wanted)):
        return group
    return part_of(text, SELECTOR, wanted)


def new_value(group: Group, kind: str, old: str, use: Use) -> tuple[str, str]:
    """Return what to write instead of a locator's literal, in its own style; or nothing, and why."""
    choice = chosen(group)
    if trouble := choice.trouble or use.trouble:
        return "", trouble
    new = choice.value
    if group.locator.kind == "test_id":
        engine, prefix = attribute_of(new), attribute_of(old)
        if engine != prefix:
            return "", f"the healed test id stands in {engine or 'data-testid'}, which the locator here does not say"
    loose = use.loose or (kind == SELECTOR and group.locator.kind == "text")
    if loose and (other := also_found(group, new)):
        return "", f"the call finds by a part of the text, and {quoted(new)} is a part of {quoted(other)}, too"
    if group.locator.kind == "xpath" and use.inside:
        return "", "an XPath inside another locator means something else than on the whole page"
    return in_selector(group.locator, old, new) if kind == SELECTOR else (new, "")


def attribute_of(test_id: str) -> str:
    """Return the attribute that a test id names, or nothing."""
    match = re.match(r"(data-[\w-]+)=", test_id)
    return match[1] if match else ""


def in_selector(broken: Locator, old: str, new: str) -> tuple[str, str]:
    """Return a new value in Playwright's language of selectors, the name of its engine and its quotes kept."""
    match = ENGINE.match(old.strip())
    if broken.kind == "test_id":
        return new, ""
    if match is None:
        bare = broken.kind == "xpath" and not re.match(r"\(*//", new)
        return ("xpath=" if bare else "") + new, ""
    body = old.strip()[match.end() :].strip()
    if body == broken.value:
        return (match[0] + new, "") if broken.kind != "text" or new[0] not in "\"'/" else ("", NOT_SAID)
    if body[1:-1] == broken.value and body[0] == body[-1] and body[0] not in new and "\\" not in new:
        return match[0] + body[0] + new + body[0], ""
    return "", NOT_SAID


NOT_SAID = "the healed locator cannot be written in the form that stands here"


# -- roles -----------------------------------------------------------------------------------------------------------


def by_role(source: Source, literal: Literal, role: str, use: Use, wanted: Wanted, found: Found) -> None:
    """Add the edits of a call such as ``get_by_role("button", name="Sign in")``, of the role and of the name."""
    if use.call is None:
        return
    given = use.call.named.get("name")
    name = next((each for each in source.literals if given is not None and each.node == given), None)
    group = role_group(use.call, role, None if name is None else name.value, given, wanted)
    if group is None:
        return
    found.healed.add(group.locator)
    choice = chosen(group)
    new_role, new_name, more = role_and_name(choice.value) if choice.value else ("", None, False)
    trouble = choice.trouble or use.trouble
    if not trouble and (more or (new_name is None) != (given is None)):
        trouble = f"the healed role locator is of another form: {quoted(choice.value)}"
    elif not trouble and given is not None and (name is None or name.value is None):
        trouble = f"the name is no plain literal but {quoted(text_of(given))}"
    elif not trouble and use.loose and new_name and (other := also_found(group, new_name)):
        trouble = f"the call finds by a part of the name, and {quoted(new_name)} is a part of {quoted(other)}, too"
    if trouble:
        found.leave(source, literal, trouble)
        return
    found.rewrite(source, literal, new_role)
    if name is not None and new_name is not None:
        found.rewrite(source, name, new_name)


def role_group(call: Call, role: str, name: str | None, given: Node | None, wanted: Wanted) -> Group | None:
    """Return the heals of a call by role, whether they were asked by a role locator or by the call's source."""
    spellings = []
    if given is None or name is not None:
        conditions = "" if name is None else '[name="' + name.replace("\\", "\\\\").replace('"', '\\"') + '"]'
        spellings.append(("role", role + conditions))
        spellings += [("role", f"{role}{conditions[:-1]} {flag}]") for flag in "is" if conditions]
    source = text_of(call.node)
    spellings.append(("css", source[max(0, source.rfind(call.written)) :]))
    for kind, value in spellings:
        if group := spelled(kind, value, wanted):
            return group
    return None


# -- constants -------------------------------------------------------------------------------------------------------


def refer(sources: Iterable[Source], names: set[str], found: Found) -> None:
    """Add where the names of the constants are used."""
    for source in sources:
        for node in walk(source.root):
            name = text_of(node)[1:-1] if node.type in STRINGS else text_of(node) if node.child_count == 0 else ""
            if name not in names:
                continue
            whole = reference(node)
            if whole is None:
                if declares(node):
                    found.declared.add((source.path, name))
                continue
            use = use_of(whole)
            if use.place != "key":
                kind = use.kind if use.place == "locator" and not use.trouble else None
                found.names[name].append(Place(source, node.start_point.row + 1, kind, whole is not node))


def settle(wanted: Wanted, found: Found) -> None:
    """Add the edits of the constants all of whose uses are locators of one kind, or why each other one is left."""
    settled = [(constant, *new_constant(constant, wanted, found)) for constant in found.constants]
    unsure = {constant.literal.value: constant for constant, _, trouble in settled if trouble}
    for constant, new, trouble in settled:
        literal, source = constant.literal, constant.source
        other = unsure.get(literal.value)
        if other and not trouble:
            trouble = f"{other.use.name} has the same value and is left: {other.source.shown}:{other.literal.line}"
        if trouble:
            found.leave(source, literal, trouble)
        else:
            found.rewrite(source, literal, new)


def may_name(constant: Constant, place: Place, found: Found) -> bool:
    """Return whether the name of a constant means it at a place: in its own language, no other one of that name."""
    if FAMILIES[constant.source.language] != FAMILIES[place.source.language]:
        return False
    if place.source.path == constant.source.path or place.member:
        return place.member or not constant.use.member
    return not constant.use.member and (place.source.path, constant.use.name) not in found.declared


def new_constant(constant: Constant, wanted: Wanted, found: Found) -> tuple[str, str]:
    """Return what to write instead of a constant's value; or nothing, and why."""
    name, old = constant.use.name, constant.literal.value or ""
    value = old.strip()
    named = [place for place in found.names.get(name, []) if may_name(constant, place, found)]
    uses = [*found.values.get(value, []), *named]
    if other := next((place for place in uses if place.kind is None), None):
        return (
            "",
            f"{name} or its value is also used where it may not be the locator: {other.source.shown}:{other.line}",
        )
    if not uses:
        return "", f"{name} is used in no locator call that is known"
    kinds = list(dict.fromkeys(place.kind or "" for place in uses))
    groups = {kind: spelled(kind, value, wanted) for kind in kinds}
    if None in groups.values():
        said = ", ".join(read_kind(kind, value) for kind in kinds)
        healed = wanted.by_value[value][0].locator.kind
        return "", f"{name} is used as a locator of kind {said}, and the heal is of a {healed}"
    written = {new_value(group, kind, old, Use("locator", kind)) for kind, group in groups.items() if group}
    if len(written) > 1:
        return "", f"{name} is used in calls that spell the healed locator differently"
    return written.pop()


# -- what is told besides --------------------------------------------------------------------------------------------


def notes(groups: list[Group], found: Found) -> Iterator[str]:
    """Yield a line for each locator that has nothing to patch, and for each that no source uses."""
    for group in groups:
        said = f"{group.locator.kind} {quoted(group.locator.value)}"
        if "healed" not in group.decisions():
            yield f"{said}: {' and '.join(group.decisions())}, nothing to patch"
        elif group.locator not in found.healed:
            yield f"{said}: healed, but found in no source"
