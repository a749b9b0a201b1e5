"""What could stand where the cursor is in a query: fields, keys, operators and values. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lemnis.engine.query.fields import Completion, Fields
from lemnis.engine.query.relative import RUNS
from lemnis.engine.query.tokens import TOKEN

COMPARED = re.compile(
    r"(?P<field>(?:[\w.]+\.)?(?:`[^`]+`|[^\s()'\"`,|=<>!~]+))\s*(?:[=<>!~]+|(?:not\s+)?in\s*\((?:[^)]*,)?)\s*$", re.I
)
PLAIN = re.compile(r"[^\s()'\"`,|=<>!~:]+")
MOST = 200
UNQUOTED = str.maketrans("", "", "'\"`")


class Known(NamedTuple):
    """What there is to ask for.

    Attributes:
        keys: Keys by family: metrics, params, tags.
        values: Known values by field as it is written: `state`, `params.boosting`.
    """

    keys: Mapping[str, Sequence[str]]
    values: Mapping[str, Sequence[str]]


def word_start(text: str) -> int:
    """Return where the word begins that a text ends in; the text's length if it ends between words."""
    place = start = 0
    within = False  # a word that goes on: `metrics.` and then a quoted name, or `tag:` and then a value
    while place < len(text):
        match = TOKEN.match(text, place)
        start = start if within else place
        if match is None:
            return start  # a quote that is not closed yet
        kind, found = match.lastgroup, match.group()
        within = kind == "word" or (kind == "mark" and found == ":") or (kind in ("quoted", "string") and within)
        place = match.end()
    return start if within else len(text)


def value_field(text: str, fields: Fields) -> str:
    """Return the field whose value is being typed at the end of a text, empty if it is none."""
    compared = COMPARED.search(text[: word_start(text)])
    if compared is None:
        return ""
    head, dot, rest = compared["field"].replace("`", "").partition(".")
    if dot and fields.aliases.get(head.lower()) == "":
        head, dot, rest = rest.partition(".")
    head = fields.aliases.get(head.lower(), head.lower())
    return f"{head}.{rest}" if dot else head


def complete(text: str, fields: Fields, known: Known) -> Completion:
    """Return what may stand at the end of a text."""
    start = word_start(text)
    typed = text[start:]
    field = value_field(text, fields)
    if field:
        found = [quoted(value, "'") for value in known.values.get(field, ())]
        family = field.partition(".")[0]
        if family in fields.pairs and fields.pairs[family].numeric:
            found = [f"{who}.{field.partition('.')[2]}" for who in RUNS]
    else:
        found = names(typed, fields, known)
    begin = bare(typed)
    fits = [each for each in found if bare(each).startswith(begin)]
    inside = [each for each in found if each not in fits and len(begin) > 1 and begin in bare(each)]
    return Completion(start, [each for each in (fits + inside)[:MOST] if each != typed])


def bare(text: str) -> str:
    """Return a text as it is compared: without quotes, in lower case."""
    return text.translate(UNQUOTED).lower()


def names(typed: str, fields: Fields, known: Known) -> list[str]:
    """Return the fields that can be asked; after `has:`, `tag:` and the like what fits there."""
    lead, colon, _ = typed.partition(":")
    if colon:
        if lead.lower() == "has":
            return [f"has:{each}" for each in names("", fields, known) if not each.endswith((":", "."))]
        family = fields.aliases.get(lead.lower(), lead.lower())
        return [f"{lead}:{quoted(key, chr(39))}" for key in known.keys.get(family, ())]
    keyed = [f"{family}.{quoted(key, '`')}" for family in fields.pairs for key in known.keys.get(family, ())]
    return [*keyed, *fields.columns, "has:", "tag:", "note:", "not ", "and ", "or "]


def quoted(name: str, mark: str) -> str:
    """Return a name or value as a query takes it."""
    return name if PLAIN.fullmatch(name) and name.lower() not in ("and", "or", "not") else f"{mark}{name}{mark}"
