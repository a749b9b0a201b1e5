"""How the last load test of an endpoint looks: waits and rates by connections and rows a request. Pure."""

from textual.content import Content

from lemnis.engine.deploy import Endpoint, LoadCell, LoadTest
from lemnis.tui.format import age, bytes_, number
from lemnis.tui.language import _

HEAD = f"  {'at once':>7} {'rows':>5} {'req/s':>7} {'rows/s':>9} {'p50 ms':>7} {'p99 ms':>7} {'p99.9':>7}"


def load_lines(endpoint: Endpoint, tests: list[LoadTest], *, now: int) -> list[Content]:
    """Return the latest load test that was asked for an endpoint, a line for each pair; nothing where there is none."""
    found = next((one for one in tests if one.endpoint == endpoint.name), None)
    if found is None:
        return []
    lines = [
        Content.assemble(
            (f"\n{_('load test')}  ", "$muted"),
            _("v{version}, {at} ago: cold start {cold_start_ms} ms, {busy_bytes}").format(
                version=found.version,
                at=age(found.at, now),
                cold_start_ms=number(found.cold_start_ms, 0),
                busy_bytes=bytes_(found.busy_bytes),
            ),
        )
    ]
    if endpoint.version is not None and found.version != endpoint.version:
        lines.append(
            Content.styled(
                "  " + _("▲ version {version} serves now and was not loaded since").format(version=endpoint.version),
                "$warn",
            )
        )
    return [*lines, Content.styled(HEAD, "$muted"), *map(load_line, found.cells)]


def load_line(cell: LoadCell) -> Content:
    """Return what so many connections with so many rows a request were answered."""
    waits = (number(cell.p50_ms, 2), number(cell.p99_ms, 2), number(cell.p999_ms, 2))
    line = Content(
        f"  {cell.connections:>7} {cell.batch:>5} {number(cell.requests_per_s, 0):>7} {number(cell.rows_per_s, 0):>9}"
        f" {waits[0]:>7} {waits[1]:>7} {waits[2]:>7}"
    )
    return (
        line + Content.styled("  " + _("▲ {errors} errors").format(errors=number(cell.errors)), "$bad")
        if cell.errors
        else line
    )
