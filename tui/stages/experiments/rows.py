"""Runs as table rows: columns that fit what is shown, and a cell for each. Pure."""

from collections.abc import Sequence
from typing import Any

from textual.content import Content

from lemnis.engine.experiments import Run
from lemnis.engine.experiments.compare import COSTS, SYSTEM, larger_is_better, metric_place
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, age, delta, duration, number, share, styled, verdict, when
from lemnis.tui.widgets import Cell, Col, Row

DIGITS = 4
BASELINE = "★"
CONDITIONS = ("algorithm", "preset", "data", "seed", "device", "features", "user")


def main_metrics(runs: Sequence[Run], most: int = 2) -> list[str]:
    """Return the metrics that judge these runs: those of the validation rows, the most common first."""
    counts: dict[str, int] = {}
    for run in runs:
        for name in run.metrics:
            if not name.startswith(("train_", SYSTEM)) and name not in COSTS:
                counts[name] = counts.get(name, 0) + 1
    return sorted(counts, key=lambda name: (-counts[name], metric_place(name)))[:most]


def differing(runs: Sequence[Run]) -> list[str]:
    """Return the algorithm, parameters and conditions in which runs are not all alike, as column names."""
    found = [f"params.{key}" for key in parameters(runs) if len({run.params.get(key) for run in runs}) > 1]
    others = [name for name in CONDITIONS if len({plain_value(run, name) for run in runs}) > 1]
    return [*others[:1], *found, *others[1:]] if others[:1] == ["algorithm"] else found + others


def everything(runs: Sequence[Run]) -> list[str]:
    """Return every parameter and condition as a column name."""
    return [f"params.{key}" for key in parameters(runs)] + list(CONDITIONS)


def parameters(runs: Sequence[Run]) -> list[str]:
    """Return the names of all parameters, those that most runs give first."""
    counts: dict[str, int] = {}
    for run in runs:
        for key in run.params:
            counts[key] = counts.get(key, 0) + 1
    return sorted(counts, key=lambda key: (-counts[key], key))


LABELS = {"id": "#", "duration": "took", "best_round": "best"}
PLAIN = ("state", "id", "name", "best_round", "rounds", "duration", "age", "created", *CONDITIONS)
MORE = ("task", "target", "version", "code", "note", "why", "reproduces", "group")


def possible(runs: Sequence[Run]) -> list[str]:
    """Return every column that these runs could have, what judges them first."""
    metrics = sorted({name for run in runs for name in run.metrics}, key=metric_place)
    tags = sorted({name for run in runs for name in run.tags})
    named = [f"metrics.{name}" for name in metrics] + [f"params.{name}" for name in parameters(runs)]
    return [*PLAIN, *named, *(f"tags.{name}" for name in tags), *MORE]


def column_of(name: str, *, narrow: bool) -> Col:
    """Return one column as it is drawn."""
    family, _, key = name.partition(".")
    if family in ("metrics", "params", "tags") and key:
        return Col(name, key, right=family != "tags", most=24, data=True)
    if name == "state":
        return Col(name, width=13)
    if name == "name":
        return Col(name, most=18 if narrow else 32)
    numeric = ("id", "best_round", "rounds", "duration", "age", "seed", "reproduces")
    return Col(name, LABELS.get(name, name), right=name in numeric, most=32)


def chosen_columns(names: Sequence[str], *, narrow: bool) -> list[Col]:
    """Return the columns a person chose."""
    return [column_of(name, narrow=narrow) for name in dict.fromkeys(names)]


def columns_for(runs: Sequence[Run], *, baseline: Run | None, only_different: bool, narrow: bool) -> list[Col]:
    """Return the columns of these runs: what they are, how good, how long, then how they differ."""
    metrics = main_metrics(runs)
    columns = [Col("state", width=13), Col("id", "#", right=True), Col("name", most=18 if narrow else 32)]
    for place, name in enumerate(metrics):
        columns.append(Col(f"metrics.{name}", name, right=True, data=True))
        if baseline is not None and (place == 0 or not narrow):
            columns.append(Col(f"delta.{name}", f"Δ {name}" if not narrow else "Δ", right=True))
    columns += [Col("best_round", "best", right=True)] if not narrow else []
    columns.append(Col("duration", "took", right=True))
    columns += [Col("age", right=True)] if not narrow else []
    for name in differing(runs) if only_different else everything(runs):
        label = name.removeprefix("params.")
        columns.append(Col(name, label, right=name.startswith("params."), most=24, data="." in name))
    return columns


