"""The registry: model versions whose files never change, each with its signature and golden rows."""

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from lemnis.engine.clock import now_ms
from lemnis.engine.config import load_config
from lemnis.engine.deploy.records import Candidate, Golden, Model, ModelFile, ModelVersion
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.lean import hidden
from lemnis.engine.store import Row, Store
from lemnis.engine.text import safe

if TYPE_CHECKING:
    from lemnis.engine.features.signature import Signature

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")


def register(store: Store, run_id: int, model: str, *, who: str, why: str, calibrate: str = "") -> ModelVersion:
    """Make a finished run's model the next version of a name; a run that is registered gives the version it has.

    The file is asked its golden rows in a child process first, and its answers are what every later process must give.

    Args:
        store: The workspace's state.
        run_id: The run.
        model: The name.
        who: Kept with the version.
        why: Kept too.
        calibrate: Answer with the probabilities that this map of the run's evaluation makes: isotonic, platt or
            temperature.

    Raises:
        NotFound: There is no such run.
        BadInput: The name can't be one, the run is not finished, its file changed, the model is damaged, or the map is
            not there or makes nothing better.
    """
    from lemnis.engine.deploy.modelbox import ask_model
    from lemnis.engine.features.signature import Signature

    if not NAME.fullmatch(model):
        raise BadInput(f"{safe(model, limit=80)!r} can't name a model.", "Use letters, digits, . _ and -, at most 64.")
    run = finished_run(store, run_id)
    kept = store.value(
        """select version from model_versions where model = ? and run_id = ? and sha256 = ?
             and coalesce(json_extract(signature, '$.calibration.method'), '') = ?""",
        [model, run_id, run["model_sha256"], calibrate],
    )
    if kept is not None:
        return version(store, model, kept)
    folder = store.workspace.run_dir(run_id)
    signature = Signature.load(folder / "signature.json")
    if calibrate:
        from lemnis.engine.deploy.evidence import map_of

        signature = msgspec.structs.replace(signature, calibration=map_of(store, run_id, calibrate))
    path = keep_file(store, folder / "model.txt", run["model_sha256"])
    rows = representative_rows(store, run["version_id"], signature)
    golden = Golden(rows=rows, answers=ask_model(path, run["model_sha256"], signature, rows))
    return add(store, model, run_id, (path, run["model_sha256"]), signature, golden, who=who, why=why)


def add(
    store: Store,
    model: str,
    run_id: int,
    file: tuple[Path, str],
    signature: "Signature",
    golden: Golden,
    *,
    who: str,
    why: str,
) -> ModelVersion:
    """Make a kept file, with its hash, that has answered its golden rows the next version; raises BadInput."""
    from lemnis.engine.deploy.modelbox import reader_of

    if not NAME.fullmatch(model):
        raise BadInput(f"{safe(model, limit=80)!r} can't name a model.", "Use letters, digits, . _ and -, at most 64.")
    path, sha256 = file
    now = now_ms()
    with store.write() as db:
        db.execute("insert into models (name, created_at) values (?, ?) on conflict do nothing", [model, now])
        number = db.execute(
            "select coalesce(max(version), 0) + 1 from model_versions where model = ?", [model]
        ).fetchone()[0]
        db.table("model_versions").insert(
            {
                "model": model,
                "version": number,
                "run_id": run_id,
                "sha256": sha256,
                "path": str(path.relative_to(store.workspace.hidden)),
                "bytes": path.stat().st_size,
                "signature": msgspec.json.encode(signature).decode(),
                "golden": golden.save(),
                "threshold": signature.threshold if signature.task == "binary" else None,
                "boxed": reader_of(path),
                "who": who,
                "why": why,
                "created_at": now,
            }
        )
    return version(store, model, number)


