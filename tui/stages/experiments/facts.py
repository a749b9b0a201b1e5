"""One run in full: its facts in groups, and its curves as lines of a chart. Pure."""

from collections.abc import Mapping

from textual.content import Content

from lemnis.engine.experiments import Curve, Run
from lemnis.engine.experiments.algorithms import ALGORITHMS
from lemnis.engine.experiments.compare import metric_place
from lemnis.tui.format import MISSING, bytes_, delta, duration, number, verdict, when
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.stages.experiments.rows import BASELINE, delta_words, digits_of
from lemnis.tui.widgets import Cell, Series

Facts = list[tuple[str, Cell]]


def headline(run: Run) -> Content:
    """Return state and reason in one line."""
    words = told(run.progress_text) if run.state == "running" and run.progress_text else told(run.why)
    return Content.assemble(verdict(run.state).content, "  ", (words if words != run.state else "", "$muted"))


def summary(run: Run, baseline: Run | None, now_ms: int, origin: str = "") -> Facts:
    """Return what is said of the run under the cursor beside its curve."""
    measured = [(name, metric_cell(run, name, baseline)) for name in ordered_metrics(run) if name != "peak_memory_mib"]
    if run.uid is not None:
        return [(_("state"), headline(run)), *measured, (_("took"), duration(run.duration_s(now_ms))), *logged(run)]
    return [
        (_("state"), headline(run)),
        *measured,
        (
            _("best round"),
            _("{best_round} of {rounds}").format(best_round=number(run.best_round), rounds=number(run.rounds)),
        ),
        (_("took"), duration(run.duration_s(now_ms))),
        (_("data"), f"{run.data_version}  {(run.version_id or '')[:8]}"),
        (
            _("features"),
            _("{set_reference}, {features} columns").format(
                set_reference=run.set_reference or _("own"), features=len(run.features)
            ),
        ),
        (_("algorithm"), run.algorithm),
        *[(key, value) for key, value in sorted(run.params.items())],
        (_("seed"), number(run.seed)),
        (_("device"), run.device or _("{device_asked} asked").format(device_asked=run.device_asked)),
        *([(_("executor"), executor_words(run))] if run.executor != "local" else []),
        *((_("lost"), str(what)) for what in run.cluster.get("events", ())),
        (_("code"), code_words(run)),
        *[(_("tag {key}").format(key=key), value or "✓") for key, value in run.tags.items()],
        *([(_("note"), run.note)] if run.note else []),
        *([(_("from"), origin)] if origin else []),
    ]


def logged(run: Run) -> Facts:
    """Return what a client has said of a run that it logged."""
    return [
        (_("experiment"), run.experiment),
        (_("logged by"), run.user),
        *sorted(run.params.items()),
        *[(_("tag {key}").format(key=key), value or "✓") for key, value in run.tags.items()],
        *([(_("note"), run.note)] if run.note else []),
        (_("MLflow id"), run.uid or ""),
    ]


