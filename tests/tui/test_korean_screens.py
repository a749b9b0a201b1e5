"""Every tab and what opens over it in Korean: what is still Latin is a name of data, of a metric or of a command."""

# pyright: basic, reportAttributeAccessIssue=false, reportOptionalMemberAccess=false

import json
import re
from collections.abc import Iterator

import pytest
from rich.cells import cell_len
from support import becomes, screen_text, settle
from textual.pilot import Pilot
from whole import whole_engine

from lemnis.engine import Engine
from lemnis.engine.jobs import JobsRoom
from lemnis.tui.address import parsed
from lemnis.tui.app import Console
from lemnis.tui.language import CATALOGUE, LOCALES
from lemnis.tui.messages import PlaceWanted
from lemnis.tui.sentences import InForce, Sentences
from lemnis.tui.stages import STAGES

LATIN = re.compile(r"[A-Za-z]")
KEPT = re.compile(r"(\{[^{}]*\}|\[/?[a-z$@][^\]]*\])")  # the places and the markup of a message
WORD = re.compile(r"[A-Za-z]{3,}")
HASH = re.compile(r"\b[0-9a-f]{8,}\b")
OVER = (
    "compare/1,2", "alert/1", "oncall", "loop/late", "labels", "lineage/run/1", "problem/change/1", "data/v2",
    "check/code_known", "window/3/feature/wind", "model/late@1", "endpoint/late", "run/1",
)  # fmt: skip
# What stays as it is, by what it is a name of.
NAMED = """
    Late ada auc code code_known first flights known late made name odd passes low questions root trips wind AUC PSI
    ROC SHAP Wasserstein prediction serving down page PAGE alert endpoint model run version window data lemnis toml
    http sha engine start pgdn pgup enter esc tab space problem criteria currency question target task threshold
    title value positive negative infrastructure USD GiB KiB MiB CPU GPU min pid bool int string true false binary
    default numeric lightgbm cpu champion promote and cast exclude from list not null select varchar where rows
    feature label checks the suggest contacts pool state watch
"""
NAMES = frozenset(NAMED.split())


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    opened = whole_engine(tmp_path_factory.mktemp("korean") / "flights")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JobsRoom, "ensure_supervisor", JobsRoom.status)
        yield opened
    opened.store.close()


def unlatin(text: str) -> str:
    """Return a translation without its Latin letters, so that those on the screen come from elsewhere."""
    return "".join(part if index % 2 else LATIN.sub("·", part) for index, part in enumerate(KEPT.split(text)))


@pytest.fixture
def spoken() -> Iterator[None]:
    sentences = unlatin_sentences()
    with pytest.MonkeyPatch.context() as patch:  # undone before English is spoken again
        CATALOGUE.speak("ko")
        korean = CATALOGUE._of
        patch.setattr(CATALOGUE, "_of", lambda text: unlatin(said) if (said := korean(text)) != text else text)
        patch.setattr(InForce, "language", "ko")
        patch.setattr(InForce, "sentences", sentences)
        yield
    CATALOGUE.speak("")


def unlatin_sentences() -> Sentences:
    """Return the Korean sentences without Latin letters of their own; what stands in their places stays."""
    written = json.loads((LOCALES / "ko" / "sentences.json").read_text("utf-8"))
    return Sentences({template: LATIN.sub("·", said) for template, said in written.items()})


def english(screen: str) -> set[str]:
    """Return the words on a screen that nobody translated and that are no names."""
    return {word for word in WORD.findall(HASH.sub("", screen)) if not any(word in name for name in NAMES)}


async def looked(pilot: Pilot, width: int) -> set[str]:
    """Return the English words of the screen; fail where a line is wider than it."""
    await settle(pilot)
    screen = screen_text(pilot)
    assert all(cell_len(line) <= width for line in screen.splitlines())
    return english(screen)


async def left(pilot: Pilot) -> None:
    """Close what is open over the tab."""
    while len(pilot.app.screen_stack) > 1:
        await pilot.press("escape")
        await settle(pilot)


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_only_names_are_latin_on_a_korean_screen(engine: Engine, size: tuple[int, int], spoken: None) -> None:
    found: dict[str, set[str]] = {}
    async with Console(engine).run_test(size=size) as pilot:
        for info in STAGES:
            await pilot.press(info.key)
            await becomes(pilot, lambda: pilot.app.stage is not None and pilot.app.stage.loaded_at)
            shown = await looked(pilot, size[0])
            await pilot.press("K")
            shown |= await looked(pilot, size[0])
            found[info.name] = shown if info.name != "resources" else set()  # it shows whatever runs on the machine
            await left(pilot)
        for place in OVER:
            pilot.app.post_message(PlaceWanted(parsed(place)))
            await becomes(pilot, lambda place=place: str(pilot.app.where()) == place)
            found[place] = await looked(pilot, size[0])
            await left(pilot)
    assert {where: words for where, words in found.items() if words} == {}
