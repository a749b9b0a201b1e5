"""The console in a browser: a real server, real console processes behind it, and where there is one a real browser."""

import asyncio
import base64
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pyte
import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, CookieJar, WSServerHandshakeError
from support import until

from lemnis.engine import Engine
from lemnis.engine.workspace import create_workspace

BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
PATIENCE_S = 40


@contextmanager
def serving(root: Path) -> Generator[tuple[str, subprocess.Popen[str]]]:
    """The address that `lemnis web` printed, and its process."""
    engine = Engine(create_workspace(root, '[problem]\ntitle = "Late arrivals"\n'))
    command = [sys.executable, "-m", "lemnis.tui", "-w", str(root), "--json", "web"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process, closing(engine.store):
        assert process.stdout is not None
        yield json.loads("".join(process.stdout.readline() for _ in range(3)))["url"], process
        engine.jobs.stop_supervisor()  # the consoles started it, and it outlives them


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """The address that `lemnis web` printed, and its process id."""
    with serving(tmp_path_factory.mktemp("web")) as (url, process):
        yield url, process.pid
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0
        assert process.stdout is not None
        assert "Traceback" not in process.stdout.read()


class Shown:
    """What a page's terminal shows, of the bytes that its socket got."""

    def __init__(self, columns: int = 100, lines: int = 30) -> None:
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)

    def text(self) -> str:
        return "\n".join(self.screen.display)


@asynccontextmanager
async def opened(url: str) -> AsyncGenerator[tuple[ClientWebSocketResponse, Shown]]:
    """A page's socket, by a client that came with the token as a browser does."""
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:  # else it keeps none of an IP address
        await session.get(url)
        origin = url.partition("/?")[0]
        async with session.ws_connect(f"{origin}/ws?width=100&height=30", origin=origin, max_msg_size=0) as socket:
            yield socket, Shown()


