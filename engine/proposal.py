"""A first lemnis.toml for files that a person brings: sources, columns, candidates for target, time and key, checks."""

import re
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from msgspec import Struct

from lemnis.engine.config import Source
from lemnis.engine.errors import BadInput

if TYPE_CHECKING:
    import pyarrow as pa

FORMATS: dict[str, Literal["csv", "csv-zip", "parquet", "jsonl", "sqlite"]] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".zip": "csv-zip",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
LOOK_ROWS = 200_000  # rows of a file that are looked at
FEW = 20  # a target has at most this many classes
Task: TypeAlias = Literal["binary", "multiclass", "regression"]
TARGET_WORDS = ("target", "label", "y", "class", "outcome", "churn", "fraud", "default", "late", "survived")


class ColumnGuess(Struct, frozen=True, kw_only=True):
    """A column as the first rows show it; `missing` and `distinct` count those rows."""

    name: str
    type: str
    missing: int
    distinct: int


class Proposal(Struct, frozen=True, kw_only=True):
    """What could be declared.

    Attributes:
        targets: Columns that could be predicted, the likeliest first, with the task.
        split: ISO dates: the first day of train, of validation and of test, and the day after the last; empty where
            there is no time, or too few days to divide.
    """

    sources: dict[str, Source]
    base: str
    columns: list[ColumnGuess]
    rows_seen: int
    targets: list[tuple[str, Task]]
    time: str
    key: str
    split: list[str]


def propose(files: Sequence[Path], root: Path) -> Proposal:
    """Look at files and return a proposal; the largest one is the base.

    Args:
        files: Data files; the format follows from the suffix.
        root: The workspace's folder; paths below it are declared relative.

    Raises:
        BadInput: A file is missing, is of no known format, or can't be read as what it seems to be.
    """
    sources: dict[str, Source] = {}
    sizes: dict[str, int] = {}
    for file in files:
        name = free_name(file, sources)
        sources[name] = source_of(file, root)
        sizes[name] = file.stat().st_size
    base = max(sizes, key=lambda name: sizes[name])
    table = first_rows(root, base, sources[base])
    columns = [guess(table, name) for name in table.column_names]
    time = next((c.name for c in columns if c.type.startswith(("timestamp", "date")) and not c.missing), "")
    return Proposal(
        sources=sources,
        base=base,
        columns=columns,
        rows_seen=table.num_rows,
        targets=targets(columns, table.num_rows),
        time=time,
        key=next((c.name for c in columns if c.distinct == table.num_rows and not c.missing and keyish(c)), ""),
        split=split_days(table, time) if time else [],
    )


