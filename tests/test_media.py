"""Step 5: pictures of every kind, still, moving and in folders; and giants, refused."""

from __future__ import annotations

import struct
import zlib
from base64 import b64decode
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime import pixels
from realtime.errors import ConfigError
from realtime.scene.backdrop import picture_backdrop
from realtime.scene.media import read_layer, read_picture
from tests.scenes import SIZE, UPRIGHT, corners, frame_at, nobody, quarters, save, seen


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp", ".tif"])
def test_pictures_of_every_kind(tmp_path: Path, suffix: str) -> None:
    backdrop = picture_backdrop(save(tmp_path / f"ü{suffix}", quarters(64, 36)))
    assert corners(seen(backdrop)) == UPRIGHT
    assert backdrop.alone(SIZE) is backdrop.alone(SIZE)
    assert seen(backdrop, (180, 320)).shape == (320, 180, 3)


def on_its_side(path: Path, upright: np.ndarray) -> Path:
    """Save with EXIF orientation 6: the camera was turned, the picture must be by 90 degrees."""
    entry = struct.pack("<2sHI H HHII I", b"II", 42, 8, 1, 0x0112, 3, 1, 6, 0)
    stored = cv2.rotate(upright, cv2.ROTATE_90_COUNTERCLOCKWISE)
    exif = [np.frombuffer(entry, np.uint8)]
    assert cv2.imwriteWithMetadata(str(path), stored, [cv2.IMAGE_METADATA_EXIF], exif)
    return path


def test_a_picture_of_a_phone_is_turned_upright(tmp_path: Path) -> None:
    path = on_its_side(tmp_path / "phone.jpg", quarters(64, 36))
    assert corners(seen(picture_backdrop(path))) == UPRIGHT


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_transparency_is_turned_with_its_picture(tmp_path: Path, suffix: str) -> None:
    half = np.full((36, 64), 255, np.uint8)
    half[:, 32:] = 0
    path = on_its_side(tmp_path / f"mark{suffix}", np.dstack([quarters(64, 36), half]))
    layer, alpha = read_layer(path)
    assert np.array_equal(alpha, half)
    assert corners(pixels.to_bgr(layer))[::2] == UPRIGHT[::2]


def test_transparency_is_over_black_at_any_depth(tmp_path: Path) -> None:
    clear = np.dstack([np.full((36, 64, 3), 255, np.uint8), np.zeros((36, 64), np.uint8)])
    clear[:, 32:, 3] = 255
    for name, image in {"8": clear, "16": clear.astype(np.uint16) * 257}.items():
        shown = seen(picture_backdrop(save(tmp_path / f"{name}.png", image)))
        assert shown[:, :140].max() <= 2 and shown[:, 180:].min() >= 253


def test_grey_and_deep_pictures(tmp_path: Path) -> None:
    grey = np.full((36, 64), 100, np.uint8)
    for name, image in {"8": grey, "16": grey.astype(np.uint16) * 257}.items():
        shown = seen(picture_backdrop(save(tmp_path / f"{name}.png", image)))
        assert np.abs(shown.astype(int) - 100).max() <= 2


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_picture_of_floating_point_numbers_is_refused(
    tmp_path: Path, channels: int, kind: type
) -> None:
    path = save(tmp_path / "deep.tiff", np.ones((36, 64, channels), kind))
    with pytest.raises(ConfigError, match=r"deep\.tiff: .* floating point .* 8 or 16 bits"):
        picture_backdrop(path)


