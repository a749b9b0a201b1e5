"""Studies on past rows, as they are kept: what is tried, what came of each try, and the mean gain. SQLite alone."""

import msgspec

from lemnis.engine.clock import now_ms
from lemnis.engine.errors import NotFound
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.monitor.retraining.records import Figure, Mean, Point, Study, StudyKind, Try
from lemnis.engine.store import Row, Store, returning

KIND = "monitor.study"
TITLES: dict[StudyKind, str] = {
    "curve": "Windows to learn from",
    "warm": "Warm starts beside full training",
    "backtest": "What retraining would have gained",
}
SELECT = """select s.*, j.state as job_state, j.why as job_why, j.progress as job_progress, j.progress_text
            from retraining_studies s left join jobs j on j.id = s.job_id"""


def begin(store: Store, kind: StudyKind, endpoint: str, champion: tuple[str, int], plan: list[Try], who: str) -> Study:
    """Keep what is to be tried, queue the job, and return the study."""
    row = {
        **{"kind": kind, "endpoint": endpoint, "model": champion[0], "champion_version": champion[1]},
        **{"plan": msgspec.json.encode(plan).decode(), "who": who, "created_at": now_ms()},
    }
    sql = f"insert into retraining_studies ({', '.join(row)}) values ({', '.join(':' + k for k in row)}) returning id"
    with store.write() as db:
        study_id = int(returning(db, sql, row)[0]["id"])
        job_id = JobsRoom(store).submit(KIND, f"{TITLES[kind]}: {endpoint}", {"study": study_id}, cores=1, priority=40)
        db.execute("update retraining_studies set job_id = ? where id = ?", [job_id, study_id])
    return find(store, study_id)


def find(store: Store, study_id: int) -> Study:
    """Return one study; raises NotFound."""
    row = store.row(f"{SELECT} where s.id = ?", [study_id])
    if row is None:
        raise NotFound(f"There is no study {study_id}.", "See `lemnis retrain studies`.")
    return study_in(store, row)


def listed(store: Store, endpoint: str = "", limit: int = 20) -> list[Study]:
    """Return studies of one endpoint, or of all, newest first."""
    rows = store.rows(f"{SELECT} where ? in ('', s.endpoint) order by s.id desc limit ?", [endpoint, limit])
    return [study_in(store, row) for row in rows]


def study_in(store: Store, row: Row) -> Study:
    """Return the study of one row with its points."""
    points = store.rows("select point from retraining_points where study_id = ? order by place", [row["id"]])
    running = row["job_state"] == "running"
    return Study(
        **{name: row[name] for name in ("id", "kind", "endpoint", "model", "champion_version", "who", "job_id")},
        created_at=row["created_at"],
        plan=msgspec.json.decode(row["plan"], type=list[Try]),
        points=[msgspec.json.decode(point["point"], type=Point) for point in points],
        state=row["job_state"] or "lost",
        doing=(row["progress_text"] if running else row["job_why"]) or "",
        progress=row["job_progress"],
    )


def places_done(store: Store, study_id: int) -> set[int]:
    """Return which tries of a study have been made."""
    return {row["place"] for row in store.rows("select place from retraining_points where study_id = ?", [study_id])}


def keep(store: Store, study_id: int, place: int, point: Point) -> None:
    """Keep what came of one try, so that an interrupted study goes on behind it."""
    with store.write() as db:
        row = {"study_id": study_id, "place": place, "point": msgspec.json.encode(point).decode()}
        db.table("retraining_points").insert(row, replace=True)


def mean_gain(points: list[Point]) -> Mean | None:
    """Return the mean gain of the main measure; None where nothing was measured. Larger is better after its sign."""
    from lemnis.engine.evaluate.significance import judged

    told = [main for point in points if (main := point.main) is not None and main.delta is not None]
    if not told:
        return None
    deltas = [main.delta for main in told if main.delta is not None]
    count = len(deltas)
    mean = sum(deltas) / count
    low, high = told[0].low, told[0].high
    if count > 1:
        spread = (sum((delta - mean) ** 2 for delta in deltas) / (count - 1)) ** 0.5
        low, high, _ = judged(mean, spread / count**0.5, count)
    return Mean(
        metric=told[0].metric,
        spans=count,
        gain=mean,
        low=low,
        high=high,
        better=sum(is_gain(main) for main in told),
        money=money_of(points),
    )


def is_gain(figure: Figure) -> bool:
    """Say whether a difference is for the better, by chance or not."""
    from lemnis.engine.evaluate.paired import is_better

    return bool(figure.delta is not None and is_better(figure.metric, figure.delta))


def money_of(points: list[Point]) -> float | None:
    """Return what the judged rows together would have brought more than by the champion."""
    found = [
        figure.delta * point.judged / 1000
        for point in points
        for figure in point.figures
        if figure.metric == "value_per_1000" and figure.delta is not None
    ]
    return sum(found) if found else None
