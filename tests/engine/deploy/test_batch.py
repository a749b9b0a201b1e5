"""Whole files are scored, complete or not at all."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from lemnis.engine.deploy import rowfiles
from lemnis.engine.deploy.batch import score_file
from lemnis.engine.deploy.jobs import predict
from lemnis.engine.deploy.predictor import Predictor
from lemnis.engine.errors import BadInput, Cancelled
from lemnis.engine.features.matrix import encode_table
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.models.trees import Trees

HEAD = "carrier,distance,wind,holiday"


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
        ("rows.csv", f"{HEAD}\nAA,5,1,true\nAA,far,1,true\n", "o.csv", "distance of row 2 is 'far', not a number"),
        ("rows.csv", f"{HEAD}\nAA,1_0,1,true\n", "o.csv", "distance of row 1 is '1_0', not a number"),
        ("rows.csv", f"{HEAD}\nAA,1,,maybe\n", "o.csv", "holiday of row 1 is 'maybe', not true or false"),
        ("rows.csv", f"{HEAD}\nAA,1,,true\nAA,1,2\n", "o.csv", "Row 2 has 3 cells, the first line has 4 names"),
        ("rows", None, "o.csv", "no such file"),
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


def test_a_wrong_value_is_found_far_down_by_its_row(two_versions: Any, tmp_path: Path) -> None:
    lines = [HEAD, *(f"AA,{n},1.5,true" for n in range(150_000))]
    lines[140_001] = "AA,long,1.5,true"
    (tmp_path / "rows.csv").write_text("\n".join(lines))
    with pytest.raises(BadInput, match=r"distance of row 140,001 is 'long'"):
        score(two_versions, tmp_path / "rows.csv", tmp_path / "scored.csv")
    assert {path.name for path in tmp_path.iterdir()} == {"rows.csv", "workspace"}


def test_what_is_no_feature_stays_the_text_it_was(two_versions: Any, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(f"id,{HEAD}\n007,AA,5,1,true\nx8,AA,5,1,true\n")
    score(two_versions, tmp_path / "rows.csv", tmp_path / "scored.parquet")
    assert pq.read_table(tmp_path / "scored.parquet")["id"].to_pylist() == ["007", "x8"]


def parts(first_model: Any, folder: Path) -> pa.Table:
    """Write two parts, one in a folder of its own; return the rows of both."""
    table = first_model.table.drop_columns(["late", "flown"])
    for name, part in (("2013/a.parquet", table.slice(0, 900)), ("b.parquet", table.slice(900))):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(part, folder / name)
    return table


def test_a_folder_of_parts_becomes_a_folder_of_the_same_parts_or_one_file(
    two_versions: Any, first_model: Any, tmp_path: Path
) -> None:
    table = parts(first_model, tmp_path / "rows")
    assert score(two_versions, tmp_path / "rows", tmp_path / "scored")["rows"] == 1500
    assert sorted(path.name for path in (tmp_path / "scored").rglob("*.parquet")) == ["a.parquet", "b.parquet"]
    first = pq.ParquetFile(tmp_path / "scored/2013/a.parquet").read()
    assert score(two_versions, tmp_path / "rows", tmp_path / "one.parquet")["rows"] == 1500
    one = pq.ParquetFile(tmp_path / "one.parquet").read()
    assert one.slice(0, 900).equals(first)
    assert one.select(table.column_names).equals(table)
    pq.write_table(table.drop_columns(["wind"]), tmp_path / "rows" / "c.parquet")
    with pytest.raises(BadInput, match="lacks the feature wind"):
        score(two_versions, tmp_path / "rows", tmp_path / "again")
    assert {path.name for path in tmp_path.iterdir()} == {"rows", "scored", "one.parquet", "workspace"}


def test_memory_is_that_of_a_batch_however_large_a_row_group_is(
    first_model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rowfiles, "BATCH_ROWS", 8_192)
    rows = 150_000
    table = pa.concat_tables([first_model.table.drop_columns(["late", "flown"])] * (rows // 1500))
    for name in range(20):
        table = table.append_column(f"other {name}", pa.array(np.arange(table.num_rows) * 0.37 + name))
    pq.write_table(table, tmp_path / "rows.parquet", row_group_size=rows, data_page_size=1 << 14, use_dictionary=False)
    told: list[tuple[float | None, str]] = []

    def tell(share: float | None, text: str) -> None:
        told.append((share, text))

    pool, before = pa.proxy_memory_pool(pa.system_memory_pool()), pa.default_memory_pool()
    pa.set_memory_pool(pool)
    try:
        predictor = Predictor(Trees(first_model.booster().model_to_string()), first_model.signature)
        score_file(tmp_path / "rows.parquet", tmp_path / "o.parquet", predictor, progress=tell)
    finally:
        pa.set_memory_pool(before)
    assert (pool.max_memory() or 0) < table.nbytes / 3
    assert told[0][1].startswith("8,192 rows scored, about")
    assert [share for share, _ in told] == sorted(share or 0 for share, _ in told)
    assert told[-1][0] == 1.0
