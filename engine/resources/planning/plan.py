"""The plan: from expected rows, columns and cadence to memory, time, storage, serving and cost. Pure."""

import math
from collections.abc import Mapping, Sequence

from msgspec import Struct

from lemnis.engine.config import CADENCES, Pool
from lemnis.engine.resources.accounting.prices import GB, HOUR_S, Amount, cost_of, drawn_kwh
from lemnis.engine.resources.planning.records import Law, Measured, Sizes, Span, Trial

MONTH_H = 730.5
MONTH_MS = MONTH_H * 3_600_000
DAY_S = 86_400
FULL = 0.7  # of a core's time may go to answers: above it waiting grows without bound (M/M/1)
NEITHER = 0.15  # a size on disk per cell differs by this much between versions at least


class Asked(Struct, frozen=True, kw_only=True):
    """What is expected, complete: every 0 of the declaration is filled in.

    Attributes:
        preset: The preset whose rounds, leaves and cores are asked about.
        known: Where rows and columns come from, for people.
        version_cells: Rows times columns of a dataset version, with what is held out and what is no feature.
    """

    sizes: Sizes
    preset: str
    known: str
    version_cells: int
    cadence: str = ""
    versions_kept: int = 12
    predictions_per_day: int = 0
    peak_per_s: float = 0.0

    @property
    def trainings_a_month(self) -> float:
        """How many trainings a month there are by the cadence; 0 for one that is trained once."""
        return MONTH_MS / CADENCES[self.cadence] if self.cadence else 0.0

    @property
    def peak(self) -> float:
        """Rows a second at the busiest."""
        return self.peak_per_s or self.predictions_per_day / DAY_S


class Grounds(Struct, frozen=True, kw_only=True):
    """What this machine and workspace have measured.

    Attributes:
        trainings: By device.
        cell_bytes: On disk, of each dataset version's rows times columns, the newest first.
        run_bytes: What a run leaves on disk; None where there is none.
        prediction_bytes: What one logged prediction takes; None where there is none.
        core_us: Time of a core for one row over HTTP, of each load test; the newest first.
        predict_ms: Time of the model alone for one row, of runs that measured it; the newest first.
    """

    trainings: Mapping[str, Sequence[Measured]]
    cell_bytes: Sequence[float] = ()
    run_bytes: float | None = None
    prediction_bytes: float | None = None
    core_us: Sequence[float] = ()
    predict_ms: Sequence[float] = ()


class Holds(Struct, frozen=True, kw_only=True):
    """What there is to hold it: the pool in force, the free disk, the machine's cores, and the prices."""

    cores: float
    memory_bytes: int
    disk_free_bytes: int | None
    machine_cores: float
    prices: Pool
    currency: str = "USD"


class DevicePlan(Struct, frozen=True, kw_only=True):
    """What a training takes on one device; None where nothing on it was measured.

    Attributes:
        count: Trainings the estimate rests on.
        seconds, peak_bytes: With the interval that 80 % of such trainings lie in.
        seconds_trial, memory_trial: Leave-one-out back-test of the two.
        beyond: Sizes outside of what was measured, each with how many times.
        cost: Of one training by the declared prices; None without prices.
        why: What the estimate rests on, or why there is none.
    """

    device: str
    count: int
    seconds: Span | None = None
    peak_bytes: Span | None = None
    seconds_trial: Trial | None = None
    memory_trial: Trial | None = None
    beyond: dict[str, float] = {}
    cost: Span | None = None
    why: str


class StoragePlan(Struct, frozen=True, kw_only=True):
    """What lies on disk: dataset versions that are kept, and what a month of runs and predictions adds."""

    version_bytes: Span | None
    kept_bytes: Span | None
    month_bytes: float | None
    why: str


class ServingPlan(Struct, frozen=True, kw_only=True):
    """What answering takes: rows a second that one core answers, and cores for the peak."""

    wanted_per_s: float
    per_core_s: Span | None
    cores: Span | None
    why: str


class Plan(Struct, frozen=True, kw_only=True):
    """The answer to "what infrastructure does this need?".

    Attributes:
        month_cost: Of trainings by the cadence on the cheapest device that was measured, and of serving; None without
            prices or anything to pay for.
        problems: What does not fit into what there is, one sentence each.
    """

    asked: Asked
    devices: list[DevicePlan]
    storage: StoragePlan
    serving: ServingPlan
    currency: str
    month_cost: Span | None
    problems: list[str]


