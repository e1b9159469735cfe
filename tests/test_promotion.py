"""What serves changes only by a promotion that passed its gates, whole, and can be undone."""

import json
import subprocess
from dataclasses import replace

import pytest

from model_files import made, write_candidate, write_data, write_model
from self_heal_engine import registry
from self_heal_engine.errors import CannotHeal
from self_heal_engine.evidence import read_evidence, write_evidence
from self_heal_engine.files import write_json
from self_heal_engine.parser import parse_html
from self_heal_engine.promotion import Asked, Workshop, commit_of, paired, promote, rollback
from self_heal_engine.registry import CARD, EVIDENCE, RANKER
from test_dataset import CASE
from test_gates import ASKED, CASES, MASKED, NATURAL
from workspace import NEW, OLD, write_pages

PAGES = {"old_page": "pages/shop/1.0/orders.html", "new_page": "pages/shop/2.0/orders.html"}
OLD_ROW, NEW_ROW = (int(parse_html(html).css("#go")[0]) for html in (OLD, NEW))
ON_DISK = [replace(case, **PAGES, old_row=OLD_ROW, new_row=None if case.new_row is None else NEW_ROW) for case in CASES]
WANTED = Asked(replace(ASKED, most_p95_ms=10_000.0), test=("tested",))
FILES = (CARD, EVIDENCE, RANKER)


@pytest.fixture
def shop(tmp_path):
    """A clone with data, the committed champion and a better candidate, and no registry yet."""
    write_pages(tmp_path / "data")
    write_data(tmp_path / "data", ON_DISK)
    write_candidate(tmp_path / "models", ON_DISK, seed=1, name="ranker", wrong=MASKED[::4])
    (tmp_path / "models" / CARD).write_text("# The committed champion\n")
    write_candidate(tmp_path / "models", ON_DISK, seed=2, wrong=MASKED[::20])
    store = registry.open_store(tmp_path, env={})
    return Workshop(tmp_path / "models", tmp_path / "data", tmp_path / "metrics.json", store)


def serving(shop):
    """Return the files that serve, by name."""
    return {name: (shop.models / name).read_bytes() for name in FILES if (shop.models / name).exists()}


def aliases(shop):
    return {name: version.number for version in registry.versions(shop.store) for name in version.aliases}


def test_a_fresh_clone_promotes_and_rolls_back_to_the_very_bytes(shop):
    before = serving(shop)
    candidate = (shop.models / "candidate.json").read_bytes()

    said = promote(shop, WANTED, {})
    assert "champion now, version 2" in said.said
    assert all(verdict.passed for verdict in said.verdicts)
    assert aliases(shop) == {"previous": 1, "champion": 2}
    after = serving(shop)
    assert after[RANKER] == candidate
    assert after[EVIDENCE] == (shop.models / "candidate.oof.parquet").read_bytes()
    assert b"| natural | passed | hit@1 on natural cases 1.0000" in after[CARD]
    assert b"| commit at promotion | `unknown` |" in after[CARD]

    assert "champion already; nothing was moved" in promote(shop, WANTED, {}).said
    assert (len(registry.versions(shop.store)), serving(shop)) == (2, after)

    rollback(shop.models, shop.store)
    assert serving(shop) == before
    assert aliases(shop) == {"champion": 1, "previous": 2}
    rollback(shop.models, shop.store)
    assert serving(shop) == after, "the two changed places"

    registry.export(shop.store, "previous", shop.models / "old.json")
    assert (shop.models / "old.json").read_bytes() == before[RANKER]


def test_a_candidate_poisoned_on_natural_cases_is_refused_with_the_numbers_and_nothing_moves(shop):
    write_candidate(shop.models, ON_DISK, seed=3, wrong=NATURAL[::8])
    before = serving(shop)
    with pytest.raises(CannotHeal, match="gate_refused") as refusal:
        promote(shop, WANTED, {})
    assert refusal.value.sentence.startswith("gate natural: hit@1 on natural cases 0.8750")
    assert "10 lost" in refusal.value.sentence
    assert "gate headline" not in refusal.value.sentence
    assert (serving(shop), aliases(shop)) == (before, {"champion": 1})
    (refused,) = (version for version in registry.versions(shop.store) if version.number == 2)
    assert refused.tags["gate.natural"].startswith("failed: ")

    with pytest.raises(CannotHeal, match="gate_refused"):
        promote(shop, WANTED, {"headline": "the wrong gate"})
    assert serving(shop) == before

    promote(shop, WANTED, {"natural": "a test | of overriding"})
    assert aliases(shop) == {"previous": 1, "champion": 2}
    card = serving(shop)[CARD].decode()
    assert "| natural | overridden |" in card
    assert "The gate `natural` was overridden: a test \\| of overriding" in card
    (version,) = (version for version in registry.versions(shop.store) if version.number == 2)
    assert version.tags["override.natural"] == "a test | of overriding"


def test_a_dry_run_asks_the_gates_and_leaves_nothing_behind(shop, tmp_path):
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert "dry run" in promote(shop, WANTED, {}, dry_run=True).said
    write = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert write == before
    with pytest.raises(CannotHeal, match="gate_refused"):
        promote(shop, replace(WANTED, gates=replace(WANTED.gates, most_p95_ms=0.0)), {}, dry_run=True)


