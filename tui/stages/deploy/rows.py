"""How endpoints, versions and alias events look: record → cells. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from textual.content import Content

from lemnis.engine.deploy import AliasEvent, Endpoint, EndpointEvent, ModelVersion
from lemnis.engine.evaluate import Gate
from lemnis.engine.monitor import Stale
from lemnis.engine.text import safe
from lemnis.engine.tracking.clients import ClientVersion
from lemnis.tui.format import MISSING, age, bytes_, number, spark, styled, verdict, when
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.stages.deploy.logged import log_words
from lemnis.tui.stages.deploy.rollout import rollout_lines, split_cell, split_lines, workers_cell
from lemnis.tui.widgets import Cell, Col, Row, Series
from lemnis.tui.widgets.cells import drawable, padded

SPAN_SECONDS = 10  # of one number of Endpoint.per_second
RATE_CELLS = 10
METRICS = ("roc_auc", "pr_auc", "log_loss", "brier", "rmse", "mae", "accuracy", "value_per_1000")

ENDPOINTS = (
    Col("state", width=13),
    Col("name", most=16),
    Col("serves", flex=True),
    Col("requests", right=True),
    Col("errors", right=True),
    Col("p50", "p50 ms", right=True),
    Col("p99", "p99 ms", right=True),
    Col("rate", "req/s, 5 min", width=RATE_CELLS + 8),
    Col("at", most=40),
)
MEDIUM_ENDPOINTS = tuple(column for column in ENDPOINTS if column.name not in ("p50", "at"))
NARROW_ENDPOINTS = tuple(column for column in ENDPOINTS if column.name not in ("name", "p50", "rate"))
WIDE_CELLS, MEDIUM_CELLS = 116, 84
VERSIONS = (
    Col("version", most=24),
    Col("aliases", most=26),
    Col("run", most=24),
    Col("gates", width=17),
    Col("age", right=True),
    Col("who", most=12),
    Col("why", most=60, flex=True),
)
NARROW_VERSIONS = tuple(column for column in VERSIONS if column.name not in ("who", "why"))
EVENTS = (
    Col("when", width=16),
    Col("alias", most=24),
    Col("moved", width=9),
    Col("how", most=18),
    Col("gates", "gates then", width=17),
    Col("who", most=12),
    Col("why", most=60, flex=True),
)
NARROW_EVENTS = tuple(column for column in EVENTS if column.name not in ("gates", "who"))


def endpoint_columns(width: int) -> tuple[Col, ...]:
    """Return the columns that a table of endpoints of this many cells has room for."""
    return ENDPOINTS if width >= WIDE_CELLS else MEDIUM_ENDPOINTS if width >= MEDIUM_CELLS else NARROW_ENDPOINTS


def endpoint_row(endpoint: Endpoint, columns: Sequence[Col]) -> Row:
    """Return one line of the table of endpoints."""
    cells: dict[str, Cell] = {
        "state": verdict(endpoint.state).content,
        "name": endpoint.name,
        "serves": f"{endpoint.model}@{endpoint.alias} → {endpoint.version or MISSING}{split_cell(endpoint)}",
        "requests": number(endpoint.requests),
        "errors": counted(endpoint.errors),
        "p50": number(endpoint.p50_ms, 2),
        "p99": number(endpoint.p99_ms, 2),
        "rate": rate_cell(endpoint),
        "at": (endpoint.url if columns == ENDPOINTS else f":{endpoint.port}") + workers_cell(endpoint),
    }
    values: dict[str, object] = {
        "state": endpoint.state,
        "name": endpoint.name,
        "serves": f"{endpoint.model}@{endpoint.alias}",
        "requests": endpoint.requests,
        "errors": endpoint.errors,
        "p50": endpoint.p50_ms,
        "p99": endpoint.p99_ms,
        "rate": now_per_second(endpoint),
        "at": endpoint.url,
    }
    return picked(endpoint.name, cells, values, columns)


def picked(key: str, cells: Mapping[str, Cell], values: Mapping[str, object], columns: Sequence[Col]) -> Row:
    """Return a row of the columns that are shown."""
    return Row(key, [cells[column.name] for column in columns], [values[column.name] for column in columns])


def counted(errors: int) -> Cell:
    """Return a number of errors, marked when there are some."""
    return Content.styled(f"▲ {number(errors)}", "$warn") if errors else "0"


def rate_cell(endpoint: Endpoint) -> Content:
    """Return the requests per second of the last minutes as a line, with the latest number."""
    line = spark(list(endpoint.per_second), RATE_CELLS) if any(endpoint.per_second) else " " * RATE_CELLS
    return Content.assemble((line, "$busy"), f" {number(now_per_second(endpoint), 1):>7}")


def now_per_second(endpoint: Endpoint) -> float:
    """Return the requests a second of the last full span."""
    return endpoint.per_second[-2] if len(endpoint.per_second) > 1 else 0.0


def version_key(version: ModelVersion) -> str:
    """Return a version's key in the table."""
    return f"{version.model}@{version.version}"


