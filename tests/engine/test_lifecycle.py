"""The loop's states follow from facts alone."""

# pyright: basic

from small_problem import add_run

from lemnis.engine import Engine
from lemnis.engine.clock import now_ms

STATED = """
[problem]
question = "Will it?"
target = "late"
[[problem.criteria]]
metric = "roc_auc"
min = 0.6
"""


def states(engine: Engine) -> dict[str, str]:
    return {stage.name: stage.state for stage in engine.lifecycle.stages()}


def test_an_empty_workspace_has_not_started_anywhere(engine: Engine) -> None:
    stages = engine.lifecycle.stages()
    assert [stage.key for stage in stages] == list("1234567890")
    assert {stage.state for stage in stages} == {"not started"}
    assert all(stage.why and stage.next for stage in stages)


def test_a_broken_file_is_the_problems_attention_with_its_line(engine: Engine) -> None:
    engine.workspace.config.write_text('[problem]\ntask = "guess"\n')
    stage = engine.lifecycle.stages()[0]
    assert (stage.state, "lemnis.toml:2" in stage.why) == ("attention", True)


def test_a_stated_problem_is_ready_and_a_job_makes_its_stage_work(engine: Engine) -> None:
    engine.workspace.config.write_text(STATED)
    assert states(engine)["problem"] == "ready"
    engine.jobs.submit("data.sync", "read 3 sources", {})
    assert states(engine)["data"] == "working"


def test_a_failed_job_asks_for_attention_until_a_later_one_of_its_kind_went_well(engine: Engine) -> None:
    first = engine.jobs.submit("data.sync", "read 3 sources", {})
    with engine.store.write() as db:
        db.execute("update jobs set state = 'failed', why = 'no such file' where id = ?", [first])
    assert states(engine)["data"] == "attention"
    second = engine.jobs.submit("data.sync", "read 3 sources", {})
    with engine.store.write() as db:
        db.execute("update jobs set state = 'finished' where id = ?", [second])
    assert states(engine)["data"] == "not started"


def test_experiments_follow_their_runs_and_work_while_a_job_of_theirs_does(engine: Engine) -> None:
    def told() -> str:
        stage = next(stage for stage in engine.lifecycle.stages() if stage.name == "experiments")
        return f"{stage.state}: {stage.why}"

    add_run(engine)
    second = add_run(engine, state="failed", why="no room")
    assert told() == f"attention: run {second} failed: no room"
    live, job = add_run(engine, state="running"), engine.jobs.submit("jobs.selftest", "a test", {})
    assert told() == "ready: 1 finished runs", "an application tracks this one; no job of ours works on it"
    with engine.store.write() as db:
        db.execute("update runs set job_id = ? where id = ?", [job, live])
    assert told() == "working: 1 run in work"
    with engine.store.write() as db:
        db.execute("update runs set deleted_at = 1 where id != ?", [second])
        db.execute("update runs set state = 'cancelled' where id = ?", [second])
    assert told() == "not started: no run has finished"


def test_a_firing_alert_is_the_monitors_attention(engine: Engine) -> None:
    with engine.store.write() as db:
        db.table("alerts").insert(
            {
                "rule": "auc",
                "metric": "roc_auc",
                "endpoint": "late",
                "severity": "page",
                "state": "firing",
                "message": "ROC AUC 0.61 is below 0.68",
                "since": now_ms(),
                "state_at": now_ms(),
                "cause": "labels",
                "updated_at": now_ms(),
            }
        )
    monitor = next(stage for stage in engine.lifecycle.stages() if stage.name == "monitor")
    assert (monitor.state, "0.61" in monitor.why) == ("attention", True)
