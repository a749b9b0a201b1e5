"""The link builder: what a link would do is seen before it is written, and nothing is written before w."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pairs import CONFIG, EVIL, pairs_at
from support import becomes, settle, shows
from textual.pilot import Pilot

from lemnis.engine import Engine
from lemnis.engine.config import Link
from lemnis.engine.data import jobs
from lemnis.engine.errors import BadInput
from lemnis.engine.jobs.context import JobContext
from lemnis.tui.app import Console
from lemnis.tui.stages.data.link_fields import form_rows, pairs_of, with_asof
from lemnis.tui.stages.data.link_rows import on_text
from lemnis.tui.widgets import Table

SIZES = [(80, 24), (160, 48)]
DERIVED = CONFIG + '[dataset.derive]\nz = "r_z * 2"\n'


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    opened = pairs_at(tmp_path / "pairs", DERIVED, worth=EVIL)
    with opened.store.write() as db:
        db.execute("update jobs set state = 'finished'")
    return opened


def form(pilot: Pilot[Any]) -> Table:
    return pilot.app.screen.query_one("#form", Table)


@pytest.mark.parametrize("size", SIZES)
async def test_a_new_link_is_chosen_measured_mended_and_written(engine: Engine, size: tuple[int, int]) -> None:
    before = engine.workspace.config.read_text()
    async with Console(engine, stage="data").run_test(size=size, notifications=True) as pilot:
        await shows(pilot, "Sources 3")
        await pilot.press("b")
        await shows(pilot, "Which source is joined to left?", "late")
        await pilot.press("j", "j", "enter")
        await shows(pilot, "Keys that fit left and late", "k = k", "the same name")
        await pilot.press("enter")
        screen = await shows(
            pilot, "Link 2 of pairs new", "left ⟕ late", "66.67%", "4 of 6 rows", "6 → 6, none added",
            "1 without a key",
            "▲ seen is later than the decision in 2 of 4 joined rows", 'asof = "seen"', "Orphans left 1",
            "␛[2J[b]evil[/b]", "Unused right 0", "Repeated right 0",
        )  # fmt: skip
        assert ("Later than the decision" in screen) == (size[0] >= 120)
        assert "\x1b" not in screen
        await pilot.press("a")
        await shows(pilot, "as of", "seen", "No row knows the future")
        assert engine.workspace.config.read_text() == before
        await pilot.press("w")
        await shows(pilot, "The link to late is in lemnis.toml.", "link now")
        link = engine.config().dataset.links[1]
        assert (link.source, link.on, link.asof, link.prefix) == ("late", {"k": "k"}, "seen", "")
        await pilot.press("y")
        await settle(pilot)
        assert engine.jobs.jobs()[0].kind == "data.link"


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES[:1])
async def test_a_declared_link_is_opened_its_keys_are_listed_and_leaving_changes_nothing(
    engine: Engine, size: tuple[int, int], tmp_path: Path
) -> None:
    jobs.link(JobContext.for_test(engine.store), {})
    before = engine.workspace.config.read_text()
    async with Console(engine, stage="data").run_test(size=size, notifications=True) as pilot:
        await shows(pilot, "Links of pairs v1")
        pilot.app.query_one("#links", Table).focus()
        await pilot.press("b")
        await shows(pilot, "Link 1 of pairs as it is declared", "20.00%", "5 → 6", "▲ The join makes 6 rows of 5")
        await shows(pilot, "Orphans left 2", "3 rows, 60.0%", "Unused right 1", "Repeated right 1")
        await pilot.press("tab", "enter")
        await shows(pilot, "2 keys that no row on the right has", "␛[2J[b]evil[/b]")
        await pilot.press("E")
        await shows(pilot, "right-orphans.csv")
        await pilot.press("ctrl+u", *str(tmp_path / "o.csv"), "enter")
        await shows(pilot, "2 keys are in")
        assert (tmp_path / "o.csv").read_text().splitlines()[:2] == ["k,rows,asked_by", "b,2,2"]
        await pilot.press("escape")
        await shows(pilot, "Link 1 of pairs")
        await pilot.press("escape")
        await shows(pilot, "Links of pairs v1")
    assert engine.workspace.config.read_text() == before


@pytest.mark.slow
async def test_keys_are_typed_and_looked_at_as_they_are_typed(engine: Engine) -> None:
    async with Console(engine, stage="data").run_test(size=(80, 24), notifications=True) as pilot:
        await shows(pilot, "Sources 3")
        await pilot.press("b")
        await shows(pilot, "Which source")
        await pilot.press("escape")
        await settle(pilot)
        assert not pilot.app.screen.query("#form"), "a new link without a source is left at once"
        await pilot.press("b")
        await shows(pilot, "Which source")
        await pilot.press("j", "enter")
        await shows(pilot, "Keys that fit left and right")
        await pilot.press("escape")
        await shows(pilot, "Choose a source and its keys")
        await pilot.press("j", "enter", *"id = k")
        await shows(pilot, "✖ id holds BIGINT", "they can't be compared", "dataset.links[1].on")
        await pilot.press("ctrl+u", *"upper(k) =")
        await shows(pilot, "A key needs two sides.")
        await pilot.press("ctrl+u", *"upper(k) = k")
        await shows(pilot, "Orphans left 3", "0.00%", "1 orphan keys (2 rows) are only written differently")
        await pilot.press("enter")
        await becomes(pilot, lambda: pilot.app.focused is form(pilot))
        await shows(pilot, "upper(k) = k")
        await pilot.press("enter", "ctrl+u", *"k", "escape")
        await shows(pilot, "Orphans left 3", "upper(k) = k")


@pytest.mark.slow
async def test_removing_a_link_says_what_else_it_costs(engine: Engine) -> None:
    async with Console(engine, stage="data").run_test(size=(80, 24), notifications=True) as pilot:
        await shows(pilot, "Sources 3")
        await pilot.press("b")
        await shows(pilot, "Which source")
        await pilot.press("j", "enter")
        await shows(pilot, "Keys that fit")
        await pilot.press("escape")
        await shows(pilot, "Link 2 of pairs")
        await pilot.press("left_square_bracket")
        await shows(pilot, "Link 1 of pairs as it is declared", "20.00%")
        check = '[[checks]]\nname = "small"\nkind = "range"\ncolumn = "r_z"\nmax = 9\n'
        engine.workspace.config.write_text(engine.workspace.config.read_text() + check)
        await pilot.press("d")
        await shows(pilot, "Take the link to right out", "check small uses its columns", "dataset.derive.z: There is")
        await pilot.press("d", "enter")
        assert len(engine.config().dataset.links) == 1
        await pilot.press("y")
        await shows(pilot, "Sources 3")
        assert engine.config().dataset.links == []


@pytest.mark.slow
async def test_columns_flags_and_times_are_chosen_and_an_edit_is_taken_back(engine: Engine) -> None:
    async with Console(engine, stage="data").run_test(size=(160, 48), notifications=True) as pilot:
        engine.data.declare_link(_draft(engine, Link(source="late", on={"k": "k"}, prefix="l_")), who="ann")
        await shows(pilot, "Sources 3")
        await pilot.press("b")
        await shows(pilot, "Which source")
        await pilot.press("j", "enter")
        await shows(pilot, "Keys that fit")
        await pilot.press("escape", "left_square_bracket")
        await shows(pilot, "Link 2 of pairs as it is declared", "66.67%")
        await pilot.press("j", "j", "enter")
        await shows(pilot, "Which columns of late", "a key", "l_␛[2J[b]evil[/b]")
        await pilot.press("j", "space", "enter")
        await shows(pilot, "Link 2 of pairs edited", "brings     seen")
        await pilot.press("j", "j", "enter")
        await shows(pilot, "Take the latest row by which time?")
        await pilot.press("j", "enter")
        await shows(pilot, "any age", "No row knows the future")
        await pilot.press("j", "j", "enter")
        await shows(pilot, "only rows before the decision")
        await pilot.press("u")
        await shows(pilot, "Link 2 of pairs as it is declared", "all but the keys")
        await pilot.press("w")
        await shows(pilot, "Nothing was changed.")
        await pilot.press("question_mark")
        await shows(pilot, "nothing is written before w")


def _draft(engine: Engine, link: Link) -> Any:
    from lemnis.engine.data import drafted

    return drafted(engine.config().dataset, link)


names = st.text(st.sampled_from("ab =,\"'()[]é\x1b"), min_size=1, max_size=6).filter(lambda name: name == name.strip())


@given(st.dictionaries(st.sampled_from(["k", '"two, = words"', "substr(k, 1, 2)", "[k, 'a=b'][1]"]), names, min_size=1))
def test_keys_are_read_as_they_are_written(on: dict[str, str]) -> None:
    assert pairs_of(on_text(on)) == on


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("k", {"k": "k"}),
        ("dest = faa, time_hour=time_hour,", {"dest": "faa", "time_hour": "time_hour"}),
        ("concat(a, 'x=,') = b", {"concat(a, 'x=,')": "b"}),
        ("", {}),
    ],
)
def test_pairs_are_parted_at_commas_that_part_them(text: str, pairs: dict[str, str]) -> None:
    assert pairs_of(text) == pairs


@pytest.mark.parametrize("text", ["k =", "= k", "a = b, ="])
def test_a_key_needs_two_sides(text: str) -> None:
    with pytest.raises(BadInput, match="two sides"):
        pairs_of(text)


def test_an_asof_join_takes_its_time_out_of_the_keys_and_back_go_its_own_fields() -> None:
    link = Link(source="w", on={"o": "o", "t": "t"}, time="t")
    timed = with_asof(link, "t")
    assert (timed.on, timed.asof, timed.time) == ({"o": "o"}, "t", "")
    assert with_asof(Link(source="w", on={"t": "t"}), "t").on == {"t": "t"}
    assert "tolerance" in [row.key for row in form_rows(timed)]
    assert "tolerance" not in [row.key for row in form_rows(with_asof(timed, ""))]
