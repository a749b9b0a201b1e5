"""Faults put into requests, and what became of them: a line a fault and feature, failures first. Pure."""

from textual.content import Content

from lemnis.engine.evaluate import KINDS, Perturbation, Perturbations
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, delta, number, share
from lemnis.tui.language import _
from lemnis.tui.stages.evaluate.listing import Listing
from lemnis.tui.stages.evaluate.rows import measure_text, title_of
from lemnis.tui.widgets.cells import Col, Row

STRESS_TEXT = (
    "One fault at a time is put into real requests, which take the very path that served requests take: a column that"
    " is absent, has no value, has a category that training never saw, is in another unit (× 1000), is the time of "
    "day of another time zone; columns in another order; numbers as float32. A fault passes if it is refused where it"
    " should be, or if it costs no more than a tenth of what the model is worth over the constant answer; order and "
    "float32 may change no answer but one in a thousand. What fails is taken without a word and answered wrongly: a "
    "check in Validate or a range in front of the model would catch it."
)


def stress_listing(found: Perturbations | None) -> Listing:
    """Return every fault that was tried, failures first, the dearest on top."""
    tried = sorted(found.tried, key=lambda one: (one.passed, -(one.loss or 0.0))) if found else []
    metric = title_of(found.metric) if found else _("measure")
    columns = [
        Col("verdict"), Col("fault"), Col("feature", most=28), Col("value", metric, right=True),
        Col("loss", "loses", right=True), Col("changed", right=True),
    ]  # fmt: skip
    failed = sum(not one.passed for one in tried)
    return Listing(
        title=_("Stress"),
        detail=_("· {failed} of {tried} faults fail, {rows:,} {part} rows").format(
            failed=failed, tried=len(tried), rows=found.rows, part=found.part
        )
        if found
        else "",
        columns=columns,
        rows=[stress_row(one, found.metric) for one in tried] if found else [],
        empty=_("Not tried yet. Press {evaluate.run}."),
        below=_("Fault"),
        lines=lambda key, cells: stress_lines(found, key),
        foot=_("{features} of {of} features, the most important").format(features=found.features, of=found.of)
        if found and found.features < found.of
        else "",
    )


def key_of(one: Perturbation) -> str:
    """Return the key of a fault's row."""
    return f"{one.kind}\n{one.feature}"


def stress_row(one: Perturbation, metric: str) -> Row:
    """Return one fault's row."""
    verdict = Content.styled(_("● pass"), "$ok") if one.passed else Content.styled(_("✖ fail"), "$bad")
    measured = _("refused") if one.refused else measure_text(metric, one.value, "")
    cells = [
        verdict, one.kind, one.feature or _("all"), measured,
        MISSING if one.loss is None else delta(-one.loss), share(one.changed),
    ]  # fmt: skip
    return Row(
        key_of(one), cells, ["pass" if one.passed else "fail", one.kind, one.feature, one.value, one.loss, one.changed]
    )


def stress_lines(found: Perturbations | None, key: str) -> list[Content]:
    """Return the rule of a fault and what came of it."""
    one = next((one for one in found.tried if key_of(one) == key), None) if found else None
    if found is None or one is None:
        return []
    metric = title_of(found.metric)
    where = " " + _("in {feature}").format(feature=safe(one.feature)) if one.feature else ""
    lines = [
        Content.assemble((f"{one.kind}{where}", "bold")),
        Content.assemble((f"{_('rule')}     ", "$muted"), KINDS[one.kind]),
    ]
    if one.refused:
        lines.append(Content.assemble((f"{_('refused')}  ", "$muted"), safe(one.refused, limit=200)))
    else:
        lines += [
            Content.assemble(
                (f"{_('taken')}    ", "$muted"),
                _("{changed} of the rows are answered otherwise").format(changed=share(one.changed)),
            ),
            Content.assemble((f"{_('costs')}    ", "$muted"), f"{metric} {number(found.value)} → {number(one.value)}"),
        ]
    allowed = _("{allowed}, a tenth of its {value} over the constant's {constant}").format(
        allowed=number(found.allowed), value=number(found.value), constant=number(found.constant)
    )
    return [*lines, Content.assemble((f"{_('allowed')}  ", "$muted"), allowed)]
