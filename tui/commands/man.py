"""`lemnis man`: the manual page, made of what every command says of itself."""

from collections.abc import Iterator
from typing import Any

import typer

from lemnis.engine import __version__
from lemnis.tui.actions import GLOBAL, key_label
from lemnis.tui.commands.group import root, single

app = single()


@app.command()
def man() -> None:
    """Print the manual page: `lemnis man > ~/.local/share/man/man1/lemnis.1`, then `man lemnis`."""
    print("\n".join(manual()))


def manual() -> Iterator[str]:
    """Yield the lines of the page in roff, the macros of man(7)."""
    from lemnis.tui.actions import actions

    program = typer.main.get_command(root)
    about, _, rest = (program.help or "").partition("\n\n")
    yield f'.TH LEMNIS 1 "" "lemnis {__version__}" "User Commands"'
    yield from (".SH NAME", "lemnis \\- a keyboard-driven console for the whole life of a machine-learning model")
    yield from (".SH SYNOPSIS", ".B lemnis", "[OPTIONS] [COMMAND [ARGS]]")
    yield from (".SH DESCRIPTION", plain(about), ".PP", plain(rest))
    yield ".SH OPTIONS"
    yield from options_of(program)
    yield ".SH COMMANDS"
    for path, command in commands_of(program, "lemnis"):
        yield from (".SS " + escaped(f"{path} {usage_of(command)}".rstrip()), *paragraphs(command.help or ""))
        yield from options_of(command)
    yield ".SH KEYS"
    yield from (".PP", "In the console, everywhere; each tab has more, which ? shows.")
    for action in actions(GLOBAL):
        yield from (".TP", f".B {escaped(key_label(action.key))}", plain(action.help))


# Any: Typer's own copy of Click is private.
def commands_of(parent: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield every command that does something, with its path, in the order of --help."""
    context = typer.Context(parent)
    for name in parent.list_commands(context):
        command, own = parent.get_command(context, name), f"{path} {name}"
        if hasattr(command, "list_commands"):
            yield from commands_of(command, own)
        elif not command.hidden:
            yield own, command


def usage_of(command: Any) -> str:
    """Return the arguments of a command as its usage shows them."""
    return " ".join(str(p.metavar or p.name.upper()) for p in command.params if p.param_type_name == "argument")


def options_of(command: Any) -> Iterator[str]:
    """Yield a command's options with what they say."""
    for option in command.params:
        if option.param_type_name == "option" and not option.hidden:
            names = ", ".join([*option.opts, *option.secondary_opts])
            yield from (".TP", f".B {escaped(names)}", plain(option.help or ""))


def paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs of a help text."""
    for part in text.split("\n\n"):
        yield from (".PP", plain(part))


def plain(text: str) -> str:
    """Return one filled line of text."""
    return escaped(" ".join(text.split()))


def escaped(text: str) -> str:
    """Return text that roff prints as it stands: no escapes, and no request at the beginning of a line."""
    safe = text.replace("\\", "\\(rs").replace("-", "\\-")
    return f"\\&{safe}" if safe[:1] in (".", "'") else safe
