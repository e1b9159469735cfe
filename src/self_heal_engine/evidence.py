"""The evidence for a model: what it did with cases of families that it was not trained on, a table beside its file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.files import sha256, write_bytes

# Whose evidence a table is, among the attributes of the file.
OF = "model_sha256"


def write_evidence(table: pd.DataFrame, ranker: Path, path: Path) -> None:
    """Write an outcome table as Parquet, whole or not at all, with the hash of the model file that it speaks for."""
    marked = table.reset_index(drop=True)
    marked.attrs = {OF: sha256(ranker.read_bytes())}
    write_bytes(path, marked.to_parquet(index=False, compression="zstd"))


def read_evidence(path: Path, ranker: Path) -> pd.DataFrame:
    """Return a model's table; CannotHeal ``no_evidence`` if it is missing, damaged, or speaks for another model."""
    import pyarrow

    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise CannotHeal(
            "no_evidence", f"the evidence {quoted(path)} cannot be read, and `dvc repro train` writes it anew: {error}"
        ) from error
    of, content = str(table.attrs.get(OF)), sha256(ranker.read_bytes())
    if of != content:
        raise CannotHeal(
            "no_evidence",
            f"the evidence {quoted(path)} speaks for the model {of[:8]}, but {quoted(ranker)} is {content[:8]}: "
            "`dvc repro train` writes both",
        )
    return table
