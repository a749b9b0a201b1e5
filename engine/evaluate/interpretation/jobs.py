"""The work of interpreting, as the worker does it: contributions, dependence, interactions and failure types."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.evaluate.explain import contributions, explainable, importances
from lemnis.engine.evaluate.interpretation.dependence import dependence, interactions
from lemnis.engine.evaluate.interpretation.failing import failure_types
from lemnis.engine.evaluate.interpretation.records import Contributions, Dependences, Interactions
from lemnis.engine.evaluate.interpretation.results import save_interpretation
from lemnis.engine.evaluate.interpretation.swarm import swarm_output
from lemnis.engine.evaluate.subject import Subject, held_out, open_subject, some, thinned
from lemnis.engine.features.matrix import encode_table
from lemnis.engine.models.linear import LinearModel

if TYPE_CHECKING:
    from lemnis.engine.jobs.context import JobContext

SWARM_ROWS, CURVE_ROWS, PAIR_ROWS = 1_500, 400, 64
MOST_CURVES, MOST_PAIRED, MOST_ANSWERS = 40, 8, 12
Values = NDArray[np.float64]
Table = Any  # a pyarrow Table


def interpret(context: "JobContext", arguments: dict[str, Any]) -> dict[str, Any]:
    """Find out what the features of a run's model do, on a seeded sample of its last held-out part.

    Args:
        context: The job.
        arguments: ``run``: its id.

    Raises:
        NotFound: There is no such run, or its files are gone.
        BadInput: It has no model, or its version no rows with a target.
    """
    context.progress(0.01, "loading the model")
    subject = open_subject(context.store, int(arguments["run"]))
    part, rows, numbers = held_out(subject)
    context.progress(0.05, f"contributions of {min(SWARM_ROWS, rows.num_rows):,} rows")
    matrix, parts = sampled_contributions(subject, rows, threads=context.cores)
    save_swarms(context, subject, part, matrix, parts)
    ranked = [one.feature for one in importances(subject, parts)]
    dependences = curves_of(context, subject, part, matrix, ranked[:MOST_CURVES])
    save_interpretation(context.store, subject.run_id, "dependences", dependences)
    pairs = pairs_of(context, subject, matrix, ranked[:MOST_PAIRED])
    save_interpretation(context.store, subject.run_id, "interactions", pairs)
    context.progress(0.8, f"scoring {rows.num_rows:,} rows")
    failures = failure_types(context, subject, part, rows, numbers)
    save_interpretation(context.store, subject.run_id, "failures", failures)
    return {
        "run": subject.run_id,
        "part": part,
        "features": len(dependences.features),
        "pairs": len(pairs.pairs),
        "failure_types": len(failures.types),
    }


def sampled_contributions(subject: Subject, rows: Table, *, threads: int) -> tuple[Values, Values | None]:
    """Return a seeded sample of rows, encoded, and their contributions; None where the model does not tell them."""
    matrix = encode_table(some(rows, SWARM_ROWS), subject.signature)
    return matrix, contributions(subject, matrix, threads=threads) if explainable(subject) else None


def save_swarms(context: "JobContext", subject: Subject, part: str, matrix: Values, parts: Values | None) -> None:
    """Keep the contributions of a sample of rows as histograms; nothing where the model does not tell them."""
    if parts is None or not len(matrix):
        return
    answers = answers_of(subject)
    chosen = likeliest(subject, matrix, threads=context.cores)
    outputs = [
        swarm_output(answers[place], subject.signature.features, matrix, parts[:, place, :-1]) for place in chosen
    ]
    found = Contributions(part=part, rows=len(matrix), outputs=outputs)
    save_interpretation(context.store, subject.run_id, "contributions", found)


def answers_of(subject: Subject) -> list[str]:
    """Return what each output speaks for: the positive class, each class, or nothing for a number."""
    classes = subject.signature.classes
    return classes if len(classes) > 2 else classes[-1:] or [""]


def likeliest(subject: Subject, matrix: Values, *, threads: int) -> list[int]:
    """Return the outputs that are interpreted: of very many classes those that are answered most."""
    scores = scores_of(subject, matrix, threads=threads).mean(axis=0)
    return sorted(np.argsort(-scores, kind="stable")[:MOST_ANSWERS].tolist())


def scores_of(subject: Subject, matrix: Values, *, threads: int, raw: bool = False) -> Values:
    """Return the answers of encoded rows, shape (rows, outputs)."""
    scores = subject.model.predict(matrix, raw_score=raw, num_threads=threads)
    return np.asarray(scores, dtype=np.float64).reshape(len(matrix), -1)


def curves_of(context: "JobContext", subject: Subject, part: str, matrix: Values, names: list[str]) -> Dependences:
    """Return the dependence of the answers on each of some features."""
    rows = matrix[thinned(np.arange(len(matrix)), CURVE_ROWS)]
    chosen = likeliest(subject, rows, threads=context.cores)
    known = subject.signature.names
    answers = answers_of(subject)

    def answer(asked: Values) -> Values:
        return scores_of(subject, asked, threads=context.cores)[:, chosen]

    found: list[Any] = []
    for done, name in enumerate(names):
        context.progress(0.2 + 0.4 * done / len(names), f"dependence on {name}")
        place = known.index(name)
        found.append(dependence(answer, subject.signature.features[place], place, rows))
    return Dependences(part=part, rows=len(rows), answers=[answers[place] for place in chosen], features=found)


def pairs_of(context: "JobContext", subject: Subject, matrix: Values, names: list[str]) -> Interactions:
    """Return the interactions of some features; a linear model has none, so nothing is asked."""
    if isinstance(subject.model, LinearModel):
        note = "This model adds up what each feature gives: nothing interacts, by the way it is made."
        return Interactions(rows=0, features=[], pairs=[], note=note)
    rows = matrix[thinned(np.arange(len(matrix)), PAIR_ROWS)]
    places = [subject.signature.names.index(name) for name in names]

    def answer(asked: Values) -> Values:
        return scores_of(subject, asked, threads=context.cores, raw=True)

    def tell(done: float) -> None:
        context.progress(0.6 + 0.2 * done, f"interactions of {len(names)} features")

    return Interactions(rows=len(rows), features=names, pairs=interactions(answer, names, places, rows, tell))
