"""A split answers by key, is judged by what was logged, and ends with a reason that stays."""

from collections.abc import Callable
from typing import Any

import pytest

from lemnis.engine.clock import now_ms
from lemnis.engine.deploy.predictions import Entry, write_entries
from lemnis.engine.deploy.rollout import events, splits
from lemnis.engine.deploy.rollout.judge import Judge
from lemnis.engine.deploy.rollout.splits import Wish
from lemnis.engine.deploy.rollout.sticky import is_challengers
from lemnis.engine.errors import BadInput, NotFound


@pytest.fixture
def splitting(two_versions: Any) -> Any:
    """Two versions, champion and challenger, with an endpoint nobody serves."""
    two_versions.room.promote("late", 2, "challenger", "ada", "to compare")
    two_versions.room.jobs.ensure_supervisor = lambda: None
    with two_versions.store.write() as db:
        endpoint = {"name": "late", "model": "late", "alias": "champion", "host": "127.0.0.1", "port": 8123}
        db.table("endpoints").insert(endpoint | {"created_at": 1, "changed_at": 1})
    return two_versions


def begin(bench: Any, **wishes: Any) -> Any:
    asked: dict[str, Any] = {"challenger": "challenger", "percent": 10.0, "who": "ada", "why": "try it"}
    return splits.start(bench.store, bench.room.jobs, "late", Wish(**(asked | wishes)))


def log(bench: Any, version: int, count: int, *, status: int = 200, us: int = 1000, score: float = 0.5) -> None:
    rows = [["AA", 100.0, 1.0, True]]
    made: list[Entry[Any]] = [
        Entry(now_ms(), version, 1, us + number % 20, status, "", rows, [[score + number % 50 / 1000]])
        if status < 400
        else Entry(now_ms(), version, 0, us, status, "no")
        for number in range(count)
    ]
    with bench.store.write("predictions") as db:
        write_entries(db.conn, "late", "late", made)


def judged(bench: Any) -> Any:
    Judge(bench.store, "late").look()
    return latest(bench)


def latest(bench: Any) -> Any:
    return splits.latest(bench.store, "late")


def test_a_split_has_one_life_and_every_step_of_it_is_kept(splitting: Any) -> None:
    split = begin(splitting)
    assert (split.state, split.percent, split.champion, split.challenger) == ("running", 10.0, 1, 2)
    assert begin(splitting, percent=25.0).id == split.id
    with pytest.raises(BadInput, match="splits with version 2 already"):
        begin(splitting, mode="shadow")
    assert splits.end(splitting.store, split.id, "stopped", who="ada", why="enough")
    assert not splits.end(splitting.store, split.id, "aborted", who="lemnis", why="late")
    kept = latest(splitting)
    assert (kept.state, kept.why, kept.percent) == ("stopped", "enough", 25.0)
    steps = [(step.kind, step.why) for step in events.events(splitting.store, "late")]
    assert steps == [
        ("stop", "enough"),
        ("share", "10 % → 25 %: try it"),
        ("split", "canary of 10 % with version 2: try it"),
    ]


