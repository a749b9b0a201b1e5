"""The features of a model: what each adds over many rows, how answers depend on it, and which act together."""

from collections.abc import Sequence

from msgspec import Struct
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content

from lemnis.engine.evaluate import Contributions, Dependence, Dependences, EvaluateRoom, Importance, Interactions
from lemnis.tui.keys.named import keyed
from lemnis.tui.language import _
from lemnis.tui.stages.evaluate import swarms
from lemnis.tui.stages.evaluate.pane import Drawn
from lemnis.tui.widgets import Chart, Panel, Table, Words

PARTS = ("swarm", "curves", "pairs")  # a small screen shows one of them


class Interpreted(Struct, frozen=True):
    """What interpreting found of a run; None for what was not computed yet.

    Attributes:
        told: The model tells contributions at all.
    """

    contributions: Contributions | None
    dependences: Dependences | None
    interactions: Interactions | None
    told: bool


NOTHING = Interpreted(None, None, None, True)


def interpreted(room: EvaluateRoom, run_id: int, importances: Sequence[Importance]) -> Interpreted:
    """Return what is known of a run; read in a thread."""
    return Interpreted(
        contributions=room.contributions(run_id),
        dependences=room.dependences(run_id),
        interactions=room.interactions(run_id),
        told=not importances or any(one.contribution is not None for one in importances),
    )


