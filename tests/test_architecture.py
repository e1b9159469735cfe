"""Imports go one way, and each heavy library has one door."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import self_heal_engine

SOURCE = Path(self_heal_engine.__file__).parent

# Lowest first: a module imports from lower lines only.
LAYERS = [
    [
        "errors",
        "figures",
        "locators",
        "markdown",
        "metrics",
        "generated",
        "literals",
        "redaction",
        "sequential",
        "tables",
        "words",
        "outline",
        "trees",
        "vocabulary",
        "weights",
    ],
    ["dom", "database", "locator_calls", "source_files", "goals", "validation", "files", "parallel"],
    ["access_tokens", "yaml_file"],
    ["settings"],
    ["parser", "accessibility", "neighbourhood", "paths", "similarity", "params", "sources", "packages", "operators"],
    ["accessible_names", "tokens", "reading_css", "reading_xpath", "collection", "mutations", "near_identical"],
    ["reading", "identity", "evidence", "model_card", "registry"],
    ["heal_answers", "matching", "snippets"],
    ["fingerprint", "patching", "writing"],
    ["snapshots"],
    ["page_files", "records"],
    ["storage"],
    ["ab", "session_report"],
    ["session_data"],
    ["session_html"],
    ["candidates", "similo", "breaking"],
    ["comparison", "baselines", "explaining", "elements", "dataset"],
    ["own_features", "place_features", "removals", "confirmed", "contact_sheet", "evaluation", "evaluation_report"],
    ["features", "feedback", "labels", "lost_cases"],
    ["decision", "feature_table", "pairs"],
    ["ranking", "reference"],
    ["healer", "own_pages", "contestants", "bundled", "leaderboard"],
    ["__init__", "request", "cases", "overview", "outcomes", "gates"],
    ["drift", "llm_question", "promotion", "contest", "training", "healers"],
    ["llm"],
    ["tuning", "benchmark"],
    ["service.logs", "service.models", "service.page", "service.rate", "service.schemas"],
    ["remote", "service.body", "service.healing", "service.metrics", "service.problems"],
    ["service.opinion", "service.workers"],
    ["service.state"],
    ["service.access", "service.confirming", "service.health", "service.heals", "service.recording"],
    ["service.openapi"],
    ["app"],
    ["cli_data", "cli_drift", "cli_models", "cli_patch", "cli_service", "cli_storage", "cli_tokens", "train_ranker"],
    ["cli_live"],
    ["cli"],
]
LEVELS = {module: level for level, layer in enumerate(LAYERS) for module in layer}

DOORS = {
    "turbohtml": {"parser"},
    "cssselect": {"reading_css"},
    "elementpath": {"reading_xpath"},
    "xgboost": {"ranking", "training"},
    "scipy": {"drift", "healer", "metrics"},
    "pydantic": {"validation", "settings", "service.schemas", "service.openapi"},
    "pydantic_settings": {"settings"},
    "openai": {"llm"},
    **{f"tree_sitter{of}": {"literals"} for of in ("", "_java", "_javascript", "_python", "_typescript")},
    "fastapi": {"app", "service.page", "service.access", "service.body", "service.openapi", "service.problems"},
    "uvicorn": {"cli_service"},
    "sqlalchemy": {"database", "storage", "tables"},
    "alembic": {"database"},
    "structlog": {"service.logs"},
    "redis": {"service.rate"},
    "limits": {"service.rate"},
    "prometheus_client": {"service.metrics"},
    "typer": {
        "cli",
        "cli_data",
        "cli_drift",
        "cli_live",
        "cli_models",
        "cli_patch",
        "cli_service",
        "cli_storage",
        "cli_tokens",
        "train_ranker",
    },
    "rich": {"cli"},
    "bs4": {"operators"},
    "matplotlib": {"figures"},
    "distributed": {"parallel"},
    "yaml": {"yaml_file"},
    "mlflow": {"registry"},
    "optuna": {"tuning"},
    "sklearn": {"training"},
    "pyarrow": {"feature_table", "evidence"},
}

# What only the workbench or the service needs, and what costs more than a plain heal should pay at import.
NOT_AT_IMPORT = ["mlflow", "optuna", "dvc", "fastapi", "sqlalchemy", "pandas", "xgboost", "scipy", "elementpath", "pydantic", "typer", "rich", "bs4"]  # fmt: skip


def imports(path):
    """Yield what a module imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.module == "self_heal_engine.service":
                yield from (f"self_heal_engine.service.{alias.name}" for alias in node.names)
            else:
                yield f"self_heal_engine.{node.module or ''}" if node.level else node.module


def named(path):
    """A module as LAYERS calls it; the door to a folder of modules has no line of its own."""
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts)


MODULES = sorted({*SOURCE.glob("*.py"), *SOURCE.glob("service/*.py")} - {SOURCE / "service" / "__init__.py"})


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_module_imports_from_lower_layers_only(path):
    assert named(path) in LEVELS, "a new module takes its place in LAYERS"
    for name in imports(path):
        package, _, module = name.partition(".")
        if package == "self_heal_engine":
            assert LEVELS[module or "__init__"] < LEVELS[named(path)], f"{named(path)} imports {name}"


def test_the_layers_name_no_module_that_is_gone():
    assert set(LEVELS) == set(map(named, MODULES))


@pytest.mark.parametrize("library", DOORS)
def test_a_heavy_library_has_one_door(library):
    users = {named(path) for path in MODULES if any(name.split(".")[0] == library for name in imports(path))}
    assert users == DOORS[library]


def test_importing_the_package_is_light():
    ask = f"import sys, self_heal_engine; print([name for name in {NOT_AT_IMPORT} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


# What runs other people's code, which may raise anything; the edge of the processes that heal, and that of the app.
FOREIGN = {"healers": 1, "service.healing": 1, "service.recording": 1}


def test_no_except_catches_everything():
    for path in MODULES:
        broad = 0
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ExceptHandler):
                assert node.type is not None, path
                caught = {name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)}
                assert "BaseException" not in caught, path
                broad += "Exception" in caught
        assert broad == FOREIGN.get(named(path), 0), path


def test_no_module_outgrows_its_noun():
    for path in MODULES:
        assert len(path.read_text("utf-8").splitlines()) <= 450, path
