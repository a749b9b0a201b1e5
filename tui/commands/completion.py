"""`lemnis completion`: what makes tab complete commands, options, runs, models and endpoints."""

from enum import StrEnum
from typing import Annotated

import typer
from typer._completion_shared import get_completion_script

from lemnis.tui.commands.group import single
from lemnis.tui.commands.session import COMPLETING

app = single()


class Shell(StrEnum):
    """A shell whose completion is known."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


@app.command()
def completion(shell: Annotated[Shell, typer.Argument(help="Whose script.")]) -> None:
    """Print the script that completes commands, options and the workspace's names: `eval "$(lemnis completion bash)"`.

    For fish: `lemnis completion fish > ~/.config/fish/completions/lemnis.fish`.
    """
    print(get_completion_script(prog_name="lemnis", complete_var=COMPLETING, shell=shell.value))