@pytest.mark.parametrize(
    ("wishes", "says"),
    [
        ({"percent": 101.0}, "no share"),
        ({"percent": float("nan")}, "no share"),
        ({"challenger": "champion"}, "both version 1"),
    ],
)
def test_what_can_not_be_split_is_refused(splitting: Any, wishes: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        begin(splitting, **wishes)


def test_a_split_needs_an_endpoint_and_a_challenger(splitting: Any) -> None:
    with pytest.raises(NotFound, match="no endpoint"):
        splits.start(splitting.store, splitting.room.jobs, "early", Wish(challenger="challenger", percent=1, who="a"))
    with pytest.raises(NotFound, match="no rival"):
        begin(splitting, challenger="rival")


@pytest.mark.parametrize(
    ("bad", "measure"),
    [({"status": 500}, "errors"), ({"us": 90_000}, "latency"), ({"score": 0.9}, "drift")],
)
def test_a_challenger_that_is_worse_is_aborted_and_the_figures_are_kept(
    splitting: Any, bad: dict[str, Any], measure: str
) -> None:
    begin(splitting)
    log(splitting, 1, 150)  # what the champion is known by
    judged(splitting)
    log(splitting, 1, 400)
    log(splitting, 2, 40)
    split = judged(splitting)
    assert split.state == "running", split
    assert all(entry.judged for entry in split.standings)
    log(splitting, 2, 200, **bad)
    split = judged(splitting)
    assert split.state == "aborted", split
    assert split.why.startswith(measure)
    found = {entry.measure: entry for entry in split.standings}
    assert found[measure].share == 1.0
    assert events.events(splitting.store, "late")[0].kind == "abort"
    assert splitting.store.value("select wanted from services where name = 'endpoint:late#judge'") == "down"


def test_a_challenger_that_is_as_good_goes_on(splitting: Any) -> None:
    split = begin(splitting)
    for _ in range(6):
        log(splitting, 1, 900)
        log(splitting, 2, 100)
        split = judged(splitting)
        assert split.state == "running", split
    assert [entry.share for entry in split.standings] == [0.0, 0.0, 0.0]
    assert split.standings[0].challenger.n == 600


def test_what_the_champion_is_known_by_is_not_compared_with_it(splitting: Any) -> None:
    begin(splitting)
    log(splitting, 1, 150)
    split = judged(splitting)
    found = {entry.measure: entry for entry in split.standings}
    assert (found["errors"].champion.n, found["latency"].champion.n, found["drift"].champion.n) == (150, 0, 0)
    log(splitting, 1, 30)
    found = {entry.measure: entry for entry in judged(splitting).standings}
    assert (found["errors"].champion.n, found["latency"].champion.n, found["drift"].champion.n) == (180, 30, 30)


def test_promoting_the_challenger_ends_the_split(splitting: Any) -> None:
    begin(splitting)
    splitting.room.promote("late", 2, "champion", "ada", "better")
    split = latest(splitting)
    assert (split.state, split.who) == ("promoted", "ada")
    begin_again = Wish(challenger="challenger", percent=5.0, who="ada")
    with pytest.raises(BadInput, match="both version 2"):
        splits.start(splitting.store, splitting.room.jobs, "late", begin_again)


def test_a_shadow_scores_what_the_champion_was_asked_and_only_logs_it(splitting: Any) -> None:
    log(splitting, 1, 200)  # before it began
    begin(splitting, mode="shadow", percent=100.0)
    log(splitting, 1, 50)
    split = judged(splitting)
    rows = splitting.store.rows("select * from shadows", name="predictions")
    assert (len(rows), {row["version"] for row in rows}) == (50, {2})
    assert all(0 < row["score"] < 1 for row in rows)
    found = {entry.measure: entry for entry in split.standings}
    assert (found["errors"].challenger.n, found["latency"].judged) == (50, False)
    assert splitting.store.value("select count(*) from requests", name="predictions") == 250
    assert splitting.room.endpoint("late").requests == 250


def test_requests_of_a_split_are_answered_by_key_and_an_end_is_followed_at_once(
    splitting: Any, start_server: Callable[..., Any], wait: Callable[..., None], first_model: Any
) -> None:
    server = start_server(splitting)
    server.wait_ready(1)
    split = begin(splitting, percent=40.0)
    row = first_model.request_rows(1)

    def version_of(key: str) -> int:
        status, document = server.ask("POST", "/invocations", {"dataframe_records": row, "params": {"keys": [key]}})
        assert status == 200, document
        return int(document["model_version"])

    wait(lambda: splitting.room.endpoint("late").workers[0].challenger == 2, server)
    keys = [f"flight {number}" for number in range(60)]
    expected = [2 if is_challengers(key, split.salt, 0.4) else 1 for key in keys]
    assert [version_of(key) for key in keys] == expected
    assert 10 < expected.count(2) < 40
    begin(splitting, percent=100.0)
    wait(lambda: all(version_of(key) == 2 for key in keys[:10]), server)
    pinned = server.ask("POST", "/v2/models/late/versions/1/infer", {"inputs": []})
    assert pinned[0] == 400
    splits.end(splitting.store, split.id, "aborted", who="lemnis", why="errors")
    wait(lambda: all(version_of(key) == 1 for key in keys[:10]), server)
    sql = "select count(distinct version) from predictions"
    wait(lambda: splitting.store.value(sql, name="predictions") == 2, server)
