"""The same results from processes and from a Dask cluster."""

import pickle
from functools import partial

import pytest

from self_heal_engine.cases import jobs, make_cases
from self_heal_engine.errors import CannotHeal
from self_heal_engine.pairs import label, page_pairs, settle
from self_heal_engine.parallel import in_parallel
from test_pairs import SHOP
from workspace import CASES, LABEL, write_pages


def made(data, scheduler=None):
    """All the per-page work of the pipeline, from collected pages to cases."""
    write_pages(data)
    labelled = in_parallel(partial(label, data / "pages"), page_pairs(data / "pages", [SHOP]), scheduler)
    pairs = settle((pair for members in labelled for pair in members), [], LABEL)
    return [case for members in in_parallel(make_cases, jobs(data, pairs, CASES), scheduler) for case in members]


def test_results_come_in_the_order_of_the_jobs():
    assert list(in_parallel(abs, [-3, 1, -2])) == [3, 1, 2]
    assert list(in_parallel(abs, [])) == []


def test_a_dask_cluster_makes_the_same_cases_and_pages(tmp_path):
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        there = made(tmp_path / "cluster", cluster.scheduler_address)
    here = made(tmp_path / "processes")
    assert there == here
    for case in here:
        assert (tmp_path / "cluster" / case.new_page).read_bytes() == (
            tmp_path / "processes" / case.new_page
        ).read_bytes()


def test_a_scheduler_that_does_not_answer_is_named():
    with pytest.raises(CannotHeal, match="no_scheduler") as refusal:
        list(in_parallel(abs, [1], "tcp://127.0.0.1:1"))
    assert "'tcp://127.0.0.1:1'" in refusal.value.sentence


def test_a_refusal_in_a_worker_keeps_its_word_and_sentence():
    refusal = pickle.loads(pickle.dumps(CannotHeal("bad_case", "line 3 is cut off")))
    assert (str(refusal), refusal.sentence) == ("bad_case", "line 3 is cut off")
