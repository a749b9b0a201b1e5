"""The steps of the tour: what a tab shows, and the key that is worth trying there. Pure."""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from lemnis.tui.language import _
from lemnis.tui.stages import BY_NAME


class Step(Struct, frozen=True):
    """One stop of the tour.

    Attributes:
        stage: The tab.
        shows: What one sees there, in any workspace; an action's id in braces stands for its key.
        tries: The id of the action to try; it changes nothing.
        gives: What the action shows.
    """

    stage: str
    shows: str
    tries: str
    gives: str


STEPS = (
    Step(
        "problem",
        "The question, what right and wrong answers are worth in money, and the criteria that become the gates.",
        "problem.history",
        "who changed the question, when and how",
    ),
    Step(
        "data",
        "Sources become snapshots that never change; links join them into versions, and count what finds no partner.",
        "data.storage",
        "what is kept, and whether every file is whole",
    ),
    Step(
        "explore",
        "Every column: what it holds, what is missing, and how it goes with the target. ▲ marks ask to act.",
        "explore.rows",
        "the rows themselves",
    ),
    Step(
        "features",
        "What each column is worth to a model, and which ones know the answer before it happened.",
        "features.view",
        "how columns go together, then all sets",
    ),
    Step(
        "validate",
        "The checks with their verdict on the latest version; below, the rows that fail the one under the cursor.",
        "validate.reasons",
        "which values stand too often among those rows",
    ),
    Step(
        "experiments",
        "Every run with its data, parameters and figures. {table.mark} marks runs, {app.filter} narrows the list.",
        "experiments.compare",
        "the marked runs side by side",
    ),
    Step(
        "evaluate",
        "One run on later rows: its gates, its figures, and the threshold that earns most.",
        "evaluate.view",
        "slices, stress, baselines, speed, explanations",
    ),
    Step(
        "deploy",
        "Versions of the model, which of them is champion, the endpoint that answers, and who moved what and why.",
        "deploy.card",
        "what is on record of the version under the cursor",
    ),
    Step(
        "monitor",
        "What was served, window by window: drift of the inputs, quality once labels came, and the alerts that fire.",
        "monitor.performance",
        "quality measured, and estimated before labels",
    ),
    Step(
        "resources",
        "Processors, memory and GPUs, what each job takes of them, and why another one waits.",
        "resources.tree",
        "processes under those that started them",
    ),
    Step(
        "monitor",
        "Here the loop closes: an alert leads over a new training and the gates to the next champion.",
        "monitor.loop",
        "each step of retraining, and what holds it up",
    ),
)


class Tour(Struct, frozen=True):
    """How far a tour came: the place of its step from 0, and whether its key was tried."""

    place: int = 0
    tried: bool = False

    @property
    def step(self) -> Step:
        return STEPS[self.place]

    @property
    def following(self) -> Step | None:
        """The step after this one, None at the end."""
        return STEPS[self.place + 1] if self.place + 1 < len(STEPS) else None

    def moved(self, by: int) -> "Tour":
        """Return the tour `by` steps on, within its ends; the same where it can't move."""
        place = min(max(self.place + by, 0), len(STEPS) - 1)
        return self if place == self.place else Tour(place)

    def opened(self, stage: str) -> "Tour":
        """Return the tour after a tab was opened: at the step after this one if it is that tab's, else at its first."""
        if stage == self.step.stage:
            return self
        if self.following is not None and self.following.stage == stage:
            return self.moved(1)
        return Tour(next(place for place, step in enumerate(STEPS) if step.stage == stage))

    def did(self, action_id: str) -> "Tour":
        """Return the tour after an action was done."""
        return replace(self, tried=True) if action_id == self.step.tries else self


def resumed(place: int) -> Tour:
    """Return the tour at a place that was remembered; at its beginning where there is no such place."""
    return Tour(place if 0 <= place < len(STEPS) else 0)


def asks(tour: Tour, key: Callable[[str], str]) -> list[tuple[str, str, bool]]:
    """Return what the step asks for: keys, words, and whether it is done.

    Args:
        tour: How far it came.
        key: The key of an action's id, for people.
    """
    asked = [(key(tour.step.tries), _(tour.step.gives), tour.tried)]
    if tour.following is not None:
        stage = BY_NAME[tour.following.stage]
        asked.append((key(f"app.go_{stage.name}"), _("go on to {stage}").format(stage=stage.said), False))
    else:
        asked.append((key("app.tour"), _("end the tour"), False))
    return asked