def test_a_wide_picture_is_kept_small(tmp_path: Path) -> None:
    path = save(tmp_path / "panorama.png", np.full((90, 9000, 3), 255, np.uint8))
    assert seen(picture_backdrop(path)).min() > 250


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def encoded(suffix: str) -> bytes:
    random = np.random.default_rng(0)
    return cv2.imencode(suffix, random.integers(0, 255, (90, 160, 3), np.uint8))[1].tobytes()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, r"no such file"),
        (b"", r"no picture that can be read"),
        (b"not a picture at all", r"no picture that can be read"),
        (encoded(".png")[:3000], r"no picture that can be read"),
        (encoded(".jpg")[:3000], r"no picture that can be read"),
        (png_that_claims(60_000, 60_000), r"too large"),
        (png_that_claims(12_000, 9_000), r"too large"),
    ],
)
def test_a_picture_that_cannot_be_shown_is_named(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "office.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=rf"office\.png.*{reason}") as caught:
        picture_backdrop(path)
    assert caught.value.hint


def claim(coded: bytes, width: int, height: int) -> bytes:
    """Return a small JPEG, WebP, BMP or GIF whose header claims another size."""
    if coded.startswith(b"\xff\xd8"):
        at = coded.index(b"\xff\xc0") + 5
        return coded[:at] + struct.pack(">HH", height, width) + coded[at + 4 :]
    if coded.startswith(b"BM"):
        return coded[:18] + struct.pack("<ii", width, height) + coded[26:]
    if coded.startswith(b"GIF"):
        return coded[:6] + struct.pack("<HH", width, height) + coded[10:]
    at = coded.index(b"VP8 ") + 14
    return coded[:at] + struct.pack("<HH", width, height) + coded[at + 4 :]


@pytest.mark.parametrize("suffix", [".jpg", ".bmp", ".webp"])
def test_a_giant_of_any_kind_is_refused(tmp_path: Path, suffix: str) -> None:
    quality = [cv2.IMWRITE_WEBP_QUALITY, 80] if suffix == ".webp" else []
    coded = cv2.imencode(suffix, quarters(64, 64), quality)[1].tobytes()
    path = tmp_path / f"giant{suffix}"
    path.write_bytes(claim(coded, 16_000, 16_000))
    with pytest.raises(ConfigError, match=rf"giant\{suffix}: this picture is too large"):
        picture_backdrop(path)


def moving(suffix: str, levels: list[int]) -> bytes:
    """Return a picture that moves: grey levels, 100 ms each, the left half transparent."""
    animation = cv2.Animation()
    for level in levels:
        grey = np.full((36, 64, 4), level, np.uint8)
        grey[..., 3] = np.where(np.arange(64) < 32, 0, 255)
        animation.frames = [*animation.frames, grey]
    animation.durations = np.full(len(levels), 100, np.int32)
    done, coded = cv2.imencodeanimation(suffix, animation)
    assert done
    return bytes(coded.tobytes())


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_a_picture_that_moves_goes_by_the_clock(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"waves{suffix}"
    path.write_bytes(moving(suffix, [60, 140, 220]))
    backdrop = picture_backdrop(path)
    shown = [pixels.to_bgr(backdrop.picture(frame_at(at), nobody())) for at in (0.05, 0.15, 0.35)]
    levels = [at[90, 250].mean() for at in shown]
    assert levels == pytest.approx([60, 140, 60], abs=12), "a GIF has few colours"
    assert all(at[90, 20].max() <= 2 for at in shown), "over black where it is transparent"


def with_profile(coded: bytes, profile: bytes) -> bytes:
    """Put a colour profile where those of a PNG and a WebP lie: before what moves."""
    if coded.startswith(b"\x89PNG"):
        content = b"iCCPp\0\0" + zlib.compress(profile)
        chunk = struct.pack(">I", len(content) - 4) + content
        return coded[:33] + chunk + struct.pack(">I", zlib.crc32(content)) + coded[33:]
    chunk = b"ICCP" + struct.pack("<I", len(profile)) + profile
    flags = bytes([coded[20] | 0x20])
    rest = coded[8:20] + flags + coded[21:30] + chunk + coded[30:]
    return coded[:4] + struct.pack("<I", len(rest)) + rest


@pytest.mark.parametrize("suffix", [".webp", ".png"])
def test_a_picture_with_a_colour_profile_moves_too(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"waves{suffix}"
    path.write_bytes(with_profile(moving(suffix, [60, 140, 220]), np.random.bytes(3000)))
    assert len(read_picture(path).frames) == 3


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_nothing_but_the_error_tells_of_a_broken_picture(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], suffix: str
) -> None:
    """OpenCV has a log of its own, on standard error."""
    coded = moving(suffix, [60, 140, 220])
    for length in (16, len(coded) // 2):
        (tmp_path / "cut").write_bytes(coded[:length])
        with pytest.raises(ConfigError, match="is the file whole"):
            read_picture(tmp_path / "cut")
    assert capfd.readouterr() == ("", "")


def test_a_moving_picture_of_too_many_frames_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.scene.media.MAX_PIXELS", 64 * 36 * 2)
    path = tmp_path / "long.gif"
    path.write_bytes(moving(".gif", [60, 140, 220]))
    with pytest.raises(ConfigError, match=r"long\.gif: this picture is too large"):
        picture_backdrop(path)
    path.write_bytes(moving(".gif", [60, 140]))
    picture_backdrop(path)


CMYK = (
    "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwADAgIDAgIDAwMDBAMDBAUIBQUEBAUKBwcGCAwKDAwLCgsLDQ4SEA0OEQ4LCxAW"
    "EBETFBUVFQwPFxgWFBgSFBUU/8AAFAgAEAAQBEMRAE0RAFkRAEsRAP/EABYAAQEBAAAAAAAAAAAAAAAAAAAKCf/EABQQ"
    "AQAAAAAAAAAAAAAAAAAAAAD/2gAOBEMATQBZAEsAAD8A1TZVMqmqaVdVQAlXVUCqhVQD/9k="
)
"""The quarters as a JPEG of four inks, which OpenCV reads and cannot write."""


def test_a_jpeg_of_four_inks(tmp_path: Path) -> None:
    (tmp_path / "print.jpg").write_bytes(b64decode(CMYK))
    assert corners(seen(picture_backdrop(tmp_path / "print.jpg"))) == UPRIGHT


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="directory"):
        picture_backdrop(tmp_path)
