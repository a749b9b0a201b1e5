"""Job `monitor.contrast`: a window's rows against training rows, kept beside the window; and which are still wanted."""

# pyarrow ships no types: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from typing import TYPE_CHECKING, Any

import msgspec

from lemnis.engine.clock import iso_utc, now_ms
from lemnis.engine.errors import BadInput
from lemnis.engine.monitor.drift.found import Contrast, Example
from lemnis.engine.monitor.records import Window
from lemnis.engine.store import Row, Store
from lemnis.engine.text import safe

if TYPE_CHECKING:
    import pyarrow as pa

    from lemnis.engine.jobs.context import JobContext

KIND = "monitor.contrast"
ROWS = 2_000  # of either side; more tells hardly better and takes longer
LEAST = 100  # of the window
EXAMPLES = 5
PAST = 10  # windows of training rows that are told from the others, for comparison
ALONE = "endpoint = ? and model = ? and version = ? and starts = ? and ends = ?"
INSIDE = "endpoint = ? and model = ? and version = ? and event_at >= ? and event_at < ?"


class Span(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The arguments of the job: whose rows, and of which event time (epoch ms; the end is outside)."""

    endpoint: str
    model: str
    version: int
    starts: int
    ends: int

    @property
    def key(self) -> list[object]:
        return [self.endpoint, self.model, self.version, self.starts, self.ends]


def span_of(window: Window) -> Span:
    """Return whose rows a window holds."""
    return Span(
        endpoint=window.endpoint, model=window.model, version=window.version, starts=window.starts, ends=window.ends
    )


def title_of(span: Span) -> str:
    """Return what the job is called."""
    return f"what changed in {span.endpoint} from {iso_utc(span.starts)[:10]}"


def kept_contrast(store: Store, span: Span) -> Contrast | None:
    """Return what was found about a span; None before."""
    found = store.value(f"select contrast from monitor_contrasts where {ALONE}", span.key)
    return msgspec.json.decode(found, type=Contrast) if found else None


def wanted(store: Store) -> list[Span]:
    """Return the newest closed window that drifts of each served version, where nobody has asked what changed."""
    rows = store.rows(
        """select w.endpoint, w.model, w.version, w.starts, w.ends from monitor_windows w
           where w.closed = 1 and w.verdict = 'drift'
             and not exists (select 1 from monitor_contrasts c where c.endpoint = w.endpoint and c.model = w.model
                             and c.version = w.version and c.starts >= w.starts)
           order by w.starts desc"""
    )
    spans = [msgspec.convert(dict(row), Span) for row in rows]
    return list({(span.endpoint, span.model, span.version): span for span in reversed(spans)}.values())


def note_asked(store: Store, span: Span) -> None:
    """Remember that a job looks into a span."""
    with store.write() as db:
        row = {**msgspec.to_builtins(span), "created_at": now_ms()}
        db.table("monitor_contrasts").insert(row, ignore=True)


def contrast(context: "JobContext", arguments: dict[str, Any]) -> dict[str, Any]:
    """Find what tells a span's rows from training rows, and keep it. Any: JSON of the job.

    Raises:
        Cancelled: It was asked to stop.
        BadInput: The span has too few rows.
        NotFound: The model, its run's dataset version or its file is gone.
    """
    span = msgspec.convert(arguments, Span)
    found = look_into(context, span)
    with context.store.write() as db:
        row = {
            **msgspec.to_builtins(span),
            "contrast": msgspec.json.encode(found).decode(),
            "created_at": now_ms(),
        }
        pk = ("endpoint", "model", "version", "starts", "ends")
        db.table("monitor_contrasts").upsert(row, pk=pk)
    return {"auc": found.auc, "differs": found.differs}


def look_into(context: "JobContext", span: Span) -> Contrast:
    """Compare a sample of a span's rows with one of the training rows, and windows of these with the others."""
    import numpy as np

    from lemnis.engine.features.matrix import encode_table
    from lemnis.engine.features.requests import encode_columns
    from lemnis.engine.monitor.drift.contrast import shares_of, tell_apart
    from lemnis.engine.monitor.drift.freeze import evenly
    from lemnis.engine.monitor.reference import registered, rows_in_time

    store = context.store
    context.progress(None, "reading the rows")
    total, rows = sample_of(store, span)
    if len(rows) < LEAST:
        raise BadInput(
            f"{len(rows)} rows are too few to tell what changed; {LEAST} are needed.", "Take a wider window."
        )
    signature, dataset, _ = registered(store, span.model, span.version)
    values: list[list[Any]] = [msgspec.json.decode(row["features"]) for row in rows]  # Any: what a request held
    columns = dict(zip(signature.names, zip(*values, strict=True), strict=True))
    after = encode_columns({name: list(column) for name, column in columns.items()}, signature)
    table, _ = rows_in_time(dataset, signature, "train" if "train" in dataset.split else None)
    before = encode_table(evenly(table, ROWS), signature)
    context.progress(0, "learning what changed")
    told = tell_apart(before, after, signature.categorical)
    past: list[float] = []
    for place in past_places(table.num_rows, total):
        context.progress(len(past) / PAST, "comparing past windows")
        others = without(table, place, total)
        window = encode_table(evenly(table.slice(place, total), ROWS), signature)
        past.append(tell_apart(encode_table(evenly(others, ROWS), signature), window, signature.categorical).auc)
    shares = shares_of(told, signature.names)
    order = [signature.names.index(one.feature) for one in shares]
    unlike = np.argsort(-told.scores, kind="stable")[:EXAMPLES]
    return Contrast(
        auc=told.auc,
        low=min(past, default=None),
        high=max(past, default=None),
        past=len(past),
        rows=len(after),
        reference_rows=len(before),
        told=shares,
        examples=[
            Example(
                safe(rows[place]["row_key"] or f"row {rows[place]['id']}", limit=60),
                float(told.scores[place]),
                [
                    "–" if values[place][column] is None else safe(str(values[place][column]), limit=40)
                    for column in order
                ],
            )
            for place in unlike.tolist()
        ],
    )


def sample_of(store: Store, span: Span) -> tuple[int, list[Row]]:
    """Return how many rows of a span were answered, and at most ROWS of them, evenly taken in order of time."""
    import numpy as np

    sql = f"select id from predictions where {INSIDE} order by event_at, id"
    ids = [row["id"] for row in store.rows(sql, span.key, name="predictions")]
    taken = [ids[int(place)] for place in np.linspace(0, len(ids) - 1, min(ROWS, len(ids)))]
    sql = "select id, row_key, features from predictions where id in (select value from json_each(?)) order by id"
    return len(ids), store.rows(sql, [msgspec.json.encode(taken).decode()], name="predictions")


def past_places(rows: int, size: int) -> list[int]:
    """Return where PAST windows of a size start, evenly spread; none where the rows don't hold two."""
    import numpy as np

    return np.linspace(0, rows - size, PAST).astype(int).tolist() if rows >= 2 * size else []


def without(table: "pa.Table", start: int, size: int) -> "pa.Table":
    """Return a table's rows outside a window."""
    import pyarrow as pa

    return pa.concat_tables([table.slice(0, start), table.slice(start + size)])
