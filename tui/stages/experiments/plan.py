"""A grid in words: what is varied, what each run would be, how many there are and how long they take. Pure."""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from textual.content import Content

from lemnis.engine.config import Preset
from lemnis.engine.data.versions import Version
from lemnis.engine.experiments import Grid, Plan
from lemnis.engine.experiments.parameters import Value
from lemnis.engine.experiments.runs import as_text
from lemnis.tui.format import MISSING, duration, styled
from lemnis.tui.language import _
from lemnis.tui.widgets import Col, Row


class Offer(Struct, frozen=True):
    """What a grid can be made of."""

    presets: Mapping[str, Preset]
    versions: Sequence[Version]

    def preset(self, grid: Grid) -> tuple[str, Preset]:
        """Return the preset of a grid and its name, as the engine chooses it."""
        name = grid.preset or ("default" if "default" in self.presets else next(iter(self.presets), "default"))
        return name, self.presets.get(name, Preset())

    def chosen(self, grid: Grid) -> list[str]:
        """Return the ids of the versions that a grid is trained on."""
        return grid.versions or [version.id for version in self.versions[:1]]

    def algorithms(self, grid: Grid) -> list[str]:
        """Return the algorithms of a grid."""
        return grid.algorithms or [self.preset(grid)[1].algorithm]


def values_text(values: Sequence[Value]) -> str:
    """Return values as they are typed."""
    return ",".join(as_text(value) for value in values)


def axis_rows(grid: Grid, offer: Offer) -> list[Row]:
    """Return what is varied, one line each: the preset, the data, the algorithms, and every parameter."""
    titles = {version.id: version.title for version in offer.versions}
    versions = [titles.get(each, each[:12]) for each in offer.chosen(grid)]
    lines = {"preset": [offer.preset(grid)[0]], "data": versions, "algorithm": offer.algorithms(grid)}
    lines |= {name: [as_text(value) for value in values] for name, values in grid.values.items()}
    return [Row(name, (name, f"× {len(texts)}", ", ".join(texts) or _("none yet"))) for name, texts in lines.items()]


def cell_columns(*, narrow: bool) -> list[Col]:
    """Return the columns of the runs of a grid."""
    columns = [Col("run", flex=True), Col("takes", right=True), Col("same", "", most=26)]
    return columns if narrow else [*columns, Col("without", "left out", most=40)]


def cell_rows(plan: Plan, *, again: bool) -> list[Row]:
    """Return one line for each run; muted what is not trained because it is there already."""
    rows: list[Row] = []
    for place, cell in enumerate(plan.cells):
        skipped = cell.same_as is not None and not again
        takes = MISSING if skipped or cell.expected is None else duration(cell.expected.seconds)
        same = (
            _("is #{same_as}, {same_state}").format(same_as=cell.same_as, same_state=cell.same_state)
            if cell.same_as
            else ""
        )
        name = Content.styled(cell.name, "$muted") if skipped else cell.name
        rows.append(Row(str(place), (name, takes, styled(same, "$muted"), ", ".join(cell.left_out))))
    return rows


def plan_words(plan: Plan, *, again: bool = False) -> str:
    """Return in a sentence how many runs a grid makes and how long they take; `again` trains those that are there."""
    made, wanted = len(plan.cells), plan.cells if again else plan.new
    words = (
        _("1 combination")
        if plan.combinations == 1
        else _("{combinations} combinations").format(combinations=plan.combinations)
    )
    words += _(", {made} different").format(made=made) if made != plan.combinations else ""
    words += _(", {made} there already").format(made=made - len(plan.new)) if made != len(plan.new) else ""
    words += _(": {wanted} to train").format(wanted=len(wanted))
    if not wanted:
        return f"{words}."
    known = [cell for cell in wanted if cell.expected is not None]
    if not known:
        return _("{words}; no earlier run tells how long.").format(words=words)
    words += _(", about {time_of}, {at_once} at a time").format(
        time_of=duration(plan.time_of(known)), at_once=plan.at_once
    )
    words += _(", told from {basis} earlier {which}").format(
        basis=plan.basis, which=_("run") if plan.basis == 1 else _("runs")
    )
    unknown = dict.fromkeys(cell.algorithm for cell in wanted if cell.expected is None)
    return (
        _("{words}, without {unknown}: none was trained yet.").format(words=words, unknown=", ".join(unknown))
        if unknown
        else f"{words}."
    )