class FeaturesPane(Horizontal):
    """A list of features; the one under the cursor is shown by its levels and its dependence."""

    def __init__(self) -> None:
        super().__init__(id="features-view")
        self.part, self.output, self.centred = "swarm", 0, False
        self._found = NOTHING

    def compose(self) -> ComposeResult:
        with Vertical(id="swarm-side"):
            with Panel(_("What each feature adds"), id="swarm-panel"):
                yield Table(id="swarms")
            with Panel(_("What acts together"), id="pairs-panel"):
                yield Table(*swarms.PAIRS, id="pairs")
        with Vertical(id="feature-side"):
            with Panel(_("By value"), id="levels-panel"):
                yield Drawn(id="levels")
            with Panel(_("Dependence"), id="dependence-panel"):
                yield Words(id="dependence-empty")
                yield Chart(id="dependence-chart", empty=_("No curve."))
                yield Drawn(id="dependence-below")

    def show(self, found: Interpreted) -> None:
        """Show what was found of a run."""
        self._found = found
        outputs = found.contributions.outputs if found.contributions else []
        self.output = min(self.output, max(0, len(outputs) - 1))
        table, panel = self.query_one("#swarms", Table), self.query_one("#swarm-panel", Panel)
        columns = swarms.swarm_columns(table.size.width or 70)
        table.set_columns(columns)
        if found.contributions is not None:
            table.show(swarms.swarm_rows(outputs[self.output], columns))
            panel.retitle(_("What each feature adds"), swarms.swarm_title(found.contributions, self.output))
        else:
            table.empty = (
                swarms.NOT_YET
                if found.told
                else _("{no_contributions} Press {{evaluate.interpret}} for dependence.").format(
                    no_contributions=_(swarms.NO_CONTRIBUTIONS)
                )
            )
            table.show(swarms.plain_rows(found.dependences, columns) if found.dependences else [])
            panel.retitle(_("Features"), "" if found.told else _("· linear trees tell no contributions"))
        self._show_pairs()
        self._show_feature()

    def _show_pairs(self) -> None:
        found, table = self._found.interactions, self.query_one("#pairs", Table)
        table.empty = (found.note or _("Only one feature.")) if found else swarms.NOT_YET
        table.show(swarms.pair_rows(found) if found else [])
        detail = (
            _("· {features} features, {rows} rows").format(features=len(found.features), rows=found.rows)
            if found and found.pairs
            else ""
        )
        self.query_one("#pairs-panel", Panel).retitle(_("What acts together"), detail)

    @on(Table.Moved, "#swarms")
    def _show_feature(self) -> None:
        """Show the feature under the cursor."""
        name, found = self.query_one("#swarms", Table).key, self._found
        levels = self.query_one("#levels", Drawn)
        output = found.contributions.outputs[self.output] if found.contributions else None
        swarm = next((one for one in output.swarms if one.feature == name), None) if output else None
        self.query_one("#levels-panel", Panel).retitle(_("By value"), f"· {name}" if name else "")
        if output is None or swarm is None:
            levels.show(lambda width: [Content.styled("" if found.told else _(swarms.NO_CONTRIBUTIONS), "$muted")])
        else:
            edge = output.edge
            levels.show(lambda width: swarms.level_lines(swarm, edge, width))
        self._show_dependence(name)

    def _show_dependence(self, name: str) -> None:
        found = self._found.dependences
        one = next((each for each in found.features if each.feature == name), None) if found else None
        empty, chart = self.query_one("#dependence-empty", Words), self.query_one("#dependence-chart", Chart)
        empty.display, chart.display = one is None, one is not None and one.values[0] is not None
        empty.say(
            Content.styled(
                keyed(swarms.NOT_YET) if found is None else _("Only the first features have a curve."), "$muted"
            )
        )
        panel, below = self.query_one("#dependence-panel", Panel), self.query_one("#dependence-below", Drawn)
        if found is None or one is None:
            panel.retitle(_("Dependence"))
            below.show(lambda width: ())
            return
        answer = found.answers[min(self.output, len(found.answers) - 1)]
        said = f"P({answer})" if answer else _("answer")
        panel.retitle(
            _("Dependence"),
            _("· {value}{said} on {name}, {rows} rows").format(
                value=f"{_('centred')} " * self.centred, said=said, name=name, rows=found.rows
            ),
        )
        self._draw(one, said)

    def _draw(self, one: Dependence, said: str) -> None:
        output, centred = min(self.output, len(one.mean) - 1), self.centred
        below, chart = self.query_one("#dependence-below", Drawn), self.query_one("#dependence-chart", Chart)
        if one.values[0] is None:
            below.show(lambda width: swarms.dependence_lines(one, output, width, centred=centred))
            return
        chart.relabel(x=one.feature, y=_("change of {said}").format(said=said) if centred else said)
        chart.show(swarms.dependence_series(one, output, centred=centred))
        below.show(lambda width: swarms.below_lines(one, output, width, centred=centred))

    def narrow_to(self, *, narrow: bool) -> None:
        """Show all parts side by side, or on a small screen the one that is open."""
        part = self.part if narrow else "all"
        self.query_one("#swarm-side").styles.height = 7 if part == "curves" else None
        self.query_one("#swarm-panel").display = part != "pairs"
        self.query_one("#pairs-panel").display = part in ("all", "pairs")
        side = self.query_one("#feature-side")
        side.display = part != "pairs"
        side.styles.height = "1fr" if part == "curves" else None
        self.query_one("#levels-panel").display = part in ("all", "swarm")
        self.query_one("#dependence-panel").display = part in ("all", "curves")

    def next_part(self) -> None:
        """Go on to the next part of a small screen."""
        self.part = PARTS[(PARTS.index(self.part) + 1) % len(PARTS)]

    def focus_list(self) -> None:
        """Give the keys to the list that is shown."""
        self.query_one("#pairs" if not self.query_one("#swarm-panel").display else "#swarms", Table).focus()

    def next_output(self) -> None:
        """Interpret the next class."""
        outputs = self._found.contributions.outputs if self._found.contributions else []
        answers = outputs or (self._found.dependences.answers if self._found.dependences else [])
        self.output = (self.output + 1) % max(1, len(answers))
        self.show(self._found)

    def centre(self) -> None:
        """Draw the change from the first value, or the answers themselves."""
        self.centred = not self.centred
        self._show_feature()
