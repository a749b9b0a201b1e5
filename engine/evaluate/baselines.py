"""What a model must beat on the same rows: the constant, the last known answer, and the champion."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from msgspec import Struct
from numpy.typing import NDArray

from lemnis.engine.config import Dataset, parse_age
from lemnis.engine.data.duck import read_table
from lemnis.engine.errors import LemnisError
from lemnis.engine.evaluate.earlier import answers_after, last_known
from lemnis.engine.evaluate.measure import Scored
from lemnis.engine.evaluate.paired import Yardstick
from lemnis.engine.evaluate.records import Baseline, PairedTest
from lemnis.engine.evaluate.significance import holm
from lemnis.engine.evaluate.subject import Subject, open_subject
from lemnis.engine.experiments.predictions import predicted
from lemnis.engine.store import Store
from lemnis.engine.text import safe

Values = NDArray[np.float64]
Places = NDArray[np.int64]
Table = Any  # a pyarrow Table


class Ground(Struct, frozen=True, kw_only=True):
    """What baselines are made from.

    Attributes:
        rows: Every row of the version, in its order.
        all: Their targets (NaN where unknown), times and, where it was scored, the model's answers.
        learned: Places of the training rows with a target; all rows with one where there is no training part.
        validation: Places of the validation rows with a target; empty where there are none.
        judged: Places of the rows that are judged.
        part: What these are called.
        has_train: Whether the version has a training part.
    """

    rows: Table
    all: Scored
    learned: Places
    validation: Places
    judged: Places
    part: str
    has_train: bool


def baselines(
    store: Store,
    subject: Subject,
    ground: Ground,
    dataset: Dataset,
    yardstick: Yardstick,
    *,
    threads: int,
) -> list[Baseline]:
    """Return every baseline with the model's paired difference to it on the judged rows, or why there is none.

    Args:
        store: The workspace's state.
        subject: The model.
        ground: The rows.
        dataset: Which thing a row is about, and when its target is known.
        yardstick: The model on the judged rows.
        threads: Of LightGBM.
    """
    fixed = constant(subject, ground)
    made = [
        (Baseline(name="constant", words=constant_words(subject, ground)), fixed),
        last_value(subject, ground, fixed, dataset),
        champion(store, subject, ground, threads=threads),
    ]
    found: list[Baseline] = []
    for baseline, score in made:
        tests = [turned(test) for test in yardstick.tests(score)] if score is not None else []
        found.append(msgspec.structs.replace(baseline, tests=tests, rows=ground.judged.size if tests else 0))
    return adjusted(found)


def turned(test: PairedTest) -> PairedTest:
    """Return a test of a baseline against the model as one of the model against the baseline."""
    flipped = {True: False, False: True, None: None}
    return msgspec.structs.replace(
        test,
        base=test.value,
        value=test.base,
        delta=None if test.delta is None else 0.0 - test.delta,
        better=flipped[test.better],
        low=None if test.high is None else 0.0 - test.high,
        high=None if test.low is None else 0.0 - test.low,
    )


def adjusted(found: Sequence[Baseline]) -> list[Baseline]:
    """Return the baselines with p adjusted, of each measure, for all of them being looked at together (Holm)."""
    tests = {test.metric for one in found for test in one.tests}
    p = {metric: [next((t.p for t in one.tests if t.metric == metric), None) for one in found] for metric in tests}
    corrected = {metric: holm(values) for metric, values in p.items()}
    replace = msgspec.structs.replace
    return [
        replace(one, tests=[replace(test, adjusted=corrected[test.metric][place]) for test in one.tests])
        for place, one in enumerate(found)
    ]


def constant(subject: Subject, ground: Ground) -> Values:
    """Return the same answer for every judged row: the classes' shares, or the mean, of the training rows."""
    learned, rows = ground.all.target[ground.learned], ground.judged.size
    if subject.signature.task != "multiclass":
        return np.full(rows, float(learned.mean()))
    classes = len(subject.signature.classes)
    share = np.bincount(learned.astype(np.int64), minlength=classes) / learned.size
    return np.tile(share, (rows, 1))


def constant_words(subject: Subject, ground: Ground) -> str:
    """Say what the constant answers."""
    where = "the training rows" if ground.has_train else "all rows, as there is no training part"
    mean = float(ground.all.target[ground.learned].mean())
    if subject.signature.task == "binary":
        return f"{mean:.1%} to every row: the share of {subject.signature.classes[-1]} in {where}"
    return f"the classes' shares in {where}" if subject.signature.classes else f"{mean:.6g}: the mean of {where}"