def split_days(table: "pa.Table", time: str) -> list[str]:
    """Return the days that divide the rows seen into about 70 % train, 15 % validation and 15 % test; see Proposal."""
    import pyarrow as pa
    import pyarrow.compute as pc

    days: Any = pc.cast(table.column(time), pa.date32(), safe=False)  # Any: pyarrow's functions are typed in part
    ordered = sorted(days.to_pylist())
    if not ordered:
        return []
    cuts = [ordered[0], ordered[len(ordered) * 70 // 100], ordered[len(ordered) * 85 // 100]]
    cuts.append(ordered[-1] + timedelta(days=1))
    return [day.isoformat() for day in cuts] if cuts == sorted(set(cuts)) else []


def source_of(file: Path, root: Path) -> Source:
    """Return the declaration of a file."""
    if not file.is_file():
        raise BadInput(f"There is no file {file}.", "Name data files: CSV, CSV in a zip, Parquet or JSON lines.")
    kind = FORMATS.get(file.suffix.lower())
    if kind is None:
        known = ", ".join(sorted(FORMATS))
        raise BadInput(f"{file.name} is of no format that is known by its suffix.", f"Known: {known}.", str(file))
    path = file.absolute()
    shown = path.relative_to(root.absolute()) if path.is_relative_to(root.absolute()) else path
    nulls = ["", "NA"] if kind in ("csv", "csv-zip") else [""]
    return Source(path=str(shown), format=kind, delimiter=delimiter_of(file) if kind == "csv" else ",", null=nulls)


def delimiter_of(file: Path) -> str:
    """Return the delimiter that splits the first line most often."""
    with open(file, encoding="utf-8", errors="replace") as lines:
        first = lines.readline(1_000_000)
    return max(",;\t|", key=first.count)


def free_name(file: Path, taken: dict[str, Source]) -> str:
    """Return a source's name made of the file's, unlike those taken."""
    stem = re.sub(r"[^A-Za-z0-9_]+", "_", file.name.split(".")[0]).strip("_")[:50] or "source"
    name = stem if not stem[0].isdigit() else f"s{stem}"
    number = 2
    while name in taken:
        name, number = f"{stem}_{number}", number + 1
    return name


def first_rows(root: Path, name: str, source: Source) -> "pa.Table":
    """Return the first LOOK_ROWS rows of a source."""
    import pyarrow as pa

    from lemnis.engine.data.duck import open_duck
    from lemnis.engine.data.readers import read_source
    from lemnis.engine.data.sources import origins_of
    from lemnis.engine.workspace import Workspace

    origins = origins_of(Workspace(root), name, source)
    duck = open_duck()
    try:
        with tempfile.TemporaryDirectory() as scratch:
            reader = read_source(source, origins, duck, Path(scratch), unwatched)
            seen, batches = 0, list[pa.RecordBatch]()
            for batch in islice(reader, LOOK_ROWS):
                batches.append(batch)
                seen += batch.num_rows
                if seen >= LOOK_ROWS:
                    break
            return pa.Table.from_batches(batches, reader.schema)
    finally:
        duck.close()


def unwatched(share: float, text: str) -> None:
    """Nobody watches how far reading is: it takes a moment."""


def guess(table: "pa.Table", name: str) -> ColumnGuess:
    """Return what the rows show of one column."""
    import pyarrow.compute as pc

    column: Any = table.column(name)  # Any: pyarrow's compute functions are typed in part
    distinct = int(pc.count_distinct(column, mode="only_valid").as_py())
    return ColumnGuess(name=name, type=str(column.type), missing=column.null_count, distinct=distinct)


def targets(columns: Sequence[ColumnGuess], rows: int) -> list[tuple[str, Task]]:
    """Return the columns that could be a target with their task; those that are called like one come first."""
    found: list[tuple[int, str, Task]] = []
    for column in columns:
        name = column.name.lower()
        called = name in TARGET_WORDS or name.startswith(("is_", "has_", "target", "label"))
        if column.missing > rows / 2:
            continue
        if column.distinct == 2:
            found.append((0 if called else 1, column.name, "binary"))
        elif 2 < column.distinct <= FEW and rows > 10 * column.distinct:
            found.append((0 if called else 2, column.name, "multiclass"))
        elif called and column.type in ("double", "float", "int64", "int32"):
            found.append((0, column.name, "regression"))
    return [(name, task) for _, name, task in sorted(found, key=lambda item: item[0])]


def keyish(column: ColumnGuess) -> bool:
    """Say whether a column that is unique could be a key: a measurement is none."""
    return column.type.startswith(("int", "uint", "string", "large_string"))


def declaration(title: str, proposal: Proposal | None) -> str:
    """Return the text of a lemnis.toml, with comments that say what to decide; without files, the bare frame."""
    import tomlkit

    text = [
        "# What is to be answered, from what data, and what a good answer is. `lemnis` reads this file; so may people.",
        "",
        "[problem]",
        f"title = {tomlkit.item(title).as_string()}",
        'question = ""   # one sentence that ends in a question mark',
        'task = "binary" # binary, multiclass, regression',
        'target = ""     # the column that holds the answer',
        *([f"# could be predicted: {candidates(proposal)}"] if proposal and proposal.targets else []),
        'unit = ""       # one row is one …',
        'currency = "USD"',
        "",
        "[problem.value] # per answered case; negative is a cost",
        "true_positive = 0.0",
        "false_positive = 0.0",
        "false_negative = 0.0",
        "true_negative = 0.0",
        "",
    ]
    if proposal is not None:
        text += [*source_lines(proposal), *dataset_lines(proposal), *check_lines(proposal)]
    text += ["[presets.default]", "rounds = 200", "early_stopping = 20", "seed = 1", ""]
    return "\n".join(text)


def candidates(proposal: Proposal) -> str:
    """Return the first candidates for a target in a comment's words."""
    named = [f"{name} ({task})".replace("\n", " ") for name, task in proposal.targets[:6]]
    return ", ".join(named)


def source_lines(proposal: Proposal) -> list[str]:
    """Return the sources' tables."""
    import tomlkit

    lines: list[str] = []
    for name, source in proposal.sources.items():
        lines += [f"[sources.{name}]", f"path = {tomlkit.item(source.path).as_string()}"]
        if source.format != "csv":
            lines.append(f'format = "{source.format}"')
        if source.delimiter != ",":
            lines.append(f"delimiter = {tomlkit.item(source.delimiter).as_string()}")
        if source.null != [""]:
            lines.append(f"null = {tomlkit.item(source.null).as_string()}")
        lines.append("")
    return lines


def dataset_lines(proposal: Proposal) -> list[str]:
    """Return the dataset's table: base, key and time as far as the rows show them."""
    import tomlkit

    lines = ["[dataset]", 'name = "dataset"', f'base = "{proposal.base}"']
    lines.append(
        f"key = [{tomlkit.item(proposal.key).as_string()}]" if proposal.key else "key = [] # what names one row"
    )
    if proposal.time:
        lines.append(f"time = {tomlkit.item(proposal.time).as_string()} # when a row happened; the split follows it")
    else:
        lines.append('time = "" # the column that says when a row happened; the split follows it')
    if proposal.split:
        lines += ["", "[dataset.split] # 70 %, 15 % and 15 % of the rows seen, in order of time"]
        for name, start, end in zip(("train", "validation", "test"), proposal.split, proposal.split[1:], strict=False):
            lines.append(f'{name} = {{ start = "{start}", end = "{end}" }}')
    return [*lines, ""]


def check_lines(proposal: Proposal) -> list[str]:
    """Return the first checks: the base has rows, and its key is unique and never missing."""
    import tomlkit

    base = proposal.base
    lines = [
        "[[checks]]",
        'name = "rows"',
        'kind = "row_count"',
        f'source = "{base}"',
        f"min = {proposal.rows_seen // 2}",
    ]
    if proposal.key:
        column = tomlkit.item(proposal.key).as_string()
        for name, kind in (("key_unique", "unique"), ("key_there", "not_null")):
            field = f"columns = [{column}]" if kind == "unique" else f"column = {column}"
            lines += ["", "[[checks]]", f'name = "{name}"', f'kind = "{kind}"', f'source = "{base}"', field]
    return [*lines, ""]