def groups(run: Run, baseline: Run | None, now_ms: int, origin: str = "") -> list[tuple[str, Facts]]:
    """Return everything that is on record of a run, in groups with a title."""
    machine = run.machine
    if run.uid is not None:
        measured = [(name, metric_cell(run, name, baseline)) for name in ordered_metrics(run)]
        facts: Facts = [
            (_("state"), headline(run)),
            (_("created"), when(run.created_at, seconds=True)),
            (_("took"), duration(run.duration_s(now_ms))),
            *([(_("cores"), f"{run.cores:g}"), (_("memory"), bytes_(run.memory_bytes))] if run.job_id else []),
            *([(_("code"), code_words(run)), (_("host"), str(machine.get("host", "")))] if run.job_id else []),
        ]
        return [(_("Run"), facts), (_("Metrics"), measured or [(_("none yet"), "")]), (_("Logged"), logged(run))]
    return [
        (
            _("Run"),
            [
                (_("state"), headline(run)),
                (_("started by"), run.user),
                *([(_("from"), origin)] if origin else []),
                (_("created"), when(run.created_at, seconds=True)),
                (_("took"), duration(run.duration_s(now_ms))),
                (
                    _("rounds"),
                    _("{rounds_done} of {rounds}, best {best_round}").format(
                        rounds_done=number(run.rounds_done),
                        rounds=number(run.rounds),
                        best_round=number(run.best_round),
                    ),
                ),
                *([(_("group"), run.group_name)] if run.group_name else []),
                *(
                    [(_("reproduces"), _("run {reproduces}").format(reproduces=run.reproduces))]
                    if run.reproduces
                    else []
                ),
                (_("note"), run.note),
                (_("tags"), ", ".join(f"{key}={value}" if value else key for key, value in run.tags.items())),
            ],
        ),
        (
            _("Metrics"),
            [(name, metric_cell(run, name, baseline)) for name in ordered_metrics(run)] or [(_("none yet"), "")],
        ),
        (
            _("Parameters"),
            [(_("preset"), run.preset), (_("algorithm"), algorithm_words(run)), *sorted(run.params.items())],
        ),
        (
            _("Data"),
            [
                (_("version"), f"{run.data_version}  {(run.version_id or '')[:12]}"),
                (_("target"), f"{run.target} ({run.task})"),
                (
                    _("feature set"),
                    _("{set_reference}, {features} features").format(
                        set_reference=run.set_reference or _("own"), features=len(run.features)
                    ),
                ),
                (_("features"), ", ".join(run.features)),
                (_("problem"), run.problem_sha256[:12]),
            ],
        ),
        (
            _("Conditions"),
            [
                (_("seed"), number(run.seed)),
                (
                    _("device"),
                    _("{device} ({device_asked} asked)").format(device=run.device, device_asked=run.device_asked)
                    if run.device
                    else _("{device_asked} asked").format(device_asked=run.device_asked),
                ),
                (_("executor"), executor_words(run)),
                *cluster_facts(run),
                (_("cores"), f"{run.cores:g}" + (f" {_('of each worker')}" if run.executor != "local" else "")),
                *([(_("GPU share"), f"{run.gpu:g}")] if run.gpu else []),
                (_("code"), code_words(run)),
                (_("host"), str(machine.get("host", ""))),
                (
                    _("processor"),
                    _("{machine}, {machine2} cores").format(
                        machine=machine.get("processor", ""), machine2=machine.get("cores", MISSING)
                    ),
                ),
                (_("memory"), bytes_(machine.get("memory_bytes"))),
                (_("libraries"), ", ".join(f"{name} {version}" for name, version in run.libraries.items())),
                (_("model"), (run.model_sha256 or "")[:16]),
            ],
        ),
    ]


def executor_words(run: Run) -> str:
    """Return where a run trains: here, on a worker of the cluster, or on several together."""
    if run.executor == "local":
        return _("local")
    workers = len(run.cluster.get("workers", ()))
    all_of_them = _("all workers together") if not workers else _("{workers} workers together").format(workers=workers)
    how = _("one worker") if not run.spread or workers == 1 else all_of_them
    return _("{executor}: {how} of {cluster}").format(
        executor=run.executor, how=how, cluster=run.cluster.get("scheduler", "the cluster")
    )


def cluster_facts(run: Run) -> Facts:
    """Return what is on record of a run's workers; none of one that trained here."""
    found = run.cluster
    held = ", ".join(f"{name} {much:g}" for name, much in found.get("resources", {}).items())
    facts: list[tuple[str, str]] = [
        (_("workers"), ", ".join(found.get("workers", ()))),
        (_("held of each"), held),
        (_("LightGBM's network"), ", ".join(found.get("machines", ()))),
        *((_("lost"), str(what)) for what in found.get("events", ())),
    ]
    return [(name, text) for name, text in facts if text]


def algorithm_words(run: Run) -> str:
    """Return how the run learns, by name and in words."""
    known = ALGORITHMS.get(run.algorithm)
    return f"{run.algorithm}: {known.words}" if known else run.algorithm


def ordered_metrics(run: Run) -> list[str]:
    """Return the names of a run's metrics: validation, training, costs."""
    return sorted(run.metrics, key=metric_place)


