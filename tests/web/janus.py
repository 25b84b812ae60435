"""Janus, a real SFU, for tests: started in a folder of its own, spoken to by its HTTP API.

It has no WHIP of its own. `whip_shim` only carries the SDP between WHIP and its video room, as
Meetecho's simple-whip-server does; media and ICE go straight to Janus.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from realtime.web.connection import open_connection
from tests.web.guest import Browser
from tests.web.serving import PATIENCE_S

ROOM, STREAM = 1234, 1
LIBRARIES = Path("/usr/lib/x86_64-linux-gnu/janus")

FILES = {
    "janus.jcfg": """general: {{ plugins_folder = "{plugins}" transports_folder = "{transports}"
        events_folder = "{here}" loggers_folder = "{here}" admin_secret = "x" debug_level = 3
        session_timeout = 0 }}
        nat: {{ full_trickle = false nice_debug = false }}""",
    "janus.transport.http.jcfg": """general: {{ base_path = "/janus" http = true port = {http}
        ip = "127.0.0.1" https = false }}
        admin: {{ admin_http = false admin_https = false }}""",
    "janus.plugin.videoroom.jcfg": """room-{room}: {{ publishers = 4 bitrate = 5000000
        videocodec = "h264,vp8" }}""",
    "janus.plugin.streaming.jcfg": """rtp-one: {{ type = "rtp" id = {stream} audio = false
        video = true videoport = {rtp} videopt = 96 videocodec = "h264"
        videofmtp = "profile-level-id=42e01f;packetization-mode=1" }}""",
}

Json = dict[str, Any]


class Janus:
    """A running Janus: `rtp` is the port that its streaming plugin listens on."""

    def __init__(self, http: aiohttp.ClientSession, url: str, rtp: int, process: int) -> None:
        self.rtp, self.process = rtp, process
        self._http, self._url = http, url

    async def attach(self, plugin: str) -> Handle:
        """Open a session with a plugin."""
        session = (await self.ask("", {"janus": "create"}))["data"]["id"]
        wanted = {"janus": "attach", "plugin": f"janus.plugin.{plugin}"}
        handle = (await self.ask(f"/{session}", wanted))["data"]["id"]
        return Handle(self, session, handle)

    async def ask(self, path: str, body: Json | None = None) -> Json:
        """Send a request, or wait for what the server says by itself."""
        if body is None:
            async with self._http.get(self._url + path) as answer:
                return dict(await answer.json())
        body = {**body, "transaction": secrets.token_hex(6)}
        async with self._http.post(self._url + path, json=body) as answer:
            return dict(await answer.json())


class Handle:
    """One conversation with a plugin."""

    def __init__(self, janus: Janus, session: int, handle: int) -> None:
        self._janus, self.session = janus, f"/{session}"
        self._place = f"/{session}/{handle}"

    async def say(self, jsep: Json | None = None, **request: object) -> tuple[Json, str]:
        """Send a message; return the plugin's answer and the SDP that comes with it."""
        body: Json = {"janus": "message", "body": request, **({"jsep": jsep} if jsep else {})}
        await self._janus.ask(self._place, body)
        async with asyncio.timeout(PATIENCE_S):
            while True:
                event = await self._janus.ask(self.session)
                if event["janus"] == "event":
                    said = event["plugindata"]["data"]
                    assert "error" not in said, said
                    return said, event.get("jsep", {}).get("sdp", "")

    async def end(self) -> None:
        """End the session and its media."""
        await self._janus.ask(self.session, {"janus": "destroy"})


@asynccontextmanager
async def running_janus(folder: Path) -> AsyncIterator[Janus]:
    """Start Janus with one room and one mount point for H264."""
    http, rtp = unused_port(), unused_port()
    for name, text in FILES.items():
        places = {"plugins": LIBRARIES / "plugins", "transports": LIBRARIES / "transports"}
        numbers = {"http": http, "rtp": rtp, "room": ROOM, "stream": STREAM}
        (folder / name).write_text(text.format(here=folder, **places, **numbers))
    program = shutil.which("janus")
    assert program
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(program, "-F", str(folder), "-o"), stdout=log, stderr=log
        )
    try:
        async with aiohttp.ClientSession() as client:
            url = f"http://127.0.0.1:{http}/janus"
            await _answering(client, url)
            yield Janus(client, url, rtp, process.pid)
    finally:
        process.terminate()
        await process.wait()


async def _answering(client: aiohttp.ClientSession, url: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                async with client.get(f"{url}/info"):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)


@asynccontextmanager
async def whip_shim(
    janus: Janus, token: str, host: str = "127.0.0.1"
) -> AsyncIterator[tuple[str, list[int]]]:
    """Serve WHIP for the room; gives the endpoint and the numbers of who publishes."""
    handles: dict[str, Handle] = {}
    feeds: list[int] = []

    async def create(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {token}":
            return web.Response(status=401)
        handle = await janus.attach("videoroom")
        joined, _ = await handle.say(request="join", ptype="publisher", room=ROOM)
        offer = {"type": "offer", "sdp": await request.text()}
        _, answer = await handle.say(offer, request="publish")
        feeds.append(joined["id"])
        handles[(name := secrets.token_hex(8))] = handle
        return web.Response(
            status=201,
            text=answer,
            content_type="application/sdp",
            headers={"Location": f"session/{name}"},
        )

    async def delete(request: web.Request) -> web.Response:
        await handles.pop(request.match_info["name"]).end()
        feeds.pop()
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/whip", create), web.delete("/session/{name}", delete)])
    async with TestServer(app, host=host) as server:
        yield str(server.make_url("/whip")), feeds


async def watch_room(janus: Janus, feed: int) -> Browser:
    """Watch who publishes in the room."""
    handle = await janus.attach("videoroom")
    request = {"request": "join", "ptype": "subscriber", "room": ROOM, "streams": [{"feed": feed}]}
    return await _watch(handle, request)


async def watch_mount(janus: Janus) -> Browser:
    """Watch what comes by plain RTP."""
    return await _watch(await janus.attach("streaming"), {"request": "watch", "id": STREAM})


async def _watch(handle: Handle, request: Json) -> Browser:
    _, offer = await handle.say(**request)
    guest = Browser(connection=open_connection())
    answer = {"type": "answer", "sdp": await guest.answer(offer)}
    await handle.say(answer, request="start")
    return guest
