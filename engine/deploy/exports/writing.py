"""Writing an export: a folder that is there whole or not at all, its manifest, and the event on the version."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from lemnis.engine.clock import iso_utc, now_ms
from lemnis.engine.deploy.exports.records import FORMS, Checked, Export, Form, Outcome
from lemnis.engine.errors import BadInput, NotFound, Unavailable
from lemnis.engine.files import sha256_of, sync_folder, sync_tree
from lemnis.engine.store import Row, Store
from lemnis.engine.text import safe
from lemnis.engine.version import VERSION

if TYPE_CHECKING:
    from lemnis.engine.deploy.exports.subject import Subject
    from lemnis.engine.jobs.context import JobContext

MANIFEST = "manifest.json"


def check_target(to: Path) -> None:
    """Refuse a place that an export can't be written to.

    Raises:
        BadInput: Something is there, or the folder above is not.
    """
    if to.is_symlink() or (to.exists() and not (to.is_dir() and not any(to.iterdir()))):
        raise BadInput("Something is there already.", "Name a folder that is new or empty.", safe(to))
    if not to.parent.is_dir():
        raise BadInput("The folder above does not exist.", "Make it first.", safe(to.parent))


def check_form(form: str) -> Form:
    """Return a form by name; raises BadInput."""
    found: Form | None = next((known for known in FORMS if known == form), None)
    if found is None:
        raise BadInput(f"{safe(form, limit=40)!r} is no form of an export.", f"Forms: {', '.join(FORMS)}.", "--as")
    return found


def export(context: "JobContext", arguments: dict[str, Any]) -> dict[str, Any]:
    """Write an export and put it on record; returns the record. Any: JSON of the job.

    Args:
        context: Where the job runs.
        arguments: ``model``, ``version``, ``form``, ``to``, ``who`` and ``float32``.

    Raises:
        BadInput: The place is taken, the form can't hold this model, or it answers otherwise; nothing is left behind.
        Unavailable: A package is missing, or the disk is full.
        Cancelled: The job was asked to stop; nothing is left behind.
    """
    from lemnis.engine.deploy.exports import forms
    from lemnis.engine.deploy.exports.subject import subject_of

    to, form = Path(arguments["to"]), check_form(arguments["form"])
    check_target(to)
    context.progress(0.0, "checking the model")
    subject, against = subject_of(context.store, arguments["model"], arguments["version"], cores=context.cores)
    context.progress(0.3, f"writing it as {form}")

    def write(folder: Path) -> Outcome:
        if form == "onnx":
            float32 = bool(arguments.get("float32"))
            return forms.write_onnx(folder, subject, float32=float32, against=against, cores=context.cores)
        return forms.WRITERS[form](folder, subject)

    outcome, manifest = publish(to, form, subject, write, lambda: context.progress(0.9, "every answer is the same"))
    made = record(context.store, subject, form, to, (outcome, manifest), who=arguments["who"])
    return msgspec.to_builtins(made, enc_hook=str)


def publish(
    to: Path, form: Form, subject: "Subject", write: Callable[[Path], Outcome], ready: Callable[[], None] = lambda: None
) -> tuple[Outcome, bytes]:
    """Write into a new folder beside `to`, then give it its name; return what was found, and the manifest.

    Args:
        to: What it will be called.
        form: What it is.
        subject: What is exported.
        write: Fills the folder.
        ready: Called before it gets its name; may raise Cancelled.

    Raises:
        BadInput: What `write` raises, or the name was taken meanwhile.
        Unavailable: The disk refuses.
    """
    made: Path | None = None
    try:
        made = Path(tempfile.mkdtemp(prefix=f".{to.name}.", suffix=".tmp", dir=to.parent))
        outcome = write(made)
        manifest = manifest_of(made, form, subject, outcome)
        (made / MANIFEST).write_bytes(manifest)
        made.chmod(0o755)
        sync_tree(made)
        ready()
        made.rename(to)
        sync_folder(to.parent)
    except OSError as error:
        raise Unavailable(f"The export can't be written: {error.strerror or error}.", "Mend that.", safe(to)) from None
    finally:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)
    return outcome, manifest


def manifest_of(folder: Path, form: Form, subject: "Subject", outcome: Outcome) -> bytes:
    """Return the manifest of what was written: each file with its SHA-256, and what the whole was made of."""
    version = subject.version
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    document = {
        "form": form,
        "model": version.model,
        "version": version.version,
        "model_sha256": version.sha256,
        "made_by": f"Lemnis {VERSION}",
        "made_at": iso_utc(now_ms()),
        "checked": outcome.checked,
        "warnings": outcome.warnings,
        "files": [
            {"path": path.relative_to(folder).as_posix(), "sha256": sha256_of(path), "bytes": path.stat().st_size}
            for path in files
        ],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=1)


def record(store: Store, subject: "Subject", form: Form, to: Path, found: tuple[Outcome, bytes], *, who: str) -> Export:
    """Put an export on record as an event on its version, and return it."""
    import hashlib

    outcome, manifest = found
    files: list[dict[str, Any]] = msgspec.json.decode(manifest)["files"]  # Any: texts and numbers
    row = {
        "model": subject.version.model,
        "version": subject.version.version,
        "form": form,
        "path": str(to),
        "sha256": hashlib.sha256(manifest).hexdigest(),
        "files": len(files),
        "bytes": sum(file["bytes"] for file in files),
        "checked": msgspec.json.encode(outcome.checked).decode(),
        "warnings": msgspec.json.encode(outcome.warnings).decode(),
        "who": who,
        "at": now_ms(),
    }
    with store.write() as db:
        number = db.table("model_exports").insert(row).last_pk
    return export_by_id(store, int(str(number)))


def exports(store: Store, model: str = "") -> list[Export]:
    """Return what was exported, newest first; of one model when it is named."""
    rows = store.rows("select * from model_exports where ? in ('', model) order by id desc", [model])
    return [export_of(row) for row in rows]


def export_by_id(store: Store, number: int) -> Export:
    """Return one export; raises NotFound."""
    row = store.row("select * from model_exports where id = ?", [number])
    if row is None:
        raise NotFound(f"There is no export {number}.", "List them with `lemnis models exports`.")
    return export_of(row)


def export_of(row: Row) -> Export:
    """Return the export of one row."""
    facts = {name: row[name] for name in ("id", "model", "version", "form", "sha256", "files", "bytes", "who", "at")}
    return Export(
        **facts,
        path=Path(row["path"]),
        checked=msgspec.json.decode(row["checked"], type=Checked),
        warnings=msgspec.json.decode(row["warnings"], type=list[str]),
    )
