"""The card of a row that is labelled: wrapped, aligned, and nothing of the data is more than text."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from korean import HOSTILE, complaints

from lemnis.engine.explore.labels import Accord, Item, Progress, Queue, Task
from lemnis.engine.explore.labels.agreement import krippendorff_alpha, pairwise
from lemnis.engine.text import safe
from lemnis.tui.screens import card

PROGRESS = Progress(
    rows=300, done=12, mine=12, per_minute=14.2, balance={"교통": 8, "환경": 4}, unsure=1, reviewed=0, changed=0
)


def task(cells: dict[str, str | None], **item: object) -> Task:
    facts: dict[str, object] = {"place": 0, "row_key": "r0", "row_number": 0, **item}
    return Task(queue_id=1, item=Item(**facts), cells=cells, mine=None, notes=[])  # pyright: ignore


def queue(kind: str = "order") -> Queue:
    return Queue(
        id=1, labels="topic", kind=kind, version_id="v", recipe="", overlap=0, resolves=kind == "errors",  # pyright: ignore
        created_at=1, created_by="kim", job_id=None, rows=300, done=12,
    )  # fmt: skip


texts = st.text(max_size=300) | st.text(st.sampled_from("가나다 a b\n[/]\x1b\u202e\u0301🇰🇷"), max_size=300)


@given(texts, st.integers(10, 90))
@example("0000000000 \u0300", 10)
@example("00000000 \u0300 \u0300 x", 10)
def test_every_line_fits_and_nothing_but_blanks_is_lost(text: str, width: int) -> None:
    lines = card.wrapped(text, width)
    assert all(card.cells(line) <= max(width, 10) for line in lines)
    assert all(safe(line) == line for line in lines)

    def letters(words: str) -> str:
        return "".join(words.split())

    shown = "".join(safe(part) for part in text.replace("\r\n", "\n").split("\n"))
    assert letters("".join(lines)) == letters(shown)


@pytest.mark.parametrize("width", [36, 76, 156])
def test_values_begin_in_one_column_whatever_the_width_of_their_names(width: int) -> None:
    row = complaints(3)[2]
    lines = card.card_content(task({"지역": row["지역"], "n": "7", "처리금액": None, "본문": row["본문"] * 3}), width)
    starts = {card.cells(line.plain) - card.cells(line.plain[10 - 4 :]) for line in lines.split("\n")[:1]}
    assert starts
    for line in lines.split("\n"):
        assert line.cell_length <= width
        head, _, _ = line.plain.partition(line.plain.strip() if line.plain.startswith(" ") else "  ")
        assert card.cells(head) <= 10


def test_what_tries_to_be_markup_or_an_escape_code_is_shown_as_it_is() -> None:
    content = card.card_content(task({"[red]이름[/red]": HOSTILE, "empty": "", "none": None}), 120)
    assert "[red]이름[/red]" in content.plain
    assert "[bold]굵게[/bold] ␛[2J␛[31m빨강 ‹U+202E›opposite" in content.plain
    assert "\x1b" not in content.plain
    assert "\u202e" not in content.plain
    assert not any("bold" in str(span.style) or "red" in str(span.style) for span in content.spans)
    assert "empty" in content.plain.splitlines()[-2]
    assert content.plain.splitlines()[-1].endswith("–")


@pytest.mark.parametrize("width", [60, 78, 158])
def test_every_class_shows_its_key_its_rows_and_its_share(width: int) -> None:
    keys = {"교통": "f", "환경": "j", "[/]": "d", "아주 아주 아주 긴 이름의 분류입니다 정말로": "k"}
    content = card.classes_content(keys, PROGRESS, None, width)
    assert all(line.cell_length <= width for line in content.split("\n"))
    assert " f  교통" in content.plain
    assert "67%" in content.plain
    assert " d  [/]" in content.plain


def test_a_suggestion_is_hidden_until_it_is_wanted() -> None:
    shown = task({}, suggested="환경", suggested_share=0.81, suggested_by="run 3")
    assert "환경" not in card.hint_content(shown, queue(), shown=False).plain
    assert "suggested 환경 81% by run 3" in card.hint_content(shown, queue(), shown=True).plain


def test_a_review_shows_the_label_and_how_often_the_suggestions_were_right() -> None:
    progress = Progress(rows=60, done=50, mine=50, per_minute=None, balance={}, unsure=0, reviewed=50, changed=31)
    reviewed = task({}, given="교통", suggested="환경", suggested_share=0.9)
    words = card.hint_content(reviewed, queue("errors"), shown=True).plain
    assert "label now 교통  enter keeps it" in words
    assert card.precision_words(progress) == "of the last 50 you changed 31 (62%)"


def test_agreement_is_told_with_interval_and_n_and_its_confusion_is_aligned() -> None:
    said = {"kim": {"1": "교통", "2": "환경", "3": "교통"}, "이": {"1": "교통", "2": "교통", "3": "교통"}}
    pairs = pairwise(said)
    alpha = krippendorff_alpha([[said[who][key] for who in said] for key in "123"])
    text = card.agreement_text(
        Accord(labels="t", alpha=alpha, pairs=pairs, audit=(40, 30, 0.6, 0.86)), ["교통", "환경"]
    )
    assert "n = 3, 2 alike" in text
    assert "The model is right on 30 of 40 audit rows: 75.0% [60.0%, 86.0%]" in text
    table = [line for line in text.splitlines() if "↓" in line or line.startswith(("교통", "환경"))]
    assert len({card.cells(line) for line in table}) == 1


@pytest.mark.parametrize(("width", "columns"), [(40, 1), (76, 2), (156, 5)])
def test_many_short_values_stand_side_by_side_in_their_order_downwards(width: int, columns: int) -> None:
    row: dict[str, str | None] = {f"숫자 {n:02}": str(n * 1000) for n in range(30)}
    lines = card.card_content(task({**row, "본문": "긴 글 " * 60}), width).split("\n")
    height = 30 // columns
    assert [line.plain.split()[1] for line in lines[:height]] == [f"{n:02}" for n in range(height)]
    assert all(line.cell_length <= width for line in lines)
    starts = [
        [place for place in range(len(line.plain)) if line.plain.startswith("숫자", place)] for line in lines[:height]
    ]
    assert all(len(found) == columns and found == starts[0] for found in starts)
    assert lines[height].plain.startswith("본문")
