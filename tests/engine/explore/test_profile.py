"""A profile says what DuckDB says of the same rows, column by column, and keeps what was measured."""

from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from lemnis.engine.data import Version
from lemnis.engine.data.versions import record_version
from lemnis.engine.errors import Cancelled, NotFound
from lemnis.engine.explore import ExploreRoom, Profile, columns, jobs
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.store import Store


@pytest.fixture(scope="module")
def profiles(store: Store, version: Version) -> dict[str, Profile]:
    result = jobs.profile(JobContext.for_test(store), {"version": version.id})
    assert result["columns"] == len(version.columns)
    return {profile.name: profile for profile in ExploreRoom(store).profiles(version.id)}


def answer(sql: str) -> list[tuple[Any, ...]]:
    found = duckdb.sql(sql)
    assert found is not None
    return found.fetchall()


def words(profile: Profile) -> list[str]:
    return [note.word for note in profile.notes]


def test_profiles_come_in_the_order_of_the_columns(profiles: dict[str, Profile], version: Version) -> None:
    assert list(profiles) == [column.name for column in version.columns]


@pytest.mark.parametrize("name", ["id", "delay", "gust", "same", "carrier", "tail", "late", "at"])
def test_figures_are_duckdbs(profiles: dict[str, Profile], version: Version, name: str) -> None:
    profile = profiles[name]
    source = f"from read_parquet('{version.path}')"
    missing, distinct = answer(f'select count(*) - count("{name}"), count(distinct "{name}") {source}')[0]
    assert (profile.rows, profile.missing, profile.distinct) == (version.rows, missing, distinct)
    if profile.kind == "numeric":
        row = answer(
            f"""select min({name}), max({name}), avg({name}), stddev_samp({name}), skewness({name}),
                quantile_cont({name}, 0.05), median({name}), quantile_cont({name}, 0.99) {source}"""
        )[0]
        assert (float(profile.minimum or 0), float(profile.maximum or 0)) == row[:2]
        assert (profile.mean, profile.deviation) == pytest.approx(row[2:4])
        assert [profile.quantiles[share] for share in ("0.05", "0.5", "0.99")] == pytest.approx(list(row[5:]))
        if profile.skewness is not None:  # DuckDB corrects it for small samples
            assert profile.skewness == pytest.approx(row[4], rel=1e-3, abs=1e-3)
    if profile.top:
        top = answer(
            f'select max(n) from (select count(*) as n {source} where "{name}" is not null group by "{name}")'
        )[0][0]
        assert profile.top[0].rows == top


def test_every_row_is_in_the_histogram_or_missing(profiles: dict[str, Profile]) -> None:
    for profile in profiles.values():
        drawn = sum(profile.histogram.counts) + profile.histogram.below + profile.histogram.above
        infinite = profile.rows // 4 if profile.name == "odd" else 0
        assert drawn + profile.missing + infinite == profile.rows


def test_classes_are_drawn_most_frequent_first_without_unlabelled_rows(profiles: dict[str, Profile]) -> None:
    late, carrier = profiles["late"], profiles["carrier"]
    assert list(carrier.histogram.by_class) == ["false", "true"]
    drawn = sum(sum(counts) for counts in carrier.histogram.by_class.values())
    assert drawn == late.rows - late.missing


def test_times_have_readable_ends(profiles: dict[str, Profile]) -> None:
    assert profiles["at"].minimum == "2013-01-01 00:00:00"
    assert profiles["at"].median == pytest.approx(1356998400000 + 300_000 * (70_000 - 1) / 2)


def test_notes_name_what_a_person_should_see(profiles: dict[str, Profile]) -> None:
    assert words(profiles["same"]) == ["constant"]
    assert words(profiles["none"]) == ["empty"]
    assert words(profiles["id"]) == ["unique"]
    assert words(profiles["tail"]) == ["high cardinality"]
    assert "missing with the target" in words(profiles["gust"])
    assert words(profiles["odd"])[:2] == ["constant", "infinite"]
    assert "skewed" in words(profiles["delay"])
    assert words(profiles["carrier"]) == []


def test_a_profile_that_is_there_is_not_measured_again(
    store: Store, version: Version, profiles: dict[str, Profile]
) -> None:
    context = JobContext.for_test(store)
    assert jobs.profile(context, {"version": version.id})["columns"] == 0
    assert jobs.profile(context, {"version": version.id, "again": True})["columns"] == len(profiles)
    assert {profile.name: profile for profile in ExploreRoom(store).profiles(version.id)} == profiles


