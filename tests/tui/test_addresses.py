"""Addresses: what is copied opens the same place again, in the console and from the command line."""

# pyright: basic, reportAttributeAccessIssue=false

from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support import becomes, settle
from textual.pilot import Pilot
from whole import whole_engine

from lemnis.engine import Engine
from lemnis.engine.errors import BadInput
from lemnis.engine.jobs import JobsRoom
from lemnis.tui.address import KINDS, Address, address, looks_like, parsed
from lemnis.tui.app import Console
from lemnis.tui.messages import PlaceWanted
from lemnis.tui.places import Places
from lemnis.tui.stages import BY_NAME

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@st.composite
def addresses(draw: st.DrawFn) -> Address:
    kind = draw(st.sampled_from(sorted(KINDS)))
    known = KINDS[kind]
    parts = draw(st.lists(words, min_size=known.least, max_size=known.most))
    options = draw(st.dictionaries(st.sampled_from([*known.options, "at"]), words))
    return Address(kind, tuple(parts), tuple(sorted(options.items())))


@given(addresses())
@example(address("check", "50%/a b?&=#", "rows", which="new"))
@example(address("runs", q="metrics.auc > 0.8 and name ~ '+'"))
def test_an_address_written_and_read_is_the_same(place: Address) -> None:
    said = str(place)
    assert parsed(said) == place
    assert said.isascii()
    assert not set(said) & set(" '\"`$\\|<>;()&*#!\n\t\x1b") - {"&"}, (
        "a shell takes it as one plain word, or quoted for &"
    )
    assert looks_like(said)


@given(st.text())
def test_any_text_is_an_address_or_refused(text: str) -> None:
    with suppress(BadInput):  # any other error is a bug
        assert parsed(str(parsed(text))) == parsed(text)


WRONG = ("", "ruin/3", "run", "run/3/4", "run/", "runs?x=1", "run/\x1b[2J", "run/%ff", "run/" + "9" * 3000)


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_address_says_what_one_is_like(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        parsed(text)
    assert refused.value.remedy
    assert "\x1b" not in refused.value.problem + refused.value.remedy


def test_a_near_word_is_proposed() -> None:
    with pytest.raises(BadInput, match="no place") as refused:
        parsed("alrt/3")
    assert "alert" in refused.value.remedy


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_an_example_that_is_one_and_a_stage(kind: str) -> None:
    assert parsed(KINDS[kind].example).kind == kind
    assert KINDS[kind].stage in BY_NAME


def test_back_and_forward_go_through_the_places_that_were_left() -> None:
    places, (one, two, three) = Places(), [address("run", number) for number in (1, 2, 3)]
    places.leave(one)
    places.leave(two)
    assert [places.back(three), places.back(two), places.back(one)] == [two, one, None]
    assert [places.forward(one), places.forward(two), places.forward(three)] == [two, three, None]
    places.back(three)
    places.leave(one)
    assert places.forward(one) is None


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    opened = whole_engine(tmp_path_factory.mktemp("whole") / "flights")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JobsRoom, "ensure_supervisor", JobsRoom.status)  # the waiting job goes on waiting
        yield opened
    opened.store.close()


async def at(pilot: Pilot, place: str) -> None:
    """Wait until a place is where the console is."""
    await becomes(pilot, lambda: str(pilot.app.where()) == place and pilot.app.stage._pointed is None)


PLACES = (
    "problem/change/1", "data/v2", "data/v1/column/odd%20%2F%20name%3F", "explore/v1/column/code", "explore/v2/missing",
    "explore/v2/rows?q=code+=+c", "explore/v2/rows?order=down&q=code+=+c&sort=late", "features/column/code",
    "features/matrix", "check/code_known", "check/code_known/rows", "runs?on=1&q=state+=+finished",
    "run/2", "evaluate/2/rows", "model/late@2", "endpoint/late", "endpoint/late/log", "deploy/event/1", "window/2",
    "window/1/feature/prediction", "monitor/late/performance", "window/3?figure=loss",
    "resources?chart=disk&span=3600", "job/1", "alert/1", "loop/late", "oncall", "compare/1,2", "labels",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_every_place_that_is_opened_by_its_address_is_that_place(engine: Engine, size: tuple[int, int]) -> None:
    async with Console(engine).run_test(size=size) as pilot:
        for place in PLACES:
            pilot.app.post_message(PlaceWanted(parsed(place)))
            await at(pilot, place)
        pilot.app.post_message(PlaceWanted(parsed("problem")))
        await settle(pilot)
        for place in reversed(PLACES[-6:]):
            await pilot.press("left_parenthesis")
            await at(pilot, place)
        await pilot.press("right_parenthesis")
        await at(pilot, PLACES[-5])
        await settle(pilot)
