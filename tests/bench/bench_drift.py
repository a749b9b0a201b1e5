"""Drift: false alarms, delay and speed of the verdict, against Evidently, NannyML, alibi-detect and KLL sketches.

Each line is one figure as JSON. False alarms: windows of rows in which nothing drifts (see null_rows.py), judged in
turn against training rows of the same kind; peers by their defaults on the first of the same windows, as many as
`windows` says. Delay: a shift of one of 20 features that stays; and two published streams, SEA (Street and Kim 2001),
whose rows never drift, only what they mean, and LED with drift (Breiman et al. 1984; as in MOA), whose attributes
change places at known rows.
Seasons: hours of traffic with a day and a week in it, against the same hours and against all rows.
Speed: all scores of a million rows against 200,000; `floor` is one sort a column and side, by hand. `--small` takes a
tenth of the windows and of the rows; names of parts (speed sketches streams seasons delays alarms nannyml evidently)
print these alone, and `--peers=evidently,nannyml` times only these beside us.
"""

import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from drifting import features_of, judge_stream, reference_of, tally_of  # noqa: E402
from null_rows import (  # noqa: E402
    CATEGORICAL,
    FEATURES,
    HOUR_MS,
    MONDAY,
    NAMES,
    STICKY,
    WINDOW_SEED,
    hourly,
    null_windows,
    rows_of_hours,
    streamed_windows,
)

from lemnis.engine.features.signature import Feature  # noqa: E402
from lemnis.engine.monitor.drift.calibration import calibrate  # noqa: E402
from lemnis.engine.monitor.drift.freeze import binned, freeze  # noqa: E402
from lemnis.engine.monitor.drift.scores import p_value, scores_of  # noqa: E402
from lemnis.engine.monitor.reference import Reference  # noqa: E402
from lemnis.engine.monitor.seasonal import in_season  # noqa: E402
from lemnis.engine.monitor.tally import count_numbers  # noqa: E402

Numbers = NDArray[np.float64]
SMALL = "--small" in sys.argv
TENTH = 10 if SMALL else 1
WINDOWS, REFERENCE, REFERENCES = 1_000 // TENTH, 100_000, 4
SIZES = (200, 1_000, 5_000, 20_000)
# Of each size, fewer where one takes long.
PEER_WINDOWS = {"nannyml": (200, 200, 200, 50), "evidently": (100, 100, 50, 30)}
ROWS, CURRENT, TURNS = 1_000_000 // TENTH, 200_000 // TENTH, 3
STREAMS = 200 // TENTH
ASKED = next((word.removeprefix("--peers=") for word in sys.argv if word.startswith("--peers=")), "")
TIMED = ASKED.split(",") if ASKED else ("alibi_detect", "datasketches", "evidently", "nannyml")


def say(**figure: object) -> None:
    print(json.dumps(figure), flush=True)


def main() -> int:
    """Print every figure, or those of the named parts."""
    parts = {
        "speed": speed,
        "sketches": sketches,
        "streams": streams,
        "seasons": seasons,
        "delays": delays,
        "alarms": alarms,
        **{tool: partial(peers_alarms, tool) for tool in PEER_WINDOWS},
    }
    named = [name for name in sys.argv[1:] if name in parts]
    for name in named or parts:
        parts[name]()
    return 0


def alarms() -> None:
    """Count the alarms in windows in which nothing drifts."""
    for sticky in (0.0, STICKY):
        references = [
            reference_of(null_windows(1_000 + place, 1, REFERENCE, sticky)[0], CATEGORICAL, NAMES)
            for place in range(REFERENCES)
        ]
        for rows in SIZES:
            false_alarms(references, rows, sticky)


