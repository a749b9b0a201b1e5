"""A cluster: sweeps and trainings there have the records they have here, and what can't be done is refused at once."""

import importlib.util
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from certificates import make_certificates
from clusters import RealCluster
from small_problem import do_train
from support import until
from sweeping import driver_of

import lemnis.engine.experiments.sweep.coordinator as coordinator
from lemnis.engine import Engine
from lemnis.engine.cluster import ClusterClient, check_reachable, cluster_words
from lemnis.engine.config import Cluster, load_config, parse_config
from lemnis.engine.errors import BadInput, ConfigError, Unavailable
from lemnis.engine.experiments.points import all_points
from lemnis.engine.experiments.remote.site import Site
from lemnis.engine.experiments.sweep import Wishes, pruning
from lemnis.engine.jobs import queue
from lemnis.engine.models.files import load_model
from lemnis.engine.resources.situation import Reader

SPACE = ["num_leaves=3..15", "learning_rate=0.05..0.5:log"]


@pytest.fixture(scope="module")
def cluster() -> Iterator[RealCluster]:
    made = RealCluster()
    made.add_workers(2)
    yield made
    made.close()


def declare(engine: Engine, address: str, more: str = "") -> None:
    path = engine.workspace.config
    path.write_text(f'{path.read_text()}\n[cluster]\naddress = "{address}"\n{more}\n')


@pytest.mark.slow
def test_trials_on_workers_have_the_records_and_the_models_of_trials_here(
    engine: Engine, cluster: RealCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coordinator, "TICK_S", 0.02)
    declare(engine, cluster.address)
    wishes = Wishes(name="s", space=SPACE, overrides={"rounds": 8}, trials=4, pruner="none", executor="dask")
    sweep = engine.sweeps.start(wishes=wishes)
    assert (sweep.executor, sweep.at_once) == ("dask", "as many at once as the cluster holds")
    driver = driver_of(engine, "s")
    driver.run()
    driver.close("")
    sweep, trials = engine.sweeps.sweep("s"), engine.sweeps.trials("s")
    assert (sweep.state, sweep.counts) == ("finished", {"finished": 4}), (sweep.why, trials)
    runs = [engine.experiments.run(trial.run_id or 0) for trial in trials]
    assert len({run.cluster["workers"][0] for run in runs}) == 2
    for trial, run in zip(trials, runs, strict=True):
        assert (run.state, run.executor, run.spread, run.rounds_done) == ("finished", "dask", False, 8)
        assert run.cluster["resources"] == {"lemnis-cores": 1.0}
        assert trial.values == [run.metrics["auc"]]
        assert {"train_seconds", "peak_memory_mib", "logloss", "train_auc"} <= set(run.metrics)
        assert [step for step, _ in engine.experiments.curve(run.id)["auc"]] == list(range(1, 9))
        job = engine.jobs.job(run.job_id or 0)
        assert (job.executor, job.attempts, job.allocation.cores) == ("dask", 1, 0)
        assert "round     8" in engine.jobs.log(job.id)
    here = do_train(engine, engine.experiments.start(overrides={**trials[0].params, "rounds": 8}))
    assert here.model_sha256 == runs[0].model_sha256


@pytest.mark.slow
def test_rows_are_sent_where_workers_do_not_see_the_files(engine: Engine, cluster: RealCluster) -> None:
    declare(engine, cluster.address)
    sent = Site(ClusterClient(load_config(engine.workspace.config).cluster, engine.workspace.root), shared=False)
    run_id = engine.experiments.start(overrides={"rounds": 5, "executor": "dask"})
    with engine.store.write() as db:
        db.execute("update runs set spread = 0 where id = ?", [run_id])
    there = do_train(engine, run_id, site=sent)
    here = do_train(engine, engine.experiments.start(overrides={"rounds": 5}))
    assert there.model_sha256 == here.model_sha256
    sent.cluster.close()


@pytest.mark.slow
def test_all_workers_train_one_model_as_it_is_trained_here(engine: Engine, cluster: RealCluster) -> None:
    declare(engine, cluster.address)
    first = do_train(engine, engine.experiments.start("stopping", overrides={"executor": "dask"}))
    here = do_train(engine, engine.experiments.start("stopping"))
    assert first.spread
    assert len(first.cluster["workers"]) == len(first.cluster["machines"]) == 2
    assert first.rounds_done == (first.best_round or 0) + 5
    assert first.metrics["auc"] == pytest.approx(here.metrics["auc"], abs=0.03)
    assert set(first.metrics) == set(here.metrics)
    booster = load_model(engine.experiments.model_path(first.id), first.model_sha256 or "")
    assert booster.num_trees() == first.best_round


