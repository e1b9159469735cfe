"""Recent heals beside the training data: a shift is found and named, chance is not, and few heals say nothing."""

import json
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pytest
import typer
from scipy.stats import chi2
from typer.testing import CliRunner

from drift_world import reference, training, world
from self_heal_engine import cli_drift
from self_heal_engine.dataset import open_page, wanted
from self_heal_engine.drift import (
    FEWEST,
    LOST,
    MOST_PSI,
    NO_PAGE,
    NOT_BROKEN,
    NOT_TRAINED,
    OTHER_MODEL,
    UNREADABLE,
    compare,
    holm,
    observe,
)
from self_heal_engine.errors import CannotHeal
from self_heal_engine.files import write_text
from self_heal_engine.healer import heal as healed
from self_heal_engine.ranking import WEIGHTED
from self_heal_engine.reference import COLUMNS, written
from self_heal_engine.registry import client
from self_heal_engine.registry import open_store as open_registry
from self_heal_engine.request import HealRequest, as_data
from self_heal_engine.snapshots import page_snapshot, redacted_fingerprint
from self_heal_engine.storage import open_store
from stored import heal

NOW = datetime.now(UTC)
SITES = 6


def stream(data, seed, heals=300):
    """Heals as they would come if nothing had changed: sites like the training families, drawn with replacement."""
    chance, observed, taken, sites = np.random.default_rng(seed), training(data), [], []
    for number, family in enumerate(chance.choice(np.unique(observed.site), SITES)):
        own = np.flatnonzero(observed.site == family)
        taken.append(chance.choice(own, heals // SITES))
        sites += [f"s{number}"] * (heals // SITES)
    return replace(observed.taken(np.concatenate(taken)), site=np.array(sites))


def shifted(observed, **columns):
    figures = observed.figures.copy()
    for name, value in columns.items():
        at = COLUMNS.index(name)
        figures[:, at] = value(figures[:, at]) if callable(value) else value
    return replace(observed, figures=figures)


def moved(found):
    return {move.name for move in found.moved}


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """Where the sites' pages lie, once for all tests."""
    return tmp_path_factory.getbasetemp() / "drift-world"


# -- the comparison ------------------------------------------------------------------------------------------------


def test_an_unchanged_stream_raises_at_most_one_alarm_in_twenty(data):
    alarms = [moved(compare(reference(data), stream(data, seed))) for seed in range(20)]
    assert sum(map(bool, alarms)) <= 1, alarms


def test_the_same_heals_without_the_clusters_would_have_raised_alarms(data):
    """The test of the test: who counts heals where sites repeat finds differences that are none."""
    alone = [replace(found := stream(data, seed), page=np.arange(len(found)).astype(str)) for seed in range(20)]
    without = replace(
        reference(data),
        columns={
            name: replace(
                column,
                strata={key: kept._replace(spread=0.0, spread_squared=0.0) for key, kept in column.strata.items()},
            )
            for name, column in reference(data).columns.items()
        },
    )
    assert sum(any(move.p < 0.05 for move in compare(without, found).moves) for found in alone) >= 10


@pytest.mark.parametrize("seed", range(3))
def test_a_drop_of_confidence_is_found_and_nothing_else_is_named(data, seed):
    found = compare(reference(data), shifted(stream(data, seed), confidence=lambda sure: 0.3 * sure))
    assert moved(found) == {"confidence"}
    assert found.moves[0].name == "confidence"
    assert found.moves[0].psi > MOST_PSI


def test_decisions_that_turn_to_gone_are_found(data):
    found = compare(reference(data), shifted(stream(data, 1), healed=0.0))
    (move,) = found.moved
    assert move.name == "healed"
    assert dict(zip(move.bins, move.now, strict=True))["gone"] > 0.98


def test_what_is_suddenly_unknown_is_found(data):
    found = compare(reference(data), shifted(stream(data, 2), class_overlap=np.nan))
    (move,) = found.moved
    assert move.name == "class_overlap"
    assert dict(zip(move.bins, move.now, strict=True))["unknown"] > 0.98


def test_all_heals_on_one_page_are_one_observation(data):
    changed = shifted(stream(data, 3), confidence=lambda sure: 0.3 * sure)
    one_page = replace(changed, page=np.full(len(changed), "/"), site=np.full(len(changed), "s"))
    assert moved(compare(reference(data), changed)) == {"confidence"}
    assert compare(reference(data), one_page).pages == pytest.approx(1)
    assert not moved(compare(reference(data), one_page))


@pytest.mark.parametrize("many", [0, 1, FEWEST - 1])
def test_few_heals_are_not_compared_whatever_they_look_like(data, many):
    few = shifted(stream(data, 4), confidence=0.0).taken(np.arange(many))
    found = compare(reference(data), few)
    assert (found.moves, found.moved, found.heals) == ((), (), many)


@pytest.mark.parametrize("seed", range(10))
def test_small_samples_raise_no_alarm(data, seed):
    assert not moved(compare(reference(data), stream(data, seed, heals=102)))


def test_features_are_compared_among_heals_that_knew_as_much(data):
    """A team that stores fingerprints for all has other features than the training data, and no drift."""
    drawn = stream(data, 5, heals=900)
    only = drawn.taken(drawn.known == "page")
    found = compare(reference(data), only)
    assert found.mix["known"] > MOST_PSI
    assert not moved(found)


def test_heals_of_a_sort_that_the_training_data_have_not_are_left_out(data):
    drawn = stream(data, 7, heals=600)
    strange = replace(drawn, kind=np.where(drawn.known == "text", "role", drawn.kind))
    found = compare(reference(data), strange, {NO_PAGE: 1})
    assert found.left_out == {NO_PAGE: 1, NOT_TRAINED: int((drawn.known == "text").sum())}
    assert found.heals == (drawn.known != "text").sum()
    assert not moved(found)


def test_without_spread_it_is_pearsons_chi_squared_on_pages(data):
    observed = stream(data, 6)
    one = replace(observed, known=np.full(len(observed), "page"))
    known = reference(data)
    column = known.columns["confidence"]
    bare = replace(column, strata={"page": column.strata["page"]._replace(spread=0.0, spread_squared=0.0)})
    found = compare(replace(known, columns={"confidence": bare}), shifted(one, tag_same=one.figures[:, -2]))
    (move,) = found.moves
    now, was = np.array(move.now), np.array(move.reference)
    statistic = found.pages * ((now - was) ** 2 / was).sum()
    assert move.p == pytest.approx(chi2.sf(statistic, len(now) - 1), rel=1e-9)


def test_holms_correction():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


# -- from the store ------------------------------------------------------------------------------------------------

VERSION = "0" * 8


def record(case, page, known, at):
    """A heal of a case as the service stores it, and its page."""
    result = healed(page, known, WEIGHTED)
    request = HealRequest(case.original_locator, case.locator_type, case.visible_text, case.anchors, case.action)
    answer = as_data(result, request)
    return heal(
        created_at=NOW - timedelta(minutes=at), model_version=VERSION, decision=answer["decision"],
        confidence=answer["confidence"], locator_type=case.locator_type, original_locator=case.original_locator,
        visible_text=case.visible_text, anchors=case.anchors, action=case.action,
        page_url=f"https://{case.family}.example/{case.page}", test_session=case.family,
        fingerprint=redacted_fingerprint(known), candidates=answer["candidates"],
    )  # fmt: skip


@cache
def records(folder, change):
    """Heals of every second case of the world; ``change`` says what happened to the pages' HTML since."""
    made = []
    for at, case in enumerate(world(folder)[0][::2]):
        html = CHANGES[change]((folder / case.new_page).read_text())
        write_text(folder / change / case.new_page, html)
        page = open_page(folder / change, case.new_page)
        made.append((record(case, page, wanted(case, folder), at), page_snapshot(html)))
    return made


def translated(html):
    """Every text in another language, as far as any likeness can tell."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    other = letters[13:] + letters[:13]
    turned = str.maketrans(letters + letters.upper(), other + other.upper())
    parts = html.split("<")
    return "<".join(
        part.partition(">")[0] + ">" + part.partition(">")[2].translate(turned) if ">" in part else part
        for part in parts
    )


CHANGES = {
    "nothing": lambda html: html,
    "no classes": lambda html: html.replace(' class="control', ' data-c="x'),
    "translated": translated,
}


@pytest.fixture
def store(tmp_path):
    with closing(open_store(f"sqlite:///{tmp_path}/heals.db", tmp_path / "pages", 30)) as opened:
        opened.prepare()
        yield opened


def fill(store, made):
    store.save_heals([heal for heal, _ in made])
    for one, page in made:
        store.save_snapshot([one.request_id], page)


def seen(store, data):
    observed, left_out = observe(store, NOW - timedelta(days=7), VERSION)
    return compare(reference(data), observed, left_out)


def test_stored_heals_of_the_training_pages_have_not_moved(data, store):
    fill(store, records(data, "nothing"))
    found = seen(store, data)
    assert found.heals > 100
    assert not set(found.left_out) - {NOT_BROKEN}
    assert not moved(found)


def test_a_suite_whose_pages_lost_their_classes_is_found_and_named(data, store):
    fill(store, records(data, "no classes"))
    found = seen(store, data)
    assert "class_overlap" in moved(found)
    assert not any(name.startswith("text") for name in moved(found))


def test_pages_in_another_language_are_found_and_named(data, store):
    fill(store, records(data, "translated"))
    names = moved(seen(store, data))
    assert {"text_alike", "text_same", "called_alike", "confidence"} <= names
    assert "class_overlap" not in names


def test_a_heal_that_cannot_be_compared_is_counted_with_its_reason(data, store):
    (one, page), (other, other_page) = records(data, "nothing")[:2]
    first = one.candidates[0]
    made = [
        (heal(created_at=NOW, model_version="another"), page),
        (heal(created_at=NOW, model_version=VERSION, decision="unchanged"), page),
        (replace(one, candidates=[{**first, "locator": "#none", "locator_type": "css"}]), page),
        (replace(other, fingerprint="{}"), other_page),
    ]
    fill(store, made)
    store.save_heals([heal(created_at=NOW, model_version=VERSION)])  # without its page
    store.save_heals(
        [heal(created_at=NOW - timedelta(days=8), model_version=VERSION)]
    )  # before the time that is asked for
    found = seen(store, data)
    assert found.left_out == {OTHER_MODEL: 1, NOT_BROKEN: 1, NO_PAGE: 1, LOST: 1, UNREADABLE: 1}
    assert found.heals == 0


# -- the command ---------------------------------------------------------------------------------------------------


@pytest.fixture
def workshop(data, store, tmp_path, monkeypatch):
    """A folder with the reference of the model that serves, whose settings name the store."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/heals.db")
    monkeypatch.setenv("SELF_HEAL_SNAPSHOTS_DIR", str(tmp_path / "pages"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    write_text(tmp_path / "models" / "reference.json", written(reference(data)))
    return tmp_path


def run(*arguments):
    app = typer.Typer()
    app.callback()(lambda: None)
    app.add_typer(cli_drift.app)
    done = CliRunner().invoke(app, ["drift", *map(str, arguments)])
    if isinstance(done.exception, CannotHeal):
        raise done.exception
    return done.exit_code, done.output


def test_what_moved_is_said_drawn_tracked_and_the_exit_code(data, store, workshop):
    fill(store, records(data, "no classes"))
    code, said = run("--json", "drift.json", "--figure", "drift.svg", "--track")
    assert code == 1
    assert "| class_overlap | " in said
    assert said.splitlines()[-1].startswith("moved: ")
    told = json.loads((workshop / "drift.json").read_text())
    assert "class_overlap" in told["moved"]
    assert len(told["columns"]) == len(COLUMNS)
    svg = (workshop / "drift.svg").read_text()
    assert svg.startswith("<?xml")
    run("--figure", "again.svg", "--no-track")
    assert (workshop / "again.svg").read_text() == svg, "the same numbers give the same bytes"
    with client(open_registry(workshop, {})) as mlflow:
        (experiment,) = (each for each in mlflow.search_experiments() if each.name == "drift")
        (logged,) = mlflow.search_runs([experiment.experiment_id])
        assert {file.path for file in mlflow.list_artifacts(logged.info.run_id)} == {"drift.json", "drift.svg"}
    assert logged.data.metrics["psi/class_overlap"] > MOST_PSI
    assert "class_overlap" in logged.data.params["moved"]


def test_nothing_moved_is_exit_code_0(data, store, workshop):
    fill(store, records(data, "nothing"))
    code, said = run("--no-track", "--since", f"{NOW - timedelta(days=2):%Y-%m-%d}")
    assert code == 0
    assert said.splitlines()[-1] == "nothing has moved"
    assert not (workshop / "mlflow.db").exists()


def test_too_few_heals_are_said_and_exit_code_0(data, store, workshop):
    fill(store, records(data, "no classes")[:20])
    code, said = run("--json", "drift.json", "--figure", "drift.svg", "--track")
    assert code == 0
    assert "too few: at least 100" in said
    assert json.loads((workshop / "drift.json").read_text())["enough"] is False
    assert not (workshop / "drift.svg").exists()
    assert not (workshop / "mlflow.db").exists()


def test_a_reference_that_is_missing_or_none_and_a_date_that_is_none_are_refused(workshop):
    write_text(workshop / "bad.json", "{}")
    with pytest.raises(CannotHeal, match="unreadable_file"):
        run("--reference", "none.json", "--no-track")
    with pytest.raises(CannotHeal, match="bad_reference"):
        run("--reference", "bad.json", "--no-track")
    assert run("--since", "yesterday", "--no-track")[0] == 2
