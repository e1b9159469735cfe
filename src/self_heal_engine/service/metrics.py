"""Metrics: what Prometheus is told."""

from __future__ import annotations

import os
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
    multiprocess,
)

CONTENT_TYPE = CONTENT_TYPE_LATEST

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 3, 5)
SHARES = tuple(at / 10 for at in range(1, 11))


disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series of each would tell when it began


class Metrics:
    """Every metric of the service, by name."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        here = self.registry
        self.requests = Counter(
            "self_heal_requests", "Requests answered.", ["route", "method", "status"], registry=here
        )
        self.seconds = Histogram(
            "self_heal_request_seconds", "Time to an answer.", ["route"], buckets=SECONDS, registry=here
        )
        self.problems = Counter(
            "self_heal_problems", "Requests refused, by the fixed word.", ["problem"], registry=here
        )
        self.heals = Counter(
            "self_heal_heals", "Locators answered, by decision.", ["decision", "model", "variant"], registry=here
        )
        self.top_score = Histogram(
            "self_heal_top_score", "Score of the first candidate.", ["variant"], buckets=SHARES, registry=here
        )
        self.confidence = Histogram(
            "self_heal_confidence", "Confidence in the first candidate.", ["variant"], buckets=SHARES, registry=here
        )
        self.confirmations = Counter(
            "self_heal_confirmations", "Confirmations recorded.", ["verdict", "decision", "variant"], registry=here
        )
        self.unconfirmable = Counter(
            "self_heal_unconfirmable", "Heals answered that storage did not take in time.", registry=here
        )
        self.snapshots_lost = Counter("self_heal_snapshots_lost", "Pages of heals that were not stored.", registry=here)
        self.workers_lost = Counter(
            "self_heal_workers_lost", "Healing processes that ended, and why.", ["why"], registry=here
        )
        self.workers = Gauge("self_heal_workers", "Healing processes.", multiprocess_mode="livesum", registry=here)
        self.waiting = Gauge(
            "self_heal_waiting", "Requests that wait for a healing process.", multiprocess_mode="livesum", registry=here
        )
        self.reloads = Counter("self_heal_model_reloads", "Reloads of the model.", ["outcome"], registry=here)
        self.rate_limit_alone = Counter(
            "self_heal_rate_limit_unshared", "Requests counted by this process alone, as Redis did not answer.",
            registry=here,
        )  # fmt: skip
        self.llm = Counter(
            "self_heal_llm", "Second opinions asked of a language model, and what came of them.",
            ["provider", "outcome"], registry=here,
        )  # fmt: skip
        self.llm_seconds = Histogram(
            "self_heal_llm_seconds", "Time to a second opinion.", buckets=SECONDS, registry=here
        )
        self.model = Gauge(
            "self_heal_model", "Whether a model serves; 0 once another does.", ["name", "version", "variant"],
            multiprocess_mode="livemax", registry=here,
        )  # fmt: skip

    def exposition(self) -> bytes:
        """Return everything in Prometheus' text format; of all processes, where several answer as one."""
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            forget_the_dead(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]))
            every = CollectorRegistry()
            multiprocess.MultiProcessCollector(every)  # type: ignore[no-untyped-call]
            return generate_latest(every)
        return generate_latest(self.registry)


def forget_the_dead(folder: Path) -> None:
    """Remove what processes that are gone said of themselves; what they counted stays."""
    for file in folder.glob("gauge_live*.db"):
        pid = int(file.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)  # asks only
        except PermissionError:  # somebody else's, and so no process of ours
            continue
        except ProcessLookupError:
            multiprocess.mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
