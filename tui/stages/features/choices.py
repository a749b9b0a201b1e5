"""Every choice of every feature set: who, when, why, what it changed; two that are marked are compared."""

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.content import Content

from lemnis.engine.features import FeatureSet
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, when
from lemnis.tui.language import _
from lemnis.tui.widgets import Col, Panel, Row, Table, Words

COLUMNS = (
    Col("set", most=24),
    Col("columns", right=True),
    Col("changed", most=30),
    Col("who", most=12),
    Col("when"),
    Col("why", most=60),
)


class Choices(Container):
    """The table of choices beside what the one under the cursor holds and changed."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._choices: list[FeatureSet] = []

    def compose(self) -> ComposeResult:
        with Panel(_("Choices of feature sets"), id="choices-panel"):
            yield Table(
                *COLUMNS,
                id="choices",
                empty=_("No set was chosen yet. Mark columns with {table.mark} and press {features.save}."),
            )
        with Panel(_("Choice"), id="choice-panel"), VerticalScroll(can_focus=False):
            yield Words(id="choice")

    def show(self, choices: Sequence[FeatureSet]) -> None:
        """Show all choices, newest first."""
        self._choices = list(choices)
        self.query_one("#choices", Table).show([choice_row(one, before_of(one, choices)) for one in choices])
        self.query_one("#choices-panel", Panel).retitle(_("Choices of feature sets"), f"· {len(choices)}")
        self.query_one("#choices-panel", Panel).footnote(
            _(
                "{table.open} looks at it · {table.mark} on two compares · {features.rename} rename · "
                "{features.note} note"
            )
        )
        self.draw()

    @property
    def current(self) -> FeatureSet | None:
        """The choice under the cursor."""
        key = self.query_one("#choices", Table).key
        return next((one for one in self._choices if one.reference == key), None)

    @on(Table.Moved, "#choices")
    @on(Table.Marked, "#choices")
    def draw(self) -> None:
        """Draw the choice under the cursor, or how the two marked last differ."""
        marks = self.query_one("#choices", Table).marks[-2:]
        marked = [one for key in marks for one in self._choices if one.reference == key]
        panel, words = self.query_one("#choice-panel", Panel), self.query_one("#choice", Words)
        current = self.current
        if len(marked) == 2:
            panel.retitle(f"{marked[0].reference} → {marked[1].reference}")
            words.say(difference_content(marked[0], marked[1]))
        elif current is not None:
            panel.retitle(current.reference)
            words.say(choice_content(current, before_of(current, self._choices)))
        else:
            panel.retitle(_("Choice"))
            words.say("")


def before_of(one: FeatureSet, choices: Sequence[FeatureSet]) -> FeatureSet | None:
    """Return the choice that this one took the place of; None for the first of its name."""
    name = one.renamed_from or one.name
    earlier = [other for other in choices if other.name == name and other.revision < one.revision]
    return max(earlier, key=lambda other: other.revision, default=None)


def choice_row(one: FeatureSet, before: FeatureSet | None) -> Row:
    """Return one choice's row."""
    notes = (
        " " + _("({notes} notes)").format(notes=len(one.notes))
        if len(one.notes) > 1
        else f" {_('(1 note)')}"
        if one.notes
        else ""
    )
    cells = [
        one.reference,
        str(len(one.features)),
        changed(one, before),
        one.who,
        when(one.at),
        f"{one.why or MISSING}{notes}",
    ]
    return Row(one.reference, cells, [one.reference, len(one.features), cells[2], one.who, one.at, one.why])


def changed(one: FeatureSet, before: FeatureSet | None) -> str:
    """Return what a choice changed, in few words."""
    if before is None:
        return _("first")
    if one.renamed_from:
        return _("was {renamed_from}").format(renamed_from=one.renamed_from)
    more = len([name for name in one.features if name not in before.features])
    less = len([name for name in before.features if name not in one.features])
    return f"+{more} −{less}" if more or less else _("nothing")


def choice_content(one: FeatureSet, before: FeatureSet | None) -> Content:
    """Return a choice in full: who and why, its notes, what it changed, its columns."""
    lines = [
        Content(
            _("{features} columns, chosen by {who} at {at}").format(
                features=len(one.features), who=safe(one.who), at=when(one.at)
            )
        ),
        Content.styled(safe(one.why, limit=400) or _("no reason given"), "$muted"),
    ]
    for note in one.notes:
        lines.append(
            Content.assemble((f"{_('note')}  ", "$stage-accent"), safe(f"{note.note} ({note.who}, {when(note.at)})"))
        )
    lines.append(Content(""))
    if before is not None:
        lines += [
            Content.styled(_("against {reference}").format(reference=safe(before.reference)), "$muted"),
            difference_content(before, one),
        ]
    else:
        lines += [Content(f"  {safe(name, limit=60)}") for name in one.features]
    return Content("\n").join(lines)


def difference_content(first: FeatureSet, second: FeatureSet) -> Content:
    """Return what the second has more (+) and less (−) than the first, then what both have."""
    added = [name for name in second.features if name not in first.features]
    removed = [name for name in first.features if name not in second.features]
    kept = [name for name in second.features if name in first.features]
    lines = [
        Content.styled(
            _("{added} more, {removed} less, {kept} kept").format(
                added=len(added), removed=len(removed), kept=len(kept)
            ),
            "bold",
        )
    ]
    lines += [Content.styled(f"+ {safe(name, limit=60)}", "$ok") for name in added]
    lines += [Content.styled(f"− {safe(name, limit=60)}", "$bad") for name in removed]
    lines += [Content.styled(f"  {safe(name, limit=60)}", "$muted") for name in kept]
    return Content("\n").join(lines)
