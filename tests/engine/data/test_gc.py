"""Collecting garbage: nothing that anything refers to ever goes, whatever happens at the same time."""

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_problem import SPLIT, add_run, flights, make_engine
from support import until

from lemnis.engine import Engine
from lemnis.engine.data import gc, versions
from lemnis.engine.data.references import MEASURED, holding_of, referring_columns
from lemnis.engine.data.verified import mark_path
from lemnis.engine.data.versions import Version, record_version
from lemnis.engine.errors import BadInput, LemnisError, NotFound, Unavailable
from lemnis.engine.store import Store
from lemnis.engine.workspace import Workspace

ROLES = {"id": "key", "at": "time", "late": "label"}


def make(engine: Engine, rows: int, snapshots: dict[str, str] | None = None) -> Version:
    return record_version(
        engine.store, flights(rows), name="small", roles=ROLES, split=SPLIT, snapshots=snapshots, now=rows
    )


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return make_engine(tmp_path / "w")


def names(engine: Engine, **options: object) -> set[str]:
    return {one.title for one in gc.plan(engine.store, young_s=0, **options).removable}  # type: ignore[arg-type]


def add_snapshot(engine: Engine, source: str, at: int) -> str:
    from lemnis.engine.data.parquet import store_parquet

    stored = store_parquet(engine.workspace, flights(at))
    with engine.store.write() as db:
        row = dict.fromkeys(("origin", "origin_sha256", "reading"), "") | {"columns": "[]"}
        row |= {"source": source, "sha256": stored.sha256, "rows": at, "bytes": stored.bytes, "origin_bytes": 1}
        db.table("snapshots").insert(row | {"origin_modified_ns": 1, "created_at": at, "checked_at": at})
    return stored.sha256


def test_versions_that_nothing_refers_to_go_and_the_newest_stay(engine: Engine) -> None:
    made = [make(engine, rows) for rows in range(20, 26)]
    done = gc.collect(engine.store, who="eve", keep=2, young_s=0)
    assert done.files == 5
    left = engine.data.versions()
    assert [version.title for version in left] == ["small v1", "small v7"]
    assert all(version.path.exists() for version in left)
    assert not any(version.path.exists() or mark_path(version.path).exists() for version in made[:-1])
    assert done.bytes == sum(version.bytes for version in made[:-1])
    last = engine.data.last_collection()
    assert last == done
    assert "small v2" in done.what


def test_a_number_is_never_given_twice(engine: Engine) -> None:
    make(engine, 20), make(engine, 21)
    gc.collect(engine.store, who="eve", keep=1, young_s=0)
    assert make(engine, 22).title == "small v4"
    assert make(engine, 20).title == "small v2", "made again it is the version it was"
    assert make(engine, 20).path.exists()


def test_files_written_just_now_stay(engine: Engine) -> None:
    for rows in range(20, 26):
        make(engine, rows)
    assert gc.plan(engine.store, keep=1).removable == []
    assert gc.collect(engine.store, who="eve", keep=1).files == 0


def refer(engine: Engine, table: str, version: Version) -> None:
    """Make a row of `table` refer to a version, and nothing else."""
    with engine.store.write() as db:
        job = {"kind": "x", "title": "x", "created_at": 1}
        if table == "jobs":
            db.table("jobs").insert(job | {"arguments": f'{{"deep": [{{"of": "{version.id}"}}]}}'})
        elif table == "running jobs":
            db.table("jobs").insert(job | {"arguments": f'{{"version": "{version.short}"}}', "state": "running"})
        elif table == "feature_rankings":
            row = dict.fromkeys(("train_rows", "judged_rows", "rounds", "repeats", "seed", "elapsed_ms"), 1)
            row |= {"version_id": version.id, "skill": "AUC", "score": 0.5, "computed_at": 1}  # type: ignore[dict-item]
            db.table("feature_rankings").insert(row)
    if table in ("runs", "deleted runs", "model_versions", "endpoints"):
        run_id = add_run(engine, version_id=version.id, deleted_at=1 if table == "deleted runs" else None)
        if table in ("model_versions", "endpoints"):
            with engine.store.write() as db:
                db.table("models").insert({"name": "late", "created_at": 1})
                row = {"model": "late", "version": 1, "run_id": run_id, "sha256": "0" * 64, "path": "models/0.txt"}
                row |= {"bytes": 1, "signature": "{}", "golden": "{}", "who": "a", "why": "b", "created_at": 1}
                db.table("model_versions").insert(row)
                if table == "endpoints":
                    row = {"name": "e", "model": "late", "alias": "champion", "host": "h", "port": 1}
                    db.table("endpoints").insert(row | {"serving_version": 1, "created_at": 1, "changed_at": 1})


