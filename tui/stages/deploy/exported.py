"""How exports look: what was written and how it was compared, and the latest of a version. Pure."""

from collections.abc import Sequence

from textual.content import Content

from lemnis.engine.deploy import ModelVersion
from lemnis.engine.deploy.exports.records import Export
from lemnis.engine.text import safe
from lemnis.tui.format import age, bytes_, number
from lemnis.tui.language import _
from lemnis.tui.stages.deploy.rows import facts

EXPORTS_SHOWN = 5  # of a version, in its detail


def export_words(made: Export) -> Content:
    """Return what was written, and what was found when it was compared with its version."""
    apart = (
        _("at most {farthest:.1g} apart").format(farthest=made.checked.farthest)
        if made.checked.farthest
        else _("none apart")
    )
    compared = _("{rows} rows ({against}), {apart}").format(
        rows=number(made.checked.rows), against=made.checked.against, apart=apart
    )
    lines = facts(
        [
            (_("written"), str(made.path)),
            (_("files"), f"{made.files}, {bytes_(made.bytes)}"),
            (_("same answers"), compared),
            (_("manifest"), f"sha256 {made.sha256[:16]}…"),
        ]
    )
    return Content("\n").join([*lines, *(Content.styled(safe(f"▲ {one}"), "$warn") for one in made.warnings)])


def export_lines(exports: Sequence[Export], version: ModelVersion, *, now: int) -> list[Content]:
    """Return the latest exports of a version, one line each; none where there was none."""
    mine = [made for made in exports if (made.model, made.version) == (version.model, version.version)]
    lines = [
        Content(safe(f"  {made.form:<7} {age(made.at, now):>5}  {made.who}  {made.path}"))
        for made in mine[:EXPORTS_SHOWN]
    ]
    return (
        [Content.styled("\n" + _("exported {mine} times, latest first").format(mine=len(mine)), "$muted"), *lines]
        if mine
        else []
    )
