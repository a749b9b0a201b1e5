"""Writes an alert rule into lemnis.toml: behind the others or in place of the one of its name; comments stay."""

import math
import re
from collections.abc import Collection
from typing import Any

import msgspec
import tomlkit

from lemnis.engine.config import Alert as Rule
from lemnis.engine.errors import BadInput
from lemnis.engine.monitor.alerting.rules import BOUND
from lemnis.engine.problem import ProblemRoom
from lemnis.engine.store import Store
from lemnis.engine.text import safe

NAME = r"[A-Za-z_][A-Za-z0-9_.-]{0,63}"
ALWAYS = ("name", "metric")


def rule_in(values: dict[str, object]) -> Rule:
    """Return a rule as it was filled in; what is missing is as usual.

    Raises:
        BadInput: A name, metric or number is not accepted, or there is not exactly one bound.
    """
    try:
        rule = msgspec.convert(values, Rule, strict=True)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at ")
        key = path.strip("`").removeprefix("$.") or "the rule"
        raise BadInput(f"{key}: {problem}.", "See `lemnis alerts metrics` for what can be watched.") from None
    if not re.fullmatch(NAME, rule.name):
        raise BadInput(f"{safe(rule.name, limit=60)!r} can't be a rule's name.", "Write a word, such as drift.")
    if (rule.above is None) == (rule.below is None):
        raise BadInput("A rule needs either above or below.", "Give exactly one bound.")
    if not math.isfinite(rule.above if rule.above is not None else rule.below or 0.0):
        raise BadInput("A bound is a finite number.", "Give for example 0.25.")
    return rule


def declare_rule(store: Store, rule: Rule, who: str, given: Collection[str] = BOUND) -> bool:
    """Declare a rule, or another under its name; return whether the file differs.

    Args:
        store: The workspace's state.
        rule: As it shall be.
        who: Declares it.
        given: Keys that are as in `rule` even where that is as usual; of the others what was declared stays then.

    Raises:
        BadInput: Somebody else changed the file meanwhile.
        ConfigError: The file is not accepted.
    """
    room = ProblemRoom(store)
    text = room.text()
    return room.edit(text_with_rule(text, rule, given), who, f"alert rule {rule.name} saved", expected=text)


def text_with_rule(text: str, rule: Rule, given: Collection[str] = BOUND) -> str:
    """Return a lemnis.toml text with a rule; comments and order stay. `given`: see `declare_rule`."""
    document: Any = tomlkit.parse(text)  # Any: tomlkit's items answer to whatever their value does
    if "alerts" not in document:
        document.append("alerts", tomlkit.aot())
    table = next((one for one in document["alerts"] if one.get("name") == rule.name), None)
    added = table is None
    if added:
        table = tomlkit.table()
    usual: dict[str, object] = msgspec.to_builtins(Rule(name=rule.name, metric=rule.metric))
    for key, value in msgspec.to_builtins(rule).items():
        if key in ALWAYS or value != usual[key]:
            table[key] = value
        elif key in given and key in table:
            del table[key]
    if added:
        document["alerts"].append(table)
    return tomlkit.dumps(document)