def stale_facts(stale: Stale) -> list[tuple[str, Cell]]:
    """Return what the problem was when a version was trained, and what it is now."""
    kept = (
        _("{who} lets it stay: {why}").format(who=stale.waived.who, why=stale.waived.why)
        if stale.waived
        else _("the problem changed since")
    )
    head = styled(safe(kept, limit=200), "$muted" if stale.waived else "$warn")
    return [
        (_("▲ stale"), head),
        *(
            (d.key, _("was {before}, is {after}").format(before=d.before or MISSING, after=d.after or MISSING))
            for d in stale.differences
        ),
    ]


def version_row(version: ModelVersion, columns: Sequence[Col], *, now: int, stale: Stale | None = None) -> Row:
    """Return one line of the table of versions; a stale one says so beside its aliases."""
    aliases = alias_cell(version.aliases)
    if stale is not None and stale.waived is None:
        aliases = Content.assemble(drawable(aliases), (f" {_('▲ stale')}", "$warn"))
    cells: dict[str, Cell] = {
        "version": f"{version.model} {version.version}",
        "aliases": aliases,
        "run": f"{version.run_id} {version.run_name}",
        "gates": verdict(version.verdict).content,
        "age": age(version.created_at, now),
        "who": version.who,
        "why": version.why,
    }
    values = {
        "version": version.version,
        "aliases": ", ".join(version.aliases) or None,
        "run": version.run_id,
        "gates": version.verdict,
        "age": version.created_at,
        "who": version.who,
        "why": version.why,
    }
    return picked(version_key(version), cells, values, columns)


def versions_counted(versions: Sequence[ModelVersion], clients: Sequence[ClientVersion]) -> str:
    """Return how many versions there are, and how many of them clients have registered."""
    return (
        _("{versions}, {clients} of MLflow's clients").format(versions=len(versions), clients=len(clients))
        if clients
        else f"{len(versions)}"
    )


def alias_cell(aliases: Sequence[str]) -> Cell:
    """Return the aliases that name a version, each with its glyph."""
    drawn = [Content.styled(safe(verdict(alias).text), verdict(alias).style) for alias in aliases]
    return Content("  ").join(drawn) if drawn else MISSING


def event_row(event: AliasEvent, columns: Sequence[Col]) -> Row:
    """Return one line of the log of alias moves."""
    how = _("▲ {kind}, forced").format(kind=event.kind) if event.forced else event.kind
    then = event.evidence.get("verdict")
    cells: dict[str, Cell] = {
        "when": when(event.at),
        "alias": f"{event.model}@{event.alias}",
        "moved": f"{event.previous or MISSING} → {event.version or MISSING}",
        "how": Content.styled(how, "$warn") if event.forced else how,
        "gates": verdict(then).content if then else MISSING,
        "who": event.who,
        "why": event.why,
    }
    values = {
        "when": event.at,
        "alias": f"{event.model}@{event.alias}",
        "moved": event.version,
        "how": how,
        "gates": then,
        "who": event.who,
        "why": event.why,
    }
    return picked(str(event.id), cells, values, columns)


def facts(pairs: Sequence[tuple[str, Cell]]) -> list[Content]:
    """Return label and value pairs as aligned lines."""
    wide = max(cell_len(label) for label, _value in pairs)
    return [Content.assemble((f"{padded(label, wide)}  ", "$muted"), drawable(value)) for label, value in pairs]


def endpoint_detail(endpoint: Endpoint, steps: Sequence[EndpointEvent] = (), *, now: int) -> Content:
    """Return everything about one endpoint, with its latest steps."""
    state = verdict(endpoint.state)
    said = Content.assemble((state.text, state.style), f"  {safe(told(endpoint.why))}" if endpoint.why else "")
    wanted = endpoint.wanted_version
    serves = _("{model}@{alias} → version {version}").format(
        model=endpoint.model, alias=endpoint.alias, version=endpoint.version or MISSING
    )
    if wanted != endpoint.version:
        serves += " " + _("(the alias names {wanted})").format(wanted=wanted or _("nothing"))
    lines = facts(
        [
            (_("state"), said),
            (_("serves"), serves),
            (_("url"), endpoint.url),
            (
                _("requests"),
                _("{requests} of {rows} rows").format(requests=number(endpoint.requests), rows=number(endpoint.rows)),
            ),
            (_("errors"), counted(endpoint.errors)),
            (_("log"), styled(log_words(endpoint), "$warn") if endpoint.dropped else log_words(endpoint)),
            (
                _("latency"),
                _("p50 {p50_ms} ms   p99 {p99_ms} ms, last 5 min").format(
                    p50_ms=number(endpoint.p50_ms, 2), p99_ms=number(endpoint.p99_ms, 2)
                ),
            ),
            (_("last asked"), age(endpoint.last_at, now)),
            (
                _("process"),
                _("pid {pid}, {restarts} restarts in a row").format(
                    pid=endpoint.pid or MISSING, restarts=endpoint.restarts
                ),
            ),
        ]
    )
    split = [] if endpoint.split is None else [Content(""), *split_lines(endpoint.split, now=now), Content("")]
    return Content("\n").join([*lines[:2], *split, *lines[2:], *rollout_lines(endpoint, steps)])


