"""The card: what a person wants to know of a shared thing, as Markdown. Pure."""

from lemnis.engine.clock import iso_utc
from lemnis.engine.share.manifest import DatasetBody, Manifest, ModelBody, RunBody, VersionFacts
from lemnis.engine.text import safe

MOST_LINES = 200

README = """This is a bundle of Lemnis: an uncompressed ZIP archive that says what it holds and proves it.

manifests/KIND/NAME/ID.json   what each thing is: columns, splits, joins, checks, parameters, metrics, hashes
objects/AB/CDEF….parquet      the files themselves, named by the SHA-256 of their content (AB and the rest together)
cards/KIND-NAME-ID.md         the same for people

Take it in with        lemnis share import THIS_FILE        (with --dry-run it is only checked)
Without Lemnis         unzip it, `sha256sum` a file and compare with its name, and open a table with DuckDB:
                       duckdb -c "from 'objects/*/*.parquet' limit 10"
"""


def card_of(manifest: Manifest) -> str:
    """Return the card of a thing."""
    body, maker = manifest.body, manifest.maker
    lines = [
        f"# {inline(manifest.title)}",
        "",
        f"A {'dataset version' if manifest.kind == 'dataset' else manifest.kind} made in workspace "
        f"{inline(maker.workspace_name)} ({maker.workspace[:8]}) on {iso_utc(manifest.created_at)}.",
        "",
        f"- id: `{manifest.id}`",
        *(f"- {one.use}: `{one.path}`, {one.bytes:,} bytes" for one in manifest.objects),
        *(f"- made of: {one.kind} {inline(one.title)} `{one.id}`" for one in manifest.refers),
        "",
    ]
    if isinstance(body, DatasetBody):
        lines += dataset_lines(body)
    elif isinstance(body, RunBody):
        lines += run_lines(body)
    else:
        lines += model_lines(body)
    return "\n".join(lines[: MOST_LINES * 5]) + "\n"


def dataset_lines(body: DatasetBody) -> list[str]:
    """Return what a dataset version holds, how it was joined and how its checks went."""
    lines = [f"{body.version.rows:,} rows in {len(body.version.columns)} columns, {body.version.bytes:,} bytes.", ""]
    lines += split_lines(body.version)
    lines += ["## Columns", "", "| name | type | role | source |", "| --- | --- | --- | --- |"]
    lines += [f"| {inline(c.name)} | {c.type} | {c.role} | {inline(c.source)} |" for c in body.version.columns]
    if body.joins:
        lines += ["", "## Joins", "", "| source | on | matched | orphan rows |", "| --- | --- | --- | --- |"]
        lines += [
            f"| {inline(j.source)} | {inline(', '.join(f'{a} = {b}' for a, b in j.keys.items()))} "
            f"| {j.match_rate:.2%} | {j.orphan_rows:,} |"
            for j in body.joins
        ]
    if body.checks:
        lines += ["", "## Checks", "", "| check | verdict | failing | found |", "| --- | --- | --- | --- |"]
        lines += [
            f"| {inline(c.name)} | {c.verdict} | {'–' if c.failing is None else f'{c.failing:,}'} "
            f"| {inline(c.message or c.rule)} |"
            for c in body.checks[:MOST_LINES]
        ]
    if body.version.recipe:
        lines += ["", "## Recipe", "", *("    " + safe(line) for line in body.version.recipe.split("\n")[:MOST_LINES])]
    return lines


def split_lines(version: VersionFacts) -> list[str]:
    """Return the parts of a split."""
    return [
        *(
            f"- {inline(name)}: {part.rows:,} rows from {iso_utc(part.start)} until before {iso_utc(part.end)}"
            for name, part in version.split.items()
        ),
        "",
    ]


def run_lines(body: RunBody) -> list[str]:
    """Return a run's conditions and results."""
    facts = {
        "state": f"{body.state}: {body.why}",
        "task": f"{body.task} of {body.target}",
        "data": f"{body.version.name} v{body.version.number}" if body.version else "–",
        "features": ", ".join(body.features),
        "seed": body.seed,
        "device": body.device,
        "code": body.code_version,
        "by": body.user,
        "note": body.note,
    }
    lines = [f"- {name}: {inline(value)}" for name, value in facts.items() if value not in (None, "")]
    lines += ["", "## Parameters", "", "| name | value |", "| --- | --- |"]
    lines += [f"| {inline(name)} | {inline(value)} |" for name, value in list(body.params.items())[:MOST_LINES]]
    lines += ["", "## Metrics", "", "| name | value |", "| --- | --- |"]
    lines += [f"| {inline(name)} | {figure(value)} |" for name, value in list(body.metrics.items())[:MOST_LINES]]
    for part, measured in body.measured.items():
        lines += ["", f"## Measured on {inline(part)}", "", "| name | value |", "| --- | --- |"]
        lines += [f"| {inline(name)} | {figure(value)} |" for name, value in list(measured.items())[:MOST_LINES]]
    return lines


def model_lines(body: ModelBody) -> list[str]:
    """Return what a model takes and answers."""
    signature = body.signature
    lines = [
        f"Registered by {inline(body.who) or 'nobody known'}: {inline(body.why) or 'no reason given'}.",
        f"{signature.task} of {inline(signature.target)}; {len(body.golden.rows)} rows have recorded answers.",
        "",
        "## Features",
        "",
        "| name | kind | range or categories |",
        "| --- | --- | --- |",
    ]
    for feature in signature.features[:MOST_LINES]:
        span = f"{feature.low} to {feature.high}" if feature.kind == "numeric" else ", ".join(feature.categories[:12])
        lines.append(f"| {inline(feature.name)} | {feature.kind} | {inline(span)} |")
    return lines


def figure(value: float | None) -> str:
    """Return a measure; a dash where it is not defined."""
    return "–" if value is None else f"{value:.6g}"


def inline(value: object) -> str:
    """Return a text of data as it may stand in Markdown: one harmless line, no cell ends."""
    return safe(value, limit=400).replace("|", "\\|").replace("`", "'")
