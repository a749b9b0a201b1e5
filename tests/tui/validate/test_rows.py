"""Checks as cells: glyph and word, never green without a count."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from lemnis.engine.validate import CheckResult, CheckRun, Compared, HistoryPoint, Offender, Sample, Waiver
from lemnis.tui.stages.validate import rows
from lemnis.tui.widgets.cells import plain


def result(**changes: object) -> CheckResult:
    given = {
        "position": 1, "name": "code_known", "kind": "code_list", "source": "data", "rule": "code is one of a, b",
        "severity": "fail", "owner": "", "why": "", "verdict": "fail", "failing": 3, "total": 100_000, "distinct": 2,
        "allowed": 0, "limits": "", "message": "3 of 100,000 rows", "waiver": None, "sql": "select 1", "typed": False,
        "sample": Sample(), "top": [Offender(value="z", rows=2)], "duration_ms": 12.0,
    }  # fmt: skip
    return CheckResult(**(given | changes))  # type: ignore[arg-type]


def point(failing: int | None, verdict: str = "fail") -> HistoryPoint:
    word = "not evaluated" if failing is None else verdict
    return HistoryPoint(
        check_run_id=1, at=0, version_id="x", version_title="trips v1", verdict=word, failing=failing, total=10  # type: ignore[arg-type]
    )  # fmt: skip


def cells(found: CheckResult, points: list[HistoryPoint]) -> list[str]:
    return [plain(cell) for cell in rows.check_row(found, points).cells]


def test_a_failed_check_says_glyph_word_count_and_share() -> None:
    assert cells(result(), [point(1), point(3)]) == [
        "✖ fail", "code_known", "code is one of a, b", "3", "<0.01", "–", "▃█", "fail", "",
    ]  # fmt: skip


def test_a_check_that_was_not_evaluated_shows_its_reason_and_no_count() -> None:
    lost = result(verdict="not evaluated", failing=None, total=None, message="The source planes has no snapshot.")
    assert cells(lost, [point(None)])[:7] == [
        "? not evaluated", "code_known", "The source planes has no snapshot.", "–", "–", "–", "?",
    ]  # fmt: skip
    assert rows.no_sample(lost).startswith("It was not evaluated")


def test_a_waived_check_says_so_and_by_whom() -> None:
    waiver = Waiver(id=1, check="code_known", until=4_000_000_000_000, who="ann", why="agreed", at=0)
    waived = result(verdict="warn", waiver=waiver)
    assert cells(waived, [])[0] == "▲ warn waived"
    assert any("by ann until 2096" in plain(value) for _, value in rows.detail_facts(waived, 0))


@given(st.lists(st.one_of(st.none(), st.integers(0, 10**6)), max_size=40))
def test_a_trend_has_a_cell_a_run_and_a_question_mark_where_nothing_is_known(found: list[int | None]) -> None:
    drawn = rows.trend([point(failing) for failing in found]).plain
    shown = found[-rows.TREND_RUNS :]
    assert len(drawn) == len(shown)
    assert [cell == "?" for cell in drawn] == [failing is None for failing in shown]


def test_the_summary_drops_zeros_only_where_there_is_no_room() -> None:
    run = CheckRun(
        id=1, version_id="x", version_title="trips v1", job_id=None, started_at=0, ended_at=1500,
        passed=4, warned=0, failed=0, not_evaluated=0,
    )  # fmt: skip
    assert "✖ 0 failed" in rows.summary_content(run, 61_500, 160).plain
    assert rows.summary_content(run, 61_500, 80).plain.startswith("● 4 passed   trips v1, 1 min ago")


def test_columns_of_numbers_are_aligned_right() -> None:
    sample = Sample(columns=["size", "[x]", "on"], rows=[[1, "a", True], [None, None, False]])
    assert [(col.label, col.right) for col in rows.sample_columns(sample)] == [
        ("size", True),
        ("[x]", False),
        ("on", False),
    ]


def test_a_change_says_what_is_new_and_what_is_fixed() -> None:
    compared = Compared(run=4, new=12, persisting=3, fixed=1, whole=True, by=["id"])
    assert plain(rows.change_text(compared)) == "+12 −1"
    assert "12 new, 3 persisting, 1 fixed since run 4, by id" in rows.compared_text(compared)
    assert plain(rows.change_text(structs.replace(compared, whole=False))) == "~+12 ~−1"
    assert plain(rows.change_text(structs.replace(compared, new=0, fixed=0))) == "same"


def test_thresholds_stand_beside_the_severity() -> None:
    facts = dict(rows.detail_facts(result(limits="fails above 1% rows", duration_ms=2), 0))
    assert plain(facts["severity"]).startswith("fail: fails above 1% rows")
