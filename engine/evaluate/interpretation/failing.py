"""The work of finding failure types: takes a sample of errors apart, names their groups, follows earlier ones."""

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lemnis.engine.evaluate.explain import actual_text, contributions, explainable
from lemnis.engine.evaluate.interpretation.failures import (
    FAR_SHARE,
    condition,
    errors_of,
    groups_of,
    leading,
    meets,
    nearest_type,
    signatures,
)
from lemnis.engine.evaluate.interpretation.records import (
    Condition,
    Failed,
    Failures,
    FailureType,
    Followed,
    Followup,
)
from lemnis.engine.evaluate.interpretation.results import find_interpretation
from lemnis.engine.evaluate.subject import Subject, predict, row_keys, targets, thinned
from lemnis.engine.features.matrix import encode_table
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from lemnis.engine.jobs.context import JobContext

MOST_ERRORS, MOST_KEPT, MOST_FOLLOWED = 1_500, 200, 3
RULES = {
    "binary": "answered wrong at the threshold",
    "multiclass": "another class is likelier",
    "regression": "the tenth that is farthest off",
}
Values = NDArray[np.float64]
Table = Any  # a pyarrow Table


class Errors:
    """A sample of a run's errors, with what is needed to group and to name them."""

    def __init__(self, subject: Subject, rows: Table, numbers: NDArray[np.int64], *, threads: int) -> None:
        signature = subject.signature
        self.subject, self.rows, self.numbers = subject, rows, numbers
        self.target = targets(subject, rows)
        self.score = predict(subject, rows, threads=threads)
        self.wrong, self.loss, kinds = errors_of(self.target, self.score, signature.task, signature.threshold)
        self.places = thinned(np.flatnonzero(self.wrong), MOST_ERRORS)
        self.kinds = kinds[self.places]
        self.matrix = encode_table(rows, signature)

    def signatures(self, *, threads: int) -> Values:
        """Return the signature of each sampled error."""
        parts = contributions(self.subject, self.matrix[self.places], threads=threads)[:, :, :-1]
        if self.subject.signature.task == "multiclass":
            at = np.arange(len(self.places))
            said = self.score[self.places].argmax(axis=1)
            return signatures(parts[at, said] - parts[at, self.target[self.places].astype(np.int64)])
        towards = np.where(np.isin(self.kinds, ("missed", "too low")), -1.0, 1.0)
        return signatures(parts[:, 0] * towards[:, None])

    def type_of(self, kind: str, members: NDArray[np.int64], signature: Values) -> FailureType:
        """Return the type of some errors, by their places in the sample."""
        places, features = self.places[members], self.subject.signature.features
        named = (
            (at, condition(features[at], self.matrix[places, at], self.matrix[:, at])) for at in leading(signature)
        )
        conditions = [(at, one) for at, one in named if one is not None]
        fits = self.meeting(conditions)
        centre = signature.mean(axis=0)
        far = float(np.percentile(np.linalg.norm(signature - centre, axis=1), FAR_SHARE))
        share = len(members) / len(self.places)
        worst = places[np.argsort(-self.loss[places], kind="stable")][:MOST_KEPT]
        return FailureType(
            kind=kind,
            conditions=[one for _, one in conditions],
            share=share,
            count=round(share * int(self.wrong.sum())),
            fits=float(fits.mean()),
            fits_wrong=float(self.wrong[fits].mean()) if fits.any() else 0.0,
            centre=dict(zip(self.subject.signature.names, centre.round(6).tolist(), strict=True)),
            radius=far,
            rows=self.failed(worst),
        )

    def meeting(self, conditions: list[tuple[int, Condition]]) -> NDArray[np.bool_]:
        """Say which held-out rows meet all conditions."""
        found = np.ones(len(self.matrix), np.bool_)
        for at, one in conditions:
            found &= meets(one, self.subject.signature.features[at], self.matrix[:, at])
        return found

    def failed(self, places: NDArray[np.int64]) -> list[Failed]:
        """Return the rows at some places."""
        classes = self.subject.signature.classes
        keys = row_keys(self.subject.version, self.rows.take(pa.array(places)), self.numbers[places])
        found: list[Failed] = []
        for place, key in zip(places.tolist(), keys, strict=True):
            scores = np.atleast_1d(self.score[place])
            if len(classes) > 2:
                said = classes[int(scores.argmax())]
            else:
                said = f"{scores[0]:.1%}" if classes else f"{scores[0]:.6g}"
            actual = actual_text(self.subject, float(self.target[place]))
            found.append(
                Failed(key=key, row=int(self.numbers[place]), loss=float(self.loss[place]), said=said, actual=actual)
            )
        return found

    @property
    def fingerprint(self) -> str:
        """Which rows were judged."""
        told = f"{self.subject.version.id} {self.subject.signature.target} ".encode() + self.numbers.tobytes()
        return hashlib.sha256(told).hexdigest()


