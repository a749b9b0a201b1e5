"""Which function does which kind of job; named by text, so that the queue imports no stage."""

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from lemnis.engine.errors import BadInput

if TYPE_CHECKING:
    from lemnis.engine.jobs.context import JobContext
    from lemnis.engine.store import Store

# Any: each kind has arguments and a result of its own, as JSON objects.
Handler: TypeAlias = "Callable[[JobContext, dict[str, Any]], dict[str, Any]]"

KINDS: dict[str, str] = {
    "jobs.selftest": "lemnis.engine.jobs.selftest:selftest",
    "data.sync": "lemnis.engine.data.jobs:sync",
    "data.link": "lemnis.engine.data.jobs:link",
    "data.verify": "lemnis.engine.data.verify:verify",
    "data.diff": "lemnis.engine.data.diff.jobs:diff",
    "explore.profile": "lemnis.engine.explore.jobs:profile",
    "explore.labels.apply": "lemnis.engine.explore.labels.apply:apply",
    "labelling.queue": "lemnis.engine.labelling.jobs:queue",
    "features.rank": "lemnis.engine.features.jobs:rank",
    "features.associate": "lemnis.engine.features.associating:associate",
    "features.pair": "lemnis.engine.features.pairs:pair",
    "validate.run": "lemnis.engine.validate.jobs:run",
    "validate.suggest": "lemnis.engine.validate.jobs:suggest",
    "experiments.advise": "lemnis.engine.experiments.advising:advise",
    "experiments.train": "lemnis.engine.experiments.train:train",
    "experiments.sweep": "lemnis.engine.experiments.sweep.coordinator:drive",
    "evaluate.run": "lemnis.engine.evaluate.jobs:evaluate",
    "evaluate.ablation": "lemnis.engine.evaluate.ablation:measure_ablation",
    "evaluate.pair": "lemnis.engine.evaluate.pairing:pair",
    "evaluate.folds": "lemnis.engine.evaluate.folding:fold",
    "evaluate.explain": "lemnis.engine.evaluate.jobs:explain",
    "evaluate.interpret": "lemnis.engine.evaluate.interpretation.jobs:interpret",
    "deploy.export": "lemnis.engine.deploy.exports.writing:export",
    "deploy.load": "lemnis.engine.deploy.load.jobs:load",
    "deploy.predict": "lemnis.engine.deploy.jobs:predict",
    "tracking.script": "lemnis.engine.tracking.jobs:run_command",
    "monitor.replay": "lemnis.engine.monitor.replay:replay",
    "monitor.contrast": "lemnis.engine.monitor.drift.contrasting:contrast",
    "monitor.retrain": "lemnis.engine.monitor.retraining.challenge:retrain",
    "monitor.study": "lemnis.engine.monitor.retraining.studying:study",
    "share.push": "lemnis.engine.share.jobs:push",
    "share.pull": "lemnis.engine.share.jobs:pull",
    "share.export": "lemnis.engine.share.jobs:export",
    "share.import": "lemnis.engine.share.jobs:bring_in",
}


# Asked every few seconds by the supervisor for jobs that are due by a plan; each queues them and returns their ids.
PLANS = ("lemnis.engine.data.schedule:queue_due", "lemnis.engine.experiments.sweep.driving:queue_due")


def planners() -> "list[Callable[[Store], list[int]]]":
    """Return the functions of PLANS; imports their rooms."""
    named = [plan.partition(":") for plan in PLANS]
    return [getattr(importlib.import_module(module), name) for module, _, name in named]


def handler(kind: str) -> Handler:
    """Return the function that does this kind of job; imports its room.

    Raises:
        BadInput: No room knows this kind.
    """
    try:
        module, _, name = KINDS[kind].partition(":")
    except KeyError:
        raise BadInput(f"No stage knows jobs of kind {kind!r}.", "Upgrade Lemnis: a newer one queued it.") from None
    return getattr(importlib.import_module(module), name)