def plan_of(asked: Asked, grounds: Grounds, holds: Holds) -> Plan:
    """Return what an expected volume needs, by what was measured."""
    devices = [device_plan(name, grounds.trainings[name], asked.sizes, holds) for name in sorted(grounds.trainings)]
    if not devices:
        devices = [DevicePlan(device="cpu", count=0, why="no training was measured on this machine yet")]
    storage, serving = storage_plan(asked, grounds), serving_plan(asked, grounds)
    return Plan(
        asked=asked,
        devices=devices,
        storage=storage,
        serving=serving,
        currency=holds.currency,
        month_cost=month_cost(asked, devices, serving, holds),
        problems=[*training_problems(asked, devices, holds), *other_problems(storage, serving, holds)],
    )


def device_plan(device: str, trainings: Sequence[Measured], sizes: Sizes, holds: Holds) -> DevicePlan:
    """Return what a training takes on a device."""
    from lemnis.engine.resources.planning.law import estimate, fitted_law, outside

    if not trainings:
        return DevicePlan(device=device, count=0, why="no training was measured on it yet")
    time, memory = fitted_law(trainings, "seconds"), fitted_law(trainings, "peak_bytes")
    seconds, peak = estimate(time, sizes), estimate(memory, sizes)
    costs = [
        training_cost(duration, bytes_, sizes.cores, holds, gpu=device != "cpu")
        for duration, bytes_ in zip(parts(seconds), parts(peak), strict=True)
    ]
    return DevicePlan(
        device=device,
        count=len(trainings),
        seconds=seconds,
        peak_bytes=peak,
        seconds_trial=time.trial,
        memory_trial=memory.trial,
        beyond={name: math.exp(far) for name, far in outside(time, sizes).items()},
        cost=None if costs[1] is None else Span(low=costs[0] or 0.0, likely=costs[1], high=costs[2] or 0.0),
        why=grounds_words(time, sizes),
    )


def training_cost(seconds: float, peak_bytes: float, cores: float, holds: Holds, *, gpu: bool) -> float | None:
    """Return what a training costs that holds its cores, memory and device all the time."""
    hours = seconds / HOUR_S
    kwh = drawn_kwh(holds.prices, busy_core_s=cores * seconds, held_core_s=cores * seconds, cores=holds.machine_cores)
    amount = Amount(
        core_hours=cores * hours, gb_hours=peak_bytes / GB * hours, gpu_hours=hours if gpu else 0.0, kwh=kwh
    )
    return cost_of(amount, holds.prices)


def grounds_words(law: Law, sizes: Sizes) -> str:
    """Return what an estimate rests on, for people."""
    from lemnis.engine.resources.planning.law import FEWEST, SURE, outside

    said = [f"{law.count} training{'s' if law.count != 1 else ''} measured here"]
    if law.count < FEWEST:
        said.append(f"too few to promise {SURE:.0%}: the interval is a guess until there are {FEWEST}")
    far = [
        f"{math.exp(away):.1f}× {'beyond' if getattr(sizes, name) > getattr(law.most, name) else 'below'} the {name}"
        for name, away in outside(law, sizes).items()
    ]
    if far:
        said.append(f"asked is {', '.join(far)} of them: the interval is wider")
    return "; ".join(said)


def storage_plan(asked: Asked, grounds: Grounds) -> StoragePlan:
    """Return what the versions, runs and predictions take on disk."""
    monthly = [
        None if grounds.run_bytes is None else grounds.run_bytes * asked.trainings_a_month,
        None if grounds.prediction_bytes is None else grounds.prediction_bytes * asked.predictions_per_day * 30.4,
    ]
    added = [part for part in monthly if part]
    month = sum(added) if added else None
    if not grounds.cell_bytes:
        return StoragePlan(version_bytes=None, kept_bytes=None, month_bytes=month, why="there is no version to go by")
    cells = asked.version_cells
    newest, least, most = grounds.cell_bytes[0], min(grounds.cell_bytes), max(grounds.cell_bytes)
    version = Span(
        low=cells * min(least, newest * (1 - NEITHER)),
        likely=cells * newest,
        high=cells * max(most, newest * (1 + NEITHER)),
    )
    count = len(grounds.cell_bytes)
    why = f"{newest:.2f} bytes a cell in the newest of {count} version{'s' if count != 1 else ''}"
    return StoragePlan(version_bytes=version, kept_bytes=version.times(asked.versions_kept), month_bytes=month, why=why)