def failure_types(
    context: "JobContext", subject: Subject, part: str, rows: Table, numbers: NDArray[np.int64]
) -> Failures:
    """Return the failure types of a run, and what became of those of earlier runs.

    Args:
        context: The job.
        subject: The model.
        part: Which part the rows are.
        rows: Held-out rows with a target.
        numbers: Their numbers in the version.
    """
    errors = Errors(subject, rows, numbers, threads=context.cores)
    facts: dict[str, Any] = {
        "part": part,
        "rows": int(rows.num_rows),
        "errors": int(errors.wrong.sum()),
        "sampled": len(errors.places),
        "rule": RULES[subject.signature.task],
        "sample": errors.fingerprint,
    }
    if not explainable(subject):
        return Failures(
            **facts, types=[], note="LightGBM computes no contributions of linear trees to group errors by."
        )
    if not len(errors.places):
        return Failures(**facts, types=[], note="There is no error among the held-out rows.")
    context.progress(0.82, f"contributions of {len(errors.places):,} errors")
    signature = errors.signatures(threads=context.cores)
    context.progress(0.95, "grouping the errors")
    types: list[FailureType] = []
    for kind in np.unique(errors.kinds).tolist():
        members = np.flatnonzero(errors.kinds == kind)
        groups = groups_of(signature[members])
        for group in range(int(groups.max()) + 1):
            chosen = members[groups == group]
            types.append(errors.type_of(kind, chosen, signature[chosen]))
    types.sort(key=lambda one: -one.share)
    return Failures(**facts, types=types, followups=followups(context.store, errors, signature))


def followups(store: Store, errors: Errors, signature: Values) -> list[Followup]:
    """Return how often the types of earlier runs with the same target occur among these errors, newest run first."""
    subject = errors.subject
    earlier = store.rows(
        """select r.id, r.name from runs r join interpretations i on i.run_id = r.id and i.kind = 'failures'
           where r.id < ? and r.target is (select target from runs where id = ?) order by r.id desc limit ?""",
        [subject.run_id, subject.run_id, MOST_FOLLOWED],
    )
    found: list[Followup] = []
    for row in earlier:
        before = find_interpretation(store, row["id"], "failures", Failures)
        if before is not None and before.types:
            found.append(followup(before, row["id"], row["name"], errors, signature))
    return found


def followup(before: Failures, run_id: int, name: str, errors: Errors, signature: Values) -> Followup:
    """Return one earlier run's types among these errors."""
    of = int(errors.wrong.sum()) / max(1, len(errors.places))
    names = errors.subject.signature.names
    counts, unlike = [0.0] * len(before.types), 0.0
    for kind in np.unique(errors.kinds).tolist():
        known = [place for place, one in enumerate(before.types) if one.kind == kind]
        nearest = nearest_type(signature[errors.kinds == kind], names, [before.types[place] for place in known])
        unlike += of * int((nearest < 0).sum())
        for at, place in enumerate(known):
            counts[place] += of * int((nearest == at).sum())
    same = before.sample == errors.fingerprint
    scale_before = 1.0 if same else 1000 / max(1, before.rows)
    scale_now = 1.0 if same else 1000 / max(1, len(errors.target))
    return Followup(
        run_id=run_id,
        run_name=name,
        errors=before.errors,
        rows=before.rows,
        same_rows=same,
        types=[
            Followed(name=one.name, before=round(one.count * scale_before), now=round(count * scale_now))
            for one, count in zip(before.types, counts, strict=True)
        ],
        unlike=round(unlike * scale_now),
    )
