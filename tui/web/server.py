"""The web server: each open page is a console process of its own, which ends with the page."""

import asyncio
import hmac
import html
import secrets
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from string import Template
from typing import Any

from aiohttp import WSMessage, WSMsgType, web
from textual_serve.app_service import AppService
from textual_serve.server import Server, to_int

from lemnis.engine.deploy.guard import Guard
from lemnis.engine.errors import Unavailable

HERE = Path(__file__).parent
LOOPBACK = "127.0.0.1"
MOST_PAGES = 8  # a console takes some 100 MB with its rooms open
SMALLEST, LARGEST = 1, 1000  # cells
MOST_TYPED = 1 << 20  # characters of one message: a paste
LEAVING_S = 10.0
FONT_SIZES = range(6, 41)
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Page(AppService):
    """One console behind one open page."""

    async def _open_app_process(self, width: int = 80, height: int = 24) -> asyncio.subprocess.Process:
        """Start the console without a shell in between."""
        self._process = await asyncio.create_subprocess_exec(
            *self.command.split("\0"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._build_environment(width=width, height=height),
        )
        self._stdin = self._process.stdin
        return self._process

    async def stop(self) -> None:
        """Ask the console to leave, and end it when it doesn't."""
        with suppress(asyncio.TimeoutError, OSError):
            await asyncio.wait_for(super().stop(), LEAVING_S)
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


class WebConsole(Server):
    """Serves the console of one workspace to browsers of this machine that know the token."""

    def __init__(self, command: Sequence[str], *, port: int = 0, title: str = "Lemnis") -> None:
        """Listen at once, so that the address is known.

        Args:
            command: What is started for each page.
            port: Where to listen on loopback; 0 for a free one.
            title: Of the page.

        Raises:
            Unavailable: The port is taken.
        """
        self.listening = socket.socket()
        self.listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self.listening.bind((LOOPBACK, port))
            self.listening.listen()
        except OSError as error:
            self.listening.close()
            raise Unavailable(f"Port {port} can't be listened at: {error.strerror}.", "Name another one.") from None
        super().__init__("\0".join(command), host=LOOPBACK, port=self.listening.getsockname()[1], title=title)
        self.token = secrets.token_urlsafe(24)
        self.cookie = f"lemnis-{self.port}"  # browsers send one machine's cookies to all of its ports
        self.guard, self.pages = Guard(LOOPBACK, {}), 0
        self.page = Template((HERE / "page.html").read_text("utf-8"))

    @property
    def url(self) -> str:
        """The address with its token."""
        return f"http://{LOOPBACK}:{self.port}/?token={self.token}"

    async def run(self) -> None:
        """Serve until SIGINT or SIGTERM; open consoles are left on the way out."""
        ended = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        runner = web.AppRunner(await self._make_app(), access_log=None, shutdown_timeout=LEAVING_S)
        await runner.setup()
        try:
            await web.SockSite(runner, self.listening).start()
            await ended.wait()
        finally:
            await runner.cleanup()

    async def _make_app(self) -> web.Application:
        @web.middleware
        async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self.admit(request, handler)

        app = web.Application(middlewares=[admit])
        app.add_routes(
            [
                web.get("/", self.handle_index),
                web.get("/page.js", self.handle_script),
                web.get("/ws", self.handle_websocket),
                web.get("/download/{key}", self.handle_download),
                web.static("/static", self.statics_path),
            ]
        )
        return app

    async def admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer only this machine's own pages, and of them only those with the token."""
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in request.headers.items()]
        refusal = self.guard.refusal(headers)
        if refusal is not None:
            return web.Response(status=refusal.status, text=refusal.reason)
        if self.knows(request.query.get("token", "")) and request.path == "/":
            response: web.StreamResponse = web.HTTPSeeOther("/")  # the token is not left in the address
            response.set_cookie(self.cookie, self.token, httponly=True, samesite="Strict")
        elif not self.knows(request.cookies.get(self.cookie, "")):
            response = web.Response(status=401, text="Open the address that `lemnis web` printed: it has the token.")
        else:
            response = await handler(request)
        if not response.prepared:
            response.headers.update(
                {
                    "Content-Security-Policy": POLICY,
                    "Referrer-Policy": "no-referrer",
                    "X-Content-Type-Options": "nosniff",
                }
            )
        return response

    def knows(self, sent: str) -> bool:
        """Say whether this is the token, in constant time."""
        return hmac.compare_digest(sent.encode(), self.token.encode())

    async def handle_index(self, request: web.Request) -> web.Response:  # type: ignore[override]
        """Return the page; everything it loads comes from this server."""
        size = to_int(request.query.get("fontsize", "16"), 16)
        text = self.page.substitute(
            title=html.escape(self.title),
            socket=html.escape(f"ws://{request.host}/ws"),  # as the browser calls us: a tunnel has a port of its own
            font_size=size if size in FONT_SIZES else 16,
        )
        return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-store"})

    async def handle_script(self, request: web.Request) -> web.FileResponse:
        """Return what the page does beside textual-serve's own script."""
        return web.FileResponse(HERE / "page.js")

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Run a console for as long as the page is open."""
        if self.pages >= MOST_PAGES:
            raise web.HTTPServiceUnavailable(text=f"{MOST_PAGES} pages are open already; close one.")
        self.pages += 1
        try:
            return await self.attend(request)
        finally:
            self.pages -= 1

    async def attend(self, request: web.Request) -> web.WebSocketResponse:
        """Pass on what the page sends until one of the two ends."""
        websocket = web.WebSocketResponse(heartbeat=15, max_msg_size=4 * MOST_TYPED)
        await websocket.prepare(request)

        async def close() -> None:
            await websocket.close()

        page = Page(
            self.command,
            write_bytes=websocket.send_bytes,
            write_str=websocket.send_str,
            close=close,
            download_manager=self.download_manager,
        )
        try:
            await page.start(*size_of(request.query.get("width", "80"), request.query.get("height", "24")))
            async for message in websocket:
                await self.pass_on(message, page, websocket)
        finally:
            await page.stop()
        return websocket

    async def pass_on(self, message: WSMessage, page: Page, websocket: web.WebSocketResponse) -> None:
        """Do what one message of the page says; what is not understood is left out."""
        if message.type != WSMsgType.TEXT:
            return
        with suppress(ValueError, TypeError, LookupError):
            kind, *rest = message.json()
            match kind, rest:
                case "stdin", [str(typed)]:
                    await page.send_bytes(typed[:MOST_TYPED].encode("utf-8", "replace"))
                case "resize", [{"width": width, "height": height}]:
                    await page.set_terminal_size(*size_of(width, height))
                case "ping", [moment]:
                    await websocket.send_json(["pong", moment])
                case "blur", _:
                    await page.blur()
                case "focus", _:
                    await page.focus()
                case _:
                    pass


def size_of(width: Any, height: Any) -> tuple[int, int]:  # Any: as a page sent them
    """Return a size in cells that a console can be drawn in."""
    return min(max(int(width), SMALLEST), LARGEST), min(max(int(height), SMALLEST), LARGEST)


def console_command(root: str, *, read_only: bool) -> list[str]:
    """Return the command that opens the console of a workspace."""
    return [sys.executable, "-m", "lemnis.tui", "-w", root, *(["--read-only"] if read_only else [])]
