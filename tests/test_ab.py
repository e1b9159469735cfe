"""Champion beside challenger on real traffic: what is counted, what is tested, and that certainty is not faked."""

import json
import random
import statistics
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import exp, log
from pathlib import Path

import pytest
from typer.testing import CliRunner

from self_heal_engine import ab, cli_live, registry
from self_heal_engine.ab import as_data, report, still_needed, stored_heals, told
from self_heal_engine.errors import CannotHeal
from self_heal_engine.records import Heard, Verdict
from self_heal_engine.sequential import grown
from self_heal_engine.storage import open_store
from stored import heal

START = datetime(2026, 11, 24, 10, tzinfo=UTC)
FIRST, SECOND, NONE, GONE = Verdict(0, False), Verdict(1, False), Verdict(None, False), Verdict(None, True)
SERVING = {"champion": "ranker-1", "challenger": "ranker-2"}
VERSIONS = {"champion": "1", "challenger": "2"}


@pytest.fixture
def store(tmp_path):
    with closing(open_store(f"sqlite:///{tmp_path}/heals.db", tmp_path / "pages", 30)) as opened:
        yield opened


def one(variant, verdict=FIRST, session="s", at=0.0, confirmed=None, **changes):
    """A heal of a variant, asked so many minutes after the start, and confirmed then or later."""
    usual = {"variant": variant, "model_version": VERSIONS[variant], "test_session": session}
    record = heal(**usual | {"created_at": START + timedelta(minutes=at)} | changes)
    said_at = START + timedelta(minutes=at if confirmed is None else confirmed)
    return Heard(record, verdict, None if verdict is None else said_at)


def traffic(chance, rates, sessions, heals=1):
    """Sessions of both variants in turn, each right or wrong as a whole: of all its heals the same is said."""
    return [
        one(variant, verdict, f"{variant}{at}", at + heal / 100)
        for at in range(sessions)
        for variant, rate in rates.items()
        for verdict in [FIRST if chance.random() < rate else SECOND]
        for heal in range(heals)
    ]


def saved(store, heals):
    """The same heals, read back from a store."""
    store.save_heals([each.heal for each in heals])
    for each in heals:
        if each.verdict is not None:
            store.confirm(each.heal.request_id, each.verdict, {})
    return stored_heals(store, None)


def rates(champion, challenger):
    return {"champion": champion, "challenger": challenger}


def verdict_of(heals, alpha=0.05):
    return report(heals, SERVING, 0.5, alpha).verdict


# -- the verdict -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("true_rates", "verdict"),
    [
        (rates(0.9, 0.9), "not decided yet"),
        (rates(0.6, 0.95), "challenger better"),
        (rates(0.95, 0.6), "champion better"),
    ],
)
def test_a_store_is_judged(store, true_rates, verdict):
    found = report(saved(store, traffic(random.Random(4), true_rates, 120)), SERVING, 0.5, 0.05)
    assert found.verdict == verdict
    assert [side.confirmations for side in found.variants.values()] == [120, 120]
    assert told(found).splitlines()[-1].startswith(f"{verdict}: ")


def test_sessions_of_many_heals_do_not_fake_certainty():
    """The heals of one page go right or wrong together: they are one outcome, not twelve."""
    runs, faked, cheated = 60, 0, 0
    for seed in range(runs):
        heals = traffic(random.Random(seed), rates(0.8, 0.8), 30, heals=12)
        faked += verdict_of(heals) != "not decided yet"
        apart = [Heard(replace(each.heal, test_session=None), each.verdict, each.confirmed_at) for each in heals]
        cheated += verdict_of(apart) != "not decided yet"
    assert faked / runs <= 0.05
    assert cheated / runs > 0.3, "without the rule, equal variants are called different"


def test_equal_variants_are_called_different_in_at_most_five_of_a_hundred_by_either_test():
    runs = 200
    wrong = sum(
        verdict_of(traffic(random.Random(seed), rates(0.85, 0.85), 150)) != "not decided yet" for seed in range(runs)
    )
    assert wrong / runs <= 0.05


