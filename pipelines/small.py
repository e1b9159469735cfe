"""A small real workspace, three sources of two releases each, that tests, notebooks and examples share."""

import shutil
import subprocess
import sys
from pathlib import Path

import yaml

# Two templates as shipped, to train on; one application rendered by its own server, to test on.
ONLY = {"sb-admin": ["5.1.1", "6.0.2"], "spectre": ["0.5.0", "0.5.9"], "sqladmin": ["0.8.0", "0.16.1"]}
SPLIT = {"test": ["flask-admin"], "validation": "startbootstrap"}  # their families
COPIED = (
    "src",
    "pipelines",
    "data/sources.toml",
    "data/locks",
    "data/judgements.jsonl",
    "models/baseline.json",
    "dvc.yaml",
)

# Enough trees and trials to walk the whole way, in seconds.
QUICK = {
    "tune": {"trials": 3, "batch": 2, "folds": 2, "every": 1},
    "train": {"rounds": 40, "folds": 2},
    "decision": {"rounds": 40},
}


def main(folder: Path) -> None:
    """Bring the workspace up to date: everything but its pages is copied anew, then ``dvc repro`` makes the rest."""
    for name in COPIED:
        copy(Path(name), folder / name)
    for name in ("data/own", "data/training"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "data/training.jsonl").touch()
    params = yaml.safe_load(Path("params.yaml").read_text("utf-8"))
    params["collect"]["only"] = ONLY
    params["split"] = SPLIT
    for section, values in QUICK.items():
        params[section] |= values
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), "utf-8")
    packages = folder / ".cache/packages"  # shared with the whole project: nothing is fetched twice
    if not packages.exists():
        packages.parent.mkdir(exist_ok=True)
        Path(".cache/packages").mkdir(parents=True, exist_ok=True)
        packages.symlink_to(Path(".cache/packages").resolve())
    dvc = [sys.executable, "-m", "dvc"]
    if not (folder / ".dvc").exists():
        subprocess.run([*dvc, "init", "--quiet", "--no-scm"], cwd=folder, check=True)
        subprocess.run([*dvc, "config", "core.analytics", "false"], cwd=folder, check=True)
    subprocess.run([*dvc, "repro", "--quiet"], cwd=folder, check=True)
    cases = (folder / "data" / "cases.jsonl").read_text("utf-8").count("\n")
    print(f"{cases} cases of {len(ONLY)} sources: self-heal data sheet --data {folder}/data")


def copy(source: Path, target: Path) -> None:
    """Copy a file or a folder, in place of what was there."""
    if source.is_dir():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