def rate_series(endpoint: Endpoint) -> list[Series]:
    """Return the requests per second over minutes before now; the span that is still filling is left out."""
    return [Series(_("requests/s"), *over_minutes([*endpoint.per_second[:-1]]))] if any(endpoint.per_second) else []


def latency_series(endpoint: Endpoint) -> list[Series]:
    """Return the latency's quantiles over minutes before now."""
    named = (("p50", endpoint.p50_by_span), ("p99", endpoint.p99_by_span))
    return [Series(name, *over_minutes(values[:-1])) for name, values in named]


def over_minutes(values: list[float | None]) -> tuple[list[float], list[float | None]]:
    """Return the ages of spans in minutes, and their values."""
    return [-(len(values) - place) * SPAN_SECONDS / 60 for place in range(len(values))], values


def version_detail(
    version: ModelVersion,
    gates: Sequence[Gate],
    metrics: Mapping[str, Mapping[str, float | None]],
    *,
    now: int,
    origin: str = "",
    stale: Stale | None = None,
) -> Content:
    """Return everything about one version: where it came from, its gates, and what was measured."""
    lines = facts(
        [
            (_("run"), f"{version.run_id} {version.run_name}"),
            (_("aliases"), alias_cell(version.aliases)),
            ("sha256", f"{version.sha256[:16]}…  {bytes_(version.bytes)}"),
            (_("threshold"), number(version.threshold, 2)),
            *(
                [(_("calibrated"), _("by its {calibration} map").format(calibration=version.calibration))]
                if version.calibration
                else []
            ),
            (_("golden"), _("{golden_rows} rows with recorded answers").format(golden_rows=version.golden_rows)),
            (_("by"), _("{who}, {created_at} ago").format(who=version.who, created_at=age(version.created_at, now))),
            (_("why"), version.why),
            *([(_("from"), origin)] if origin else []),
            *([] if stale is None else stale_facts(stale)),
        ]
    )
    head = Content.assemble("\n", (f"{_('gates')}  ", "$muted"), verdict(version.verdict).content)
    return Content("\n").join([*lines, head, *gate_lines(gates), *metric_lines(metrics)])


def event_detail(event: AliasEvent) -> Content:
    """Return one move of an alias with the evidence it was made on."""
    lines = facts(
        [
            (_("alias"), f"{event.model}@{event.alias}"),
            (_("moved"), f"{event.previous or MISSING} → {event.version or _('nothing')}"),
            (_("how"), _("▲ forced, although the gates did not pass") if event.forced else event.kind),
            (_("when"), when(event.at, seconds=True)),
            (_("who"), event.who),
            (_("why"), event.why),
        ]
    )
    evidence: dict[str, Any] = event.evidence  # Any: JSON of the moment
    if not evidence:
        return Content("\n").join(lines)
    head = Content.assemble("\n", (f"{_('gates then')}  ", "$muted"), verdict(evidence["verdict"]).content)
    gates = [Gate(**gate) for gate in evidence["gates"]]
    return Content("\n").join([*lines, head, *gate_lines(gates), *metric_lines(evidence["metrics"])])


def gate_lines(gates: Sequence[Gate]) -> list[Content]:
    """Return one line a gate: verdict, measure, part, what was observed, and the rule."""
    wide = max((len(gate.metric) for gate in gates), default=0)
    return [
        Content.assemble(
            "  ",
            (verdict(gate.verdict).glyph, verdict(gate.verdict).style),
            f" {safe(gate.metric):<{wide}}  {number(gate.observed)} on {safe(gate.part)}, wanted {safe(gate.rule)}",
            ("" if gate.verdict == "pass" else f"  {gate.verdict}", verdict(gate.verdict).style),
            _(": about {rows_needed:,} rows would decide").format(rows_needed=gate.rows_needed)
            if gate.rows_needed
            else "",
        )
        for gate in gates
    ]


def metric_lines(
    metrics: Mapping[str, Mapping[str, float | None]], present: Mapping[str, Mapping[str, float | None]] | None = None
) -> list[Content]:
    """Return what was measured on each part, one line a measure; with the difference to the present version's."""
    parts = [part for part in ("train", "validation", "test") if part in metrics]
    names = [name for name in METRICS if any(name in metrics[part] for part in parts)]
    if not names:
        return []
    wide = max(map(len, names))
    cells = 11 if present is None else 18
    head = Content.styled(f"\n  {'':<{wide}} " + "".join(f"{part:>{cells}}" for part in parts), "$muted")
    rows = [
        Content(
            f"  {name:<{wide}} "
            + "".join(
                f"{apart(metrics[part].get(name), (present or {}).get(part, {}).get(name)):>{cells}}" for part in parts
            )
        )
        for name in names
    ]
    return [head, *rows]


def apart(value: float | None, present: float | None) -> str:
    """Return a measure, and how far it is from the present version's."""
    if value is None or present is None:
        return number(value)
    digits = 3 if abs(value) < 100 else 0  # a sum of money
    return f"{number(value, digits)} ({'+' if value >= present else ''}{number(float(value - present), digits)})"
