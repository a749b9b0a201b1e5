"""Whole files are scored, complete or not at all."""

from pathlib import Path
from typing import Any

import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from lemnis.engine.deploy.jobs import predict
from lemnis.engine.errors import BadInput, Cancelled
from lemnis.engine.features.matrix import encode_table
from lemnis.engine.jobs.context import JobContext


def score(bench: Any, file: Path, out: Path) -> dict[str, Any]:
    job = bench.room.jobs.job(bench.room.start_predict("late@champion", file, out))
    return predict(JobContext.for_test(bench.store), job.arguments)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_file_comes_back_with_probability_and_label(
    two_versions: Any, first_model: Any, tmp_path: Path, suffix: str
) -> None:
    file, out = tmp_path / f"rows{suffix}", tmp_path / f"scored{suffix}"
    table = first_model.table.drop_columns(["late", "flown"])
    pc.write_csv(table, file) if suffix == ".csv" else pq.write_table(table, file)
    assert score(two_versions, file, out) == {"rows": 1500, "out": str(out), "model": "late", "version": 1}
    scored = pc.read_csv(out) if suffix == ".csv" else pq.read_table(out)
    assert scored.column_names == [*table.column_names, "probability", "label"]
    expected = first_model.booster().predict(encode_table(table, first_model.signature))
    assert scored["probability"].to_pylist() == pytest.approx(list(expected), abs=1e-9)
    labels = [str(label).lower() for label in scored["label"].to_pylist()]
    assert labels == ["true" if score >= 0.4 else "false" for score in expected]


def test_a_file_that_lacks_a_feature_leaves_nothing_behind(two_versions: Any, first_model: Any, tmp_path: Path) -> None:
    file, out = tmp_path / "rows.parquet", tmp_path / "scored.parquet"
    pq.write_table(first_model.table.drop_columns(["wind"]), file)
    with pytest.raises(BadInput, match="lacks the feature wind"):
        score(two_versions, file, out)
    assert {path.name for path in tmp_path.iterdir()} == {"rows.parquet", "workspace"}


def test_a_cancelled_scoring_leaves_nothing_behind(two_versions: Any, first_model: Any, tmp_path: Path) -> None:
    file, out = tmp_path / "rows.csv", tmp_path / "scored.csv"
    pc.write_csv(first_model.table, file)
    job = two_versions.room.jobs.job(two_versions.room.start_predict("late@1", file, out))
    context = JobContext.for_test(two_versions.store)
    context.stop.set()
    with pytest.raises(Cancelled):
        predict(context, job.arguments)
    assert not out.exists()


@pytest.mark.parametrize(
    ("name", "content", "out", "says"),
    [
        ("rows.txt", "a", "o.csv", "neither CSV nor Parquet"),
        ("rows.csv", None, "o.csv", "no such file"),
        ("rows.csv", "a", "rows.csv", "can't replace"),
        ("rows.csv", "a", "nowhere/o.csv", "folder"),
        ("rows.parquet", "not parquet", "o.csv", "can't be read"),
        ("rows.csv", "carrier,distance,wind,holiday\nAA,far,1,true\n", "o.csv", "can't be read"),
        ("rows.csv", "", "o.csv", "can't be read"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(
    two_versions: Any, tmp_path: Path, name: str, content: str | None, out: str, says: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(BadInput, match=says):
        score(two_versions, tmp_path / name, tmp_path / out)
