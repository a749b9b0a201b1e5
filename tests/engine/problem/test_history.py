from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine import Engine
from lemnis.engine.config import Criterion, Problem, Value
from lemnis.engine.problem.history import Difference, differences, problem_sha256

problems = st.builds(
    Problem,
    title=st.text(max_size=5),
    threshold=st.floats(0, 1),
    value=st.builds(Value, true_positive=st.floats(-9, 9)),
    criteria=st.lists(
        st.builds(Criterion, metric=st.sampled_from(["roc_auc", "log_loss"]), min=st.floats(0, 1)), max_size=2
    ),
)


def test_every_change_is_kept_with_who_why_and_what(engine: Engine) -> None:
    room = engine.problem
    assert room.record("ann", "first words") is True
    assert room.record("ann", "again") is False
    room.set("threshold", 0.3, "bob", "money says so")
    room.set("monitor.bins", 20, "eve", "finer")
    finer, cheaper, first = room.history()
    assert (cheaper.who, cheaper.why) == ("bob", "money says so")
    assert cheaper.differences == [Difference(key="threshold", before="0.5", after="0.3")]
    assert (finer.differences, finer.elsewhere) == ([], True)
    assert finer.problem_sha256 == cheaper.problem_sha256 != first.problem_sha256
    assert Difference(key="title", before=None, after="Test") in first.differences
    assert {difference.before for difference in first.differences} == {None}
    assert room.change_text(finer.id) == room.text()


def test_a_change_made_outside_is_noticed_once(engine: Engine) -> None:
    engine.problem.record("ann", "first words")
    with open(engine.workspace.config, "a") as file:
        file.write("# by hand\n")
    assert engine.problem.notice() is True
    assert engine.problem.notice() is False
    assert engine.problem.history()[0].why == "found changed on disk"


def test_an_edit_does_not_take_the_blame_for_a_change_made_outside(engine: Engine) -> None:
    engine.problem.record("ann", "first words")
    text = engine.problem.text().replace("Test", "By hand")
    engine.workspace.config.write_text(text)
    engine.problem.set("threshold", 0.3, "bob", "")
    bobs, outside, _ = engine.problem.history()
    assert [difference.key for difference in bobs.differences] == ["threshold"]
    assert [difference.key for difference in outside.differences] == ["title"]


def test_comments_do_not_make_another_problem(engine: Engine) -> None:
    before = engine.problem.problem_sha256()
    with open(engine.workspace.config, "a") as file:
        file.write("# a comment\n")
    assert engine.problem.problem_sha256() == before


def test_moving_a_criterion_changes_nothing_but_its_place() -> None:
    one, two = Criterion(metric="roc_auc", min=0.7), Criterion(metric="log_loss", max=0.6)
    assert differences(Problem(criteria=[one, two]), Problem(criteria=[two, one])) == []


@given(problems, problems)
def test_there_are_differences_only_between_problems_that_differ(one: Problem, two: Problem) -> None:
    found = differences(one, two)
    if one == two:
        assert found == []
        assert problem_sha256(one) == problem_sha256(two)
    back = [Difference(key=d.key, before=d.after, after=d.before) for d in differences(two, one)]
    assert sorted(found, key=lambda d: d.key) == sorted(back, key=lambda d: d.key)
