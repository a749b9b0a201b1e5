"""Equivalents: the command that says what a place of the console shows. Pure."""

from collections.abc import Callable, Mapping
from shlex import join

from lemnis.tui.address import Address
from lemnis.tui.commands.session import PAST

SPAN_MINUTES = 60  # seconds of a span of Resources in one of `--minutes`


def command_of(place: Address) -> str:
    """Return the command that shows as text what an address names, with ``lemnis`` before it."""
    words, moment = [word for word in words_of(place) if word], place.option("at")
    past = ["--at", moment] if moment and " ".join(words[:2]) in PAST else []
    return join(["lemnis", *past, *words])


def words_of(place: Address) -> list[str]:
    """Return the words of that command."""
    if place.kind in OF_ONE and place.thing:
        return [*OF_ONE[place.kind], place.thing]
    if place.kind in SHAPED:
        return SHAPED[place.kind](place)
    if place.kind == "compare":
        return ["runs", "compare", *place.thing.split(",")]
    if place.kind == "diff":
        return ["data", "diff", *place.parts]
    if place.kind == "lineage":
        return ["lineage", "/".join(place.parts)]
    if place.kind == "window" or place.kind == "monitor":
        return monitor_words(place)
    if place.kind == "resources":
        span = place.option("span")
        return ["resources", "history", *(("--minutes", str(int(span) // SPAN_MINUTES)) if span.isdecimal() else ())]
    return {
        "problem": ["problem", "history" if place.parts else "show"],
        "labels": ["explore", "labels", "list"],
        "loop": ["retrain", "status"],
        "oncall": ["oncall"],
        "source": ["data", "sources"],
        "snapshot": ["data", "snapshots"],
    }[place.kind]


OF_ONE: Mapping[str, tuple[str, ...]] = {
    "run": ("runs", "show"), "sweep": ("sweeps", "show"), "alert": ("alerts", "show"), "job": ("jobs", "show"),
    "loop": ("retrain", "status"),
}  # fmt: skip


def data_words(place: Address) -> list[str]:
    """Return the words for a place of Data."""
    return ["data", "show", place.thing] if place.thing else ["data", "versions"]


def explore_words(place: Address) -> list[str]:
    """Return the words for a place of Explore."""
    column = place.named("column")
    if column:
        return ["explore", "column", column, place.thing]
    if "rows" in place.parts:
        query, order = place.option("q"), place.option("sort")
        asked = [*(("--where", query) if query else ()), *(("--sort", order) if order else ())]
        return ["explore", "rows", place.thing, *asked]
    return ["explore", "profile", place.thing]


def features_words(place: Address) -> list[str]:
    """Return the words for a place of Features."""
    if place.thing == "choices":
        return ["features", "sets", "--history"]
    return ["features", "associate" if place.thing == "matrix" else "rank"]


def check_words(place: Address) -> list[str]:
    """Return the words for a place of a check."""
    if "rows" not in place.parts[1:]:
        return ["validate", "history", place.thing]
    run, which = place.option("run"), place.option("which")
    return [
        "validate", "failures", place.thing, *(("--run", run) if run else ()), *(("--which", which) if which else ())
    ]  # fmt: skip


def runs_words(place: Address) -> list[str]:
    """Return the words for a place of the list of runs."""
    query, order, group = place.option("q"), place.option("sort"), place.option("group")
    asked = [*(("--query", query) if query else ()), *(("--sort", order) if order else ())]
    return ["runs", "list", *asked, *(("--group-by", group) if group else ())]


def monitor_words(place: Address) -> list[str]:
    """Return the words for a place of Monitor."""
    what = "performance" if "performance" in place.parts else "drift"
    width, endpoint = place.option("width"), place.thing if place.kind == "monitor" else ""
    return [
        "monitor", what, *(("--endpoint", endpoint) if endpoint else ()), *(("--window", width) if width else ())
    ]  # fmt: skip


SHAPED: Mapping[str, Callable[[Address], list[str]]] = {
    "data": data_words,
    "explore": explore_words,
    "features": features_words,
    "check": check_words,
    "validate": lambda place: ["status"],
    "runs": runs_words,
    "evaluate": lambda place: ["evaluate", place.thing] if place.thing else ["runs", "list"],
    "deploy": lambda place: ["models", "history"] if place.parts else ["endpoints", "list"],
    "endpoint": lambda place: ["endpoints", "logs" if "log" in place.parts[1:] else "show", place.thing],
    "model": lambda place: ["models", "list", place.thing.rpartition("@")[0]],
}
