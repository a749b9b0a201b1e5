"""What a person decides in Features about a set of columns: keep it, give it another name, note something on it."""

from collections.abc import Callable, Sequence
from typing import Any

from lemnis.engine.features import FeatureSet
from lemnis.engine.jobs import user_name
from lemnis.tui.language import _
from lemnis.tui.stages.features.pane import Question
from lemnis.tui.stages.stage import Stage


def keep(
    stage: Stage[Any],
    called: str,
    features: list[str],
    leaks: Sequence[str],
    *,
    then: Callable[[FeatureSet], None],
) -> None:
    """Ask for name and reason, then keep columns as a set; `leaks` are those of them that may know the answer."""

    def answered(answer: tuple[str, ...] | None) -> None:
        if answer is not None:
            name, why = answer
            done = _("Kept: {features} columns as set {name}.").format(features=len(features), name=name)
            stage.perform(stage.engine.features.choose, name, features, user_name(), why, done=done, then=then)

    warning = _("suspected of leaking: {leaks}").format(leaks=", ".join(leaks)) if leaks else ""
    title = _("Keep {features} columns as a feature set").format(features=len(features))
    stage.app.push_screen(Question(title, name_and_reason(called), warning=warning), answered)


def rename(stage: Stage[Any], chosen: FeatureSet) -> None:
    """Ask for another name of a set."""

    def answered(answer: tuple[str, ...] | None) -> None:
        if answer is not None:
            new, why = answer
            done = _("Set {name} is called {new} now.").format(name=chosen.name, new=new)
            stage.perform(stage.engine.features.rename, chosen.name, new, user_name(), why, done=done)

    title = _("Give set {name} another name").format(name=chosen.name)
    stage.app.push_screen(Question(title, name_and_reason(chosen.name), word=_("rename")), answered)


def note(stage: Stage[Any], chosen: FeatureSet) -> None:
    """Ask for a remark on a choice."""

    def answered(answer: tuple[str, ...] | None) -> None:
        if answer is not None:
            done = _("Noted on {reference}.").format(reference=chosen.reference)
            stage.perform(stage.engine.features.note, chosen.revision, answer[0], user_name(), done=done)

    title = _("Note on {reference}").format(reference=chosen.reference)
    stage.app.push_screen(Question(title, [(_("Note"), "")]), answered)


def name_and_reason(name: str) -> list[tuple[str, str]]:
    """Return the two lines that are asked for, the name with what it is now."""
    return [(_("Name"), name), (_("Why (for the ones who read it later)"), "")]
