"""As-of joins against plain Python, and the warning of rows that know the future."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lemnis.engine.config import Dataset, Link
from lemnis.engine.data.asof import tolerance_seconds
from lemnis.engine.data.duck import open_duck
from lemnis.engine.data.link import link_sources
from lemnis.engine.data.parquet import store_parquet
from lemnis.engine.data.snapshots import Field, Snapshot
from lemnis.engine.errors import BadInput

DAY = 86_400
EPOCH = 1_356_998_400  # 2013-01-01


def snapshot(desk: Any, name: str, table: Any) -> Snapshot:
    stored = store_parquet(desk.engine.workspace, table)
    fields = [Field(name=field.name, type=str(field.type)) for field in table.schema]
    blank = {"id": 1, "origin": "", "origin_bytes": 0, "origin_modified_ns": 0, "origin_sha256": "", "reading": ""}
    known = {"source": name, "sha256": stored.sha256, "rows": stored.rows, "bytes": stored.bytes, "columns": fields}
    return Snapshot(**known, **blank, path=stored.path, created_at=0, checked_at=0, job_id=None)


def linked(desk: Any, left: Any, right: Any, link: Link, **dataset: Any) -> tuple[list[dict[str, Any]], Any]:
    snapshots = {"left": snapshot(desk, "left", left), "right": snapshot(desk, "right", right)}
    declared = Dataset(base="left", links=[link], **{"time": "t"} | dataset)
    with open_duck(views={name: one.path for name, one in snapshots.items()}) as duck:
        done = link_sources(duck, declared, snapshots)
        return duck.sql(done.query).to_arrow_table().to_pylist(), done.reports[0]


def moments(seconds: list[int | None], zone: str | None = None) -> Any:
    import pyarrow as pa

    return pa.array([None if s is None else (EPOCH + s) * 1_000_000 for s in seconds], pa.timestamp("us", zone))


def tables(left: list[Any], right: list[Any], zones: tuple[str | None, str | None]) -> tuple[Any, Any]:
    import pyarrow as pa

    asked = {"id": list(range(len(left))), "k": pa.array([k for k, _ in left], pa.string())}
    held = {"k": pa.array([k for k, _ in right], pa.string()), "v": list(range(len(right)))}
    return (
        pa.table(asked | {"t": moments([t for _, t in left], zones[0])}),
        pa.table(held | {"at": moments([t for _, t in right], zones[1])}),
    )


def expected(left: list[Any], right: list[Any], link: Link) -> list[int | None]:
    """For each left row the place of the row it gets; written for clarity, a loop over all pairs."""
    most = tolerance_seconds(link.tolerance, "")
    found: list[int | None] = []
    for key, decided in left:
        best: tuple[int, int] | None = None
        for place, (other, at) in enumerate(right):
            if None in (key, decided, other, at) or key != other or at > decided or (link.strict and at == decided):
                continue
            best = max(best or (at, place), (at, place))
        found.append(None if best is None or (most is not None and left_age(decided, best) > most) else best[1])
    return found


def left_age(decided: int, best: tuple[int, int]) -> int:
    return decided - best[0]


rows = st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from([None, 0, 1, 5, 9, 10, 60])), max_size=10)
zones = st.sampled_from([("UTC", "UTC"), (None, "UTC"), ("UTC", None), (None, None)])


@pytest.mark.slow
@given(rows, rows, st.sampled_from(["", "5s", "1min"]), st.booleans(), zones)
@settings(max_examples=16)
@example([("a", 5)], [("a", 5), ("a", 5), ("a", 9)], "", False, (None, None))
def test_an_asof_join_takes_the_latest_row_in_time_as_a_plain_loop_does(
    desk_factory: Any, left: Any, right: Any, tolerance: str, strict: bool, zones: Any
) -> None:
    link = Link(source="right", on={"k": "k"}, columns=["v"], asof="at", tolerance=tolerance, strict=strict)
    table, report = linked(desk_factory, *tables(left, right, zones), link)
    wanted = expected(left, right, link)
    assert {row["id"]: row["v"] for row in table} == dict(enumerate(wanted))
    known = {k for k, at in right if k is not None and at is not None}
    asked = [(k, t) for k, t in left if k is not None and t is not None]
    assert (report.rows_in, report.rows_out, report.matched) == (
        len(left),
        len(left),
        len(left) - wanted.count(None),
    )
    assert report.null_keys == len(left) - len(asked)
    assert report.orphan_rows == sum(k not in known for k, _ in asked)
    assert report.untimely_rows == sum(k in known for k, _ in asked) - report.matched
    assert report.orphan_keys == len({k for k, _ in asked} - known)
    assert report.unused_keys == len(known - {k for k, _ in left})
    assert sum(report.fan_out.values()) == len(left)
    assert [(one.rows, one.of) for one in report.travel] == [(0, report.matched)]
    ages = sorted(t - right[place][1] for (_, t), place in zip(left, wanted, strict=True) if place is not None)
    if ages:
        assert (report.ages["min"], report.ages["max"]) == (ages[0], ages[-1])


@pytest.fixture(scope="module")
def desk_factory(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from types import SimpleNamespace

    from lemnis.engine import Engine
    from lemnis.engine.workspace import create_workspace

    engine = Engine(create_workspace(tmp_path_factory.mktemp("asof"), ""))
    yield SimpleNamespace(engine=engine)
    engine.store.close()


def test_of_rows_at_one_moment_the_last_of_the_source_is_taken_every_time(desk_factory: Any) -> None:
    link = Link(source="right", on={"k": "k"}, columns=["v"], asof="at")
    left, right = tables([("a", 9)], [("a", 5), ("a", 5), ("a", 5)], (None, None))
    table, report = linked(desk_factory, left, right, link)
    assert (table[0]["v"], report.duplicate_keys) == (2, 1)


def test_a_left_join_says_which_rows_know_the_future(desk_factory: Any) -> None:
    left, right = tables([("a", 10), ("b", 10)], [("a", 5), ("a", 70), ("b", 10), ("b", None)], (None, "UTC"))
    _, report = linked(desk_factory, left, right, Link(source="right", on={"k": "k"}, columns=["v"]))
    (travel,) = report.travel
    assert (travel.column, travel.rows, travel.of, travel.most_seconds) == ("at", 1, 3, 60)
    assert travel.examples[0][0] == ["a"]
    assert travel.examples[0][1:] == ("2013-01-01 00:00:10+00", "2013-01-01 00:01:10+00")


def test_the_decision_time_may_be_derived_from_the_base(desk_factory: Any) -> None:
    left, right = tables([("a", 10)], [("a", 5), ("a", 15)], (None, None))
    link = Link(source="right", on={"k": "k"}, columns=["v"], asof="at")
    derive = {"decided": "t - to_seconds(6)"}
    table, _ = linked(desk_factory, left, right, link, time="decided", derive=derive)
    assert table[0]["v"] is None
    table, _ = linked(desk_factory, left, right, link, time="decided", derive={"decided": "t + to_seconds(6)"})
    assert table[0]["v"] == 1


@pytest.mark.parametrize(
    ("link", "time", "words"),
    [
        (Link(source="right", on={"k": "k"}, asof="lost"), "t", "no column 'lost'"),
        (Link(source="right", on={"k": "k"}, asof="v"), "t", "no times"),
        (Link(source="right", on={"k": "k"}, asof="at"), "", "the moment that each row is decided"),
        (Link(source="right", on={"k": "k"}, asof="at"), "id", "no times"),
        (Link(source="right", on={"k": "k"}, asof="at", tolerance="soon"), "t", "no length of time"),
        (Link(source="right", on={"k": "k"}, tolerance="2h"), "t", "as-of link"),
        (Link(source="right", on={"k": "k"}, time="lost"), "t", "no column 'lost'"),
    ],
)
def test_what_an_asof_join_can_not_do_is_said(desk_factory: Any, link: Link, time: str, words: str) -> None:
    left, right = tables([("a", 10)], [("a", 5)], (None, None))
    with pytest.raises(BadInput, match=words):
        linked(desk_factory, left, right, link, time=time)


def test_a_declared_time_is_the_only_one_that_is_looked_at(desk_factory: Any) -> None:
    import pyarrow as pa

    left, right = tables([("a", 10)], [("a", 5)], (None, None))
    right = right.append_column("until", pa.array(right.column("at").to_pylist(), pa.timestamp("us")))
    _, report = linked(desk_factory, left, right, Link(source="right", on={"k": "k"}, prefix="r_", time="at"))
    assert [travel.column for travel in report.travel] == ["at"]


@pytest.mark.parametrize(("text", "seconds"), [("2h", 7200), ("30 min", 1800), ("1.5d", 1.5 * DAY), ("", None)])
def test_tolerances_are_lengths_of_time(text: str, seconds: float | None) -> None:
    assert tolerance_seconds(text, "") == seconds