def test_without_any_champion_the_weighted_ranker_is_to_be_beaten_and_there_is_no_way_back(shop):
    for name in FILES:
        (shop.models / name).unlink()
    with pytest.raises(CannotHeal, match="gate_refused") as refusal:
        promote(shop, WANTED, {})
    assert "gate headline: headline 0.9750" in refusal.value.sentence
    assert "the weighted ranker 1.0000" in refusal.value.sentence
    promote(shop, WANTED, {"headline": "the first one"})
    assert aliases(shop) == {"champion": 1}
    with pytest.raises(CannotHeal, match="no_previous"):
        rollback(shop.models, shop.store)
    assert set(serving(shop)) == set(FILES)


def test_a_champion_that_stands_alone_in_git_is_tried_now_and_comes_back_alone(shop):
    for name in (CARD, EVIDENCE):
        (shop.models / name).unlink()
    before = serving(shop)
    said = promote(shop, WANTED, {})
    (headline,) = (verdict.sentence for verdict in said.verdicts if verdict.gate == "headline")
    assert "headline 0.9750" in headline
    assert "the champion 0." in headline
    assert set(serving(shop)) == set(FILES)
    rollback(shop.models, shop.store)
    assert serving(shop) == before


def test_a_model_of_another_schema_is_neither_promoted_nor_rolled_back_to(shop):
    promote(shop, WANTED, {})
    before = serving(shop)
    other = json.loads(before[RANKER])
    other["learner"]["attributes"]["schema"] = "0"
    write_json(shop.models / "candidate.json", other)
    write_evidence(made(ON_DISK), shop.models / "candidate.json", shop.models / "candidate.oof.parquet")
    with pytest.raises(CannotHeal, match="gate_refused") as refusal:
        promote(shop, WANTED, {"time": "an attempt"})
    assert "gate schema: the model" in refusal.value.sentence
    registry.set_alias(shop.store, "previous", registry.register(shop.store, shop.models / "candidate.json", [], {}))
    with pytest.raises(CannotHeal, match="model_schema"):
        rollback(shop.models, shop.store)
    assert (serving(shop), aliases(shop)) == (before, {"champion": 2, "previous": 3})


def test_a_promotion_that_was_interrupted_is_finished_by_the_next(shop, monkeypatch):
    def crash(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("self_heal_engine.promotion.move_aliases", crash)
        with pytest.raises(KeyboardInterrupt):
            promote(shop, WANTED, {})
    assert aliases(shop) == {"champion": 1}
    promote(shop, WANTED, {})
    assert aliases(shop) == {"previous": 1, "champion": 2}
    assert serving(shop)[RANKER] == (shop.models / "candidate.json").read_bytes()


def test_when_the_registry_has_another_champion_than_serves_here_nothing_is_promoted(shop):
    registry.set_alias(
        shop.store, "champion", registry.register(shop.store, write_model(shop.models / "x.json", 7), [], {})
    )
    with pytest.raises(CannotHeal, match="stale_champion") as refusal:
        promote(shop, WANTED, {})
    assert "version 1" in refusal.value.sentence


def test_evidence_of_another_model_is_none(shop):
    write_model(shop.models / "candidate.json", seed=9)
    with pytest.raises(CannotHeal, match="no_evidence") as refusal:
        promote(shop, WANTED, {})
    assert "speaks for the model" in refusal.value.sentence
    (shop.models / "candidate.oof.parquet").write_bytes(b"not parquet")
    with pytest.raises(CannotHeal, match="no_evidence"):
        promote(shop, WANTED, {})


def test_evidence_comes_back_as_it_was_and_gives_the_same_bytes(tmp_path):
    ranker, table = write_model(tmp_path / "m.json"), made([CASE, replace(CASE, id="b", new_row=None)])
    for name in ("one", "other"):
        write_evidence(table, ranker, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    assert read_evidence(tmp_path / "one", ranker).equals(table)


def test_an_evaluation_of_another_model_does_not_get_into_the_card(shop):
    write_json(shop.metrics, {"model_sha256": "0" * 64})
    before = serving(shop)
    with pytest.raises(CannotHeal, match="stale_report"):
        promote(shop, WANTED, {})
    assert (serving(shop), aliases(shop)) == (before, {"champion": 1})


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        ({"speed": "it is fine"}, "'speed' is no gate"),
        ({"natural": "  "}, "without a reason"),
        ({"schema": "trust me"}, "cannot be overridden"),
    ],
)
def test_an_override_that_says_nothing_is_refused_before_anything_is_done(shop, overrides, named):
    with pytest.raises(CannotHeal, match="bad_override") as refusal:
        promote(shop, WANTED, overrides)
    assert named in refusal.value.sentence
    assert registry.versions(shop.store) == []


def test_the_card_says_which_commit_is_checked_out_and_that_it_was_changed(tmp_path):
    def git(*words):
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=tmp_path, check=True, capture_output=True
        )

    git("init")
    (tmp_path / "file").write_text("one")
    git("add", "file")
    git("commit", "-m", "one")
    commit = commit_of(tmp_path)
    assert len(commit) == 40
    (tmp_path / "file").write_text("other")
    assert commit_of(tmp_path) == f"{commit}-dirty"


def test_each_override_has_its_own_reason():
    assert paired(["natural", "time"], ["a", "b"]) == {"natural": "a", "time": "b"}
    for given, reasons in ((["natural"], []), ([], ["a"]), (["time", "time"], ["a", "b"])):
        with pytest.raises(CannotHeal, match="bad_override"):
            paired(given, reasons)