@pytest.mark.parametrize(
    ("table", "called"),
    [
        ("runs", "run 1"),
        ("deleted runs", "run 1 (deleted)"),
        ("model_versions", "model late v1"),
        ("endpoints", "endpoint e"),
        ("feature_rankings", "its feature ranking"),
        ("jobs", "job 1"),
        ("running jobs", "job 1"),
    ],
)
def test_what_is_referred_to_stays(engine: Engine, table: str, called: str) -> None:
    wanted = make(engine, 20)
    make(engine, 21), make(engine, 22)
    refer(engine, table, wanted)
    assert names(engine, keep=1) == {"small v3", "small v4"}
    gc.collect(engine.store, who="eve", keep=1, young_s=0)
    assert wanted.file.exists()
    held = holding_of(engine.store, wanted.id)
    assert held is not None
    assert called in held.held_by


def test_a_table_nobody_thought_of_holds_what_it_names(engine: Engine) -> None:
    wanted = make(engine, 20)
    make(engine, 21)
    with engine.store.write() as db:
        db.execute("create table labels_of_tomorrow (version_id text) strict")
        db.execute("insert into labels_of_tomorrow values (?)", [wanted.id])
    assert names(engine, keep=1) == {"small v3"}


def test_what_only_measures_a_version_is_named_on_purpose(engine: Engine) -> None:
    tables = {table for table, _ in referring_columns(engine.store)}
    assert {"runs", "evaluations", "feature_rankings"} <= tables - MEASURED


def test_snapshots_go_only_when_asked_and_only_old_ones(engine: Engine) -> None:
    used, loose, current = (add_snapshot(engine, "flights", at) for at in (30, 31, 32))
    make(engine, 20, {"flights": used})
    assert names(engine) == set()
    assert names(engine, snapshots=True) == {f"snapshot {loose[:8]} of flights"}
    gc.collect(engine.store, who="eve", snapshots=True, young_s=0)
    assert {one.sha256 for one in engine.data.snapshots()} == {used, current}


def test_a_link_that_runs_keeps_every_snapshot(engine: Engine) -> None:
    add_snapshot(engine, "flights", 30), add_snapshot(engine, "flights", 31)
    with engine.store.write() as db:
        db.table("jobs").insert(
            {"kind": "data.link", "title": "link", "arguments": "{}", "state": "running", "created_at": 1}
        )
    assert names(engine, snapshots=True) == set()


def test_what_a_killed_writer_left_behind_goes(engine: Engine) -> None:
    orphan = engine.workspace.data / f"{'a' * 64}.parquet"
    orphan.write_bytes(b"half")
    model = engine.workspace.hidden / "models" / f"{'b' * 64}.txt"
    model.parent.mkdir()
    model.write_bytes(b"tree")
    assert gc.collect(engine.store, who="eve").files == 0, "they are young: their rows may be on the way"
    for path in (orphan, model):
        os.utime(path, (1, 1))
    assert gc.collect(engine.store, who="eve").files == 2
    assert not orphan.exists()
    assert not model.exists()
    assert engine.data.version().file.exists()


