"""What a person does with a check of Validate: waive it, and write its failing rows to a file."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lemnis.engine.clock import now_ms, parse_ms
from lemnis.engine.jobs import user_name
from lemnis.engine.validate import Which
from lemnis.tui.format import number
from lemnis.tui.language import N_, _
from lemnis.tui.stages.stage import Stage

if TYPE_CHECKING:
    from lemnis.tui.stages.validate.form import Answers

WHICH: Mapping[Which, str] = {
    "all": N_("Failing rows"),
    "new": N_("New failing rows"),
    "persisting": N_("Persisting failing rows"),
    "fixed": N_("Fixed rows"),
}


def waive(stage: Stage[Any], check: str, *, then: Callable[[int], None]) -> None:
    """Ask who, why and until when; the waiver counts from the next run on, which is queued at once."""
    from lemnis.tui.stages.validate.form import waiver_form

    def waived(answers: "Answers") -> int:
        until = parse_ms(answers["until"])
        stage.engine.validate.waive(check, until=until, who=answers["who"], why=answers["why"])
        return stage.engine.validate.start()

    def answered(answers: "Answers | None") -> None:
        if answers is not None:
            stage.perform(waived, answers, done=_("Waived {name}; the checks run again.").format(name=check), then=then)

    stage.app.push_screen(waiver_form(check, user_name(), now_ms()), answered)


def export(stage: Stage[Any], check_run_id: int, check: str, which: Which) -> None:
    """Ask for a file and write the failing rows of a class to it."""
    from lemnis.tui.stages.validate.form import Form, Question

    name = f"{check}{'' if which == 'all' else '_' + which}.csv"

    def answered(answers: "Answers | None") -> None:
        if answers is not None:
            stage.perform(
                stage.engine.validate.export,
                check,
                Path(answers["file"]).expanduser(),
                check_run_id=check_run_id,
                which=which,
                done=lambda written: _("{written} rows are in {answers}.").format(
                    written=number(written), answers=answers["file"]
                ),
            )

    asked = [Question("file", _("file"), name)]
    text = _("A new file ending in .csv, .jsonl or .parquet; nothing is overwritten.")
    title = _("{which} of {check}").format(which=_(WHICH[which]), check=check)
    stage.app.push_screen(Form(title, text, asked, word=_("write")), answered)
