"""Pictures from outside: what is one, how large it may be, and what becomes of it."""

from __future__ import annotations

import asyncio
import io
import struct
import threading
import time
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from realtime.config import Config
from realtime.web import intake, keys, store, upload
from realtime.web.api import backdrops
from tests.web.guest import Camera, browser, lend_camera
from tests.web.serving import error_of, in_loop, served, until

PNG = {"Content-Type": "image/png"}


def picture(
    kind: str = "PNG", size: tuple[int, int] = (64, 36), mode: str = "RGB", **how: Any
) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, "yellow" if mode == "RGB" else None).save(file, kind, **how)
    return file.getvalue()


def bomb() -> bytes:
    """A PNG of a hundred bytes that claims 60,000 x 60,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@in_loop
async def test_an_upload_is_a_backdrop_under_a_name_of_ours(config: Config) -> None:
    async with served(config, camera=True) as client:
        title = {"title": "../../../Strand & Möwe <script>.png"}
        answer = await client.post("/api/v1/backdrops", data=picture(), params=title, headers=PNG)
        assert answer.status == 201
        name = (await answer.json())["name"]
        assert name.startswith("strand-mowe-script-") and name.endswith(".jpg")
        kept = list(Path(config.web.folder).rglob("*.jpg"))
        assert [path.name for path in kept] == [name]
        changed = await client.patch("/api/v1/scene", json={"scene.backdrop": name})
        assert (await changed.json())["scene.backdrop"] == name
        thumbnail = await client.get(f"/api/v1/backdrops/{name}/thumbnail")
        assert Image.open(io.BytesIO(await thumbnail.read())).size == (320, 180)
        assert (await client.delete(f"/api/v1/backdrops/{name}")).status == 204
        assert not list(Path(config.web.folder).rglob("*.jpg"))
        await error_of(await client.delete(f"/api/v1/backdrops/{name}"), 404)
        only = await error_of(await client.delete("/api/v1/backdrops/yellow.png"), 404)
        assert only == "no such upload"
        assert (Path(config.scene.folder) / "yellow.png").is_file()


@in_loop
async def test_lines_that_show_a_deleted_upload_can_still_be_changed(
    config: Config, loopback: None
) -> None:
    async with served(config, camera=True) as client, browser(Camera()) as guest:
        answer = await client.post("/api/v1/backdrops", data=picture(), headers=PNG)
        name = (await answer.json())["name"]
        session = await lend_camera(client, guest, {"scene.backdrop": name})
        await client.patch("/api/v1/scene", json={"scene.backdrop": name})
        assert (await client.delete(f"/api/v1/backdrops/{name}")).status == 204
        for place in ("/api/v1/scene", f"/api/v1/sessions/{session}/scene"):
            changed = await client.patch(place, json={"scene.blur": 0.9})
            assert changed.status == 200
            assert (await changed.json())["scene.backdrop"] == "blur"
    assert store.Store(config.web.folder).last_look()["scene.backdrop"] == "blur"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        *((b"", 422), (b"hello", 422), (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422)),
        *((picture("GIF"), 422), (picture("BMP"), 422), (picture("TIFF"), 422)),
        *((bomb(), 422), (picture(size=(8000, 7000), mode="1"), 422)),
        *((picture("JPEG", (640, 360))[:500], 422), (picture()[:60], 422)),
        (b"\x89PNG" + b"\0" * (33 * 2**20), 413),
    ],
)
@in_loop
async def test_what_is_no_picture_is_refused(config: Config, data: bytes, status: int) -> None:
    async with served(config) as client:
        answer = await client.post("/api/v1/backdrops", data=io.BytesIO(data), headers=PNG)
        await error_of(answer, status)
        assert not Path(config.web.folder, "backdrops").exists()


@in_loop
async def test_the_type_is_known_by_content(config: Config) -> None:
    async with served(config) as client:
        for kind in ("JPEG", "PNG", "WEBP"):
            answer = await client.post("/api/v1/backdrops", data=picture(kind), headers=PNG)
            assert answer.status == 201
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        await error_of(await client.post("/api/v1/backdrops", data=picture(), headers=form), 415)


@in_loop
async def test_uploads_end_somewhere(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MAX_UPLOADS", 1)
    async with served(config) as client:
        assert (await client.post("/api/v1/backdrops", data=picture(), headers=PNG)).status == 201
        other = picture(size=(32, 18))
        await error_of(await client.post("/api/v1/backdrops", data=other, headers=PNG), 409)


@in_loop
async def test_few_pictures_are_received_at_once(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MOST", 1)
    begun, rest = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield picture()[:20]
        begun.set()
        await rest.wait()
        yield picture()[20:]

    async with served(config) as client:
        slow = asyncio.create_task(client.post("/api/v1/backdrops", data=slowly(), headers=PNG))
        await begun.wait()

        async def free() -> int:
            return client.server.app[keys.INTAKE]._free

        assert await until(free, 0)
        for path in ("/api/v1/backdrops", "/api/v1/photo"):
            await error_of(await client.post(path, data=picture(), headers=PNG), 503)
        rest.set()
        assert (await slow).status == 201
        assert (await client.post("/api/v1/backdrops", data=picture(), headers=PNG)).status == 201


@in_loop
async def test_pictures_are_opened_one_after_another(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, together = threading.Lock(), []

    def open_alone(data: bytes) -> bytes:
        together.append(not lock.acquire(blocking=False))
        time.sleep(0.05)
        if not together[-1]:
            lock.release()
        return data

    monkeypatch.setattr(backdrops, "as_backdrop", open_alone)
    async with served(config) as client:
        await asyncio.gather(
            *(client.post("/api/v1/backdrops", data=picture(), headers=PNG) for _ in range(4))
        )
    assert together == [False] * 4


def test_what_is_kept_is_upright_small_and_without_tags() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera's name"  # on its side; who made it
    kept = Image.open(io.BytesIO(upload.as_backdrop(picture("JPEG", (5000, 100), exif=exif))))
    assert kept.size == (77, 3840)
    assert not kept.getexif()


def test_tags_that_make_no_sense_are_no_fault_of_the_picture() -> None:
    unit = b"\x01\x28\x00\x02\x00\x00\x00\x02x\x00\x00\x00"  # a text where a number belongs
    side = b"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00"
    exif = b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x02" + side + unit + b"\x00" * 4
    kept = Image.open(io.BytesIO(upload.as_backdrop(picture("JPEG", exif=exif))))
    assert kept.size == (36, 64)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "I;16", "RGBA"])
def test_every_kind_of_picture_becomes_colour(mode: str) -> None:
    assert Image.open(io.BytesIO(upload.as_backdrop(picture(mode=mode)))).mode == "RGB"


@pytest.mark.parametrize("size", [(64, 36), (5000, 100)])
def test_grey_of_16_bits_keeps_its_shades(size: tuple[int, int]) -> None:
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6  # on its side
    Image.new("I;16", size, 100 * 257).save(file, "PNG", exif=exif)
    kept = Image.open(io.BytesIO(upload.as_backdrop(file.getvalue())))
    assert kept.height > kept.width
    assert kept.getextrema() == ((100, 100),) * 3


def test_transparent_is_black() -> None:
    kept = Image.open(io.BytesIO(upload.as_backdrop(picture(mode="RGBA"))))
    assert kept.getpixel((5, 5)) == (0, 0, 0)
