"""What a worker does when its alias moves: loads once, drills the way back, and stops at what another refused."""

from typing import Any

import pytest

from lemnis.engine.deploy import serving
from lemnis.engine.deploy.records import Golden
from lemnis.engine.deploy.rollout import events, splits, workers
from lemnis.engine.deploy.rollout.splits import Wish
from lemnis.engine.errors import BadInput


class Model:
    """A predictor whose golden answers are what the test says."""

    signature = None

    def __init__(self, wrong: str = "") -> None:
        self.wrong = wrong

    def again(self) -> "Model":
        return self

    def self_test(self, _golden: Golden) -> str:
        return self.wrong


class Answering:
    """Notes what it was given to answer with."""

    def __init__(self) -> None:
        self.served: list[int] = []
        self.shared: list[int | None] = []

    def serve(self, served: serving.Served) -> None:
        self.served.append(served.version)

    def share(self, split: Any, challenger: serving.Served | None) -> None:
        self.shared.append(challenger.version if challenger is not None else None)


@pytest.fixture
def bench(two_versions: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An endpoint of two workers in this process; `loaded` notes what was loaded, `unfit` says what can not be."""
    loaded: list[int] = []
    unfit: dict[int, str] = {}
    wrong: dict[int, str] = {}

    def load(_store: Any, model: str, number: int, *, cores: int) -> serving.Served:
        loaded.append(number)
        if number in unfit:
            raise BadInput(f"The model was refused: {unfit[number]}.", "Train it again.")
        predictor: Any = Model(wrong.get(number, ""))
        return serving.Served(model, number, predictor, Golden(rows=[], answers=[]))

    monkeypatch.setattr(serving, "load_served", load)
    two_versions.loaded, two_versions.unfit, two_versions.wrong = loaded, unfit, wrong
    with two_versions.store.write() as db:
        endpoint = {"name": "late", "model": "late", "alias": "champion", "host": "127.0.0.1", "port": 8123}
        db.table("endpoints").insert(endpoint | {"workers": 2, "created_at": 1, "changed_at": 1})
    return two_versions


def follower(bench: Any, number: int) -> tuple[serving.Follower, Answering]:
    answers = Answering()
    declared = serving.declaration(bench.store, "late")
    made = serving.Follower(bench.store, declared, answers, lambda: None, worker=number)
    made.follow_once()
    return made, answers


def test_the_way_back_is_drilled_and_loads_nothing(bench: Any) -> None:
    made, answers = follower(bench, 1)
    bench.room.promote("late", 2, "champion", "ada", "better")
    made.follow_once()
    bench.room.rollback("late", "champion", "ada", "worse")
    made.follow_once()
    assert (answers.served, bench.loaded) == ([1, 2, 1], [1, 2])
    steps = [(step.kind, step.version, step.who) for step in reversed(events.events(bench.store, "late"))]
    assert steps == [("swap", 2, "ada"), ("drill", 1, "ada"), ("swap", 1, "ada"), ("drill", 2, "ada")]


def test_a_drill_that_fails_is_told_and_the_version_is_loaded_anew(bench: Any) -> None:
    bench.wrong[1] = "golden row 4 got 0.5"
    made, answers = follower(bench, 1)
    bench.room.promote("late", 2, "champion", "ada", "better")
    made.follow_once()
    worker = workers.listed(bench.store, "late")[0]
    assert (worker.standby, worker.drill) == (None, "golden row 4 got 0.5")
    bench.room.rollback("late", "champion", "ada", "worse")
    made.follow_once()
    assert (answers.served, bench.loaded) == ([1, 2, 1], [1, 2, 1])


def test_what_one_worker_refused_the_others_do_not_try(bench: Any) -> None:
    first, second = follower(bench, 1), follower(bench, 2)
    bench.unfit[2] = "it is cyclic"
    bench.room.promote("late", 2, "champion", "ada", "better")
    first[0].follow_once()
    second[0].follow_once()
    assert bench.loaded == [1, 1, 2]
    assert (first[1].served, second[1].served) == ([1], [1])
    found = workers.listed(bench.store, "late")
    assert ["it is cyclic" in worker.why for worker in found] == [True, True]
    assert [step.kind for step in events.events(bench.store, "late")] == ["refuse"]
    assert bench.store.value("select why from endpoints").startswith("version 2 is not served: The model was refused")


def test_a_challenger_that_is_promoted_is_in_memory_already(bench: Any) -> None:
    made, answers = follower(bench, 1)
    bench.room.promote("late", 2, "challenger", "ada", "to compare")
    splits.start(bench.store, bench.room.jobs, "late", Wish(challenger="challenger", percent=5, who="ada"))
    made.follow_once()
    assert answers.shared == [2]
    bench.room.promote("late", 2, "champion", "ada", "better")
    made.follow_once()
    assert (answers.served, answers.shared, bench.loaded) == ([1, 2], [2, None], [1, 2])


def test_a_challenger_that_is_not_fit_ends_its_split(bench: Any) -> None:
    made, answers = follower(bench, 1)
    bench.unfit[2] = "its file changed"
    bench.room.promote("late", 2, "challenger", "ada", "to compare")
    splits.start(bench.store, bench.room.jobs, "late", Wish(challenger="challenger", percent=5, who="ada"))
    made.follow_once()
    split = splits.latest(bench.store, "late")
    assert split is not None
    assert (split.state, "its file changed" in split.why, answers.shared) == ("aborted", True, [])


def test_a_worker_that_was_killed_is_not_ready_though_its_last_word_was(bench: Any) -> None:
    follower(bench, 1)
    follower(bench, 2)
    with bench.store.write() as db:
        for name in ("endpoint:late", "endpoint:late#2"):
            service = {"name": name, "module": "none", "arguments": "[]", "state": "up", "updated_at": 1}
            db.table("services").insert(service)
    assert bench.room.endpoint("late").state == "ready"
    with bench.store.write() as db:  # the supervisor has started another process in its place
        db.execute("update services set pid = 4711, state = 'starting' where name = 'endpoint:late#2'")
    endpoint = bench.room.endpoint("late")
    assert (endpoint.state, endpoint.why) == ("degraded", "1 of 2 workers are ready")
