"""What watches over the program: health, readiness, metrics, snapshot; privacy and models."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from realtime import pixels
from realtime.config import Config
from realtime.frame import Frame
from realtime.web import jpeg, keys
from realtime.web.api import models, table, watchdog
from tests.web.guest import OUTLINE, Camera, browser, lend_camera, share_of
from tests.web.serving import BLUE, GREEN, RED, SIZE, error_of, in_loop, served, until


async def snapshot(client: object) -> object:
    answer = await client.get("/snapshot.jpg")  # type: ignore[attr-defined]
    if answer.status == 404:
        return None
    return cv2.imdecode(np.frombuffer(await answer.read(), np.uint8), cv2.IMREAD_COLOR)


@in_loop
async def test_readiness_follows_the_line(config: Config) -> None:
    async with served(config) as client:
        assert (await client.get("/readyz")).status == 200, "browsers can lend their cameras"
    async with served(config, camera=True) as client:

        async def ready() -> int:
            return (await client.get("/readyz")).status

        assert await until(ready, 200)
        line = client.server.app[keys.STUDIO].control.runner
        line._frames.close()

        async def ready_without_source() -> int:
            line.stats.state = "source lost: unplugged"  # a last picture may have said otherwise
            return await ready()

        assert await until(ready_without_source, 503)
        assert (await client.get("/healthz")).status == 200


@in_loop
async def test_metrics_are_read_by_prometheus(config: Config) -> None:
    async with served(config, camera=True) as client:

        async def composed() -> bool:
            text = await (await client.get("/metrics")).text()
            found = {family.name: family for family in text_string_to_metric_families(text)}
            assert found["scrim_peer_places"].samples[0].value == 8
            assert found["scrim_frames"].type == "counter"
            steps = {sample.labels["step"] for sample in found["scrim_step_seconds"].samples}
            ages = [sample.value for sample in found["scrim_age_seconds"].samples]
            return {"matte", "composite"} <= steps and min(ages) > 0

        assert await until(composed, True)
        assert (await client.get("/metrics")).headers["Content-Type"].startswith("text/plain; v")


@in_loop
async def test_who_has_no_token_learns_nothing_of_devices_and_files(config: Config) -> None:
    async with served(config, camera=True, token="s3cret") as client:
        line = client.server.app[keys.STUDIO].control.runner
        line.stop()
        line.stats.state = "failed: /home/me/secret.xml cannot be used"
        for path, ok in (("/healthz", True), ("/readyz", False)):
            assert await (await client.get(path)).json() == {"ok": ok, "state": "failed"}


@in_loop
async def test_a_snapshot_is_composed(config: Config) -> None:
    async with served(config) as client:
        await error_of(await client.get("/snapshot.jpg"), 404)
    async with served(config, camera=True) as client:

        async def person() -> bool:
            seen = await snapshot(client)
            if seen is None:
                return False
            assert share_of(seen, RED) < OUTLINE
            return share_of(seen, GREEN) > 0.1 and share_of(seen, BLUE) > 0.3

        assert await until(person, True)


@in_loop
async def test_a_snapshot_keeps_no_packet_waiting(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []

    def encode(frame: Frame) -> bytes:
        threads.append(threading.current_thread())
        return jpeg.encode_jpeg(frame)

    monkeypatch.setattr(watchdog, "encode_jpeg", encode)
    async with served(config, camera=True) as client:
        client.server.app[keys.STUDIO].watch.newest = pixels.slate(SIZE)
        assert (await client.get("/snapshot.jpg")).status == 200
    assert threads and threading.current_thread() not in threads


@in_loop
async def test_privacy_puts_the_slate_up_and_away(config: Config) -> None:
    slate = pixels.to_bgr(pixels.slate(SIZE)).astype(int)
    async with served(config, camera=True) as client:

        async def hidden() -> bool:
            seen = await snapshot(client)
            return seen is not None and bool(np.abs(seen - slate).mean() < 3)

        answer = await client.put("/api/v1/privacy", json={"hidden": True})
        assert await answer.json() == {"hidden": True}
        assert await until(hidden, True)
        assert (await (await client.get("/api/v1/state")).json())["hidden"] is True
        assert (await client.get("/readyz")).status == 200
        for wrong in ({}, {"hidden": 1}, {"hidden": "yes"}, {"hidden": True, "more": 1}):
            await error_of(await client.put("/api/v1/privacy", json=wrong), 400)
        await client.put("/api/v1/privacy", json={"hidden": False})
        assert await until(hidden, False)


@in_loop
async def test_a_session_has_a_slate_of_its_own(config: Config, loopback: None) -> None:
    async with served(config) as client, browser(Camera()) as guest:
        path = f"/api/v1/sessions/{await lend_camera(client, guest)}"
        await guest.sees(GREEN, BLUE)
        assert (await client.put(f"{path}/privacy", json={"hidden": True})).status == 200
        grey = (44, 40, 38)
        await guest.sees(grey)
        assert (await (await client.get(path)).json())["hidden"] is True
        await client.put(f"{path}/privacy", json={"hidden": False})
        await guest.sees(GREEN, BLUE)


@in_loop
async def test_what_does_not_change_is_read_once(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[threading.Thread] = []

    def once(work: Callable[..., object]) -> Callable[..., object]:
        def counted(*arguments: object) -> object:
            made.append(threading.current_thread())
            return work(*arguments)

        return counted

    monkeypatch.setattr(table, "describe", once(table.describe))
    monkeypatch.setattr(models, "read_card", once(models.read_card))
    table._document.cache_clear()
    models._card.cache_clear()
    async with served(config, camera=True) as client:
        for path in ("openapi.json", "models"):
            answers = [await client.get(f"/api/v1/{path}") for _ in range(2)]
            assert await answers[0].text() == await answers[1].text()
        known = (await answers[0].json())["models"]
    assert len(made) == len(known) + 1
    assert threading.current_thread() not in made


@in_loop
async def test_a_network_whose_file_is_gone_is_not_offered(config: Config, tmp_path: Path) -> None:
    for suffix in (".xml", ".bin"):
        shutil.copy(Path(config.matting.model).with_suffix(suffix), tmp_path / f"mine{suffix}")
    mine = config.with_values({"matting": {"model": str(tmp_path / "mine.xml")}})
    async with served(mine, camera=True) as client:
        for there in (True, False):
            answer = await client.get("/api/v1/models")
            assert answer.status == 200
            assert ("mine" in [each["name"] for each in (await answer.json())["models"]]) is there
            (tmp_path / "mine.xml").unlink(missing_ok=True)


@in_loop
async def test_models_and_devices_are_named(config: Config) -> None:
    async with served(config, camera=True) as client:
        found = await (await client.get("/api/v1/models")).json()
        named = {model["name"]: model for model in found["models"]}
        assert named["scrim-r-int8"]["default"] and named["toy"]["default"] is False
        assert found["devices"][0]["name"] == "CPU"
        assert config.matting.model not in str(found), "a path"
        for device, notice in (("GPU", True), ("CPU", False)):
            await client.patch("/api/v1/scene", json={"matting.device": device})
            state = await (await client.get("/api/v1/state")).json()
            assert bool(state["notice"]) is notice, "there is no GPU here: it says so"
        for wrong in (config.matting.model, "../toy", "gone"):
            answer = await client.patch("/api/v1/scene", json={"matting.model": wrong})
            await error_of(answer, 404)