@pytest.mark.slow
def test_all_workers_train_the_same_model_again(engine: Engine, cluster: RealCluster) -> None:
    declare(engine, cluster.address)
    first = do_train(engine, engine.experiments.start(overrides={"executor": "dask"}))
    again = do_train(engine, engine.experiments.reproduce(first.id))
    assert (again.spread, again.executor, again.tags["reproduction"]) == (True, "dask", "identical")


@pytest.mark.slow
def test_trials_that_fall_behind_are_pruned_on_their_workers(
    engine: Engine, cluster: RealCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coordinator, "TICK_S", 0.02)
    monkeypatch.setattr(pruning, "STARTUP", 1)
    declare(engine, cluster.address)
    wishes = Wishes(
        name="s", space=["learning_rate=0.00001..0.3:log"], objectives=["logloss:min"], overrides={"rounds": 4000},
        trials=3, parallel=1, pruner="median", executor="dask",
    )  # fmt: skip
    engine.sweeps.start(wishes=wishes)
    for rate in (0.02, 0.00001, 0.03):
        engine.sweeps.enqueue("s", {"learning_rate": rate})
    driver = driver_of(engine, "s")
    driver.run()
    driver.close("")
    first, behind, last = engine.sweeps.trials("s")
    assert (first.state, behind.state) == ("finished", "pruned"), (first, behind)
    assert "is worse than the median" in behind.why
    assert 5 <= (behind.last_round or 0) < 4000
    run = engine.experiments.run(behind.run_id or 0)
    assert (run.state, run.why) == ("cancelled", f"pruned: {behind.why}")
    steps = [step for key, step, _, _ in all_points(engine.store, run.id) if key == "logloss"]
    assert steps == list(range(1, len(steps) + 1))
    assert len(steps) == behind.last_round
    assert last.state in ("finished", "pruned")  # the worker was free for it
    until(lambda: cluster.trainings() == 0, 10.0)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCluster]:
    """A cluster that takes TLS alone, with certificates of an authority of its own."""
    made = RealCluster(make_certificates(tmp_path_factory.mktemp("certificates")))
    made.add_workers(2)
    yield made
    made.close()


def files_of(tls: dict[str, str]) -> str:
    return "\n".join(f'{name} = "{path}"' for name, path in tls.items())


@pytest.mark.slow
def test_a_training_goes_to_a_cluster_by_tls(engine: Engine, guarded: RealCluster) -> None:
    assert guarded.address.startswith("tls://")
    folder = engine.workspace.root / "tls"  # paths in lemnis.toml are relative to it
    folder.mkdir()
    for path in guarded.tls.values():
        shutil.copy(path, folder)
    declare(engine, guarded.address, files_of({name: f"tls/{name}.pem" for name in guarded.tls}))
    assert "2 workers" in cluster_words(load_config(engine.workspace.config).cluster, engine.workspace.root)
    together = do_train(engine, engine.experiments.start(overrides={"rounds": 5, "executor": "dask"}))
    assert (together.state, together.spread, len(together.cluster["workers"])) == ("finished", True, 2)
    assert all(worker.startswith("tls://") for worker in together.cluster["workers"])
    run_id = engine.experiments.start(overrides={"rounds": 5, "executor": "dask"})
    with engine.store.write() as db:
        db.execute("update runs set spread = 0 where id = ?", [run_id])
    there, here = do_train(engine, run_id), do_train(engine, engine.experiments.start(overrides={"rounds": 5}))
    assert there.model_sha256 == here.model_sha256


@pytest.mark.slow
def test_a_cluster_that_another_authority_vouches_for_is_not_talked_to(
    engine: Engine, guarded: RealCluster, tmp_path: Path
) -> None:
    began = time.monotonic()
    strangers = make_certificates(tmp_path / "strangers")
    declare(engine, guarded.address, files_of(strangers))
    with pytest.raises(Unavailable, match="is not signed by the authority in ca"):
        do_train(engine, engine.experiments.start(overrides={"executor": "dask"}))
    untold = Cluster(address=guarded.address.replace("tls://", "tcp://"))
    with pytest.raises(Unavailable, match="No Dask scheduler answers"):
        ClusterClient(untold, tmp_path)
    assert time.monotonic() - began < 40


