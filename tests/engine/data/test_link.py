from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lemnis.engine.config import Link
from lemnis.engine.data.duck import open_duck
from lemnis.engine.data.reports import link_report
from lemnis.engine.errors import BadInput, ConfigError, NotFound


def declare_pair(desk: Any, left: str, right: str, **dataset: Any) -> None:
    desk.source(left, name="left", null=["NA"])
    desk.source(right, name="right", null=["NA"])
    link = {"source": "right", "on": {"k": "k"}, "prefix": "r_"}
    desk.declare(dataset={"base": "left", "links": [link]} | dataset)
    desk.sync()


def table(desk: Any) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    return pq.read_table(desk.engine.data.version().path).to_pylist()


def test_every_left_row_stays_and_the_report_says_what_it_met(desk: Any) -> None:
    declare_pair(desk, "k,x\na,1\nb,2\nNA,3\nc,4\nc,5\n", "k,y\na,10\nd,40\n")
    desk.link()
    assert [(row["x"], row["r_y"]) for row in table(desk)] == [(1, 10), (2, None), (3, None), (4, None), (5, None)]
    (report,) = desk.engine.data.links(desk.engine.data.version().id)
    assert (report.rows_in, report.rows_out, report.matched, report.null_keys) == (5, 5, 1, 1)
    assert (report.orphan_rows, report.orphan_keys, report.unused_keys, report.duplicate_keys) == (3, 2, 1, 0)
    assert [(orphan.key, orphan.rows) for orphan in report.orphan_sample] == [(["c"], 2), (["b"], 1)]
    assert report.match_rate == 0.2
    assert not report.multiplies


def test_a_join_that_multiplies_rows_is_reported(desk: Any) -> None:
    declare_pair(desk, "k,x\na,1\na,2\n", "k,y\na,1\na,2\na,3\n")
    result = desk.link()
    (report,) = desk.engine.data.links(result["version"])
    assert (report.rows_out, report.fan_out, report.duplicate_keys, report.multiplies) == (6, {3: 2}, 1, True)
    assert result["multiplied_by"] == ["right"]


keys = st.lists(st.sampled_from(["a", "b", "c", "d", None]), max_size=12)


@pytest.mark.slow
@given(keys, keys)
@settings(max_examples=25, deadline=None)
def test_the_report_agrees_with_counting_by_hand(left: list[str | None], right: list[str | None]) -> None:
    import pyarrow as pa

    held = Counter(key for key in right if key is not None)
    with open_duck() as duck:
        duck.register("left 1", pa.table({"#left 0": pa.array(left, pa.string())}))
        duck.register("right 1", pa.table({"#right 0": pa.array(right, pa.string())}))
        report = link_report(duck, 1, Link(source="right", on={"k": "k"}))
    orphans = [key for key in left if key is not None and key not in held]
    assert report.rows_in == len(left)
    assert report.rows_out == sum(max(1, held[key] if key else 0) for key in left)
    assert report.null_keys == left.count(None)
    assert (report.orphan_rows, report.orphan_keys) == (len(orphans), len(set(orphans)))
    assert report.unused_keys == len(set(held) - set(left))
    assert report.duplicate_keys == sum(count > 1 for count in held.values())
    assert report.matched == len(left) - len(orphans) - left.count(None)
    assert report.fan_out == Counter(held[key] if key else 0 for key in left)


def test_the_left_side_of_a_key_may_be_an_expression_and_several_keys_may_be_asked(desk: Any) -> None:
    desk.source("day,x\n2013-01-05,1\n2013-02-05,2\n", name="left")
    desk.source("y,m,z\n2013,1,10\n2013,2,20\n", name="right")
    link = {"source": "right", "on": {"year(day)": "y", "month(day)": "m"}}
    desk.declare(dataset={"base": "left", "links": [link]})
    desk.sync()
    desk.link()
    assert [row["z"] for row in table(desk)] == [10, 20]


def test_a_link_may_use_what_an_earlier_link_brought(desk: Any) -> None:
    desk.source("a\n1\n", name="one")
    desk.source("a,b\n1,2\n", name="two")
    desk.source("b,c\n2,3\n", name="three")
    links = [{"source": "two", "on": {"a": "a"}}, {"source": "three", "on": {"b": "b"}}]
    desk.declare(dataset={"base": "one", "links": links})
    desk.sync()
    desk.link()
    assert table(desk) == [{"a": 1, "b": 2, "c": 3}]


