"""Splits: which share of an endpoint's requests a challenger answers, or only scores, and how that came to an end."""

from typing import TYPE_CHECKING, Any

import msgspec

from lemnis.engine.clock import now_ms
from lemnis.engine.deploy import aliases
from lemnis.engine.deploy.registry import signature_of
from lemnis.engine.deploy.rollout import counts, events
from lemnis.engine.deploy.rollout.records import ALPHA, BOUNDS, EventKind, Mode, Reference, Split, SplitState
from lemnis.engine.deploy.rollout.workers import judge_service
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.store import Row, Store
from lemnis.engine.text import safe

if TYPE_CHECKING:
    from lemnis.engine.jobs import JobsRoom

JUDGE = "lemnis.engine.deploy.rollout.judge"
LONGEST_KEY = 200


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asks of a split.

    Attributes:
        challenger: An alias.
        percent: Of the requests, 0 to 100.
        key: What a request is told apart by, see `sticky.request_key`.
    """

    challenger: str
    percent: float
    mode: Mode = "canary"
    key: str = ""
    who: str
    why: str = ""


def start(store: Store, jobs: "JobsRoom", endpoint: str, wish: Wish) -> Split:
    """Begin a split, or give the one that runs another share.

    Raises:
        NotFound: There is no such endpoint or alias.
        BadInput: The share is none, both are one version, another split runs, or the challenger can't be compared.
    """
    row = row_of(store, endpoint)
    if not 0 <= wish.percent <= 100:
        raise BadInput(f"{wish.percent:g} is no share.", "Give a percentage from 0 to 100.")
    if len(wish.key) > LONGEST_KEY:
        raise BadInput("The key's name is too long.", "Name a column, a parameter, or header:NAME.")
    champion = aliases.version_of(store, row["model"], row["alias"])
    challenger = aliases.version_of(store, row["model"], wish.challenger)
    if champion is None or challenger is None:
        missing = row["alias"] if champion is None else wish.challenger
        raise NotFound(
            f"{row['model']} has no {safe(missing, limit=80)}.",
            f"Promote a version with `lemnis models promote {row['model']} N --alias {safe(missing, limit=80)}`.",
        )
    if champion == challenger:
        raise BadInput(
            f"{row['alias']} and {wish.challenger} are both version {champion}.", "There is nothing to compare."
        )
    kept = running(store, endpoint)
    if kept is not None and (kept.challenger, kept.mode, kept.key) == (challenger, wish.mode, wish.key):
        return move(store, kept, wish.percent, who=wish.who, why=wish.why)
    if kept is not None:
        raise BadInput(
            f"{endpoint} splits with version {kept.challenger} already ({kept.mode}).",
            f"Stop that first: `lemnis endpoints split {endpoint} --stop`.",
        )
    check_features(store, row["model"], champion, challenger, wish.mode)
    split_id = insert(store, endpoint, wish, champion, challenger)
    counts.begin(store, split_id, (champion, challenger))
    jobs.declare_service(
        judge_service(endpoint), JUDGE, ["--workspace", str(store.workspace.root), "--endpoint", endpoint]
    )
    return find(store, split_id)


def insert(store: Store, endpoint: str, wish: Wish, champion: int, challenger: int) -> int:
    """Write a new split and its event; return its id."""
    values: dict[str, Any] = {  # Any: the table's own types
        "endpoint": endpoint,
        "mode": wish.mode,
        "champion": champion,
        "challenger": challenger,
        "alias": wish.challenger,
        "percent": wish.percent,
        "key": wish.key,
        "alpha": ALPHA,
        "bounds": msgspec.json.encode(BOUNDS).decode(),
        "state": "running",
        "who": wish.who,
        "started_at": now_ms(),
    }
    with store.write() as db:
        db.execute(
            f"insert into splits ({', '.join(values)}) values ({', '.join('?' * len(values))})", list(values.values())
        )
        split_id = int(db.execute("select last_insert_rowid()").fetchone()[0])
        words = f"{wish.mode} of {wish.percent:g} % with version {challenger}"
        why = f"{words}: {wish.why}" if wish.why else words
        events.record(db, endpoint, "split", who=wish.who, why=why, version=challenger)
    return split_id


def check_features(store: Store, model: str, champion: int, challenger: int, mode: Mode) -> None:
    """Refuse what can't be compared: another task, or a shadow that lacks features.

    A shadow scores what the champion's log has, so it may take no feature that the champion does not take.
    """
    first, second = signature_of(store, model, champion), signature_of(store, model, challenger)
    if (first.task, first.target) != (second.task, second.target):
        raise BadInput(
            f"Version {challenger} predicts {safe(second.target)} ({second.task}), version {champion} "
            f"{safe(first.target)} ({first.task}).",
            "Split between versions that answer the same question.",
        )
    lacking = [name for name in second.names if name not in first.by_name]
    if mode == "shadow" and lacking:
        raise BadInput(
            f"Version {challenger} takes {safe(', '.join(lacking[:5]), limit=200)}, which version {champion} does not "
            "log.",
            "Let it answer a small share instead: leave out --shadow.",
        )


def move(store: Store, split: Split, percent: float, *, who: str, why: str = "") -> Split:
    """Give a running split another share; raises BadInput when it has ended or the share is none."""
    if not 0 <= percent <= 100:
        raise BadInput(f"{percent:g} is no share.", "Give a percentage from 0 to 100.")
    with store.write() as db:
        moved = db.execute(
            "update splits set percent = ? where id = ? and state = 'running'", [percent, split.id]
        ).rowcount
        if moved:
            words = f"{split.percent:g} % → {percent:g} %"
            events.record(
                db,
                split.endpoint,
                "share",
                who=who,
                why=f"{words}: {why}" if why else words,
                version=split.challenger,
            )
    if not moved:
        raise BadInput(f"The split of {split.endpoint} has ended.", "Begin another one.")
    return find(store, split.id)


def end(store: Store, split_id: int, state: SplitState, *, who: str, why: str) -> bool:
    """End a running split: the challenger's share is 0 from now on. Return whether it was running.

    Where the test of each measure stood is kept with it.
    """
    split = counted(store, find(store, split_id))
    with store.write() as db:
        ended = db.execute(
            """update splits set state = ?, why = ?, standings = ?, ended_at = ? where id = ? and state = 'running'""",
            [state, why, msgspec.json.encode(split.standings).decode(), now_ms(), split_id],
        ).rowcount
        if ended:
            kind: dict[SplitState, EventKind] = {"stopped": "stop", "aborted": "abort", "promoted": "promoted"}
            took = now_ms() - split.started_at
            events.record(
                db, split.endpoint, kind[state], who=who, why=why, version=split.challenger, took_ms=float(took)
            )
            db.execute(
                "update services set wanted = 'down', updated_at = ? where name = ?",
                [now_ms(), judge_service(split.endpoint)],
            )
    return bool(ended)


def end_moved(store: Store, model: str, alias: str, number: int | None, *, who: str) -> None:
    """End the splits that the move of an alias has settled: the champion is another version, or the challenger is."""
    rows = store.rows(
        """select s.*, e.alias as champion_alias from splits s join endpoints e on e.name = s.endpoint
           where s.state = 'running' and e.model = ?""",
        [model],
    )
    for row in rows:
        if alias == row["champion_alias"] and number != row["champion"]:
            state: SplitState = "promoted" if number == row["challenger"] else "stopped"
            end(store, row["id"], state, who=who, why=f"{alias} is version {number} now")
        elif alias == row["alias"] and number != row["challenger"]:
            end(store, row["id"], "stopped", who=who, why=f"{alias} names {number or 'no version'} now")


def running(store: Store, endpoint: str) -> Split | None:
    """Return the split that runs at an endpoint, without its standings; None if there is none."""
    row = store.row("select * from splits where endpoint = ? and state = 'running'", [endpoint])
    return split_in(row) if row is not None else None


def running_at(store: Store, endpoint: str) -> Split:
    """Return the split that runs at an endpoint; raises NotFound without an endpoint, BadInput without a split."""
    row_of(store, endpoint)
    split = running(store, endpoint)
    if split is None:
        raise BadInput(
            f"{endpoint} splits with no version.", f"Begin with `lemnis endpoints split {endpoint} challenger 5`."
        )
    return split


def latest(store: Store, endpoint: str) -> Split | None:
    """Return the split that runs at an endpoint or ran last, with its standings; None if there never was one."""
    row = store.row("select * from splits where endpoint = ? order by id desc limit 1", [endpoint])
    return counted(store, split_in(row)) if row is not None else None


def of_challenger(store: Store, model: str, version: int) -> Split | None:
    """Return the last split in which a version of a model was the challenger, None if it never was."""
    row = store.row(
        """select s.* from splits s join endpoints e on e.name = s.endpoint
           where e.model = ? and s.challenger = ? order by s.id desc limit 1""",
        [model, version],
    )
    return counted(store, split_in(row)) if row is not None else None


def counted(store: Store, split: Split) -> Split:
    """Return a running split with where its test stands now; an ended one as it is."""
    if split.state != "running":
        return split
    skipped = store.value("select skipped from split_cursors where split_id = ?", [split.id], name="predictions")
    return msgspec.structs.replace(split, standings=counts.standings(store, split), skipped=skipped or 0)


def find(store: Store, split_id: int) -> Split:
    """Return one split."""
    row = store.row("select * from splits where id = ?", [split_id])
    if row is None:
        raise NotFound(f"There is no split {split_id}.", "See `lemnis endpoints list`.")
    return split_in(row)


def split_in(row: Row) -> Split:
    """Return the split of one row."""
    fields = {name: row[name] for name in row.keys() if name not in ("bounds", "reference", "standings")}  # noqa: SIM118
    parts = {name: msgspec.json.decode(row[name]) for name in ("bounds", "reference", "standings")}
    return msgspec.convert(fields | parts, Split)


def keep_reference(store: Store, split: Split, reference: Reference) -> Split:
    """Freeze what the champion was like; whoever does it first has done it."""
    with store.write() as db:
        db.execute(
            "update splits set reference = ? where id = ? and reference = '{}'",
            [msgspec.json.encode(reference).decode(), split.id],
        )
    return find(store, split.id)


def row_of(store: Store, endpoint: str) -> Row:
    """Return the row of an endpoint; raises NotFound."""
    row = store.row("select * from endpoints where name = ?", [endpoint])
    if row is None:
        raise NotFound(f"There is no endpoint {safe(endpoint, limit=80)!r}.", "See `lemnis endpoints list`.")
    return row