def serving_plan(asked: Asked, grounds: Grounds) -> ServingPlan:
    """Return how many rows a core answers in a second and how many cores the peak needs."""
    if grounds.core_us:
        rates = sorted(1e6 / each for each in grounds.core_us)
        count = len(rates)
        why = f"{count} measurement{'s' if count != 1 else ''} of load tests over HTTP, one row a request"
    elif grounds.predict_ms:
        rates = sorted(1e3 / each for each in grounds.predict_ms)
        why = f"the model alone in {len(rates)} runs, without HTTP: lemnis endpoints load measures all of it"
    else:
        nothing = "nothing was measured: lemnis endpoints load does"
        return ServingPlan(wanted_per_s=asked.peak, per_core_s=None, cores=None, why=nothing)
    likely = rates[len(rates) // 2]
    per_core = Span(
        low=min(rates[0], likely * (1 - NEITHER)), likely=likely, high=max(rates[-1], likely * (1 + NEITHER))
    )
    cores = None
    if asked.peak:
        low, middle, high = (asked.peak / each / FULL for each in (per_core.high, per_core.likely, per_core.low))
        cores = Span(low=low, likely=middle, high=high)
    return ServingPlan(wanted_per_s=asked.peak, per_core_s=per_core, cores=cores, why=why)


def month_cost(asked: Asked, devices: Sequence[DevicePlan], serving: ServingPlan, holds: Holds) -> Span | None:
    """Return what a month of trainings and of serving costs."""
    spans: list[Span] = []
    costs = [device.cost for device in devices if device.cost is not None]
    if costs and asked.trainings_a_month:
        spans.append(min(costs, key=lambda cost: cost.likely).times(asked.trainings_a_month))
    if serving.cores is not None and (hour := core_hour_cost(holds)) is not None:
        spans.append(serving.cores.times(MONTH_H * hour))
    if not spans:
        return None
    low, likely, high = (sum(getattr(span, end) for span in spans) for end in ("low", "likely", "high"))
    return Span(low=low, likely=likely, high=high)


def core_hour_cost(holds: Holds) -> float | None:
    """Return what an hour of one busy core costs, its energy included."""
    kwh = drawn_kwh(holds.prices, busy_core_s=HOUR_S, held_core_s=HOUR_S, cores=holds.machine_cores)
    return cost_of(Amount(core_hours=1.0, kwh=kwh), holds.prices)


def training_problems(asked: Asked, devices: Sequence[DevicePlan], holds: Holds) -> list[str]:
    """Return what of the trainings does not fit into the pool, or into the time between two of them."""
    said: list[str] = []
    if asked.sizes.cores > holds.cores:
        said.append(f"preset {asked.preset} asks for {asked.sizes.cores:g} cores, the pool has {holds.cores:g}")
    for device in devices:
        if device.peak_bytes is None or device.seconds is None:
            continue
        if device.peak_bytes.high > holds.memory_bytes:
            surely = "needs" if device.peak_bytes.low > holds.memory_bytes else "may need"
            said.append(
                f"a training on {device.device} {surely} {gib(device.peak_bytes.high)} of memory, "
                f"the pool has {gib(holds.memory_bytes)}"
            )
        if asked.cadence and device.seconds.high * 1000 > CADENCES[asked.cadence]:
            said.append(f"a training on {device.device} may not end before the next is due ({asked.cadence})")
    return said


def other_problems(storage: StoragePlan, serving: ServingPlan, holds: Holds) -> list[str]:
    """Return what does not fit on the disk or into the cores."""
    said: list[str] = []
    free = holds.disk_free_bytes
    if storage.kept_bytes is not None and free is not None and storage.kept_bytes.high > free:
        said.append(f"the kept versions may take {gib(storage.kept_bytes.high)}, {gib(free)} of the disk are free")
    if serving.cores is not None and serving.cores.high > holds.machine_cores:
        said.append(
            f"the peak may need {serving.cores.high:.1f} cores to answer, the machine has {holds.machine_cores:g}"
        )
    return said


def parts(span: Span) -> tuple[float, float, float]:
    """Return the three figures of a span."""
    return span.low, span.likely, span.high


def gib(value: float) -> str:
    """Return a size in GiB: ``1.5 GiB``."""
    return f"{value / 2**30:.1f} GiB"
