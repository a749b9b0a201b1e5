"""Several machines: what a scheduler says of its workers, followed by a child process that never makes anybody wait."""

import time
from pathlib import Path

import pytest
from clusters import RealCluster
from support import engine_at, until

from lemnis.engine.clock import monotonic_s
from lemnis.engine.resources.nodes import Nodes, NodeWatch
from lemnis.engine.resources.nodes.reading import nodes_in

WORKER = {
    "name": "w[1]", "host": "10.0.0.5", "status": "paused", "nthreads": 8, "memory_limit": 1000, "last_seen": 95.0,
    "resources": {"lemnis-cores": 8.0}, "gpu": {"name": "H100", "memory-total": 80},
    "metrics": {
        "cpu": 250.0, "memory": 900, "spilled_bytes": {"memory": 1, "disk": 50}, "task_counts": {"ready": 3},
        "gpu": {"utilization": 40, "memory-used": 20},
    },
}  # fmt: skip


def test_a_worker_is_told_with_memory_gpu_offers_and_the_runs_it_works_on() -> None:
    keys = ["lemnis-run-12-0af3", ("sum", 3)]
    (node,) = nodes_in({"tcp://10.0.0.5:1": WORKER}, {"tcp://10.0.0.5:1": keys}, 100.0)
    assert (node.name, node.state, node.threads, node.cpu_percent) == ("w[1]", "paused", 8, 250.0)
    assert (node.memory_used_bytes, node.memory_limit_bytes, node.spilled_bytes) == (900, 1000, 50)
    assert (node.gpu_name, node.gpu_percent, node.gpu_used_bytes, node.gpu_total_bytes) == ("H100", 40.0, 20, 80)
    assert node.running == ["('sum', 3)", "run 12"]
    assert (node.waiting, node.silent_s) == (3, 5.0)


@pytest.mark.parametrize("one", [{}, {"metrics": None}, {"metrics": {"cpu": "much", "memory": None}}, {"gpu": {}}])
def test_what_a_workers_dask_does_not_say_is_not_known(one: dict[str, object]) -> None:
    (node,) = nodes_in({"tcp://a:1": one}, {}, 0.0)
    assert (node.name, node.cpu_percent, node.memory_used_bytes, node.gpu_percent) == ("tcp://a:1", None, None, None)


def test_without_a_cluster_nothing_is_started_and_the_reason_is_said(tmp_path: Path) -> None:
    watch = NodeWatch(engine_at(tmp_path / "box").workspace)
    assert "no cluster is declared" in watch.first(5.0).reason
    watch.close()


def test_a_scheduler_that_nobody_runs_is_a_reason_and_asking_takes_no_time(tmp_path: Path) -> None:
    config = '[problem]\ntitle = "x"\n[cluster]\naddress = "tcp://127.0.0.1:9"\n'
    watch = NodeWatch(engine_at(tmp_path / "box", config).workspace)
    began = monotonic_s()
    assert "connecting" in watch.latest().reason
    assert monotonic_s() - began < 0.5
    assert "No Dask scheduler answers at tcp://127.0.0.1:9" in watch.first(30.0).reason
    watch.close()


@pytest.mark.slow
def test_real_workers_come_and_go_and_a_scheduler_that_is_killed_is_said(tmp_path: Path) -> None:
    cluster = RealCluster()
    try:
        cluster.add_workers(2)
        config = f'[problem]\ntitle = "x"\n[cluster]\naddress = "{cluster.address}"\n'
        watch = NodeWatch(engine_at(tmp_path / "box", config).workspace)

        def found(count: int) -> Nodes | None:
            nodes = watch.latest()
            return nodes if len(nodes.nodes) == count else None

        two = until(lambda: found(2), 60.0)
        assert two is not None
        assert [node.threads for node in two.nodes] == [2, 2]
        assert all(node.memory_used_bytes and node.state == "running" for node in two.nodes)
        assert two.nodes[0].resources == {"lemnis-cores": 2.0}
        cluster.kill(two.nodes[0].address)
        until(lambda: found(1), 60.0)
        cluster.stop()
        began = time.monotonic()
        until(lambda: watch.latest().reason, 60.0)
        assert time.monotonic() - began < 40
        watch.close()
    finally:
        cluster.close()
