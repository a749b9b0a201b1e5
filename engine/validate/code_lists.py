"""What is told of code lists: how they stand, how they changed, and the unknown codes of a check."""

from msgspec import Struct

from lemnis.engine.config import CodeList

MOST_UNKNOWN = 1_000  # different unknown values that are listed


class CodeEvent(Struct, frozen=True, kw_only=True):
    """One change of a code list.

    Attributes:
        act: declare, add, map, deprecate, quarantine, undo, or edit for a change made by hand.
        codes: What it was about.
        target: The code they stand for or are replaced by; of a quarantine its column.
        undoes: The event it takes back, and `undone` whether a later one took this back.
        rows: Rows of the version it was decided on that hold these codes.
        kept: The file the rows in quarantine were copied to, below .lemnis/quarantine.
    """

    id: int
    listed: str
    act: str
    codes: list[str]
    target: str
    before: CodeList | None
    after: CodeList | None
    undoes: int | None
    undone: bool
    version_id: str | None
    rows: int | None
    kept: str
    why: str
    who: str
    at: int


class ListedCodes(Struct, frozen=True, kw_only=True):
    """A code list as it is declared now, how often it changed, and the checks that use it."""

    name: str
    codes: CodeList
    version: int
    checks: list[str]


class UnknownCode(Struct, frozen=True, kw_only=True):
    """A value that is no code, the failing rows that hold it, the code most like it, and what was decided since."""

    value: str
    rows: int
    like: str
    decided: str


class UnknownCodes(Struct, frozen=True, kw_only=True):
    """The unknown codes of one check in one run, most frequent first, MOST_UNKNOWN at most of `distinct`."""

    check: str
    run: int
    column: str
    table: str
    listed: str
    failing: int
    distinct: int
    codes: list[UnknownCode]