def metric_cell(run: Run, name: str, baseline: Run | None) -> Cell:
    """Return a metric's value with its distance to the baseline."""
    value = run.metrics.get(name)
    shown = Content(number(value, digits_of(name)))
    reference = baseline.metrics.get(name) if baseline is not None and baseline.id != run.id else None
    if value is None or reference is None or delta(value - reference, digits_of(name)) == "±0":
        return shown
    return Content.assemble(shown, "  ", delta_words(value - reference, name))


def code_words(run: Run) -> str:
    """Return the code version, and in words that the tree was changed."""
    if not run.code_version:
        return _("not in a git repository")
    return f"""{run.code_version[:12]}{(f" {_('with changes')}" if run.code_version.endswith("+") else "")}"""


def metrics_drawn(curves: Mapping[str, Curve]) -> list[str]:
    """Return the metrics that can be drawn, without the training rows' own."""
    names = {name.removeprefix("train_") for name in curves}
    return sorted(names, key=metric_place)


def curve_lines(
    metric: str, run: Run, curves: Mapping[str, Curve], baseline: Run | None, base_curves: Mapping[str, Curve]
) -> list[Series]:
    """Return the lines of one metric: validation, training, the baseline's validation, and the best round as a dot."""
    lines: list[Series] = []
    for name, key in ((metric, metric), (_("train {metric}").format(metric=metric), f"train_{metric}")):
        if curves.get(key):
            lines.append(line(name, curves[key]))
    if baseline is not None and baseline.id != run.id and base_curves.get(metric):
        lines.append(line(f"{BASELINE} #{baseline.id} {metric}", base_curves[metric]))
    best = dict(curves.get(metric, ())).get(run.best_round or 0)
    if best is not None and run.best_round is not None:
        lines.append(
            Series(
                _("best round {best_round}").format(best_round=run.best_round), [run.best_round], [best], points=True
            )
        )
    return lines


def line(name: str, curve: Curve) -> Series:
    """Return a curve as a line of a chart."""
    return Series(name, [step for step, _ in curve], [value for _, value in curve])


def curve_title(run: Run, metric: str) -> tuple[str, str]:
    """Return the title of the curve's panel and what stands muted behind it."""
    return metric or _("Curve"), f"#{run.id} {run.name}"


def explained(name: str) -> tuple[str, str] | None:
    """Return what `K` says of a column."""
    family, _rest, key = name.partition(".")
    texts = {
        "state": _("A run is queued, preparing, running, finished, failed, cancelled or lost. Lost: its process died."),
        "algorithm": f"{_('How it learns:')}\n" + "\n".join(f"{one.name}: {one.words}." for one in ALGORITHMS.values()),
        "group": _("What was started together, such as all runs of a grid. Ask: group = 'grid 1'"),
        "best_round": _("The round with the best validation metric. With early stopping the model is cut there."),
        "duration": _("From its start to its end, or until now."),
        "id": _("The run's number; `lemnis runs show` takes it, and so does the address run/NUMBER."),
        "name": _("Its preset, or the name it was given. Bare words of a query are looked for in it."),
        "age": _("Time since it was made. Ask: age < 3d"),
        "data": _("The dataset version it was trained on. Ask: data = 'flights v2'"),
        "preset": _("The preset of lemnis.toml it was started from."),
        "tags": _(
            "Tags that were set by key {experiments.tag}, by a command, or by an MLflow client. Ask: tag:baseline"
        ),
        "note": _("What somebody noted with key {experiments.note}."),
        "device": _("Where it trained: cpu, gpu (OpenCL) or cuda."),
        "user": _("Who started it."),
        "seed": _("The random seed: the same one, data and code give the same model."),
    }
    if family == "metrics":
        rows_ = _("a sample of the training rows") if key.startswith("train_") else _("the validation rows")
        return key, _("{key}, measured on {rows} of the run's data version.\nAsk: {name} > 0.8").format(
            key=key, rows=rows_, name=name
        )
    if family == "delta":
        return f"Δ {key}", _("This run's {key} minus the baseline's. {{experiments.pin}} pins the baseline.").format(
            key=key
        )
    if family == "params":
        return key, _("The parameter {key}, as the preset or an override gave it.\nAsk: {name} = 31").format(
            key=key, name=name
        )
    return (name, texts[name]) if name in texts else None