def test_tls_files_that_cant_be_used_are_refused_by_name_before_anything_is_queued(
    engine: Engine, tmp_path: Path
) -> None:
    files, strangers = make_certificates(tmp_path / "ours"), make_certificates(tmp_path / "strangers")
    declare(engine, "tls://127.0.0.1:9", files_of(files | {"key": "no.pem"}))
    with pytest.raises(BadInput, match=r"The TLS file .*no\.pem can't be read: No such file"):
        engine.experiments.start(overrides={"executor": "dask"})
    assert engine.jobs.jobs() == []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"tls://127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises(BadInput, match=r"can't be used: .*key values mismatch"):
            ClusterClient(
                Cluster(address=address, ca=files["ca"], certificate=files["certificate"], key=strangers["key"]),
                tmp_path,
            )


def test_what_no_worker_offers_is_refused_in_words(engine: Engine, cluster: RealCluster) -> None:
    declare(engine, cluster.address, "resources = { GPU = 0.5 }")
    with pytest.raises(Unavailable, match=r"No worker of tcp://.* offers GPU 0.5, lemnis-cores 1; the best of them"):
        do_train(engine, engine.experiments.start(overrides={"executor": "dask"}))


def test_a_wrong_address_is_refused_within_seconds(engine: Engine) -> None:
    declare(engine, "tcp://127.0.0.1:9")
    began = time.monotonic()
    with pytest.raises(Unavailable, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:9: Connection refused"):
        engine.experiments.start(overrides={"executor": "dask"})
    with pytest.raises(Unavailable, match="No Dask scheduler answers"):
        engine.sweeps.start(wishes=Wishes(executor="dask"))
    assert time.monotonic() - began < 8
    assert engine.jobs.jobs() == []


def test_no_cluster_or_no_package_is_said_with_what_to_do(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="needs a cluster, and none is declared"):
        engine.experiments.start(overrides={"executor": "dask"})

    def none(_name: str) -> None:
        return None

    monkeypatch.setattr(importlib.util, "find_spec", none)
    with pytest.raises(Unavailable) as refused:
        check_reachable(Cluster(address="tcp://127.0.0.1:9"), engine.workspace.root)
    assert "pip install 'lemnis[dask]'" in refused.value.remedy


@pytest.mark.parametrize(
    ("overrides", "why"),
    [
        ({"algorithm": "linear_tree"}, "linear_tree can't be trained by several workers"),
        ({"tree_learner": "feature"}, "tree_learner feature can't be trained by several workers"),
        ({"algorithm": "linear"}, "executor can't be set for linear: it is fitted in one go"),
        ({"algorithm": "gbdt", "executor": "ray"}, "This can't be set"),
    ],
)
def test_what_several_workers_cant_train_is_refused_before_it_is_queued(
    engine: Engine, overrides: dict[str, str], why: str
) -> None:
    with pytest.raises(BadInput, match=why):
        engine.experiments.start(overrides={"executor": "dask", **overrides})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('address = "10.0.0.5:8786"', "is no address of a Dask scheduler"),
        ('address = "tls://ten:8786"\nca = "a.pem"', "asks for TLS, but there is no certificate"),
        ('address = "tcp://ten:8786"\nca = "a.pem"', "has files for TLS, but its address is none"),
        ("resources = { GPU = 0 }", "Expected `float` > 0"),
    ],
)
def test_a_bad_declaration_names_its_line(text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why) as refused:
        parse_config(f"[cluster]\n{text}\n")
    assert refused.value.place.startswith("lemnis.toml:")


@pytest.mark.slow
def test_a_hosted_job_waits_for_its_host_and_has_a_process_of_its_own_when_that_has_ended(engine: Engine) -> None:
    host = engine.jobs.submit("jobs.selftest", "host", {})
    hosted = engine.jobs.submit("jobs.selftest", "hosted", {}, host_id=host, executor="dask")
    assert [claim.job_id for claim in Reader(engine.store).read().queued] == [host]
    queue.ask_cancel(engine.store, host)
    assert [claim.job_id for claim in Reader(engine.store).read().queued] == [hosted]
    claimed = queue.claim(engine.store, hosted)
    assert claimed is not None
    assert claimed.host_id is None
