"""What a person does at the console, as keys: scenes drawn by chance from the declared keys."""

# pyright: basic

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from typed import ENTER, ESCAPE, TYPED, typed

from lemnis.tui.actions import ACTIONS, GLOBAL, TABLE, Action

STAGES = {action.id.removeprefix("app.go_"): action.key for action in ACTIONS if action.id.startswith("app.go_")}
# Those that begin a scene of their own, and those that leave.
APART = {
    f"app.{name}" for name in ("quit", "suspend", "command_palette", "filter", "past", "mouse", "copy", "jump", "tour")
}
WANDERED = [
    action
    for action in ACTIONS
    if action.scope == GLOBAL and not action.writes and action.id not in APART and not action.id.startswith("app.go_")
]
MOVES = [action for action in ACTIONS if action.scope == TABLE]
SIZES = ((80, 24), (100, 30), (160, 48), (132, 43), (60, 20), (200, 60), (40, 15))
USUAL, LARGEST = (160, 48), max(SIZES)
QUERIES = {
    "experiments": ("state = finished", "auc > 0.7", "num_leaves >= 31 and state = finished", "name ~ base", "))"),
    "explore": ("dep", "null > 0", "wind"),
    "data": ("rows > 1000", "name ~ fl"),
    "monitor": ("verdict = drift", "wind"),
    "resources": ("state = finished", "python"),
}
ANYTHING = ("a", "late", "carrier", "x > 1", "nothing at all")
SOUGHT = ("compare", "go to monitor", "alerts", "explain", "columns", "help", "endpoints", "data", "zzz")
MOMENTS = ("2m ago", "30s ago", "1m ago", "yesterday", "no time")


class Step(NamedTuple):
    """Keys to send at once, or a size to take."""

    keys: str = ""
    size: tuple[int, int] | None = None


Scene = Callable[[Random], Iterator[Step]]


def of_stage(stage: str) -> list[Action]:
    """Return what a stage's keys do that changes nothing."""
    return [action for action in ACTIONS if action.scope == stage and not action.writes]


def wander(chance: Random, stage: str, most: int = 12) -> Iterator[Step]:
    """Press keys of a stage, of tables and of everywhere."""
    own = of_stage(stage) or MOVES
    for _ in range(chance.randint(3, most)):
        yield Step(typed(chance.choice(chance.choices((MOVES, own, WANDERED), (5, 4, 1))[0])))


def tab(chance: Random) -> Iterator[Step]:
    stage = chance.choice(list(STAGES))
    yield Step(STAGES[stage])
    yield from wander(chance, stage, 20)


def tabs(chance: Random) -> Iterator[Step]:
    for _ in range(10):
        yield Step(chance.choice(list(STAGES.values())))


def sort(chance: Random) -> Iterator[Step]:
    yield Step(STAGES[chance.choice(("experiments", "data", "explore", "features", "deploy", "resources"))])
    for _ in range(chance.randint(2, 8)):
        yield from map(Step, chance.choice(("l", "ll", "h")))
        yield Step(chance.choice("sS"))
    yield from map(Step, "Ggj")


def narrow(chance: Random) -> Iterator[Step]:
    stage = chance.choice(list(QUERIES))
    yield Step(STAGES[stage])
    for _ in range(chance.randint(1, 4)):
        yield Step("/")
        yield Step(chance.choice((*QUERIES[stage], *ANYTHING)))
        yield Step(chance.choice((ENTER, ENTER, ESCAPE)))
        yield from wander(chance, stage, 5)
        yield Step(ESCAPE)


def compare(chance: Random) -> Iterator[Step]:
    yield from map(Step, (STAGES["experiments"], "g", " ", "j", " ", "c"))
    for _ in range(chance.randint(5, 25)):
        yield Step(chance.choice("12345jjkkzvbwtn,.+-[]K" + ESCAPE * 2))
    yield from (Step(ESCAPE), Step(ESCAPE), *map(Step, "g j "))


def explain(chance: Random) -> Iterator[Step]:
    stage = chance.choice(list(STAGES))
    yield Step(STAGES[stage])
    for _ in range(chance.randint(2, 6)):
        yield Step(chance.choice("jklh\t"))
        yield Step("K")
        yield Step(ESCAPE)