def test_a_crash_between_rows_and_files_is_finished_by_the_next_collection(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = make(engine, 20)
    make(engine, 21)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(gc, "remove_files", crash)
    with pytest.raises(KeyboardInterrupt):
        gc.collect(engine.store, who="eve", keep=1, young_s=0)
    monkeypatch.undo()
    assert old.path.exists()
    assert old.id not in {version.id for version in engine.data.versions()}
    assert gc.collect(engine.store, who="eve", keep=1, young_s=0).files == 2
    assert not old.path.exists()


def test_a_run_can_not_be_queued_with_a_version_that_just_went(engine: Engine) -> None:
    old = make(engine, 20)
    make(engine, 21)
    gc.collect(engine.store, who="eve", keep=1, young_s=0)
    with pytest.raises(BadInput, match="not kept"):
        add_run(engine, state="queued", version_id=old.id)


def check(engine: Engine) -> None:
    """Every version that is listed or referred to by a run has its file, whole."""
    for version in engine.data.versions():
        assert version.file.exists()
    for row in engine.store.rows("select distinct version_id from runs where version_id is not null"):
        assert engine.data.version(row[0]).file.exists()


STEPS = st.lists(
    st.tuples(st.sampled_from(["make", "refer", "collect", "half", "orphan"]), st.integers(20, 27)), max_size=25
)


@given(STEPS)
@settings(max_examples=25)
@pytest.mark.slow
def test_after_any_order_of_steps_every_referenced_file_is_there(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    engine = make_engine(tmp_path_factory.mktemp("gc") / "w")
    for step, rows in steps:
        if step == "make":
            make(engine, rows)
        elif step == "refer":
            known = engine.store.rows("select id from versions order by number")
            try:
                add_run(engine, state="queued", version_id=known[rows % len(known)]["id"])
            except BadInput:
                continue
        elif step == "collect":
            gc.collect(engine.store, who="eve", keep=1, young_s=0, snapshots=rows % 2 == 0)
        elif step == "half":  # killed after the rows
            with engine.store.write() as db:
                for one in gc.removable_holdings(engine.store, keep=1, snapshots=False, young_s=0):
                    db.execute("update versions set removed_at = 1 where id = ?", [one.sha256])
        else:
            (engine.workspace.data / f"{rows:064x}.parquet").write_bytes(b"half")
        check(engine)
    engine.store.close()


def test_a_version_whose_file_went_while_it_was_measured_is_not_recorded(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, measured = engine.data.versions(), versions.measure

    def measure_slowly(*given: Any) -> Any:
        figures = measured(*given)
        gc.collect(engine.store, who="eve", young_s=0)
        return figures

    monkeypatch.setattr(versions, "measure", measure_slowly)
    with pytest.raises(Unavailable, match="collected"):
        make(engine, 20)
    monkeypatch.undo()
    assert engine.data.versions() == before
    assert make(engine, 20).file.exists()


@pytest.mark.slow
def test_threads_that_link_refer_and_collect_at_once_lose_nothing(engine: Engine) -> None:
    """Each thread makes versions and refers to them while two others collect without any grace for finished rows."""
    failures: list[BaseException] = []
    running = threading.Event()
    running.set()

    def work(seed: int) -> None:
        rng = random.Random(seed)
        try:
            for _ in range(12):
                try:
                    version = make(engine, rng.randrange(20, 26))
                    add_run(engine, state="queued", version_id=version.id)
                except (BadInput, Unavailable):
                    continue  # it went before it was on record, or between the two; nobody was promised anything
                assert engine.data.version(version.id).file.exists()
        except BaseException as error:
            failures.append(error)
        finally:
            engine.store.close()

    def collect() -> None:
        try:
            while running.is_set():
                gc.collect(engine.store, who="eve", keep=1, young_s=0.5)
        except BaseException as error:
            failures.append(error)
        finally:
            engine.store.close()

    workers = [threading.Thread(target=work, args=[seed]) for seed in range(3)]
    collectors = [threading.Thread(target=collect) for _ in range(2)]
    for thread in workers + collectors:
        thread.start()
    for thread in workers:
        thread.join()
    running.clear()
    for thread in collectors:
        thread.join()
    assert failures == []
    check(engine)


COLLECTOR = """
import sys, itertools
from pathlib import Path
from typing import Any
from lemnis.engine.data import gc, versions
from lemnis.engine.store import Store
from lemnis.engine.workspace import Workspace
store = Store(Workspace(Path(sys.argv[1])))
print("ready", flush=True)
for _ in itertools.count():
    gc.collect(store, who="eve", keep=1, young_s=0)
"""


@pytest.mark.slow
def test_killed_at_any_moment_a_collection_leaves_every_referenced_file(engine: Engine) -> None:
    rng = random.Random(1)
    for _ in range(6):
        made = [make(engine, rows) for rows in rng.sample(range(20, 40), 6)]
        try:
            add_run(engine, state="queued", version_id=made[0].id)
        except (BadInput, NotFound):
            pytest.fail("nobody collects now")
        command = [sys.executable, "-c", COLLECTOR, str(engine.workspace.root)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        gone = rng.randrange(1, 6)
        until(lambda made=made, gone=gone: sum(not one.path.exists() for one in made) >= min(gone, 4))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        check(engine)
    gc.collect(engine.store, who="eve", keep=1, young_s=0)
    files = {path.stem for path in engine.workspace.data.glob("*.parquet")}
    assert files == {version.id for version in engine.data.versions()}


def test_a_read_only_workspace_is_not_collected(engine: Engine) -> None:
    store = Store(Workspace(engine.workspace.root), read_only=True)
    with pytest.raises(LemnisError, match="read-only"):
        gc.collect(store, who="eve")
    assert gc.plan(store).removable == []
    store.close()
