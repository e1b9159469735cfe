"""DVC stage: the candidate beside every published ranker and the last champion, on families that nobody trained on."""

from pathlib import Path

import typer

from self_heal_engine.baselines import BASELINES
from self_heal_engine.dataset import read_cases, read_records
from self_heal_engine.errors import at_the_edge
from self_heal_engine.evaluation import draw, evaluate
from self_heal_engine.evaluation_report import report
from self_heal_engine.files import sha256, write_json, write_text
from self_heal_engine.lost_cases import kinds_of_loss, lost_page
from self_heal_engine.outcomes import outcomes
from self_heal_engine.pairs import Judgement
from self_heal_engine.params import read_params, read_trees
from self_heal_engine.ranking import WEIGHTED
from self_heal_engine.training import leave_one_out


def main(
    data: Path, table: Path, best: Path, model: Path, baseline: Path, folder: Path, scheduler: str | None = None
) -> None:
    """Write the report, its figures, its numbers, and the lost cases as a page to leaf through."""
    params = read_params(Path("params.yaml"))
    cases = [case for case in read_cases(data / "cases.jsonl") if case.family in params.split.test]
    names = [*BASELINES, WEIGHTED.name, str(baseline), str(model)]
    tables = outcomes(data, cases, names, scheduler)
    others = leave_one_out(table, data / "cases.jsonl", params.train, read_trees(best), params.decision, scheduler)
    judgements = read_records(data / "judgements.jsonl", Judgement, "bad_judgement")
    audited = {judgement.pair for judgement in judgements if judgement.verdict == "right"}
    ours = str(model)
    lost = kinds_of_loss(cases, tables[ours], data)
    facts = evaluate(tables, ours, others, audited, params.decision.gone_prior, lost)
    write_json(folder / "metrics.json", facts | {"model_sha256": sha256(model.read_bytes())})
    write_text(folder / "README.md", report(facts))
    draw(tables, ours, facts, folder)
    write_text(folder / "lost-cases.html", lost_page(cases, tables[ours], data))


if __name__ == "__main__":
    at_the_edge("evaluate", lambda: typer.run(main))
