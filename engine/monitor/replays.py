"""Replays: which span is worth one, queueing it, and those under way."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from lemnis.engine import clock
from lemnis.engine.errors import BadInput, NotFound, Unavailable
from lemnis.engine.monitor.records import Replay
from lemnis.engine.store import Row, Store

if TYPE_CHECKING:
    from lemnis.engine.data.versions import Version
    from lemnis.engine.features.signature import Signature
    from lemnis.engine.monitor.traffic import Rows

KIND = "monitor.replay"
DAY_MS = 86_400_000
SERVED = """
    select e.host, e.port, v.signature, s.url, r.version_id
    from endpoints e left join model_versions v on v.model = e.model and v.version = e.serving_version
      left join runs r on r.id = v.run_id left join services s on s.name = 'endpoint:' || e.name
    where e.name = ?
"""


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A Parquet or CSV file to replay, and the columns that say when a row happened, its name and its true answer.

    Attributes:
        time: Empty: the column that is called as the dataset's, else the only one that holds times.
        key: Empty: rows are named by their content.
        label: Empty: the model's target, where the file has it.
    """

    path: Path
    time: str = ""
    key: str = ""
    label: str = ""


def newest_time(dataset: "Version") -> int:
    """Return the latest time in a version's time column, epoch ms, from the file's footer alone.

    Raises:
        NotFound: There is no time column, or the footer does not say.
    """
    import pyarrow.parquet as pq

    if dataset.time:
        meta: Any = pq.read_metadata(dataset.file)  # Any: pyarrow's footers are untyped
        place = next(n for n in range(meta.num_columns) if meta.schema.column(n).name == dataset.time)
        columns = [meta.row_group(group).column(place) for group in range(meta.num_row_groups)]
        newest = [column.statistics.max for column in columns if column.statistics and column.statistics.has_min_max]
        if newest:
            return clock.parse_ms(str(max(newest)))
    raise NotFound(f"{dataset.title} does not say when its rows happened.", "Set dataset.time and link it again.")


def check_plan(start: str, end: str, batch: int, sample: float, delay_days: float, speed: float) -> None:
    """Refuse a replay that can't be."""
    try:
        moments = [clock.parse_ms(text) for text in (start, end) if text]
    except ValueError:
        raise BadInput(f"{start!r} to {end!r} is no span of dates.", "Write for example 2013-07-01.") from None
    if len(moments) == 2 and moments[0] >= moments[1]:
        raise BadInput(f"The span ends before it starts: {start} to {end}.", "Swap the two dates.")
    if not (1 <= batch <= 20_000 and 0 < sample <= 1 and delay_days >= 0 and speed >= 0):
        raise BadInput(
            f"Batch {batch}, sample {sample:g}, delay {delay_days:g} days and speed {speed:g} can't all be used.",
            "Batch 1 to 20,000, sample above 0 up to 1, delay and speed at least 0.",
        )


def served(store: Store, endpoint: str) -> Row:
    """Return where an endpoint answers, and with what; raises NotFound or Unavailable."""
    row = store.row(SERVED, [endpoint])
    if row is None:
        raise NotFound(f"There is no endpoint {endpoint!r}.", "See `lemnis endpoints list`.")
    if row["signature"] is None:
        raise Unavailable(f"{endpoint} serves no model yet.", "Wait until it is ready: `lemnis endpoints list`.")
    return row