def test_a_cancelled_profile_keeps_what_was_measured(store: Store, version: Version) -> None:
    context = JobContext.for_test(store)
    progress = context.progress

    def stop_after_three(share: float | None, text: str) -> None:
        if share and share * len(version.columns) >= 3:
            context.stop.set()
        progress(share, text)

    context.progress = stop_after_three  # type: ignore[method-assign]
    with pytest.raises(Cancelled):
        jobs.profile(context, {"version": version.id, "again": True})
    assert len(ExploreRoom(store).profiles(version.id)) == 3


def test_profiling_an_unknown_version_is_refused(store: Store, version: Version) -> None:
    with pytest.raises(NotFound):
        ExploreRoom(store).start_profile("ffffffff")


def test_an_empty_table_has_profiles_too(store: Store) -> None:
    empty = record_version(store, pa.table({"x": pa.array([], pa.float64())}), name="empty", roles={}, split={})
    jobs.profile(JobContext.for_test(store), {"version": empty.id})
    assert words(ExploreRoom(store).profiles(empty.id)[0]) == ["empty"]


def test_a_large_version_is_sampled_first_with_margins_and_then_exact(
    store: Store, version: Version, profiles: dict[str, Profile], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "SAMPLE_FROM", 1000)
    monkeypatch.setattr(columns, "SAMPLE_ROWS", 4000)
    context, room = JobContext.for_test(store), ExploreRoom(store)
    progress = context.progress

    def stop_at_the_exact_ones(share: float | None, text: str) -> None:
        if share and share > 0.05:
            context.stop.set()
        progress(share, text)

    context.progress = stop_at_the_exact_ones  # type: ignore[method-assign]
    with pytest.raises(Cancelled):
        jobs.profile(context, {"version": version.id, "again": True, "first": "delay"})
    partly = {profile.name: profile for profile in room.profiles(version.id)}
    sampled = [profile for profile in partly.values() if not profile.exact]
    assert len(partly) == len(version.columns)
    assert len(sampled) >= 5
    for profile in sampled:
        assert (profile.rows, profile.sample_of) == (4000, version.rows)
        if "mean" in profile.findings.margins and profile.name not in ("id", "odd"):
            exact = profiles[profile.name]
            assert abs((profile.mean or 0) - (exact.mean or 0)) <= 3 * profile.findings.margins["mean"] + 1e-9
    jobs.profile(JobContext.for_test(store), {"version": version.id})
    assert {profile.name: profile for profile in room.profiles(version.id)} == profiles
    missing = room.missing(version.id)
    assert missing is not None
    assert (missing.exact, sum(pattern.rows for pattern in missing.patterns)) == (True, version.rows)


def test_drift_is_measured_against_the_version_before(store: Store, table: pa.Table) -> None:
    def recorded(rows: pa.Table) -> dict[str, Profile]:
        version = record_version(store, rows, name="moving", roles={"late": "label"}, split={})
        jobs.profile(JobContext.for_test(store), {"version": version.id})
        return {profile.name: profile for profile in ExploreRoom(store).profiles(version.id)}

    first = recorded(table.select(["delay", "carrier", "late"]))
    assert first["delay"].findings.drift is None
    assert (first["delay"].findings.association or 0) > 0.1
    moved = pa.table({"delay": pc.add(table["delay"], 20.0), "carrier": table["carrier"], "late": table["late"]})
    second = recorded(moved)
    assert second["delay"].findings.drift_from == "moving v1"
    assert "drifted" in words(second["delay"])
    assert (second["carrier"].findings.drift or 0) == pytest.approx(0, abs=1e-6)


def test_a_note_that_was_kept_before_the_rule_was_made_is_weighed_by_it(
    profiles: dict[str, Profile], store: Store, version: Version
) -> None:
    before = {name: [(note.word, note.act) for note in profile.notes] for name, profile in profiles.items()}
    with store.write() as db:  # as they were kept when every note asked to act
        db.execute("update profiles set notes = replace(replace(notes, ',\"act\":false', ''), ',\"act\":true', '')")
    read = {profile.name: profile for profile in ExploreRoom(store).profiles(version.id)}
    assert {name: [(note.word, note.act) for note in profile.notes] for name, profile in read.items()} == before
    assert {note.act for profile in read.values() for note in profile.notes} == {True, False}
