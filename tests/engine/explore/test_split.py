"""A column by the classes of another, the keys of far rows, and the rows of a pattern of missing values."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from msgspec.structs import replace

from lemnis.engine.data import Version
from lemnis.engine.errors import NotFound
from lemnis.engine.explore import ExploreRoom, jobs, missing_condition, split
from lemnis.engine.explore.profile import Extreme, save_profile
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.store import Store


def test_the_classes_are_the_values_of_another_column_or_its_quarters(
    store: Store, version: Version, table: pa.Table
) -> None:
    room = ExploreRoom(store)
    by_carrier = room.profile_by(version.id, "delay", "carrier")
    assert [one.name for one in by_carrier.findings.classes] == ["UA", "B6", "EV"]
    for one in by_carrier.findings.classes:
        mine = table.filter(pc.equal(table["carrier"], one.name))["delay"]
        assert (one.rows, one.mean) == (len(mine), pytest.approx(pc.mean(mine).as_py()))
        assert sum(by_carrier.histogram.by_class[one.name]) <= one.rows
    by_delay = room.profile_by(version.id, "carrier", "delay")
    assert [round(one.rows / version.rows, 3) for one in by_delay.findings.classes] == [0.25] * 4
    by_time = room.profile_by(version.id, "delay", "at")
    assert by_time.findings.classes[0].name == "under 2013-03-02"
    many = room.profile_by(version.id, "delay", "tail")
    assert len(many.findings.classes) == 10
    with pytest.raises(NotFound):
        room.profile_by(version.id, "delay", "nothing")


def test_of_a_large_version_the_sample_is_read(store: Store, version: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split, "SAMPLE_FROM", 1000)
    found = ExploreRoom(store).profile_by(version.id, "delay", "carrier")
    assert (found.exact, found.sample_of, len(found.findings.classes)) == (False, version.rows, 3)


def test_far_values_come_with_the_keys_of_their_rows(store: Store, version: Version, table: pa.Table) -> None:
    jobs.profile(JobContext.for_test(store), {"version": version.id, "again": True})
    room = ExploreRoom(store)
    profiles = {profile.name: profile for profile in room.profiles(version.id)}
    found = profiles["delay"].findings.extremes
    delays = table["delay"].to_numpy()
    assert [one.value for one in found if one.value > 0] == sorted(delays, reverse=True)[:5]
    for one in found:
        assert delays[one.row] == one.value
        assert one.key is not None
        assert list(one.key) == ["id", "at"]
        assert one.key["id"] == one.row
    assert profiles["carrier"].findings.extremes == []
    bare = [Extreme(value=one.value, row=one.row) for one in found]
    old = replace(profiles["delay"], findings=replace(profiles["delay"].findings, extremes=bare))
    with store.write() as db:
        save_profile(db, version.id, old, now=0)  # as it was kept before the keys were
    jobs.profile(JobContext.for_test(store), {"version": version.id})
    assert room.profiles(version.id) == list(profiles.values())


def test_the_condition_of_a_pattern_finds_exactly_its_rows(store: Store, version: Version) -> None:
    room = ExploreRoom(store)
    jobs.profile(JobContext.for_test(store), {"version": version.id})
    found = room.missing(version.id)
    assert found is not None
    for pattern in [found.patterns[0], found.patterns[-1]]:
        asked = room.asked(version, [missing_condition(version, found, pattern)])
        page = room.rows(version.id, limit=1, asked=asked)
        assert page.total == pattern.rows
    assert np.sum([pattern.rows for pattern in found.patterns]) == version.rows
