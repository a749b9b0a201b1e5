"""How the concept of a served version stands, as a number that an alert rule can bound, and in words."""

from lemnis.engine.clock import iso_utc
from lemnis.engine.monitor.concept.kept import concept_of
from lemnis.engine.monitor.concept.records import Concept
from lemnis.engine.monitor.concept.stale import stale_models
from lemnis.engine.store import Store

LEVELS = {"stable": 0.0, "warning": 0.5, "drift": 1.0}


def concept_value(concept: Concept | None, *, stale: bool) -> float | None:
    """Return 1 where the concept drifted for sure or the model is stale, 0.5 to watch, 0 stable; None for unknown.

    Args:
        concept: What the detectors say; None before the first label.
        stale: The problem was changed after the version was trained, and nobody lets it stay.
    """
    if stale:
        return 1.0
    return None if concept is None else LEVELS[concept.state]


def concept_words(store: Store, endpoint: str, version: int) -> str:
    """Return why the concept of a served version is to watch or gone: ``; late v1 is stale: threshold 0.5 → 0.4``.

    Args:
        store: The workspace's state.
        endpoint: Which serves it.
        version: Of the endpoint's model.

    Raises:
        ConfigError: lemnis.toml is not accepted.
    """
    model = store.value("select model from endpoints where name = ?", [endpoint])
    stale = [one.words for one in stale_models(store, waived=False) if (one.model, one.version) == (model, version)]
    concept = concept_of(store, [endpoint, model, version])
    if concept is not None and concept.state != "stable":
        what = "its losses rose" if concept.state == "drift" else "its losses may have risen"
        since = f" from {iso_utc(concept.since)[:10]} on" if concept.since is not None else ""
        stale.append(f"{what}{since}")
    return "".join(f"; {one}" for one in stale)
