"""`lemnis keys`: which keys do what, whether those of config.toml clash, and what this terminal really sends."""

import os
import sys
from typing import Annotated

import typer

from lemnis.engine.errors import BadInput, NotFound
from lemnis.tui.actions import ACTIONS, GLOBAL, TABLE
from lemnis.tui.commands.group import fell_short, group, print_json, print_table, say, session_of
from lemnis.tui.keys.declared import EXAMPLE, declared_keys, keys_file
from lemnis.tui.keys.keymap import PRESETS
from lemnis.tui.stages import BY_NAME

app = group("List keys, check those of config.toml, see what this terminal sends.")
SCOPES = (GLOBAL, TABLE, *BY_NAME)


@app.command("list")
def list_keys(
    context: typer.Context,
    where: Annotated[str, typer.Argument(help="A stage, `tables` or `everywhere`; all if it is left out.")] = "",
) -> None:
    """List every action with its id, its keys as they are in force, and the command that does the same.

    With --json: {"preset", "keys": [{"id", "keys", "own", "where", "label", "help", "command"}]}; `own` are the keys it
    has without config.toml.
    """
    session = session_of(context)
    if where and where not in SCOPES:
        raise NotFound(f"There is no place {where!r}.", f"There are {', '.join(SCOPES)}.")
    keymap = declared_keys()
    listed = [action for action in ACTIONS if where in ("", action.scope)]
    if session.json:
        documents = [
            {
                "id": one.id,
                "keys": keymap.keys(one).split(","),
                "own": one.key.split(","),
                "where": one.scope,
                "label": one.label,
                "help": one.help,
                "command": one.command,
            }
            for one in listed
        ]
        print_json({"preset": keymap.preset, "keys": documents})
        return
    rows = [(keymap.label(one), "changed" if one.id in keymap.changed else "", one.id, one.help) for one in listed]
    print_table(["keys", "", "id", "does"], rows)
    say(f"preset {keymap.preset}; others: {', '.join(PRESETS)}; set in {keys_file(os.environ)}")


@app.command()
def check(context: typer.Context) -> None:
    """Say what is wrong with the [keys] of your config.toml: unknown actions, no keys, keys that clash or never arrive.

    Ends with 1 if something is. With --json: {"path", "preset", "changed": {id: keys}, "complaints": []}.
    """
    session, keymap = session_of(context), declared_keys()
    path = keys_file(os.environ)
    if session.json:
        document = {"path": str(path), "preset": keymap.preset, "changed": dict(keymap.changed)}
        print_json(document | {"complaints": list(keymap.complaints)})
    else:
        found = f"{path}: preset {keymap.preset}, {len(keymap.changed)} actions with other keys"
        say(found if path.exists() else f"{path} is not there; it may say for example\n\n{EXAMPLE}")
        for complaint in keymap.complaints:
            say(f"▲ {complaint}")
        if path.exists() and not keymap.complaints:
            say("Nothing clashes.")
    if keymap.complaints:
        fell_short()


@app.command()
def test(context: typer.Context) -> None:
    """Show what this terminal really sends for each key you press, and what the console would do with it.

    Press q twice, or ctrl+c, to end. What shows nothing is kept by the terminal, tmux, screen or the window manager.
    """
    session_of(context)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise BadInput(
            "Testing keys needs a terminal.", "Run it where the console runs; `lemnis keys list` needs none."
        )
    from lemnis.tui.keys.probe import probe

    probe(declared_keys())
