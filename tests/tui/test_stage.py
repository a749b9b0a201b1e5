from collections.abc import Callable
from threading import Event
from typing import Any

from support import FakeEngine, screen_text, settle
from textual.app import ComposeResult

from lemnis.engine.errors import BadInput
from lemnis.tui.app import Console
from lemnis.tui.messages import TopicsMoved
from lemnis.tui.stages import BY_NAME
from lemnis.tui.stages.stage import Stage
from lemnis.tui.widgets import Words


class Probe(Stage[str]):
    """Shows what a function returns."""

    topics = frozenset({"data"})
    filter_hint = "rows > 10"
    answer: Callable[[], str] = staticmethod(lambda: "nothing")
    loads = 0

    def compose(self) -> ComposeResult:
        yield Words("", id="said")

    def load(self) -> str:
        type(self).loads += 1
        return type(self).answer()

    def show(self, view: str) -> None:
        self.query_one("#said", Words).say(f"{view} {self.query_text}")


class ProbeConsole(Console):
    """A console whose stages are all probes."""

    def make_stage(self, name: str) -> Stage[Any]:
        return Probe(self.engine, BY_NAME[name])


def console(answer: Callable[[], str] = lambda: "good", **options: Any) -> ProbeConsole:
    Probe.answer, Probe.loads = staticmethod(answer), 0
    return ProbeConsole(FakeEngine(**options))  # type: ignore[arg-type]


async def test_a_stage_shows_what_it_loaded() -> None:
    async with console().run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        assert "good" in screen_text(pilot)


async def test_a_refusal_is_a_strip_with_place_and_remedy_and_the_last_good_view_stays() -> None:
    answers = iter(["good"])

    def answer() -> str:
        for word in answers:
            return word
        raise BadInput("The table [red]flights[/] is gone.", "Link again.", "lemnis.toml:3")

    async with console(answer).run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        assert pilot.app.stage is not None
        pilot.app.stage.reload()
        await settle(pilot)
        text = screen_text(pilot)
        assert "The table [red]flights[/] is gone." in text
        assert "where: lemnis.toml:3" in text
        assert "try: Link again." in text
        assert "good" in text


async def test_only_the_visible_stage_loads_and_only_for_its_topics() -> None:
    async with console().run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("2")
        await settle(pilot)
        assert Probe.loads == 2
        pilot.app.post_message(TopicsMoved(frozenset({"data"})))
        await settle(pilot)
        assert Probe.loads == 3, "one of the two open stages is hidden"
        pilot.app.post_message(TopicsMoved(frozenset({"monitor"})))
        await settle(pilot)
        assert Probe.loads == 3


async def test_many_wishes_while_one_load_runs_become_one_more() -> None:
    go = Event()

    def answer() -> str:
        assert go.wait(10)
        return "good"

    async with console(answer).run_test(size=(80, 24), notifications=True) as pilot:
        stage = pilot.app.stage
        assert stage is not None
        for _ in range(20):
            stage.reload()
        go.set()
        await settle(pilot)
        assert Probe.loads == 2


async def test_an_action_of_the_engine_runs_in_a_thread_and_its_outcome_is_told() -> None:
    async with console().run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        assert pilot.app.stage is not None
        pilot.app.stage.perform(lambda number: number + 1, 41, done=lambda number: f"[b]made[/b] {number}")
        await settle(pilot)
        assert "[b]made[/b] 42" in screen_text(pilot)


async def test_an_action_that_is_refused_says_what_to_do() -> None:
    def refuse() -> None:
        raise BadInput("No such run.", "List them.")

    async with console().run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        assert pilot.app.stage is not None
        pilot.app.stage.perform(refuse)
        await settle(pilot)
        assert "No such run." in screen_text(pilot)
        assert "List them." in screen_text(pilot)


async def test_a_question_is_not_answered_by_the_key_that_asked_nor_by_enter() -> None:
    done: list[bool] = []
    async with console().run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        assert pilot.app.stage is not None
        pilot.app.stage.ask("Stop run 3?", lost="120 rounds", word="stop", then=lambda: done.append(True))
        await settle(pilot)
        assert "120 rounds" in screen_text(pilot)
        await pilot.press("x", "x", "enter", "space")
        await settle(pilot)
        assert done == []
        await pilot.press("y")
        await settle(pilot)
        assert done == [True]


async def test_the_gravest_question_wants_the_name_typed() -> None:
    done: list[bool] = []
    async with console().run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        assert pilot.app.stage is not None
        pilot.app.stage.ask(
            "Delete late?", lost="4 versions", word="delete", typed="late", then=lambda: done.append(True)
        )
        await settle(pilot)
        await pilot.press("y", "enter")
        assert done == []
        await pilot.press("backspace", *"late", "enter")
        await settle(pilot)
        assert done == [True]


async def test_a_filter_is_typed_applied_and_taken_back_with_escape() -> None:
    async with console().run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("slash", *"rows>10", "enter")
        await settle(pilot)
        assert "good rows>10" in screen_text(pilot)
        await pilot.press("escape")
        await settle(pilot)
        assert "rows>10" not in screen_text(pilot)


async def test_a_live_stage_says_how_old_it_is_once_it_is_stale() -> None:
    async with console().run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        stage = pilot.app.stage
        assert stage is not None
        assert stage.loaded_at is not None
        stage.live_seconds = 2.0  # type: ignore[misc]
        assert stage.age_text == "live 2 s"
        stage.loaded_at -= 60
        assert stage.age_text == "stale: 60 s old"
