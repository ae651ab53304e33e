"""A headless Chromium, spoken to by its DevTools protocol: what a page asks for, complains of and looks like."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PROGRAM = next((path for path in map(shutil.which, PROGRAMS) if path), None)
PATIENCE = 60  # s, for one answer


@dataclass
class Seen:
    """Of a page that was loaded. requests: addresses of what it asked for, itself included. complaints: messages of the
    console, errors of scripts, what the browser's log holds. width: of its content and of the window, in CSS pixels.
    picture: PNG. paper: PDF."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    width: tuple[int, int] = (0, 0)
    height: int = 0
    picture: bytes = b""
    paper: bytes = b""


class Browser:
    """Use as a context manager. folder: for its profile and its downloads; nothing outside this machine is reached."""

    def __init__(self, folder: Path) -> None:
        assert PROGRAM is not None
        self.folder = folder
        command = [PROGRAM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]
        command += ["--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"]
        command += ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--remote-debugging-port=0"]
        self._log = (folder / "chromium.log").open("wb")
        command += [f"--user-data-dir={folder / 'profile'}", "about:blank"]
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log)

    def __enter__(self) -> Browser:
        file = self.folder / "profile/DevToolsActivePort"
        end = time.monotonic() + PATIENCE
        while not (file.is_file() and file.read_text().count("\n")):
            assert self._process.poll() is None and time.monotonic() < end, "Chromium does not start"
            time.sleep(0.05)
        port, path = file.read_text().split("\n")[:2]
        self.address = f"ws://127.0.0.1:{port}{path}"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)
        self._log.close()

    def see(self, page: Path, width: int, height: int, *, dark: bool = False, click: str = "") -> Seen:
        """Load a file in a window of that size. click: selector of what is clicked then; downloads go to the folder."""
        return asyncio.run(_Session(self.address, self.folder).see(page, width, height, dark, click))


class _Session:
    def __init__(self, address: str, folder: Path) -> None:
        self.address, self.folder, self.seen = address, folder, Seen()
        self._count, self._events, self._session = 0, [], {}

    async def see(self, page: Path, width: int, height: int, dark: bool, click: str) -> Seen:
        from tornado.websocket import websocket_connect

        self._socket = await websocket_connect(self.address, max_message_size=1 << 28)
        target = (await self.ask("Target.createTarget", url="about:blank"))["targetId"]
        attached = await self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = {"sessionId": attached["sessionId"]}
        for domain in ("Page", "Network", "Log", "Runtime"):
            await self.ask(f"{domain}.enable")
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        await self.ask("Emulation.setDeviceMetricsOverride", **metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.ask("Emulation.setEmulatedMedia", features=[scheme])
        await self.ask("Page.navigate", url=page.resolve().as_uri())
        await self._until("Page.loadEventFired")
        root = "document.documentElement"
        sizes = f"{root}.scrollWidth + ' ' + window.innerWidth + ' ' + {root}.scrollHeight"
        found = (await self.ask("Runtime.evaluate", expression=sizes))["result"]["value"]
        content, window, self.seen.height = (int(number) for number in found.split())
        self.seen.width = content, window
        if click:
            await self.ask("Page.setDownloadBehavior", behavior="allow", downloadPath=str(self.folder))
            await self.ask("Runtime.evaluate", expression=f"document.querySelector({json.dumps(click)}).click()")
            await self._until("Page.downloadProgress", state="completed")
        picture = await self.ask("Page.captureScreenshot", format="png")
        self.seen.picture = base64.b64decode(picture["data"])
        self.seen.paper = base64.b64decode((await self.ask("Page.printToPDF"))["data"])
        await self.ask("Target.closeTarget", targetId=target)
        self._socket.close()
        return self.seen

    async def ask(self, method: str, **parameters: object) -> dict:
        """The answer to a command; what comes before it is noted."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters, **self._session}
        await self._socket.write_message(json.dumps(message))
        while True:
            answer = await self._next()
            if answer.get("id") == self._count:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]

    async def _until(self, method: str, **wanted: object) -> None:
        while True:
            for event in self._events:
                if event["method"] == method and wanted.items() <= event["params"].items():
                    return
            await self._next()

    async def _next(self) -> dict:
        message = json.loads(await asyncio.wait_for(self._socket.read_message(), PATIENCE))
        if "method" in message:
            self._events.append(message)
            given = message["params"]
            if message["method"] == "Network.requestWillBeSent":
                self.seen.requests.append(given["request"]["url"])
            elif message["method"] in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
                self.seen.complaints.append(json.dumps(given))
        return message


def save_pictures(page: Path, stem: str) -> None:
    """The pictures of docs/: a screen, a phone, and a tablet in dark mode."""
    with tempfile.TemporaryDirectory() as folder, Browser(Path(folder)) as running:
        for name, width, height, dark in (
            ("screen", 1400, 1200, False), ("phone", 390, 1800, False), ("tablet", 820, 1400, True),
        ):  # fmt: skip
            picture = Image.open(io.BytesIO(running.see(page, width, height, dark=dark).picture))
            picture.convert("RGB").save(f"{stem}-{name}.png", optimize=True)


if __name__ == "__main__":
    save_pictures(Path(sys.argv[1]), sys.argv[2])
