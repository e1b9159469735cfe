"""Served: the model files that answer, whole and checked before they serve."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from self_heal_engine.ranking import WEIGHTED, Model, model_bytes, packaged_file, read_ranker

CHAMPION, CHALLENGER = "champion", "challenger"


@dataclass(frozen=True, slots=True)
class Served:
    """One model that serves. ``raw`` is its whole file, or None for the weighted ranker."""

    name: str
    version: str
    variant: str
    sha256: str
    source: str
    raw: bytes | None

    def named(self) -> dict[str, str]:
        """Return what an answer says of the model that gave it."""
        return {"name": self.name, "version": self.version, "variant": self.variant}

    def model(self) -> Model:
        """Return the model; it was checked, so only a bug can refuse it here."""
        return WEIGHTED if self.raw is None else read_ranker(self.raw, Path(self.source))


def served(champion: Path, challenger: Path | None, enable_inference: bool) -> tuple[Served, ...]:
    """Return the models that answer, checked, the champion first; CannotHeal if a file is no model.

    Where no champion's file is, the packaged model answers; without inference, and where none was ever promoted, the
    weighted ranker.
    """
    found = champion if champion.exists() else packaged_file()
    if not enable_inference or found is None:
        first = Served(WEIGHTED.name, version("self-heal-engine"), CHAMPION, "", "built in", None)
    else:
        first = of_file(found, CHAMPION)
    return (first,) if challenger is None else (first, of_file(challenger, CHALLENGER))


def of_file(path: Path, variant: str) -> Served:
    """Return the model of a file, checked."""
    raw = model_bytes(path)
    name, _, _ = read_ranker(raw, path).name.rpartition("-")
    sha256 = hashlib.sha256(raw).hexdigest()
    return Served(name, sha256[:8], variant, sha256, str(path), raw)


def chosen(models: Sequence[Served], unit: str, share: float) -> Served:
    """Return the model that answers a unit: the challenger for such a share of all units, always the same for one.

    Which units those are is drawn anew for every challenger, so that no session is for ever the one that tries.
    """
    champion, *challengers = models
    for challenger in challengers:
        drawn = hashlib.sha256(f"{challenger.sha256} {unit}".encode("utf-8", "surrogatepass")).digest()
        if int.from_bytes(drawn[:8], "big") < share * 2**64:
            return challenger
    return champion
