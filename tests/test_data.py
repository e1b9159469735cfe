"""The data that was made and locked: large, varied and honest enough, by its committed summary."""

import json
import re
from dataclasses import fields

import yaml

from library_imports import ROOT
from self_heal_engine.dataset import DIFFICULTIES, KNOWLEDGE, SPLITS, Case, read_records
from self_heal_engine.locators import KINDS
from self_heal_engine.overview import NEAR_IDENTICAL
from self_heal_engine.pairs import Judgement
from self_heal_engine.params import read_params
from self_heal_engine.sources import read_sources

SUMMARY = json.loads((ROOT / "reports" / "data" / "summary.json").read_text("utf-8"))
SPLIT = read_params(ROOT / "params.yaml").split
SOURCES = [source for source in read_sources(ROOT / "data" / "sources.toml") if not source.browser]

# What the rules are allowed to get wrong, by eye.
MOST_WRONG = 0.02


def test_it_is_large_enough():
    assert SUMMARY["pairs"] >= 4_000
    assert SUMMARY["cases"] >= 20_000
    assert SUMMARY["sources"] >= 25
    assert SUMMARY["families"] >= 15
    assert len(SUMMARY["families_by_split"]["test"]) >= 5
    assert SUMMARY["gone_share"] >= 0.15


def test_no_source_dominates_the_training_split():
    assert max(SUMMARY["largest_training_share"].values()) <= 0.15


def test_every_kind_difficulty_and_level_of_knowledge_is_there():
    assert set(SUMMARY["by_kind"]) == set(KINDS)
    assert set(SUMMARY["by_difficulty"]) == set(DIFFICULTIES)
    assert set(SUMMARY["by_knowledge"]) == set(KNOWLEDGE)
    assert set(SUMMARY["by_failure"]) == {"gone", "wrong_element"}


def test_every_source_of_the_table_gave_pairs():
    assert set(SUMMARY["by_source"]) == {source.name for source in SOURCES}
    assert all(row["pairs"] for row in SUMMARY["by_source"].values())


def test_a_family_stands_on_one_side_and_so_does_every_page():
    sides = SUMMARY["families_by_split"]
    assert set(sides["test"]) == set(SPLIT.test)
    assert sides["validation"] == [SPLIT.validation]
    families = [name for side in SPLITS for name in sides[side]]
    assert len(set(families)) == len(families) == SUMMARY["families"]
    assert SUMMARY["closest_across_sides"]["likeness"] < NEAR_IDENTICAL


def test_one_package_is_of_one_family():
    families = {}
    for source in SOURCES:
        assert families.setdefault(source.package, source.family) == source.family
        assert source.licence


def test_a_lock_pins_what_its_release_requires():
    for source in SOURCES:
        for release in source.release if source.registry == "pypi" else ():
            lock = (ROOT / "data" / "locks" / f"{source.lock_of(release)}.txt").read_text("utf-8").lower()
            for requirement in (asked.lower() for asked in release.requires if "==" in asked):
                name, _, version = re.sub(r"\[.*?\]", "", requirement).partition("==")
                assert re.search(
                    rf"^{re.escape(name.replace('_', '-'))}=={re.escape(version)}\b", lock, re.MULTILINE
                ), (source.name, requirement)
            assert "--hash=sha256:" in lock
            assert "://" not in lock


def test_enough_labels_were_looked_at_and_no_rule_is_wrong_too_often():
    judgements = list(read_records(ROOT / "data" / "judgements.jsonl", Judgement, "bad_judgement"))
    assert len({judgement.pair for judgement in judgements}) == len(judgements) >= 200
    assert {judgement.difficulty for judgement in judgements} == set(DIFFICULTIES)
    rules = [rule for rule in SUMMARY["pairs_by_rule"] if rule != "R0"]
    for rule in rules:
        found = SUMMARY["audited"][rule]
        assert sum(found.values()) >= 25, rule
        assert found.get("wrong", 0) <= MOST_WRONG * sum(found.values()), rule
    assert SUMMARY["audited"]["R0"]["right"] >= 20, "mended since: data/RUBRIC.md says what of this it still makes"
    rubric = (ROOT / "data" / "RUBRIC.md").read_text("utf-8")
    for rule in SUMMARY["pairs_by_rule"]:
        assert f"| {rule} |" in rubric, rule


def test_the_documented_stages_and_their_parameters_are_those_of_the_pipeline():
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"]
    data, models = ((ROOT / "docs" / name).read_text("utf-8") for name in ("data.md", "models.md"))
    rows = re.findall(r"^\| `(\w+)` \| .* \| ((?:`\w+`(?:, )?)+) \|$", data, re.MULTILINE)
    rows += re.findall(r"^\| `(\w+)` \| .* \|((?: `\w+`,?)*) \| `(?:data|models|reports)/", models, re.MULTILINE)
    documented = {name: re.findall(r"`(\w+)`", params) for name, params in rows if name in stages}
    assert documented == {name: stage.get("params", []) for name, stage in stages.items()}


def test_every_field_of_a_case_is_documented():
    documented = (ROOT / "docs" / "data.md").read_text("utf-8")
    for field in fields(Case):
        assert f"`{field.name}`" in documented, field.name
