"""Lock what each PyPI release installs, with hashes and without addresses; a lock that is there stays as it is."""

import subprocess
import tempfile
from pathlib import Path

from self_heal_engine.packages import uv
from self_heal_engine.sources import Release, Source, read_sources

LOCKS = Path("data/locks")


def main() -> None:
    """Write the locks that are missing."""
    for source in read_sources(Path("data/sources.toml")):
        for release in source.release:
            path = LOCKS / f"{source.lock_of(release)}.txt"
            if source.registry == "pypi" and not path.exists():
                lock(source, release, path)


def lock(source: Source, release: Release, path: Path) -> None:
    """Write one lock."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as overrides:
        overrides.write("\n".join(release.overrides))
        overrides.flush()
        asked = ["--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"]
        options = ["--python-version", "3.11", "--override", overrides.name, "--quiet", "-o", str(path)]
        wanted = "\n".join(release.requires)
        subprocess.run([uv(), "pip", "compile", "-", *asked, *options], input=wanted, text=True, check=True)
    print(f"{source.name} {release.version}: {path}")


if __name__ == "__main__":
    main()
