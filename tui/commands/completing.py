"""What a shell completes beside commands and options: the names and numbers of the workspace."""

import typer

from lemnis.engine import Engine, LemnisError
from lemnis.tui.commands.session import Session

MOST = 200  # a longer list helps nobody who presses tab


def workspace_of(context: typer.Context) -> Engine | None:
    """Return the engine of the workspace that the unfinished command is about; None where there is none."""
    try:
        return Session(context.find_root().params.get("workspace"), read_only=True).engine
    except LemnisError:
        return None


def runs(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the numbers of the newest runs, with their names."""
    engine = workspace_of(context)
    if engine is None:
        return []
    found = engine.experiments.page(limit=MOST)
    return [(str(run.id), run.name) for run in found if str(run.id).startswith(incomplete)]


def models(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of the models."""
    engine = workspace_of(context)
    names = [model.name for model in engine.deploy.models()] if engine is not None else []
    return [name for name in names if name.startswith(incomplete)][:MOST]


def references(context: typer.Context, incomplete: str) -> list[str]:
    """Return each model with its aliases: late@champion."""
    engine = workspace_of(context)
    if engine is None:
        return []
    found = [f"{model.name}@{alias}" for model in engine.deploy.models() for alias in model.aliases]
    return [name for name in found if name.startswith(incomplete)][:MOST]


def endpoints(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of the endpoints."""
    engine = workspace_of(context)
    names = [endpoint.name for endpoint in engine.deploy.endpoints()] if engine is not None else []
    return [name for name in names if name.startswith(incomplete)][:MOST]
