"""Served: the model files that answer, whole and checked before they serve."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from self_heal_engine.ranking import WEIGHTED, Model, model_bytes, packaged_file, read_ranker

CHAMPION = "champion"


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


def served(path: Path, enable_inference: bool, variant: str = CHAMPION) -> Served:
    """Return the model of a file, checked; the packaged one where no file is; CannotHeal if the file is no model.

    Without inference, and where no model was ever promoted, the weighted ranker answers.
    """
    found = path if path.exists() else packaged_file()
    if not enable_inference or found is None:
        return Served(WEIGHTED.name, version("self-heal-engine"), variant, "", "built in", None)
    raw = model_bytes(found)
    name, _, _ = read_ranker(raw, found).name.rpartition("-")
    sha256 = hashlib.sha256(raw).hexdigest()
    return Served(name, sha256[:8], variant, sha256, str(found), raw)
