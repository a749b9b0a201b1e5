"""A reliability diagram in text, a line a bin, and what calibration maps would change. Pure."""

from textual.content import Content

from lemnis.engine.evaluate import Bin, Calibration, CalibrationMap, Evaluation, PairedTest, Reliability
from lemnis.engine.text import safe
from lemnis.tui.format import delta, number, share
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.stages.evaluate.listing import Listing
from lemnis.tui.widgets.cells import Col, Row

LEAST_DIAGRAM, FIGURES, SHORT_FIGURES = 20, 44, 16  # cells of the diagram at least, and of the figures before it
ANSWERED = "answered"  # key of the line about the class that was answered
CALIBRATION_TEXT = (
    "Rows are cut into ten bins of equally many rows by the probability they were told. On the axis from 0 to 1 a "
    "line shows the 95 % interval of the share that really was positive, ● the share, ◇ the probability that was said"
    " (◆ where both are one): a well calibrated model has ◇ within the line. ECE is the mean gap by rows. The Brier "
    "score is taken apart (Murphy): + off the diagonal, − told apart from the mean, + spread of the target itself. "
    "Isotonic and Platt maps are fitted on the validation rows and judged on the test rows by a paired bootstrap over"
    " days; one is worth it only if the whole interval of the change of both Brier score and log loss is below 0. "
    "`lemnis models register RUN MODEL --calibrate MAP` keeps such a map with a version, and its answers are what the "
    "map makes. Of several classes the first line judges the class that was answered: how sure the model was against "
    "how often it was right; then comes each class against all others. Their maps are a temperature, which makes all "
    "answers more or less sure and changes none, and isotonic maps of each class, divided by their sum."
)


def calibration_listing(evaluation: Evaluation | None, width: int) -> Listing:
    """Return the bins as a diagram, and as detail the figures and the maps."""
    found = evaluation.calibrated if evaluation else None
    if found is not None and found.classes:
        return classes_listing(found)
    room = max(LEAST_DIAGRAM, width - FIGURES)
    columns = [
        Col("said", right=True), Col("happened", right=True), Col("interval", "95 %"), Col("rows", right=True),
        Col("diagram", axis(room), width=room),
    ]  # fmt: skip
    bins = found.reliability.bins if found else []
    return Listing(
        title=_("Calibration"),
        detail=_("· {part} rows, {bins} bins of equally many").format(part=found.part, bins=len(bins)) if found else "",
        columns=columns,
        rows=[bin_row(place, one, room) for place, one in enumerate(bins)],
        empty=_("Not measured: the model answers with a number.")
        if evaluation
        else _("Not measured yet. Press {evaluate.run}."),
        below=_("Worth and maps"),
        lines=lambda key, cells: [*worth_lines(found.reliability), *maps_lines(found)] if found else [],
    )


def classes_listing(found: Calibration) -> Listing:
    """Return a line for the class that was answered and for each class; as detail its diagram and the maps."""
    judged = {ANSWERED: found.reliability} | {
        _("class {name}").format(name=name): one for name, one in found.classes.items()
    }
    columns = [
        Col("class", flex=True), Col("said", right=True), Col("happened", right=True), Col("ece", "ECE", right=True),
        Col("brier", "Brier", right=True),
    ]  # fmt: skip

    def lines(key: str, width: int) -> list[Content]:
        one = judged.get(key)
        return [*(diagram_lines(one, width) if one else []), *maps_lines(found)]

    return Listing(
        title=_("Calibration"),
        detail=_("· {part} rows, {classes} classes").format(part=found.part, classes=len(found.classes)),
        columns=columns,
        rows=[class_row(key, one) for key, one in judged.items()],
        empty="",
        below=_("Reliability and maps"),
        lines=lines,
    )


