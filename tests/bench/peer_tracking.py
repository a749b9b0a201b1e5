"""Tracks and searches with a peer, in the peer's own environment; prints one line of JSON with the seconds of the work.

usage: peer_tracking.py PEER points|single|runs COUNT FOLDER     FOLDER is new
       peer_tracking.py mlflow fill COUNT FOLDER                   a store of finished runs, by SQL in its own tables
       peer_tracking.py mlflow search REPEATS FOLDER_OR_URL        the first 100 of a query, and ten runs compared
PEER: mlflow mlflow_server (FOLDER is the server's URL) optuna trackio. Imports and migrations are not counted.
"""

import json
import os
import random
import sqlite3
import statistics
import sys
import time
import uuid

PARAMS, METRICS = [f"p{place}" for place in range(10)], [f"m{place}" for place in range(10)]
QUERY = "metrics.auc > 0.8 and params.learning_rate = '0.1'"


def mlflow(case, count, where, *, served):
    import mlflow
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param

    mlflow.set_tracking_uri(where if served else f"sqlite:///{where}/mlflow.db")
    client = MlflowClient()
    experiment = client.create_experiment(f"bench {time.time()}")
    client.create_run(experiment)  # the first call of a process compiles its SQL
    began = time.perf_counter()
    if case == "runs":
        for number in range(count):
            run = client.create_run(experiment).info.run_id
            client.log_batch(
                run,
                [Metric(key, number / count, 0, 0) for key in METRICS],
                [Param(key, str(number)) for key in PARAMS],
            )
            client.set_terminated(run)
        return time.perf_counter() - began
    run = client.create_run(experiment).info.run_id
    if case == "single":
        for step in range(count):
            client.log_metric(run, "loss", 1 / (step + 1), step=step)
    else:
        for start in range(0, count, 1000):
            steps = range(start, min(count, start + 1000))
            client.log_batch(run, [Metric("loss", 1 / (step + 1), 0, step) for step in steps])
    client.set_terminated(run)
    return time.perf_counter() - began


def optuna(case, count, where):
    import optuna as peer

    peer.logging.set_verbosity(peer.logging.ERROR)
    study = peer.create_study(storage=f"sqlite:///{where}/optuna.db", sampler=peer.samplers.RandomSampler(seed=1))
    began = time.perf_counter()
    if case == "runs":

        def objective(trial):
            for key in PARAMS:
                trial.suggest_float(key, 0, 1)
            for key in METRICS:
                trial.set_user_attr(key, trial.number / count)
            return 1.0

        study.optimize(objective, n_trials=count)
    else:
        trial = study.ask()
        for step in range(count):
            trial.report(1 / (step + 1), step)
        study.tell(trial, 1.0)
    return time.perf_counter() - began


def trackio(case, count, where):
    os.environ.update(TRACKIO_DIR=where, HF_HUB_OFFLINE="1")
    import trackio as peer

    began = time.perf_counter()
    for number in range(count if case == "runs" else 1):
        peer.init(project="bench", name=f"r{number}", config=dict.fromkeys(PARAMS, str(number)))
        if case == "runs":
            peer.log(dict.fromkeys(METRICS, number / count))
        else:
            for step in range(count):
                peer.log({"loss": 1 / (step + 1)}, step=step)
        peer.finish()
    return time.perf_counter() - began


def fill(count, folder):
    """Write finished runs with 20 parameters and 20 metrics each into MLflow's own tables, after one by its client."""
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param

    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    experiment = client.create_experiment("bench")
    run = client.create_run(experiment).info.run_id
    client.log_batch(run, [Metric("auc", 0.6, 1, 0)], [Param("learning_rate", "9")])
    client.set_terminated(run)
    rng, store = random.Random(7), sqlite3.connect(f"{folder}/mlflow.db", isolation_level=None)
    store.row_factory = sqlite3.Row
    like = {
        table: dict(store.execute(f"select * from {table}").fetchone())
        for table in ("runs", "params", "metrics", "latest_metrics")
    }

    def add(table, rows):
        names = ", ".join(like[table])
        places = ", ".join(f":{name}" for name in like[table])
        store.executemany(f"insert into {table} ({names}) values ({places})", ({**like[table], **row} for row in rows))

    store.execute("begin")
    for number in range(count):
        uid = uuid.UUID(int=number + 1).hex
        params = {"learning_rate": rng.choice(("0.01", "0.03", "0.1", "0.3"))}
        params |= {f"p{place:02}": f"{rng.random():.6f}" for place in range(19)}
        metrics = {"auc": 0.5 + rng.random() / 2, **{f"m{place:02}": rng.random() for place in range(19)}}
        add("runs", [{"run_uuid": uid, "name": f"r{number}", "start_time": number, "end_time": number + 1}])
        add("params", ({"key": key, "value": value, "run_uuid": uid} for key, value in params.items()))
        for table in ("metrics", "latest_metrics"):
            add(table, ({"key": key, "value": value, "run_uuid": uid} for key, value in metrics.items()))
    store.execute("commit")
    return 0.0


def search(repeats, where):
    """Return the median seconds of a search, and of everything that a comparison of its first ten runs shows."""
    from mlflow import MlflowClient

    client = MlflowClient(where if where.startswith("http") else f"sqlite:///{where}/mlflow.db")
    experiment = client.get_experiment_by_name("bench" if "http" not in where else "Default")
    taken, compared, found = [], [], []
    for _ in range(repeats):
        began = time.perf_counter()
        found = client.search_runs([experiment.experiment_id], QUERY, order_by=["metrics.auc DESC"], max_results=100)
        taken.append(time.perf_counter() - began)
        began = time.perf_counter()
        for run in found[:10]:
            client.get_run(run.info.run_id)
            for place in range(10):
                client.get_metric_history(run.info.run_id, f"m{place:02}")
        compared.append(time.perf_counter() - began)
    return {"seconds": statistics.median(taken), "compare_seconds": statistics.median(compared), "found": len(found)}


def main():
    peer, case, count, where = sys.argv[1:]
    ways = {
        "mlflow": lambda: mlflow(case, int(count), where, served=False),
        "mlflow_server": lambda: mlflow(case, int(count), where, served=True),
        "optuna": lambda: optuna(case, int(count), where),
        "trackio": lambda: trackio(case, int(count), where),
    }
    if case in ("fill", "search"):
        answer = search(int(count), where) if case == "search" else fill(int(count), where)
    else:
        answer = ways[peer]()
    print("\n" + json.dumps(answer if isinstance(answer, dict) else {"seconds": answer}), flush=True)
    os._exit(0)  # some leave threads that would keep the process alive; what they had to write is written


main()
