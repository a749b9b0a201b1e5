"""Every text lemnis.toml ever had, and what each changed in the problem."""

import hashlib
from functools import lru_cache
from typing import Any, cast

import msgspec
from msgspec import Struct

from lemnis.engine import clock
from lemnis.engine.config import Problem, parse_config
from lemnis.engine.errors import ConfigError
from lemnis.engine.store import Row, Store


class Difference(Struct, frozen=True, kw_only=True):
    """One key of the problem that changed; None where it was not, or is no longer."""

    key: str
    before: str | None
    after: str | None


class Change(Struct, frozen=True, kw_only=True):
    """One recorded text.

    Attributes:
        id: 1, 2, 3 …
        at: When it was recorded, epoch ms.
        sha256: Of the whole text.
        problem_sha256: Of the problem alone; equal in two entries that differ in other sections only.
        differences: What changed in the problem since the entry before; all it says for the first.
        elsewhere: Whether other sections changed.
    """

    id: int
    at: int
    who: str
    why: str
    sha256: str
    problem_sha256: str
    differences: list[Difference]
    elsewhere: bool


def text_sha256(text: str) -> str:
    """Return the SHA-256 of a text as 64 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def problem_sha256(problem: Problem) -> str:
    """Return a hash of what the problem says, whatever its comments and the order of its keys."""
    return hashlib.sha256(msgspec.json.encode(problem, order="deterministic")).hexdigest()


def record_text(store: Store, text: str, who: str, why: str, *, now: int | None = None) -> bool:
    """Keep a text that differs from the last one kept; return whether it did.

    Raises:
        ConfigError: The text is not accepted; what can't be read is not history.
    """
    problem = parse_config(text).problem
    digest = text_sha256(text)
    with store.write() as db:
        last = db.execute("select sha256 from config_history order by id desc limit 1").fetchone()
        if last is not None and last[0] == digest:
            return False
        db.table("config_history").insert(
            {
                "at": clock.now_ms() if now is None else now,
                "who": who,
                "why": why,
                "sha256": digest,
                "problem_sha256": problem_sha256(problem),
                "text": text,
            }
        )
    return True


def last_sha256(store: Store) -> str:
    """Return the hash of the last text that was kept; empty when there is none."""
    return str(store.value("select sha256 from config_history order by id desc limit 1") or "")


def list_changes(store: Store, limit: int = 500) -> list[Change]:
    """Return the recorded texts, newest first, each with what it changed in the problem."""
    rows = store.rows("select * from config_history order by id desc limit ?", [limit + 1])
    older: list[Row | None] = [*rows[1:], None]
    return [_change(row, before) for row, before in zip(rows[:limit], older, strict=False)]


def differences(before: Problem | None, after: Problem | None) -> list[Difference]:
    """Return the keys whose values differ, in the order the problem has them; None has no key at all."""
    old, new = (flat(msgspec.to_builtins(problem)) if problem else {} for problem in (before, after))
    keys = list(dict.fromkeys([*old, *new]))
    changed = [Difference(key=key, before=old.get(key), after=new.get(key)) for key in keys]
    return [difference for difference in changed if difference.before != difference.after]


# Any: builtins of any depth.
def flat(value: Any, prefix: str = "") -> dict[str, str]:
    """Return the leaves of nested tables and lists by dotted key; what is empty or null has no leaf."""
    if isinstance(value, dict):
        table = cast("dict[str, Any]", value)
        items = {f"{prefix}.{key}" if prefix else key: inner for key, inner in table.items()}
    elif isinstance(value, list):
        places = cast("list[Any]", value)
        items = {f"{prefix}[{_place(index, inner)}]": inner for index, inner in enumerate(places)}
    else:
        return {} if value in (None, "") else {prefix: str(value)}
    leaves: dict[str, str] = {}
    for key, inner in items.items():
        leaves |= flat(inner, key)
    return leaves


def _place(index: int, item: Any) -> str:
    """Name a list's item by what it is about, so that moving it is no change of all that follow."""
    if not isinstance(item, dict):
        return str(index)
    table = cast("dict[str, Any]", item)
    return " ".join(str(table[key]) for key in ("metric", "source", "on") if table.get(key)) or str(index)


def _change(row: Row, before: Row | None) -> Change:
    changed: list[Difference] = []
    if before is None or before["problem_sha256"] != row["problem_sha256"]:
        changed = differences(_problem(before), _problem(row))
    return Change(
        id=row["id"],
        at=row["at"],
        who=row["who"],
        why=row["why"],
        sha256=row["sha256"],
        problem_sha256=row["problem_sha256"],
        differences=changed,
        elsewhere=not changed,
    )


def _problem(row: Row | None) -> Problem | None:
    return problem_in(row["text"]) if row is not None else None


@lru_cache(maxsize=512)
def problem_in(text: str) -> Problem | None:
    """Return the problem of a recorded text; None where this Lemnis no longer accepts the text."""
    try:
        return parse_config(text).problem
    except ConfigError:
        return None