def last_value(subject: Subject, ground: Ground, fixed: Values, declared: Dataset) -> tuple[Baseline, Values | None]:
    """Return what the last known answer foretells of each judged row.

    A number is foretold by the last ones; a class by how often each class followed them in the training rows, so that
    it has a probability. Where nothing is known before a row it is answered as by the constant.
    """
    if ground.all.time is None:
        return Baseline(name="last value", why="The version has no time column, so no row comes before another."), None
    target = ground.all.target
    known = np.flatnonzero(~np.isnan(target))
    columns = [name for name in declared.group if name in ground.rows.column_names]
    classes = len(subject.signature.classes)
    values = np.eye(classes)[target[known].astype(np.int64)] if classes else target[known, None]
    before = np.full((target.size, values.shape[1]), np.nan)
    group = groups_of(ground.rows, columns, known) if columns else None
    delay = parse_age(declared.label_delay) if declared.label_delay else 0
    before[known] = last_known(values, ground.all.time[known], group, delay=delay)
    without = np.isnan(before[ground.judged, 0])
    of = f"of the same {' and '.join(safe(name) for name in columns)}" if columns else "of any row"
    when = f"known {declared.label_delay} after its time" if delay else "taken as known at once"
    words = f"the last answer {of}, {when}, the mean where several share it"
    if without.any():
        words += f"; {without.sum():,} rows have none and get the constant"
    if not classes:
        return Baseline(name="last value", words=words), np.where(without, fixed, before[ground.judged, 0])
    after = answers_after(before[ground.learned], target[ground.learned])
    chosen = np.where(without[:, None], 1 / classes, before[ground.judged]) @ after
    if subject.signature.task == "multiclass":
        return Baseline(name="last value", words=words), np.where(without[:, None], fixed, chosen)
    no, yes = (f"{share:.1%} after {name}" for share, name in zip(after[:, 1], subject.signature.classes, strict=True))
    return Baseline(name="last value", words=f"{words}: {yes}, {no}"), np.where(without, fixed, chosen[:, 1])


def groups_of(rows: Table, columns: Sequence[str], places: Places) -> Places:
    """Return the number of each row's group: rows alike in all these columns."""
    found: Places = np.zeros(places.size, np.int64)
    for name in columns:
        codes: Any = rows.column(name).take(pa.array(places)).combine_chunks().dictionary_encode(null_encoding="encode")
        _, found = np.unique(found * (len(codes.dictionary) + 1) + codes.indices.to_numpy(), return_inverse=True)
    return found


CHAMPION = """
    select r.id, a.model, a.version from aliases a
      join model_versions v on v.model = a.model and v.version = a.version
      join runs r on r.id = v.run_id
    where a.alias = 'champion' and r.task = ? and r.target = ? order by a.at desc limit 1
"""


def champion(store: Store, subject: Subject, ground: Ground, *, threads: int) -> tuple[Baseline, Values | None]:
    """Return what the champion of the same question answers to the judged rows."""
    signature = subject.signature
    row = store.row(CHAMPION, [signature.task, signature.target])  # of a later room: read through SQL alone
    if row is None:
        return Baseline(name="champion", why="No champion foretells this target yet."), None
    name = f"{row['model']} v{row['version']}, run {row['id']}"
    if row["id"] == subject.run_id:
        return Baseline(name="champion", why=f"This run is the champion: {name}."), None
    try:
        found = open_subject(store, row["id"])
        if found.signature.classes != signature.classes:
            return Baseline(name="champion", why=f"{name} answers with other classes."), None
        rows = read_table(subject.version, found.signature.names).take(pa.array(ground.judged))
        score = predicted(found.model, found.signature, rows, threads=threads)
    except LemnisError as error:
        return Baseline(name="champion", why=f"{name} can't answer these rows: {error.problem}"), None
    return Baseline(name="champion", words=name, warning=seen_before(found, ground)), score


def seen_before(found: Subject, ground: Ground) -> str:
    """Say that a model may have learned from rows it is judged on here; empty if it has not."""
    learned = [found.version.split[part].end for part in ("train", "validation") if part in found.version.split]
    if ground.all.time is None or not learned:
        return ""
    share = float((ground.all.time[ground.judged] < max(learned)).mean())
    if not share:
        return ""
    return (
        f"It was trained or stopped on data that reaches into these rows ({share:.0%} of them): its measures flatter."
    )
