"""The past of a workspace: what is told of a moment is what was told at that moment, and nothing of it can change."""

import pytest

from lemnis.engine import Engine
from lemnis.engine.deploy.aliases import move
from lemnis.engine.errors import BadInput, ReadOnly
from lemnis.engine.problem.history import record_text
from lemnis.engine.store.past import TABLES

HOUR = 3_600_000


def insert(engine: Engine, table: str, **row: object) -> None:
    with engine.store.write() as db:
        db.table(table).insert(row)


def test_nothing_was_there_before_the_beginning(engine: Engine) -> None:
    for name, told in TABLES.items():
        then = Engine(engine.workspace, at=1)
        for table in told:
            assert then.store.rows(f"select * from {table}", name=name) == []
        then.store.close()


def test_a_run_has_the_state_it_had(engine: Engine) -> None:
    work = {"state": "finished", "why": "finished", "created_at": 10, "started_at": 20, "ended_at": 30}
    insert(engine, "jobs", id=1, kind="train", title="t", arguments="{}", pid=7, progress=1.0, **work)
    insert(engine, "runs", id=1, name="first", job_id=1, model_sha256="ab", deleted_at=40, **work)
    told: dict[int, object] = {}
    for at in (9, 10, 20, 29, 30, 39, 40):
        then = Engine(engine.workspace, at=at)
        row = then.store.row("select state, started_at, ended_at, model_sha256, deleted_at from runs")
        told[at] = row and tuple(row)
        assert [job.state for job in then.jobs.jobs()] == ([row["state"]] if row else [])
        then.store.close()
    assert told == {
        9: None,
        10: ("queued", None, None, None, None),
        20: ("running", 20, None, None, None),
        29: ("running", 20, None, None, None),
        30: ("finished", 20, 30, "ab", None),
        39: ("finished", 20, 30, "ab", None),
        40: ("finished", 20, 30, "ab", 40),
    }


def test_an_alias_names_the_version_it_named(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    insert(engine, "runs", id=1, name="first", state="finished", created_at=1)
    insert(engine, "models", name="late", created_at=5)
    for number in (1, 2):
        facts = {"sha256": "s", "path": "p", "bytes": 1, "signature": "{}", "golden": "{}", "who": "ana", "why": "w"}
        insert(engine, "model_versions", model="late", version=number, run_id=1, created_at=5 * number, **facts)
    for at, version in ((20, 1), (30, 2), (40, 1)):
        event = {"model": "late", "alias": "champion", "kind": "promote", "version": version}
        insert(engine, "alias_events", at=at, who="ana", why="w", **event)
    told: list[dict[str, int]] = []
    for at in (19, 20, 30, 40):
        then = Engine(engine.workspace, at=at)
        (model,) = then.deploy.models()
        told.append(dict(model.aliases))
        assert model.versions == 2
        assert len(then.deploy.history()) == (at >= 20) + (at >= 30) + (at >= 40)
        then.store.close()
    assert told == [{}, {"champion": 1}, {"champion": 2}, {"champion": 1}]


def test_a_split_has_the_share_it_had(engine: Engine) -> None:
    insert(engine, "models", name="late", created_at=1)
    insert(engine, "endpoints", name="late", model="late", alias="champion", host="h", port=1, created_at=1,
           changed_at=1)  # fmt: skip
    insert(engine, "splits", endpoint="late", mode="canary", champion=1, challenger=2, alias="challenger", percent=50,
           alpha=0.05, bounds="{}", state="stopped", why="done", who="ana", started_at=10, ended_at=40)  # fmt: skip
    for at, words in ((20, "5 % → 20 %"), (30, "20 % → 50 %")):
        insert(engine, "endpoint_events", endpoint="late", at=at, kind="share", version=2, who="ana", why=words)
    shares: list[tuple[str, float]] = []
    for at in (10, 20, 30, 40):
        then = Engine(engine.workspace, at=at)
        shares += [(str(row["state"]), float(row["percent"])) for row in then.store.rows("select * from splits")]
        then.store.close()
    assert shares == [("running", 5.0), ("running", 20.0), ("running", 50.0), ("stopped", 50.0)]


def test_what_was_declared_is_read_as_it_was(engine: Engine) -> None:
    for at, title in ((HOUR, "One"), (2 * HOUR, "Two")):
        record_text(engine.store, f'[problem]\ntitle = "{title}"\n', "ana", "w", now=at)
    first, second = engine.as_of(HOUR), engine.as_of(3 * HOUR)
    assert (first.config().problem.title, second.config().problem.title) == ("One", "Two")
    assert len(first.problem.history()) == 1
    folder = first.workspace.config.parent
    first.store.close()
    del first
    assert not folder.exists()
    second.store.close()


def test_the_past_can_not_be_changed_and_has_a_beginning_and_an_end(engine: Engine) -> None:
    record_text(engine.store, '[problem]\ntitle = "One"\n', "ana", "w", now=HOUR)
    then = engine.as_of(HOUR)
    with pytest.raises(ReadOnly, match="as it was at 1970-01-01T01:00:00Z"):
        then.store.write()
    with pytest.raises(ReadOnly):
        move(then.store, "late", "champion", 1, kind="promote", who="ana", why="w")
    with pytest.raises(BadInput, match="no record of"):
        engine.as_of(HOUR - 1)
    with pytest.raises(BadInput, match="yet to come"):
        engine.as_of(engine.now_ms() + HOUR)
    then.store.close()


def test_what_happened_is_found_step_by_step(engine: Engine) -> None:
    record_text(engine.store, '[problem]\ntitle = "One"\n', "ana", "stated", now=HOUR)
    insert(engine, "runs", id=1, name="first", state="finished", created_at=1, ended_at=2 * HOUR)
    assert [moment.text for moment in engine.moments()] == ["run 1 first: finished", "lemnis.toml: stated"]
    back = engine.moment_beside(2 * HOUR, later=False)
    assert back is not None
    assert (back.at, back.kind) == (HOUR, "declaration")
    assert engine.moment_beside(HOUR, later=False) is None
    on = engine.moment_beside(HOUR, later=True)
    assert on is not None
    assert on.kind == "run"


def test_the_machine_is_told_by_the_means_of_that_time(engine: Engine) -> None:
    for at, load in ((0, 10.0), (10_000, 90.0)):
        with engine.store.write("metrics") as db:
            sample = f'{{"cpu_percent": {load}, "memory_percent": 5}}'
            db.table("telemetry").insert({"source": "host", "resolution": 1, "at": at, "sample": sample})
    then = Engine(engine.workspace, at=1_500)
    assert then.resources.host().cpu_percent == 10.0
    assert then.resources.processes().rows == []
    assert "not kept" in then.resources.gpus().reason
    then.store.close()
    unknown = Engine(engine.workspace, at=900_000)
    assert unknown.resources.host().cpu_percent is None
    unknown.store.close()