def test_columns_are_derived_one_from_the_other_and_rows_filtered(desk: Any) -> None:
    desk.source("x\n1\n2\n3\n")
    desk.declare(dataset={"base": "table", "derive": {"double": "x * 2", "big": "double > 2"}, "where": "x < 3"})
    desk.sync()
    desk.link()
    assert table(desk) == [{"x": 1, "double": 2, "big": False}, {"x": 2, "double": 4, "big": True}]
    assert {column.name: column.source for column in desk.engine.data.version().columns} == {
        "x": "table",
        "double": "derived",
        "big": "derived",
    }


def test_roles_and_split_come_from_the_declaration(desk: Any) -> None:
    desk.source("id,at,x\n1,2013-01-01,5\n2,2013-02-01,NA\n3,2013-03-01,7\n3,2013-03-02,9\n", null=["NA"])
    desk.declare(
        problem={"target": "y"},
        dataset={
            "base": "table",
            "derive": {"y": "x > 5"},
            "key": ["id"],
            "time": "at",
            "split": {
                "train": {"start": "2013-01-01", "end": "2013-02-02"},
                "test": {"start": "2013-03-01", "end": "2013-03-02"},
            },
        },
    )
    desk.sync()
    desk.link()
    version = desk.engine.data.version()
    assert (version.label, version.time, version.keys, version.features) == ("y", "at", ["id"], ["x"])
    assert {name: (part.rows, part.labelled) for name, part in version.split.items()} == {
        "train": (2, 1),
        "test": (1, 1),
    }
    assert version.label_counts == {"true": 2, "false": 1}
    assert version.repeated_keys == 1


@pytest.mark.parametrize(
    ("dataset", "place"),
    [
        ({"derive": {"y": "k > nothing"}}, "dataset.derive.y"),
        ({"derive": {"y": "k > 1"}}, "dataset.derive.y"),
        ({"derive": {"x": "1"}}, "dataset.derive.x"),
        ({"where": "x = (select 1)"}, "dataset.where"),
        ({"where": "x / 'a' > 1"}, "dataset"),
        ({"key": ["none"]}, "dataset.key"),
        ({"time": "none"}, "dataset.time"),
        ({"links": [{"source": "right", "on": {"k": "k"}, "columns": ["none"]}]}, "dataset.links[0].columns"),
        ({"links": [{"source": "right", "on": {"k": "none"}}]}, "dataset.links[0].on"),
        ({"links": [{"source": "right", "on": {"none": "k"}}]}, "dataset.links[0].on"),
        ({"links": [{"source": "right", "on": {}}]}, "dataset.links[0]"),
        ({"links": [{"source": "right", "on": {"k": "k"}, "columns": ["k"]}]}, "dataset.links[0].columns"),
    ],
)
def test_a_declaration_that_does_not_fit_is_refused_with_its_place(
    desk: Any, dataset: dict[str, Any], place: str
) -> None:
    declare_pair(desk, "k,x\na,1\n", "k,y\na,10\n", **dataset)
    with pytest.raises(BadInput) as refused:
        desk.link()
    assert refused.value.place == place
    assert desk.engine.data.versions() == []
    assert not list(desk.engine.workspace.data.glob(".*"))


def test_a_missing_base_or_snapshot_says_what_to_do(desk: Any) -> None:
    with pytest.raises(BadInput, match="No dataset is declared"):
        desk.link()
    desk.source("a\n1\n")
    desk.declare(dataset={"base": "table"})
    with pytest.raises(NotFound, match="no snapshot yet"):
        desk.link()
    desk.declare(dataset={"base": "other"})
    with pytest.raises(ConfigError, match="no source"):
        desk.link()


def test_linking_again_gives_the_same_version_and_another_split_gives_a_new_one(desk: Any) -> None:
    desk.source("at\n2013-01-01\n2013-02-01\n")
    desk.declare(dataset={"base": "table", "time": "at"})
    desk.sync()
    first = desk.link()
    assert desk.link()["version"] == first["version"]
    split = {"train": {"start": "2013-01-01", "end": "2013-02-01"}}
    desk.declare(dataset={"base": "table", "time": "at", "split": split})
    assert desk.link()["number"] == 2
    desk.declare(dataset={"base": "table", "time": "at"})
    desk.link()
    assert desk.engine.data.version().number == 1


def test_a_link_that_overwrites_gives_its_value_where_it_has_one_and_leaves_the_others(desk: Any) -> None:
    desk.source("k,x\na,1\nb,2\nc,3\n", name="left")
    desk.source("k,x,new\na,10,u\nb,,v\n", name="right")
    links = [{"source": "right", "on": {"k": "k"}, "columns": ["x", "new"], "overwrite": True}]
    desk.declare(dataset={"base": "left", "links": links})
    desk.sync()
    desk.link()
    expected = [{"k": "a", "x": 10, "new": "u"}, {"k": "b", "x": 2, "new": "v"}, {"k": "c", "x": 3, "new": None}]
    assert table(desk) == expected
