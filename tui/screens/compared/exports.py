"""A comparison as a document: Markdown, CSV, JSON or LaTeX. Pure."""

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from lemnis.engine.errors import BadInput
from lemnis.engine.experiments import Run
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, delta, number, share
from lemnis.tui.language import _
from lemnis.tui.screens.compared.words import (
    Compared,
    digits_of,
    gain_shares,
    interval_words,
    judged,
    method_words,
    p_words,
    rows_words,
    test_words,
    value_words,
)
from lemnis.tui.sentences import told

SUFFIXES = {".md": "md", ".csv": "csv", ".json": "json", ".tex": "latex"}
FORMATS = ("md", "csv", "json", "latex")
LATEX = {
    **{char: f"\\{char}" for char in "&%$#_{}"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}"},
    **{">": r"\textgreater{}", "−": "$-$", "–": "--", "±": r"$\pm$", "Δ": r"$\Delta$", "★": r"$\star$"},
    **{"●": r"$\bullet$", "✖": r"$\times$", "≈": r"$\approx$", "↑": r"$\uparrow$", "↓": r"$\downarrow$"},
}


class Section(Struct, frozen=True):
    """One table of a document."""

    title: str
    headers: list[str]
    rows: list[list[str]]
    note: str = ""


def format_of(path: Path) -> str:
    """Return the format that a file's name asks for.

    Raises:
        BadInput: It is none of ours.
    """
    try:
        return SUFFIXES[path.suffix.lower()]
    except KeyError:
        raise BadInput(f"{path.name} names no format.", f"End it with {', '.join(SUFFIXES)}.", str(path)) from None


def exported(found: Compared, kind: str, *, everything: bool) -> str:
    """Return a comparison as ``md``, ``csv``, ``json`` or ``latex``; only what differs unless all is wanted.

    Raises:
        BadInput: There is no such format.
    """
    if kind == "json":
        return msgspec.json.format(msgspec.json.encode(document(found)), indent=2).decode() + "\n"
    if kind == "csv":
        return as_csv(found, everything=everything)
    if kind not in FORMATS:
        raise BadInput(f"There is no format {safe(kind, limit=20)!r}.", f"Choose one of {', '.join(FORMATS)}.")
    shown = sections(found, everything=everything)
    return as_markdown(found, shown) if kind == "md" else as_latex(shown)


# Any: a JSON document.
def document(found: Compared) -> dict[str, Any]:
    """Return everything: runs, metrics, parameters, conditions as recorded, tests with adjusted p, importance."""
    plain: dict[str, Any] = msgspec.to_builtins(found.comparison)
    tests = msgspec.to_builtins(found.significance) if found.significance is not None else None
    if tests is not None:
        for pair, built in zip(found.pairs.values(), tests["pairs"].values(), strict=True):
            for test, row in zip(pair.tests, built["tests"], strict=True):
                row["verdict"] = test.verdict
        tests["pairs"] = list(tests["pairs"].values())
        tests["refused"] = [{"run_id": run, "why": why} for run, why in tests["refused"].items()]
    shares = gain_shares(found.gains, [run.id for run in found.comparison.runs])
    return {
        **plain,
        "significance": tests,
        "importance": [{"feature": name, "gain_share": values} for name, values in shares],
    }


def sections(found: Compared, *, everything: bool) -> list[Section]:
    """Return the tables of a comparison: tests, logged metrics, parameters, conditions, importance."""
    runs = found.comparison.runs
    heads = ["", *(run_label(run, baseline=not place) for place, run in enumerate(runs))]
    shown = [Section(_("Metrics on the same rows"), heads, measured_rows(found), note_of(found))] if found.pairs else []
    if found.pairs:
        headers = [
            _("measure"),
            _("run"),
            _("baseline"),
            _("value"),
            "Δ",
            _("95 % interval"),
            "p",
            _("p (Holm)"),
            _("verdict"),
        ]
        shown.append(Section(_("Tests against the baseline"), headers, tested_rows(found), methods_of(found)))
    logged = [
        [row.name, *(value_words(v, d, row.name) for v, d in zip(row.values, row.deltas, strict=True))]
        for row in found.logged_metrics(everything=everything)
    ]
    shown += [Section(_("Logged metrics"), heads, logged)] if logged else []
    for title, rows in found.groups(everything=everything):
        cells = [[row.name, *(value or MISSING for value in row.values)] for row in rows]
        shown.append(Section(_(title).capitalize(), heads, cells))
    shares = gain_shares(found.gains, [run.id for run in runs])
    if shares:
        cells = [[name, *(share(value) for value in values)] for name, values in shares]
        shown.append(Section(_("Importance (share of gain)"), heads, cells))
    return shown


def run_label(run: Run, *, baseline: bool) -> str:
    """Return a run as a column is called."""
    return f"{'★ ' if baseline else ''}#{run.id} {run.name}"


