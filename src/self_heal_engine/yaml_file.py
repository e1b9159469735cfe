"""read_yaml(path, word): a YAML file that people write as plain data; whatever is wrong with it is one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from self_heal_engine.errors import CannotHeal, printable, quoted
from self_heal_engine.files import read_text

# Files that people write have some hundred lines; PyYAML reads a megabyte in seconds.
MOST_CHARACTERS = 200_000


def read_yaml(path: Path, word: str) -> Any:
    """Return what the file holds, None if it is empty; CannotHeal ``word`` says what is wrong and where.

    Unlike plain PyYAML, a key that stands twice is refused: the first of the two would be lost unseen.
    """
    try:
        text = read_text(path)
    except CannotHeal as refusal:
        raise CannotHeal(word, refusal.sentence) from refusal
    if len(text) > MOST_CHARACTERS:
        raise CannotHeal(word, f"{quoted(path)} has {len(text)} characters; at most {MOST_CHARACTERS} are read")
    try:
        return yaml.load(text, OnceEach)  # noqa: S506 - it is a SafeLoader
    except RecursionError as error:
        raise CannotHeal(word, f"{quoted(path)} is nested too deeply") from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2025-99-99, a number of 5,000 digits
        why = printable(" ".join(str(error).split()))[:300]
        raise CannotHeal(word, f"{quoted(path)} is not YAML: {why}") from error


class OnceEach(yaml.SafeLoader):
    """Plain values only, and every key once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return a mapping, or raise a YAMLError that shows the key that stands twice."""
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"{quoted(key.value)} stands twice", key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)
