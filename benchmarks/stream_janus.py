"""Debian's Janus with a WHIP door, for `benchmarks.stream`: prints the endpoint, then takes orders.

A number on stdin is answered when as many more viewers of what is published are sent it.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.stream_server import TOKEN
from benchmarks.stream_viewers import Counted
from tests.web.janus import running_janus, watch_room, whip_shim


async def serve(host: str, folder: Path) -> None:
    """Run Janus, and let as many watch as is ordered."""
    kept: list[Counted] = []
    async with running_janus(folder) as janus, whip_shim(janus, TOKEN, host) as (url, feeds):
        print(url, flush=True)
        while order := await asyncio.to_thread(sys.stdin.readline):
            while not feeds:
                await asyncio.sleep(0.1)
            for _ in range(int(order)):
                kept.append(Counted((await watch_room(janus, feeds[0])).connection))
            while not all(counted.pictures for counted in kept):
                await asyncio.sleep(0.1)
            print(len(kept), flush=True)


def main(
    host: Annotated[str, typer.Argument(help="address to listen on")],
    folder: Annotated[Path, typer.Argument(help="an empty one, for Janus's settings")],
) -> None:
    """Serve until stdin ends."""
    asyncio.run(serve(host, folder))


if __name__ == "__main__":
    typer.run(main)
