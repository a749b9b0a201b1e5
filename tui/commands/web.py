"""`lemnis web`: the console in a browser of this machine."""

import asyncio
from typing import Annotated

import typer

from lemnis.engine.errors import Unavailable
from lemnis.tui.commands.group import print_json, say, session_of, single

app = single()


@app.command()
def web(
    context: typer.Context,
    port: Annotated[int, typer.Option(help="Where to listen on 127.0.0.1; 0 for a free one.", min=0, max=65535)] = 0,
) -> None:
    """Serve the console to a browser of this machine, until Ctrl+C.

    Only 127.0.0.1 is listened at, and only the printed address, which has a token, opens it. From elsewhere come by
    SSH: `ssh -L 8000:127.0.0.1:PORT host`, then the address with port 8000. Each page is a console of its own; closing
    it ends the console, never the work. Needs `pip install 'lemnis[web]'`.

    With --json: {"url"}, once it listens.
    """
    session = session_of(context)
    root = session.engine.workspace.root
    try:
        from lemnis.tui.web.server import WebConsole, console_command
    except ModuleNotFoundError:
        raise Unavailable("textual-serve is not installed.", "Run `pip install 'lemnis[web]'`.") from None
    server = WebConsole(
        console_command(str(root), read_only=session.read_only), port=port, title=f"{root.name} · Lemnis"
    )
    session.engine.store.close()  # each page opens its own
    if session.json:
        print_json({"url": server.url})
    else:
        say(server.url)
        say("Open it in a browser of this machine; Ctrl+C ends it.")
    asyncio.run(server.run())