def order_of(
    store: Store, endpoint: str, source: "str | File | None", plan: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Return title and arguments of a replay's job; see `replay.Plan`. Any: JSON values.

    `source` is a dataset version, or a file; None for the version the served model was trained on.

    Raises:
        NotFound: There is no such endpoint, version, file or column.
        Unavailable: The endpoint serves no model now.
        BadInput: The span, the file or a number can't be used, or a replay to this endpoint is under way.
    """
    from lemnis.engine.data.versions import find_version
    from lemnis.engine.features.signature import Signature

    check_plan(plan["start"], plan["end"], plan["batch"], plan["sample"], plan["delay_days"], plan["speed"])
    running = next((replay for replay in under_way(store) if replay.endpoint == endpoint), None)
    if running is not None:
        raise BadInput(
            f"Job {running.job_id} replays to {endpoint} already.", f"Stop it: `lemnis jobs cancel {running.job_id}`."
        )
    row = served(store, endpoint)
    signature = msgspec.json.decode(row["signature"], type=Signature)
    arguments = {
        "endpoint": endpoint,
        "url": row["url"] or f"http://{row['host']}:{row['port']}",
        "version": "",
        "features": signature.names,
        "target": signature.target,
    }
    if isinstance(source, File):
        rows = file_rows(source, signature, time_of(store, row["version_id"]))
        return f"replay {rows.title} to {endpoint}", arguments | plan | {"file": msgspec.to_builtins(rows)}
    dataset = find_version(store, source or row["version_id"])
    arguments["version"] = dataset.id
    since = f" from {plan['start']}" if plan["start"] else ""
    return f"replay {dataset.title}{since} to {endpoint}", arguments | plan


def time_of(store: Store, version_id: str | None) -> str:
    """Return the time column of a dataset version; empty where it has none, or is not kept any more."""
    from lemnis.engine.data.versions import find_version

    try:
        return find_version(store, version_id).time if version_id else ""
    except NotFound:
        return ""


def file_rows(file: File, signature: "Signature", usual_time: str) -> "Rows":
    """Return where a file's rows are, after a look at its columns; a label that is not named is the model's target."""
    from lemnis.engine.monitor.traffic import Rows, columns_of, opened

    rows = Rows(
        path=str(file.path.resolve()),
        title=file.path.name,
        time=file.time,
        keys=[file.key] if file.key else [],
        label=file.label,
        texts=[feature.name for feature in signature.features if feature.kind == "categorical"],
    )
    if not file.time:
        rows = msgspec.structs.replace(rows, time=the_time(rows.title, columns_of(rows)[1], usual_time))
    data = opened(rows, signature.names)
    if not file.label and signature.target in data.schema.names:
        rows = msgspec.structs.replace(rows, label=signature.target)
    return rows


def the_time(title: str, held: list[str], usual: str) -> str:
    """Return which of a file's columns of times says when a row happened; raises BadInput when that is not clear."""
    if usual in held:
        return usual
    if len(held) != 1:
        found = f"has {len(held)} columns of times: {', '.join(held)}" if held else "has no column of times"
        raise BadInput(f"{title} {found}.", "Name the column that says when a row happened: --time.")
    return held[0]


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay would send: how many rows, from when to when (epoch ms), and how long it takes where it is paced.

    Attributes:
        rows: Those the endpoint has had already included, which are left out.
        seconds: The last labels included; None where it goes as fast as the endpoint answers.
    """

    title: str
    rows: int
    begins: int
    ends: int
    seconds: float | None


def planned(store: Store, endpoint: str, source: "str | File | None", plan: dict[str, Any]) -> Planned:
    """Return what a replay would send; see `order_of` for what is refused. Any: JSON values."""
    from lemnis.engine.data.versions import find_version
    from lemnis.engine.monitor.traffic import Rows, counted, rows_of

    _, arguments = order_of(store, endpoint, source, plan)
    file = arguments.get("file")
    rows = msgspec.convert(file, Rows) if file else rows_of(find_version(store, arguments["version"]), "")
    start, end = (clock.parse_ms(plan[name]) if plan[name] else None for name in ("start", "end"))
    count, begins, ends = counted(rows, start=start, end=end)
    if not count:
        raise BadInput(f"No row of {rows.title} lies in that span.", "Leave out the days for all rows.")
    length_s = (ends - begins) / 1000 + plan["delay_days"] * DAY_MS / 1000
    seconds = length_s / plan["speed"] if plan["speed"] else None
    return Planned(title=rows.title, rows=round(count * plan["sample"]), begins=begins, ends=ends, seconds=seconds)


def proposed(store: Store, endpoint: str) -> tuple[str, str, str]:
    """Return what is worth replaying: from where the model's training and validation end to the version's last row.

    Returns:
        The version as it is called, first day and the day after the last, ISO dates in UTC.

    Raises:
        NotFound: There is no such endpoint, or its model's dataset version does not say when rows happened.
        Unavailable: It serves no model.
    """
    from lemnis.engine.data.versions import find_version

    dataset = find_version(store, served(store, endpoint)["version_id"] or "")
    seen = [part.end for name, part in dataset.split.items() if name != "test"]
    last = clock.iso_utc(newest_time(dataset) + DAY_MS)[:10]
    return f"v{dataset.number}", clock.iso_utc(max(seen, default=0))[:10], last


def under_way(store: Store) -> list[Replay]:
    """Return the replays that wait or run."""
    return listed(store, "state in ('queued', 'preparing', 'running')", [])


def paused(store: Store, *, now: int) -> list[Replay]:
    """Return the replays that were stopped in the last day, and after which none was begun to the same endpoint."""
    newest = """state = 'cancelled' and ended_at > ? and not exists (select 1 from jobs later where later.id > jobs.id
                  and later.kind = jobs.kind and later.arguments ->> 'endpoint' = jobs.arguments ->> 'endpoint')"""
    return listed(store, newest, [now - DAY_MS])


def listed(store: Store, condition: str, values: list[int]) -> list[Replay]:
    """Return the replays whose job meets a condition, the oldest first."""
    rows = store.rows(
        f"""select id, state, progress, progress_text, why, cancel_asked, arguments ->> 'endpoint' as endpoint from jobs
            where kind = ? and {condition} order by id""",
        [KIND, *values],
    )
    return [
        Replay(
            job_id=row["id"],
            endpoint=row["endpoint"],
            state=row["state"],
            progress=row["progress"],
            text=row["progress_text"] if row["state"] == "running" and not row["cancel_asked"] else row["why"],
        )
        for row in rows
    ]