def test_a_challenger_that_only_answers_the_easy_ones_is_not_praised_without_a_word():
    heals = traffic(random.Random(1), rates(0.6, 0.97), 120)
    silent = [one("challenger", None, f"silent{at}", at, decision="gone") for at in range(60)]
    found = report([*heals, *silent], SERVING, 0.5, 0.05)
    assert found.verdict == "challenger better"
    assert "mind that the challenger says gone in 33.3 % of its heals, the champion in 0.0 %" in found.why


def test_what_contradicts_is_not_decided():
    tests = report([], SERVING, 0.5, 0.05).tests
    torn = {
        "acceptance": replace(tests["acceptance"], better="challenger"),
        "false_heals": replace(tests["false_heals"], better="champion"),
    }
    verdict, why = ab.judged(report(traffic(random.Random(1), rates(0.5, 0.5), 3), None, 0.5, 0.05).variants, torn)
    assert verdict == "not decided yet"
    assert "the challenger in acceptance" in why
    assert "the champion in false heals" in why


@pytest.mark.parametrize(
    ("heals", "why"),
    [
        ([], "no heal of the champion and none of the challenger"),
        ([one("champion")], "no heal of the challenger"),
        ([one("champion"), one("challenger", None)], "no confirmed session of both yet"),
    ],
)
def test_of_nothing_nothing_is_said(heals, why):
    found = report(heals, SERVING, 0.5, 0.05)
    assert found.verdict == "not decided yet"
    assert why in found.why
    json.dumps(as_data(found), allow_nan=False)


# -- what is counted -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("decision", "verdict", "accepted", "false"),
    [
        ("healed", FIRST, True, False),
        ("healed", SECOND, False, True),
        ("healed", NONE, False, True),
        ("healed", GONE, False, True),
        ("unchanged", FIRST, True, None),
        ("unchanged", GONE, False, None),
        ("gone", FIRST, None, None),
        ("gone", GONE, None, None),
        ("healed", None, None, None),
    ],
)
def test_an_outcome_is(decision, verdict, accepted, false):
    heard = one("champion", verdict, decision=decision)
    assert (ab.accepted(heard), ab.false_heal(heard)) == (accepted, false)


def test_all_heals_enter_the_rates_and_one_of_each_session_the_test():
    heals = [
        one("champion", FIRST, "a", 1), one("champion", SECOND, "a", 2), one("champion", SECOND, "a", 3),
        one("champion", None, "b", 4, decision="gone"), one("champion", SECOND, None, 5),
        one("champion", FIRST, None, 6), one("challenger", None, "c", 0), one("challenger", FIRST, "c", 7),
    ]  # fmt: skip
    found = report(heals, SERVING, 0.5, 0.05)
    side = found.variants["champion"]
    assert (side.heals, side.confirmations, side.abstention) == (6, 5, 1 / 6)
    assert (side.acceptance.value, side.acceptance.n) == (2 / 5, 5)
    assert (side.acceptance.session_value, side.acceptance.sessions) == (2 / 3, 3)
    assert side.acceptance.low < 2 / 3 < side.acceptance.high
    assert found.tests["acceptance"].outcomes == {"champion": 3, "challenger": 1}
    said = told(found)
    assert "| acceptance | 40.0 %, n 5 | 100.0 %, n 1 |" in said
    assert "n 3 |" in next(line for line in said.splitlines() if line.startswith("| acceptance, a session"))


def test_the_first_confirmed_counts_whatever_is_said_of_its_session_later():
    early, late = one("champion", FIRST, "a", at=9, confirmed=10), one("champion", SECOND, "a", at=1, confirmed=20)
    other = one("champion", SECOND, "b", at=2, confirmed=5)
    assert ab.first_of_session([late, other, early], ab.accepted) == [False, True]
    assert ab.first_of_session([other, early], ab.accepted) == [False, True]


def test_only_models_that_serve_now_are_counted_unless_all_are():
    old = one("challenger", SECOND, "old", model_version="0")
    heals = [one("champion", session="a"), one("challenger", session="b"), old]
    now, ever = (report(heals, serving, 0.5, 0.05) for serving in (SERVING, None))
    assert (now.variants["challenger"].heals, now.left_out) == (1, 1)
    assert (ever.variants["challenger"].heals, ever.left_out) == (2, 0)
    assert ever.variants["challenger"].models == ("ranker-0", "ranker-2")
    assert "1 heals of models that do not serve now are left out" in told(now)