def peers_alarms(tool: str) -> None:
    """Count the windows in which a peer's defaults raise anything, on the first of the same windows."""
    for rows, windows in zip(SIZES, PEER_WINDOWS[tool], strict=True):
        for sticky in (0.0, STICKY):
            trained = max(20_000, 10 * rows)  # NannyML's bounds are of the windows that its reference is cut into
            found = peer(tool, "alarms", trained, rows, windows // TENTH, sticky)
            say(bench="false_alarms", tool=tool, rows=rows, sticky=sticky, reference=trained, **found, of_ours=WINDOWS)


def streams() -> None:
    """Judge the published streams."""
    published("SEA", sea(), [])
    published("LED with drift", *led())


def seasons() -> None:
    """Count the alarms in hours of days and weeks that come back, without drift and 0.3 sd off, by both references."""
    names = ["load", "noise", "channel"]
    for trained in (104, 520):
        moments = hourly(8, trained)
        reference = reference_of(rows_of_hours(moments, 1), [2], names, moments)
        starts = [MONDAY + 70 * 24 * HOUR_MS + hour * HOUR_MS for hour in range(1_680 // TENTH)]
        for shift in (0.0, 0.3):
            windows = [rows_of_hours(np.full(500, start), 9_000 + hour, shift) for hour, start in enumerate(starts)]
            same_hours = judge_stream([in_season(reference, "hour", start) for start in starts], windows)
            for way, judged in (("same hours", same_hours), ("all rows", judge_stream(reference, windows))):
                alarms = [one.window["verdict"] for one in judged].count("drift")
                say(bench="seasons", reference=way, rows_an_hour_trained=8 * trained, rows=500, shift_sd=shift,
                    windows=len(judged), alarms=alarms, rate=alarms / len(judged))  # fmt: skip


def false_alarms(references: list[Reference], rows: int, sticky: float) -> None:
    """Judge WINDOWS null windows, an equal share of them against each of the references."""
    started = time.process_time()
    verdicts: list[str] = []
    told: list[float] = []
    each = WINDOWS // len(references)
    for place, reference in enumerate(references):
        past = min(reference.false_alarms, key=lambda one: abs(math.log(one.rows / rows)))
        told.append(past.alarmed / past.runs)
        windows = streamed_windows(WINDOW_SEED + place, each, rows, sticky)
        verdicts += [str(one.window["verdict"]) for one in judge_stream(reference, windows)]
    alarms, watched = verdicts.count("drift"), verdicts.count("watch")
    say(
        bench="false_alarms",
        tool="lemnis",
        rows=rows,
        sticky=sticky,
        windows=len(verdicts),
        alarms=alarms,
        watched=watched,
        rate=alarms / len(verdicts),
        goal=0.02 if sticky else 0.01,
        told_beforehand=round(statistics.mean(told), 4),
        cpu_s=round(time.process_time() - started, 1),
    )


def delays() -> None:
    """Shift one feature from a window on and count the windows until the verdict is drift."""
    reference = reference_of(null_windows(1, 1, REFERENCE)[0], CATEGORICAL, NAMES)
    for shift in (0.3, 0.15):
        delay(reference, shift)


def delay(reference: Reference, shift: float) -> None:
    """Print the windows until the verdict is drift, over STREAMS streams."""
    found: list[int] = []
    for stream in range(STREAMS):
        windows = [
            *null_windows(2 * stream + 50_000, 2, 1_000),
            *null_windows(2 * stream + 50_001, 20, 1_000, 0, shift),
        ]
        verdicts = [one.window["verdict"] for one in judge_stream(reference, windows)]
        found.append(next((place - 1 for place, verdict in enumerate(verdicts) if verdict == "drift"), 99))
    say(
        bench="delay",
        shift_sd=shift,
        rows=1_000,
        streams=len(found),
        median_windows=statistics.median(found),
        p95_windows=sorted(found)[int(len(found) * 0.95)],
        missed=found.count(99),
    )


def sea() -> Numbers:
    """Return the SEA concepts' rows: four blocks of 12,500, of which the meaning alone changes."""
    return np.random.default_rng(5).uniform(0, 10, (60_000, 3))


SEGMENTS = np.array(
    [
        [1, 1, 1, 0, 1, 1, 1],
        [0, 0, 1, 0, 0, 1, 0],
        [1, 0, 1, 1, 1, 0, 1],
        [1, 0, 1, 1, 0, 1, 1],
        [0, 1, 1, 1, 0, 1, 0],
        [1, 1, 0, 1, 0, 1, 1],
        [1, 1, 0, 1, 1, 1, 1],
        [1, 0, 1, 0, 0, 1, 0],
        [1, 1, 1, 1, 1, 1, 1],
        [1, 1, 1, 1, 0, 1, 1],
    ]
)


def led() -> tuple[Numbers, list[int]]:
    """Return LED digits: 7 segments, each inverted in 10 % of the rows, and 17 attributes that say nothing.

    After 20,000 rows, and every 10,000 from there on, one, three, five and all seven segments have changed places with
    attributes that say nothing.
    """
    chance = np.random.default_rng(6)
    rows = 60_000
    shown = SEGMENTS[chance.integers(0, 10, rows)]
    shown = np.where(chance.random(shown.shape) < 0.1, 1 - shown, shown)
    table = np.column_stack([shown, chance.integers(0, 2, (rows, 17))]).astype(float)
    positions = [20_000, 30_000, 40_000, 50_000]
    for start, swapped in zip(positions, (1, 3, 5, 7), strict=True):
        block = table[start : start + 10_000]
        left, right = list(range(swapped)), list(range(7, 7 + swapped))
        block[:, left + right] = block[:, right + left]
    return table, positions


def published(name: str, table: Numbers, positions: list[int]) -> None:
    """Judge a stream in windows of 1,000 rows, trained on its first 10,000; after each drift it is trained anew."""
    delays: list[int | None] = []
    false = 0
    bounds = [0, *positions, len(table)]
    names = [f"a{place}" for place in range(table.shape[1])]
    for block, start in enumerate(bounds[:-1]):
        reference = reference_of(table[start : start + 8_000], [], names)
        nothing = [table[place : place + 1_000] for place in range(start + 8_000, bounds[block + 1], 1_000)]
        later = table[bounds[block + 1] : bounds[block + 1] + 10_000]
        after = [later[place : place + 1_000] for place in range(0, len(later), 1_000)]
        verdicts = [one.window["verdict"] for one in judge_stream(reference, [*nothing, *after])]
        false += verdicts[: len(nothing)].count("drift")
        if after:
            found = [place + 1 for place, verdict in enumerate(verdicts[len(nothing) :]) if verdict == "drift"]
            delays.append(found[0] if found else None)
    say(
        bench="published",
        stream=name,
        positions=positions,
        delay_windows=delays,
        false_alarms=false,
        rows_a_window=1_000,
    )


def speed() -> None:
    """Time all scores of CURRENT rows against ROWS, in turn with the floor, and once each of the peers."""
    before, after = null_windows(11, 1, ROWS)[0], null_windows(12, 1, CURRENT)[0]
    before, after = np.asfortranarray(before), np.asfortranarray(after)
    features = features_of(before, CATEGORICAL, NAMES)
    ways: dict[str, Callable[[], Any]] = {
        "floor": lambda: [floor(before[:, place], after[:, place], place) for place in range(FEATURES)],
        "lemnis": lambda: all_scores(features, before, after),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(TURNS):
        for name, way in ways.items():
            seconds[name].append(timed(way))
    ratios = [one / two for one, two in zip(seconds["lemnis"], seconds["floor"], strict=True)]
    ours = statistics.median(seconds["lemnis"])
    say(bench="speed", rows=ROWS, current=CURRENT, columns=FEATURES, floor_s=statistics.median(seconds["floor"]),
        lemnis_s=ours, ratio=statistics.median(ratios), goal=1.5)  # fmt: skip
    quarter = timed(lambda: all_scores(features, before[: ROWS // 4], after[: CURRENT // 4]))
    say(bench="linear", quarter_of_the_rows=quarter / ours)
    binnings = binned(before, features, 10)
    shares = dict.fromkeys(NAMES, 1 / FEATURES)
    say(
        bench="calibration",
        rows=len(before[:500_000]),
        seconds=timed(lambda: calibrate(binnings, [before[:500_000]], shares)),
    )
    live = statistics.median(timed(lambda: [scores_of(b, c) for b, c in pairs(binnings, after)]) for _ in range(3))
    counts = {rows: len(msgspec.msgpack.encode(tally_of(binnings, after[:rows]))) for rows in (1_000, CURRENT)}
    say(bench="window", count_and_score_s=live, bytes_of_20_columns=counts)
    for tool in TIMED:
        found = peer(tool, "speed", ROWS, CURRENT)
        say(bench="speed", tool=tool, **found, times_lemnis=found["seconds"] / ours)


def pairs(binnings: list[Any], after: Numbers) -> Any:
    return zip(binnings, tally_of(binnings, after).columns.values(), strict=True)


def all_scores(features: list[Feature], before: Numbers, after: Numbers) -> list[float]:
    """Freeze the reference, count the window, and return every feature's p."""
    found = [scores_of(binning, column) for binning, column in pairs(binned(before, features, 10), after)]
    return [p_value(scores, 1.0) for scores in found]


def floor(before: Numbers, after: Numbers, place: int) -> tuple[float, ...]:
    """Return KS, Wasserstein, PSI and JS of a number, or PSI, JS and chi-square of a category, by hand."""
    if place in CATEGORICAL:
        kinds = int(max(before.max(), after.max())) + 1
        sides = [np.bincount(side.astype(np.int64), minlength=kinds).astype(float) for side in (before, after)]
        total = sides[0] + sides[1]
        n, m = len(before), len(after)
        chi = float((((sides[0] * m - sides[1] * n) ** 2) / np.maximum(total, 1) / (n * m)).sum())
        return (*psi_js(*sides), chi)
    one, two = np.sort(before), np.sort(after)
    right, left = (np.searchsorted(one, two, side) / one.size for side in ("right", "left"))
    own = np.arange(two.size + 1) / two.size
    last, first = np.searchsorted(two, two, "right"), np.searchsorted(two, two, "left")
    ks = max(np.abs(right - own[last]).max(), np.abs(left - own[first]).max())
    places = (np.arange(one.size) * two.size) // one.size
    wasserstein = float(np.abs(one - two[places]).mean())
    edges = np.unique(one[np.linspace(0, one.size - 1, 11).astype(int)][1:-1])
    bins = [np.diff(np.concatenate(([0], np.searchsorted(side, edges), [side.size]))) for side in (one, two)]
    return (float(ks), wasserstein, *psi_js(*bins))


def psi_js(one: Numbers, two: Numbers) -> tuple[float, float]:
    p, q = (np.maximum(side / side.sum(), 1e-6) for side in (one, two))
    m = (p + q) / 2
    return float(((q - p) * np.log(q / p)).sum()), float(np.sqrt((p @ np.log2(p / m) + q @ np.log2(q / m)) / 2))


def sketches() -> None:
    """Compare counts in frozen cells with KLL sketches: error of the KS distance, size, time to take the rows in."""
    from scipy.stats import ks_2samp

    chance = np.random.default_rng(8)
    n, m = ROWS // 5, CURRENT // 5
    columns = {
        "normal_same": (chance.normal(size=n), chance.normal(size=m)),
        "normal_shifted": (chance.normal(size=n), chance.normal(0.2, 1, m)),
        "normal_wider": (chance.normal(size=n), chance.normal(0, 1.3, m)),
        "heavy": (chance.standard_t(1.5, n), chance.standard_t(1.5, m) + 0.1),
        "lognormal": (chance.lognormal(0, 2, n), chance.lognormal(0.1, 2, m)),
        "counts": (chance.poisson(4, n).astype(float), chance.poisson(4.3, m).astype(float)),
        "far_out": (chance.normal(size=n), chance.normal(8, 1, m)),
    }
    exact = {name: float(np.asarray(ks_2samp(*sides, method="asymp"))[0]) for name, sides in columns.items()}
    ours, seconds, size = {}, 0.0, 0
    for name, (before, after) in columns.items():
        started = time.perf_counter()
        feature = Feature(name=name, kind="numeric", low=float(before.min()), high=float(before.max()))
        binning = freeze(feature, before, 10)
        column = count_numbers(binning, after)
        seconds += time.perf_counter() - started
        size = max(size, len(msgspec.msgpack.encode(column)))
        ours[name] = scores_of(binning, column).kolmogorov_smirnov or 0.0
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "columns.npz"
        befores = {f"before_{name}": before for name, (before, _) in columns.items()}
        np.savez(file, **befores, **{f"after_{name}": after for name, (_, after) in columns.items()})
        runs = [peer("datasketches", "sketch", file) for _ in range(5)]
    kll = {name: [abs(run["ks"][name] - exact[name]) for run in runs] for name in columns}
    for name in columns:
        say(bench="sketch", column=name, exact=exact[name], lemnis_error=abs(ours[name] - exact[name]),
            kll_error_worst_of_5=max(kll[name]), kll_error_mean=statistics.mean(kll[name]))  # fmt: skip
    kll_s = statistics.median(run["seconds"] for run in runs)
    same = len({json.dumps(run["ks"]) for run in runs}) == 1
    say(bench="sketch", lemnis_bytes=size, kll_bytes=runs[0]["bytes"], lemnis_s=seconds, kll_s=kll_s, kll_repeats=same)


def timed(way: Callable[[], Any]) -> float:
    started = time.perf_counter()
    way()
    return time.perf_counter() - started


def peer(tool: str, what: str, *numbers: object) -> dict[str, Any]:
    """Ask a peer in its own environment."""
    python = HERE.parents[1] / "build" / "peers" / tool / "bin" / "python"
    done = subprocess.run(
        [python, HERE / "peer_drift.py", tool, what, *map(str, numbers)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{tool}: {done.stderr[-800:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


if __name__ == "__main__":
    sys.exit(main())
