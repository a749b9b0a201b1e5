"""What MLflow clients registered, among the versions of Deploy: a row of the table, and all of one. Pure."""

from collections.abc import Sequence

from textual.content import Content

from lemnis.engine.text import safe
from lemnis.engine.tracking.clients import ClientVersion
from lemnis.tui.format import MISSING, age
from lemnis.tui.language import _
from lemnis.tui.stages.deploy.rows import alias_cell, facts, picked
from lemnis.tui.widgets import Cell, Col, Row


def client_key(version: ClientVersion) -> str:
    """Return the key of a version that a client registered."""
    return f"mlflow {version.name}@{version.version}"


def client_row(version: ClientVersion, columns: Sequence[Col], *, now: int) -> Row:
    """Return one line of the table of versions for what an MLflow client registered."""
    kind = ", ".join(version.flavours) or MISSING
    cells: dict[str, Cell] = {
        "version": version.title,
        "aliases": alias_cell(version.aliases),
        "run": version.run_name or version.run_uid[:8] or MISSING,
        "gates": Content.styled(safe(_("MLflow {kind}").format(kind=kind), limit=17), "$muted"),
        "age": age(version.created_at, now),
        "who": version.who or MISSING,
        "why": version.why,
    }
    values = {
        "version": version.version,
        "aliases": ", ".join(version.aliases) or None,
        "run": None,
        "gates": kind,
        "age": version.created_at,
        "who": version.who,
        "why": version.why,
    }
    return picked(client_key(version), cells, values, columns)


def client_detail(version: ClientVersion, *, now: int) -> Content:
    """Return everything about a version that a client registered."""
    lines = facts(
        [
            (
                _("registered"),
                _("by an MLflow client, {created_at} ago").format(created_at=age(version.created_at, now)),
            ),
            (_("in Lemnis"), version.why),
            (_("flavours"), ", ".join(version.flavours) or MISSING),
            (_("run"), version.run_name or version.run_uid or MISSING),
            (_("aliases"), alias_cell(version.aliases)),
            (_("by"), version.who or MISSING),
            (_("note"), version.note or MISSING),
        ]
    )
    return Content("\n").join(lines)