def measured_rows(found: Compared) -> list[list[str]]:
    """Return each measure: the baseline's value, then each run's with difference and verdict."""
    others = [run.id for run in found.comparison.runs[1:]]
    rows: list[list[str]] = []
    for metric in found.tested_metrics():
        tests = [found.test(run, metric) for run in others]
        base = next((test.base for test in tests if test is not None), None)
        rows.append([metric, number(base, digits_of(metric)), *(test_words(test) for test in tests)])
    return rows


def tested_rows(found: Compared) -> list[list[str]]:
    """Return every test as a row of words."""
    return [
        [
            *(test.metric, f"#{run_id}"),
            *(number(value, digits_of(test.metric)) for value in (test.base, test.value)),
            *(delta(test.delta, digits_of(test.metric)), interval_words(test)),
            *(p_words(test.p), p_words(test.adjusted), judged(test.verdict).text if test.verdict else MISSING),
        ]
        for metric in found.tested_metrics()
        for run_id in found.pairs
        if (test := found.test(run_id, metric)) is not None
    ]


def note_of(found: Compared) -> str:
    """Return on which rows, what is not tested and why, and the warning of several comparisons."""
    words = [rows_words(pair) for pair in found.pairs.values()][:1]
    if found.significance is not None:
        words += [
            _("run {run}: not tested, {why}").format(run=run, why=why)
            for run, why in found.significance.refused.items()
        ]
        words += [told(found.significance.warning)] if found.significance.warning else []
    return ". ".join(words)


def methods_of(found: Compared) -> str:
    """Return how it was tested."""
    return next((method_words(pair) for pair in found.pairs.values()), "")


def as_markdown(found: Compared, shown: Sequence[Section]) -> str:
    """Return the tables as Markdown; what comes from data can't break a table or become markup."""
    lines = [_("# Comparison of {runs} runs").format(runs=len(found.comparison.runs)), ""]
    for section in shown:
        lines += [f"## {section.title}", ""]
        lines += [f"> {marked_down(section.note)}", ""] if section.note else []
        lines.append(f"| {' | '.join(map(marked_down, section.headers))} |")
        lines.append("|" + " --- |" * len(section.headers))
        lines += [f"| {' | '.join(map(marked_down, row))} |" for row in section.rows]
        lines.append("")
    return "\n".join(lines)


def marked_down(text: str) -> str:
    """Return text as Markdown shows it unchanged, in one line."""
    return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", safe(text))


def as_latex(shown: Sequence[Section]) -> str:
    """Return the tables as LaTeX for booktabs."""
    lines = [r"% \usepackage{booktabs}"]
    for section in shown:
        lines += [r"\begin{table}", r"\centering", rf"\caption{{{latex(section.title)}}}"]
        lines += [rf"\begin{{tabular}}{{l{'r' * (len(section.headers) - 1)}}}", r"\toprule"]
        lines += [f"{' & '.join(map(latex, section.headers))} \\\\", r"\midrule"]
        lines += [f"{' & '.join(map(latex, row))} \\\\" for row in section.rows]
        lines += [r"\bottomrule", r"\end{tabular}"]
        lines += [rf"\par\footnotesize {latex(section.note)}"] if section.note else []
        lines += [r"\end{table}", ""]
    return "\n".join(lines)


def latex(text: str) -> str:
    """Return text as LaTeX prints it."""
    return "".join(LATEX.get(char, char) for char in safe(text))


def as_csv(found: Compared, *, everything: bool) -> str:
    """Return one row for each value of each run: kind, name, run, value, then difference and test if there are some."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        ["kind", "name", "run", "value", "baseline", "delta", "low", "high", "p", "p_holm", "verdict", "rows"]
    )
    runs = found.comparison.runs
    for metric in found.tested_metrics():
        for run_id, pair in found.pairs.items():
            test = found.test(run_id, metric)
            if test is not None:
                numbers = (test.value, test.base, test.delta, test.low, test.high, test.p, test.adjusted)
                row = [f"{pair.part} metric", metric, run_id, *map(plain, numbers), test.verdict, pair.rows]
                writer.writerow(row)
    for line in found.logged_metrics(everything=everything):
        for run, value, difference in zip(runs, line.values, line.deltas, strict=True):
            base = line.values[0] if difference is not None else None
            row = ["logged metric", cell(line.name), run.id, plain(value), plain(base), plain(difference)]
            writer.writerow([*row, *[""] * 6])
    for title, rows in found.groups(everything=everything):
        for line in rows:
            for run, text in zip(runs, line.values, strict=True):
                writer.writerow([title.removesuffix("s"), cell(line.name), run.id, cell(text or ""), *[""] * 8])
    for name, values in gain_shares(found.gains, [run.id for run in runs]):
        for run, value in zip(runs, values, strict=True):
            writer.writerow(["gain share", cell(name), run.id, plain(value), *[""] * 8])
    return out.getvalue()


def plain(value: float | None) -> str:
    """Return a number with every digit it has, empty for none."""
    return "" if value is None else repr(value)


def cell(text: str) -> str:
    """Return text from data so that a spreadsheet takes it for text, not for a formula."""
    clean = safe(text)
    try:
        float(clean)
    except ValueError:
        return f"'{clean}" if clean.startswith(("=", "+", "-", "@")) else clean
    return clean
