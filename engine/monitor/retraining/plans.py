"""What a study tries: windows to learn from, ways to begin, or one retraining for every past month."""

from lemnis.engine.config import Config, parse_age, parse_window
from lemnis.engine.data.versions import Version, find_version
from lemnis.engine.deploy import DeployRoom, ModelVersion
from lemnis.engine.errors import BadInput
from lemnis.engine.experiments import ExperimentsRoom
from lemnis.engine.monitor.kept import list_windows
from lemnis.engine.monitor.retraining.policy import day
from lemnis.engine.monitor.retraining.records import Try
from lemnis.engine.monitor.retraining.splits import judged_windows, learnable_version
from lemnis.engine.monitor.spans import Width, span_of
from lemnis.engine.store import Store

WINDOWS = ("all", "last:180d", "last:90d", "last:30d", "decay:90d", "decay:30d")
MOST_TRIES = 60


def curve(store: Store, endpoint: str, windows: list[str]) -> list[Try]:
    """Return one try for each choice of rows, all judged on the window before the newest labelled one.

    The newest stays unseen, so that it can still judge the challenger of the choice.

    Raises:
        BadInput: A choice means no rows, there are too many, or too few windows have their labels.
    """
    chosen = list(dict.fromkeys(windows or WINDOWS))
    check_many(chosen)
    for window in chosen:
        check_window(window)
    validation, _ = judged_windows(list_windows(store, endpoint))
    return [Try(name=window, window=window, until=validation[0], judged=validation) for window in chosen]


def warm(store: Store, endpoint: str, window: str) -> list[Try]:
    """Return the three ways to begin, judged on the newest labelled window; the one before ends training early.

    Raises:
        BadInput: The choice means no rows, or too few windows have their labels.
    """
    check_window(window)
    validation, test = judged_windows(list_windows(store, endpoint))
    return [
        Try(name=start, window=window, start=start, until=validation[0], judged=test, validated=validation)
        for start in ("full", "continue", "refit")
    ]


def backtest(
    store: Store, champion: ModelVersion, config: Config, *, every: Width, spans: int, window: str
) -> list[Try]:
    """Return one retraining for each whole span that the champion has not seen, from rows whose labels were known then.

    Args:
        store: The workspace's state.
        champion: Stays as it is over all spans.
        config: Says how long labels take.
        every: How often one would have retrained.
        spans: How many of the latest spans.
        window: Which rows each learns from.

    Raises:
        BadInput: The choice means no rows, or no whole span of rows lies behind what the champion has seen.
    """
    check_window(window)
    run = ExperimentsRoom(store).run(champion.run_id)
    signature = DeployRoom(store).signature(champion.model, champion.version)
    data = learnable_version(store, run.version_id, run.id, [*signature.names, signature.target])
    seen = max((p.end for n, p in find_version(store, run.version_id).split.items() if n != "test"), default=0)
    newest = newest_labelled(data)
    delay = parse_age(config.dataset.label_delay or "0h")
    tries: list[Try] = []
    span = span_of(seen, every)
    if span[0] < seen:
        span = span_of(span[1], every)
    while span[1] <= newest + 1 or (span[0] <= newest and newest > span[1] - (span[1] - span[0]) // 20):
        tries.append(
            Try(name=day(span[0])[: 7 if every == "month" else 10], window=window, until=span[0] - delay, judged=span)
        )
        span = span_of(span[1], every)
    if not tries:
        raise BadInput(
            f"No whole {every} of labelled rows lies behind {day(seen)[:10]}, until when "
            f"{champion.model} v{champion.version} has learnt.",
            "Link newer rows, or choose shorter spans: --every week.",
        )
    chosen = tries[-spans:] if spans else tries
    check_many([one.name for one in chosen])
    return chosen


def newest_labelled(data: Version) -> int:
    """Return the time of the newest row that has a label, epoch ms; 0 for none."""
    import pyarrow.compute as pc

    from lemnis.engine.data.duck import read_table
    from lemnis.engine.experiments.predictions import row_times

    table = read_table(data, [name for name in (data.time, data.label) if name])
    if data.label:
        table = table.filter(pc.is_valid(table.column(data.label)))
    times = row_times(data, table)
    return int(times.max()) if times is not None and times.size else 0


def check_window(text: str) -> None:
    """Refuse a choice of rows that means none."""
    try:
        parse_window(text)
    except ValueError as error:
        raise BadInput(f"{error}.", "Write for example --window last:90d.", "--window") from None


def check_many(names: list[str]) -> None:
    """Refuse more tries than anybody reads."""
    if len(names) > MOST_TRIES:
        raise BadInput(f"{len(names)} trainings in one study are too many; {MOST_TRIES} may be.", "Choose fewer.")