async def shows(socket: ClientWebSocketResponse, shown: Shown, seen: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while seen not in shown.text():
            shown.stream.feed(await socket.receive_bytes())


def consoles(server: int) -> list[psutil.Process]:
    return [child for child in psutil.Process(server).children() if child.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.slow
async def test_a_page_shows_the_console_and_its_keys_work(served: tuple[str, int]) -> None:
    url, server = served
    async with opened(url) as (socket, shown):
        await shows(socket, shown, "Late arrivals")
        for odd in (
            '["stdin", 5]',
            "[]",
            "{}",
            '["resize", {"width": "x", "height": 2}]',
            '["stdin", "\\ud800"]',
            "no",
        ):
            await socket.send_str(odd)
        await socket.send_json(["stdin", "?"])
        await shows(socket, shown, "scroll")
        assert len(consoles(server)) == 1
        await socket.send_json(["ping", 7])
    until(lambda: not consoles(server))  # the console ends with its page


async def test_what_suspends_a_terminal_is_refused_in_a_sentence(served: tuple[str, int]) -> None:
    async with opened(served[0]) as (socket, shown):
        await shows(socket, shown, "Late arrivals")
        await socket.send_json(["stdin", "e"])
        await shows(socket, shown, "needs a terminal")


@pytest.mark.parametrize(
    ("headers", "token", "status"),
    [
        ({}, "", 401),
        ({}, "?token=wrong", 401),
        ({"Host": "evil.example"}, "good", 403),
        ({"Origin": "http://evil.example"}, "good", 403),
        ({"Sec-Fetch-Site": "cross-site"}, "good", 403),
    ],
)
@pytest.mark.parametrize("path", ["/", "/ws", "/static/js/textual.js", "/download/x"])
async def test_strangers_get_nothing(
    served: tuple[str, int], headers: dict[str, str], token: str, status: int, path: str
) -> None:
    origin, _, good = served[0].partition("/?token=")
    query = f"?token={good}" if token == "good" else token
    async with ClientSession() as session, session.get(origin + path + query, headers=headers) as answer:
        assert answer.status == status
        assert good not in await answer.text()
    if path == "/ws":
        async with ClientSession() as session:
            with pytest.raises(WSServerHandshakeError) as refused:
                await session.ws_connect(origin + path + query, headers=headers)
        assert refused.value.status == status


async def test_the_page_loads_nothing_from_elsewhere(served: tuple[str, int]) -> None:
    url, _ = served
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session, session.get(url) as answer:
        text = await answer.text()
        assert answer.url.query_string == ""  # the token is not left in the address
        assert "https://" not in text
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        cookie = answer.history[0].headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


@pytest.mark.slow
async def test_a_console_does_not_outlive_its_server(tmp_path: Path) -> None:
    with serving(tmp_path) as (url, process):
        async with opened(url) as (socket, shown):
            await shows(socket, shown, "Late arrivals")
            (console,) = consoles(process.pid)
            process.kill()
            until(lambda: not console.is_running() or console.status() == psutil.STATUS_ZOMBIE)


@pytest.mark.slow
@pytest.mark.skipif(not BROWSER, reason="no Chromium here")
async def test_a_real_browser_draws_it(served: tuple[str, int], tmp_path: Path) -> None:
    async with chromium(tmp_path) as (call, frames):
        await call("Network.enable")
        await call("Page.enable")
        await call("Page.navigate", url=served[0])
        shown = Shown(200, 60)  # no smaller than the page's own

        def drawn(seen: str) -> Callable[[], bool]:
            def met() -> bool:
                while frames:
                    shown.stream.feed(frames.pop(0))
                return seen in shown.text()

            return met

        await becomes(call, "document.querySelector('.xterm-screen') !== null", drawn("Late arrivals"))
        await call("Page.bringToFront")
        await call("Input.dispatchKeyEvent", type="keyDown", text="?", key="?", code="Slash", windowsVirtualKeyCode=191)
        await becomes(call, "document.body.classList.contains('-first-byte')", drawn("scroll"))
        picture = await call("Page.captureScreenshot", format="png")
        (tmp_path / "page.png").write_bytes(base64.b64decode(picture["data"]))
        assert len(set(base64.b64decode(picture["data"]))) > 200  # not one flat colour
        told = await call(
            "Runtime.evaluate", expression="performance.getEntriesByType('resource').map(e => e.name).join()"
        )
        assert "https://" not in told["result"]["value"]


async def becomes(call: Callable[..., Any], script: str, met: Callable[[], bool]) -> None:
    """Wait until a script of the page says true and a condition of ours holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not ((await call("Runtime.evaluate", expression=script))["result"]["value"] and met()):
            pass  # each question to the page takes its time


@asynccontextmanager
async def chromium(folder: Path) -> AsyncGenerator[tuple[Callable[..., Any], list[bytes]]]:
    """A headless Chromium: its DevTools calls, and the binary frames its pages get."""
    process = await asyncio.create_subprocess_exec(
        BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--window-size=1000,700",
        f"--user-data-dir={folder / 'profile'}", stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "HOME": str(folder)},
    )  # fmt: skip
    try:
        assert process.stderr is not None
        async with asyncio.timeout(PATIENCE_S):
            while not (line := (await process.stderr.readline()).decode()).startswith("DevTools listening on "):
                pass
        address = line.split("//")[1].split("/")[0]
        async with ClientSession() as session:
            async with session.put(f"http://{address}/json/new") as answer:
                page = json.loads(await answer.text())["webSocketDebuggerUrl"]
            async with session.ws_connect(page, max_msg_size=0) as tools:
                frames: list[bytes] = []
                number = 0

                async def call(method: str, **parameters: Any) -> Any:
                    nonlocal number
                    number += 1
                    await tools.send_json({"id": number, "method": method, "params": parameters})
                    while True:
                        told = json.loads((await tools.receive(PATIENCE_S)).data)
                        if told.get("method") == "Network.webSocketFrameReceived":
                            got = told["params"]["response"]
                            if got["opcode"] == 2:
                                frames.append(base64.b64decode(got["payloadData"]))
                        if told.get("id") == number:
                            return told.get("result", told)

                yield call, frames
    finally:
        process.terminate()
        await process.wait()
