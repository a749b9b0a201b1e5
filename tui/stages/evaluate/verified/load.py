"""Load tests: throughput and waits by connections and rows a request, with cold start, memory and cost. Pure."""

from collections.abc import Sequence

from textual.content import Content

from lemnis.engine.deploy import LoadCell, LoadTest
from lemnis.engine.text import safe
from lemnis.tui.format import bytes_, money, number, when
from lemnis.tui.language import _
from lemnis.tui.stages.evaluate.listing import Listing
from lemnis.tui.widgets.cells import Col, Row

LOAD_TEXT = (
    "A server is started for the version, with the very code and settings of an endpoint, and asked over HTTP (Open "
    "Inference Protocol) with the golden rows; each connection asks again as soon as it is answered. It logs aside "
    "and is counted nowhere, so that the endpoint's figures and monitors stay what they are. Waits run from a "
    "request's first byte to its answer's last. Cold start is from starting the process to its first 200 at "
    "/v2/health/ready. Memory is PSS. Cost is the server's time of a core by the pool's price_core_hour. Both sides "
    "share this machine's cores with whatever else runs. Command: lemnis endpoints load NAME."
)


def load_listing(found: Sequence[LoadTest]) -> Listing:
    """Return the latest load test of a run's version, a line for each pair of connections and rows."""
    latest = found[0] if found else None
    columns = [
        Col("connections", "conn.", right=True), Col("batch", "rows", right=True), Col("requests/s", right=True),
        Col("rows/s", right=True), Col("p50", "p50 ms", right=True), Col("p90", right=True), Col("p99", right=True),
        Col("p99.9", right=True), Col("errors", right=True),
    ]  # fmt: skip
    return Listing(
        title=_("Load"),
        detail=f"· {latest.model} v{latest.version}, {when(latest.at)}" if latest else "",
        columns=columns,
        rows=[cell_row(one) for one in latest.cells] if latest else [],
        empty=_("Not under load yet. Press {evaluate.load}, where an endpoint serves this run."),
        below=_("Server"),
        lines=lambda key, cells: load_lines(latest, key, len(found)),
    )


def cell_row(one: LoadCell) -> Row:
    """Return one pair's row."""
    waits = (one.p50_ms, one.p90_ms, one.p99_ms, one.p999_ms)
    errors = Content.styled(f"✖ {number(one.errors)}", "$bad") if one.errors else "0"
    cells = [
        number(one.connections), number(one.batch), number(round(one.requests_per_s)), number(round(one.rows_per_s)),
        *(number(wait, 2) for wait in waits), errors,
    ]  # fmt: skip
    values = [one.connections, one.batch, one.requests_per_s, one.rows_per_s, *waits, one.errors]
    return Row(f"{one.connections} {one.batch}", cells, values)


def load_lines(found: LoadTest | None, key: str, tests: int) -> list[Content]:
    """Return what the server needed, and what a row costs in the pair under the cursor."""
    if found is None:
        return []
    one = next((one for one in found.cells if f"{one.connections} {one.batch}" == key), found.cells[0])
    price = (
        f"{money(one.cost_per_million, found.currency)}"
        if one.cost_per_million is not None
        else _("no price_core_hour")
    )
    each = _("{cpu_us_per_row} µs of a core a row").format(cpu_us_per_row=number(one.cpu_us_per_row, 1))
    return [
        Content.assemble((f"{_('cold start')}     ", "$muted"), f"{number(found.cold_start_ms, 0)} ms"),
        Content.assemble(
            (f"{_('memory')}         ", "$muted"),
            _("{idle_bytes} idle, {busy_bytes} after").format(
                idle_bytes=bytes_(found.idle_bytes), busy_bytes=bytes_(found.busy_bytes)
            ),
        ),
        Content.assemble(
            (f"{_('at the cursor')}  ", "$muted"),
            _("{requests} requests in {seconds} s").format(
                requests=number(one.requests), seconds=number(one.seconds, 1)
            ),
        ),
        Content.assemble((f"{_('a million')}      ", "$muted"), f"{price}, {each}"),
        Content.styled(
            _("{rows} golden rows, {cores} cores, for endpoint {endpoint}, {tests} kept").format(
                rows=number(found.rows), cores=found.cores, endpoint=safe(found.endpoint), tests=tests
            ),
            "$muted",
        ),
    ]
