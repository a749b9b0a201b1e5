"""Addresses: the words that name a place of the console, such as ``run/3`` or ``runs?q=state+=+failed``. Pure."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from msgspec import Struct
from msgspec.structs import replace

from lemnis.engine.errors import BadInput
from lemnis.engine.text import safe
from lemnis.tui.language import N_

if TYPE_CHECKING:
    from lemnis.engine.data import Version

Word = TypeVar("Word", bound=str)
LONGEST = 2000  # characters, as long as what people paste into a chat
PLAIN = "@:,._~="  # beside letters and digits what a shell leaves alone, so that an address needs no quotes there


class Kind(Struct, frozen=True):
    """What a first word names: the stage it is on, how many words may follow, the options, and what it is.

    Attributes:
        least, most: How many parts follow the kind.
    """

    stage: str
    words: str
    example: str
    least: int = 0
    most: int = 0
    options: tuple[str, ...] = ()


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "problem": Kind("problem", N_("the problem, or one change of it"), "problem/change/4", 0, 2),
        "data": Kind("data", N_("a dataset version, or a column or link of it"), "data/v2/column/dep_time", 0, 3),
        "source": Kind("data", N_("a source"), "source/flights", 1, 1),
        "snapshot": Kind("data", N_("a snapshot of a source"), "snapshot/3", 1, 1),
        "diff": Kind("data", N_("two dataset versions compared"), "diff/v1/v2", 2, 2),
        "explore": Kind(
            "explore", N_("columns or rows of a version"), "explore/v2/rows?q=dest+=+BUR", 0, 3,
            ("q", "filters", "sort", "order"),
        ),
        "labels": Kind("explore", N_("the label desk"), "labels"),
        "features": Kind("features", N_("what columns are worth"), "features/column/dep_time", 0, 2, ("set",)),
        "validate": Kind("validate", N_("the checks"), "validate?run=4", 0, 0, ("run",)),
        "check": Kind(
            "validate", N_("one check, or the rows that fail it"), "check/known_tail/rows",
            1, 2, options=("run", "which"),
        ),
        "runs": Kind(
            "experiments", N_("the runs, by a query"), "runs?q=metrics.auc+%3E+0.8",
            0, 0, ("q", "sort", "order", "shelf", "group", "on"),
        ),
        "run": Kind("experiments", N_("one run"), "run/3", 1, 1),
        "compare": Kind("experiments", N_("runs side by side"), "compare/1,2,3", 1, 1),
        "sweep": Kind("experiments", N_("one sweep"), "sweep/first", 1, 1),
        "evaluate": Kind("evaluate", N_("how a run was judged"), "evaluate/3/curves", 0, 2),
        "deploy": Kind("deploy", N_("what is served, or one move of an alias"), "deploy/event/2", 0, 2),
        "model": Kind("deploy", N_("a version of a model"), "model/late@champion", 1, 1),
        "endpoint": Kind("deploy", N_("an endpoint, or its log"), "endpoint/late/log", 1, 2),
        "monitor": Kind(
            "monitor", N_("the windows of an endpoint"), "monitor/late?width=week", 0, 3, ("width", "until", "figure")
        ),
        "window": Kind(
            "monitor", N_("one window, or one feature in it"), "window/12/feature/dep_time", 1, 3, ("until", "figure")
        ),
        "alert": Kind("monitor", N_("an alert with everything around it"), "alert/12", 1, 1),
        "loop": Kind("monitor", N_("the loop from suspicion to promotion"), "loop/late", 0, 1),
        "oncall": Kind("monitor", N_("the on-call view"), "oncall"),
        "resources": Kind("resources", N_("the machine"), "resources?span=3600", 0, 0, ("q", "span", "chart")),
        "job": Kind("resources", N_("a job"), "job/7", 1, 1),
        "lineage": Kind("data", N_("where a thing comes from and what came of it"), "lineage/run/3", 2, 3),
    }
)  # fmt: skip


class Address(Struct, frozen=True):
    """One place: its kind, the names below it, and how it is looked at; `at` among the options is a past time.

    `str()` gives the text that `parsed` takes.
    """

    kind: str
    parts: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()

    @property
    def stage(self) -> str:
        """The stage that it is on; a lineage is on that of the thing it is about."""
        about = KINDS.get(self.thing) if self.kind == "lineage" else None
        return (about or KINDS[self.kind]).stage

    @property
    def thing(self) -> str:
        """The first name below the kind, empty without one."""
        return self.parts[0] if self.parts else ""

    def option(self, name: str) -> str:
        """Return an option, empty where it is not given."""
        return dict(self.options).get(name, "")

    def named(self, word: str) -> str:
        """Return the part that follows a word: of ``data/v2/column/x`` the ``x`` for ``column``; empty without it."""
        rest = self.parts[self.parts.index(word) + 1 :] if word in self.parts[:-1] else ()
        return rest[0] if rest else ""

    def at(self, moment: str) -> "Address":
        """Return the same place at another time; an empty one is now."""
        rest = [option for option in self.options if option[0] != "at"]
        return replace(self, options=tuple(sorted([*rest, *([("at", moment)] if moment else [])])))

    def __str__(self) -> str:
        path = "/".join([self.kind, *(quote(part, safe=PLAIN) for part in self.parts)])
        asked = "&".join(f"{name}={quote_plus(value, safe=PLAIN)}" for name, value in self.options)
        return f"{path}?{asked}" if asked else path


def address(kind: str, *parts: object, **options: object) -> Address:
    """Return an address; parts and options that are empty are left out."""
    told = tuple(sorted((name, str(value)) for name, value in options.items() if value not in ("", None, 0, False)))
    return Address(kind, tuple(str(part) for part in parts if part not in ("", None)), told)


def parsed(text: str) -> Address:
    """Return the address that a text means.

    Raises:
        BadInput: It is none.
    """
    said = text.strip().strip("`").strip()
    if len(said) > LONGEST:
        raise BadInput(f"An address has at most {LONGEST:,} characters, this has {len(said):,}.", REMEDY)
    hidden = next((char for char in said if not char.isprintable()), "")
    if hidden:
        raise BadInput(f"The address holds the character {safe(hidden)}.", "Copy it again, in one line.")
    path, _, asked = said.partition("?")
    kind, *parts = path.split("/")
    if kind not in KINDS:
        near = get_close_matches(kind, KINDS, 1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise BadInput(f"“{safe(kind, limit=40)}” is no place of the console.", hint + REMEDY)
    known = KINDS[kind]
    try:
        found = tuple(unquote(part, errors="strict") for part in parts)
        options = tuple(sorted(read_options(asked, kind).items()))
    except UnicodeDecodeError:
        raise BadInput(f"“{safe(said, limit=60)}” is not UTF-8.", f"Write for example `{known.example}`.") from None
    if not all(found) or not known.least <= len(found) <= known.most:
        raise BadInput(f"“{safe(said, limit=60)}” names nothing.", f"A {kind} address is like `{known.example}`.")
    return Address(kind, found, options)


REMEDY = f"Places are {', '.join(KINDS)}; write for example `run/3`."


def read_options(asked: str, kind: str) -> dict[str, str]:
    """Return the options that follow the ``?``, those without a value left out."""
    options: dict[str, str] = {}
    for part in asked.split("&") if asked else ():
        name, _, value = part.partition("=")
        if name not in (*KINDS[kind].options, "at"):
            known = ", ".join((*KINDS[kind].options, "at"))
            raise BadInput(f"{kind} has no option “{safe(name, limit=40)}”.", f"It has {known}.")
        if value:
            options[name] = unquote_plus(value, errors="strict")
    return options


def chosen(words: Sequence[Word], wanted: str) -> Word:
    """Return the word that is wanted, else the first."""
    return next((word for word in words if word == wanted), words[0])


def version_part(version: "Version", versions: "Sequence[Version]") -> str:
    """Return how an address names a dataset version: ``v2``, or the digits of its id where several are the second."""
    several = sum(one.number == version.number for one in versions) > 1
    return version.short if several else f"v{version.number}"


def looks_like(text: str) -> bool:
    """Say whether a text that is typed begins as an address does: a kind, then / or ?, or the kind alone."""
    return text.strip().replace("?", "/").partition("/")[0] in KINDS
