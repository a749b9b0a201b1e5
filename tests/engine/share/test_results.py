"""A run brings what its model answered on held-out rows, so that it is compared where those rows are not."""

from pathlib import Path
from typing import Any

import pytest
from sharing import Desk, Pair
from small_problem import do_train

from lemnis.engine.errors import BadInput
from lemnis.engine.evaluate import jobs
from lemnis.engine.evaluate.pairing import pair as pair_job
from lemnis.engine.experiments.predictions import FILE, HeldOut, check_predictions, kept_predictions
from lemnis.engine.jobs.context import JobContext


def compared(desk: Desk, first: int, second: int) -> dict[str, Any]:
    pair_job(JobContext.for_test(desk.engine.store), {"runs": [first, second]})
    found = desk.engine.evaluate.significance([first, second]).pairs[second]
    return {test.metric: (test.delta, test.p, test.method) for test in found.tests}


@pytest.mark.parametrize("way", ["bundle", "remote"])
def test_runs_that_came_from_elsewhere_are_compared_without_their_rows(pair: Pair, tmp_path: Path, way: str) -> None:
    ours = pair.a.engine
    second = ours.experiments.start("stopping", user="ada")
    do_train(ours, second)
    jobs.evaluate(JobContext.for_test(ours.store), {"run": 1})
    if way == "bundle":
        pair.a.export(tmp_path / "runs.zip", "run:1", f"run:{second}")
        pair.b.take(tmp_path / "runs.zip")
    else:
        for desk in pair:
            desk.remote("../hub")
        pair.a.push("run:1", f"run:{second}")
        pair.b.pull("run:1", f"run:{second}")
    theirs = pair.b.engine
    assert theirs.data.versions() == [], "the rows stayed where they are"
    here = {run.name: run.id for run in theirs.experiments.search().runs}
    first, other = (here[ours.experiments.run(run_id).name] for run_id in (1, second))
    found = compared(pair.b, first, other)
    assert found["roc_auc"][2] == "DeLong"
    assert found == compared(pair.a, 1, second)
    told = [(one.part, one.rows, one.metrics, one.roc) for one in ours.evaluate.evaluations(1)]
    assert [(one.part, one.rows, one.metrics, one.roc) for one in theirs.evaluate.evaluations(first)] == told != []
    assert theirs.evaluate.importances(first) == ours.evaluate.importances(1) != []
    assert pair.b.engine.workspace.run_dir(first).joinpath(FILE).stat().st_mode & 0o777 == 0o400


def test_what_an_older_lemnis_can_read_says_so(pair: Pair, tmp_path: Path) -> None:
    pair.a.export(tmp_path / "late.zip", "late@1", data=True)
    layouts = {manifest.kind: manifest.schema for manifest in pair.a.engine.share.contents(tmp_path / "late.zip")}
    assert layouts == {"dataset": 1, "run": 2, "model": 1}
    with pair.a.engine.store.write() as db:
        db.execute("delete from run_predictions")
    pair.a.export(tmp_path / "bare.zip", "run:1")
    bare = pair.a.engine.share.contents(tmp_path / "bare.zip")[0]
    assert (bare.schema, bare.object("predictions")) == (1, None)


def test_predictions_that_are_something_else_are_refused(pair: Pair, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kept = kept_predictions(pair.a.engine.store, [1])[1]
    path = pair.a.engine.workspace.run_dir(1) / FILE
    check_predictions(path, kept.parts)
    table = pq.read_table(path)
    score = table.schema.get_field_index("score_0")
    nothing = pa.array([float("nan")] * table.num_rows, pa.float32())
    more = {"validation": HeldOut(rows=table.num_rows + 1, of=table.num_rows + 1, rows_sha256="")}
    for change, parts in (
        (table.drop_columns(["score_0"]), kept.parts),
        (table.append_column("extra", table.column("place")), kept.parts),
        (table.slice(1), kept.parts),
        (table.set_column(score, "score_0", nothing), kept.parts),
        (table, more),
        (table, {"train": kept.parts["validation"]}),
        (table, {}),
    ):
        other = tmp_path / "other.parquet"
        pq.write_table(change, other)
        with pytest.raises(BadInput):
            check_predictions(other, parts)
    (tmp_path / "none.parquet").write_bytes(b"PAR1 no more than that PAR1")
    with pytest.raises(BadInput, match="can't be read"):
        check_predictions(tmp_path / "none.parquet", kept.parts)