def candidate(store: Store) -> Candidate | None:
    """Return the newest finished run that is no version of the usual model yet; None when there is none.

    The usual model is the one an endpoint is declared for, else the one registered last, else the target's name.
    """
    config = load_config(store.workspace.config)
    declared = next((endpoint.model for endpoint in config.endpoints.values()), "")
    last = store.value("select model from model_versions order by created_at desc limit 1")
    model = declared or last or (config.problem.target if NAME.fullmatch(config.problem.target) else "model")
    row = store.row(
        """select id, name from runs where state = 'finished' and model_sha256 is not null and deleted_at is null
             and id not in (select run_id from model_versions where model = ?) order by id desc limit 1""",
        [model],
    )
    return Candidate(run_id=row["id"], run_name=row["name"], model=model) if row is not None else None


def finished_run(store: Store, run_id: int) -> Row:
    """Return the row of a run that may be registered.

    Raises:
        NotFound: There is no such run.
        BadInput: It is not finished, or has no model.
    """
    row = store.row("select * from runs where id = ? and deleted_at is null", [run_id])
    if row is None:
        raise NotFound(f"There is no run {run_id}.", "List them with `lemnis runs list`.")
    if row["uid"] is not None:
        raise BadInput(
            f"Run {run_id} was logged by a client: Lemnis has no model of it to check.",
            "Register it with MLflow's client, or train it here.",
            f"run {run_id}",
        )
    if row["state"] != "finished" or row["model_sha256"] is None:
        raise BadInput(
            f"Run {run_id} is {row['state']} ({safe(row['why'])}); only a finished run can be registered.",
            "Wait for it, or register another run.",
            f"run {run_id}",
        )
    return row


def keep_file(store: Store, source: Path, sha256: str) -> Path:
    """Copy a model below `.lemnis/models` under its hash, read-only; a copy that is there already is kept.

    Raises:
        BadInput: The source is gone, or is not what the run recorded.
    """
    from lemnis.engine.data.parquet import data_lock
    from lemnis.engine.files import sha256_of, sync_folder

    folder = store.workspace.hidden / "models"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{sha256}.txt"
    with data_lock(store.workspace):
        if path.exists():
            os.utime(path)  # young again: it is not collected before its row is written
    if path.exists() and sha256_of(path) == sha256:
        return path
    descriptor, temporary = tempfile.mkstemp(dir=folder, suffix=".tmp")
    try:
        with open(source, "rb") as read, os.fdopen(descriptor, "wb") as write:
            shutil.copyfileobj(read, write)
            write.flush()
            os.fchmod(write.fileno(), 0o444)
            os.fsync(write.fileno())
        if sha256_of(Path(temporary)) != sha256:  # the copy, so that nothing can change between check and use
            raise BadInput(
                "The run's model file is not the one its training recorded; the hashes differ.",
                "Reproduce the run and register that one.",
                str(source),
            )
        with data_lock(store.workspace):
            os.utime(temporary)
            os.replace(temporary, path)
    except FileNotFoundError:
        raise BadInput("The run's model file is gone.", "Reproduce the run.", str(source)) from None
    finally:
        Path(temporary).unlink(missing_ok=True)
    sync_folder(folder)
    return path


def representative_rows(store: Store, version_id: str | None, signature: "Signature") -> list[dict[str, Any]]:
    """Return golden rows from the run's dataset version. Any: request values."""
    from lemnis.engine.data.duck import read_table
    from lemnis.engine.data.versions import find_version
    from lemnis.engine.deploy.golden import golden_rows

    if version_id is None:
        raise BadInput("The run has no dataset version to take golden rows from.", "Train it on a dataset version.")
    with hidden("pandas"):  # a console may be the process that registers
        return golden_rows(read_table(find_version(store, version_id), signature.names), signature)


VERSIONS = """
    select v.*, r.name as run_name, coalesce(json_extract(v.signature, '$.calibration.method'), '') as calibration,
      json_array_length(v.golden, '$.rows') as golden_rows,
      (select json_group_array(a.alias) from aliases a where a.model = v.model and a.version = v.version) as aliases
    from model_versions v join runs r on r.id = v.run_id
"""


