"""The sampler's readings reach the room, survive trouble, and end when asked."""

import signal
import subprocess
import sys
import threading

import pytest
from support import until

from lemnis.engine import Engine
from lemnis.engine.clock import now_ms
from lemnis.engine.errors import NotFound, StoreError
from lemnis.engine.resources.sampler import Sampler, run


def test_the_service_fills_what_the_room_shows_and_ends_on_sigterm(engine: Engine) -> None:
    service = subprocess.Popen(
        [sys.executable, "-m", "lemnis.engine.resources.sampler", "--workspace", str(engine.workspace.root)]
    )
    try:
        until(lambda: "host" in engine.resources.sources())
        sample = engine.resources.host()
        assert abs(now_ms() - sample.at) < 5_000
        assert sample.cpu_percent is not None
        found = engine.resources.history("host", "cpu_percent", 60, 60)
        assert any(value is not None for value in found.values["cpu_percent"])
        assert engine.resources.processes().total > 1
    finally:
        service.send_signal(signal.SIGTERM)
        assert service.wait(timeout=10) == 0


def test_without_a_sampler_the_room_reads_for_itself(engine: Engine) -> None:
    assert engine.resources.host().cpu_percent is None
    assert until(lambda: engine.resources.host().cpu_percent is not None)
    assert engine.resources.processes().rows


def test_a_store_that_refuses_a_reading_does_not_end_the_sampler(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    sampler, stopping, turns = Sampler(engine.store), threading.Event(), list[int]()

    def refuse() -> None:
        turns.append(1)
        if len(turns) == 2:
            stopping.set()
        raise StoreError("The disk is full.")

    sampler.sample = refuse  # type: ignore[method-assign]
    run(sampler, stopping)
    assert len(turns) == 2
    assert capsys.readouterr().out.count("disk is full") == 1


def test_an_unknown_metric_is_refused_with_those_there_are(engine: Engine) -> None:
    with pytest.raises(NotFound, match="no history of 'host'"):
        engine.resources.check_metric("host", "cpu_percent")
    sampler = Sampler(engine.store)
    sampler.sample()
    until(lambda: sampler.sample() or "host" in engine.resources.sources())
    engine.resources.check_metric("host", "cpu_percent")
    with pytest.raises(NotFound) as refused:
        engine.resources.check_metric("host", "humidity")
    assert "cpu_percent" in refused.value.remedy


def test_what_jobs_took_and_what_lies_on_disk_is_accounted(engine: Engine) -> None:
    hour = 3_600_000
    with engine.store.write() as db:
        for number, cores, started, ended in ((1, 2, 30 * hour, 1 * hour), (2, 1, 300 * hour, 299 * hour)):
            db.table("jobs").insert(
                {
                    "id": number, "kind": "x", "title": "t", "arguments": "{}", "state": "finished", "cores": cores,
                    "created_at": 1, "started_at": now_ms() - started, "ended_at": now_ms() - ended,
                }
            )  # fmt: skip
    usage = engine.resources.usage(days=1)
    assert [job.job_id for job in usage.jobs] == [1]
    assert usage.jobs[0].core_hours == pytest.approx(2 * 23, abs=0.01)
    assert {part.name for part in usage.disk} >= {"data", "runs", "state.db", "metrics.db"}
