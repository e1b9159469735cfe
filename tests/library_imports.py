"""Which modules of the library a script runs through."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "self_heal_engine"


def imported(path):
    """Return the modules of the library that a file imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        for name in names:
            package, _, module = name.partition(".")
            if package == "self_heal_engine" and (SOURCE / f"{module}.py").exists():
                found.add(module)
    return found


def modules_behind(script):
    """Return every module of the library that a script imports, through others too, as paths below the root."""
    seen, pending = set(), list(imported(script))
    while pending:
        module = pending.pop()
        if module not in seen:
            seen.add(module)
            pending += imported(SOURCE / f"{module}.py")
    return {f"src/self_heal_engine/{module}.py" for module in seen}