def versions(store: Store, model: str) -> list[ModelVersion]:
    """Return a model's versions, newest first.

    Raises:
        NotFound: There is no such model.
    """
    rows = store.rows(f"{VERSIONS} where v.model = ? order by v.version desc", [model])
    if not rows:
        raise unknown_model(store, model)
    return [record(store, row) for row in rows]


def version(store: Store, model: str, number: int) -> ModelVersion:
    """Return one version.

    Raises:
        NotFound: There is no such model or version.
    """
    row = store.row(f"{VERSIONS} where v.model = ? and v.version = ?", [model, number])
    if row is not None:
        return record(store, row)
    latest = store.value("select max(version) from model_versions where model = ?", [model])
    if latest is None:
        raise unknown_model(store, model)
    raise NotFound(f"{model} has no version {number}.", f"Its latest is {latest}; see `lemnis models list`.")


def models(store: Store) -> list[Model]:
    """Return every registered model by name, with the aliases in force."""
    rows = store.rows(
        """select m.name, m.created_at, count(v.version) as versions, coalesce(max(v.version), 0) as latest,
             (select json_group_object(a.alias, a.version) from aliases a where a.model = m.name) as aliases
           from models m left join model_versions v on v.model = m.name group by m.name order by m.name"""
    )
    return [
        Model(
            name=row["name"],
            versions=row["versions"],
            latest=row["latest"],
            aliases=msgspec.json.decode(row["aliases"], type=dict[str, int]),
            created_at=row["created_at"],
        )
        for row in rows
    ]


def signature_of(store: Store, model: str, number: int) -> "Signature":
    """Return what a version takes and answers; raises NotFound."""
    from lemnis.engine.features.signature import Signature

    return msgspec.json.decode(stored(store, "signature", model, number), type=Signature)


def file_of(store: Store, model: str, number: int) -> ModelFile:
    """Return the file of a version; raises NotFound."""
    sql = "select path, sha256, boxed from model_versions where model = ? and version = ?"
    row = store.row(sql, [model, number])
    if row is None:
        found = version(store, model, number)
        return ModelFile(found.path, found.sha256)
    return ModelFile(store.workspace.hidden / row["path"], row["sha256"], row["boxed"])


def golden_of(store: Store, model: str, number: int) -> Golden:
    """Return a version's golden rows and their recorded answers; raises NotFound."""
    return Golden.load(stored(store, "golden", model, number))


def stored(store: Store, column: str, model: str, number: int) -> str:
    """Return a JSON column of a version; raises NotFound."""
    value = store.value(f"select {column} from model_versions where model = ? and version = ?", [model, number])
    if value is None:
        version(store, model, number)
    return str(value)


def unknown_model(store: Store, model: str) -> NotFound:
    """Say that a model is not registered, and which are."""
    known = ", ".join(row["name"] for row in store.rows("select name from models order by name limit 20"))
    remedy = f"Registered: {known}." if known else "Register one with `lemnis models register RUN MODEL`."
    return NotFound(f"There is no model {safe(model, limit=80)!r}.", remedy)


def record(store: Store, row: Row) -> ModelVersion:
    """Return the version of one row of VERSIONS."""
    from lemnis.engine.deploy.evidence import verdict_of  # no server asks for it, and it brings Evaluate with it

    return ModelVersion(
        model=row["model"],
        version=row["version"],
        run_id=row["run_id"],
        run_name=row["run_name"],
        sha256=row["sha256"],
        path=store.workspace.hidden / row["path"],
        bytes=row["bytes"],
        threshold=row["threshold"],
        calibration=row["calibration"],
        golden_rows=row["golden_rows"],
        verdict=verdict_of(store, row["run_id"]),
        aliases=sorted(msgspec.json.decode(row["aliases"], type=list[str])),
        who=row["who"],
        why=row["why"],
        created_at=row["created_at"],
    )