def run_row(run: Run, columns: Sequence[Col], *, baseline: Run | None, now_ms: int) -> Row:
    """Return a run as a row of these columns."""
    cells = [cell_of(run, column.name, baseline, now_ms) for column in columns]
    return Row(str(run.id), [cell for cell, _ in cells], [value for _, value in cells])


# Any: a raw value to sort by, number, text or None.
def cell_of(run: Run, name: str, baseline: Run | None, now_ms: int) -> tuple[Cell, Any]:
    """Return what a run shows in a column, and what it is sorted by."""
    family, _, key = name.partition(".")
    if family == "metrics":
        value = run.metrics.get(key)
        return number(value, digits_of(key)), value
    if family == "delta":
        return delta_cell(run, key, baseline)
    if family == "tags" and key:
        tag = run.tags.get(key)
        return (MISSING if tag is None else tag or "✓"), tag
    if family == "params":
        text = run.params.get(key)
        return text or MISSING, sortable(text)
    match name:
        case "state":
            return state_cell(run), run.state
        case "id":
            return str(run.id), run.id
        case "name":
            return name_cell(run), run.name
        case "best_round":
            return number(run.best_round), run.best_round
        case "rounds":
            return number(run.rounds_done), run.rounds_done
        case "created":
            return when(run.created_at), run.created_at
        case "duration":
            seconds = run.duration_s(now_ms)
            return duration(seconds), seconds
        case "age":
            return age(run.created_at, now_ms), now_ms - run.created_at
        case _:
            value = plain_value(run, name)
            return str(value) if value not in (None, "") else MISSING, value


def state_cell(run: Run) -> Content:
    """Return a state as glyph and word, with the share done while it trains."""
    judged = verdict(run.state)
    if run.state == "running" and run.progress:
        return judged.content + styled(f" {share(run.progress, 0)}", "$busy")
    return judged.content


def name_cell(run: Run) -> Content:
    """Return a name, the baseline's with its star, a reproduction's with its verdict."""
    name = Content(safe(run.name, limit=80))
    if run.pinned:
        name = Content.styled(f"{BASELINE} ", "$stage-accent") + name
    same = run.tags.get("reproduction")
    return name + styled(f" ={run.reproduces} {same}", "$ok" if same == "identical" else "$warn") if same else name


def delta_cell(run: Run, metric: str, baseline: Run | None) -> tuple[Cell, float | None]:
    """Return the distance to the baseline's metric, signed and, where better has a direction, coloured."""
    value, reference = run.metrics.get(metric), baseline.metrics.get(metric) if baseline else None
    if baseline is None or run.id == baseline.id or value is None or reference is None:
        return MISSING, None
    return delta_words(value - reference, metric), value - reference


def delta_words(difference: float, metric: str) -> Content:
    """Return a difference with its sign, green where it is better and red where it is worse."""
    larger = larger_is_better(metric)
    text = delta(difference, digits_of(metric))
    if larger is None or text == "±0":
        return styled(text, "$muted")
    return styled(text, "$ok" if (difference > 0) == larger else "$bad")


def digits_of(metric: str) -> int:
    """Return how many decimals a metric is worth."""
    return 1 if metric in COSTS else DIGITS


def plain_value(run: Run, name: str) -> str | int | None:
    """Return a condition of a run as text or number."""
    match name:
        case "preset":
            return run.preset
        case "group":
            return run.group_name
        case "data":
            return run.data_version
        case "seed":
            return run.seed
        case "device":
            return run.device or run.device_asked
        case "features":
            return f"{run.feature_set or 'own'} ({len(run.features)})"
        case "version":
            return (run.version_id or "")[:12]
        case "code":
            return run.code_version[:12]
        case "note":
            return run.note.strip().partition("\n")[0]
        case "algorithm" | "user" | "task" | "target" | "why" | "reproduces":
            return getattr(run, name)
        case _:
            return None


def sortable(text: str | None) -> float | str | None:
    """Return a parameter as the number it is, else as text."""
    try:
        return float(text) if text is not None else None
    except ValueError:
        return text
