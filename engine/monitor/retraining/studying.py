"""The job `monitor.study`: tries one after another, each kept when it is made, so that a stopped study goes on."""

from typing import TYPE_CHECKING, Any

from lemnis.engine.clock import monotonic_s
from lemnis.engine.config import load_config
from lemnis.engine.experiments.recorder import duration
from lemnis.engine.monitor.retraining import studied
from lemnis.engine.monitor.retraining.growing import Bench

if TYPE_CHECKING:
    from lemnis.engine.jobs.context import JobContext


def study(context: "JobContext", arguments: dict[str, Any]) -> dict[str, Any]:
    """Make the tries of a study that were not made yet. Any: JSON.

    Raises:
        NotFound: There is no such study, or its champion is gone.
        BadInput: The rows or the champion's algorithm do not allow it.
        Cancelled: The job was asked to stop; what was tried is kept.
    """
    store = context.store
    made = studied.find(store, int(arguments["study"]))
    config = load_config(context.workspace.config)
    context.progress(None, "reading the rows")
    bench = Bench(store, (made.model, made.champion_version), config.problem, config.monitor.window)
    done = studied.places_done(store, made.id)
    waiting = [place for place in range(len(made.plan)) if place not in done]
    began = monotonic_s()
    for count, place in enumerate(waiting):
        one = made.plan[place]
        share = (len(made.plan) - len(waiting) + count) / len(made.plan)
        left = f", {duration((monotonic_s() - began) / count * (len(waiting) - count))} left" if count else ""
        says = f"{place + 1} of {len(made.plan)}: {one.name}{left}"
        point = bench.attempt(one, lambda share=share, says=says: context.progress(share, says))
        studied.keep(store, made.id, place, point)
    return {"study": made.id, "points": len(made.plan)}
