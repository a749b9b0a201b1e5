# pyright: basic
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false
# pyright: reportOperatorIssue=false, reportArgumentType=false

import pytest

from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.lifecycle import Lifecycle
from lemnis.engine.monitor.concept.stale import stale_models, waive
from lemnis.engine.problem import ProblemRoom
from lemnis.engine.problem.history import record_text


@pytest.fixture
def problem(flown) -> ProblemRoom:
    """The problem room of a workspace whose statement was recorded before the run was started."""
    room = ProblemRoom(flown.store)
    record_text(flown.store, room.text(), "ada", "first", now=0)
    return room


def test_a_changed_threshold_value_or_criterion_makes_the_served_model_stale(flown, problem: ProblemRoom) -> None:
    assert stale_models(flown.store) == []
    problem.set("problem.threshold", 0.3, "ada", "fewer misses")
    problem.set("problem.value.true_positive", 60.0, "ada", "meals are included")
    (found,) = stale_models(flown.store)
    assert (found.model, found.version, found.by_time) == ("late", 1, True)
    assert [(d.key, d.before, d.after) for d in found.differences] == [
        ("threshold", "0.4", "0.3"),
        ("value.true_positive", "40.0", "60.0"),
    ]
    assert (found.changed_by, found.reason) == ("ada", "meals are included")
    assert found.words == "late v1 is stale: threshold 0.4 → 0.3 and 1 more"
    monitor = next(stage for stage in Lifecycle(flown.store).stages() if stage.name == "monitor")
    assert (monitor.state, monitor.why) == ("attention", found.words)
    problem.edit(problem.text() + '\n[[problem.criteria]]\nmetric = "roc_auc"\nmin = 0.7\n', "ada", "a floor")
    assert ("criteria[roc_auc test].min", None) in {(d.key, d.before) for d in stale_models(flown.store)[0].differences}


def test_a_title_an_owner_or_a_comment_makes_nothing_stale(flown, problem: ProblemRoom) -> None:
    problem.set("problem.title", "Later flights", "ada", "words")
    problem.set("problem.owner", "bob", "ada", "moved")
    problem.edit("# a comment\n" + problem.text(), "ada", "words")
    assert stale_models(flown.store) == []


def test_a_run_that_says_its_statement_is_compared_with_that_one(flown, problem: ProblemRoom) -> None:
    problem.set("problem.threshold", 0.3, "ada", "fewer misses")
    with flown.store.write() as db:
        db.execute("update runs set problem_sha256 = ?", [problem.problem_sha256()])
    assert stale_models(flown.store) == []
    problem.set("problem.threshold", 0.4, "ada", "back")
    (found,) = stale_models(flown.store)
    assert not found.by_time
    assert found.words == "late v1 is stale: threshold 0.3 → 0.4"


def test_a_retrained_model_in_charge_is_not_stale(flown, problem: ProblemRoom) -> None:
    problem.set("problem.threshold", 0.3, "ada", "fewer misses")
    assert stale_models(flown.store)
    with flown.store.write() as db:
        run = (
            db.table("runs")
            .insert({"name": "again", "created_at": 5, "problem_sha256": problem.problem_sha256()})
            .last_pk
        )
        db.execute("update model_versions set run_id = ? where version = 2", [run])
        db.execute("update endpoints set serving_version = 2")
    assert stale_models(flown.store) == []


def test_a_waiver_names_who_and_why_and_ends_with_the_next_change(flown, problem: ProblemRoom) -> None:
    with pytest.raises(NotFound):
        waive(flown.store, "late", who="bob", why="it is fine")
    problem.set("problem.threshold", 0.3, "ada", "fewer misses")
    with pytest.raises(BadInput):
        waive(flown.store, "late", who="bob", why=" ")
    (found,) = waive(flown.store, "late", who="bob", why="a retraining is planned", now=9)
    assert (found.waived.who, found.waived.why, found.waived.at) == ("bob", "a retraining is planned", 9)
    assert stale_models(flown.store, waived=False) == []
    monitor = next(stage for stage in Lifecycle(flown.store).stages() if stage.name == "monitor")
    assert monitor.state == "not started"
    problem.set("problem.threshold", 0.2, "ada", "fewer still")
    assert stale_models(flown.store, waived=False)
