"""The label desk and label mode by keys, on the Korean complaints."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from korean import HOSTILE, make_workspace
from labelled import TRUE, answered, made
from support import engine_at, settle, shows
from textual.pilot import Pilot
from textual.widgets import Input

from lemnis.engine import Engine
from lemnis.engine.data import jobs
from lemnis.engine.jobs.context import JobContext
from lemnis.tui.app import Console
from lemnis.tui.screens.label import LabelMode

KEYS = {"교통": "f", "환경": "j", "시설": "d", "복지": "k"}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = Engine.open(make_workspace(tmp_path / "민원실", 80))
    context = JobContext.for_test(opened.store)
    jobs.sync(context, {})
    jobs.link(context, {})
    yield opened
    opened.store.close()


@asynccontextmanager
async def desk(engine: Engine, size: tuple[int, int] = (80, 24)) -> AsyncGenerator[Pilot[None]]:
    async with Console(engine, stage="explore").run_test(size=size, notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("a")
        await shows(pilot, "Queues", "w who")
        await settle(pilot)
        yield pilot


@asynccontextmanager
async def labelling(
    engine: Engine, size: tuple[int, int] = (80, 24), kind: str = "order"
) -> AsyncGenerator[Pilot[None]]:
    made(engine, kind)
    async with desk(engine, size) as pilot:
        await pilot.press("enter")
        await shows(pilot, "esc leave")
        await settle(pilot)
        yield pilot


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys one by one, each when the screen shows what the one before did."""
    for key in keys:
        await pilot.press(key)
        await settle(pilot)


def said(engine: Engine) -> list[tuple[str, str | None]]:
    return [(event.kind, event.value) for event in engine.explore.labels.history("topic")[::-1]]


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_one_key_labels_and_the_next_row_comes(engine: Engine, size: tuple[int, int]) -> None:
    async with labelling(engine, size) as pilot:
        shown = await shows(pilot, "민원-20250001", "이 민원은 어느 부서로", "f  교통", "k  복지", "0 of 80 done")
        assert max(map(len, shown.splitlines())) <= size[0]
        await press(pilot, "f", "j")
        await shows(pilot, "민원-20250003", "2 of 80 done", "a minute", " left")
        assert said(engine) == [("label", "교통"), ("label", "환경")]


@pytest.mark.slow
async def test_undo_redo_repeat_unsure_skip_and_back_by_keys(engine: Engine) -> None:
    async with labelling(engine) as pilot:
        await press(pilot, "f", "full_stop", "j", "u", "u")
        await shows(pilot, "민원-20250002", "교통 taken back", "1 of 80 done")
        await press(pilot, "U")
        await shows(pilot, "민원-20250002", "교통 said again", "you said 교통")
        await press(pilot, "right_square_bracket", "question_mark", "space")
        await shows(pilot, "민원-20250005")
        await press(pilot, "left_square_bracket", "left_square_bracket")
        await shows(pilot, "민원-20250003", "you said unsure")
        kinds = [kind for kind, _ in said(engine)]
        assert kinds == ["label", "label", "label", "undo", "undo", "redo", "unsure", "skip"]


@pytest.mark.slow
async def test_a_note_and_the_number_of_a_row_are_typed_and_label_nothing(engine: Engine) -> None:
    async with labelling(engine) as pilot:
        await press(pilot, "n", *"fjd", "enter")
        await shows(pilot, "note of", "fjd", "민원-20250001")
        assert [kind for kind, _ in said(engine)] == ["note"]
        await press(pilot, "number_sign", "8", "0", "enter")
        shown = await shows(pilot, "민원-20250080", "row 80 of 80")
        assert "\x1b" not in shown
        await press(pilot, "number_sign", "f", "enter")
        await shows(pilot, "There is no row f")
        assert [kind for kind, _ in said(engine)] == ["note"]


@pytest.mark.slow
async def test_the_keys_of_everywhere_else_are_off_and_escape_leaves(engine: Engine) -> None:
    async with labelling(engine) as pilot:
        await press(pilot, "1", "o", "m", "q", "y", "colon", "slash", "L", "r")
        assert isinstance(pilot.app.screen, LabelMode)
        assert said(engine) == []
        await press(pilot, "escape")
        await shows(pilot, "Queues", "w who")
        await press(pilot, "escape")
        await shows(pilot, "a Label")


@pytest.mark.slow
async def test_hostile_text_is_shown_as_it_is(engine: Engine) -> None:
    async with labelling(engine, (160, 48)) as pilot:
        await press(pilot, "number_sign", "8", "0", "enter")
        shown = await shows(pilot, "[bold]굵게[/bold]", "␛[2J␛[31m빨강", "‹U+202E›opposite", "[/]")
        assert not set("\x1b\u202e\u200b") & set(shown)
        assert HOSTILE.startswith("[bold]")


async def test_a_key_of_another_script_records_nothing_and_says_so(engine: Engine) -> None:
    async with labelling(engine) as pilot:
        await press(pilot, "ㄹ")
        await shows(pilot, "The keyboard writes another script now")
        assert said(engine) == []


