"""A value that is another run's: `champion.auc + 0.002`, `baseline.params.num_leaves`."""

import re
from collections.abc import Callable
from typing import TypeAlias

from lemnis.engine.query.fields import Bound, Column, Fields, Name, Pairs, QueryError, resolve, wrong
from lemnis.engine.query.tokens import Token, number_in
from lemnis.engine.text import safe

# Answers what a run of that name has for a field: who it is, a family's prefix or empty, the key or the field's name.
Reference: TypeAlias = Callable[[str, str, str], Bound | None]

RUNS = ("champion", "baseline")
WRITTEN = re.compile(rf"({'|'.join(RUNS)})\.(.*?)(?:([+-])((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))?", re.I | re.S)


def is_relative(token: Token) -> bool:
    """Say whether a word means what another run has."""
    return token.kind == "word" and token.text.lower().startswith(tuple(f"{who}." for who in RUNS))


def related(token: Token, quoted: str | None, left: Name, fields: Fields, ask: Reference | None) -> Token:
    """Return the value that a word such as `champion.auc+0.002` stands for, as a word.

    Args:
        token: The word.
        quoted: The field's key where it was quoted apart, with nothing behind it.
        left: What it is compared with; a name without its family is of the same one.
        fields: What can be asked.
        ask: Answers for the run; None only checks the writing.

    Raises:
        QueryError: There is no such field or run, or it has no such value.
    """
    match = WRITTEN.fullmatch(token.text)
    assert match is not None
    who, written, sign, offset = match.groups()
    name = named(written, quoted, left, fields, token.at + len(who) + 1)
    numeric = not isinstance(name.column, Pairs) or name.column.numeric
    if isinstance(name.column, Column) and name.column.kind not in ("number", "text"):
        raise wrong(
            "Times and ages of another run can't be compared with.", "Compare a metric or a parameter.", token.at
        )
    prefix = next((prefix for prefix, family in fields.pairs.items() if family is name.column), "")
    key = name.key or next((each for each, column in fields.columns.items() if column is name.column), "")
    if ask is None:
        return token._replace(text="0" if numeric else key)
    value = ask(who.lower(), prefix, key)
    if value is None:
        what = f"{prefix}.{key}".removeprefix(".")
        raise wrong(
            f"There is no {who.lower()} with {safe(what, limit=60)}.",
            "Pin a baseline, or promote a champion.",
            token.at,
        )
    number = value if isinstance(value, float | int) else number_in(value)
    if offset is None:
        return token._replace(text=repr(float(number)) if number is not None else str(value))
    if number is None:
        raise wrong(f"The {who.lower()}'s {safe(key, limit=40)} is no number.", "Leave the difference out.", token.at)
    return token._replace(text=repr(float(number) + float(sign + offset)))


def named(written: str, quoted: str | None, left: Name, fields: Fields, at: int) -> Name:
    """Return the field that is asked of the other run."""
    if quoted is not None and not written:
        written, quoted = quoted, None
        if isinstance(left.column, Pairs):
            return Name(left.column, written, at)
    try:
        return resolve(written.rstrip("."), fields, at, quoted)
    except QueryError:
        if isinstance(left.column, Pairs) and written and quoted is None:
            return Name(left.column, written, at)
        raise
