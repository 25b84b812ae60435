"""The studio's API: names and never paths, and errors that change nothing."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime.build import make_backdrop
from realtime.config import Config, Scene
from realtime.pipeline import Backdrop
from realtime.web import keys
from realtime.web.api import backdrops
from tests.web.guest import OFFER, post_sdp, share_of
from tests.web.serving import YELLOW, error_of, in_loop, served


@in_loop
async def test_without_a_camera_there_is_nothing_to_watch(config: Config) -> None:
    async with served(config) as client:
        state = await (await client.get("/api/v1/state")).json()
        assert state["camera"] is False and state["figures"] is None
        assert state["peers"] == {"taken": 0, "places": 8}
        assert "no camera here" in await error_of(await post_sdp(client, OFFER), 404)
        await error_of(await client.patch("/api/v1/scene", json={"scene.blur": 0.1}), 404)


@in_loop
async def test_a_camera_counts_from_when_it_has_come(config: Config) -> None:
    async with served(config, camera=True) as client:
        for searching in (True, False):
            client.server.app[keys.STUDIO].control.runner.searching = searching
            state = await (await client.get("/api/v1/state")).json()
            assert state["camera"] is not searching
            assert (state["figures"] is None) is searching


@in_loop
async def test_backdrops_are_names_and_never_paths(config: Config) -> None:
    folder = Path(config.scene.folder)
    (folder.parent / "secret.png").write_bytes((folder / "yellow.png").read_bytes())
    (folder / "link.png").symlink_to(folder.parent / "secret.png")
    async with served(config, camera=True) as client:
        listed = (await (await client.get("/api/v1/backdrops")).json())["backdrops"]
        assert {"name": "yellow.png", "kind": "picture", "uploaded": False} in listed
        assert {"name": "blur", "kind": "blur", "uploaded": False} in listed
        assert "link.png" not in [item["name"] for item in listed]
        for name in ("../secret.png", str(folder.parent / "secret.png"), "link.png"):
            answer = await client.patch("/api/v1/scene", json={"scene.backdrop": name})
            assert "no backdrop" in await error_of(answer, 404)
        state = await client.get("/api/v1/state")
        assert str(folder.parent) not in await state.text()


@pytest.mark.parametrize(
    "changes",
    [
        *({"scene.folder": "/"}, {"matting.threads": 64}, {"web.token": ""}, {"scene": {}}),
        *({"scene.blur": 2}, {"scene.blur": "0.5"}, {"scene.blur": float("nan")}),
        *({"scene.fit": "melt"}, {"scene.backdrop": 7}, {"scene.backdrop": None}),
    ],
)
@in_loop
async def test_a_wrong_scene_changes_nothing(config: Config, changes: dict[str, object]) -> None:
    async with served(config, camera=True) as client:
        before = (await (await client.get("/api/v1/state")).json())["scene"]
        await error_of(await client.patch("/api/v1/scene", json=changes), 400)
        state = await (await client.get("/api/v1/state")).json()
        assert state["scene"] == before


@in_loop
async def test_what_is_set_elsewhere_is_offered_too(config: Config, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    yellow = Path(config.scene.folder, "yellow.png").read_bytes()
    for path in (other / "dusk.png", tmp_path / "alone.png"):
        path.write_bytes(yellow)
    async with served(config, camera=True) as client:
        control = client.server.app[keys.STUDIO].control
        scene = {"folder": str(other), "backdrop": str(tmp_path / "alone.png")}
        control.change({"scene": scene})
        listed = (await (await client.get("/api/v1/backdrops")).json())["backdrops"]
        assert {each["name"] for each in listed if each["kind"] == "picture"} == {
            *("dusk.png", "alone.png")
        }
        look = await (await client.get("/api/v1/scene")).json()
        assert look["scene.backdrop"] == "alone.png"
        assert (await client.put("/api/v1/presets/Alone", json=look)).status == 201


@in_loop
async def test_thumbnails_are_small_pictures(config: Config) -> None:
    async with served(config) as client:
        answer = await client.get("/api/v1/backdrops/yellow.png/thumbnail")
        bgr = cv2.imdecode(np.frombuffer(await answer.read(), np.uint8), cv2.IMREAD_COLOR)
        assert bgr.shape[1] <= 320 and share_of(bgr, YELLOW) == 1
        for name in ("gone.png", "..%2Fsecret.png"):
            path = f"/api/v1/backdrops/{name}/thumbnail"
            await error_of(await client.get(path), 404)


@in_loop
async def test_a_thumbnail_is_made_once_and_alone(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, lock = Path(config.scene.folder, "yellow.png"), threading.Lock()
    made: list[bool] = []

    def make(scene: Scene) -> Backdrop:
        made.append(lock.acquire(blocking=False))
        time.sleep(0.05)
        if made[-1]:
            lock.release()
        return make_backdrop(scene)

    monkeypatch.setattr(backdrops, "make_backdrop", make)
    (path.parent / "other.png").write_bytes(path.read_bytes())
    async with served(config) as client:

        async def thumbnail(name: str) -> bytes:
            return await (await client.get(f"/api/v1/backdrops/{name}/thumbnail")).read()

        first, *_ = await asyncio.gather(*map(thumbnail, ("yellow.png", "other.png") * 3))
        assert made == [True, True]
        cv2.imwrite(str(path), np.zeros((90, 160, 3), np.uint8))
        assert await thumbnail("yellow.png") != first, "the file has changed"