async def test_a_key_that_is_struck_before_the_next_row_is_there_does_not_label_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with labelling(engine) as pilot:
        room = type(engine.explore.labels)
        before, gate = room.answer, asyncio.Event()
        loop = asyncio.get_running_loop()

        def slow(*arguments: object) -> int:
            asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(20)
            return before(*arguments)  # pyright: ignore

        monkeypatch.setattr(room, "answer", slow)
        await pilot.press("f", "j", "d")
        gate.set()
        await settle(pilot)
        await shows(pilot, "민원-20250002")
        assert said(engine) == [("label", "교통")]


@pytest.mark.slow
async def test_the_suggestion_is_hidden_until_v_and_what_was_seen_is_recorded(engine: Engine) -> None:
    answered(engine, made(engine, "order", rows=40).id, "kim")
    async with labelling(engine, kind="uncertainty") as pilot:
        shown = await shows(pilot, "suggestion hidden: v shows it")
        assert "suggested" not in shown
        await press(pilot, "K")
        assert " 교통 " not in await shows(
            pilot, "Why in detail would tell what the model says", "Your answer is a vote"
        )
        await press(pilot, "escape", "f", "v", "K")
        await shows(pilot, "entropy 0.")
        await press(pilot, "escape")
        await shows(pilot, "suggested ", "by reader of the labels so far")
        await press(pilot, "f")
        second, first = engine.explore.labels.history("topic", limit=2)
        assert (first.suggestion_shown, second.suggestion_shown) == (False, True)
        assert first.suggested
        assert first.suggested_by.startswith("reader of the labels so far")


async def test_a_label_error_is_kept_by_enter_or_changed_by_a_key(engine: Engine) -> None:
    order = made(engine, "order", rows=80)
    wrong = {key for place, key in enumerate(TRUE) if place in (5, 21, 40, 57)}

    def claimed(key: str) -> str:
        return ("복지" if TRUE[key] == "교통" else "교통") if key in wrong else TRUE[key]

    answered(engine, order.id, "kim", claimed)
    async with labelling(engine, kind="errors") as pilot:
        await shows(pilot, "label now ", "enter keeps it", "suggested ", "by confident learning")
        key = engine.explore.labels.items(2)[0].row_key
        await press(pilot, KEYS[TRUE[key]])
        await shows(pilot, "of the last 1 you changed")
        assert engine.explore.labels.history("topic", key)[0].kind == "gold"
        assert {row.row_key: row.value for row in engine.explore.labels.resolved("topic")}[key] == TRUE[key]
        given = engine.explore.labels.items(2)[1].given
        await press(pilot, "enter")
        assert engine.explore.labels.history("topic")[0].value == given


@pytest.mark.slow
async def test_a_queue_that_is_done_says_so(engine: Engine) -> None:
    made(engine, "order", rows=1)
    async with desk(engine) as pilot:
        await press(pilot, "enter", "f")
        await shows(pilot, "Nothing is left for you in this queue", "1 of 1 done")
        await press(pilot, "u")
        await shows(pilot, "민원-20250001")


async def test_the_desk_makes_a_queue_of_the_kind_that_is_chosen(engine: Engine) -> None:
    async with desk(engine) as pilot:
        await shows(pilot, "topic", "분류", "No queue yet")
        await press(pilot, "n")
        await shows(pilot, "New queue of topic", "uncertainty", "disagreement")
        await press(pilot, "j", "enter")
        await shows(pilot, "Queued: audit")
        (job,) = [job for job in engine.jobs.jobs() if job.kind == "labelling.queue"]
        assert (job.arguments["kind"], job.arguments["rows"], job.arguments["overlap"]) == ("audit", 300, 0)


@pytest.mark.slow
async def test_who_labels_is_typed_and_named_in_every_event(engine: Engine) -> None:
    made(engine, "order")
    async with desk(engine) as pilot:
        await pilot.press("w")
        field = pilot.app.screen.focused
        assert isinstance(field, Input)
        field.value = "박 선생"
        await press(pilot, "enter")
        await shows(pilot, "labelling as 박 선생")
        await press(pilot, "enter", "f")
        assert engine.explore.labels.history("topic")[0].labeller == "박 선생"


async def test_agreement_of_two_is_shown(engine: Engine) -> None:
    queue = made(engine, "order", rows=20, overlap=1)
    answered(engine, queue.id, "kim")
    answered(engine, queue.id, "lee")
    async with desk(engine) as pilot:
        await press(pilot, "c")
        await shows(pilot, "Krippendorff's alpha of all   1.000", "Cohen's kappa of kim and lee", "n = 20, 20 alike")


@pytest.mark.slow
async def test_without_labels_the_desk_says_what_to_press_and_declares(tmp_path: Path) -> None:
    engine = engine_at(tmp_path / "box")
    async with desk(engine) as pilot:
        await shows(pilot, "No labels are declared. Press d")
        await press(pilot, "d")
        for field, text in (("name", "topic"), ("column", "분류"), ("classes", "교통, 환경"), ("question", "무엇?")):
            pilot.app.screen.query_one(f"#declare-{field}", Input).value = text
            await press(pilot, "enter")
        await shows(pilot, "topic", "분류")
        assert engine.config().labels["topic"].classes == ["교통", "환경"]
        assert "[labels.topic]" in engine.workspace.config.read_text()
