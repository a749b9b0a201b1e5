"""What a link would do, against plain Python and against the link that is made afterwards."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lemnis.engine.config import Dataset, Link
from lemnis.engine.data import KeyRows, Side, drafted, fan_out_of, without
from lemnis.engine.data.drafts import LinkDraft, LinkPreview
from lemnis.engine.data.duck import open_duck
from lemnis.engine.data.link import link_sources
from lemnis.engine.data.pairing import proposals_of
from lemnis.engine.data.parquet import store_parquet
from lemnis.engine.data.snapshots import Field, Snapshot
from lemnis.engine.data.trial import SHOWN, page_of, preview_of, refusal_of
from lemnis.engine.errors import BadInput, Cancelled, NotFound

EVIL = "\x1b[2J[b]evil[/b]\x00"


def snapshot(engine: Any, name: str, table: Any) -> Snapshot:
    stored = store_parquet(engine.workspace, table)
    fields = [Field(name=field.name, type=str(field.type)) for field in table.schema]
    blank = {"origin": "", "origin_sha256": "", "reading": "", "created_at": 0, "checked_at": 0, "job_id": None}
    known: dict[str, Any] = blank | {"id": 1, "origin_bytes": 0, "origin_modified_ns": 0, "columns": fields}
    known |= {"source": name, "sha256": stored.sha256, "rows": stored.rows, "bytes": stored.bytes}
    return Snapshot(**known, path=stored.path)


def tried(engine: Any, left: Any, right: Any, link: Link, **dataset: Any) -> tuple[LinkPreview, Any]:
    """Return what a link would do, and the report of linking just that afterwards."""
    snapshots = {"left": snapshot(engine, "left", left), "right": snapshot(engine, "right", right)}
    paths = {name: one.path for name, one in snapshots.items()}
    draft = drafted(Dataset(base="left", **dataset), link)
    with open_duck(views=paths) as duck:
        preview = preview_of(duck, draft, snapshots)
        sides: list[tuple[Side, list[KeyRows]]] = [
            ("left", preview.orphans), ("right", preview.unused), ("duplicates", preview.duplicates)
        ]  # fmt: skip
        for side, first in sides:
            page = page_of(duck, draft, side, 0, SHOWN)
            assert page.rows == first
            assert page.total == len(first)
    with open_duck(views=paths) as duck:
        return preview, link_sources(duck, draft.dataset, snapshots).reports[0]


part = st.sampled_from(["a", "b", "c", EVIL, "", None])
keys = st.lists(st.tuples(part, st.sampled_from([1, 2, None])), max_size=14)


@pytest.mark.slow
@given(keys, keys)
@settings(max_examples=6)
@example([("a", 1), ("a", None), ("b", 1), ("b", 1)], [("a", 1)] * 12 + [("c", 1), (None, 1)])
def test_a_look_counts_what_plain_python_counts_and_what_the_link_reports_afterwards(
    engine_factory: Any, left: list[Any], right: list[Any]
) -> None:
    import pyarrow as pa

    def table(rows: list[Any]) -> Any:
        columns = {"k": pa.array([k for k, _ in rows], pa.string()), "n": pa.array([n for _, n in rows], pa.int64())}
        return pa.table(columns | {"v": list(range(len(rows)))})

    link = Link(source="right", on={"k": "k", "n": "n"}, prefix="r_")
    preview, report = tried(engine_factory, table(left), table(right), link)
    assert preview.report == report
    asked = Counter(key for key in left if None not in key)
    held = Counter(key for key in right if None not in key)
    partners = [held[key] if None not in key else 0 for key in left]
    assert (report.rows_in, report.rows_out) == (len(left), sum(max(1, count) for count in partners))
    assert (report.matched, report.null_keys) == (sum(count > 0 for count in partners), len(left) - asked.total())
    assert (preview.left_keys, preview.right_keys) == (len(asked), len(held))
    assert (preview.right_rows, preview.right_null_rows) == (len(right), len(right) - held.total())
    assert dict(fan_out_of(report.fan_out)) == {
        "0": partners.count(0),
        "1": partners.count(1),
        "2": partners.count(2),
        "3–9": sum(3 <= count <= 9 for count in partners),
        "10+": sum(count >= 10 for count in partners),
    }
    orphans = {key: rows for key, rows in asked.items() if key not in held}
    unused = {key: rows for key, rows in held.items() if key not in asked}
    twice = {key: rows for key, rows in held.items() if rows > 1}
    for found, expected in ((preview.orphans, orphans), (preview.unused, unused), (preview.duplicates, twice)):
        assert {(one.key[0], int(one.key[1])): one.rows for one in found} == expected
        assert [one.rows for one in found] == sorted(expected.values(), reverse=True)
    assert {(one.key[0], int(one.key[1])): one.asked for one in preview.duplicates} == {
        key: asked[key] for key in twice
    }
    assert (preview.unused_rows, preview.duplicate_rows) == (sum(unused.values()), sum(twice.values()))
    assert preview.brings == {"v": "r_v"}


@pytest.fixture(scope="module")
def engine_factory(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from support import engine_at

    engine = engine_at(tmp_path_factory.mktemp("trial"))
    yield engine
    engine.store.close()


def moments(*hours: int) -> Any:
    import pyarrow as pa

    return pa.array([hour * 3_600_000_000 for hour in hours], pa.timestamp("us", "UTC"))


def test_rows_that_know_the_future_are_counted_with_examples_and_an_asof_link_has_none(engine_factory: Any) -> None:
    import pyarrow as pa

    left = pa.table({"k": ["a", "a", "b"], "t": moments(5, 9, 5)})
    right = pa.table({"k": ["a", "a", "b"], "at": moments(4, 8, 7), "v": [1, 2, 3]})
    preview, report = tried(engine_factory, left, right, Link(source="right", on={"k": "k"}), time="t")
    assert preview.report == report
    assert (preview.decided, preview.times, preview.later) == ("t", ["at"], ["at"])
    (travel,) = report.travel
    assert (travel.rows, travel.of, travel.most_seconds) == (2, 5, 3 * 3600)
    assert [example[0] for example in travel.examples] == [["a"], ["b"]]
    preview, report = tried(engine_factory, left, right, Link(source="right", on={"k": "k"}, asof="at"), time="t")
    assert preview.report == report
    assert (preview.later, report.untimely_rows, report.rows_out) == ([], 1, 3)


hours = st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from([None, 1, 2, 3, 9])), max_size=9)


@pytest.mark.slow
@given(hours, hours)
@settings(max_examples=6)
@example([("a", 2), ("a", 2), ("b", None)], [("a", 1), ("a", 3), ("a", 3), ("a", None), ("b", 9)])
def test_later_times_are_counted_as_a_loop_over_all_pairs_counts_them(
    engine_factory: Any, left: list[Any], right: list[Any]
) -> None:
    import pyarrow as pa

    def table(rows: list[Any], name: str) -> Any:
        times = [None if hour is None else hour * 3_600_000_000 for _, hour in rows]
        return pa.table({"k": pa.array([k for k, _ in rows], pa.string()), name: pa.array(times, pa.timestamp("us"))})

    link = Link(source="right", on={"k": "k"})
    (travel,) = tried(engine_factory, table(left, "t"), table(right, "at"), link, time="t")[0].report.travel
    met = [(t, at) for k, t in left for key, at in right if None not in (k, t, at) and k == key]
    later = [at - t for t, at in met if at > t]
    assert (travel.of, travel.rows, travel.most_seconds) == (len(met), len(later), max(later, default=0) * 3600)
    assert len(travel.examples) <= len(later)


def test_without_a_decision_time_nothing_is_compared_and_that_is_said(engine_factory: Any) -> None:
    import pyarrow as pa

    right = pa.table({"k": ["a"], "at": moments(4)})
    preview, _ = tried(engine_factory, pa.table({"k": ["a"]}), right, Link(source="right", on={"k": "k"}))
    assert (preview.decided, preview.times, preview.report.travel) == ("", ["at"], [])


@pytest.mark.parametrize("left", [[7, 8], [True, False], [1.5, 2.5]])
def test_a_text_is_not_compared_with_another_type(engine_factory: Any, left: list[Any]) -> None:
    import pyarrow as pa

    with pytest.raises(BadInput, match=r"k holds \w+, right\.k holds VARCHAR: they can't be compared") as refused:
        tried(engine_factory, pa.table({"k": left}), pa.table({"k": ["007"]}), Link(source="right", on={"k": "k"}))
    assert (refused.value.place, "cast(k as varchar)" in refused.value.remedy) == ("dataset.links[0].on", True)
    nothing = pa.table({"k": pa.array([None], pa.string()), "v": [1]})
    preview, _ = tried(engine_factory, pa.table({"k": left}), nothing, Link(source="right", on={"k": "k"}))
    assert preview.report.orphan_rows == 2, "a side without any value has no type to speak of"


def test_orphans_that_are_only_written_differently_are_found_and_how_is_said(engine_factory: Any) -> None:
    import pyarrow as pa

    left = pa.table({"k": ["a1", " A2 ", "a3", "b9", "A4"], "n": [1, 2, 2, 1, 1]})
    right = pa.table({"k": ["A1", "A2", "A3", "A4"], "n": [1, 2, 3, 1]})
    preview, _ = tried(engine_factory, left, right, Link(source="right", on={"k": "k", "n": "n"}))
    assert preview.near is not None
    assert (preview.near.on, preview.near.keys, preview.near.rows) == ({"upper(trim(k))": "k", "n": "n"}, 2, 2)
    preview, report = tried(engine_factory, left, right, Link(source="right", on=preview.near.on))
    assert (preview.near, report.matched) == (None, 3)


def test_what_the_rest_of_the_declaration_loses_is_said(engine_factory: Any) -> None:
    import pyarrow as pa

    snapshots = {
        "left": snapshot(engine_factory, "left", pa.table({"k": ["a"]})),
        "right": snapshot(engine_factory, "right", pa.table({"k": ["a"], "v": [1]})),
    }
    link = Link(source="right", on={"k": "k"})
    dataset = Dataset(base="left", links=[link], derive={"double": "v * 2"})
    paths = {name: one.path for name, one in snapshots.items()}
    with open_duck(views=paths) as duck:
        assert preview_of(duck, drafted(dataset, link, 1), snapshots).rest == ""
    with open_duck(views=paths) as duck:
        renamed = preview_of(duck, drafted(dataset, Link(source="right", on={"k": "k"}, prefix="r_"), 1), snapshots)
        assert renamed.rest == "dataset.derive.double: There is no column 'v' here."
    with open_duck(views=paths) as duck:
        assert refusal_of(duck, without(dataset, 1), snapshots) == renamed.rest


def proposed(engine: Any, left: Any, right: Any, source: str = "right", **dataset: Any) -> list[Any]:
    snapshots = {"left": snapshot(engine, "left", left), source: snapshot(engine, source, right)}
    draft: LinkDraft = drafted(Dataset(base="left", **dataset), Link(source=source, on={}))
    with open_duck(views={name: one.path for name, one in snapshots.items()}) as duck:
        return proposals_of(duck, draft, snapshots)


def test_keys_are_proposed_by_name_and_by_value_and_measured(engine_factory: Any) -> None:
    import pyarrow as pa

    left = pa.table({"customer_id": [1, 2, 3, 9], "select": ["x", "y", "x", "z"], "amount": [1.5, 2.5, 3.5, 4.5]})
    right = pa.table({"id": [1, 2, 3, 4], "code": ["x", "y", "w", "v"], "amount": [1.5, 2.5, 3.5, 4.5]})
    found = proposed(engine_factory, left, right, "customers")
    by_keys = {str(one.on): one for one in found}
    assert by_keys["{'customer_id': 'id'}"].why == "its name is customers's id"
    assert by_keys["{'customer_id': 'id'}"].match_rate == 0.75
    assert by_keys["{'\"select\"': 'code'}"].match_rate == 0.75, "a name that is a word of SQL is quoted"
    assert not any("amount" in one.on for one in found), "fractions are no keys"


def test_keys_that_only_together_are_unique_are_proposed_together_and_the_time_as_asof(engine_factory: Any) -> None:
    import pyarrow as pa

    hours = [hour for hour in range(20) for _ in range(2)]
    right = pa.table({"site": ["a", "b"] * 20, "hour": moments(*hours), "v": list(range(40))})
    left = pa.table({"site": ["a", "b", "a"], "hour": moments(3, 4, 99)})
    found = proposed(engine_factory, left, right, time="hour")
    shown = [(set(one.on), one.asof, round(one.match_rate, 2), one.unique) for one in found]
    assert ({"site", "hour"}, "", 0.67, 1.0) in shown
    assert ({"site"}, "hour", 1.0, 1.0) in shown


def test_a_bench_answers_from_a_process_of_its_own_until_it_is_closed(desk: Any) -> None:
    desk.source("k,x\na,1\nb,2\nb,3\n", name="left")
    desk.source("k,y\na,10\nc,20\n", name="right")
    desk.declare(dataset={"base": "left"})
    draft = drafted(desk.engine.config().dataset, Link(source="right", on={"k": "k"}))
    bench = desk.engine.data.link_bench()
    with bench:
        with pytest.raises(NotFound, match="has no snapshot yet"):
            bench.preview(draft)
        desk.sync()
        preview = bench.preview(draft)
        assert (preview.report.match_rate, preview.report.orphan_keys) == (1 / 3, 1)
        assert [(one.key, one.rows) for one in bench.every_key(draft, "right")] == [(["c"], 1)]
        assert [one.on for one in bench.proposals(draft)] == [{"k": "k"}]
        with pytest.raises(BadInput, match="no column 'z'") as refused:
            bench.preview(drafted(draft.dataset, Link(source="right", on={"z": "k"}), 1))
        assert refused.value.place == "dataset.links[0].on"
        assert bench.refusal(draft.dataset) == ""
        bench.cancel()
        assert bench.preview(draft).report == preview.report, "nothing was being answered, so nothing ended"
    assert not list(desk.engine.workspace.data.glob(".looking.*"))


def test_a_newer_question_ends_the_one_before(desk: Any) -> None:
    import threading

    from support import until

    desk.source("k\na\n", name="left")
    desk.source("k\na\na\n", name="right")
    desk.declare(dataset={"base": "left"})
    desk.sync()
    dataset = desk.engine.config().dataset
    ended: list[BaseException] = []

    def ask() -> None:
        try:
            bench.preview(drafted(dataset, Link(source="right", on={"k": "k"})))
        except BaseException as error:
            ended.append(error)

    with desk.engine.data.link_bench() as bench:
        thread = threading.Thread(target=ask)
        thread.start()
        until(lambda: bench._busy)
        bench.cancel()
        thread.join(20)
        assert [type(error) for error in ended] == [Cancelled]
        assert bench.preview(drafted(dataset, Link(source="right", on={"k": "k"}))).report.multiplies