def incident(chance: Random) -> Iterator[Step]:
    yield from map(Step, (STAGES["monitor"], "o"))
    yield from map(Step, chance.choice(("j", "jj", "k", "")))
    yield Step(ENTER)
    for _ in range(chance.randint(3, 15)):
        yield Step(chance.choice("jjkkgG ?dwLy" + ESCAPE))
    yield from (Step(ESCAPE), Step(ESCAPE))


def resize(chance: Random) -> Iterator[Step]:
    for _ in range(chance.randint(2, 6)):
        yield Step(size=chance.choice(SIZES))
        yield Step(chance.choice("jk1234567890\t"))
    yield Step(size=USUAL)


def palette(chance: Random) -> Iterator[Step]:
    yield Step(":")
    for letter in chance.choice(SOUGHT):
        yield Step(letter)
    yield from (Step(TYPED["down"]) for _ in range(chance.randint(0, 3)))
    yield Step(chance.choice((ENTER, ESCAPE)))


def past(chance: Random) -> Iterator[Step]:
    yield Step(STAGES[chance.choice(list(STAGES))])
    if chance.random() < 0.3:
        yield from (Step("@"), Step(chance.choice(MOMENTS)), Step(ENTER))
    for _ in range(chance.randint(1, 4)):
        yield Step(chance.choice("<<>"))
        stage = chance.choice(list(STAGES))
        yield Step(STAGES[stage])
        yield from wander(chance, stage, 5)
    yield from (Step(ESCAPE), Step(ESCAPE), Step(ESCAPE))


def history(chance: Random) -> Iterator[Step]:
    for _ in range(chance.randint(3, 10)):
        yield Step(chance.choice("((()"))


def lineage(chance: Random) -> Iterator[Step]:
    stage = chance.choice(("data", "experiments", "deploy", "monitor"))
    yield Step(STAGES[stage])
    for key in ("j", "L", "j", "j", ENTER, "L", "k", ESCAPE, ESCAPE):
        yield Step(key)


def jump(chance: Random) -> Iterator[Step]:
    yield Step(STAGES[chance.choice(list(STAGES))])
    yield from (Step("J"), Step(chance.choice("abcdefg" + ESCAPE)), Step("j"))


def copy(chance: Random) -> Iterator[Step]:
    yield from (Step("y"), Step(chance.choice("crljmpa" + ESCAPE)))


def tour(chance: Random) -> Iterator[Step]:
    yield from map(Step, "Y" + chance.choice(("NNN", "NNO", "N")) + "Y")


def switch(chance: Random) -> Iterator[Step]:
    yield from map(Step, chance.choice(("mm", "??", (TYPED["f12"],) * 2)))


# How often, relative to each other.
SCENES: dict[Scene, int] = {
    tab: 10, tabs: 3, sort: 4, narrow: 4, compare: 4, explain: 3, incident: 4, resize: 2, palette: 3, past: 2,
    history: 3, lineage: 3, jump: 2, copy: 2, tour: 1, switch: 2,
}  # fmt: skip
HOME = tuple(map(Step, (*ESCAPE * 4, STAGES["experiments"], *ESCAPE * 2, *"Jagg")))
SHELF = next(action.key for action in ACTIONS if action.id == "experiments.shelf")


def each_key(stage: str) -> Iterator[Step]:
    """Press each key of a stage, on its first row and on the one below it, where most is seen of it."""
    yield Step(size=LARGEST)
    for action in of_stage(stage):
        yield from map(Step, (STAGES[stage], typed(action), "j", ENTER, ESCAPE, ESCAPE, ESCAPE))
    yield Step(size=USUAL)


def scenes(seed: int) -> Iterator[tuple[str, Iterator[Step]]]:
    """Yield scenes for ever, the same ones for the same seed: the name of each, and its steps.

    First comes every key of every tab on the largest screen, and every scene: what is loaded late, when it is first
    needed, is no leak, and neither is the room for the most that is seen at once.
    """
    chance = Random(seed)
    for stage in STAGES:
        yield each_key.__name__, each_key(stage)
    for scene in SCENES:
        yield scene.__name__, scene(chance)
    while True:
        scene = chance.choices(list(SCENES), list(SCENES.values()))[0]
        yield scene.__name__, scene(chance)
