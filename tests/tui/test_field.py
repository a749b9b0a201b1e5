from hypothesis import given
from hypothesis import strategies as st
from support import becomes, screen_text, settle, shows
from textual.app import ComposeResult
from textual.events import Paste

from lemnis.tui.theme import ThemedApp
from lemnis.tui.widgets.field import Field, drawn

HOSTILE = "rows\x1b[2J\x07 \x9b1m\u202e> 1"


class Line(ThemedApp[None]):
    """One field, and what it held at first."""

    def __init__(self, value: str = "") -> None:
        super().__init__()
        self.value = value

    def compose(self) -> ComposeResult:
        yield Field(self.value, compact=True)


@given(st.text(st.characters(categories=["Cc", "Cf", "Co", "L", "M", "P", "S", "Z"])))
def test_a_text_is_drawn_one_character_for_each_and_none_that_a_terminal_heeds(text: str) -> None:
    assert len(drawn(text)) == len(text)
    assert not any(char in drawn(text) for char in "\x00\x07\t\n\x1b\x7f\x9b\u2028\u202e\u200b")


async def test_a_value_that_is_put_in_stays_what_it_is_and_is_drawn_harmlessly() -> None:
    async with Line(HOSTILE).run_test(size=(40, 5)) as pilot:
        assert "rows␛[2J␇ �1m�> 1" in await shows(pilot, "rows")
        assert pilot.app.query_one(Field).value == HOSTILE


async def test_a_line_longer_than_its_field_is_seen_where_it_is_typed() -> None:
    async with Line().run_test(size=(40, 5)) as pilot:
        pilot.app.post_message(Paste(" ".join(f"word{place}" for place in range(100))))
        await shows(pilot, "word98 word99")
        await pilot.press("home")
        await shows(pilot, "word0 word1")
        assert "word99" not in screen_text(pilot)


async def test_a_paste_that_no_line_takes_is_refused_and_another_is_taken_without_what_a_terminal_heeds() -> None:
    async with Line().run_test(size=(80, 24), notifications=True) as pilot:
        pilot.app.post_message(Paste("x" * 1_000_000))
        await shows(pilot, "A line takes at most 10,000", "1,000,000")
        await settle(pilot)
        field = pilot.app.query_one(Field)
        assert field.value == ""
        pilot.app.post_message(Paste(f"{HOSTILE}\tand 항공\n" * 80_000))
        await becomes(pilot, lambda: field.value)
        assert field.value == "rows[2J 1m> 1 and 항공"
