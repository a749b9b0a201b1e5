from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.config import Criterion, Problem, Value
from lemnis.engine.data import Arrival
from lemnis.engine.problem import Change, Difference
from lemnis.tui.stages.problem import rows
from lemnis.tui.widgets.cells import plain


def arrival(**changes: object) -> Arrival:
    facts = {
        "source": "flights", "cadence": "monthly", "expected_rows": 100, "owner": "records", "note": "", "rows": 90,
        "arrived_at": 0, "due_at": 0, "state": "short", "why": "10 rows fewer than expected",
    }  # fmt: skip
    return Arrival(**facts | changes)  # type: ignore[arg-type]


def change(*differences: Difference, elsewhere: bool = False) -> Change:
    return Change(
        id=2, at=0, who="ann", why="cheaper", sha256="", problem_sha256="", differences=list(differences),
        elsewhere=elsewhere,
    )  # fmt: skip


def texts(row: object) -> list[str]:
    return [plain(cell) for cell in row.cells]  # type: ignore[attr-defined]


def test_the_money_is_a_small_table_with_signs() -> None:
    problem = Problem(target="late", value=Value(true_positive=240, false_positive=-60), threshold=0.3)
    assert rows.value_content(problem).plain.splitlines() == [
        "                late       not late",
        "said yes       +$240           −$60",
        "said no           $0             $0",
        "yes from       p 0.3",
    ]
    assert rows.break_even_text(problem) == "a yes pays from p 0.20"


def test_a_question_that_is_not_binary_has_no_matrix() -> None:
    assert "binary" in rows.value_content(Problem(task="regression")).plain
    assert rows.break_even_text(Problem(task="regression")) == ""


def test_an_empty_problem_says_what_to_do() -> None:
    text = rows.statement_content(Problem()).plain
    assert text.startswith("No question yet. Press e to state it.")
    assert "owner    –" in text


def test_bounds_are_written_as_they_are_meant() -> None:
    assert texts(rows.criterion_row(Criterion(metric="roc_auc", min=0.68)))[1] == "≥ 0.68"
    assert texts(rows.criterion_row(Criterion(metric="log_loss", max=0.62)))[1] == "≤ 0.62"


def test_the_plan_names_what_is_wrong() -> None:
    assert texts(rows.plan_row(arrival()))[:5] == ["flights", "▲ short", "100", "90", "90.0%"]
    good = arrival(source="weather", state="arrived")
    assert rows.plan_summary([arrival(), good]) == "1 of 2 as planned; flights: 10 rows fewer than expected"
    assert rows.plan_summary([]) == ""


def test_a_plan_without_numbers_shows_dashes() -> None:
    bare = arrival(expected_rows=0, rows=None, due_at=None, cadence="", state="waiting")
    assert texts(rows.plan_row(bare))[:7] == ["flights", "◌ waiting", "–", "–", "–", "–", "–"]


def test_a_change_shows_before_and_after() -> None:
    one = Difference(key="threshold", before="0.5", after="0.3")
    new = Difference(key="owner", before=None, after="[b]ann\x1b[2J")
    assert rows.change_content(change(one, new)).plain.splitlines() == [
        "threshold",
        "  − 0.5",
        "  + 0.3",
        "owner",
        "  + [b]ann␛[2J",
    ]
    assert rows.changed_text(change(one)) == "threshold"
    assert rows.changed_text(change(one, new)) == "2 keys"
    assert rows.changed_text(change(elsewhere=True)) == "other sections"


amounts = st.floats(-1e9, 1e9)


@given(st.builds(Value, true_positive=amounts, false_positive=amounts, false_negative=amounts, true_negative=amounts))
def test_the_table_has_four_lines_whatever_the_money(value: Value) -> None:
    assert len(rows.value_content(Problem(value=value)).plain.splitlines()) == 4