def test_a_champion_alone_is_not_tested_against_who_came_later():
    before = [one("champion", SECOND, f"before{at}", at) for at in range(200)]
    beside = [one(variant, FIRST, f"{variant}{at}", 1_000 + at) for at in range(20) for variant in SERVING]
    found = report([*before, *beside], SERVING, 0.5, 0.05)
    assert found.both_since == START + timedelta(minutes=1_000)
    assert found.tests["acceptance"].outcomes == {"champion": 20, "challenger": 20}
    assert found.verdict == "not decided yet"
    assert found.variants["champion"].acceptance.n == 220


def test_heals_are_read_from_a_day_on_and_never_only_the_newest(store, monkeypatch):
    saved(store, [one("champion", None, at=at) for at in range(5)])
    assert len(stored_heals(store, START + timedelta(minutes=2))) == 3
    monkeypatch.setattr(ab, "MOST_HEALS", 4)
    with pytest.raises(CannotHeal, match="too_many_heals") as refusal:
        stored_heals(store, None)
    assert "--since" in refusal.value.sentence


# -- how long it still takes -----------------------------------------------------------------------------------------


def test_how_long_it_still_takes_is_right_in_the_middle_and_not_said_without_evidence():
    alpha, found = 0.025, []
    for seed in range(60):
        chance = random.Random(seed)
        streams = [[chance.random() < rate for _ in range(1_000)] for rate in (0.7, 0.9)]
        growth = list(grown(*streams, 0.5))
        end = next(at for at, now in enumerate(growth) if now >= log(1 / alpha))
        said = next((at for at, now in enumerate(growth[:end]) if now >= log(ab.TELLING)), None)
        if said is not None:
            seen = tuple(ab.mean(stream[: said + 1]) for stream in streams)
            found.append(2 * (end - said) / still_needed(exp(growth[said]), seen, 0.5, alpha))
    assert len(found) > 50
    assert 0.5 < statistics.median(found) < 2
    assert still_needed(1.5, (0.7, 0.9), 0.5, alpha) is None
    assert still_needed(5, (0.8, 0.8), 0.5, alpha) is None


# -- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/heals.db")
    return tmp_path


def run(*args):
    result = CliRunner().invoke(cli_live.app, ["ab", "report", *map(str, args)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_command_prints_the_report_writes_it_and_logs_it(folder, store):
    saved(store, traffic(random.Random(2), rates(0.5, 0.97), 60))
    said = run("--all-versions", "--json", "ab.json")
    assert "challenger better: decided by" in said
    data = json.loads(Path("ab.json").read_text("utf-8"))
    assert data["verdict"] == "challenger better"
    assert data["variants"]["champion"]["heals"] == 60
    with registry.client(registry.open_store(folder)) as mlflow:
        (logged,) = mlflow.search_runs([mlflow.get_experiment_by_name("ab").experiment_id])
    assert logged.data.params["verdict"] == "challenger better"
    assert logged.data.metrics["variants/challenger/acceptance/value"] > 0.9
    assert logged.info.run_id in said


def test_where_no_challenger_serves_and_no_workbench_is_installed_it_says_so(folder, monkeypatch):
    find_spec = cli_live.find_spec
    monkeypatch.setattr(cli_live, "find_spec", lambda name: None if name == "mlflow" else find_spec(name))
    said = run("--since", "2026-11-24")
    assert "Not logged: mlflow is not installed" in said
    assert "No challenger serves now" in said
    assert not Path("mlflow.db").exists()


def test_evidence_beyond_all_numbers_is_still_json():
    heals = [one(variant, verdict, f"{variant}{at}", at) for at in range(1_200)
             for variant, verdict in (("champion", SECOND), ("challenger", FIRST))]  # fmt: skip
    found = report(heals, SERVING, 0.5, 0.05)
    json.dumps(as_data(found), allow_nan=False)
    assert found.tests["acceptance"].evidence > 1e300


def test_a_date_that_is_none_is_quoted(folder):
    with pytest.raises(CannotHeal, match="bad_date") as refusal:
        run("--since", "yesterday")
    assert "'yesterday'" in refusal.value.sentence
