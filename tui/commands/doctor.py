"""`lemnis doctor`: what this machine offers, and what to do about what it lacks."""

import os
import shutil
import sys
from pathlib import Path

import typer

from lemnis.engine.doctor import Finding, examine
from lemnis.engine.errors import NoWorkspace
from lemnis.tui.commands.group import fell_short, print_json, print_table, say, session_of, single
from lemnis.tui.format import verdict

app = single()


@app.command()
def doctor(context: typer.Context) -> None:
    """Look at the terminal, SQLite, GPUs (NVML, OpenCL, CUDA), disk, clock, ports and the declared cluster.

    Exit code 1 if something fails. With --json: {"findings": [{"name", "verdict", "text", "remedy"}]}.
    """
    session = session_of(context)
    try:
        store, folder = session.engine.store, session.engine.workspace.root
    except NoWorkspace:
        store, folder = None, Path.cwd()
    findings = [terminal(), *examine(store, folder)]
    if session.json:
        print_json({"findings": findings})
    else:
        print_table(["", "what", "found"], [(verdict(f.verdict).text, f.name, f.text) for f in findings])
        for finding in findings:
            if finding.remedy:
                say(f"{finding.name}: {finding.remedy}")
    if any(finding.verdict == "fail" for finding in findings):
        fell_short()


def terminal() -> Finding:
    """Look at the terminal this runs in."""
    size = shutil.get_terminal_size()
    kind, encoding = os.environ.get("TERM", ""), (sys.stdout.encoding or "").lower()
    between = next((name for name, key in (("tmux", "TMUX"), ("screen", "STY")) if os.environ.get(key)), "")
    colours = "truecolor" if os.environ.get("COLORTERM") in ("truecolor", "24bit") else kind
    parts = [kind or "no TERM", f"{size.columns}x{size.lines}", colours, encoding, between]
    text = ", ".join(part for part in dict.fromkeys(parts) if part)
    if not sys.stdout.isatty():
        return Finding(name="terminal", verdict="pass", text="none: output goes elsewhere")
    if "utf" not in encoding:
        return Finding(name="terminal", verdict="warn", text=text, remedy="Use a UTF-8 locale, e.g. LANG=C.UTF-8.")
    if size.columns < 80 or size.lines < 24:
        return Finding(name="terminal", verdict="warn", text=text, remedy="80x24 shows everything, less one pane.")
    return Finding(name="terminal", verdict="pass", text=text)