def class_row(key: str, one: Reliability) -> Row:
    """Return what was said of a class on average, how often it happened, and what its probabilities are worth."""
    rows = sum(part.rows for part in one.bins)
    said, was = (
        sum(value * part.rows for part, value in zip(one.bins, column, strict=True)) / rows
        for column in ([part.said for part in one.bins], [part.was for part in one.bins])
    )
    name = _("the class answered") if key == ANSWERED else safe(key.removeprefix("class "), limit=60)
    cells = [name, share(said), share(was), number(one.ece), number(one.brier)]
    return Row(key, cells, [None if key == ANSWERED else name, said, was, one.ece, one.brier])


def diagram_lines(one: Reliability, width: int) -> list[Content]:
    """Return the bins of a class as a diagram, then its figures."""
    room = max(LEAST_DIAGRAM, width - SHORT_FIGURES)
    lines = [Content.styled(f"{'said':>7} {'was':>7} {axis(room)}", "$muted")]
    for part in one.bins:
        drawn = (diagram(part, room), "" if part.low <= part.said <= part.high else "$warn")
        lines.append(Content.assemble(f"{share(part.said):>7} {share(part.was):>7} ", drawn))
    return [*lines, *worth_lines(one)]


def axis(room: int) -> str:
    """Return the header of the diagram: the axis from 0 to 1 with its middle."""
    middle = room // 2
    return f"0{'0.5':^{room - 2}}1" if middle else ""


def bin_row(place: int, one: Bin, room: int) -> Row:
    """Return one bin's row."""
    within = one.low <= one.said <= one.high
    cells = [
        share(one.said), share(one.was), f"{share(one.low)}…{share(one.high)}", number(one.rows),
        Content.styled(diagram(one, room), "" if within else "$warn"),
    ]  # fmt: skip
    return Row(str(place), cells, [one.said, one.was, None, one.rows, None])


def diagram(one: Bin, room: int) -> str:
    """Return a bin on the axis from 0 to 1: interval, share and what was said."""
    places = [round(min(1.0, max(0.0, value)) * (room - 1)) for value in (one.low, one.high, one.was, one.said)]
    low, high, was, said = places
    line = [" "] * room
    line[low : high + 1] = "─" * (high + 1 - low)
    line[was] = "●"
    line[said] = "◆" if said == was else "◇"
    return "".join(line)


def worth_lines(worth: Reliability) -> list[Content]:
    """Return ECE and the Brier score taken apart."""
    return [
        Content.assemble(
            ("ECE ", "$muted"), (number(worth.ece), "bold"), ("  Brier ", "$muted"), (number(worth.brier), "bold"),
        ),
        Content.assemble(
            (f"  {_('= off')} ", "$muted"), number(worth.off), (f" {_('− apart')} ", "$muted"), number(worth.apart),
            (f" {_('+ spread')} ", "$muted"), number(worth.spread),
        ),
    ]  # fmt: skip


def maps_lines(found: Calibration) -> list[Content]:
    """Return what each map would change, or why none was fitted."""
    why = [Content.styled(told(found.why), "$muted")] if found.why else []
    return [*why, *(line for one in found.maps for line in map_lines(one))]


def map_lines(one: CalibrationMap) -> list[Content]:
    """Return whether a map is worth it, and the change of each measure with its interval."""
    said = _("● worth it: wins") if one.wins else _("· not worth it: no sure gain")
    head = (_("{said} on rows it has not seen").format(said=said), "$ok" if one.wins else "$muted")
    tests = {test.metric: test for test in one.tests}
    changes = [change("Brier", tests.get("brier")), "  ", change("log loss", tests.get("log_loss"))]
    return [Content.assemble((one.method, "bold"), "  ", head), Content.assemble("  ", *changes)]


def change(name: str, test: PairedTest | None) -> Content:
    """Return the change of one measure with its interval."""
    if test is None or test.low is None:
        return Content("")
    return Content.assemble(
        (f"{name} ", "$muted"), delta(test.delta), (f" ({delta(test.low)}…{delta(test.high)})", "$muted")
    )
