"""What leaving features out costs: two models on the same later rows, tested as any two runs are."""

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from lemnis.engine.clock import now_ms
from lemnis.engine.config import load_config
from lemnis.engine.errors import BadInput
from lemnis.engine.evaluate.ablations import Difference, save_difference
from lemnis.engine.evaluate.measure import FIRST_METRIC, Scored, known, measures
from lemnis.engine.evaluate.metrics import HIGHER_IS_BETTER
from lemnis.engine.evaluate.paired import Yardstick
from lemnis.engine.evaluate.subject import Subject, open_subject, predict, read_rows, targets, times

if TYPE_CHECKING:
    from lemnis.engine.jobs.context import JobContext


def measure_ablation(context: "JobContext", arguments: dict[str, Any]) -> dict[str, Any]:
    """Measure a run against the one it leaves features out of, and keep the difference.

    Args:
        context: The job.
        arguments: ``run`` and ``parent``: their ids.

    Raises:
        NotFound: One of them is not there, or its files are gone.
        BadInput: One has no model, or there are no later rows with a target.
    """
    context.progress(0.05, "loading both models")
    with_all = open_subject(context.store, int(arguments["parent"]))
    without = open_subject(context.store, int(arguments["run"]))
    part = next((name for name in ("validation", "test") if name in with_all.version.split), "")
    context.progress(0.2, "scoring the same rows with both")
    first, second = scored_pair(with_all, without, part or None, threads=context.cores)
    if not first.target.size:
        raise BadInput(f"{with_all.version.title} has no {part} rows with a target.", "Check target and split.")
    problem = load_config(context.workspace.config).problem
    before, after = measures(first, problem), measures(second, problem)
    context.progress(0.5, "drawing the rows again and again")
    yardstick = Yardstick(first, problem)
    tests = yardstick.tests(second.score)
    difference = Difference(
        run_id=without.run_id,
        parent_id=with_all.run_id,
        metric=FIRST_METRIC[problem.task],
        part=part,
        rows=first.target.size,
        before=known(before),
        after=known(after),
        deltas=known(changes(before, after)),
        intervals={
            test.metric: [test.low, test.high] for test in tests if test.low is not None and test.high is not None
        },
        blocks=yardstick.blocks_name,
        at=now_ms(),
        smaller_is_better=FIRST_METRIC[problem.task] not in HIGHER_IS_BETTER,
    )
    save_difference(context.store, difference)
    return msgspec.to_builtins(difference)


def scored_pair(first: Subject, second: Subject, part: str | None, *, threads: int) -> tuple[Scored, Scored]:
    """Return both models' answers to the same rows that have a target. `first` reads what both need."""
    rows = read_rows(first, part)
    target, time = targets(first, rows), times(first, rows)
    kept = ~np.isnan(target)
    answers = [Scored(target=target, score=predict(one, rows, threads=threads), time=time) for one in (first, second)]
    return answers[0].where(kept), answers[1].where(kept)


def changes(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """Return after - before by measure."""
    return {name: after[name] - value for name, value in before.items()}
